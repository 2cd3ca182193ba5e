"""Authorities with their mandates, weekly reports and ledger of problems."""

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

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_KINDS = (
    "'overdue', 'out_of_tolerance', 'wrong_kind', 'no_certificate', 'certificate_doubtful', "
    "'laboratory', 'other'"
)


def upgrade() -> None:
    """Make the column and the five tables."""
    _kind_of_lab()
    _mandates()
    _reports()
    _problems()
    for table in ("weekly_reports", "problems", "problem_steps", "problem_answers"):
        insert_only(table)
        keep_whole(table)


def _kind_of_lab() -> None:
    kind = sa.Column("kind", sa.Text(), nullable=False, server_default="laboratory")
    op.add_column("labs", kind)


def _mandates() -> None:
    lab_table(
        "mandates",
        *wholes("id", "lab_id", "person_id"),
        *texts("district", "purpose", "starts_on"),
        *texts("ends_on", nullable=True),
        *texts("granted_at"),
        _person("mandates", "person_id"),
        unique("mandates", "lab_id", "person_id", "district", "starts_on"),
        check("mandates", "period", "ends_on IS NULL OR ends_on >= starts_on"),
    )
    op.create_index("ix_mandates_person_id", "mandates", ["person_id"])


def _reports() -> None:
    lab_table(
        "weekly_reports",
        *wholes("id", "lab_id"),
        *texts("week"),
        *wholes("edition"),
        *texts("since_on", "body", "digest"),
        *wholes("made_by"),
        *texts("made_at"),
        _person("weekly_reports", "made_by"),
        unique("weekly_reports", "lab_id", "week", "edition"),
    )


def _problems() -> None:
    lab_table(
        "problems",
        *wholes("id", "lab_id", "number"),
        *texts("kind"),
        *wholes("concerned_lab_id"),
        *wholes("instrument_id", "site_id", nullable=True),
        *texts("place", "finding", "demand", "ordered_until"),
        sa.ForeignKeyConstraint(
            ["concerned_lab_id"], ["labs.id"], name="fk_problems_concerned_lab_id"
        ),
        unique("problems", "lab_id", "number"),
        check("problems", "kind", f"kind IN ({_KINDS})"),
    )
    op.create_index("ix_problems_concerned_lab_id", "problems", ["concerned_lab_id"])
    lab_table(
        "problem_steps",
        *wholes("id", "lab_id", "problem_id", "place"),
        *texts("step", "words"),
        *wholes("person_id"),
        *texts("happened_at"),
        same_lab("problem_steps", "problem_id", "problems"),
        _person("problem_steps", "person_id"),
        check("problem_steps", "step", "step IN ('opened', 'returned', 'closed')"),
        check("problem_steps", "words", "step = 'opened' OR words <> ''"),
    )
    op.create_index("ix_problem_steps_problem_id", "problem_steps", ["problem_id"])
    lab_table(
        "problem_answers",
        *wholes("id", "lab_id", "problem_id", "place"),
        *texts("words"),
        *wholes("person_id"),
        *texts("happened_at"),
        sa.ForeignKeyConstraint(
            ["problem_id"], ["problems.id"], name="fk_problem_answers_problem_id"
        ),
        _person("problem_answers", "person_id"),
        check("problem_answers", "words", "words <> ''"),
    )
    op.create_index("ix_problem_answers_problem_id", "problem_answers", ["problem_id"])


def _person(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["persons.id"], name=f"fk_{table}_{column}")
