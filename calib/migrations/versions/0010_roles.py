"""Quality manager, administrator and customer as roles; what a token is limited to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from calib.migrations.steps import check, same_lab, texts, unique, wholes

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
    """Widen what the two checks of a membership allow; SQLite makes the table anew for that."""
    with op.batch_alter_table("memberships", copy_from=_as_it_was()) as table:
        for name, condition in (("role", KNOWN), ("whose", WHOSE)):
            table.drop_constraint(op.f(f"ck_memberships_{name}"), type_="check")
            table.create_check_constraint(op.f(f"ck_memberships_{name}"), sa.text(condition))
    op.add_column("api_tokens", sa.Column("reach", sa.Text(), nullable=False, server_default=""))


def _as_it_was() -> sa.Table:
    """Return the table of revision 0001: what is told need not be read from the database."""
    name = "memberships"
    roles = "role IN ('technician','reviewer','signatory','manager','venue_operator')"
    return sa.Table(
        name,
        sa.MetaData(),
        *wholes("person_id"),
        *texts("role"),
        *wholes("customer_id", nullable=True),
        *texts("starts_on"),
        *texts("ends_on", nullable=True),
        *wholes("id", "lab_id"),
        check(name, "whose", "(role = 'venue_operator') = (customer_id IS NOT NULL)"),
        check(name, "role", roles),
        same_lab(name, "customer_id", "customers"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name="fk_memberships_person_id"),
        unique(name, "lab_id", "person_id", "role", "starts_on"),
        sa.PrimaryKeyConstraint("id", name="pk_memberships"),
        sa.ForeignKeyConstraint(["lab_id"], ["labs.id"], name="fk_memberships_lab_id"),
        sa.UniqueConstraint("lab_id", "id", name="uq_memberships_lab_id_id"),
        sa.Index("ix_memberships_lab_id", "lab_id"),
        sa.Index("ix_memberships_person_id", "person_id"),
        sqlite_strict=True,
    )
