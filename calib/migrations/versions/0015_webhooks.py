"""Addresses that are told when something happens, and what was told to each."""

from __future__ import annotations

from alembic import op

from calib.migrations.steps import check, lab_table, same_lab, texts, unique, wholes

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the two tables."""
    lab_table(
        "webhooks",
        *wholes("id", "lab_id"),
        *texts("address", "events", "secret", "old_secret"),
        *texts("old_ends_at", nullable=True),
        *texts("state"),
        *wholes("failures"),
        *texts("first_failed_at", nullable=True),
        *wholes("made_by"),
        *texts("made_at"),
        check("webhooks", "state", "state IN ('on','off','stopped','ended')"),
    )
    lab_table(
        "deliveries",
        *wholes("id", "lab_id", "webhook_id"),
        *texts("event_id", "event", "body", "state"),
        *wholes("attempts"),
        *wholes("status", nullable=True),
        *texts("last_error", "made_at", "next_try_at"),
        *texts("sent_at", nullable=True),
        same_lab("deliveries", "webhook_id", "webhooks"),
        unique("deliveries", "lab_id", "webhook_id", "event_id"),
        check("deliveries", "state", "state IN ('waiting','sending','sent','given_up')"),
    )
    for column in ("state", "next_try_at"):
        op.create_index(f"ix_deliveries_{column}", "deliveries", [column])
