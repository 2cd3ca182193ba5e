"""Where an instrument stands: its newest status and the certificate that speaks for it.

Parts of read statements, shared by the due list, the board and the histories; each is one query
however many instruments there are.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, func, or_, select
from sqlalchemy.orm import Session

from calib.certificates.document import CertificateDocument
from calib.records.calibrations import Calibration
from calib.records.certificates import Certificate, CertificateEvent
from calib.services.certificate_rows import LATER
from instruments.records.instruments import Instrument, InstrumentStatus
from instruments.records.models import InstrumentModel
from instruments.records.orders import Order, OrderLine
from instruments.services.transfers import handed_over_to

MOST_COUNTED, AT_ONCE = 10_000, 100
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


def not_scrapped() -> ColumnElement[bool]:
    """Return the condition that the newest status is known and not that of a scrapped instrument.

    It does not refuse a missing status by itself: else SQLite turns the outer join round and asks
    every status of a lab for every instrument.
    """
    return func.coalesce(InstrumentStatus.status, "scrapped") != "scrapped"


def records_ordered_by(customer_id: int) -> Select[int]:
    """Return the records of work that a customer ordered.

    Their certificates name that customer: an instrument that changes hands leaves them behind,
    unless they were handed over with it.
    """
    return (
        select(Calibration.id)
        .join(OrderLine, OrderLine.id == Calibration.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(
            or_(
                Order.customer_id == customer_id,
                OrderLine.id.in_(handed_over_to(customer_id)),
            )
        )
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
    passed_of: tuple[int, int] | None = None
    """How many pieces of a batch pass of how many, where some do not: the verdict alone lies."""

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
            Certificate.payload_digest,
            Instrument.pieces,
        )
        .join(Calibration, Calibration.id == Certificate.calibration_id)
        .join(Instrument, Instrument.id == Certificate.instrument_id)
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
    batches = {row.id: row.payload_digest for row in first.values() if row.pieces > 1}
    passed = _pieces_passed(session, batches)
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
            passed_of=passed.get(row.id),
        )
        for row in first.values()
    )


_COUNTED: OrderedDict[str, tuple[int, int] | None] = OrderedDict()
"""By digest of what was certified, which never changes: reading it again would take long."""


def _pieces_passed(session: Session, batches: Mapping[int, str]) -> dict[int, tuple[int, int]]:
    """Return of which batches, by id and digest, some pieces do not pass, and how many do."""
    unknown = [id_ for id_, digest in batches.items() if digest not in _COUNTED]
    for start in range(0, len(unknown), AT_ONCE):
        ids = unknown[start : start + AT_ONCE]
        rows = session.execute(
            select(Certificate.id, Certificate.payload).where(Certificate.id.in_(ids))
        )
        for row in rows:
            if hashlib.sha256(row.payload.encode()).hexdigest() == batches[row.id]:
                document = CertificateDocument.from_dict(json.loads(row.payload))
                _COUNTED[batches[row.id]] = document.result.passed_of
    # what is damaged is not counted: its own page and `calib fsck` say so
    found = {id_: _COUNTED.get(digest) for id_, digest in batches.items()}
    while len(_COUNTED) > MOST_COUNTED:
        _COUNTED.popitem(last=False)
    return {id_: passed for id_, passed in found.items() if passed is not None}


def named(instrument: Instrument, model: InstrumentModel) -> str:
    """Return maker, model and serial in one line."""
    return f"{model.maker} {model.model} {instrument.serial}".strip()
