"""What people are asked to sign, and what they signed."""

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
    unique,
    wholes,
)

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

MEANINGS = "meaning IN ('performed', 'reviewed', 'authorised')"
WAYS = "way IN ('password', 'password+code', 'passkey')"


def upgrade() -> None:
    """Create both tables; records that are there stay as they are, without signatures."""
    _challenges()
    _signatures()
    _proposals()
    _consents()
    for table in ("signature_challenges", "signatures"):
        op.create_index(f"ix_{table}_calibration_id", table, ["calibration_id"])
    op.create_index("ix_end_proposals_certificate_id", "end_proposals", ["certificate_id"])
    for table in ("signature_challenges", "signatures", "end_proposals", "end_consents"):
        insert_only(table)
        keep_whole(table)


def _challenges() -> None:
    table = "signature_challenges"
    lab_table(
        table,
        *texts("token"),
        *wholes("calibration_id", "version"),
        *texts("meaning", "content_digest"),
        *wholes("person_id"),
        *texts("session_sha256", "made_at", "expires_at"),
        *wholes("id", "lab_id"),
        same_lab(table, "calibration_id", "calibrations"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=f"fk_{table}_person_id"),
        unique(table, "token"),
        check(table, "meaning", MEANINGS),
    )


def _signatures() -> None:
    table = "signatures"
    lab_table(
        table,
        *wholes("challenge_id", "calibration_id", "evaluation_id"),
        *texts("meaning", "content_digest"),
        *wholes("person_id"),
        *texts("printed_name", "signed_at", "signed_local", "way", "evidence"),
        *wholes("id", "lab_id"),
        same_lab(table, "challenge_id", "signature_challenges"),
        same_lab(table, "calibration_id", "calibrations"),
        same_lab(table, "evaluation_id", "evaluations"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=f"fk_{table}_person_id"),
        unique(table, "lab_id", "challenge_id"),
        check(table, "meaning", MEANINGS),
        check(table, "way", WAYS),
    )


def _proposals() -> None:
    table = "end_proposals"
    lab_table(
        table,
        *texts("token"),
        *wholes("certificate_id"),
        *texts("act", "reason"),
        *wholes("person_id", "second_person_id"),
        *texts("proposed_at", "expires_at"),
        *wholes("id", "lab_id"),
        same_lab(table, "certificate_id", "certificates"),
        *(
            sa.ForeignKeyConstraint([name], ["persons.id"], name=f"fk_{table}_{name}")
            for name in ("person_id", "second_person_id")
        ),
        unique(table, "token"),
        check(table, "act", "act IN ('withdraw', 'void')"),
        check(table, "two_persons", "person_id <> second_person_id"),
    )


def _consents() -> None:
    table = "end_consents"
    lab_table(
        table,
        *wholes("proposal_id", "person_id"),
        *texts("printed_name", "consented_at", "consented_local", "way", "evidence"),
        *wholes("id", "lab_id"),
        same_lab(table, "proposal_id", "end_proposals"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=f"fk_{table}_person_id"),
        unique(table, "lab_id", "proposal_id"),
        check(table, "way", WAYS),
    )
