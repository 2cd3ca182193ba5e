"""Methods of a lab, confirmed figures, governing documents, and records of simulated readings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from calib.migrations.steps import check, insert_only, lab_table, texts, unique, wholes

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the three tables; records that are there hold what was read."""
    lab_table(
        "method_versions",
        *wholes("id", "lab_id", "revision", "written_by", "version"),
        *texts("type_id", "state", "based_on", "text", "definition_digest"),
        *texts("reason", "remark", "written_at"),
        *texts("definition", "evidence", "submitted_at", "approved_at", nullable=True),
        *wholes("submitted_by", "approved_by", nullable=True),
        unique("method_versions", "lab_id", "type_id", "revision"),
        check(
            "method_versions", "state", "state IN ('draft', 'submitted', 'approved', 'withdrawn')"
        ),
        check(
            "method_versions", "two_persons", "state <> 'approved' OR approved_by <> submitted_by"
        ),
    )
    lab_table(
        "confirmations",
        *wholes("id", "lab_id", "person_id"),
        *texts("type_id", "measurand", "figure", "figure_digest", "act", "document"),
        *texts("clause", "remark", "confirmed_on", "recorded_at"),
        check("confirmations", "act", "act IN ('confirmed','revoked')"),
    )
    lab_table(
        "document_records",
        *wholes("id", "lab_id", "revision", "person_id"),
        *texts("number", "title_en", "title_zh", "status", "replaces", "replaced_by"),
        *texts("counterparts", "source", "note", "recorded_at"),
        *texts("issued_on", "in_force_on", "ends_on", nullable=True),
        unique("document_records", "lab_id", "number", "revision"),
        check(
            "document_records",
            "status",
            "status IN ('announced','in_force','superseded','withdrawn')",
        ),
    )
    for table in ("confirmations", "document_records"):
        insert_only(table)
    op.add_column(
        "calibrations", sa.Column("simulated", sa.Integer(), nullable=False, server_default="0")
    )
