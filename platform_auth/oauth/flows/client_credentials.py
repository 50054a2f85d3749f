"""Client credentials: a service signs in as itself (RFC 6749 §4.4)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..grants import request_tokens

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..context import FlowContext
    from ..steps import Step
    from ..tokens import TokenSet


class ClientCredentials:
    """The flow `client_credentials`: nobody is asked, and an expired token is simply replaced."""

    name = "client_credentials"
    interactive = False
    redirects = False

    def sign_in(self, context: FlowContext) -> Generator[Step, Any, TokenSet]:
        """Ask for a token with the client's own credentials."""
        config = context.config
        tokens = yield from request_tokens(
            context,
            "client_credentials",
            replay=True,
            scope=" ".join(config.scopes),
            audience=config.audience,
        )
        # §4.4.3: a server should not give a refresh token here; the secret is all it takes.
        return replace(tokens, refresh_token=None)

    def refresh(self, context: FlowContext, old: TokenSet) -> Generator[Step, Any, TokenSet]:
        """Ask again."""
        del old
        return self.sign_in(context)


FLOW = ClientCredentials()
