"""What a transaction changed, row by row, collected while it is written: the trail takes it.

Of a row that changed both values of each field are kept, of a row that was made its digest, of a
row that is gone what it held. Long values stand as their digest; secrets are never told.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Table, event, inspect, select
from sqlalchemy.orm import InstanceState, Session, SessionTransaction, UOWTransaction
from sqlalchemy.types import TypeDecorator

UNTOLD = frozenset(
    {
        "audit_events",
        "refusal_counts",
        "challenges",
        "provider_flows",  # a step that waits for a browser, as does a challenge
        "idempotency_keys",  # remembers an answer, changes nothing
        "number_series",  # counted with the row that takes the number; templates are told apart
        "outbox",
        "deliveries",
        "schedule_runs",
        "sign_ins",
        "sign_in_failures",
        "ledger_leaves",
        "log_checkpoints",
        "log_cosignatures",
    }
)
"""Tables that hold no work of the lab, or are themselves a trail."""
MOST_OF_VALUE = 200
HIDDEN = "\u2026"
_SECRET = (
    "_hash", "token", "secret", "salt", "token_sha256", "code_sha256", "bound_sha256",
    "subject_sha256", "state_sha256", "nonce",
)  # fmt: skip
_ERASABLE = {("persons", "name"), ("persons", "email")}
"""A person may have them erased, and the trail keeps what it is told for good."""
_KEY = "changes"
_LAB = "lab"
"""Whose row it is: kept while it is collected, not told."""
_MARKS = "changes_at_savepoint"


def take(session: Session) -> list[dict[str, Any]]:
    """Return what was written since it was last asked, and forget it."""
    found = session.info.pop(_KEY, {})
    rows = ({name: row[name] for name in row if name != _LAB} for row in found.get("rows", ()))
    return [*rows, *_made(found.get("made", {}))]


def part(session: Session, lab_ids: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """Return what was written by whom it concerns, and forget it.

    A row of a laboratory is that laboratory's; what belongs to none (an account) concerns all.
    Raises KeyError for a row of a laboratory that is not among them: nobody would tell it.
    """
    found = session.info.pop(_KEY, {})
    whole: dict[int, dict[str, Any]] = {lab_id: {"rows": [], "made": {}} for lab_id in lab_ids}
    for row in found.get("rows", ()):
        for lab_id in lab_ids if row[_LAB] is None else (row[_LAB],):
            whole[lab_id]["rows"].append(row)
    for table, made in found.get("made", {}).items():
        for id_, values in made.items():
            lab = values.get("lab_id")
            for lab_id in lab_ids if lab is None else (int(str(lab)),):
                whole[lab_id]["made"].setdefault(table, {})[id_] = values
    told = {}
    for lab_id, one in whole.items():
        session.info[_KEY] = one
        told[lab_id] = take(session)
    return told


def hand_over(inner: Session, outer: Session) -> None:
    """Let a session tell what another one wrote inside its transaction."""
    found = inner.info.pop(_KEY, {})
    for row in found.get("rows", ()):
        _rows(outer).append(row)
    for name, rows in found.get("made", {}).items():
        _collected(outer).setdefault("made", {}).setdefault(name, {}).update(rows)


def waiting(session: Session) -> bool:
    """Answer whether something was written that nobody took."""
    return bool(session.info.get(_KEY))


def stored(column: Column[Any], value: object) -> object:
    """Return the value as the database holds it: text, a whole number or nothing."""
    kind = column.type
    held = kind.process_bind_param(value, None) if isinstance(kind, TypeDecorator) else value  # type: ignore[arg-type]
    return hashlib.sha256(held).hexdigest() if isinstance(held, bytes) else held


def is_secret(column: Column[Any]) -> bool:
    """Answer whether what stands in a column opens doors: it is told nowhere."""
    return column.name.endswith(_SECRET)


def digest_of_rows(rows: Iterable[Mapping[str, object]]) -> str:
    """Return the digest of rows as the database holds them, in the order given."""
    total = hashlib.sha256()
    for row in rows:
        line = json.dumps(row, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        total.update(line.encode() + b"\n")
    return total.hexdigest()


def spans(ids: Sequence[int]) -> list[list[int]]:
    """Return whole numbers in order as spans of first and last."""
    found: list[list[int]] = []
    for id_ in sorted(ids):
        if found and found[-1][1] == id_ - 1:
            found[-1][1] = id_
        else:
            found.append([id_, id_])
    return found


@event.listens_for(Session, "before_flush")
def _before(session: Session, _flush: UOWTransaction, _instances: object) -> None:
    """Collect what changes or goes: what stood before is still there to be read."""
    for row in session.dirty:
        fields = dict(_differences(session, row))
        if fields:
            told = {"table": _table(row).name, "id": row.id, "fields": fields}
            _rows(session).append({**told, _LAB: getattr(row, "lab_id", None)})
    for row in session.deleted:
        table = _table(row)
        if table.name not in UNTOLD:
            gone = {name: _told(table.c[name], getattr(row, name)) for name in _names(row)}
            told = {"table": table.name, "id": row.id, "gone": gone}
            _rows(session).append({**told, _LAB: getattr(row, "lab_id", None)})


@event.listens_for(Session, "after_flush")
def _after(session: Session, _flush: UOWTransaction) -> None:
    """Collect what was made: now it has its number."""
    for row in session.new:
        table = _table(row)
        if table.name not in UNTOLD:
            values = {name: stored(table.c[name], getattr(row, name)) for name in _names(row)}
            made = _collected(session).setdefault("made", {})
            made.setdefault(table.name, {})[inspect(row).identity or values.get("id")] = values


@event.listens_for(Session, "after_transaction_create")
def _opened(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        kept = session.info.get(_KEY, {})
        made = {name: dict(rows) for name, rows in kept.get("made", {}).items()}
        copy = {"rows": list(kept.get("rows", ())), "made": made} if kept else {}
        session.info.setdefault(_MARKS, {})[transaction] = copy


@event.listens_for(Session, "after_transaction_end")
def _closed(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_KEY, None)
        session.info.pop(_MARKS, None)


@event.listens_for(Session, "after_soft_rollback")
def _undone(session: Session, transaction: SessionTransaction) -> None:
    """Forget what a savepoint took back with it."""
    before = session.info.get(_MARKS, {}).pop(transaction, None)  # it has ended by now
    if before:
        session.info[_KEY] = before
    else:
        session.info.pop(_KEY, None)


def _collected(session: Session) -> dict[str, Any]:
    found: dict[str, Any] = session.info.setdefault(_KEY, {})
    return found


def _rows(session: Session) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = _collected(session).setdefault("rows", [])
    return rows


def _made(made: Mapping[str, Mapping[int, Mapping[str, object]]]) -> Iterator[dict[str, Any]]:
    for name, rows in sorted(made.items()):
        ids = sorted(rows)
        digest = digest_of_rows(rows[id_] for id_ in ids)
        yield {"table": name, "made": spans(ids), "digest": digest}


def _differences(session: Session, row: Any) -> Iterator[tuple[str, list[object]]]:
    state, table = inspect(row), _table(row)
    if table.name in UNTOLD:
        return
    for name in _names(row):
        history = state.attrs[name].history
        if not history.has_changes():
            continue
        before = history.deleted[0] if history.deleted else _in_database(session, state, name)
        after = history.added[0] if history.added else None
        if before != after:
            column = table.c[name]
            yield name, [_told(column, before), _told(column, after)]


def _in_database(session: Session, state: InstanceState[Any], name: str) -> Any:
    """Return what stands of a field that was set without having been read."""
    kind, keys = (
        state.mapper.class_,
        zip(state.mapper.primary_key, state.identity or (), strict=False),
    )
    asked = select(getattr(kind, name)).where(*(column == value for column, value in keys))
    with session.no_autoflush:
        return session.scalar(asked)


def _told(column: Column[Any], value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    if is_secret(column) or (column.table.name, column.name) in _ERASABLE:
        return HIDDEN
    held = stored(column, value)
    if isinstance(held, str) and len(held) > MOST_OF_VALUE:
        return f"sha256:{hashlib.sha256(held.encode()).hexdigest()}"
    return held


def _table(row: Any) -> Table:
    table: Table = inspect(row).mapper.local_table
    return table


def _names(row: Any) -> list[str]:
    return [one.key for one in inspect(row).mapper.column_attrs]
