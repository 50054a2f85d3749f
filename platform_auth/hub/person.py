"""One person at the Hub's service: their broker, and what other replicas have done meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select

from ..broker.monotonic import monotonic
from ..broker.observer import Observers
from ..errors import BrokerUnavailableError, PlatformAuthError
from ..oauth.transport import TOTAL_SECONDS
from .broker import PersonsBroker
from .pending import SqlPending
from .session_rows import Seen
from .shared_state import SharedState
from .store import SAVE_SECONDS, SqlStore
from .tables import sessions

if TYPE_CHECKING:
    from ..broker.clock import Clock
    from ..broker.event import Event
    from ..broker.observer import Observer
    from ..broker.session import Session
    from .database import Database
    from .keys import Keys

SENT_SECONDS: Final = TOTAL_SECONDS + 2 * SAVE_SECONDS
"""Seconds that the end of a replica waits for refreshes that are sent: the transport's limit, and
what saving takes."""

CLOSE_SECONDS: Final = 60.0
"""Seconds that it waits after that for a database which is away, so that nothing is lost."""

CATCH_UP_SECONDS: Final = 2.0
"""Seconds that a person who is known here waits for the database; then what is known serves."""

AWAY_SECONDS: Final = 1.0
"""Seconds for which the database, once it was away, is not asked for those who are known."""

_ROWS = select(
    sessions.c.profile,
    sessions.c.version,
    sessions.c.serial,
    sessions.c.mark,
    sessions.c.record.is_not(None).label("signed_in"),
).where(sessions.c.person == bindparam("of_person"))


class Person:
    """One person's broker.

    Parameters
    ----------
    name
        At the Hub.
    database, keys
        The service's.
    observer
        Told what happens; it is not closed with this person.
    options
        See `Broker`, and `SqlStore` for ``clock`` and ``lease_seconds``.

    Attributes
    ----------
    broker
        The broker; in step with the database as of the last `catch_up`.
    is_known
        Whether the database has been asked about them at all.

    """

    def __init__(  # noqa: PLR0913 - what all persons share
        self,
        name: str,
        database: Database,
        keys: Keys,
        *,
        observer: Observer,
        clock: Clock,
        lease_seconds: float,
        **options: Any,  # noqa: ANN401 - a broker's
    ) -> None:
        self.name, self._database = name, database
        self.store = SqlStore(database, keys, name, clock=clock, lease_seconds=lease_seconds)
        self._state = SharedState(database, keys, name, self.store)
        self._pending = SqlPending(database, keys, name, self.catch_up)
        self.broker = PersonsBroker(
            self._state,
            self._pending,
            store=self.store,
            clock=clock,
            observer=Observers(self._state, _Watched(observer, name)),
            **options,
        )
        self.is_known = False
        self._turn = asyncio.Lock()
        self._away_until = self.used_at = 0.0

    async def catch_up(self) -> None:
        """Take note of what other replicas have done.

        Raises
        ------
        BrokerUnavailableError
            The database is away; what is known still serves.

        """
        async with self._turn:
            if self.is_known and monotonic() < self._away_until:
                return
            try:
                async with asyncio.timeout(CATCH_UP_SECONDS if self.is_known else None):
                    await self._catch_up()
            except (BrokerUnavailableError, TimeoutError) as error:
                self._away_until = monotonic() + AWAY_SECONDS
                if isinstance(error, BrokerUnavailableError):
                    raise

    async def _catch_up(self) -> None:
        rows = await self._database.run(_ROWS, {"of_person": self.name})
        there = {row.profile: Seen(*row[1:]) for row in rows}
        for name in [*self.store.seen]:
            if name not in there:
                del self.store.seen[name]
        for name, seen in there.items():
            try:
                await self._look(name, seen)
            except BrokerUnavailableError:
                raise
            except PlatformAuthError:
                continue  # it does not open, or is no profile any more: who asks for it is told
        self.is_known = True

    async def _look(self, name: str, seen: Seen) -> None:
        before = self.store.seen.get(name, Seen())
        if self._state.is_news(name, seen) or self._is_left(name):
            await self._state.catch_up(self.broker, name)
        elif seen != before:
            if seen.mark == before.mark:
                self.store.seen[name] = seen
            if self._is_open(name):
                self._state.number(await self.broker.quietly(name))

    def _is_open(self, name: str) -> bool:
        return any(each.profile.name == name for each in self.broker.sessions)

    def _is_left(self, name: str) -> bool:
        """Tell whether a code has been shown for which nobody here asks the provider on."""
        return any(
            (each.challenge or {}).get("kind") == "device" and not each.attempts
            for each in self.broker.sessions
            if each.profile.name == name
        )

    def is_older(self, profile: str, version: int) -> bool:
        """Tell whether this is not what is known here of a session by now."""
        return self.store.seen.get(profile, Seen()).version < version

    def is_idle(self, seconds: float) -> bool:
        """Tell whether nobody has asked for so long, and nothing is under way or kept fresh."""
        if monotonic() - self.used_at < seconds or self.store.is_busy or self._state.is_busy:
            return False
        return not any(_is_busy(session) for session in self.broker.sessions)

    async def close(self) -> None:
        """End; what has been sent is answered and saved, and nothing is sent any more."""
        self.store.end()
        await self.broker.close(SENT_SECONDS)
        await self._pending.close()
        await self._state.end()
        await self.store.close(CLOSE_SECONDS)


def _is_busy(session: Session) -> bool:
    kept_fresh = session.record is not None and session.renewable and session.in_use
    return bool(kept_fresh or session.refreshing or session.attempts)


class _Watched:
    """Hands on what happens to one person, to an observer of all."""

    def __init__(self, observer: Observer, user: str) -> None:
        self._observer, self._user = observer, user

    def session_changed(self, session: Session) -> None:
        self._observer.session_changed(session)

    def happened(self, event: Event) -> None:
        self._observer.happened(replace(event, user=self._user))

    def token_requested(self, result: str) -> None:
        self._observer.token_requested(result)

    def close(self) -> None:
        """Do nothing: others go on."""
