"""When a sign-in was last used: one that nobody uses ends."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the instant; a sign-in from before counts from when it was made."""
    op.add_column("sign_ins", sa.Column("used_at", sa.Text()))
