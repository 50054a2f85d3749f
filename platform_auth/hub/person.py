"""One person at the Hub's service: their broker, and what other replicas have done meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select

from ..broker.broker import Broker
from ..broker.monotonic import monotonic
from ..errors import BrokerUnavailableError
from .store import Seen, SqlStore
from .tables import sessions

if TYPE_CHECKING:
    from ..broker.clock import Clock
    from ..broker.event import Event
    from ..broker.observer import Observer
    from ..broker.session import Session
    from .database import Database
    from .keys import Keys

CLOSE_SECONDS: Final = 20.0
"""Seconds that the end of a replica waits for the database, so that nothing is lost."""

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
        observer: Observer | None,
        clock: Clock,
        lease_seconds: float,
        **options: Any,  # noqa: ANN401 - a broker's
    ) -> None:
        self.name, self._database = name, database
        self.store = SqlStore(database, keys, name, clock=clock, lease_seconds=lease_seconds)
        self.broker = Broker(
            store=self.store,
            clock=clock,
            observer=_Watched(observer) if observer else None,
            **options,
        )
        self.is_known = False
        self._turn = asyncio.Lock()
        self._away_until = self._used_at = 0.0

    async def catch_up(self) -> None:
        """Take note of what other replicas have done.

        Raises
        ------
        BrokerUnavailableError
            The database is away; what is known still serves.

        """
        self._used_at = monotonic()
        async with self._turn:
            if self.is_known and monotonic() < self._away_until:
                return
            try:
                async with asyncio.timeout(CATCH_UP_SECONDS if self.is_known else None):
                    rows = await self._database.run(_ROWS, {"of_person": self.name})
            except (BrokerUnavailableError, TimeoutError) as error:
                self._away_until = monotonic() + AWAY_SECONDS
                if isinstance(error, BrokerUnavailableError):
                    raise
                return
            self.store.seen = {row.profile: Seen(*row[1:]) for row in rows}
            self.is_known = True

    def is_idle(self, seconds: float) -> bool:
        """Tell whether nobody has asked for so long, and nothing is under way or kept fresh."""
        if monotonic() - self._used_at < seconds or self.store.is_busy:
            return False
        return not any(_is_busy(session) for session in self.broker.sessions)

    async def close(self) -> None:
        """End; refreshes under way finish, and what they bring is saved."""
        await self.broker.close()
        await self.store.close(CLOSE_SECONDS)


def _is_busy(session: Session) -> bool:
    kept_fresh = session.record is not None and session.renewable and session.in_use
    return bool(kept_fresh or session.refreshing or session.attempts)


class _Watched:
    """Hands on what happens to one person, to an observer of all."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def session_changed(self, session: Session) -> None:
        self._observer.session_changed(session)

    def happened(self, event: Event) -> None:
        self._observer.happened(event)

    def token_requested(self, result: str) -> None:
        self._observer.token_requested(result)

    def close(self) -> None:
        """Do nothing: others go on."""
