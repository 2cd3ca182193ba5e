"""PostgreSQL itself keeps labs apart: row security over every table that says whose its rows are.

A transaction names its lab in ``calib.lab``, or says in ``calib.all_labs`` that it is the
installation's; one that says neither gets an error, never an empty answer. Only
`instruments.tenancy` says either. SQLite has nothing of the kind: there the session alone holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import DDL, Connection, MetaData, Table, event, func, select

from instruments.db import Base

LAB: Final = "calib.lab"
ALL_LABS: Final = "calib.all_labs"
POLICY: Final = "own_lab"

_FUNCTIONS: Final = (
    f"""
CREATE OR REPLACE FUNCTION calib_all_labs() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(current_setting('{ALL_LABS}', true), '') = 'yes' $$
""",
    f"""
CREATE OR REPLACE FUNCTION calib_lab() RETURNS integer LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
  named text := coalesce(current_setting('{LAB}', true), '');
BEGIN
  IF named <> '' THEN RETURN named::integer; END IF;
  IF coalesce(current_setting('{ALL_LABS}', true), '') = 'yes' THEN RETURN NULL; END IF;
  RAISE insufficient_privilege USING MESSAGE = 'this transaction named no laboratory';
END $$
""",
)


def kept_apart(tables: Iterable[Table]) -> list[Table]:
    """Return the tables that say whose each row is."""
    return [one for one in tables if "lab_id" in one.columns]


def keep_apart(connection: Connection, tables: Iterable[Table]) -> None:
    """Put every table that says whose its rows are under row security; again changes nothing."""
    if connection.dialect.name != "postgresql":
        return
    for function in _FUNCTIONS:
        _run(connection, function)
    for table in kept_apart(tables):
        own = "lab_id = (SELECT calib_lab())"
        if table.c.lab_id.nullable:  # what belongs to no lab is the installation's own, for all
            own = f"lab_id IS NULL OR {own}"
        for statement in (
            f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table.name} FORCE ROW LEVEL SECURITY",
            f"DROP POLICY IF EXISTS {POLICY} ON {table.name}",
            f"CREATE POLICY {POLICY} ON {table.name} USING ((SELECT calib_all_labs()) OR {own})",
        ):
            _run(connection, statement)


def name_lab(connection: Connection, lab_id: int) -> None:
    """Say whose rows the running transaction is about."""
    _say(connection, LAB, str(lab_id))


def name_all_labs(connection: Connection) -> None:
    """Say that the running transaction is the installation's."""
    _say(connection, ALL_LABS, "yes")


def name_no_more(connection: Connection) -> None:
    """Say that the rest of the transaction is the lab's alone again."""
    _say(connection, ALL_LABS, "")


def _say(connection: Connection, setting: str, value: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.set_config(setting, value, True)))  # noqa: FBT003 -- SQL


def _run(connection: Connection, statement: str) -> None:
    connection.execute(DDL(statement))  # type: ignore[no-untyped-call]


@event.listens_for(Base.metadata, "after_create")
def _made(_metadata: MetaData, connection: Connection, **told: Any) -> None:
    keep_apart(connection, told["tables"] or ())
