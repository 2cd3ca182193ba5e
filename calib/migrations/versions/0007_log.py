"""Published heads of the log and their cosignatures; what a ledger line commits to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from calib.migrations.steps import insert_only, texts, wholes

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; the lines that are there keep what they commit to unsaid."""
    op.create_table(
        "log_checkpoints",
        sa.Column("size", sa.Integer(), nullable=False, autoincrement=False),
        *texts("note", "made_at"),
        sa.PrimaryKeyConstraint("size", name="pk_log_checkpoints"),
        sqlite_strict=True,
    )
    op.create_table(
        "log_cosignatures",
        *wholes("id", "size"),
        *texts("line", "seen_at"),
        sa.PrimaryKeyConstraint("id", name="pk_log_cosignatures"),
        sqlite_strict=True,
    )
    op.create_index("ix_log_cosignatures_size", "log_cosignatures", ["size"])
    for table in ("log_checkpoints", "log_cosignatures"):
        insert_only(table)
    op.add_column(
        "ledger_leaves", sa.Column("subject", sa.Text(), nullable=False, server_default="")
    )
    op.create_index("ix_ledger_leaves_certificate_id", "ledger_leaves", ["certificate_id"])
