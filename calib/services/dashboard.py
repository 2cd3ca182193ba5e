"""Today's work of the lab: what waits at each station, what is overdue, what raises an alarm.

However much waits, it costs the same few queries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased

from calib.records.calibrations import Calibration
from calib.reminders import due
from calib.reminders.messages import DueItem
from calib.services.outbox import FailedMail, failed_mails
from calib.services.recall import Alarm, due_items, mail_alarm, schedule_alarm
from calib.services.recovery import reserved_alarms
from calib.services.standing import named
from instruments.context import Context
from instruments.records.instruments import Instrument
from instruments.records.models import InstrumentModel
from instruments.records.orders import Order, OrderLine
from instruments.records.parties import Customer
from instruments.records.standards import MeasurementStandard, StandardCertificate
from instruments.text import LocalizedText

SHOWN = 10
"""Rows of a queue that are shown; the count tells of the rest."""
EXPIRING = timedelta(days=60)
"""Standards whose certificate ends this soon are listed: there is time to have them done."""

Station = Literal[
    "requested",
    "to_receive",
    "to_measure",
    "drafts",
    "to_review",
    "to_authorise",
    "to_issue",
    "reserved",
]
STATION_WORDS: Mapping[Station, str] = {
    "requested": "Requests to accept",
    "to_receive": "Items to receive",
    "to_measure": "Items to measure",
    "drafts": "Records in work",
    "to_review": "Records to review",
    "to_authorise": "Records to authorise",
    "to_issue": "Certificates to issue",
    "reserved": "Numbers reserved, not yet issued",
}
_RECORD_STATES: Mapping[Station, str] = {
    "drafts": "draft",
    "to_review": "submitted",
    "to_authorise": "reviewed",
    "to_issue": "authorised",
    "reserved": "reserved",
}


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One thing that waits."""

    kind: Literal["order", "line", "calibration"]
    id: int
    """Of the order, the order line or the calibration record."""
    order_id: int
    order_number: str
    barcode: str
    """Empty for a whole order."""
    item: str
    """Maker, model and serial; empty for a whole order."""
    customer: LocalizedText
    since: datetime
    is_green_channel: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits at one station: how many, and the first of them."""

    station: Station
    count: int
    rows: tuple[QueueRow, ...]

    @property
    def words(self) -> str:
        """Return the English name of the queue."""
        return STATION_WORDS[self.station]


@dataclass(frozen=True, slots=True)
class ExpiringStandard:
    """A measurement standard whose certificate ends soon, has ended, or is missing."""

    id: int
    code: str
    name: LocalizedText
    valid_until: date | None
    """None: it has no certificate at all."""
    is_expired: bool


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Today's work of the lab, station by station."""

    queues: tuple[Queue, ...]
    overdue: tuple[DueItem, ...]
    """The first instruments in use whose date has passed."""
    overdue_count: int
    standards: tuple[ExpiringStandard, ...]
    alarms: tuple[Alarm, ...]
    failed_mails: tuple[FailedMail, ...]

    def queue(self, station: Station) -> Queue:
        """Return the queue of one station."""
        return next(queue for queue in self.queues if queue.station == station)


def dashboard(ctx: Context) -> Dashboard:
    """Return what waits at each station, green channel first, then the oldest.

    Raises
    ------
    NotAllowed
        The actor is none of the lab's own people.
    """
    ctx.need("dashboard.read")
    overdue = [
        item for item in due_items(ctx.session, Instrument.due_on < ctx.today) if item.is_called
    ]
    alarms = (
        schedule_alarm(ctx.session, ctx.now),
        mail_alarm(ctx.session, ctx.now),
        *reserved_alarms(ctx.session, ctx.now)[:SHOWN],
    )
    return Dashboard(
        queues=(
            _requests(ctx),
            _lines(ctx, "to_receive", OrderLine.received_at.is_(None)),
            _lines(
                ctx,
                "to_measure",
                OrderLine.received_at.is_not(None),
                OrderLine.returned_at.is_(None),
                OrderLine.id.not_in(select(Calibration.order_line_id)),
            ),
            *(_records(ctx, station, state) for station, state in _RECORD_STATES.items()),
        ),
        overdue=tuple(overdue[:SHOWN]),
        overdue_count=len(overdue),
        standards=_standards(ctx),
        alarms=tuple(alarm for alarm in alarms if alarm is not None),
        failed_mails=failed_mails(ctx, limit=SHOWN),
    )


def _requests(ctx: Context) -> Queue:
    rows = ctx.session.execute(
        select(Order, Customer, func.count().over().label("total"))
        .join(Customer, Customer.id == Order.customer_id)
        .where(Order.state == "requested")
        .order_by(Order.green_channel.desc(), Order.id)
        .limit(SHOWN)
    ).all()
    return Queue(
        station="requested",
        count=rows[0].total if rows else 0,
        rows=tuple(
            QueueRow(
                kind="order",
                id=order.id,
                order_id=order.id,
                order_number=order.number,
                barcode="",
                item="",
                customer=LocalizedText(en=customer.name_en, zh=customer.name_zh),
                since=order.created_at,
                is_green_channel=order.green_channel,
            )
            for order, customer, _ in rows
        ),
    )


def _lines(ctx: Context, station: Station, *conditions: Any) -> Queue:
    since = OrderLine.received_at if station == "to_measure" else Order.created_at
    statement = _waiting(OrderLine.id, since).where(Order.state == "accepted", *conditions)
    return _queue(ctx, station, "line", statement.order_by(OrderLine.id))


def _records(ctx: Context, station: Station, state: str) -> Queue:
    statement = (
        _waiting(Calibration.id, Calibration.opened_at)
        .join(Calibration, Calibration.order_line_id == OrderLine.id)
        .where(Calibration.state == state)
    )
    return _queue(ctx, station, "calibration", statement.order_by(Calibration.id))


def _waiting(id_: Any, since: Any) -> Select[*tuple[Any, ...]]:
    """Return the statement of order lines with what a queue shows of each, green channel first."""
    return (
        select(
            id_.label("id"),
            since.label("since"),
            Order,
            Customer,
            Instrument,
            InstrumentModel,
            func.count().over().label("total"),
        )
        .select_from(OrderLine)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Customer, Customer.id == Order.customer_id)
        .join(Instrument, Instrument.id == OrderLine.instrument_id)
        .join(InstrumentModel, InstrumentModel.id == Instrument.model_id)
        .order_by(Order.green_channel.desc())
    )


def _queue(
    ctx: Context,
    station: Station,
    kind: Literal["line", "calibration"],
    statement: Select[*tuple[Any, ...]],
) -> Queue:
    rows = ctx.session.execute(statement.limit(SHOWN)).all()
    return Queue(
        station=station,
        count=rows[0].total if rows else 0,
        rows=tuple(
            QueueRow(
                kind=kind,
                id=row.id,
                order_id=row.Order.id,
                order_number=row.Order.number,
                barcode=row.Instrument.barcode,
                item=named(row.Instrument, row.InstrumentModel),
                customer=LocalizedText(en=row.Customer.name_en, zh=row.Customer.name_zh),
                since=row.since,
                is_green_channel=row.Order.green_channel,
            )
            for row in rows
        ),
    )


def _standards(ctx: Context) -> tuple[ExpiringStandard, ...]:
    """Return standards in service without a certificate that lasts; the newest edition counts."""
    later = aliased(StandardCertificate)
    replaced = select(later.replaces_id).where(later.replaces_id.is_not(None))
    rows = ctx.session.execute(
        select(
            MeasurementStandard,
            func.count(StandardCertificate.id).label("certificates"),
            func.count(StandardCertificate.valid_until).label("ending"),
            func.max(StandardCertificate.valid_until).label("until"),
        )
        .outerjoin(
            StandardCertificate,
            (StandardCertificate.standard_id == MeasurementStandard.id)
            & StandardCertificate.id.not_in(replaced),
        )
        .where(MeasurementStandard.status == "in_service")
        .group_by(MeasurementStandard.id)
        .order_by(MeasurementStandard.code)
    )
    found = []
    for standard, certificates, ending, until in rows:
        if certificates > ending:
            continue  # one of its certificates names no end
        if until is None or until <= ctx.today + EXPIRING:
            found.append(
                ExpiringStandard(
                    id=standard.id,
                    code=standard.code,
                    name=LocalizedText(en=standard.name_en, zh=standard.name_zh or standard.code),
                    valid_until=until,
                    is_expired=until is None or due.is_overdue(until, ctx.today),
                )
            )
    return tuple(found)
