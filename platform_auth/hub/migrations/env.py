"""What Alembic runs before any step; see `platform_auth.hub.schema`."""

from __future__ import annotations

from alembic import context

from platform_auth.hub.schema import VERSION_TABLE
from platform_auth.hub.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,  # SQLite alters little
)
with context.begin_transaction():
    context.run_migrations()
