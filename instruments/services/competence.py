"""Who of the lab may do which work: grant, end, and refuse what nobody granted.

ISO/IEC 17025 6.2.5 and 6.2.6. A lab that keeps competence allows nothing that no row covers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select

from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.errors import Conflict, Invalid, Refused
from instruments.policy import Thing
from instruments.procedure import InstrumentType
from instruments.quantities import parse_decimal
from instruments.records.competence import BASES, COMPETENT_ACTS, Competence
from instruments.records.parties import Lab, Membership, Person
from instruments.services import audit, fields
from instruments.services.humans import had_a_hand
from instruments.services.models import check_known
from instruments.services.rows import get_row, not_found

DOING = {"performs": "performing", "reviews": "reviewing", "authorises": "authorising"}
CLAUSE = "ISO/IEC 17025:2017 6.2.6"


@dataclass(frozen=True, slots=True)
class CompetenceEntry:
    """What is granted; `type_id` or `document` names the work, empty parts mean all of it."""

    person_id: int
    act: str
    starts_on: date
    basis: str
    evidence: str
    type_id: str = ""
    document: str = ""
    measurand: str = ""
    low: str | None = None
    high: str | None = None
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class CompetenceView:
    """A row as it stands."""

    id: int
    entry: CompetenceEntry
    person_name: str
    granted_by: str
    granted_at: datetime
    ended_by: str
    end_reason: str


@dataclass(frozen=True, slots=True)
class Work:
    """What somebody wants to do: a type, and by measurand the lowest and highest value."""

    definition: InstrumentType
    values: tuple[tuple[str, tuple[str, ...]], ...]
    """Measurand and its nominal values as decimal text; none: some measurand of the type."""


def grant(ctx: Context, entry: CompetenceEntry, *, catalogue: Catalogue) -> int:
    """Authorise a colleague and return the id of the row.

    Raises NotAllowed unless a quality or lab manager asks, Refused when it is for themselves,
    NotFound for whoever never had a role here, Invalid for unusable fields, Conflict when the same
    was granted for that period already.
    """
    ctx.need("competence.write", Thing(ctx.lab_id, done_by=frozenset({entry.person_id})))
    known = select(Membership.id).where(Membership.person_id == entry.person_id).limit(1)
    if ctx.session.scalar(known) is None:
        raise not_found("person", entry.person_id, "/person_id")
    if had_a_hand(ctx.session, ctx.actor.person_id, {entry.person_id}):
        raise Refused(
            "needs-another-person",
            "{name} had a hand in this already and may not do this too. Ask a colleague.",
            facts={"name": ctx.actor.name},
            clause=CLAUSE,
        )
    row = _row(ctx, entry, catalogue)
    ctx.session.add(row)
    ctx.session.flush()
    audit.record(ctx, "registry:competence:grant", "competence", row.id, _said(row))
    return row.id


def end(ctx: Context, row_id: int, ends_on: date, reason: str) -> None:
    """Set the last day of a row, with the reason.

    Raises NotAllowed unless a quality or lab manager asks, NotFound, Conflict when it was ended
    before, Invalid without a reason.
    """
    ctx.need("competence.write")
    row = get_row(ctx, Competence, row_id, "competence")
    if row.ended_by is not None:
        raise Conflict(
            "competence-ended",
            "This authorisation was ended before ({reason}). Grant a new one where it holds again.",
            facts={"reason": row.end_reason},
        )
    why = fields.words(reason, "/reason", required=True)
    before = row.ends_on
    # a day before the first means: never in force
    row.ends_on, row.ended_by, row.end_reason = ends_on, ctx.actor.person_id, why
    facts = {**_said(row), "before": before.isoformat() if before else None, "reason": why}
    audit.record(ctx, "registry:competence:end", "competence", row.id, facts)


def list_rows(ctx: Context) -> tuple[CompetenceView, ...]:
    """Return every row, ended ones included.

    Raises NotAllowed for people who are not the lab's own.
    """
    ctx.need("competence.read")
    rows = ctx.session.scalars(
        select(Competence).order_by(
            Competence.person_id, Competence.type_id, Competence.document, Competence.id
        )
    ).all()
    ids = {id_ for row in rows for id_ in (row.person_id, row.granted_by, row.ended_by) if id_}
    names = _names(ctx, ids)
    return tuple(_view(row, names) for row in rows)


def is_kept(ctx: Context) -> bool:
    """Answer whether this lab allows only what was granted."""
    return bool(ctx.session.scalar(select(Lab.keeps_competence).where(Lab.id == ctx.lab_id)))


def need(ctx: Context, person_id: int, act: str, work: Work, on: date) -> None:
    """Refuse work that a person is not authorised for on a day; nothing where it is not kept.

    Raises Refused naming who, the act, the type and the value that no row covers.
    """
    if not is_kept(ctx):
        return
    mine = ctx.session.scalars(
        select(Competence)
        .where(Competence.person_id == person_id, Competence.act == act)
        .order_by(Competence.id)
    ).all()
    about = [row for row in mine if _is_about(row, work.definition)]
    name = _names(ctx, {person_id})[person_id]
    held = [row for row in about if _holds(row, on)]
    if not held:
        raise _not_at_all(name, act, work.definition, about, on)
    for measurand, values in work.values:
        fitting = [row for row in held if row.measurand in ("", measurand)]
        for value in values:
            if not any(_covers(row, value) for row in fitting):
                raise _not_this(name, act, work.definition, measurand, value, fitting)


def _is_about(row: Competence, definition: InstrumentType) -> bool:
    return row.type_id in ("", definition.id) and (
        row.document == "" or row.document in {one.id for one in definition.documents}
    )


def _holds(row: Competence, on: date) -> bool:
    return row.starts_on <= on and (row.ends_on is None or on <= row.ends_on)


def _covers(row: Competence, value: str) -> bool:
    if row.low is None or row.high is None:
        return True
    return Decimal(row.low) <= Decimal(value) <= Decimal(row.high)


def _not_at_all(
    name: str, act: str, definition: InstrumentType, about: Collection[Competence], on: date
) -> Refused:
    facts = {"name": name, "act": DOING[act], "type": definition.name, "day": on.isoformat()}
    if not about:
        return Refused(
            "competence-missing",
            "{name} is not authorised for {act}: {type}. Ask the quality manager to grant it, or "
            "a colleague who is authorised.",
            facts=facts,
            clause=CLAUSE,
        )
    periods = ", ".join(f"{one.starts_on} … {one.ends_on or ''}".rstrip() for one in about)
    return Refused(
        "competence-out-of-date",
        "{name} was not authorised on {day} for {act}: {type} (authorised: {periods}). Ask "
        "the quality manager to grant it anew, or a colleague who is authorised.",
        facts={**facts, "periods": periods},
        clause=CLAUSE,
    )


def _not_this(
    name: str,
    act: str,
    definition: InstrumentType,
    measurand: str,
    value: str,
    fitting: Iterable[Competence],
) -> Refused:
    ranges = ", ".join(f"{row.low} … {row.high}" for row in fitting)
    return Refused(
        "competence-out-of-range",
        "{name} is not authorised for {act} {measurand} at {value}: {type} (authorised: "
        "{ranges}). Ask the quality manager to widen it, or a colleague who is authorised.",
        at=f"/points/{measurand}",
        facts={
            "name": name,
            "act": DOING[act],
            "type": definition.name,
            "measurand": definition.measurand(measurand).name,
            "value": value,
            "ranges": ranges or "–",
        },
        clause=CLAUSE,
    )


def _row(ctx: Context, entry: CompetenceEntry, catalogue: Catalogue) -> Competence:
    fields.choice(entry.act, COMPETENT_ACTS, "/act")
    fields.choice(entry.basis, BASES, "/basis")
    fields.period(entry.starts_on, entry.ends_on, "/ends_on")
    document = fields.words(entry.document, "/document")
    if not entry.type_id and not document:
        raise Invalid(
            "competence-without-work",
            "Nothing says which work is meant. Choose an instrument type, or name a governing "
            "document.",
            at="/type_id",
        )
    if entry.type_id:
        known_ones = {m.id for m in catalogue.get(entry.type_id).measurands}
        if entry.measurand:
            check_known(entry.measurand, known_ones, "")
    elif entry.measurand or entry.low or entry.high:
        raise Invalid(
            "competence-range-of-nothing",
            "A quantity and a range need an instrument type: only that says what is meant and in "
            "which unit. Choose one, or leave both out.",
            at="/type_id",
        )
    low, high = _range(entry)
    row = Competence(
        person_id=entry.person_id,
        act=entry.act,
        type_id=entry.type_id,
        document=document,
        measurand=entry.measurand,
        low=low,
        high=high,
        starts_on=entry.starts_on,
        ends_on=entry.ends_on,
        basis=entry.basis,
        evidence=fields.words(entry.evidence, "/evidence", required=True),
        granted_by=ctx.actor.person_id,
        granted_at=ctx.now,
        ended_by=None,
        end_reason="",
    )
    _need_new(ctx, row)
    return row


def _range(entry: CompetenceEntry) -> tuple[str | None, str | None]:
    if not entry.low and not entry.high:
        return None, None
    if not entry.low or not entry.high or not entry.measurand:
        raise Invalid(
            "competence-range-half",
            "A range needs a quantity, its lowest and its highest value. Complete it, or leave "
            "both values out for the whole range.",
            at="/low",
        )
    if parse_decimal(entry.low, at="/low") > parse_decimal(entry.high, at="/high"):
        raise Invalid(
            "range-backwards",
            "The range of validity runs from {low} to {high}. Put the smaller value first.",
            at="/low",
            facts={"low": entry.low, "high": entry.high},
        )
    return entry.low, entry.high


def _need_new(ctx: Context, new: Competence) -> None:
    same = select(Competence).where(
        Competence.person_id == new.person_id,
        Competence.act == new.act,
        Competence.type_id == new.type_id,
        Competence.document == new.document,
        Competence.measurand == new.measurand,
    )
    for row in ctx.session.scalars(same):
        apart = (new.ends_on is not None and new.ends_on < row.starts_on) or (
            row.ends_on is not None and row.ends_on < new.starts_on
        )
        if not apart and (row.low, row.high) == (new.low, new.high):
            raise Conflict(
                "competence-held",
                "This person is authorised for exactly this in that period already. End that row "
                "first.",
                at="/starts_on",
            )


def _names(ctx: Context, ids: Collection[int]) -> dict[int, str]:
    rows = ctx.session.execute(select(Person.id, Person.name).where(Person.id.in_(ids)))
    return {id_: name for id_, name in rows}  # noqa: C416 -- rows are no pairs to mypy


def _view(row: Competence, names: dict[int, str]) -> CompetenceView:
    entry = CompetenceEntry(
        person_id=row.person_id,
        act=row.act,
        starts_on=row.starts_on,
        basis=row.basis,
        evidence=row.evidence,
        type_id=row.type_id,
        document=row.document,
        measurand=row.measurand,
        low=row.low,
        high=row.high,
        ends_on=row.ends_on,
    )
    return CompetenceView(
        id=row.id,
        entry=entry,
        person_name=names[row.person_id],
        granted_by=names[row.granted_by],
        granted_at=row.granted_at,
        ended_by=names.get(row.ended_by or 0, ""),
        end_reason=row.end_reason,
    )


def _said(row: Competence) -> dict[str, object]:
    return {
        "person": row.person_id,
        "act": row.act,
        "type": row.type_id,
        "document": row.document,
        "measurand": row.measurand,
        "range": [row.low, row.high],
        "from": row.starts_on.isoformat(),
        "until": row.ends_on.isoformat() if row.ends_on else None,
        "basis": row.basis,
        "evidence": row.evidence,
    }
