"""A lab may demand a second factor of those who sign."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Labs that are there already go on as before until they say otherwise."""
    name = "demands_second_factor"
    op.add_column("labs", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
