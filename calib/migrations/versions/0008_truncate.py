"""PostgreSQL refuses TRUNCATE of what is insert-only; SQLite knows no such act."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = (
    "audit_events",
    "certificate_events",
    "certificate_files",
    "certificates",
    "conditions",
    "confirmations",
    "document_records",
    "evaluations",
    "idempotency_keys",
    "instrument_statuses",
    "ledger_leaves",
    "log_checkpoints",
    "log_cosignatures",
    "notices",
    "readings",
    "review_marks",
    "signing_key_events",
    "signing_keys",
    "standard_certificate_values",
    "standard_certificates",
    "stored_files",
)


def upgrade() -> None:
    """Add a trigger to every table that is insert-only."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER keep_{table}_whole BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION keep_{table}()"
        )
