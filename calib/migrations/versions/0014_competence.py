"""Who is authorised for which work; how strictly a lab has its work approved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from calib.migrations.steps import check, lab_table, texts, wholes

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ACTS = "act IN ('performs', 'reviews', 'authorises')"
BASES = "basis IN ('training', 'supervised_work', 'comparison', 'examination', 'qualification')"


def upgrade() -> None:
    """Labs that are there already go on as before until they say otherwise."""
    for name in ("keeps_competence", "demands_signatures", "separates_signatory"):
        op.add_column("labs", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    table = "competences"
    lab_table(
        table,
        *wholes("person_id"),
        *texts("act", "type_id", "document", "measurand"),
        *texts("low", "high", nullable=True),
        *texts("starts_on"),
        *texts("ends_on", nullable=True),
        *texts("basis", "evidence"),
        *wholes("granted_by"),
        *texts("granted_at"),
        *wholes("ended_by", nullable=True),
        *texts("end_reason"),
        *wholes("id", "lab_id"),
        *(
            sa.ForeignKeyConstraint([name], ["persons.id"], name=f"fk_{table}_{name}")
            for name in ("person_id", "granted_by", "ended_by")
        ),
        check(table, "act", ACTS),
        check(table, "basis", BASES),
        check(table, "range", "(low IS NULL) = (high IS NULL)"),
        check(table, "end", "(ended_by IS NULL) = (end_reason = '')"),
        check(table, "two_persons", "granted_by <> person_id"),
    )
    op.create_index(f"ix_{table}_person_id", table, ["person_id"])
