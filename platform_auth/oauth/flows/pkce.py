"""Authorization code with PKCE: the person signs in in a browser (RFC 6749 §4.1, RFC 7636)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import CallbackError
from ..authorization import AuthorizationRequest
from ..grants import exchange_code, refresh_tokens
from ..steps import Ask, AuthorizeChallenge

if TYPE_CHECKING:
    from collections.abc import Generator

    from ...secret import Secret
    from ..context import FlowContext
    from ..steps import Step
    from ..tokens import TokenSet


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
        request = AuthorizationRequest.new(context)
        code = yield from _code(request)
        nonce = request.nonce if "openid" in context.config.scopes else None
        return (yield from exchange_code(context, code, request.verifier, nonce))

    def refresh(self, context: FlowContext, old: TokenSet) -> Generator[Step, Any, TokenSet]:
        """Use the refresh token."""
        return refresh_tokens(context, old)


def _code(request: AuthorizationRequest) -> Generator[Step, Any, Secret]:
    challenge = AuthorizeChallenge(request.url, request.state.reveal())
    problem: CallbackError | None = None
    while True:
        answer = yield Ask(challenge, problem=problem)
        try:
            return request.validate_callback(answer)
        except CallbackError as error:
            if request.is_answered_by(answer):
                raise
            problem = error


FLOW = Pkce()
