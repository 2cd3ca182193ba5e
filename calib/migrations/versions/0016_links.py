"""Mails about accounts that wait, and the links in them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from calib.migrations.steps import check, texts, unique, wholes

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "letters",
        *wholes("id"),
        *texts("purpose", "address", "origin"),
        *wholes("attempts"),
        *texts("asked_at", "next_try_at"),
        sa.PrimaryKeyConstraint("id", name="pk_letters"),
        check("letters", "purpose", "purpose IN ('reset','invitation','changed','factor-reset')"),
        sqlite_strict=True,
    )
    for column in ("origin", "next_try_at"):
        op.create_index(f"ix_letters_{column}", "letters", [column])
    op.create_table(
        "account_links",
        *wholes("id", "person_id"),
        *texts("purpose", "token_sha256", "made_at", "expires_at"),
        *texts("used_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_account_links"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name="fk_account_links_person_id"),
        unique("account_links", "token_sha256"),
        sqlite_strict=True,
    )
    op.create_index("ix_account_links_person_id", "account_links", ["person_id"])
