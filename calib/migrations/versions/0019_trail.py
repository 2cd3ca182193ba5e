"""What an act changed and by which way in it came; how often somebody was refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from calib.migrations.steps import lab_table, texts, unique, wholes

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, empty for rows that stand already, and the ways to look things up."""
    for name, empty in (("changes", "[]"), ("via", "")):
        column = sa.Column(name, sa.Text(), nullable=False, server_default=empty)
        op.add_column("audit_events", column)
    for columns in (("lab_id", "object_kind", "object_id"), ("lab_id", "person_id")):
        op.create_index(f"ix_audit_events_{'_'.join(columns)}", "audit_events", [*columns])
    lab_table(
        "refusal_counts",
        *texts("asker", "began_at", "last_at"),
        *wholes("count", "id", "lab_id"),
        unique("refusal_counts", "lab_id", "asker"),
    )
