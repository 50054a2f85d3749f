"""Sessions, with who refreshes them, and the sign-ins that are under way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SESSIONS, _SIGN_INS = "platform_auth_sessions", "platform_auth_sign_ins"


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        _SESSIONS,
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("serial", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("mark", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("record", sa.LargeBinary()),
        sa.Column("state", sa.LargeBinary()),
        sa.Column("holder", sa.Text()),
        sa.Column("held_until", sa.Double()),
        sa.Column("who", sa.Text()),
        sa.Column("flow", sa.Text()),
        sa.Column("signed_in_at", sa.Double()),
        sa.Column("refreshed_at", sa.Double()),
        sa.Column("expires_at", sa.Double()),
        sa.Column("problem", sa.Text()),
        sa.PrimaryKeyConstraint("person", "profile"),
    )
    op.create_index(f"ix_{_SESSIONS}_version", _SESSIONS, ["version"])
    op.create_table(
        _SIGN_INS,
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("begun_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("holder", sa.Text()),
        sa.Column("held_until", sa.Double()),
        sa.Column("outcome", sa.Text()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(f"ix_{_SIGN_INS}_session", _SIGN_INS, ["person", "profile"])
    op.create_index(f"ix_{_SIGN_INS}_expires_at", _SIGN_INS, ["expires_at"])


def downgrade() -> None:
    """Remove both."""
    op.drop_table(_SIGN_INS)
    op.drop_table(_SESSIONS)
