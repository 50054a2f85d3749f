"""Tokens as an authorization server hands them out (RFC 6749 §5.1)."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ..errors import TokenResponseError
from ..secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .identity import Identity

DEFAULT_EXPIRES_IN: Final = 300
"""Seconds a token is taken to live when neither the response nor the token itself says."""

MAX_EXPIRES_IN: Final = 30 * 24 * 3600
"""Seconds; longer promises are cut to this."""

_MAX_TOKEN_LENGTH = 64 * 1024
# RFC 6750 §2.1 says b64token; real servers use all of VSCHAR, which still keeps headers intact.
_VISIBLE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class TokenSet:
    """One token response, checked.

    Parameters
    ----------
    access_token
        To be sent to the platform.
    expires_in
        Seconds from now that it lives.
    token_type
        ``Bearer``.
    refresh_token
        For the broker alone.
    id_token
        Kept for a sign-out at the provider (``id_token_hint``).
    scopes
        As granted; those asked for when the response is silent.
    identity
        Who signed in, where an id_token says so.

    """

    access_token: Secret
    expires_in: float
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme
    refresh_token: Secret | None = None
    id_token: Secret | None = None
    scopes: tuple[str, ...] = ()
    identity: Identity | None = field(default=None)


def token_set(data: Mapping[str, Any], *, asked: tuple[str, ...] = (), now: float = 0) -> TokenSet:
    """Check a token response and return it as a value.

    Parameters
    ----------
    data
        The response's JSON object.
    asked
        The scopes asked for, granted unless the response says otherwise (RFC 6749 §5.1).
    now
        Seconds since the epoch, to read the ``exp`` of a JWT when ``expires_in`` is missing.

    Raises
    ------
    TokenResponseError
        A needed member is missing or garbled. Nothing of the response is kept then.

    """
    access = _token(data, "access_token")
    if access is None:
        raise _unusable("access_token", "it is missing")
    return TokenSet(
        access_token=access,
        expires_in=_lifetime(data.get("expires_in"), access, now),
        token_type=_token_type(data.get("token_type")),
        refresh_token=_token(data, "refresh_token"),
        id_token=_token(data, "id_token"),
        scopes=_scopes(data.get("scope"), asked),
    )


def _unusable(member: str, why: str) -> TokenResponseError:
    return TokenResponseError(
        f"The token response of the identity provider cannot be used ({member}).",
        why=f"{member}: {why}.",
        fix="Try again; if it stays, show this message to whoever runs the identity provider.",
    )


def _token(data: Mapping[str, Any], member: str) -> Secret | None:
    value = data.get(member)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > _MAX_TOKEN_LENGTH:
        raise _unusable(member, "it is not a string of reasonable length")
    # Anything else could not be put into a header, or would inject one.
    if not _VISIBLE.fullmatch(value):
        raise _unusable(member, "it holds blanks, control or non-ASCII characters")
    return Secret(value)


def _token_type(value: object) -> str:
    if value is None:
        return "Bearer"
    if not isinstance(value, str):
        raise _unusable("token_type", "it is not a string")
    if value.lower() != "bearer":
        raise _unusable("token_type", "only Bearer tokens are supported")
    return "Bearer"


def _lifetime(value: object, access: Secret, now: float) -> float:
    if value is None:
        expiry = jwt_expiry(access)
        seconds = DEFAULT_EXPIRES_IN if expiry is None else expiry - now
    else:
        seconds = _number(value)
    if seconds <= 0:
        raise _unusable("expires_in", "the token has expired already")
    return min(seconds, MAX_EXPIRES_IN)


def _number(value: object) -> float:
    seconds = _finite(value)
    if seconds is None:
        raise _unusable("expires_in", "it is not a finite number of seconds")
    return float(math.floor(seconds))


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _scopes(value: object, asked: tuple[str, ...]) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if isinstance(value, str) and value.strip():
        return tuple(value.split())
    return asked


def jwt_expiry(token: Secret) -> float | None:
    """Return the ``exp`` claim of a token that looks like a JWT, unverified: a hint of its life.

    Returns
    -------
    Seconds since the epoch, or None where there is no such claim.

    """
    parts = token.reveal().split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        return None
    try:
        payload = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = json.loads(base64.urlsafe_b64decode(payload))
    except (binascii.Error, ValueError, RecursionError):
        return None
    expiry = claims.get("exp") if isinstance(claims, dict) else None
    return None if isinstance(expiry, str) else _finite(expiry)
