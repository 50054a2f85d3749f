"""Device authorization: the person enters a code on any device with a browser (RFC 8628)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from authlib.common.urls import add_params_to_qs

from ...errors import OAuthError, ProviderError, SignInExpiredError, TransportError
from ..client_auth import authenticated
from ..grants import FlowContext, refresh_tokens, request_tokens
from ..metadata import is_secure
from ..responses import oauth_json, plain
from ..steps import Ask, DeviceChallenge, Step, Wait

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from ..tokens import TokenSet

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:device_code"

_INTERVAL, _EXPIRES_IN = 5.0, 600.0
_SLOWER = 5.0  # §3.5: for this and all later requests


class Device:
    """The flow `device`."""

    name = "device"
    interactive = True
    redirects = False

    def sign_in(self, context: FlowContext) -> Generator[Step, Any, TokenSet]:
        """Get a code, show it, and ask for tokens until the person has entered it."""
        config = context.config
        params = {"scope": " ".join(config.scopes), "audience": config.audience}
        body = add_params_to_qs("", [(name, value) for name, value in params.items() if value])
        url = context.metadata.endpoint("device_authorization_endpoint")
        response = yield authenticated(config, context.metadata, url, body, replay=True)
        data = oauth_json(response)
        challenge = _challenge(data)
        yield Ask(challenge)
        return (yield from _poll(context, _text(data, "device_code"), challenge))

    def refresh(self, context: FlowContext, old: TokenSet) -> Generator[Step, Any, TokenSet]:
        """Use the refresh token."""
        return refresh_tokens(context, old)


def _poll(
    context: FlowContext, device_code: str, challenge: DeviceChallenge
) -> Generator[Step, Any, TokenSet]:
    interval, waited = challenge.interval, 0.0
    # Waits are added up rather than clocks compared: a clock may jump.
    while waited < challenge.expires_in:
        yield Wait(interval)
        waited += interval
        try:
            return (yield from request_tokens(context, GRANT_TYPE, device_code=device_code))
        except (OAuthError, TransportError) as error:
            interval = _next_interval(error, interval)
    raise SignInExpiredError(
        "The code was not entered in time.", fix="Sign in again to get a new one."
    )


def _next_interval(error: OAuthError | TransportError, interval: float) -> float:
    """Return how long to wait next, or raise the error if it is final (§3.5)."""
    if error.oauth_code == "authorization_pending":
        return interval
    if error.oauth_code == "slow_down":
        return interval + _SLOWER
    if error.retryable:
        return max(interval * 2, error.retry_after or 0)
    raise error


def _challenge(data: Mapping[str, Any]) -> DeviceChallenge:
    complete = data.get("verification_uri_complete")
    return DeviceChallenge(
        # Google's name for it is older than the RFC.
        verification_uri=_address(data.get("verification_uri", data.get("verification_url"))),
        verification_uri_complete=_address(complete) if complete else None,
        user_code=plain(_text(data, "user_code"), 64),
        expires_in=_seconds(data.get("expires_in"), _EXPIRES_IN),
        interval=_seconds(data.get("interval"), _INTERVAL),
    )


def _seconds(value: object, default: float) -> float:
    try:
        seconds = float(value) if isinstance(value, (int, float, str)) else 0.0
    except ValueError:
        return default
    return seconds if 0 < seconds < float("inf") else default


def _address(value: object) -> str:
    # It becomes a link that people are told to trust: no javascript:, no plain http elsewhere.
    if isinstance(value, str) and is_secure(value) and urlsplit(value).hostname:
        return value
    raise ProviderError("The identity provider names no usable address to enter the code at.")


def _text(data: Mapping[str, Any], member: str) -> str:
    value = data.get(member)
    if isinstance(value, str) and value:
        return value
    raise ProviderError(f"The identity provider's device authorization lacks {member}.")


FLOW = Device()
