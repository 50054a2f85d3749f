"""Token exchange: one token for another (RFC 8693), for a workload that somebody vouches for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ..grants import request_tokens
from ..workload import identity_token

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..context import FlowContext
    from ..steps import Step
    from ..tokens import TokenSet

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"


class TokenExchange:
    """The flow `token_exchange`: the file's token is the subject; nobody is asked."""

    name = "token_exchange"
    interactive = False
    redirects = False

    def sign_in(self, context: FlowContext) -> Generator[Step, Any, TokenSet]:
        """Exchange what the file holds now (§2.1)."""
        config = context.config
        tokens = yield from request_tokens(
            context,
            GRANT_TYPE,
            replay=True,
            subject_token=identity_token(config),
            subject_token_type=config.oauth.subject_token_type,
            requested_token_type=config.oauth.requested_token_type,
            scope=" ".join(config.scopes),
            audience=config.audience,
        )
        return replace(tokens, refresh_token=None)  # the file is all it takes

    def refresh(self, context: FlowContext, old: TokenSet) -> Generator[Step, Any, TokenSet]:
        """Exchange anew: the old token may be the last of a workload that is no longer trusted."""
        del old
        return self.sign_in(context)


FLOW = TokenExchange()
