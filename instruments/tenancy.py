"""One lab sees its own rows only, and fails closed.

`LabSession` is the only way services reach lab rows: every ORM statement is narrowed to the lab of
the session, a session without a lab refuses to work, new rows are stamped, foreign rows refused.
Composite foreign keys (lab_id, id) hold the same line inside the database, and so does the row
security of PostgreSQL (`instruments.row_security`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    ForeignKey,
    ForeignKeyConstraint,
    UniqueConstraint,
    event,
    func,
    select,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import (
    Mapped,
    ORMExecuteState,
    Session,
    SessionTransaction,
    UOWTransaction,
    mapped_column,
    with_loader_criteria,
)

from instruments import changes
from instruments.row_security import name_all_labs, name_lab, name_no_more

STRICT = {"sqlite_strict": True}
"""Table option: SQLite checks the type of every value."""


class Unscoped(RuntimeError):
    """A statement reached rows without saying whose: a fault of the program, never of a user."""


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
    """A session bound to one lab through ``session.info['lab_id']``, for its whole life."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """Remember the lab: what was loaded for one lab is never handed out for another."""
        super().__init__(*args, **options)
        self._bound_to = self.info.get("lab_id")

    @property
    def lab_id(self) -> int:
        """Return the lab of this session.

        Raises Unscoped when there is none, or when it was changed.
        """
        lab_id = self.info.get("lab_id")
        if lab_id is None:
            raise Unscoped("the session has no lab")
        if lab_id != self._bound_to:
            raise Unscoped(f"the session of lab {self._bound_to} was turned to lab {lab_id}")
        return int(lab_id)

    def get(self, *args: Any, **options: Any) -> Any:
        """Return a row by its key; the identity map is asked only for the session's own lab."""
        _ = self.lab_id
        return super().get(*args, **options)

    def connection(self, *_args: Any, **_options: Any) -> Connection:
        """Refuse: what runs on the bare connection cannot be narrowed to a lab."""
        raise Unscoped("a lab's session does not hand out its connection")

    def _refuse_bulk(self, *_args: Any, **_options: Any) -> None:
        raise Unscoped("bulk operations pass by the stamp of the lab; use add_all")

    bulk_save_objects = _refuse_bulk
    bulk_insert_mappings = _refuse_bulk
    bulk_update_mappings = _refuse_bulk


class InstallationSession(Session):
    """A session over all labs: sign-in, look-up by token, jobs; never for what acts for a lab."""


def hold_lab(session: Session, lab_id: int) -> None:
    """Let the writers of one lab take turns until the transaction ends.

    SQLite has one writer anyway; PostgreSQL takes an advisory lock. What is looked up after this
    (the last number, the head of the audit chain, a free serial) still holds at commit.
    """
    if session.get_bind().dialect.name == "postgresql":
        lock = select(func.pg_advisory_xact_lock(_LOCKS_OF_LABS, lab_id))
        Session.connection(session).execute(lock)


def hold_all(session: Session, what: int) -> None:
    """Let the writers of all labs take turns at one thing until the transaction ends."""
    if session.get_bind().dialect.name == "postgresql":
        Session.connection(session).execute(select(func.pg_advisory_xact_lock(what)))


_LOCKS_OF_LABS = 0x63616C
"""First half of the advisory lock's key, so that other users of the database have their own."""


@event.listens_for(LabSession, "do_orm_execute")
def _scope(state: ORMExecuteState) -> None:
    session = state.session
    lab_id = session.lab_id if isinstance(session, LabSession) else None
    if not state.is_orm_statement or state.is_insert:
        raise Unscoped("only ORM statements over mapped classes can be narrowed to a lab")
    if state.is_update or state.is_delete:
        hold_lab(session, session.info["lab_id"])
    if state.is_column_load or state.is_relationship_load:
        return  # the criteria travel with the parent statement
    state.statement = state.statement.options(
        with_loader_criteria(LabScoped, lambda cls: cls.lab_id == lab_id, include_aliases=True)
    )


@event.listens_for(LabSession, "after_begin")
def _name(session: Session, _begun: SessionTransaction, connection: Connection) -> None:
    if isinstance(session, LabSession):
        name_lab(connection, session.lab_id)


@event.listens_for(InstallationSession, "after_begin")
def _name_all(_session: Session, _begun: SessionTransaction, connection: Connection) -> None:
    name_all_labs(connection)


@event.listens_for(LabSession, "before_flush")
def _stamp(session: Session, _flush: UOWTransaction, _instances: object) -> None:
    lab_id = session.lab_id if isinstance(session, LabSession) else None
    new = session.new
    changed = (*new, *session.dirty, *session.deleted)
    if changed and lab_id is not None:
        hold_lab(session, lab_id)
    for row in changed:
        if not isinstance(row, LabScoped):
            continue
        if row in new and row.__dict__.get("lab_id") is None and lab_id is not None:
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
def beyond_the_lab(session: LabSession) -> Iterator[InstallationSession]:
    """Act across labs inside the transaction of one: for what people of several labs share."""
    session.flush()
    connection = Session.connection(session)
    with InstallationSession(connection, join_transaction_mode="rollback_only") as wide:
        try:
            yield wide
            wide.flush()
            changes.hand_over(wide, session)
        except BaseException:
            with suppress(DBAPIError):  # what the database has given up need not be narrowed again
                name_no_more(connection)
            raise
        name_no_more(connection)


def see_all_labs(connection: Connection) -> None:
    """Let a bare connection see every lab until its transaction ends: copies, moves, migrations."""
    name_all_labs(connection)


@contextmanager
def installation_session(
    engine: Engine, *, read_only: bool = False
) -> Iterator[InstallationSession]:
    """Open a session over all labs; commit at the end, roll back on any exception."""
    bind = engine.execution_options(read_only=True) if read_only else engine
    with InstallationSession(bind) as session, session.begin():
        yield session
