"""Instruments that change hands; laboratories that are suspended; how long names are kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from calib.migrations.steps import (
    check,
    insert_only,
    keep_whole,
    lab_table,
    same_lab,
    texts,
    wholes,
)

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the two columns."""
    op.add_column("labs", sa.Column("suspended_at", sa.Text(), nullable=True))
    years = sa.Column("retention_years", sa.Integer(), nullable=False, server_default="10")
    op.add_column("labs", years)
    table = "instrument_transfers"
    lab_table(
        table,
        *wholes("instrument_id", "from_customer_id", "to_customer_id"),
        *texts("transferred_on", "reason", "consent"),
        *wholes("hands_over", "person_id"),
        *texts("recorded_at"),
        *wholes("id", "lab_id"),
        same_lab(table, "instrument_id", "instruments"),
        same_lab(table, "from_customer_id", "customers"),
        same_lab(table, "to_customer_id", "customers"),
        check(table, "two_customers", "from_customer_id <> to_customer_id"),
        check(table, "told", "reason <> '' AND consent <> ''"),
    )
    op.create_index(f"ix_{table}_instrument_id", table, ["instrument_id"])
    insert_only(table)
    keep_whole(table)
