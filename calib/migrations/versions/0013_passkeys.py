"""Passkeys, the challenges they answer, and when a sign-in last showed who it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from calib.migrations.steps import texts, unique, wholes

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the two tables and the column."""
    op.create_table(
        "passkeys",
        *wholes("id", "person_id"),
        *texts("name", "credential", "public_key"),
        *wholes("sign_count"),
        *texts("created_at"),
        *texts("used_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_passkeys"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name="fk_passkeys_person_id"),
        unique("passkeys", "credential"),
        sqlite_strict=True,
    )
    op.create_index("ix_passkeys_person_id", "passkeys", ["person_id"])
    op.create_table(
        "challenges",
        *wholes("id"),
        *texts("purpose", "bound_sha256"),
        *wholes("person_id", nullable=True),
        *texts("challenge", "origin", "expires_at"),
        sa.PrimaryKeyConstraint("id", name="pk_challenges"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name="fk_challenges_person_id"),
        sqlite_strict=True,
    )
    for column in ("bound_sha256", "origin", "expires_at"):
        op.create_index(f"ix_challenges_{column}", "challenges", [column])
    op.add_column("sign_ins", *texts("proved_at", nullable=True))
