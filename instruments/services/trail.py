"""Reading the audit trail: by person, act, object, period and text, newest first, a page at a time.

Reads only; writing is `instruments.services.audit`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, or_, select, tuple_

from instruments.context import Context
from instruments.records.audit import AuditEvent
from instruments.records.parties import Person

MOST = 500
READINGS = "access:"
"""Beginning of acts that tell of looking, not of doing: exports and refusals."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which acts are asked for; what is empty narrows nothing."""

    person_id: int | None = None
    act: str = ""
    object_kind: str = ""
    object_id: int | None = None
    first_on: date | None = None
    last_on: date | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class ActView:
    """One row of the trail as people read it."""

    place: int
    happened_at: datetime
    person_id: int | None
    person: str
    """Name of whoever did it; empty: nobody signed in, a job."""
    via: str
    act: str
    object_kind: str
    object_id: int | None
    facts: dict[str, Any]
    changes: list[dict[str, Any]]
    request_id: str
    previous: str
    digest: str


@dataclass(frozen=True, slots=True)
class OwnActView:
    """What somebody did, as they themselves read it: nothing of the trail of the others."""

    number: int
    """Counted over one's own acts in this lab, from 1."""
    happened_at: datetime
    via: str
    act: str
    object_kind: str
    object_id: int | None
    facts: dict[str, Any]
    changes: list[dict[str, Any]]
    """Values before and after; not which rows and digests stand behind them."""
    request_id: str


def list_acts(
    ctx: Context, wanted: Wanted, *, before: int | None = None, limit: int = 50
) -> tuple[ActView, ...]:
    """Return acts of the lab, newest first, those with a place below `before`.

    Raises NotAllowed for whoever may not read the trail.
    """
    ctx.need("audit.read")
    return _acts(ctx, _conditions(ctx, wanted), before, limit)


def own_acts(ctx: Context, *, before: int | None = None, limit: int = 50) -> tuple[OwnActView, ...]:
    """Return what the actor did in this lab, newest first, those with a number below `before`."""
    ctx.need("account.read")
    number = func.row_number().over(order_by=AuditEvent.place).label("number")
    mine = (
        select(AuditEvent.id, number)
        .where(AuditEvent.lab_id == ctx.lab_id, AuditEvent.person_id == ctx.actor.person_id)
        .subquery()
    )
    statement = select(AuditEvent, mine.c.number).join(mine, mine.c.id == AuditEvent.id)
    if before is not None:
        statement = statement.where(mine.c.number < before)
    statement = statement.order_by(mine.c.number.desc()).limit(max(1, min(limit, MOST + 1)))
    return tuple(_own_view(row, number) for row, number in ctx.session.execute(statement))


def acts_about(ctx: Context, objects: Iterable[tuple[str, int]]) -> tuple[ActView, ...]:
    """Return what was done with some objects, oldest first; for whoever may export the trail."""
    ctx.need("audit.export")
    named = tuple_(AuditEvent.object_kind, AuditEvent.object_id).in_(sorted(set(objects)))
    conditions = [named, AuditEvent.act.not_like(f"{READINGS}%")]
    return tuple(reversed(_acts(ctx, conditions, None, None)))


def people_told(ctx: Context) -> tuple[tuple[int, str], ...]:
    """Return the people who did anything in this lab, by name."""
    ctx.need("audit.read")
    told = select(AuditEvent.person_id).where(AuditEvent.person_id.is_not(None)).distinct()
    rows = ctx.session.execute(
        select(Person.id, Person.name).where(Person.id.in_(told)).order_by(Person.name, Person.id)
    )
    return tuple((id_, name) for id_, name in rows)


def _acts(
    ctx: Context, conditions: Collection[ColumnElement[bool]], before: int | None, limit: int | None
) -> tuple[ActView, ...]:
    statement = (
        select(AuditEvent, Person.name)
        .outerjoin(Person, Person.id == AuditEvent.person_id)
        .where(AuditEvent.lab_id == ctx.lab_id, *conditions)
        .order_by(AuditEvent.place.desc())
    )
    if before is not None:
        statement = statement.where(AuditEvent.place < before)
    if limit is not None:
        statement = statement.limit(max(1, min(limit, MOST + 1)))
    return tuple(_view(row, name) for row, name in ctx.session.execute(statement))


def _conditions(ctx: Context, wanted: Wanted) -> list[ColumnElement[bool]]:
    asked = replace(wanted, text=wanted.text.strip())
    found: list[ColumnElement[bool]] = []
    for column, value in (
        (AuditEvent.person_id, asked.person_id),
        (AuditEvent.act, asked.act),
        (AuditEvent.object_kind, asked.object_kind),
        (AuditEvent.object_id, asked.object_id),
    ):
        if value not in (None, ""):
            found.append(column == value)
    if asked.first_on:
        found.append(AuditEvent.happened_at >= _start(ctx, asked.first_on))
    if asked.last_on:
        found.append(AuditEvent.happened_at < _start(ctx, asked.last_on + timedelta(days=1)))
    if asked.text:
        places = (AuditEvent.act, AuditEvent.facts, AuditEvent.changes, AuditEvent.request_id)
        texts = (cast(column, Text) for column in places)
        found.append(or_(*(text.icontains(asked.text, autoescape=True) for text in texts)))
    return found


def _start(ctx: Context, day: date) -> datetime:
    return datetime.combine(day, time(), ctx.zone)


def _own_view(row: AuditEvent, number: int) -> OwnActView:
    told = ("fields", "gone")
    changes = [{key: change[key] for key in told if key in change} for change in row.changes]
    return OwnActView(
        number=number,
        happened_at=row.happened_at,
        via=row.via,
        act=row.act,
        object_kind=row.object_kind,
        object_id=row.object_id,
        facts={name: value for name, value in row.facts.items() if name != "continues"},
        changes=[change for change in changes if change],
        request_id=row.request_id,
    )


def _view(row: AuditEvent, name: str | None) -> ActView:
    return ActView(
        place=row.place,
        happened_at=row.happened_at,
        person_id=row.person_id,
        person=name or "",
        via=row.via,
        act=row.act,
        object_kind=row.object_kind,
        object_id=row.object_id,
        facts=row.facts,
        changes=row.changes,
        request_id=row.request_id,
        previous=row.previous,
        digest=row.digest,
    )
