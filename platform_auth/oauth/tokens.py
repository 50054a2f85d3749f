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
from .responses import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .identity import Identity

DEFAULT_EXPIRES_IN: Final = 300
"""Seconds a token is taken to live when neither the response nor the token itself says."""

MAX_EXPIRES_IN: Final = 30 * 24 * 3600
"""Seconds; longer promises are cut to this."""

UNKNOWN_LIFE: Final = (
    f"Nothing says how long the token lives: {DEFAULT_EXPIRES_IN // 60} minutes are assumed."
)
"""The notice of a response that says nothing of its token's life."""

_LONG_LIFE: Final = (
    "The token is said to live longer than"
    f" {MAX_EXPIRES_IN // 86400} days; it is renewed after {MAX_EXPIRES_IN // 86400} all the same."
)

_MAX_TOKEN_LENGTH, _MAX_SCOPES = 64 * 1024, 1000
# RFC 6750 §2.1 says b64token; real servers use all of VSCHAR, which still keeps headers intact.
_VISIBLE = re.compile(r"[\x21-\x7e]+")
# Who somebody is, and for how long: providers often grant these without a word, or unasked.
_PERSONAL: Final = frozenset({"openid", "profile", "email", "address", "phone", "offline_access"})


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
    notices
        What was granted otherwise than asked for, in plain sentences for people.

    """

    access_token: Secret
    expires_in: float
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme
    refresh_token: Secret | None = None
    id_token: Secret | None = None
    scopes: tuple[str, ...] = ()
    identity: Identity | None = field(default=None)
    notices: tuple[str, ...] = ()


def token_set(
    data: Mapping[str, Any],
    *,
    asked: tuple[str, ...] = (),
    granted: tuple[str, ...] = (),
    now: float = 0,
) -> TokenSet:
    """Check a token response and return it as a value.

    Parameters
    ----------
    data
        The response's JSON object.
    asked
        The scopes asked for, granted unless the response says otherwise (RFC 6749 §5.1).
    granted
        Those granted before, which a refresh keeps unless its response says otherwise (§6).
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
    promised = _lifetime(data.get("expires_in"), access, now)
    scopes = _scopes(data.get("scope")) or granted or asked
    return TokenSet(
        access_token=access,
        expires_in=min(promised or DEFAULT_EXPIRES_IN, MAX_EXPIRES_IN),
        token_type=_token_type(data.get("token_type")),
        refresh_token=_token(data, "refresh_token"),
        id_token=_token(data, "id_token"),
        scopes=scopes,
        notices=(*_notices_of_life(promised), *_notices_of_scopes(asked, scopes)),
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


def _lifetime(value: object, access: Secret, now: float) -> float | None:
    """Return the seconds a token lives, or None where nobody says."""
    if value is None:
        expiry = jwt_expiry(access)
        seconds = None if expiry is None else expiry - now
    else:
        seconds = _number(value)
    if seconds is not None and seconds <= 0:
        raise _unusable("expires_in", "the token has expired already")
    return seconds


def _notices_of_life(promised: float | None) -> tuple[str, ...]:
    if promised is None:
        return (UNKNOWN_LIFE,)
    return (_LONG_LIFE,) if promised > MAX_EXPIRES_IN else ()


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


def _scopes(value: object) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = " ".join(value)  # some servers send a list, against RFC 6749 §3.3
    if not isinstance(value, str):
        return ()
    listed = value.split(None, _MAX_SCOPES)[:_MAX_SCOPES]
    return tuple(scope for scope in listed if _VISIBLE.fullmatch(scope))


def _notices_of_scopes(asked: tuple[str, ...], granted: tuple[str, ...]) -> tuple[str, ...]:
    # Entra's ".default" stands for scopes of other names; Google spells email as an address.
    if any(scope.endswith("/.default") for scope in asked):
        return ()
    given, known = {*granted, *_PERSONAL}, {*asked, *_PERSONAL}
    missing = [scope for scope in asked if scope not in given]
    more = [scope for scope in granted if not {scope, scope.rpartition(".")[2]} & known]
    return (
        *([f"Not granted, though asked for: {_listed(missing)}."] if missing else []),
        *([f"Granted, though not asked for: {_listed(more)}."] if more else []),
    )


def _listed(scopes: list[str]) -> str:
    return plain(", ".join(scopes), 200)


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
