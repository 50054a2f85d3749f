"""Sign-ins under way that another process can go on with, where there is more than one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..errors import PlatformAuthError
    from ..secret import Secret
    from .attempt import Binding


@dataclass(frozen=True, slots=True)
class Pending:
    """What it takes to go on with a sign-in.

    Parameters
    ----------
    profile, flow
        To what, and how.
    memory
        The flow's, see `Ask`.
    key
        What it is found by: the state of a browser's trip, else a name made for it.
    binding
        Who began it; None where the person pastes the address, or no browser comes back.
    redirects
        Whether it waits for a browser; else somebody must go on asking the provider.

    """

    profile: str
    flow: str
    memory: Secret
    key: str = field(repr=False)
    binding: Binding | None = None
    redirects: bool = True


class PendingSignIns(Protocol):
    """Where the brokers of one person keep them."""

    async def note(self, pending: Pending, seconds: float) -> None:
        """Keep one for so many seconds."""

    async def find(self, state: str) -> Pending | None:
        """Return the one of a browser's trip, whether or not somebody has gone on with it."""

    async def claim(self, pending: Pending) -> bool:
        """Be the one who goes on with a trip, which one can.

        Where another is, wait for its outcome: return False once the person is signed in, or raise
        what it ended with.
        """

    def ended(self, pending: Pending, error: PlatformAuthError | None) -> None:
        """Note how one has ended."""

    def attend(self, pending: Pending, lost: Callable[[], object]) -> None:
        """Be the one who asks the provider on, until `ended` or `leave`.

        ``lost`` is called once somebody else is, or it was called off elsewhere.
        """

    def leave(self, pending: Pending) -> None:
        """Let another go on with one."""

    async def orphan(self, profile: str) -> Pending | None:
        """Return one that nobody goes on with, which from now on is for the caller to attend."""

    def forget(self, profile: str) -> None:
        """Call off all of a profile."""
