"""Accounts that an identity provider opens, and whether a sign-in showed both factors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from calib.migrations.steps import check, texts, unique, wholes

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the two tables and the column."""
    op.create_table(
        "linked_identities",
        *wholes("id", "person_id"),
        *texts("subject_sha256", "linked_at"),
        *texts("used_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_linked_identities"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name="fk_linked_identities_person_id"
        ),
        unique("linked_identities", "person_id"),
        unique("linked_identities", "subject_sha256"),
        sqlite_strict=True,
    )
    op.create_table(
        "provider_flows",
        *wholes("id"),
        *texts("step", "state_sha256", "bound_sha256"),
        *wholes("person_id", nullable=True),
        *texts("nonce", "pkce_secret", "subject_sha256"),
        *wholes("has_factor"),
        *texts("lab_code", "next_path", "origin", "expires_at"),
        sa.PrimaryKeyConstraint("id", name="pk_provider_flows"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name="fk_provider_flows_person_id"),
        unique("provider_flows", "state_sha256"),
        check("provider_flows", "step", "step IN ('sign-in','link','confirm','factor')"),
        sqlite_strict=True,
    )
    for column in ("origin", "expires_at"):
        op.create_index(f"ix_provider_flows_{column}", "provider_flows", [column])
    op.add_column(
        "sign_ins", sa.Column("has_factor", sa.Integer(), nullable=False, server_default="0")
    )
