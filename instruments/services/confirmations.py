"""Confirm that a limit of a type stands in the bought document as the type says it.

A limit that is background knowledge (``BG``) may not decide a certificate before a named person of
the lab has compared it with the document. A confirmation holds for the figure: it stays while the
limit stays as it is, also in the lab's own method, and is lost when the limit is changed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select

from instruments.catalogue.figures import LimitFigure, figure_digest, figure_of, open_figures
from instruments.confirmed import Confirmed
from instruments.context import Context
from instruments.errors import Conflict, Invalid, NotFound, Refused
from instruments.procedure import InstrumentType, Limit
from instruments.records.methods import Confirmation
from instruments.records.parties import Person
from instruments.services import audit, fields
from instruments.tenancy import hold_lab

_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-"))


@dataclass(frozen=True, slots=True)
class ConfirmationView:
    """Who compared a figure with which document, and when."""

    id: int
    measurand: str
    figure_digest: str
    person_id: int
    person_name: str
    document: str
    clause: str
    remark: str
    confirmed_on: date
    recorded_at: datetime

    def stated(self) -> Confirmed:
        """Return what a frozen record and its certificate say of it."""
        return Confirmed(
            self.person_name, self.confirmed_on.isoformat(), self.document, self.clause
        )


@dataclass(frozen=True, slots=True)
class FigureView:
    """A limit that the catalogue does not vouch for, and what this lab has done about it."""

    figure: LimitFigure
    confirmation: ConfirmationView | None
    """None: still open in this lab."""


@dataclass(frozen=True, slots=True)
class ConfirmationEntry:
    """What a person says who compared a figure."""

    document: str
    """Number and edition as on the copy that was read."""
    clause: str
    confirmed_on: date
    remark: str = ""


def confirm(
    ctx: Context,
    definition: InstrumentType,
    measurand: str,
    figure: str,
    entry: ConfirmationEntry,
) -> ConfirmationView:
    """Record that the actor found the limit with this digest in the document as the type says it.

    Raises
    ------
    NotAllowed
        Neither manager nor signatory.
    NotFound
        The type has no such limit now.
    Conflict
        It is confirmed already.
    Refused
        The limit needs no confirmation, or another edition than the one it names was read.
    Invalid
        A field is missing, or the day lies ahead.
    """
    ctx.need("figure.confirm")
    limit = _limit(definition, measurand, figure)
    if limit.confidence != "BG":
        raise Refused(
            "figure-not-open",
            "This limit carries the tag {confidence} and needs no confirmation. Choose one with "
            "BG.",
            facts={"confidence": limit.confidence},
        )
    document = _same_edition(entry.document, limit)
    clause = fields.words(entry.clause, "/clause", required=True)
    remark = fields.words(entry.remark, "/remark")
    if entry.confirmed_on > ctx.today:
        raise Invalid(
            "confirmed-ahead",
            "{on} lies ahead, today is {today} in {zone}, where the laboratory is. Give the day"
            " the figure was compared.",
            at="/confirmed_on",
            facts={
                "on": entry.confirmed_on.isoformat(),
                "today": ctx.today.isoformat(),
                "zone": str(ctx.zone),
            },
        )
    hold_lab(ctx.session, ctx.lab_id)
    standing = confirmed(ctx, definition.id).get(figure)
    if standing is not None:
        raise Conflict(
            "figure-confirmed",
            "{person} confirmed this limit on {on}. Revoke that first if it was wrong.",
            facts={"person": standing.person_name, "on": standing.confirmed_on.isoformat()},
        )
    row = Confirmation(
        type_id=definition.id,
        measurand=measurand,
        figure=figure_of(limit),
        figure_digest=figure,
        act="confirmed",
        document=document,
        clause=clause,
        remark=remark,
        person_id=ctx.actor.person_id,
        confirmed_on=entry.confirmed_on,
        recorded_at=ctx.now,
    )
    _add(ctx, row)
    return confirmed(ctx, definition.id)[figure]


def revoke(ctx: Context, type_id: str, figure: str, reason: str) -> None:
    """Take a confirmation back: whoever relied on it is asked again.

    Raises
    ------
    NotAllowed
        Neither manager nor signatory.
    NotFound
        The figure is not confirmed.
    Invalid
        Without a reason.
    """
    ctx.need("figure.confirm")
    why = fields.words(reason, "/reason", required=True)
    hold_lab(ctx.session, ctx.lab_id)
    standing = confirmed(ctx, type_id).get(figure)
    if standing is None:
        raise NotFound(
            "figure-not-confirmed",
            "This limit of {type_id} is not confirmed, so there is nothing to revoke. Look at the "
            "type in the catalogue.",
            facts={"type_id": type_id},
        )
    before = ctx.session.scalars(select(Confirmation).where(Confirmation.id == standing.id)).one()
    row = Confirmation(
        type_id=type_id,
        measurand=before.measurand,
        figure=before.figure,
        figure_digest=figure,
        act="revoked",
        document=before.document,
        clause=before.clause,
        remark=why,
        person_id=ctx.actor.person_id,
        confirmed_on=ctx.today,
        recorded_at=ctx.now,
    )
    _add(ctx, row)


def confirmed(ctx: Context, *type_ids: str) -> Mapping[str, ConfirmationView]:
    """Return the confirmations that stand for some types, all without a name, by the digest."""
    found: dict[str, ConfirmationView] = {}
    wanted = (
        select(Confirmation, Person.name)
        .join(Person, Person.id == Confirmation.person_id)
        .order_by(Confirmation.id)
    )
    if type_ids:
        wanted = wanted.where(Confirmation.type_id.in_(type_ids))
    for row, name in ctx.session.execute(wanted):
        if row.act == "revoked":
            found.pop(row.figure_digest, None)
        else:
            found[row.figure_digest] = _view(row, name)
    return found


def list_figures(ctx: Context, types: Iterable[InstrumentType]) -> tuple[FigureView, ...]:
    """Return every BG limit of these types with the lab's confirmation where there is one.

    Raises
    ------
    NotAllowed
        The actor is none of the lab's own people.
    """
    ctx.need("figure.read")
    known = confirmed(ctx)
    return tuple(
        FigureView(figure, known.get(figure.digest))
        for type_ in types
        for figure in open_figures(type_)
    )


def list_open(ctx: Context, types: Iterable[InstrumentType]) -> tuple[FigureView, ...]:
    """Return the BG limits of these types that the lab has not confirmed; as `list_figures`."""
    return tuple(one for one in list_figures(ctx, types) if one.confirmation is None)


def limits_with_confirmations(
    ctx: Context, definition: InstrumentType
) -> Mapping[str, tuple[Limit, ...]]:
    """Return the limits of each measurand, those the lab has confirmed saying by whom."""
    known = confirmed(ctx, definition.id) if open_figures(definition) else {}

    def stated(measurand: str, limit: Limit) -> Limit:
        found = limit.confidence == "BG" and known.get(
            figure_digest(definition.id, measurand, limit)
        )
        return replace(limit, confirmed=found.stated()) if found else limit

    return {m.id: tuple(stated(m.id, limit) for limit in m.limits) for m in definition.measurands}


def _limit(definition: InstrumentType, measurand: str, figure: str) -> Limit:
    for known in definition.measurands:
        for limit in known.limits if known.id == measurand else ():
            if figure_digest(definition.id, measurand, limit) == figure:
                return limit
    raise NotFound(
        "figure-unknown",
        "The instrument type {id} has no such limit of {measurand}; it may have been changed. Open "
        "the type in the catalogue again and choose the limit there.",
        facts={"id": definition.id, "measurand": measurand},
    )


def _same_edition(given: str, limit: Limit) -> str:
    """Return what was read, spelled as on the copy.

    Raises Refused when it is not the document and edition the limit names.
    """
    document = fields.words(given, "/document", required=True)
    if _bare(document) != _bare(limit.document):
        raise Refused(
            "figure-other-edition",
            "You read {got}, but this limit is that of {expected}. Compare it with {expected}; if "
            "the laboratory follows {got}, change the limit in a method of its own.",
            at="/document",
            facts={"got": document, "expected": limit.document},
        )
    return document


def _bare(number: str) -> str:
    """Return a number of a document without what only its printing varies."""
    text = unicodedata.normalize("NFKC", number).translate(_DASHES)
    return "".join(text.split()).casefold()


def _add(ctx: Context, row: Confirmation) -> None:
    ctx.session.add(row)
    ctx.session.flush()
    act = "confirm" if row.act == "confirmed" else "revoke"
    facts = {
        "type": row.type_id,
        "measurand": row.measurand,
        "figure": row.figure_digest,
        "document": row.document,
        "clause": row.clause,
        "on": row.confirmed_on.isoformat(),
        "remark": row.remark,
    }
    audit.record(ctx, f"registry:figure:{act}", "confirmation", row.id, facts)


def _view(row: Confirmation, name: str) -> ConfirmationView:
    return ConfirmationView(
        id=row.id,
        measurand=row.measurand,
        figure_digest=row.figure_digest,
        person_id=row.person_id,
        person_name=name,
        document=row.document,
        clause=row.clause,
        remark=row.remark,
        confirmed_on=row.confirmed_on,
        recorded_at=row.recorded_at,
    )
