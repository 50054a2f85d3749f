"""The versions of the schema, and the way from one to the next (Alembic)."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from .tables import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

VERSION_TABLE: Final = f"{PREFIX}schema"
"""Where a database says which version it has."""

_LOCK: Final = 0x706C6174  # any number, as long as it stays the same
_SECONDS: Final = 60.0


def upgrade(connection: Connection, to: str = "head") -> None:
    """Bring a database up to a version; replicas that start together take turns."""
    with _turn(connection):
        command.upgrade(_config(connection), to)


def downgrade(connection: Connection, to: str) -> None:
    """Bring a database back to an earlier version; ``base`` removes all there is."""
    with _turn(connection):
        command.downgrade(_config(connection), to)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@contextlib.contextmanager
def _turn(connection: Connection) -> Iterator[None]:
    if connection.dialect.name == "sqlite":
        from filelock import FileLock  # only here: PostgreSQL has locks of its own

        path = connection.engine.url.database
        with FileLock(f"{path}.lock", timeout=_SECONDS) if path else contextlib.nullcontext():
            yield
        return
    connection.execute(text(f"SELECT pg_advisory_lock({_LOCK})"))
    try:
        yield
    finally:
        connection.execute(text(f"SELECT pg_advisory_unlock({_LOCK})"))
