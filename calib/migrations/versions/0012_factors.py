"""The second factor of an account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from calib.migrations.steps import texts, unique, wholes

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "second_factors",
        *wholes("id", "person_id"),
        *texts("secret", "created_at"),
        *texts("confirmed_at", nullable=True),
        *wholes("last_step"),
        sa.PrimaryKeyConstraint("id", name="pk_second_factors"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name="fk_second_factors_person_id"),
        unique("second_factors", "person_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "recovery_codes",
        *wholes("id", "person_id"),
        *texts("code_sha256"),
        *texts("used_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_recovery_codes"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name="fk_recovery_codes_person_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_recovery_codes_person_id", "recovery_codes", ["person_id"])
