"""The row of one session: what is known of it, and how it changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, bindparam, case, cast, or_, select, update
from sqlalchemy.types import BigInteger

from .tables import Now, sessions

if TYPE_CHECKING:
    from sqlalchemy.sql.elements import ColumnElement

THIS: Final = and_(
    sessions.c.person == bindparam("of_person"), sessions.c.profile == bindparam("of_profile")
)
"""The row of one session."""


def next_version() -> ColumnElement[int]:
    """Return what a row's version becomes: it grows, and is never older than its time."""
    now = cast(Now() * 1000, BigInteger)
    return case((sessions.c.version >= now, sessions.c.version + 1), else_=now)


_COLUMNS = (sessions.c.version, sessions.c.serial, sessions.c.mark)
LOAD: Final = select(*_COLUMNS, sessions.c.record).where(THIS)
"""Finds a session's record, given ``of_person`` and ``of_profile``."""

SAVE: Final = (
    update(sessions)
    .where(THIS, or_(sessions.c.holder == bindparam("me"), sessions.c.serial == bindparam("known")))
    .values(
        version=next_version(),
        serial=sessions.c.serial + 1,
        record=bindparam("sealed"),
        who=bindparam("name"),
        flow=bindparam("by"),
        signed_in_at=bindparam("since"),
        refreshed_at=bindparam("at"),
        expires_at=bindparam("until"),
    )
    .returning(*_COLUMNS)
)
"""Keeps a record: only the lease's holder may, or who knows the one before."""

DELETE: Final = (
    update(sessions)
    .where(THIS, sessions.c.record.is_not(None))
    .values(
        version=next_version(),
        serial=sessions.c.serial + 1,
        record=None,
        signed_in_at=None,
        refreshed_at=None,
        expires_at=None,
    )
    .returning(*_COLUMNS)
)
"""Forgets a record; the row stays, and tells all replicas."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a session's row.

    Parameters
    ----------
    version
        Grows with all that people see of it.
    serial
        Counts its records, deletions included.
    mark
        Counts its states, see `platform_auth.hub.shared_state`.
    signed_in
        Whether it has a record.

    """

    version: int = 0
    serial: int = 0
    mark: int = 0
    signed_in: bool = False
