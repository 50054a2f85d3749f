"""One person's sessions in the database that all replicas share."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from ..broker.clock import Clock
from ..broker.monotonic import monotonic
from ..broker.record import record_from_dict, record_to_dict
from ..errors import BrokerUnavailableError, StoreError
from .leases import LEASE_SECONDS, Lease
from .seals import RECORD, Seals
from .session_rows import DELETE, LOAD, SAVE, Seen
from .tables import sessions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Hashable

    from ..broker.record import Record
    from .database import Database
    from .keys import Keys

log = logging.getLogger("platform_auth")

SAVE_SECONDS: Final = 5.0
"""Seconds for which a refresh waits until what it brought is saved, before it serves unsaved."""

_PAUSE: Final = 0.25  # between two tries: sooner than a lease that ran out is taken by another


class SqlStore:
    """Keeps one person's records in the database.

    Parameters
    ----------
    database, keys
        The service's.
    person
        Their name at the Hub.
    clock
        Replaced in tests.
    lease_seconds
        See `Lease`.

    Attributes
    ----------
    seen
        What is known of each session's row; whoever looks at the database tells it.

    """

    key_source: str | None = "environment"

    def __init__(
        self,
        database: Database,
        keys: Keys,
        person: str,
        *,
        clock: Clock | None = None,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._database, self._seals, self._person = database, Seals(keys, person), person
        self._clock, self._lease_seconds = clock or Clock(), lease_seconds
        self.seen: dict[str, Seen] = {}
        self._leases: dict[str, Lease] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._unsaved: dict[str, Record] = {}
        self._saving: set[asyncio.Task[None]] = set()
        self._taking: set[Lease] = set()
        self._is_ending = False

    async def load(self, profile: str) -> Record | None:
        """Return the record of a profile, or None.

        Raises
        ------
        StoreError
            There is one, but it does not open.
        BrokerUnavailableError
            The database is away.

        """
        if profile in self._unsaved:
            return self._unsaved[profile]
        rows = await self._database.run(LOAD, self._of(profile))
        if not rows:
            self.seen.pop(profile, None)
            return None
        version, serial, mark, sealed = rows[0]
        before = self.seen.get(profile, Seen())
        # Of the rest nobody has taken note here: it stays what it was.
        self.seen[profile] = Seen(before.version, serial, before.mark, sealed is not None)
        if before.mark == mark:
            self.seen[profile] = Seen(version, serial, mark, sealed is not None)
        return None if sealed is None else self._opened(profile, sealed)

    def _opened(self, profile: str, sealed: bytes) -> Record:
        kept = self._seals.open(RECORD, profile, sealed)
        return record_from_dict(kept, self._clock)

    async def save(self, record: Record) -> None:
        """Keep a record; where the database is away, this waits for it a while.

        Raises
        ------
        StoreError
            It is not saved yet, and is tried until it is; or another replica, which took over
            meanwhile, has saved another one.

        """
        give_up = monotonic() + SAVE_SECONDS
        while True:
            try:
                return await self._write(record)
            except BrokerUnavailableError as error:
                if monotonic() >= give_up:
                    self._unsaved[record.profile] = record
                    raise _not_saved_yet(record.profile, error) from None
            await asyncio.sleep(_PAUSE)

    async def _write(self, record: Record) -> None:
        profile, lease = record.profile, self._leases.get(record.profile)
        if profile not in self.seen:
            await self.make_row(profile)
        before, identity = self.seen.get(profile, Seen()), record.tokens.identity
        values = {
            **self._of(profile),
            "me": lease.holder if lease else "",
            "known": before.serial,
            "sealed": self._seals.seal(RECORD, profile, record_to_dict(record)),
            "name": identity.label if identity else None,
            "by": record.flow,
            "since": record.signed_in_at,
            "at": record.issued_at,
            "until": record.expires_at,
        }
        rows = await self._database.run(SAVE, values, urgent=True)
        if not rows:
            self.seen.pop(profile, None)
            raise _overtaken(profile)
        self._note(profile, *rows[0], signed_in=True)

    async def make_row(self, profile: str) -> None:
        """Make a session's row, if there is none."""
        insert = self._database.insert(sessions).on_conflict_do_nothing()
        await self._database.run(insert, {"person": self._person, "profile": profile})
        rows = await self._database.run(LOAD, self._of(profile))
        version, serial, mark, sealed = rows[0]
        self.seen[profile] = Seen(version, serial, mark, sealed is not None)

    async def delete(self, profile: str) -> None:
        """Forget a profile; unknown ones are fine.

        Raises
        ------
        BrokerUnavailableError
            The database is away, and it is still there.

        """
        self._unsaved.pop(profile, None)
        rows = await self._database.run(DELETE, self._of(profile))
        if rows:
            self._note(profile, *rows[0], signed_in=False)

    def _note(self, profile: str, version: int, serial: int, mark: int, *, signed_in: bool) -> None:
        before = self.seen.get(profile, Seen())
        if before.mark != mark:  # of what else is new nobody has taken note here
            version, mark = before.version, before.mark
        self.seen[profile] = Seen(version, serial, mark, signed_in)

    @contextlib.asynccontextmanager
    async def lock(self, profile: str) -> AsyncIterator[Lease]:
        """Hold the session's lease, which one holder in all replicas can have.

        Raises
        ------
        BrokerUnavailableError
            Somebody else has it for too long, or the database is away.

        """
        turn = self._turns[profile]
        await turn.acquire()
        try:
            lease = Lease(self._database, self._person, profile, self._lease_seconds)
            await self._take(lease)
        except BaseException:
            turn.release()
            raise
        self._leases[profile] = lease
        try:
            yield lease
        finally:
            # Not given back before what was got under it is saved.
            ending = asyncio.create_task(self._end(profile, lease, turn))
            self._saving.add(ending)
            ending.add_done_callback(self._saving.discard)
            if profile not in self._unsaved:
                await asyncio.shield(ending)

    async def _take(self, lease: Lease) -> None:
        if self._is_ending:
            lease.end()
        self._taking.add(lease)
        try:
            await lease.take()
        finally:
            self._taking.discard(lease)

    async def _end(self, profile: str, lease: Lease, turn: asyncio.Lock) -> None:
        try:
            while record := self._unsaved.get(profile):
                await asyncio.sleep(_PAUSE)
                await self._try_again(record)
        finally:
            del self._leases[profile]
            await lease.give_back()
            turn.release()

    async def _try_again(self, record: Record) -> None:
        try:
            await self._write(record)
        except BrokerUnavailableError:
            return
        except StoreError as error:
            log.warning("%s: %s", record.profile, error.what)
        else:
            log.info("%s: saved after all", record.profile)
        if self._unsaved.get(record.profile) is record:
            del self._unsaved[record.profile]

    def stamp(self, profile: str) -> Hashable:
        """Return what differs once the record has changed, as far as it is known here."""
        if profile in self._unsaved:
            return "unsaved", self._unsaved[profile].generation
        seen = self.seen.get(profile)
        return seen.serial if seen and seen.signed_in else None

    def notice(self, profile: str) -> str | None:
        """Return what people must know: that the record is not in the database yet."""
        if profile not in self._unsaved:
            return None
        return "The sign-in is not saved yet: the service cannot reach its database."

    def describe(self) -> str:
        """Return where records rest, and what protects them."""
        return f"in the Hub service's database ({self._database.describe()}), encrypted"

    @property
    def is_busy(self) -> bool:
        """Whether something is held, or still to be saved."""
        return bool(self._leases or self._saving)

    def end(self) -> None:
        """Have no refresh token sent any more; what has been sent is waited for and saved."""
        self._is_ending = True
        for lease in (*self._taking, *self._leases.values()):
            lease.end()

    async def close(self, seconds: float) -> None:
        """Wait until all is saved and given back, so many seconds at most."""
        if self._saving:
            await asyncio.wait(self._saving, timeout=seconds)
        for task in list(self._saving):
            task.cancel()

    def _of(self, profile: str) -> dict[str, Any]:
        return {"of_person": self._person, "of_profile": profile}


def _not_saved_yet(profile: str, cause: BrokerUnavailableError) -> StoreError:
    return StoreError(
        f"The session {profile} is not saved yet.",
        why=cause.what,
        fix="Nothing needs to be done: it is saved as soon as the database answers.",
        retryable=True,
    )


def _overtaken(profile: str) -> StoreError:
    return StoreError(
        f"The session {profile} was changed by another replica of the service meanwhile.",
        why="This one had lost its lease.",
        fix="Nothing needs to be done.",
    )
