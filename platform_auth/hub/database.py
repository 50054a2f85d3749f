"""The database of the Hub's service: PostgreSQL for many replicas, SQLite for a small Hub."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import create_async_engine

from ..errors import BrokerUnavailableError, ConfigError
from .schema import upgrade

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Table
    from sqlalchemy.engine import URL
    from sqlalchemy.sql.base import Executable

log = logging.getLogger("platform_auth")

SECONDS: Final = 10.0
"""Seconds that one statement may take, connecting included."""

TURN_SECONDS: Final = 30.0
"""Seconds that a statement waits for its turn: this replica's crowd is not the database's fault."""

URGENT: Final = 3
"""Connections kept for what must not wait: saving what a refresh brought, and keeping leases."""

RETRY_AFTER: Final = 2.0
"""Seconds after which it is worth asking again, when the database was away."""

_DRIVERS: Final = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "sqlite": "sqlite+aiosqlite",
}


class Database:
    """Runs statements, each of them a transaction of its own.

    Every statement here may be run twice with the effect of once: it is, after a connection was
    lost.

    Parameters
    ----------
    url
        As SQLAlchemy takes it: ``postgresql://user:password@host/name``, ``sqlite:////path/file``.
    connections
        How many are kept open at most, and `URGENT` more.

    Raises
    ------
    ConfigError
        It is no address of such a database.

    """

    def __init__(self, url: str, *, connections: int = 10) -> None:
        self._url = _checked(url)
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"connect_timeout": 5}
        if self.is_sqlite:
            options = {"timeout": SECONDS}
            _make_private(self._url.database)
        self._engine = create_async_engine(
            self._url,
            isolation_level="AUTOCOMMIT",
            pool_size=connections + URGENT,
            max_overflow=0,
            pool_timeout=SECONDS,
            connect_args=options,
        )
        if self.is_sqlite:
            event.listen(self._engine.sync_engine, "connect", _be_durable)
        self._is_away = False
        self._turns = {False: asyncio.Semaphore(connections), True: asyncio.Semaphore(URGENT)}

    def describe(self) -> str:
        """Return what it is, without who may use it."""
        return self._url.render_as_string(hide_password=True).partition("?")[0]

    @property
    def directory(self) -> Path | None:
        """Where the file of a SQLite database is; None for a server."""
        return Path(self._url.database).parent if self.is_sqlite and self._url.database else None

    def insert(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        """Return an INSERT that knows of conflicts."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    async def upgrade(self) -> None:
        """Bring the schema up to this version of the program; replicas take turns.

        Raises
        ------
        BrokerUnavailableError
            The database is away.

        """
        try:
            async with self._engine.connect() as connection:
                await connection.run_sync(_upgraded)
        except (DBAPIError, OSError) as error:
            raise self._away(error) from None

    async def run(
        self,
        statement: Executable,
        values: Mapping[str, object] | None = None,
        *,
        urgent: bool = False,
    ) -> list[Any]:
        """Run a statement and return what it brings.

        Parameters
        ----------
        statement, values
            What SQLAlchemy executes.
        urgent
            It does not wait behind all the others.

        Raises
        ------
        BrokerUnavailableError
            The database is away, or too many wait for it.

        """
        turn = self._turns[urgent]
        try:
            # Not wait_for, which loses a cancellation that comes with the turn (Python 3.11): a
            # loop that a replica's end has called off would go on for ever.
            async with asyncio.timeout(TURN_SECONDS):
                await turn.acquire()
        except TimeoutError:
            raise _crowded() from None
        try:
            return await self._run(statement, values)
        finally:
            turn.release()

    async def _run(self, statement: Executable, values: Mapping[str, object] | None) -> list[Any]:
        try:
            rows = await self._tried(statement, values)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise self._away(error) from None
            try:  # all connections that a restart has ended are gone with the first
                rows = await self._tried(statement, values)
            except (DBAPIError, PoolTimeoutError, OSError) as again:
                raise self._away(again) from None
        except (PoolTimeoutError, OSError) as error:  # asyncio's TimeoutError is one
            raise self._away(error) from None
        if self._is_away:
            self._is_away = False
            log.info("the database answers again")
        return rows

    async def _tried(self, statement: Executable, values: Mapping[str, object] | None) -> list[Any]:
        async with asyncio.timeout(SECONDS), self._engine.connect() as connection:
            result = await connection.execute(statement, values)
            return list(result.all()) if result.returns_rows else []

    def _away(self, error: Exception) -> BrokerUnavailableError:
        if not self._is_away:
            self._is_away = True
            # Not the error itself: it holds the statement with all that is in it.
            cause = error.orig if isinstance(error, DBAPIError) else error
            log.warning("the database does not answer: %s", f"{cause}".strip() or repr(cause))
        away = BrokerUnavailableError(
            "The sign-in service cannot reach its database.",
            why="It does not answer, or not in time. Nobody's sign-in is lost by that.",
            fix="Try again in a moment; if it stays, tell whoever runs this JupyterHub.",
        )
        away.retry_after = RETRY_AFTER
        return away

    async def close(self) -> None:
        """End all connections."""
        await self._engine.dispose()


def _crowded() -> BrokerUnavailableError:
    crowded = BrokerUnavailableError(
        "The sign-in service has too much to do.",
        why="Too many requests wait for its database. Nobody's sign-in is lost by that.",
        fix="Try again in a moment.",
    )
    crowded.retry_after = RETRY_AFTER
    return crowded


def _checked(text: str) -> URL:
    fix = "It looks like postgresql://user:password@host/name, or sqlite:////path/to/file."
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ConfigError("That is not the address of a database.", fix=fix) from None
    scheme = url.drivername
    if scheme.partition("+")[0] not in _DRIVERS:
        what = f"The service cannot keep its sessions in {scheme.partition('+')[0]!r}."
        raise ConfigError(what, why="It knows PostgreSQL and SQLite.", fix=fix)
    return url.set(drivername=_DRIVERS.get(scheme, scheme))


def _make_private(path: str | None) -> None:
    """Make a database's file before SQLite does, which would let others read the names in it."""
    if path and path != ":memory:":
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _be_durable(connection: Any, _record: object) -> None:  # noqa: ANN401 - a driver's
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # a rotated token that is lost ends a sign-in
    cursor.close()


def _upgraded(connection: Connection) -> None:
    upgrade(connection)
