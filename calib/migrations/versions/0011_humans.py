"""Which accounts belong to one human being: two accounts are no second person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column: at first every account is that of another human being."""
    op.add_column("persons", sa.Column("human", sa.Integer(), nullable=False, server_default="0"))
