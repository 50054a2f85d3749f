"""What the flows of a broker's sessions are given to work with."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ..errors import TransportError
from ..oauth.context import FlowContext
from ..oauth.discovery import METADATA_MAX_AGE, Discovered, discover

if TYPE_CHECKING:
    from .clock import Clock
    from .session import Session


class Contexts:
    """Finds out what sessions leave open, and keeps it for them.

    What was found holds for an hour, whatever its documents say meanwhile: a sign-in and its
    refreshes are with one and the same server. It outlives that hour while nobody can be asked.

    Parameters
    ----------
    clock
        The broker's.
    mark
        What states begin with, see `FlowContext`.

    """

    def __init__(self, clock: Clock, mark: str = "") -> None:
        self._clock, self._mark = clock, mark
        self._known: WeakKeyDictionary[Session, tuple[float, Discovered]] = WeakKeyDictionary()

    async def of(self, session: Session, redirect_uri: str | None = None) -> FlowContext:
        """Return what a flow of a session works with.

        Parameters
        ----------
        session
            Whose.
        redirect_uri
            Where its browser comes back to.

        Raises
        ------
        PlatformAuthError
            The session's authorization server is not to be found.

        """
        found = await self.discovered(session)
        now = self._clock.time
        return FlowContext(
            found.config, found.metadata, now, redirect_uri, found.speaks, self._mark
        )

    async def discovered(self, session: Session) -> Discovered:
        """Return what is known of a session's profile; see `of`."""
        until, known = self._known.get(session, (0.0, None))
        if known is not None and self._clock.monotonic() <= until:
            return known
        try:
            found = await session.driver.drive(discover(session.profile.config))
        except TransportError:
            if known is None:
                raise
            return known
        self._known[session] = self._clock.monotonic() + METADATA_MAX_AGE, found
        return found

    def forget(self, session: Session) -> None:
        """Ask anew the next time: a sign-in has failed, and what was known may be the cause."""
        self._known.pop(session, None)
        session.driver.forget()
