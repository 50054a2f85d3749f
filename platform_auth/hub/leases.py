"""Leases: who refreshes a session, in a database that many replicas share.

A lease is a row's columns rather than a lock of the database's: a restart would free those while a
refresh is under way, and the next holder would send a refresh token that is used up. It runs out by
the database's clock, is renewed while it is held, and whoever is not sure of it does not send.

One thing no lease can prevent: a replica that is killed between a provider's answer and its saving,
which is one statement, takes the new refresh token with it, and that one person signs in again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import secrets
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, bindparam, or_, select, update

from ..broker.monotonic import monotonic
from ..broker.stores.locks import LOCK_SECONDS
from ..errors import BrokerUnavailableError
from ..oauth.transport import TOTAL_SECONDS
from .tables import Now, sessions

if TYPE_CHECKING:
    from .database import Database

log = logging.getLogger("platform_auth")

LEASE_SECONDS: Final = 45.0
"""Seconds a lease lasts: longer than a request that has been sent can be under way."""

RENEWAL_SECONDS: Final = 5.0
"""Seconds from one renewal to the next."""

PATIENCE: Final = 2.0
"""Seconds that somebody else's lease that has run out is watched before it is taken.

A holder that lives, and could not reach the database, has renewed it by then.
"""

_FIRST_PAUSE, _LONGEST_PAUSE, _LOST_PAUSE = 0.02, 2.0, 0.25

_THIS = and_(
    sessions.c.person == bindparam("of_person"), sessions.c.profile == bindparam("of_profile")
)
_MINE = sessions.c.holder == bindparam("me")
_RUN_OUT = and_(
    sessions.c.holder == bindparam("dead"),
    sessions.c.held_until == bindparam("dead_until"),
    sessions.c.held_until < Now(),
)
_TAKE = (
    update(sessions)
    .where(_THIS, or_(sessions.c.holder.is_(None), _MINE, _RUN_OUT))
    .values(holder=bindparam("me"), held_until=Now() + bindparam("seconds"))
    .returning(sessions.c.person)
)
_RENEW = (
    update(sessions)
    .where(_THIS, _MINE)
    .values(held_until=Now() + bindparam("seconds"))
    .returning(sessions.c.person)
)
_GIVE_BACK = update(sessions).where(_THIS, _MINE).values(holder=None, held_until=None)
_LOOK = select(
    sessions.c.holder, sessions.c.held_until, (sessions.c.held_until < Now()).label("run_out")
).where(_THIS)


class Lease:
    """One holder's lease of one session.

    Parameters
    ----------
    database
        Where it is.
    person, profile
        Whose session.
    seconds
        How long it lasts unless it is renewed.

    Attributes
    ----------
    holder
        The name of this holder, made for this lease alone.
    is_inherited
        Whether it is a dead holder's, who may have sent the session's refresh token.

    """

    def __init__(
        self, database: Database, person: str, profile: str, seconds: float = LEASE_SECONDS
    ) -> None:
        self._database, self._profile, self._seconds = database, profile, seconds
        self.holder = secrets.token_hex(8)
        self._of = {"of_person": person, "of_profile": profile, "me": self.holder}
        self._until = 0.0
        self._lost = self._ending = self.is_inherited = False
        self._renewing: asyncio.Task[None] | None = None

    async def take(self) -> None:
        """Wait for the lease and keep it from now on.

        Raises
        ------
        BrokerUnavailableError
            Somebody else has it for too long, or the database is away.

        """
        try:
            await self._wait()
        except BaseException:
            await asyncio.shield(self.give_back())  # it may be ours, though nobody said so
            raise
        self._renewing = asyncio.create_task(self._renew())

    async def _wait(self) -> None:
        give_up, pause = monotonic() + LOCK_SECONDS + self._seconds, _FIRST_PAUSE
        seen: tuple[str, float] | None = None
        since = 0.0
        while not await self._try(seen if seen and monotonic() - since >= PATIENCE else None):
            found = await self._run_out()
            if found != seen:
                seen, since = found, monotonic()
            if self._ending:
                raise _ending(self._profile)
            if monotonic() > give_up:
                raise _held(self._profile)
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads load
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _try(self, dead: tuple[str, float] | None) -> bool:
        holder, until = dead or ("", 0.0)
        values = {**self._of, "seconds": self._seconds, "dead": holder, "dead_until": until}
        before = monotonic()  # by this clock it ends no later than by the database's
        if not await self._database.run(_TAKE, values):
            return False
        self._until, self.is_inherited = before + self._seconds, dead is not None
        return True

    async def _run_out(self) -> tuple[str, float] | None:
        """Return whose lease has run out; make the row where there is none."""
        rows = await self._database.run(_LOOK, self._of)
        if not rows:
            insert = self._database.insert(sessions).on_conflict_do_nothing()
            values = {"person": self._of["of_person"], "profile": self._profile}
            await self._database.run(insert, values)
            return None
        (row,) = rows
        return (row.holder, row.held_until) if row.run_out else None

    def end(self) -> None:
        """Let nothing be sent under it from now on: the replica ends, and another one does it."""
        self._ending = True

    def assure(self) -> None:
        """Make sure that the lease outlasts a request that is sent now.

        Raises
        ------
        BrokerUnavailableError
            It may not, or the replica ends; nothing must be sent.

        """
        if self._ending:
            raise _ending(self._profile)
        needed = TOTAL_SECONDS if self._seconds > TOTAL_SECONDS else self._seconds / 2
        if self._lost or self._until - monotonic() < needed:
            log.warning("%s: the lease is not certain, so nothing is sent", self._profile)
            raise BrokerUnavailableError(
                f"The session {self._profile} is not refreshed just now.",
                why="Another replica of the service may be at it.",
                fix="Try again in a moment.",
            )

    async def _renew(self) -> None:
        pause = min(RENEWAL_SECONDS, self._seconds / 4)
        while True:
            await asyncio.sleep(pause)
            before, values = monotonic(), {**self._of, "seconds": self._seconds}
            try:
                kept = await self._database.run(_RENEW, values, urgent=True)
            except BrokerUnavailableError:
                pause = _LOST_PAUSE  # quicker than others lose their patience
                continue
            if not kept:
                self._lost = True
                log.warning("%s: another replica has taken the lease", self._profile)
                return
            self._until = before + self._seconds
            pause = min(RENEWAL_SECONDS, self._seconds / 4)

    async def give_back(self) -> None:
        """Let others have it; where that cannot be said, it runs out."""
        if self._renewing is not None:
            self._renewing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._renewing
        with contextlib.suppress(BrokerUnavailableError):
            await self._database.run(_GIVE_BACK, self._of, urgent=True)


def _ending(profile: str) -> BrokerUnavailableError:
    return BrokerUnavailableError(
        f"The session {profile} is not refreshed here any more.",
        why="This replica of the sign-in service ends.",
        fix="Try again: another one answers.",
    )


def _held(profile: str) -> BrokerUnavailableError:
    return BrokerUnavailableError(
        f"The session {profile} is locked by another replica of the sign-in service.",
        why="It has been for too long: stopped, or waiting itself.",
        fix="Try again in a moment.",
    )
