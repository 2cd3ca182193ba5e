"""The table of failed attempts to sign in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from calib.migrations.steps import texts, wholes

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "sign_in_failures",
        *wholes("id"),
        *texts("account", "origin", "failed_at"),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in_failures"),
        sqlite_strict=True,
    )
    for column in ("account", "origin", "failed_at"):
        op.create_index(f"ix_sign_in_failures_{column}", "sign_in_failures", [column])
