"""Quality manager, administrator and customer as roles; what a token is limited to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KNOWN = (
    "role IN ('technician','reviewer','signatory','quality_manager','manager','administrator',"
    "'customer','venue_operator')"
)
WHOSE = "(role IN ('customer','venue_operator')) = (customer_id IS NOT NULL)"


def upgrade() -> None:
    """Widen what the two checks of a membership allow."""
    with op.batch_alter_table("memberships", table_kwargs={"sqlite_strict": True}) as table:
        for name, condition in (("role", KNOWN), ("whose", WHOSE)):
            table.drop_constraint(op.f(f"ck_memberships_{name}"), type_="check")
            table.create_check_constraint(op.f(f"ck_memberships_{name}"), sa.text(condition))
    op.add_column("api_tokens", sa.Column("reach", sa.Text(), nullable=False, server_default=""))
