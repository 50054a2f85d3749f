"""The ways to get tokens, one module each.

A flow is an object with the attributes of `Flow`. Others come from the entry point group
``platform_auth.flows``; one of a built-in's name is ignored.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from ...errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Generator

    from ...secret import Secret
    from ..context import FlowContext
    from ..steps import Step
    from ..tokens import TokenSet

_BUILT_IN: Final = (
    "client_credentials", "command", "device", "hub", "jwt_bearer", "pkce", "token_exchange",
)  # fmt: skip


class Flow(Protocol):
    """One way to get tokens.

    Attributes
    ----------
    name
        As profiles and ``--flow`` say it.
    interactive
        Whether a person takes part.
    redirects
        Whether it sends a browser away and needs a redirect URI.

    """

    name: str
    interactive: bool
    redirects: bool

    def sign_in(self, context: FlowContext) -> Generator[Step, Any, TokenSet]:
        """Get tokens for the first time."""

    def refresh(self, context: FlowContext, old: TokenSet) -> Generator[Step, Any, TokenSet]:
        """Get fresh ones without a person; InvalidGrantError where that takes one."""


@runtime_checkable
class Resumable(Protocol):
    """A flow that another process can go on with, once it has asked the person."""

    def resume(self, context: FlowContext, memory: Secret) -> Generator[Step, Any, TokenSet]:
        """Go on from an `Ask`, which is asked again, with the memory that it had."""


def get_flow(name: str) -> Flow:
    """Return the flow of that name.

    Raises
    ------
    ConfigError
        There is none.

    """
    if name in _BUILT_IN:
        module = import_module(f".{name}", __name__)
        flow: Flow = module.FLOW
        return flow
    others = {point.name: point for point in entry_points(group="platform_auth.flows")}
    if name in others:
        found: Flow = others[name].load()
        return found
    known = ", ".join(sorted({*_BUILT_IN, *others}))
    raise ConfigError(f"There is no sign-in flow {name!r}.", fix=f"Use one of: {known}.")
