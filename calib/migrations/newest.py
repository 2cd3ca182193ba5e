"""Whether a database is up to date already, told without loading what brings it up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, column, inspect, select, table

_VERSIONS = Path(__file__).parent / "versions"


def newest_revision() -> str:
    """Return the revision of this program's tables: the highest number of the steps' files."""
    return max(file.name.partition("_")[0] for file in _VERSIONS.glob("[0-9]*_*.py"))


def is_up_to_date(engine: Engine) -> bool:
    """Answer whether the database has exactly the tables of this program."""
    with engine.execution_options(read_only=True).connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        revision: Any = column("version_num")
        found: list[str] = list(
            connection.scalars(select(revision).select_from(table("alembic_version")))
        )
        return found == [newest_revision()]
