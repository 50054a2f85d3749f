"""What an answer of an identity provider means: success, an OAuth error, or a passing fault."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from ..errors import (
    AccessDeniedError,
    InvalidClientError,
    InvalidGrantError,
    OAuthError,
    PlatformAuthError,
    ProviderError,
    SignInExpiredError,
    SignInRequiredError,
    TransportError,
)
from ..secret import MASK
from .steps import Response, origin_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..secret import Secret

MAX_RETRY_AFTER: Final = 300.0
"""Seconds; a longer ``Retry-After`` is cut to this."""

LOST: Final = (
    "An answer of the identity provider was lost on its way, and most likely the next refresh token"
    " with it."
)
"""Why a provider that is asked a second time may refuse."""

# Also what reorders text, and halves of characters, which no face could encode.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
_TOO_MANY, _SERVER, _NOT_IMPLEMENTED = 429, 500, 501
_TRANSIENT = {"temporarily_unavailable", "server_error", "slow_down"}
_ASKS_PERSON = {
    "interaction_required",
    "login_required",
    "consent_required",
    "account_selection_required",
    "mfa_required",  # Auth0's
    "insufficient_user_authentication",  # RFC 9470 §3
}


def plain(text: object, limit: int = 300) -> str:
    """Return a server's words as one short line without control characters.

    Faces still escape it for where they put it.
    """
    line = _CONTROL.sub(" ", str(text)).strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"


def oauth_json(response: Response) -> dict[str, Any]:
    """Return the JSON object of a successful answer (RFC 6749 §5.1), or raise what it means.

    Raises
    ------
    TransportError
        429 or 5xx: try again later; ``retry_after`` holds the server's wish in seconds.
    OAuthError
        The server answered with an error code (§5.2), whatever its HTTP status.
    ProviderError
        Anything else that is not a JSON object.

    """
    _refuse_redirect(response)
    refuse_busy(response)
    data = response.json_object()
    if "error" in data:
        raise oauth_error(data)
    if not 200 <= response.status < 300:  # noqa: PLR2004 - the successful class
        what = f"{origin_of(response.url)} answered HTTP {response.status}."
        raise ProviderError(what, fix="Check the address of the identity provider.")
    return data


def _refuse_redirect(response: Response) -> None:
    # Following would hand the client's secret and the refresh token to another address.
    if 300 <= response.status < 400:  # noqa: PLR2004 - the redirection class
        location = response.headers.get("location", "")
        target = plain(origin_of(location), 100) if "://" in location else "another path"
        what = f"{origin_of(response.url)} redirects to {target}, which is not followed."
        raise ProviderError(what, fix="Set the endpoint to its final address.")


def is_missing(response: Response) -> bool:
    """Tell whether an answer says that nothing is there for us."""
    # 404 is usual; servers that protect every path they do not know say 401, 403 or 400.
    return 400 <= response.status < _SERVER and response.status != _TOO_MANY  # noqa: PLR2004


def refuse_busy(response: Response) -> None:
    """Raise a `TransportError` for an answer that says: later (429 and 5xx).

    Not for 501, which says: never (RFC 9110 §15.6.2).
    """
    if response.status != _TOO_MANY and response.status < _SERVER:
        return
    if response.status == _NOT_IMPLEMENTED:
        return
    error = TransportError(
        f"{origin_of(response.url)} is not available just now.",
        why=f"HTTP {response.status}, {response.content_type or 'no content type'}.",
        fix="Wait a little; nothing is lost.",
    )
    error.retry_after = retry_after(response.headers)
    raise error


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a ``Retry-After`` header (RFC 9110 §10.2.3), 0 to 300, or None."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError):
            return None
    return min(seconds, MAX_RETRY_AFTER) if seconds >= 0 else None


def oauth_error(data: Mapping[str, Any]) -> PlatformAuthError:
    """Return the typed error for an OAuth error response (RFC 6749 §4.1.2.1, §5.2; RFC 8628 §3.5).

    Parameters
    ----------
    data
        The parameters: ``error``, ``error_description``.

    """
    code = data.get("error")
    if not isinstance(code, str) or not code:
        return ProviderError("The identity provider reported an error without naming it.")
    code = plain(code, 80)
    said = plain(data.get("error_description") or "")
    why = f"{code}: {said}" if said else f"{code}."
    kind, what, fix = _MEANING.get(code, _UNKNOWN)
    if code in _ASKS_PERSON:
        kind, what, fix = _INTERACTION
    if code in _TRANSIENT:
        kind, what, fix = _LATER
    error = kind(what, why=why, fix=fix)
    error.oauth_code = code
    return error


def show_what_was_sent(error: PlatformAuthError, form: str) -> None:
    """Add to the refusal of a request what was refused.

    Parameters
    ----------
    error
        Of `oauth_error`.
    form
        The request's parameters, encoded; only those that are no secrets are shown.

    """
    sent = parse_qsl(form)
    if error.oauth_code in _REFUSED:
        values = [value for name, value in sent if name in _REFUSED[error.oauth_code]]
    elif error.oauth_code == "invalid_request":
        values = sorted({name for name, _value in sent})
    else:
        return
    shown = plain(", ".join(values), 400) or "nothing of the kind"
    error.why = f"{error.why.removesuffix('.')}. Sent: {shown}."


def hide_what_was_sent(error: PlatformAuthError, form: str, *credentials: Secret | None) -> None:
    """Mask what a server's words repeat of the secrets of the request that they are about.

    Parameters
    ----------
    error
        Of `oauth_error`.
    form
        The request's parameters, encoded.
    credentials
        What else was sent.

    """
    secrets = [value for name, value in parse_qsl(form) if name not in _NO_SECRETS]
    secrets += [each.reveal() for each in credentials if each]
    for secret in secrets:
        # Its beginning is enough: long words are cut off, and a long secret in them.
        repeated = re.escape(secret[:_BEGINNING]) + r"\S*"
        if len(secret) >= _SHORTEST:
            error.why = re.sub(repeated, MASK, error.why)


_SHORTEST, _BEGINNING = 6, 24
_NO_SECRETS: Final = frozenset(
    {
        *("grant_type", "client_id", "scope", "audience", "resource", "redirect_uri"),
        *("client_assertion_type", "subject_token_type", "requested_token_type"),
        *("token_type_hint",),
    }
)
_REFUSED: Final = {"invalid_scope": {"scope"}, "invalid_target": {"audience", "resource"}}

_Meaning = tuple[type[PlatformAuthError], str, str]
_UNKNOWN: Final[_Meaning] = (
    OAuthError,
    "The identity provider refused the request.",
    "Check the profile's client id, scopes and redirect URI with whoever runs the provider.",
)
_INTERACTION: Final[_Meaning] = (
    SignInRequiredError,
    "The identity provider wants to see you again.",
    "Sign in again.",
)
_LATER: Final[_Meaning] = (
    TransportError,
    "The identity provider is not available just now.",
    "Wait a little; nothing is lost.",
)
_CLIENT = "The identity provider does not accept this client."
_CLIENT_FIX = "Check clientId, its secret and oauth.token_endpoint_auth_method of the profile."
_MEANING: Final[dict[str, _Meaning]] = {
    "access_denied": (
        AccessDeniedError,
        "The sign-in was cancelled or denied.",
        "Sign in again when you are ready; if you were refused, ask for access.",
    ),
    "invalid_grant": (
        InvalidGrantError,
        "The identity provider no longer accepts this sign-in.",
        "Sign in again.",
    ),
    "expired_token": (
        SignInExpiredError,
        "The code was not entered in time.",
        "Sign in again to get a new one.",
    ),
    "invalid_client": (InvalidClientError, _CLIENT, _CLIENT_FIX),
    "unauthorized_client": (InvalidClientError, _CLIENT, _CLIENT_FIX),
    "invalid_scope": (
        OAuthError,
        "The identity provider does not grant these scopes.",
        "Correct the scopes of the profile.",
    ),
    "invalid_target": (
        OAuthError,
        "The identity provider does not know this audience or resource.",
        "Correct audience or oauth.resource of the profile.",
    ),
}
