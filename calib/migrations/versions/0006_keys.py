"""The public side of signing keys, and what happened to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from calib.migrations.steps import check, insert_only, texts, unique, wholes

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the two tables."""
    _keys()
    _events()
    for table in ("signing_keys", "signing_key_events"):
        insert_only(table)


def _keys() -> None:
    table = "signing_keys"
    op.create_table(
        table,
        *wholes("id"),
        *texts("purpose", "name", "algorithm", "public_key", "reference"),
        *texts("starts_at", "ends_at"),
        *wholes("lab_id", nullable=True),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(["lab_id"], ["labs.id"], name=f"fk_{table}_lab_id"),
        unique(table, "public_key", name=f"uq_{table}_public_key"),
        check(table, "purpose", "purpose IN ('root', 'seal', 'mark', 'log', 'status', 'preview')"),
        check(table, "whose", "(purpose IN ('seal','mark')) = (lab_id IS NOT NULL)"),
        check(table, "validity", "starts_at < ends_at"),
        sqlite_strict=True,
    )
    op.create_index(f"ix_{table}_lab_id", table, ["lab_id"])


def _events() -> None:
    table = "signing_key_events"
    op.create_table(
        table,
        *wholes("id", "key_id", "person_id", "second_person_id"),
        *texts("event", "effective_at", "reason", "chain", "happened_at"),
        *wholes("successor_id", nullable=True),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(["key_id"], ["signing_keys.id"], name=f"fk_{table}_key_id"),
        sa.ForeignKeyConstraint(
            ["successor_id"], ["signing_keys.id"], name=f"fk_{table}_successor_id"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=f"fk_{table}_person_id"),
        sa.ForeignKeyConstraint(
            ["second_person_id"], ["persons.id"], name=f"fk_{table}_second_person_id"
        ),
        check(
            table,
            "event",
            "event IN ('made', 'certified', 'rotated', 'retired', 'compromised')",
        ),
        check(table, "reason", "event NOT IN ('retired','compromised') OR reason <> ''"),
        check(table, "two_persons", "person_id <> second_person_id"),
        sqlite_strict=True,
    )
    op.create_index(f"ix_{table}_key_id", table, ["key_id"])
