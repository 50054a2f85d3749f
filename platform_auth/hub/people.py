"""All persons of a Hub, each with a broker that is in step with the other replicas'."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from ..broker.clock import Clock
from ..broker.sign_in import TIMEOUT
from ..errors import BrokerUnavailableError
from .drivers import Drivers
from .keys import Keys, open_keys
from .leases import LEASE_SECONDS
from .person import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..broker.broker import Broker
    from ..broker.observer import Observer
    from ..broker.redirects import Redirects
    from ..config import PlatformConfig, Profiles
    from ..oauth.driver import Driver
    from .database import Database

IDLE_SECONDS: Final = 120.0
"""Seconds after its last use for which a person's broker is kept at least."""

_SWEEP: Final = 30.0


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
        self._keys, self._observer = keys or open_keys(database), observer
        self._clock = clock or Clock()
        self._drivers, self._new_driver = Drivers(self._clock), new_driver
        self._timeout, self._margin = sign_in_timeout, refresh_margin
        self._lease_seconds, self._idle_seconds = lease_seconds, idle_seconds
        self._people: dict[str, Person] = {}
        self._sweeping: asyncio.Task[None] | None = None

    async def broker(self, user: str) -> Broker:
        """Return a person's broker, which knows by now what other replicas have done for them.

        Parameters
        ----------
        user
            Their name at the Hub.

        Raises
        ------
        BrokerUnavailableError
            The database is away, and this replica knows nothing of them.

        """
        if self._sweeping is None:
            self._sweeping = asyncio.create_task(self._sweep())
        person = self._people.get(user)
        if person is None:
            person = self._people[user] = self._new(user)
        try:
            await person.catch_up()
        except BrokerUnavailableError:
            if not person.is_known:
                raise
        return person.broker

    def _new(self, user: str) -> Person:
        make = self._new_driver or (lambda config: self._drivers.of(user, config))
        return Person(
            user,
            self._database,
            self._keys,
            profiles=self._profiles() if callable(self._profiles) else self._profiles,
            redirects=self._redirects,
            observer=self._observer,
            sign_in_timeout=self._timeout,
            refresh_margin=self._margin,
            new_driver=make,
            clock=self._clock,
            lease_seconds=self._lease_seconds,
        )

    async def _sweep(self) -> None:
        """Forget, now and then, whoever is not here any more: memory is for those who are."""
        while True:
            await asyncio.sleep(min(_SWEEP, self._idle_seconds))
            for user, person in list(self._people.items()):
                if person.is_idle(self._idle_seconds):
                    del self._people[user]
                    await person.close()

    async def close(self) -> None:
        """End; refreshes under way finish, and what they bring is saved."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeping
        people = list(self._people.values())
        self._people.clear()
        await asyncio.gather(*(each.close() for each in people))
