"""Engine, column types and naming for both databases; knows no table.

Every column is TEXT, INTEGER or BLOB, so that SQLite tables can be STRICT and both databases hold
the same bytes: instants as fixed-width UTC text, dates as ISO text, measured values as entered.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import (
    DDL,
    Connection,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from instruments.canonical import canonical_json
from instruments.turns import PATIENCE, Turns, connection_of

SQLITE_WAL_SAFE = (3, 51, 3)
"""Before this version a WAL with several connections can lose committed data (sqlite.org)."""


class UTCInstant(TypeDecorator[datetime]):
    """A UTC instant as text of fixed width, so that text order is time order."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: object) -> str | None:
        """Write the instant; a naive one is a mistake and refused."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def process_result_value(self, value: str | None, dialect: object) -> datetime | None:
        """Read the instant back as an aware datetime."""
        return None if value is None else datetime.fromisoformat(value)


class ISODate(TypeDecorator[date]):
    """A calendar date as ISO text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: object) -> str | None:
        """Write the date; an instant is not a date."""
        if value is None:
            return None
        if isinstance(value, datetime):
            raise TypeError(f"{value!r} is an instant, not a date")
        return value.isoformat()

    def process_result_value(self, value: str | None, dialect: object) -> date | None:
        """Read the date back."""
        return None if value is None else date.fromisoformat(value)


class YesNo(TypeDecorator[bool]):
    """A truth value as 0 or 1: STRICT tables know no boolean."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: bool | None, dialect: object) -> int | None:  # noqa: FBT001
        """Write 0 or 1."""
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: object) -> bool | None:
        """Read the truth value back."""
        return None if value is None else bool(value)


class DecimalText(TypeDecorator[str]):
    """A measured or stated decimal, kept as it was entered: ``20.10`` stays ``20.10``."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: object) -> str | None:
        """Write the text; refuse what is no finite decimal."""
        if value is None:
            return None
        try:
            finite = Decimal(value).is_finite()
        except InvalidOperation as problem:
            raise ValueError(f"{value!r} is no decimal number") from problem
        if not finite:
            raise ValueError(f"{value!r} is not finite")
        return value


class CanonicalJSON(TypeDecorator[Any]):
    """Plain JSON values stored in their canonical form (RFC 8785)."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: object, dialect: object) -> str | None:
        """Write the canonical form."""
        return None if value is None else canonical_json(value).decode()

    def process_result_value(self, value: str | None, dialect: object) -> object:
        """Read plain values back."""
        return None if value is None else json.loads(value)


class Base(DeclarativeBase):
    """Root of every table."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 -- SQLAlchemy reads it from the class
        str: Text,
        bool: YesNo,
        datetime: UTCInstant,
        date: ISODate,
    }


def insert_only(table: Table) -> None:
    """Let the database itself refuse UPDATE, DELETE and TRUNCATE on `table`."""
    table.info["insert_only"] = True
    for act in ("UPDATE", "DELETE"):
        name = f"keep_{table.name}_{act.lower()}"
        event.listen(
            table,
            "after_create",
            DDL(  # type: ignore[no-untyped-call]
                f"CREATE TRIGGER {name} BEFORE {act} ON {table.name} BEGIN "
                f"SELECT RAISE(ABORT, '{table.name} is insert-only'); END"
            ).execute_if(dialect="sqlite"),
        )
    function = f"keep_{table.name}"
    event.listen(
        table,
        "after_create",
        DDL(  # type: ignore[no-untyped-call]
            f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{table.name} is insert-only'; END $$"
        ).execute_if(dialect="postgresql"),
    )
    event.listen(
        table,
        "after_create",
        DDL(  # type: ignore[no-untyped-call]
            f"CREATE TRIGGER {function} BEFORE UPDATE OR DELETE ON {table.name} "
            f"FOR EACH ROW EXECUTE FUNCTION {function}()"
        ).execute_if(dialect="postgresql"),
    )
    event.listen(
        table,
        "after_create",
        DDL(  # type: ignore[no-untyped-call]
            f"CREATE TRIGGER {function}_whole BEFORE TRUNCATE ON {table.name} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        ).execute_if(dialect="postgresql"),
    )


def open_engine(url: str, *, synced: bool = True, writable: bool = True) -> Engine:
    """Return an engine for `url` with the durability this project promises.

    SQLite: foreign keys on, every commit synced, write transactions start with BEGIN IMMEDIATE (two
    writers wait for each other instead of failing half way) in the order they came, a rollback
    journal where the library is older than `SQLITE_WAL_SAFE`.

    With `synced` false commits are not synced: only for a file nobody has seen yet, which is thrown
    away when its building stops half way and synced as a whole when it is done. With `writable`
    false the database itself refuses every change.
    """
    if not url.startswith("sqlite"):
        options = "" if writable else "-c default_transaction_read_only=on"
        return create_engine(
            url,
            pool_pre_ping=True,
            hide_parameters=True,
            isolation_level="READ COMMITTED",
            connect_args={"options": options} if options else {},
        )
    turns = Turns()
    settings = {
        "timeout": PATIENCE, "check_same_thread": False, "factory": connection_of(turns),
    }  # fmt: skip
    # who waits for a turn has a connection: as many threads as a server runs may wait without
    # keeping readers from theirs; a database in memory is one connection
    is_file = make_url(url).database not in (None, "", ":memory:")
    pool = {"pool_size": 20, "max_overflow": 40} if is_file else {}
    # what rows hold is in no error, and so in no log
    engine = create_engine(url, hide_parameters=True, connect_args=settings, **pool)

    @event.listens_for(engine, "connect")
    def _settle(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy, not the driver, begins transactions
        journal = "WAL" if sqlite3.sqlite_version_info >= SQLITE_WAL_SAFE else "DELETE"
        level = "FULL" if journal == "WAL" else "EXTRA"
        for pragma in (
            "foreign_keys=ON",
            "recursive_triggers=ON",  # or REPLACE would delete past the triggers of `insert_only`
            f"busy_timeout={PATIENCE * 1000:.0f}",
            f"journal_mode={journal}",
            f"synchronous={level if synced else 'OFF'}",
            f"query_only={'OFF' if writable else 'ON'}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = not writable or connection.get_execution_options().get("read_only", False)
        if reading:
            connection.exec_driver_sql("BEGIN DEFERRED")
            return
        writer = connection.connection.dbapi_connection
        left = turns.take(writer)
        try:
            _begin_within(connection, left)
        except BaseException:
            turns.give(writer)
            raise

    return engine


def _begin_within(connection: Connection, seconds: float) -> None:
    """Begin to write; what waiting for the turn has left of the patience holds for SQLite."""
    if seconds == PATIENCE:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    connection.exec_driver_sql(f"PRAGMA busy_timeout={seconds * 1000:.0f}")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={PATIENCE * 1000:.0f}")


def is_disk_failure(problem: BaseException) -> bool:
    """Answer whether the disk failed under SQLite: whether the commit reached it cannot be told."""
    original = getattr(problem, "orig", None)
    failed = isinstance(original, sqlite3.OperationalError)
    return failed and "disk I/O error" in str(original)


def damage_in_file(session: Session) -> tuple[str, ...]:
    """Return what SQLite itself finds wrong with its file; PostgreSQL looks after its own."""
    if session.get_bind().dialect.name != "sqlite":
        return ()
    found = [str(words) for words in session.scalars(text("PRAGMA integrity_check"))]
    broken = session.execute(text("PRAGMA foreign_key_check")).all()
    found += [f"{one[0]} {one[1]} -> {one[2]}" for one in broken]
    return tuple(words for words in found if words != "ok")


def journal_in_words() -> str:
    """Say how SQLite keeps commits safe here; shown by ``calib doctor`` and readiness."""
    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info >= SQLITE_WAL_SAFE:
        return f"SQLite {version}: write-ahead log, every commit synced"
    return f"SQLite {version}: rollback journal, every commit synced (WAL needs 3.51.3 or newer)"
