"""Sign-ins under way, in the database: whichever replica a browser comes back to goes on."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, bindparam, delete, or_, select, update

from ..broker.attempt import Binding
from ..broker.monotonic import monotonic
from ..broker.pending import Pending
from ..errors import BrokerUnavailableError, CallbackError, PlatformAuthError
from ..secret import Secret
from .outbox import Outbox
from .seals import SIGN_IN, Seals
from .tables import Now, sign_ins

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .database import Database
    from .keys import Keys

log = logging.getLogger("platform_auth")

ATTENDED_SECONDS: Final = 15.0
"""Seconds that a replica which asks a provider on is trusted to live, unless it says so again."""

_PATIENCE: Final = 3.0  # and so many more, for one that could not reach the database
_RENEWAL, _AWAY = 5.0, 0.25
_OUTCOME_SECONDS, _FIRST_PAUSE, _LONGEST_PAUSE = 35.0, 0.05, 0.5
_MOST: Final = 32  # of one session, as in a broker's own memory
_TRIP, _DEVICE = "trip", "device"

_IT = sign_ins.c.id == bindparam("of_id")
_OPEN = and_(sign_ins.c.outcome.is_(None), sign_ins.c.expires_at > Now())
_OF_SESSION = and_(
    sign_ins.c.person == bindparam("of_person"), sign_ins.c.profile == bindparam("of_profile")
)
_ME = sign_ins.c.holder == bindparam("me")
_FIND = select(sign_ins.c.profile, sign_ins.c.note).where(
    _IT, sign_ins.c.person == bindparam("of_person"), sign_ins.c.expires_at > Now()
)
_CLAIM = (
    update(sign_ins)
    .where(_IT, _OPEN, or_(sign_ins.c.holder.is_(None), _ME))
    .values(holder=bindparam("me"))
    .returning(sign_ins.c.id)
)
_ATTEND = (
    update(sign_ins)
    .where(_IT, _OPEN, or_(sign_ins.c.holder.is_(None), _ME))
    .values(holder=bindparam("me"), held_until=Now() + ATTENDED_SECONDS)
    .returning(sign_ins.c.id)
)
_ORPHAN = (
    update(sign_ins)
    .where(
        _OF_SESSION,
        _OPEN,
        sign_ins.c.kind == _DEVICE,
        or_(sign_ins.c.holder.is_(None), sign_ins.c.held_until < Now() - _PATIENCE),
    )
    .values(holder=bindparam("me"), held_until=Now() + ATTENDED_SECONDS)
    .returning(sign_ins.c.note)
)
_LEAVE = update(sign_ins).where(_IT, _ME).values(holder=None, held_until=None)
_END = update(sign_ins).where(_IT).values(outcome=bindparam("how"))
_OUTCOME = select(sign_ins.c.outcome).where(_IT)
_FORGET = delete(sign_ins).where(_OF_SESSION, sign_ins.c.outcome.is_(None))
_TOO_MANY = delete(sign_ins).where(
    _OF_SESSION,
    sign_ins.c.id.not_in(
        select(sign_ins.c.id)
        .where(_OF_SESSION)
        .order_by(sign_ins.c.begun_at.desc())
        .limit(_MOST)
        .scalar_subquery()
    ),
)
WHOSE: Final = select(sign_ins.c.person).where(_IT, sign_ins.c.expires_at > Now())
"""Finds whose a state is, given ``of_id``."""

EXPIRED: Final = delete(sign_ins).where(sign_ins.c.expires_at < Now())
"""Clears away what nobody has finished."""


def digest(key: str) -> str:
    """Return what stands in the database for a state, which nobody gets back from it."""
    return hashlib.sha256(b"platform-auth sign-in\0" + key.encode()).hexdigest()


class SqlPending:
    """One person's sign-ins under way.

    Parameters
    ----------
    database, keys
        The service's.
    person
        Their name at the Hub.
    catch_up
        Takes note of what another replica has just done.

    """

    def __init__(
        self,
        database: Database,
        keys: Keys,
        person: str,
        catch_up: Callable[[], Awaitable[None]],
    ) -> None:
        self._database, self._person, self._catch_up = database, person, catch_up
        self._seals, self._outbox = Seals(keys, person), Outbox()
        self._me = secrets.token_hex(8)
        self._attending: dict[str, asyncio.Task[None]] = {}

    async def note(self, pending: Pending, seconds: float) -> None:
        """Keep one for so many seconds; the oldest of too many goes."""
        await self.posted()  # what calls off earlier ones must not come after it
        values = {
            "id": digest(pending.key),
            "person": self._person,
            "profile": pending.profile,
            "kind": _TRIP if pending.redirects else _DEVICE,
            "note": self._seals.seal(SIGN_IN, pending.profile, _to_dict(pending)),
            "begun_at": Now(),
            "expires_at": Now() + seconds,
        }
        insert = self._database.insert(sign_ins).values(values).on_conflict_do_nothing()
        await self._database.run(insert)
        await self._database.run(_TOO_MANY, self._of(pending.profile))

    async def find(self, state: str) -> Pending | None:
        """Return the one of a browser's trip, whether or not somebody has gone on with it."""
        values = {"of_id": digest(state), "of_person": self._person}
        rows = await self._database.run(_FIND, values)
        return self._opened(*rows[0]) if rows else None

    def _opened(self, profile: str, note: bytes) -> Pending:
        return _from_dict(profile, self._seals.open(SIGN_IN, profile, note))

    async def claim(self, pending: Pending) -> bool:
        """Be the one who goes on with a trip, or wait for its outcome.

        Raises
        ------
        CallbackError
            It was called off, or nobody knows what became of it.
        PlatformAuthError
            What it ended with, at another replica.

        """
        values = {"of_id": digest(pending.key), "me": secrets.token_hex(8)}
        if await self._database.run(_CLAIM, values):
            return True
        await self._outcome(digest(pending.key))
        await self._catch_up()
        return False

    async def _outcome(self, identifier: str) -> None:
        give_up, pause = monotonic() + _OUTCOME_SECONDS, _FIRST_PAUSE
        while monotonic() < give_up:
            rows = await self._database.run(_OUTCOME, {"of_id": identifier})
            if not rows:
                break
            if rows[0].outcome is not None:
                error = json.loads(rows[0].outcome)
                if error:
                    raise PlatformAuthError.from_dict(error)
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        raise CallbackError("This sign-in is not under way any more, or was finished elsewhere.")

    def ended(self, pending: Pending, error: PlatformAuthError | None) -> None:
        """Note how one has ended, for whoever comes again with the same answer."""
        self._stop(pending)
        how = json.dumps(error.to_dict() if error else None)
        self._later(_END, {"of_id": digest(pending.key), "how": how})

    def attend(self, pending: Pending, lost: Callable[[], object]) -> None:
        """Be the one who asks the provider on."""
        self._attending[pending.key] = asyncio.create_task(self._attend(pending, lost))

    async def _attend(self, pending: Pending, lost: Callable[[], object]) -> None:
        values = {"of_id": digest(pending.key), "me": self._me}
        while True:
            try:
                if not await self._database.run(_ATTEND, values):
                    lost()
                    return
                pause = _RENEWAL
            except BrokerUnavailableError:
                pause = _AWAY
            await asyncio.sleep(pause)

    def leave(self, pending: Pending) -> None:
        """Let another replica go on with one."""
        self._stop(pending)
        self._later(_LEAVE, {"of_id": digest(pending.key), "me": self._me})

    def _stop(self, pending: Pending) -> None:
        task = self._attending.pop(pending.key, None)
        if task is not None:
            task.cancel()

    async def orphan(self, profile: str) -> Pending | None:
        """Return one that no replica goes on with, which is ours from now on."""
        rows = await self._database.run(_ORPHAN, {**self._of(profile), "me": self._me})
        return self._opened(profile, rows[0].note) if rows else None

    def forget(self, profile: str) -> None:
        """Call off all of a profile."""
        self._later(_FORGET, self._of(profile))

    def _later(self, statement: Any, values: dict[str, Any]) -> None:  # noqa: ANN401
        self._outbox.put(lambda: self._database.run(statement, values))

    async def posted(self) -> None:
        """Return once the database knows all, or is away."""
        await self._outbox.sent()

    async def close(self) -> None:
        """Leave what is attended here to others."""
        for task in self._attending.values():
            task.cancel()
        await self._outbox.close()

    def _of(self, profile: str) -> dict[str, Any]:
        return {"of_person": self._person, "of_profile": profile}


def _to_dict(pending: Pending) -> dict[str, Any]:
    binding = pending.binding
    return {
        "flow": pending.flow,
        "memory": pending.memory.reveal(),
        "key": pending.key,
        "binding": [binding.browser, binding.user] if binding else None,
        "redirects": pending.redirects,
    }


def _from_dict(profile: str, kept: dict[str, Any]) -> Pending:
    return Pending(
        profile=profile,
        flow=kept["flow"],
        memory=Secret(kept["memory"]),
        key=kept["key"],
        binding=Binding(*kept["binding"]) if kept["binding"] else None,
        redirects=kept["redirects"],
    )
