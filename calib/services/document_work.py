"""Work in hand and issued certificates that rest on a governing document.

The definition frozen into a record is the truth of its certificate; each is read once, however many
records hold it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from calib.certificates.drafting import documents_of
from calib.certificates.lint_documents import RESTS_ON
from calib.records.calibrations import Calibration
from calib.records.certificates import Certificate, CertificateEvent
from calib.services.standing import CertificateLine, certificate_lines, named
from instruments.context import Context
from instruments.procedure import InstrumentType, RecordKind
from instruments.records.instruments import Instrument
from instruments.records.models import InstrumentModel
from instruments.records.orders import Order, OrderLine
from instruments.records.parties import Customer
from instruments.records.sites import Site
from instruments.text import LocalizedText

IN_WORK = ("draft", "submitted", "reviewed", "authorised", "reserved")


@dataclass(frozen=True, slots=True)
class WorkUse:
    """A piece of work in hand that rests on the document."""

    order_id: int
    order_number: str
    calibration_id: int | None
    """None: not opened yet."""
    state: str
    """Of the record, or of the order."""
    role: str
    barcode: str
    item: str
    customer_id: int
    customer: LocalizedText


@dataclass(frozen=True, slots=True)
class CertificateUse:
    """An issued certificate that rests on the document."""

    id: int
    number: str
    kind: str
    role: str
    performed_on: date
    issued_on: date
    due_on: date | None
    standing: str
    """``current``, ``past_due``, ``older`` (a newer one speaks for the item), ``superseded``,
    ``withdrawn``."""
    is_after_end: bool
    """Issued when the document was out of force already."""
    barcode: str
    item: str
    customer_id: int
    customer: LocalizedText
    site: LocalizedText | None


@dataclass(frozen=True)
class Frozen:
    """The definitions of records that name the document, and in which role for which work."""

    number: str
    definitions: Mapping[tuple[str, str], InstrumentType]
    _roles: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def role(self, type_id: str, version: str, kind: str) -> str:
        """Return the role the document has in a kind of work; empty: it does not rest on it."""
        key = (type_id, version, kind)
        if key not in self._roles:
            definition = self.definitions[type_id, version]
            self._roles[key] = _role(definition, kind, self.number)
        return self._roles[key]

    def condition(self) -> Any:
        """Return the condition that chooses the records of these definitions."""
        pair = tuple_(Calibration.type_id, Calibration.type_version)
        return pair.in_(sorted(self.definitions))


def _role(definition: InstrumentType, kind: str, number: str) -> str:
    fitting = documents_of(definition, cast("RecordKind", kind))
    return next((document.role for document in fitting if document.id == number), "")


def frozen_with(ctx: Context, number: str) -> Frozen:
    """Read each definition once, however many records hold it."""
    first = (
        select(func.min(Calibration.id))
        .group_by(Calibration.type_id, Calibration.type_version)
        .scalar_subquery()
    )
    rows = ctx.session.execute(
        select(Calibration.type_id, Calibration.type_version, Calibration.definition).where(
            Calibration.id.in_(first)
        )
    )
    return Frozen(
        number,
        {
            (type_id, version): InstrumentType.from_dict(definition)
            for type_id, version, definition in rows
            if any(document["id"] == number for document in definition["documents"])
        },
    )


# -------------------------------------------------------------------------------------------- work


def opened(ctx: Context, frozen: Frozen) -> tuple[WorkUse, ...]:
    """Return the records in work that rest on the document."""
    if not frozen.definitions:
        return ()
    rows = ctx.session.execute(
        select(
            Calibration.id,
            Calibration.type_id,
            Calibration.type_version,
            Calibration.kind,
            Calibration.state,
            Order,
            Instrument,
            InstrumentModel,
            Customer,
        )
        .join(OrderLine, OrderLine.id == Calibration.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Customer, Customer.id == Order.customer_id)
        .join(Instrument, Instrument.id == Calibration.instrument_id)
        .join(InstrumentModel, InstrumentModel.id == Instrument.model_id)
        .where(Calibration.state.in_(IN_WORK), frozen.condition())
        .order_by(Calibration.id)
    )
    found = ((row, frozen.role(row.type_id, row.type_version, row.kind)) for row in rows)
    return tuple(
        _work(row.Order, row.Instrument, row.InstrumentModel, row.Customer, role, row.id, row.state)
        for row, role in found
        if role
    )


def waiting(ctx: Context, types: Mapping[str, InstrumentType], number: str) -> tuple[WorkUse, ...]:
    """Return the lines of open orders whose record is not opened yet."""
    if not types:
        return ()
    rows = ctx.session.execute(
        select(Order, Instrument, InstrumentModel, Customer)
        .select_from(OrderLine)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Customer, Customer.id == Order.customer_id)
        .join(Instrument, Instrument.id == OrderLine.instrument_id)
        .join(InstrumentModel, InstrumentModel.id == Instrument.model_id)
        .where(
            Order.state.in_(("requested", "accepted")),
            InstrumentModel.type_id.in_(sorted(types)),
            OrderLine.id.not_in(select(Calibration.order_line_id)),
        )
        .order_by(Order.id, OrderLine.id)
    )
    found = (
        (row, _role(types[row.InstrumentModel.type_id], row.Order.kind, number)) for row in rows
    )
    return tuple(
        _work(row.Order, row.Instrument, row.InstrumentModel, row.Customer, role)
        for row, role in found
        if role
    )


def _work(
    order: Order,
    instrument: Instrument,
    model: InstrumentModel,
    customer: Customer,
    role: str,
    calibration_id: int | None = None,
    state: str = "",
) -> WorkUse:
    return WorkUse(
        order_id=order.id,
        order_number=order.number,
        calibration_id=calibration_id,
        state=state or order.state,
        role=role,
        barcode=instrument.barcode,
        item=named(instrument, model),
        customer_id=customer.id,
        customer=_name(customer),
    )


# ------------------------------------------------------------------------------------ certificates


def certificates(ctx: Context, last_day: str | None, frozen: Frozen) -> tuple[CertificateUse, ...]:
    """Return the issued certificates that rest on the document, newest first."""
    if not frozen.definitions:
        return ()
    chosen = select(Calibration.id).where(frozen.condition())
    lines = certificate_lines(ctx.session, Certificate.calibration_id.in_(chosen))
    issued = [line for line in lines if line.was_issued]
    around = _around(ctx.session, frozen)
    newest = _newest(ctx.session)
    ends_on = None if last_day is None else date.fromisoformat(last_day)
    found = []
    for line in reversed(issued):
        type_id, version, kind, instrument, model, customer, site = around[line.calibration_id]
        role = frozen.role(type_id, version, kind)
        if not role:
            continue
        assert line.issued_at is not None  # noqa: S101 -- it was issued
        issued_on = line.issued_at.astimezone(ctx.zone).date()
        found.append(
            CertificateUse(
                id=line.id,
                number=line.number,
                kind=line.kind,
                role=role,
                performed_on=line.performed_on,
                issued_on=issued_on,
                due_on=line.due_on,
                standing=_standing(line, newest, ctx.today),
                is_after_end=role in RESTS_ON and ends_on is not None and issued_on > ends_on,
                barcode=instrument.barcode,
                item=named(instrument, model),
                customer_id=customer.id,
                customer=_name(customer),
                site=None if site is None else LocalizedText(en=site.name_en, zh=site.name_zh),
            )
        )
    return tuple(found)


def _around(session: Session, frozen: Frozen) -> Mapping[int, Sequence[Any]]:
    """Return by record whose and what it is: the customer who ordered it, the item, its site."""
    rows = session.execute(
        select(
            Calibration.id,
            Calibration.type_id,
            Calibration.type_version,
            Calibration.kind,
            Instrument,
            InstrumentModel,
            Customer,
            Site,
        )
        .join(OrderLine, OrderLine.id == Calibration.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Customer, Customer.id == Order.customer_id)
        .join(Instrument, Instrument.id == Calibration.instrument_id)
        .join(InstrumentModel, InstrumentModel.id == Instrument.model_id)
        .outerjoin(Site, Site.id == Instrument.site_id)
        .where(frozen.condition())
    )
    return {row[0]: row[1:] for row in rows}


def _newest(session: Session) -> Mapping[int, int]:
    """Return by instrument the newest certificate that was issued and still stands."""
    ended = select(CertificateEvent.certificate_id).where(
        CertificateEvent.event.in_(("superseded", "withdrawn"))
    )
    rows = session.execute(
        select(Certificate.instrument_id, func.max(Certificate.id))
        .join(CertificateEvent, CertificateEvent.certificate_id == Certificate.id)
        .where(CertificateEvent.event == "issued", Certificate.id.not_in(ended))
        .group_by(Certificate.instrument_id)
    )
    return {instrument: certificate for instrument, certificate in rows}  # noqa: C416 -- rows


def _standing(line: CertificateLine, newest: Mapping[int, int], today: date) -> str:
    if line.state in ("superseded", "withdrawn"):
        return line.state
    if newest.get(line.instrument_id) != line.id:
        return "older"
    return "past_due" if line.due_on is not None and line.due_on < today else "current"


def _name(customer: Customer) -> LocalizedText:
    return LocalizedText(en=customer.name_en, zh=customer.name_zh)
