"""Sixteen ways from a program to the rows of another lab, and every key between tables.

Each way is tried in the session of one lab on a row of another. It is closed when it is refused,
or when nothing of the other lab was seen or changed.
"""

# ruff: noqa: S608 -- names of tables come from the program itself

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import (
    Connection,
    Integer,
    LargeBinary,
    Table,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased, load_only

from calib.migrations.tables import all_tables
from instruments.db import open_engine
from instruments.records.parties import Customer, Lab
from instruments.records.sites import Site
from instruments.tenancy import (
    LabSession,
    Unscoped,
    installation_session,
    lab_session,
    see_all_labs,
)
from tests.support.builders import NOW, a_customer, a_lab, a_site, context_for

MARK = "of the other lab"
CUSTOMERS = Customer.__table__


def _new_site(session: LabSession, **more: Any) -> None:
    session.add(Site(name_en="x", venue_type="other", created_at=NOW, **more))
    session.flush()


def _moved(session: LabSession, lab_id: int) -> None:
    session.scalars(select(Site)).first().lab_id = lab_id
    session.flush()


def _turned(session: LabSession, lab_id: int, id_: int) -> Any:
    session.info["lab_id"] = lab_id
    try:
        return session.get(Customer, id_)
    finally:
        session.info["lab_id"] = 1


WAYS: dict[str, Callable[[LabSession, int, int], Any]] = {
    "select of a class": lambda s, _lab, id_: s.scalars(
        select(Customer).where(Customer.id == id_)
    ).all(),
    "select of columns": lambda s, _lab, id_: s.execute(
        select(Customer.name_en, Customer.lab_id).where(Customer.id == id_)
    ).all(),
    "alias": lambda s, _lab, _id: s.scalars(
        select(aliased(Customer)).options()
    ).all(),
    "join": lambda s, lab, _id: s.execute(
        select(Lab.id, Customer.name_en).join(Customer, Customer.lab_id == Lab.id)
        .where(Lab.id == lab)
    ).all(),
    "subquery": lambda s, lab, _id: s.execute(
        select(Lab.id, select(func.max(Customer.name_en)).where(Customer.lab_id == lab)
               .scalar_subquery()).where(Lab.id == 1)
    ).all(),
    "get by key": lambda s, _lab, id_: s.get(Customer, id_),
    "identity map, session turned": _turned,
    "refresh and load options": lambda s, _lab, id_: s.scalars(
        select(Customer).options(load_only(Customer.name_en)).where(Customer.id == id_)
        .execution_options(populate_existing=True)
    ).all(),
    "core select": lambda s, _lab, _id: s.execute(select(CUSTOMERS)).all(),
    "core count": lambda s, lab, _id: s.scalar(
        select(func.count()).select_from(CUSTOMERS).where(CUSTOMERS.c.lab_id == lab)
    ),
    "text": lambda s, _lab, _id: s.execute(text("SELECT name_en FROM customers")).all(),
    "update": lambda s, _lab, id_: s.execute(
        update(Customer).where(Customer.id == id_).values(address="changed")
    ).rowcount,
    "core update": lambda s, _lab, id_: s.execute(
        update(CUSTOMERS).where(CUSTOMERS.c.id == id_).values(address="changed")
    ).rowcount,
    "delete": lambda s, lab, _id: s.execute(delete(Site).where(Site.lab_id == lab)).rowcount,
    "insert with the number of the lab": lambda s, lab, id_: (
        _new_site(s, customer_id=id_, lab_id=lab), s.execute(insert(Site).values(lab_id=lab)),
    ),
    "a row moved, or tied to a row of the lab": lambda s, lab, id_: _new_site(s, customer_id=id_),
}  # fmt: skip


@pytest.fixture
def other(place) -> tuple[int, int]:
    """Return another lab and its customer, which has a site."""
    lab_id = a_lab(place.engine, "SH")
    for lab, name in ((place.lab_id, "own"), (lab_id, MARK)):
        with context_for(place, lab_id=lab) as ctx:
            customer = a_customer(ctx, name_en=name)
            a_site(ctx, customer.id)
    return lab_id, customer.id


def kept(place) -> list[Any]:
    """Return everything of customers and sites, as both labs have it."""
    with installation_session(place.engine) as session:
        rows = [(c.id, c.lab_id, c.name_en, c.address) for c in session.scalars(select(Customer))]
        return [*rows, *((s.id, s.lab_id, s.customer_id) for s in session.scalars(select(Site)))]


def shown(found: Any) -> str:
    """Return what was found as text, of rows with their names."""
    rows = found if isinstance(found, list | tuple) else [found]
    return " ".join(f"{getattr(row, 'name_en', '')} {row}" for row in rows)


def test_there_are_sixteen_ways():
    assert len(WAYS) == 16


@pytest.mark.parametrize("way", WAYS)
def test_no_way_leads_to_the_rows_of_another_lab(place, other, way):
    before = kept(place)
    try:
        with lab_session(place.engine, place.lab_id) as session:
            found = WAYS[way](session, *other)
            assert MARK not in shown(found)
            assert not isinstance(found, int) or found == 0
    except (Unscoped, IntegrityError):
        pass  # closed
    assert kept(place) == before


def test_a_row_is_not_moved_to_another_lab(place, other):
    with pytest.raises(Unscoped), lab_session(place.engine, place.lab_id) as session:
        _moved(session, other[0])


# ---------------------------------------------------------------------------- keys between tables


def _unguarded(connection: Connection) -> None:
    """Let any row in that the foreign keys allow: no triggers, no checks, no row security."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("PRAGMA ignore_check_constraints = ON"))
        found = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        for name in connection.scalars(text(found)).all():
            connection.execute(text(f'DROP TRIGGER "{name}"'))
        return
    see_all_labs(connection)
    checks = "SELECT conrelid::regclass, conname FROM pg_constraint WHERE contype = 'c'"
    for table, name in connection.execute(text(checks + " AND conrelid <> 0")).all():
        connection.execute(text(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'))
    for table in all_tables().sorted_tables:
        connection.execute(text(f"ALTER TABLE {table.name} DISABLE TRIGGER USER"))


def _row(table: Table, lab: int) -> dict[str, Any]:
    """Return a row number `lab` of the lab, every reference to the row of that number."""
    row: dict[str, Any] = {}
    for column in table.columns:
        if column.foreign_keys or column.primary_key:
            itself = any(key.column.table is table for key in column.foreign_keys)
            row[column.name] = None if itself and column.nullable else lab
        elif isinstance(column.type, LargeBinary):
            row[column.name] = f"x{lab}".encode()
        else:
            row[column.name] = lab if _is_number(column) else f"x{lab}"
    return row


def _is_number(column: Any) -> bool:
    kind = getattr(column.type, "impl", column.type)
    return isinstance(kind, Integer) or isinstance(getattr(kind, "impl", None), Integer)


def _insert(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    names = ", ".join(f'"{name}"' for name in row)
    values = ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO {table.name} ({names}) VALUES ({values})"), row)


def test_no_key_between_tables_leads_into_another_lab(database_url):
    engine = open_engine(database_url)
    tables = all_tables().sorted_tables
    tried = 0
    with engine.connect() as connection, connection.begin() as transaction:
        _unguarded(connection)
        for table in tables:
            for lab in (1, 2):
                _insert(connection, table, _row(table, lab))
        for table in tables:
            for key in table.foreign_key_constraints:
                columns = list(key.column_keys)
                if len(columns) < 2 or "lab_id" not in columns:
                    continue
                tried += 1
                (column,) = (name for name in columns if name != "lab_id")
                own = f"UPDATE {table.name} SET {column} = 1 WHERE lab_id = 1"
                assert connection.execute(text(own)).rowcount == 1
                inner = connection.begin_nested()
                with pytest.raises(IntegrityError):
                    connection.execute(text(own.replace("= 1 WHERE", "= 2 WHERE")))
                inner.rollback()
        transaction.rollback()
    engine.dispose()
    assert tried >= 40
