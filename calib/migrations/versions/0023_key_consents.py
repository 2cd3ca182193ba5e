"""Who proposed to end a key from the pages, and the colleague's consent."""

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

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

WAYS = "way IN ('password', 'password+code', 'passkey')"


def upgrade() -> None:
    """Create both tables."""
    _proposals()
    _consents()
    op.create_index("ix_key_proposals_key_id", "key_proposals", ["key_id"])
    for table in ("key_proposals", "key_consents"):
        insert_only(table)
        keep_whole(table)


def _proposals() -> None:
    table = "key_proposals"
    lab_table(
        table,
        *texts("token"),
        *wholes("key_id"),
        *texts("act"),
        *texts("effective_at", nullable=True),
        *texts("reason"),
        *wholes("person_id", "second_person_id"),
        *texts("proposed_at", "expires_at"),
        *wholes("id", "lab_id"),
        sa.ForeignKeyConstraint(["key_id"], ["signing_keys.id"], name=f"fk_{table}_key_id"),
        *(
            sa.ForeignKeyConstraint([name], ["persons.id"], name=f"fk_{table}_{name}")
            for name in ("person_id", "second_person_id")
        ),
        unique(table, "token"),
        check(table, "act", "act IN ('retire', 'compromise')"),
        check(table, "since", "(act = 'compromise') = (effective_at IS NOT NULL)"),
        check(table, "two_persons", "person_id <> second_person_id"),
    )


def _consents() -> None:
    table = "key_consents"
    lab_table(
        table,
        *wholes("proposal_id", "person_id"),
        *texts("printed_name", "consented_at", "consented_local", "way", "evidence"),
        *wholes("id", "lab_id"),
        same_lab(table, "proposal_id", "key_proposals"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=f"fk_{table}_person_id"),
        unique(table, "lab_id", "proposal_id"),
        check(table, "way", WAYS),
    )
