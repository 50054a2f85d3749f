"""What the database need not keep for ever: rows of those who signed out long ago."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, cast, delete, or_
from sqlalchemy.types import BigInteger

from .pending import EXPIRED
from .tables import Now, sessions

if TYPE_CHECKING:
    from .database import Database

SIGNED_OUT_SECONDS: Final = 30 * 24 * 3600
"""Seconds after its last change for which the row of a signed-out session is kept."""

# A version is never older than the time of its change, in milliseconds. A row that somebody holds
# is about to get a record; one whose holder died long ago is not.
_OLD = sessions.c.version < cast((Now() - SIGNED_OUT_SECONDS) * 1000, BigInteger)
_FREE = or_(sessions.c.holder.is_(None), sessions.c.held_until < Now() - SIGNED_OUT_SECONDS)

_SIGNED_OUT = delete(sessions).where(and_(sessions.c.record.is_(None), _OLD, _FREE))


async def clear_away(database: Database) -> None:
    """Remove pending sign-ins that are over, and rows without a record that are old.

    A row with a record stays, whatever its age.

    Raises
    ------
    BrokerUnavailableError
        The database is away.

    """
    await database.run(EXPIRED)
    await database.run(_SIGNED_OUT)
