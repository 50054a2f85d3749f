"""All persons of a Hub, each with a broker that is in step with the other replicas'."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, func, select

from ..broker.clock import Clock
from ..broker.monotonic import monotonic
from ..broker.observer import Observers
from ..broker.sign_in import TIMEOUT
from ..errors import BrokerUnavailableError
from .drivers import Drivers
from .keys import Keys, open_keys
from .leases import LEASE_SECONDS
from .pending import WHOSE, digest
from .person import Person
from .retention import clear_away
from .sealing_anew import seal_anew
from .tables import sessions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..broker.broker import Broker
    from ..broker.observer import Observer
    from ..broker.redirects import Redirects
    from ..config import PlatformConfig, Profiles
    from ..oauth.driver import Driver
    from .database import Database

log = logging.getLogger("platform_auth")

IDLE_SECONDS: Final = 120.0
"""Seconds after its last use for which a person's broker is kept at least."""

NEWS_SECONDS: Final = 0.5
"""Seconds after which one who waits at this replica sees what was done at another one."""

NEWS_FOR_SECONDS: Final = 60.0
"""Seconds after their last call for which somebody is brought news: a long poll is shorter."""

BACKGROUND: Final = 8
"""How many sessions a replica renews at once for whom nobody waits just now; those who ask for a
token come first, and find the database and the processor free."""

_SWEEP: Final = 30.0
_OVERLAP: Final = 5000  # milliseconds: what is written at one time is not seen in that order
_NEWEST = select(func.max(sessions.c.version))
_NEWS = select(sessions.c.person, sessions.c.profile, sessions.c.version).where(
    sessions.c.version > bindparam("after")
)


class People:
    """The brokers of all persons, on one database.

    Parameters
    ----------
    database
        Which all replicas share; its schema is up to date.
    profiles
        What there is to sign in to, for everybody.
    redirects
        How a browser finds its way back.
    keys
        What seals sessions; the environment's when omitted.
    observer
        Told what happens, for all of them.
    sign_in_timeout, refresh_margin
        See `Broker`.
    new_driver, clock
        Replaced in tests.
    lease_seconds, idle_seconds
        See `Lease` and `IDLE_SECONDS`.

    Attributes
    ----------
    observer
        That.

    """

    def __init__(  # noqa: PLR0913 - seams, nearly all of them with a default
        self,
        database: Database,
        profiles: Callable[[], Profiles] | Profiles,
        redirects: Redirects,
        *,
        keys: Keys | None = None,
        observer: Observer | None = None,
        sign_in_timeout: float = TIMEOUT,
        refresh_margin: float | None = None,
        new_driver: Callable[[PlatformConfig], Driver] | None = None,
        clock: Clock | None = None,
        lease_seconds: float = LEASE_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._database, self._profiles, self._redirects = database, profiles, redirects
        self._keys, self.observer = keys or open_keys(database), observer or Observers()
        self._clock = clock or Clock()
        self._drivers, self._new_driver = Drivers(self._clock), new_driver
        self._timeout, self._margin = sign_in_timeout, refresh_margin
        self._lease_seconds, self._idle_seconds = lease_seconds, idle_seconds
        self._background = asyncio.Semaphore(BACKGROUND)
        self._people: dict[str, Person] = {}
        self._running: list[asyncio.Task[None]] = []
        self._newest: int | None = None
        self._sealed_with = b""
        self._is_ending = False

    async def broker(self, user: str) -> Broker:
        """Return a person's broker, which knows by now what other replicas have done for them.

        Parameters
        ----------
        user
            Their name at the Hub.

        Raises
        ------
        BrokerUnavailableError
            The database is away, and this replica knows nothing of them; or the replica ends.

        """
        if self._is_ending:
            raise _ending()  # nobody would wait for what is begun now
        self._begin()
        person = self._people.get(user)
        if person is None:
            person = self._people[user] = self._new(user)
        person.used_at = monotonic()
        try:
            await person.catch_up()
        except BrokerUnavailableError:
            if not person.is_known:
                raise
        return person.broker

    async def find(self, state: str) -> str | None:
        """Return whose sign-in a browser has come back from, whichever replica began it.

        Parameters
        ----------
        state
            Of the address that it came back to.

        Raises
        ------
        BrokerUnavailableError
            The database is away.

        """
        for name, person in self._people.items():
            for session in person.broker.sessions:
                if any(state and each.state == state for each in session.attempts):
                    return name  # of a flow that no other replica can go on with
        rows = await self._database.run(WHOSE, {"of_id": digest(state)})
        return str(rows[0].person) if rows else None

    def _new(self, user: str) -> Person:
        make = self._new_driver or (lambda config: self._drivers.of(user, config))
        return Person(
            user,
            self._database,
            self._keys,
            profiles=self._profiles() if callable(self._profiles) else self._profiles,
            redirects=self._redirects,
            observer=self.observer,
            sign_in_timeout=self._timeout,
            refresh_margin=self._margin,
            new_driver=make,
            background=self._background,
            clock=self._clock,
            lease_seconds=self._lease_seconds,
        )

    def _begin(self) -> None:
        if not self._running:
            self._running = [
                asyncio.create_task(self._every(_SWEEP, self._sweep)),
                asyncio.create_task(self._every(NEWS_SECONDS, self._look)),
            ]

    async def _every(self, seconds: float, deed: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await deed()
            except BrokerUnavailableError:
                continue  # the database has said so itself
            except Exception:
                log.exception("the Hub's service failed at its own work; it goes on")

    async def _sweep(self) -> None:
        """Forget whoever is not here any more: memory is for those who are."""
        for user, person in list(self._people.items()):
            if person.is_idle(self._idle_seconds):
                del self._people[user]
                await person.close()
        await clear_away(self._database)
        newest = self._keys.newest()[0]
        if newest != self._sealed_with:
            count = await seal_anew(self._database, self._keys)
            if count:
                log.info("%d saved sessions are encrypted with the newest key now", count)
            self._sealed_with = newest

    async def _look(self) -> None:
        """Bring news of other replicas to those who wait for them here."""
        if not self._people:
            return
        if self._newest is None:
            rows = await self._database.run(_NEWEST)
            self._newest = rows[0][0] or 0
        rows = await self._database.run(_NEWS, {"after": self._newest - _OVERLAP})
        waiting = set()
        for name, profile, version in rows:
            self._newest = max(self._newest, version)
            person = self._people.get(name)
            recent = person is not None and monotonic() - person.used_at < NEWS_FOR_SECONDS
            if person is not None and recent and person.is_older(profile, version):
                waiting.add(person)
        await asyncio.gather(*(each.catch_up() for each in waiting))

    async def close(self) -> None:
        """End; refreshes under way finish, and what they bring is saved."""
        self._is_ending = True
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        people = list(self._people.values())
        self._people.clear()
        await asyncio.gather(*(each.close() for each in people))


def _ending() -> BrokerUnavailableError:
    return BrokerUnavailableError(
        "This replica of the sign-in service ends.", fix="Try again: another one answers."
    )
