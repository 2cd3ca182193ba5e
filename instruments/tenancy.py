"""One lab sees its own rows only, and fails closed.

`LabSession` is the only way services reach lab rows: every ORM statement is narrowed to the lab of
the session, a session without a lab refuses to work, new rows are stamped, foreign rows refused.
Composite foreign keys (lab_id, id) hold the same line inside the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, ForeignKey, ForeignKeyConstraint, UniqueConstraint, event
from sqlalchemy.orm import (
    Mapped,
    ORMExecuteState,
    Session,
    UOWTransaction,
    mapped_column,
    with_loader_criteria,
)
from sqlalchemy.sql.elements import TextClause

STRICT = {"sqlite_strict": True}
"""Table option: SQLite checks the type of every value."""


class Unscoped(RuntimeError):
    """A statement reached a lab's rows without saying whose: a fault of the program, never of a user."""


class LabScoped:
    """Mixin of every table whose rows belong to one lab."""

    id: Mapped[int] = mapped_column(primary_key=True)
    lab_id: Mapped[int] = mapped_column(ForeignKey("labs.id"), index=True)


def scoped(*constraints: Any) -> tuple[Any, ...]:
    """Return the table arguments of a lab's table: target of composite keys, STRICT."""
    return (UniqueConstraint("lab_id", "id"), *constraints, STRICT)


def to_same_lab(column: str, table: str) -> ForeignKeyConstraint:
    """Return the composite key that keeps a reference inside the lab, on both databases."""
    return ForeignKeyConstraint(["lab_id", column], [f"{table}.lab_id", f"{table}.id"])


class LabSession(Session):
    """A session bound to one lab through ``session.info['lab_id']``."""


class InstallationSession(Session):
    """A session over all labs: sign-in, public look-up by token, scheduled jobs. Not for services
    that act for a lab."""


@event.listens_for(LabSession, "do_orm_execute")
def _scope(state: ORMExecuteState) -> None:
    lab_id = state.session.info.get("lab_id")
    if lab_id is None:
        raise Unscoped("the session has no lab")
    if isinstance(state.statement, TextClause):
        raise Unscoped("text statements cannot be narrowed to a lab")
    if state.is_column_load or state.is_relationship_load:
        return  # the criteria travel with the parent statement
    state.statement = state.statement.options(
        with_loader_criteria(LabScoped, lambda cls: cls.lab_id == lab_id, include_aliases=True)
    )


@event.listens_for(LabSession, "before_flush")
def _stamp(session: Session, _flush: UOWTransaction, _instances: object) -> None:
    lab_id = session.info.get("lab_id")
    if lab_id is None:
        raise Unscoped("the session has no lab")
    for row in (*session.new, *session.dirty, *session.deleted):
        if not isinstance(row, LabScoped):
            continue
        if row.lab_id is None and row in session.new:
            row.lab_id = lab_id
        if row.lab_id != lab_id:
            raise Unscoped(f"a row of lab {row.lab_id} in a session of lab {lab_id}")


@contextmanager
def lab_session(engine: Engine, lab_id: int, *, read_only: bool = False) -> Iterator[LabSession]:
    """Open a session for one lab; commit at the end, roll back on any exception."""
    bind = engine.execution_options(read_only=True) if read_only else engine
    with LabSession(bind, info={"lab_id": lab_id}) as session, session.begin():
        yield session


@contextmanager
def installation_session(engine: Engine, *, read_only: bool = False) -> Iterator[InstallationSession]:
    """Open a session over all labs; commit at the end, roll back on any exception."""
    bind = engine.execution_options(read_only=True) if read_only else engine
    with InstallationSession(bind) as session, session.begin():
        yield session
