"""All persons' sessions at once: what administrators see, and may end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from ..errors import ProfileNotFoundError
from .tables import sessions

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from .database import Database
    from .people import People

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
    people
        Signs persons out as they would themselves: the provider is told.

    """

    def __init__(self, database: Database, people: People) -> None:
        self._database, self._people = database, people

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

    async def revoke(self, person: str, profile: str | None) -> int:
        """Sign a person out of a profile, or of all, and return of how many.

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
                await broker.sign_out(name)
            except ProfileNotFoundError:  # the administrator has taken the profile away
                await self._database.run(
                    delete(sessions).where(sessions.c.person == person, sessions.c.profile == name)
                )
        return len(names)


def _those(wanted: str = "") -> list[ColumnElement[bool]]:
    those: list[ColumnElement[bool]] = [sessions.c.record.is_not(None)]
    if wanted:
        those.append(sessions.c.person.startswith(wanted, autoescape=True))
    return those
