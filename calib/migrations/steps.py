"""Words the migrations are written in; frozen with them, whatever the tables become later."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    """Return TEXT columns."""
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def wholes(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    """Return INTEGER columns."""
    return [sa.Column(name, sa.Integer(), nullable=nullable) for name in names]


def lab_table(table: str, *parts: sa.Column[str] | sa.Column[int] | sa.Constraint) -> None:
    """Create the table of a lab: keyed by id, target of composite keys (lab_id, id)."""
    op.create_table(
        table,
        *parts,
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(["lab_id"], ["labs.id"], name=f"fk_{table}_lab_id"),
        sa.UniqueConstraint("lab_id", "id", name=f"uq_{table}_lab_id_id"),
        sqlite_strict=True,
    )
    op.create_index(f"ix_{table}_lab_id", table, ["lab_id"])


def same_lab(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    """Return the composite key that keeps a reference inside the lab."""
    return sa.ForeignKeyConstraint(
        ["lab_id", column], [f"{target}.lab_id", f"{target}.id"], name=f"fk_{table}_lab_id_{column}"
    )


def unique(table: str, *columns: str, name: str = "") -> sa.UniqueConstraint:
    """Return a unique constraint named after its columns."""
    return sa.UniqueConstraint(*columns, name=name or f"uq_{table}_{'_'.join(columns)}")


def check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    """Return a check constraint."""
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def insert_only(table: str) -> None:
    """Let the database itself refuse UPDATE and DELETE."""
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER keep_{table}_{act.lower()} BEFORE {act} ON {table} BEGIN "
                f"SELECT RAISE(ABORT, '{table} is insert-only'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION keep_{table}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is insert-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER keep_{table} BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION keep_{table}()"
    )


def keep_whole(table: str) -> None:
    """Let PostgreSQL refuse TRUNCATE of what is insert-only; SQLite knows no such act."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER keep_{table}_whole BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION keep_{table}()"
        )
