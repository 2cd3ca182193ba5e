"""The history of one instrument: status, orders, records of work and certificates in one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import or_, select
from sqlalchemy.orm import aliased

from calib.records.calibrations import Calibration
from calib.records.certificates import Certificate, CertificateEvent
from calib.services.standing import records_ordered_by
from instruments.context import Context
from instruments.records.instruments import InstrumentStatus
from instruments.records.orders import Order, OrderLine
from instruments.records.parties import Person
from instruments.services.instruments import InstrumentView, get_instrument
from instruments.services.rows import own_customer
from instruments.services.transfers import handed_over_to, owned_since, transfers_of

ObjectKind = Literal["instrument", "order", "calibration", "certificate"]
STATUS_WORDS: Mapping[str, str] = {
    "in_service": "Put in service",
    "limited": "Put to limited use: {reason}",
    "out_of_service": "Taken out of service: {reason}",
    "lost": "Reported lost: {reason}",
    "scrapped": "Scrapped: {reason}",
}
RECORD_WORDS: Mapping[str, str] = {
    "draft": "Record {id} opened: in work",
    "submitted": "Record {id} opened: submitted for review",
    "reviewed": "Record {id} opened: reviewed",
    "authorised": "Record {id} opened: authorised",
    "reserved": "Record {id} opened: its certificate is being made",
    "issued": "Record {id} opened: its certificate is issued",
    "closed": "Record {id} opened: closed without a certificate ({reason})",
}
TRANSFER_WORDS: Mapping[bool, str] = {
    False: "Passed on {day} from {giver} to {taker}: {reason}. Agreed: {consent}. What went before "
    "stays with the former owner",
    True: "Passed on {day} from {giver} to {taker}: {reason}. Agreed: {consent}. Earlier orders "
    "and certificates were handed over",
}
EVENT_WORDS: Mapping[str, str] = {
    "reserved": "Number {number} reserved",
    "issued": "Certificate {number} issued",
    "void": "Number {number} voided: {reason}",
    "superseded": "Certificate {number} replaced by {successor}: {reason}",
    "withdrawn": "Certificate {number} withdrawn: {reason}",
}
WITHDRAWN_WORDS = "Certificate {number} withdrawn: do not rely on it"
"""The same for whom the reason was not written."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that happened to the instrument."""

    at: datetime
    kind: ObjectKind
    object_id: int
    message: str
    """English sentence with ``{named}`` placeholders."""
    facts: Mapping[str, object] = field(default_factory=dict)
    person: str = ""


@dataclass(frozen=True, slots=True)
class InstrumentHistory:
    """The instrument as it stands and all that happened to it, newest first."""

    instrument: InstrumentView
    entries: tuple[HistoryEntry, ...]


def instrument_history(ctx: Context, instrument_id: int) -> InstrumentHistory:
    """Return what happened to an instrument.

    Raises
    ------
    NotFound
        The lab has no such instrument, or the actor may not see it.
    """
    ctx.need("instrument.read")
    instrument = get_instrument(ctx, instrument_id)
    entries = [
        *_statuses(ctx, instrument_id),
        *_transfers(ctx, instrument_id),
        *_orders(ctx, instrument_id),
        *_records(ctx, instrument_id),
        *_certificates(ctx, instrument_id),
    ]
    if not ctx.actor.is_staff:
        entries = [_outside(entry) for entry in entries if not _is_inner(entry)]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return InstrumentHistory(
        instrument=instrument,
        entries=tuple(entries),
    )


def _is_inner(entry: HistoryEntry) -> bool:
    """Answer whether it is the lab's own affair: drafts, and numbers in the making."""
    making = (EVENT_WORDS["reserved"], EVENT_WORDS["void"])
    return entry.kind == "calibration" or entry.message in making


def _outside(entry: HistoryEntry) -> HistoryEntry:
    """Return what the customer's people are told: not who of the lab, nor what they wrote down."""
    if entry.message == EVENT_WORDS["withdrawn"]:
        facts = {"number": entry.facts["number"]}
        return replace(entry, message=WITHDRAWN_WORDS, facts=facts, person="")
    return replace(entry, person="")


def _statuses(ctx: Context, instrument_id: int) -> Iterator[HistoryEntry]:
    rows = ctx.session.execute(
        select(InstrumentStatus, Person.name)
        .outerjoin(Person, Person.id == InstrumentStatus.person_id)
        .where(InstrumentStatus.instrument_id == instrument_id)
        .order_by(InstrumentStatus.id)
    )
    since = owned_since(ctx, instrument_id)
    for row, person in rows:
        if since is not None and row.from_at <= since:
            continue
        yield HistoryEntry(
            at=row.from_at,
            kind="instrument",
            object_id=instrument_id,
            message=STATUS_WORDS[row.status],
            facts={"reason": row.reason or "-"},
            person=person or "",
        )


def _transfers(ctx: Context, instrument_id: int) -> Iterator[HistoryEntry]:
    for one in transfers_of(ctx, instrument_id):
        yield HistoryEntry(
            at=one.recorded_at,
            kind="instrument",
            object_id=instrument_id,
            message=TRANSFER_WORDS[one.hands_over],
            facts={
                "giver": one.from_customer.text(ctx.language),
                "taker": one.to_customer.text(ctx.language),
                "day": one.transferred_on.isoformat(),
                "reason": one.reason,
                "consent": one.consent,
            },
        )


def _orders(ctx: Context, instrument_id: int) -> Iterator[HistoryEntry]:
    own = own_customer(ctx)  # an instrument that changed hands keeps its former owner's orders
    rows = ctx.session.execute(
        select(OrderLine, Order, Person.name)
        .join(Order, Order.id == OrderLine.order_id)
        .outerjoin(Person, Person.id == OrderLine.received_by)
        .where(
            OrderLine.instrument_id == instrument_id,
            *(
                ()
                if own is None
                else (or_(Order.customer_id == own, OrderLine.id.in_(handed_over_to(own))),)
            ),
        )
        .order_by(OrderLine.id)
    )
    for line, order, receiver in rows:
        facts = {"number": order.number, "condition": line.condition or "-"}
        yield HistoryEntry(order.created_at, "order", order.id, "Requested (order {number})", facts)
        if line.received_at is not None:
            message = "Received (order {number}), condition: {condition}"
            yield HistoryEntry(line.received_at, "order", order.id, message, facts, receiver or "")
        if line.returned_at is not None:
            yield HistoryEntry(
                line.returned_at, "order", order.id, "Returned (order {number})", facts
            )


def _records(ctx: Context, instrument_id: int) -> Iterator[HistoryEntry]:
    rows = ctx.session.execute(
        select(Calibration, Person.name)
        .outerjoin(Person, Person.id == Calibration.opened_by)
        .where(Calibration.instrument_id == instrument_id)
        .order_by(Calibration.id)
    )
    for row, person in rows:
        yield HistoryEntry(
            at=row.opened_at,
            kind="calibration",
            object_id=row.id,
            message=RECORD_WORDS[row.state],
            facts={"id": row.id, "reason": row.closing_reason or "-"},
            person=person or "",
        )


def _certificates(ctx: Context, instrument_id: int) -> Iterator[HistoryEntry]:
    own = own_customer(ctx)
    successor = aliased(Certificate)
    rows = ctx.session.execute(
        select(Certificate.id, Certificate.number, CertificateEvent, successor.number, Person.name)
        .join(CertificateEvent, CertificateEvent.certificate_id == Certificate.id)
        .outerjoin(successor, successor.id == CertificateEvent.successor_id)
        .outerjoin(Person, Person.id == CertificateEvent.person_id)
        .where(
            Certificate.instrument_id == instrument_id,
            *(() if own is None else (Certificate.calibration_id.in_(records_ordered_by(own)),)),
        )
        .order_by(CertificateEvent.id)
    )
    for id_, number, event, replaced_by, person in rows:
        yield HistoryEntry(
            at=event.happened_at,
            kind="certificate",
            object_id=id_,
            message=EVENT_WORDS[event.event],
            facts={"number": number, "reason": event.reason or "-", "successor": replaced_by or ""},
            person=person or "",
        )
