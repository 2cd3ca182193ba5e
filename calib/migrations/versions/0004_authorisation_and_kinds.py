"""The authorisation of a laboratory in words, and what kind of standard a standard is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the two columns, empty on the rows that are there."""
    for table, column in (("labs", "authorisation"), ("measurement_standards", "kind")):
        op.add_column(table, sa.Column(column, sa.Text(), nullable=False, server_default=""))
