"""The tables of the Hub's service."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement

PREFIX: Final = "platform_auth_"
"""All tables have it, so that one database may serve others, too: the Hub itself."""

metadata: Final = MetaData()

sessions: Final = Table(
    f"{PREFIX}sessions",
    metadata,
    Column("person", Text, primary_key=True),
    Column("profile", Text, primary_key=True),
    # What people see of it grows this; never smaller than the time it was changed at, so that a row
    # that was deleted meanwhile does not come back with an old one.
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    Column("serial", BigInteger, nullable=False, server_default=text("0")),  # of the record
    Column("mark", BigInteger, nullable=False, server_default=text("0")),  # of the state
    Column("record", LargeBinary),  # sealed: the tokens
    Column("state", LargeBinary),  # sealed: all else that replicas share
    # Who refreshes it, and until when by the database's clock.
    Column("holder", Text),
    Column("held_until", Double),
    # For the administrator's page, in clear.
    Column("who", Text),
    Column("flow", Text),
    Column("signed_in_at", Double),
    Column("refreshed_at", Double),
    Column("expires_at", Double),
    Column("problem", Text),
    Index(f"ix_{PREFIX}sessions_version", "version"),
)

sign_ins: Final = Table(
    f"{PREFIX}sign_ins",
    metadata,
    Column("id", Text, primary_key=True),  # a digest of what only its browser or provider knows
    Column("person", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("note", LargeBinary, nullable=False),  # sealed: what it takes to go on
    Column("begun_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("holder", Text),
    Column("held_until", Double),
    Column("outcome", Text),
    Index(f"ix_{PREFIX}sign_ins_session", "person", "profile"),
    Index(f"ix_{PREFIX}sign_ins_expires_at", "expires_at"),
)

people: Final = Table(
    f"{PREFIX}people",
    metadata,
    Column("person", Text, primary_key=True),
    Column("created_at", Double, nullable=False),  # as the Hub says; see `Namesakes`
)


class Now(FunctionElement[float]):
    """The database's clock, seconds since the epoch: the one clock that all replicas share."""

    type = Double()
    inherit_cache = True


@compiles(Now, "postgresql")
def _postgresql(_element: Now, _compiler: Any, **_options: Any) -> str:  # noqa: ANN401
    return "extract(epoch from clock_timestamp())::float8"


@compiles(Now, "sqlite")
def _sqlite(_element: Now, _compiler: Any, **_options: Any) -> str:  # noqa: ANN401
    return "((julianday('now') - 2440587.5) * 86400.0)"
