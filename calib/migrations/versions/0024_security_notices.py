"""Mails about every change to how an account is secured."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from calib.migrations.steps import check, texts, wholes

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

PURPOSES = (
    "purpose IN ('reset', 'invitation', 'changed', 'factor-reset', 'password', "
    "'authenticator-added', 'authenticator-removed', 'recovery-codes', 'passkey-added', "
    "'passkey-removed', 'identity-added', 'identity-removed')"
)


def upgrade() -> None:
    """Widen what the check of a mail allows; SQLite makes the table anew for that."""
    with op.batch_alter_table("letters", copy_from=_as_it_was()) as table:
        table.drop_constraint(op.f("ck_letters_purpose"), type_="check")
        table.create_check_constraint(op.f("ck_letters_purpose"), sa.text(PURPOSES))


def _as_it_was() -> sa.Table:
    """Return the table of revision 0016: what is told need not be read from the database."""
    name = "letters"
    return sa.Table(
        name,
        sa.MetaData(),
        *wholes("id"),
        *texts("purpose", "address", "origin"),
        *wholes("attempts"),
        *texts("asked_at", "next_try_at"),
        sa.PrimaryKeyConstraint("id", name="pk_letters"),
        check(name, "purpose", "purpose IN ('reset','invitation','changed','factor-reset')"),
        sa.Index("ix_letters_origin", "origin"),
        sa.Index("ix_letters_next_try_at", "next_try_at"),
        sqlite_strict=True,
    )
