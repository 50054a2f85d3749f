"""JWT bearer grant: somebody's signed word on who a workload is, for a token (RFC 7523 §2.1)."""

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

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class JwtBearer:
    """The flow `jwt_bearer`: the file's token is the assertion; nobody is asked."""

    name = "jwt_bearer"
    interactive = False
    redirects = False

    def sign_in(self, context: FlowContext) -> Generator[Step, Any, TokenSet]:
        """Show what the file holds now."""
        config = context.config
        tokens = yield from request_tokens(
            context,
            GRANT_TYPE,
            replay=True,
            assertion=identity_token(config),
            scope=" ".join(config.scopes),
            audience=config.audience,
        )
        return replace(tokens, refresh_token=None)  # RFC 7521 §4.1: the file is all it takes

    def refresh(self, context: FlowContext, old: TokenSet) -> Generator[Step, Any, TokenSet]:
        """Show it again."""
        del old
        return self.sign_in(context)


FLOW = JwtBearer()
