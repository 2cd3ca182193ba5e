"""Which accounts are of one human being; which browser a sign-in was made with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns: at first every account is that of another human being."""
    op.add_column("sign_ins", sa.Column("agent", sa.Text(), nullable=False, server_default=""))
    op.add_column("persons", sa.Column("human", sa.Integer(), nullable=False, server_default="0"))
