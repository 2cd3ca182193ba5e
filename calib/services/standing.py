"""Where an instrument stands: its newest status and the certificate that speaks for it.

Parts of read statements, shared by the due list, the board and the histories; each is one query
however many instruments there are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, Subquery, func, select
from sqlalchemy.orm import Session

from calib.records.calibrations import Calibration
from calib.records.certificates import Certificate, CertificateEvent
from calib.services.certificate_rows import LATER
from instruments.records.instruments import Instrument, InstrumentStatus
from instruments.records.models import InstrumentModel
from instruments.records.orders import Order, OrderLine

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")


def is_token(text: str) -> bool:
    """Answer whether the text can be a token at all; anything else is never looked up."""
    return _TOKEN.fullmatch(text) is not None


def newest_status() -> Subquery:
    """Return per instrument the id of its newest status row and the number of rows."""
    return (
        select(
            InstrumentStatus.instrument_id,
            func.max(InstrumentStatus.id).label("id"),
            func.count().label("changes"),
        )
        .group_by(InstrumentStatus.instrument_id)
        .subquery()
    )


def records_ordered_by(customer_id: int) -> Select[int]:
    """Return the records of work that a customer ordered.

    Their certificates name that customer: an instrument that changes hands leaves them behind.
    """
    return (
        select(Calibration.id)
        .join(OrderLine, OrderLine.id == Calibration.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.customer_id == customer_id)
    )


def newest_issue() -> Subquery:
    """Return per instrument when its newest certificate was issued."""
    return (
        select(Certificate.instrument_id, func.max(CertificateEvent.happened_at).label("at"))
        .join(CertificateEvent, CertificateEvent.certificate_id == Certificate.id)
        .where(CertificateEvent.event == "issued")
        .group_by(Certificate.instrument_id)
        .subquery()
    )


def simulated_instruments() -> Select[int]:
    """Return the instruments whose newest certificate rests on simulated readings."""
    issued = select(CertificateEvent.certificate_id).where(CertificateEvent.event == "issued")
    newest = (
        select(func.max(Certificate.id))
        .where(Certificate.id.in_(issued))
        .group_by(Certificate.instrument_id)
    )
    return (
        select(Certificate.instrument_id)
        .join(Calibration, Calibration.id == Certificate.calibration_id)
        .where(Certificate.id.in_(newest), Calibration.simulated == True)  # noqa: E712
    )


@dataclass(frozen=True, slots=True)
class CertificateLine:
    """A certificate without what it says: enough for lists and for the board."""

    id: int
    number: str
    token: str
    kind: str
    instrument_id: int
    calibration_id: int
    replaces_id: int | None
    performed_on: date
    due_on: date | None
    verdict: str
    state: str
    """reserved, issued, superseded, withdrawn, void."""
    reserved_at: datetime
    issued_at: datetime | None
    is_simulated: bool = False
    """Its readings come from a generator."""

    @property
    def was_issued(self) -> bool:
        """Answer whether anybody ever got it."""
        return self.issued_at is not None


def certificate_lines(session: Session, *conditions: Any) -> tuple[CertificateLine, ...]:
    """Return the certificates that meet the conditions, oldest work first, with their states."""
    rows = session.execute(
        select(
            Certificate.id,
            Certificate.number,
            Certificate.token,
            Certificate.kind,
            Certificate.instrument_id,
            Certificate.calibration_id,
            Certificate.replaces_id,
            Certificate.performed_on,
            Certificate.due_on,
            Certificate.verdict,
            Certificate.reserved_at,
            CertificateEvent.event,
            CertificateEvent.happened_at,
            Calibration.simulated,
        )
        .join(Calibration, Calibration.id == Certificate.calibration_id)
        .outerjoin(CertificateEvent, CertificateEvent.certificate_id == Certificate.id)
        .where(*conditions)
        .order_by(Certificate.performed_on, Certificate.id)
    ).all()
    happened: dict[int, dict[str, datetime]] = {}
    first: dict[int, Any] = {}
    for row in rows:
        first.setdefault(row.id, row)
        events = happened.setdefault(row.id, {})
        if row.event is not None:
            events[row.event] = row.happened_at
    return tuple(
        CertificateLine(
            id=row.id,
            number=row.number,
            token=row.token,
            kind=row.kind,
            instrument_id=row.instrument_id,
            calibration_id=row.calibration_id,
            replaces_id=row.replaces_id,
            performed_on=row.performed_on,
            due_on=row.due_on,
            verdict=row.verdict,
            state=next((word for word in LATER if word in happened[row.id]), "reserved"),
            reserved_at=row.reserved_at,
            issued_at=happened[row.id].get("issued"),
            is_simulated=row.simulated,
        )
        for row in first.values()
    )


def named(instrument: Instrument, model: InstrumentModel) -> str:
    """Return maker, model and serial in one line."""
    return f"{model.maker} {model.model} {instrument.serial}".strip()
