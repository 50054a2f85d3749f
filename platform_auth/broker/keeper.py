"""What happens to sessions while nobody calls: those in use stay fresh, those that die say so."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial
from typing import TYPE_CHECKING, Final

from ..errors import PlatformAuthError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from .clock import Clock
    from .event import Event
    from .refresh import Refresher
    from .session import Session

_LOOK: Final = 60.0
"""Seconds between two looks at most: timers stand still while the machine sleeps."""

_PAUSE: Final = 0.5
"""Seconds between two looks at least."""

_TURN_SECONDS: Final = 5.0
"""Seconds that one renewal may hold a turn: one that waits for another replica's lease goes on
without it."""

log = logging.getLogger("platform_auth")


class Keeper:
    """Looks after the sessions of a broker; one of its observers.

    Parameters
    ----------
    refresher, clock
        The broker's.
    find
        Finds a profile's session as it is now, the news of other processes included.
    turns
        Bounds how many are renewed at once, where a process has many brokers; whoever asks for a
        token does not wait for it. First come is first served, so the oldest expiry goes first.

    """

    def __init__(
        self,
        refresher: Refresher,
        clock: Clock,
        find: Callable[[str], Awaitable[Session]],
        turns: asyncio.Semaphore | None = None,
    ) -> None:
        self._turns: AbstractAsyncContextManager[object] = turns or contextlib.nullcontext()
        self._turn_seconds = _TURN_SECONDS if turns else None
        self._refresher, self._clock, self._find = refresher, clock, find
        self._looking: set[asyncio.Task[None]] = set()
        self._closed = False

    def used(self, session: Session) -> None:
        """Note that somebody wants a session's token."""
        session.used_at = self._clock.monotonic()
        if session.alarm is None:
            self.watch(session)

    def watch(self, session: Session) -> None:
        """Look after a session from now on, or anew."""
        self.leave(session)
        if self._closed or session.record is None:
            return
        if session.renewable and not session.in_use:
            return  # until it is used
        wait = min(max(self._refresher.wait(session), _PAUSE), _LOOK)
        session.alarm = self._clock.call_later(wait, partial(self._look, session))

    def leave(self, session: Session) -> None:
        """Look after a session no longer."""
        if session.alarm is not None:
            session.alarm.cancel()
            session.alarm = None

    def _look(self, session: Session) -> None:
        session.alarm = None
        if not self._closed:
            task = asyncio.create_task(self._look_after(session))
            self._looking.add(task)
            task.add_done_callback(self._looking.discard)

    async def _look_after(self, session: Session) -> None:
        async with self._turns:
            if not self._closed:
                await self._look_after_now(session)

    async def _look_after_now(self, session: Session) -> None:
        try:
            # Another process may have renewed it, or signed out.
            if await self._find(session.profile.name) is not session:
                return
        except PlatformAuthError:
            return  # there is no such profile any more, or it is forbidden
        except Exception:
            log.exception("%s: nobody looks after this session", session.profile.name)
            return
        if session.record is not None and not self._refresher.wait(session):
            await self._act(session)
        self.watch(session)

    async def _act(self, session: Session) -> None:
        if not session.renewable:
            await asyncio.wait({self._refresher.end(session)})
        elif session.in_use and (task := self._refresher.start(session)) is not None:
            await asyncio.wait({task}, timeout=self._turn_seconds)

    # As an observer

    def session_changed(self, session: Session) -> None:
        """Look after it as it is now."""
        self.watch(session)

    def happened(self, event: Event) -> None:
        """Do nothing."""

    def token_requested(self, result: str) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Look after nothing any more; what is under way goes on."""
        self._closed = True
