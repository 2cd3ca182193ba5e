"""Copy a whole database into an empty one, of the same kind or the other, row by row.

Every column is text or a whole number on both databases, so rows travel as they are stored. The
digest of all rows says whether two databases hold the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Table, column, func, insert, select, table, text

from calib.migrations.run import check, upgrade
from calib.migrations.tables import all_tables
from instruments.canonical import canonical_json
from instruments.errors import Conflict
from instruments.tenancy import see_all_labs

BATCH = 500
Told = Callable[[str, float], None]
"""Hears which table is copied and which part of all is done."""


def copy_database(source: Engine, target: Engine, told: Told = lambda _name, _part: None) -> str:
    """Copy all rows into an empty database; return the digest of what was copied.

    One transaction on either side: what is written meanwhile is in the copy wholly or not at all.

    Raises
    ------
    Conflict
        The target holds rows already.
    Refused
        The source is older or newer than this program.
    """
    check(source)
    upgrade(target)
    total = hashlib.sha256()
    with _steady(source) as reading, target.begin() as writing:
        see_all_labs(writing)
        tables = all_tables().sorted_tables
        for number, one in enumerate(tables):
            told(one.name, number / len(tables))
            if writing.scalar(select(func.count()).select_from(one)):
                raise Conflict(
                    "target-not-empty",
                    "The table {name} of the target holds rows already. Name an empty database.",
                    facts={"name": one.name},
                )
            names = [each.name for each in one.columns]
            bare = table(one.name, *(column(name) for name in names))
            for rows in _batches(reading, one, names):
                for row in rows:
                    total.update(_line(one.name, row))
                writing.execute(insert(bare), list(rows))
            _go_on_counting(writing, one)
    return total.hexdigest()


def digest_of(engine: Engine) -> str:
    """Return the digest of every row of every table, in order."""
    total = hashlib.sha256()
    with _steady(engine) as reading:
        for one in all_tables().sorted_tables:
            names = [each.name for each in one.columns]
            for rows in _batches(reading, one, names):
                for row in rows:
                    total.update(_line(one.name, row))
    return total.hexdigest()


def _steady(engine: Engine) -> Connection:
    """Open a connection whose transaction sees one moment of the database."""
    if engine.dialect.name == "postgresql":
        reading = engine.connect().execution_options(isolation_level="REPEATABLE READ")
        see_all_labs(reading)
        return reading
    return engine.execution_options(read_only=True).connect()


def _batches(
    reading: Connection, one: Table, names: Sequence[str]
) -> Iterator[tuple[Mapping[str, Any], ...]]:
    bare = table(one.name, *(column(name) for name in names))
    keys = [bare.c[each.name] for each in one.primary_key.columns]
    rows = reading.execution_options(yield_per=BATCH).execute(select(bare).order_by(*keys))
    for some in rows.mappings().partitions(BATCH):
        yield tuple(dict(row) for row in some)


def _line(name: str, row: Mapping[str, Any]) -> bytes:
    return canonical_json([name, dict(row)]) + b"\n"


def _go_on_counting(writing: Connection, one: Table) -> None:
    """Let PostgreSQL number new rows after those that were copied."""
    keys = list(one.primary_key.columns)
    if writing.dialect.name != "postgresql" or len(keys) != 1 or keys[0].name != "id":
        return
    writing.execute(
        text(
            f"SELECT setval(pg_get_serial_sequence('{one.name}', 'id'),"  # noqa: S608 -- own names
            f" COALESCE((SELECT max(id) FROM {one.name}), 0) + 1, false)"
        )
    )
