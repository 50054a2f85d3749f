"""All persons' sessions at once: what administrators see, and may end."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, select, update

from ..broker.event import Event, Kind
from ..errors import PlatformAuthError, ProfileNotFoundError
from .tables import people, sessions, sign_ins

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from .database import Database
    from .people import People

log = logging.getLogger("platform_auth")

_SAME_SECONDS: Final = 1.0  # some databases of the Hub's round it, and nobody is made anew so soon

_ANOTHER: Final = "another user of that name"

_COLUMNS = (
    sessions.c.person,
    sessions.c.profile,
    sessions.c.who,
    sessions.c.flow,
    sessions.c.signed_in_at,
    sessions.c.refreshed_at,
    sessions.c.expires_at,
    sessions.c.problem,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One session, without what makes it one.

    Parameters
    ----------
    person
        The name at the Hub.
    profile
        What is signed in to.
    who
        The name at the provider.
    flow
        How the tokens were got.
    signed_in_at, refreshed_at, expires_at
        Seconds since the epoch.
    problem
        What went wrong last, one sentence.

    """

    person: str
    profile: str
    who: str | None = None
    flow: str | None = None
    signed_in_at: float | None = None
    refreshed_at: float | None = None
    expires_at: float | None = None
    problem: str | None = None


class Register:
    """Lists the sessions in the database, and ends them.

    Parameters
    ----------
    database
        Where they are.
    persons
        Signs them out as they would themselves: the provider is told.

    """

    def __init__(self, database: Database, persons: People) -> None:
        self._database, self._people = database, persons

    async def entries(self, wanted: str, *, offset: int, limit: int) -> list[Entry]:
        """Return sessions by person and profile.

        Parameters
        ----------
        wanted
            How the names of the persons begin; empty for everybody.
        offset, limit
            Which of them.

        Raises
        ------
        BrokerUnavailableError
            The database is away.

        """
        rows = await self._database.run(
            select(*_COLUMNS)
            .where(*_those(wanted))
            .order_by(sessions.c.person, sessions.c.profile)
            .offset(offset)
            .limit(limit)
        )
        return [Entry(*row) for row in rows]

    async def count(self, wanted: str) -> int:
        """Return how many there are; see `entries`."""
        statement = select(func.count()).select_from(sessions).where(*_those(wanted))
        ((number,),) = await self._database.run(statement)
        return int(number)

    async def revoke(self, person: str, profile: str | None, caller: str = "") -> int:
        """Sign a person out of a profile, or of all, and return of how many.

        Parameters
        ----------
        person
            The name at the Hub.
        profile
            None for all.
        caller
            Who asks, for the record.

        Raises
        ------
        BrokerUnavailableError
            The database is away.

        """
        those = [*_those(), sessions.c.person == person]
        if profile is not None:
            those.append(sessions.c.profile == profile)
        names = [row.profile for row in await self._database.run(select(*_COLUMNS).where(*those))]
        broker = await self._people.broker(person)
        for name in names:
            try:
                await broker.sign_out(name, caller=caller)
            except ProfileNotFoundError:  # the administrator has taken the profile away
                gone = Event(Kind.SIGN_OUT, name, caller=caller, user=person)
                self._people.observer.happened(gone)
                await self._database.run(
                    delete(sessions).where(sessions.c.person == person, sessions.c.profile == name)
                )
        return len(names)

    async def belong_to(self, person: str, created_at: float) -> None:
        """Note since when the Hub has a user; an earlier one's sessions of that name are ended.

        Parameters
        ----------
        person
            The name at the Hub.
        created_at
            Since when it is this user's, in seconds since the epoch.

        Raises
        ------
        BrokerUnavailableError
            The database is away.

        """
        given = {"person": person, "created_at": created_at}
        await self._database.run(self._database.insert(people).on_conflict_do_nothing(), given)
        its = people.c.person == person
        ((known,),) = await self._database.run(select(people.c.created_at).where(its))
        if abs(known - created_at) <= _SAME_SECONDS:
            return
        log.warning("%s is another user than before: the earlier one's sign-ins are ended", person)
        try:
            await self.revoke(person, None, _ANOTHER)  # the provider is told, if it can be
        except PlatformAuthError as error:
            log.warning("not all of them at the provider: %s", error.what)
        await self._database.run(delete(sign_ins).where(sign_ins.c.person == person))
        await self._database.run(delete(sessions).where(sessions.c.person == person))
        await self._database.run(update(people).where(its).values(created_at=created_at))


def _those(wanted: str = "") -> list[ColumnElement[bool]]:
    those: list[ColumnElement[bool]] = [sessions.c.record.is_not(None)]
    if wanted:
        those.append(sessions.c.person.startswith(wanted, autoescape=True))
    return those
