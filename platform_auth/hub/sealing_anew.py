"""Sealing what older keys have sealed with the newest one, while the service runs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select, tuple_, update

from ..errors import StoreError
from .seals import RECORD, SIGN_IN, STATE, Seals
from .session_rows import THIS
from .tables import sessions, sign_ins

if TYPE_CHECKING:
    from .database import Database
    from .keys import Keys

log = logging.getLogger("platform_auth")

_ROWS: Final = 200

_PAGE = (
    select(sessions.c.person, sessions.c.profile, sessions.c.record, sessions.c.state)
    .where(
        tuple_(sessions.c.person, sessions.c.profile)
        > tuple_(bindparam("person"), bindparam("profile"))
    )
    .order_by(sessions.c.person, sessions.c.profile)
    .limit(_ROWS)
)
# What has been replaced meanwhile is sealed with the newest key by whoever replaced it.
_RECORD = update(sessions).where(THIS, sessions.c.record == bindparam("old"))
_STATE = update(sessions).where(THIS, sessions.c.state == bindparam("old"))
_NOTE = update(sign_ins).where(
    sign_ins.c.id == bindparam("of_id"),
    sign_ins.c.profile == bindparam("of_profile"),
    sign_ins.c.note == bindparam("old"),
)


async def seal_anew(database: Database, keys: Keys) -> int:
    """Seal all that an older key has sealed with the newest one; any replica may, at any time.

    Nothing changes for anybody by it, and what does not open is left as it is.

    Parameters
    ----------
    database, keys
        The service's.

    Returns
    -------
    How many things were sealed anew.

    Raises
    ------
    BrokerUnavailableError
        The database is away; what is left is done the next time.

    """
    done, last = 0, {"person": "", "profile": ""}
    while rows := await database.run(_PAGE, last):
        for person, profile, record, state in rows:
            seals, of = Seals(keys, person), {"of_person": person, "of_profile": profile}
            done += await _one(database, seals, RECORD, record, of, _RECORD)
            done += await _one(database, seals, STATE, state, of, _STATE)
        last = {"person": rows[-1].person, "profile": rows[-1].profile}
    notes = await database.run(
        select(sign_ins.c.id, sign_ins.c.person, sign_ins.c.profile, sign_ins.c.note)
    )
    for identifier, person, profile, note in notes:
        of = {"of_id": identifier, "of_profile": profile}
        done += await _one(database, Seals(keys, person), SIGN_IN, note, of, _NOTE)
    return done


async def _one(  # noqa: PLR0913, PLR0917 - of what, by whom, and where it goes
    database: Database,
    seals: Seals,
    kind: str,
    sealed: bytes | None,
    of: dict[str, Any],
    where: Any,  # noqa: ANN401 - an UPDATE of any table
) -> int:
    try:
        anew = seals.anew(kind, of["of_profile"], sealed)
    except StoreError as error:
        log.warning("not sealed anew: %s", error.what)
        return 0
    if anew is None:
        return 0
    column = {RECORD: "record", STATE: "state", SIGN_IN: "note"}[kind]
    await database.run(
        where.values({column: bindparam("anew")}), {**of, "old": sealed, "anew": anew}
    )
    return 1
