"""Alembic's environment: runs the migrations on the connection that `run` hands over."""

from __future__ import annotations

from alembic import context

from calib.migrations.tables import all_tables


def migrate() -> None:
    """Run the migrations inside the transaction of the connection."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=all_tables(),
        render_as_batch=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


migrate()
