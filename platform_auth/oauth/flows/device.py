"""Device authorization: the person enters a code on any device with a browser (RFC 8628)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from authlib.common.urls import add_params_to_qs

from ...errors import ProviderError, SignInExpiredError, TokenResponseError, TransportError
from ...secret import Secret
from ..client_auth import ask_authenticated
from ..grants import refresh_tokens, request_unverified, verified
from ..metadata import is_secure
from ..responses import oauth_json, plain
from ..steps import Ask, DeviceChallenge, Step, Wait

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from ..context import FlowContext
    from ..tokens import TokenSet

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:device_code"

_INTERVAL, _SHORTEST_INTERVAL, _EXPIRES_IN = 5.0, 1.0, 600.0
_SLOWER = 5.0  # §3.5: for this and all later requests
_LONGEST_PAUSE = 60.0
_ANOTHER_FLOW: Final = (
    "Show this to whoever runs the identity provider, or sign in with another flow (pkce)."
)
_MAX_STRANGE = 3  # answers in a row that are none, before they are taken for the truth


class Device:
    """The flow `device`."""

    name = "device"
    interactive = True
    redirects = False

    def sign_in(self, context: FlowContext) -> Generator[Step, Any, TokenSet]:
        """Get a code, show it, and ask for tokens until the person has entered it."""
        url = context.metadata.endpoint("device_authorization_endpoint")
        response = yield from ask_authenticated(context, url, _form(context), replay=True)
        data = oauth_json(response)
        challenge, code = _challenge(data), Secret(_text(data, "device_code"))
        return (yield from _wait_for_person(context, challenge, code))

    def resume(self, context: FlowContext, memory: Secret) -> Generator[Step, Any, TokenSet]:
        """Ask on for tokens where another process has shown the code."""
        known = json.loads(memory.reveal())
        code, left = Secret(known.pop("device_code")), known.pop("ends_at") - context.now()
        challenge = DeviceChallenge(**known | {"expires_in": min(left, known["expires_in"])})
        return (yield from _wait_for_person(context, challenge, code))

    def refresh(self, context: FlowContext, old: TokenSet) -> Generator[Step, Any, TokenSet]:
        """Use the refresh token."""
        return refresh_tokens(context, old)


def _wait_for_person(
    context: FlowContext, challenge: DeviceChallenge, code: Secret
) -> Generator[Step, Any, TokenSet]:
    yield Ask(challenge, memory=_memory(context, challenge, code))
    tokens = yield from _poll(context, code, challenge)
    # Not in the loop: the code is used up, whatever becomes of the id_token.
    return (yield from verified(context, tokens))


def _memory(context: FlowContext, challenge: DeviceChallenge, code: Secret) -> Secret:
    more = {"device_code": code.reveal(), "ends_at": context.now() + challenge.expires_in}
    return Secret(json.dumps(asdict(challenge) | more))


def _form(context: FlowContext) -> Secret:
    config = context.config
    given = {"scope": " ".join(config.scopes), "audience": config.audience}
    fields = [(name, value) for name, value in given.items() if value]
    fields += [("resource", uri) for uri in config.oauth.resource]
    return Secret(add_params_to_qs("", fields))


def _poll(
    context: FlowContext, code: Secret, challenge: DeviceChallenge
) -> Generator[Step, Any, TokenSet]:
    rhythm, left = _Rhythm(challenge.interval), challenge.expires_in
    # Waits are added up rather than clocks compared: a clock may jump.
    while left > 0:
        pause = min(rhythm.pause, left)
        yield Wait(pause)
        left -= pause
        try:
            return (yield from request_unverified(context, GRANT_TYPE, device_code=code))
        except (ProviderError, TransportError) as error:
            rhythm.adapt(error)
    raise SignInExpiredError(
        "The code was not entered in time.", fix="Sign in again to get a new one."
    )


@dataclass
class _Rhythm:
    """How long to wait before asking again (§3.5).

    The RFC lets a fault lengthen all later waits. Here it lengthens only those until the next
    answer: a person who has entered the code should not wait for an outage that is over.
    """

    interval: float
    longer: float = 0.0
    strange: int = 0

    @property
    def pause(self) -> float:
        return max(self.interval, self.longer)

    def adapt(self, error: ProviderError | TransportError) -> None:
        """Take an error for what it says of the next request; raise it if there is to be none."""
        if error.oauth_code in {"authorization_pending", "slow_down"}:
            self.interval += _SLOWER if error.oauth_code == "slow_down" else 0
            self.longer, self.strange = 0.0, 0
            return
        # The page of a captive portal, or a proxy's, is not the provider's word.
        strange = isinstance(error, ProviderError) and not error.oauth_code
        self.strange += strange
        final = not (strange or error.retryable) or self.strange > _MAX_STRANGE
        if final or isinstance(error, TokenResponseError):
            raise error
        self.longer = max(min(self.pause * 2, _LONGEST_PAUSE), error.retry_after or 0)


def _challenge(data: Mapping[str, Any]) -> DeviceChallenge:
    complete = data.get("verification_uri_complete")
    return DeviceChallenge(
        # Google's name for it is older than the RFC.
        verification_uri=_address(data.get("verification_uri") or data.get("verification_url")),
        verification_uri_complete=_address(complete) if complete else None,
        user_code=plain(_text(data, "user_code"), 64),
        expires_in=_seconds(data.get("expires_in"), _EXPIRES_IN),
        interval=max(_seconds(data.get("interval"), _INTERVAL), _SHORTEST_INTERVAL),
    )


def _seconds(value: object, default: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return default
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return default
    return seconds if 0 < seconds < float("inf") else default


def _address(value: object) -> str:
    # It becomes a link that people are told to trust: no javascript:, no plain http elsewhere.
    if isinstance(value, str) and value.isprintable() and " " not in value and is_secure(value):
        return value
    raise ProviderError(
        "The identity provider names no usable address to enter the code at.",
        why="It must be an https address (RFC 8628 §3.2, verification_uri).",
        fix=_ANOTHER_FLOW,
    )


def _text(data: Mapping[str, Any], member: str) -> str:
    value = data.get(member)
    if isinstance(value, str) and plain(value):
        return value
    what = f"The identity provider's device authorization lacks {member}."
    raise ProviderError(what, fix=_ANOTHER_FLOW)


FLOW = Device()
