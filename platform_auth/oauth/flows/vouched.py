"""What the flows have in common whose grant is somebody else's word on who a workload is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from ..grants import request_tokens

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from ...config import PlatformConfig
    from ..context import FlowContext
    from ..steps import Step
    from ..tokens import TokenSet


class Vouched:
    """A flow without a person: a file says who asks, and is read again for each token.

    Attributes
    ----------
    grant_type
        Of the token request.

    """

    interactive = False
    redirects = False
    grant_type: ClassVar[str]

    def shown(self, config: PlatformConfig) -> Mapping[str, Any]:
        """Return the parameters that show what the file holds now."""
        raise NotImplementedError

    def sign_in(self, context: FlowContext) -> Generator[Step, Any, TokenSet]:
        """Show it."""
        config = context.config
        tokens = yield from request_tokens(
            context,
            self.grant_type,
            replay=True,
            **self.shown(config),
            scope=" ".join(config.scopes),
            audience=config.audience,
        )
        # RFC 7521 §4.1: the file is all it takes, and it ends when the workload is trusted no more.
        return replace(tokens, refresh_token=None)

    def refresh(self, context: FlowContext, old: TokenSet) -> Generator[Step, Any, TokenSet]:
        """Show it again."""
        del old
        return self.sign_in(context)
