"""Authorization code with PKCE: the person signs in in a browser (RFC 6749 §4.1, RFC 7636)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import CallbackError, InvalidGrantError
from ..authorization import AuthorizationRequest
from ..grants import FlowContext, exchange_code, refresh_tokens
from ..steps import Ask, AuthorizeChallenge, Step

if TYPE_CHECKING:
    from collections.abc import Generator

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
        challenge = AuthorizeChallenge(request.url, request.state.reveal())
        problem: CallbackError | None = None
        while True:
            answer = yield Ask(challenge, problem=problem)
            try:
                code = request.validate_callback(answer)
                break
            except CallbackError as error:
                if request.is_answered_by(answer):
                    raise
                problem = error
        nonce = request.nonce if "openid" in context.config.scopes else None
        return (yield from exchange_code(context, code, request.verifier, nonce))

    def refresh(self, context: FlowContext, old: TokenSet) -> Generator[Step, Any, TokenSet]:
        """Use the refresh token."""
        if old.refresh_token is None:
            raise InvalidGrantError(
                "The sign-in has ended.",
                why="The identity provider gave no refresh token, so it cannot be prolonged.",
                fix="Sign in again; the scope offline_access often makes sign-ins last longer.",
            )
        return (yield from refresh_tokens(context, old))


FLOW = Pkce()
