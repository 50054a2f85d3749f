"""Authorization code with PKCE: the person signs in in a browser (RFC 6749 §4.1, RFC 7636)."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final

from ...errors import CallbackError
from ...secret import Secret
from ..authorization import AuthorizationRequest
from ..grants import exchange_code, refresh_tokens
from ..steps import Ask, AuthorizeChallenge

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..context import FlowContext
    from ..steps import Step
    from ..tokens import TokenSet

_SECRETS: Final = ("state", "verifier", "nonce")


class Pkce:
    """The flow `pkce`; S256 always, whatever the server says it supports."""

    name = "pkce"
    interactive = True
    redirects = True

    def sign_in(self, context: FlowContext) -> Generator[Step, Any, TokenSet]:
        """Send the browser away and exchange the code it comes back with.

        An answer with another state does not use the request up: the same question is asked again,
        so that nobody can end a sign-in by opening the callback with rubbish. One with the right
        state does, whatever is wrong with it: a state serves once.
        """
        return (yield from _trip(context, AuthorizationRequest.new(context)))

    def resume(self, context: FlowContext, memory: Secret) -> Generator[Step, Any, TokenSet]:
        """Go on with a trip that began in another process."""
        return (yield from _trip(context, _remembered(memory)))

    def refresh(self, context: FlowContext, old: TokenSet) -> Generator[Step, Any, TokenSet]:
        """Use the refresh token."""
        return refresh_tokens(context, old)


def _trip(context: FlowContext, request: AuthorizationRequest) -> Generator[Step, Any, TokenSet]:
    context = replace(context, redirect_uri=request.redirect_uri)
    code = yield from _code(request)
    nonce = request.nonce if "openid" in context.config.scopes else None
    return (yield from exchange_code(context, code, request.verifier, nonce))


def _memory(request: AuthorizationRequest) -> Secret:
    known = {each.name: getattr(request, each.name) for each in fields(request)}
    shown = {name: known[name].reveal() for name in _SECRETS}
    return Secret(json.dumps(known | shown))


def _remembered(memory: Secret) -> AuthorizationRequest:
    known: dict[str, Any] = json.loads(memory.reveal())
    return AuthorizationRequest(**known | {name: Secret(known[name]) for name in _SECRETS})


def _code(request: AuthorizationRequest) -> Generator[Step, Any, Secret]:
    challenge = AuthorizeChallenge(request.url, request.state.reveal())
    memory, problem = _memory(request), None
    while True:
        answer = yield Ask(challenge, problem, memory)
        try:
            return request.validate_callback(answer)
        except CallbackError as error:
            if request.is_answered_by(answer):
                raise
            problem = error


FLOW = Pkce()
