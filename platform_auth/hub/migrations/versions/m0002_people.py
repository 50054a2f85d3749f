"""Persons: since when the Hub has the user of a name whose sessions these are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_PEOPLE = "platform_auth_people"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        _PEOPLE,
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("person"),
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_table(_PEOPLE)
