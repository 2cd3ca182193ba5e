"""Bring a database up to the tables of this program, or say why it cannot be used.

All steps run in one transaction: a database is never left half way. A database that a newer program
has changed is refused, because an older one would misread it.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, func, inspect, select

from calib.migrations.grants import need_owner, open_to, roles_of
from calib.migrations.tables import all_tables
from instruments.errors import Refused
from instruments.row_security import keep_apart
from instruments.tenancy import see_all_labs

_LOCK = 0x63616C6962
"""Key of the advisory lock under which PostgreSQL is migrated."""


def upgrade(engine: Engine, *, role: str = "") -> None:
    """Bring the database to the newest revision; several processes may ask at once.

    On PostgreSQL `role` may from now on read and write rows, as those may who could before.

    Raises Refused when the database is newer than this program, holds tables of others, or belongs
    to another role than the one that is connected.
    """
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        current = _known_revision(connection)
        if current == newest() and not role:
            return
        need_owner(connection)
        if current is None and inspect(connection).has_table("labs"):
            raise Refused(
                "database-without-revision",
                "The database holds tables but not the revision they belong to. "
                "Restore a backup, or name an empty database.",
            )
        config = _config()
        config.attributes["connection"] = connection
        see_all_labs(connection)
        command.upgrade(config, "head")
        tables = all_tables().sorted_tables
        keep_apart(connection, tables)
        for one in {*roles_of(connection), role} - {""}:  # what is new too
            open_to(connection, one, tables)


def check(engine: Engine) -> None:
    """Make sure that the database fits this program.

    Raises Refused when it is newer, or older and not yet brought up to date.
    """
    with engine.connect() as connection:
        current = _known_revision(connection)
    if current != newest():
        raise Refused(
            "database-older",
            "The database is at revision {current}, this program needs {newest}. "
            "Start the program once to bring it up to date.",
            facts={"current": current or "none", "newest": newest()},
        )


def newest() -> str:
    """Return the revision of this program's tables."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise LookupError("the program comes without migrations")
    return head


def _known_revision(connection: Connection) -> str | None:
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if current is not None and current not in known:
        raise Refused(
            "database-newer",
            "The database is at revision {current}, which this program does not know (it knows up "
            "to {newest}): a newer program has used it. Install that version again.",
            facts={"current": current, "newest": newest()},
        )
    return current


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config
