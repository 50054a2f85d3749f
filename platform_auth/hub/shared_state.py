"""What replicas share of a person's sessions besides the tokens: challenges, failures, profiles.

Each replica writes down what changes at it, and takes over what has changed at another one. Where
both have changed something, each part is the one of who changed it.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select, update

from ..broker.news import News
from ..config import ProfileSource
from ..errors import PlatformAuthError, StoreError
from .outbox import Outbox
from .seals import STATE, Seals
from .session_rows import THIS, Seen, next_version
from .tables import sessions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..broker.event import Event
    from ..broker.session import Session
    from .broker import PersonsBroker
    from .database import Database
    from .keys import Keys
    from .store import SqlStore

log = logging.getLogger("platform_auth")

_Parts = dict[str, Any]
_NOTHING: Final[_Parts] = {**asdict(News()), "profile": None}
_COLUMNS = (
    sessions.c.version,
    sessions.c.serial,
    sessions.c.mark,
    sessions.c.record.is_not(None).label("signed_in"),
)
_READ = select(*_COLUMNS, sessions.c.state).where(THIS)
_WRITE = (
    update(sessions)
    .where(THIS, sessions.c.mark == bindparam("known"))
    .values(
        version=next_version(),
        mark=sessions.c.mark + 1,
        state=bindparam("sealed"),
        problem=bindparam("said"),
    )
    .returning(*_COLUMNS)
)


class SharedState:
    """Keeps one person's sessions in step; an observer of their broker.

    Parameters
    ----------
    database, keys
        The service's.
    person
        Their name at the Hub.
    store
        Theirs.

    """

    def __init__(self, database: Database, keys: Keys, person: str, store: SqlStore) -> None:
        self._database, self._store, self._person = database, store, person
        self._seals, self._outbox = Seals(keys, person), Outbox()
        self._known: dict[str, _Parts] = {}
        self._learning: set[str] = set()
        self._posting: set[str] = set()

    # As an observer

    def session_changed(self, session: Session) -> None:
        """Write down what is new, unless it comes from there."""
        name = session.profile.name
        if name in self._learning or _parts(session) == self._known.get(name, _NOTHING):
            self.number(session)
        elif name not in self._posting:
            self._posting.add(name)
            self._outbox.put(lambda: self._post(session))

    def happened(self, event: Event) -> None:
        """Do nothing."""

    def token_requested(self, result: str) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing: `posted` waits."""

    # In step

    def number(self, session: Session) -> None:
        """Give a session the revision that it has at every replica."""
        name = session.profile.name
        if name not in self._posting:
            session.revision = self._store.seen.get(name, Seen()).version

    def is_news(self, name: str, seen: Seen) -> bool:
        """Tell whether another replica has changed something, and nothing is being changed here."""
        return name not in self._posting and self._store.seen.get(name, Seen()).mark != seen.mark

    async def posted(self) -> None:
        """Return once the database knows what has changed here, or is away."""
        await self._outbox.sent()

    @property
    def is_busy(self) -> bool:
        """Whether something is still to be written down."""
        return not self._outbox.is_empty

    async def end(self) -> None:
        """Write down what is left, if that goes at once."""
        await self._outbox.close()

    async def _post(self, session: Session) -> None:
        name = session.profile.name
        while (mine := _parts(session)) != self._known.get(name, _NOTHING):
            if name not in self._store.seen:
                await self._store.make_row(name)
            if not await self._write(name, mine):
                await self._read(name, session)
        self._posting.discard(name)
        self.number(session)

    async def _write(self, name: str, mine: _Parts) -> bool:
        error = (mine["failure"] or {}).get("error") or mine["trouble"]
        values = {
            **self._of(name),
            "known": self._store.seen[name].mark,
            "sealed": None if mine == _NOTHING else self._seals.seal(STATE, name, mine),
            "said": f"{error['what']} {error['why']}".strip() if error else None,
        }
        rows = await self._database.run(_WRITE, values)
        if rows:
            self._known[name], self._store.seen[name] = mine, Seen(*rows[0])
        return bool(rows)

    async def _read(self, name: str, session: Session) -> None:
        """Take over what others have changed, but for what has changed here, too."""
        rows = await self._database.run(_READ, self._of(name))
        theirs, base = self._opened(name, rows[0].state if rows else None), self._known.get(name)
        mine, base = _parts(session), base or _NOTHING
        parts = {key: mine[key] if mine[key] != base[key] else theirs[key] for key in _NOTHING}
        self._known[name] = theirs
        self._store.seen[name] = Seen(*rows[0][:4]) if rows else Seen()
        await self._teach(name, parts)

    def _opened(self, name: str, sealed: bytes | None) -> _Parts:
        if sealed is None:
            return _NOTHING
        try:
            return _NOTHING | self._seals.open(STATE, name, sealed)
        except StoreError as error:
            log.warning("%s: %s", name, error.what)
            return _NOTHING

    async def catch_up(self, broker: PersonsBroker, name: str) -> None:
        """Take over what another replica has changed of a session."""
        if name in broker.names():
            await self._read(name, await broker.quietly(name))
            return
        rows = await self._database.run(_READ, self._of(name))
        theirs = self._opened(name, rows[0].state if rows else None)
        if theirs["profile"] is not None:
            with contextlib.suppress(PlatformAuthError):  # the policy may not allow it any more
                await broker.take_in(name, theirs["profile"])
                await self._read(name, await broker.quietly(name))
        elif rows:
            self._store.seen[name] = Seen(*rows[0][:4])

    async def _teach(self, name: str, parts: _Parts) -> None:
        news = News(parts["challenge"], parts["failure"], parts["trouble"])
        with self.learning(name):
            await self.broker.learn(name, news)

    broker: PersonsBroker
    """Whose sessions; set once it is there."""

    @contextlib.contextmanager
    def learning(self, name: str) -> Iterator[None]:
        """Take what changes meanwhile for what others have written down."""
        outer = name in self._learning
        self._learning.add(name)
        try:
            yield
        finally:
            if not outer:
                self._learning.discard(name)

    def _of(self, name: str) -> dict[str, Any]:
        return {"of_person": self._person, "of_profile": name}


def _parts(session: Session) -> _Parts:
    by_code = session.profile.source is ProfileSource.SESSION
    return {
        **asdict(News.of(session)),
        "profile": session.profile.to_mapping() if by_code else None,
    }
