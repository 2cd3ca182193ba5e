"""Which instruments are called back and when: due list, calendar feed, alarms of the schedule.

Reads only. What is sent to whom stands in `notices`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from calib.i18n import translate
from calib.records.work import Mail, ScheduleRun
from calib.reminders import due, messages
from calib.reminders.messages import DueItem
from calib.services.standing import is_token, newest_issue, newest_status, simulated_instruments
from instruments.context import Context
from instruments.errors import Invalid, NotFound
from instruments.records.instruments import Instrument, InstrumentStatus
from instruments.records.models import InstrumentModel
from instruments.records.parties import Customer, Lab
from instruments.records.sites import Site
from instruments.services.rows import own_customer
from instruments.tenancy import InstallationSession
from instruments.text import LocalizedText

__all__ = [
    "Alarm",
    "DueItem",
    "calendar",
    "due_items",
    "due_list",
    "mail_alarm",
    "schedule_alarm",
    "sender_of",
]
JOB = "notices"
"""Name of the scheduled job that makes the notices."""
SILENCE = timedelta(hours=26)
"""A daily job that has not finished for longer than this did not run today."""
STUCK = timedelta(hours=6)
"""A mail that waits longer than this is stuck."""
REMEMBERED = timedelta(days=365)
"""A cancelled date stays in the feed this long, so that every calendar hears of it."""
MAX_DAYS = 36_525


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something of the schedule that somebody must look after."""

    code: str
    message: str
    """English sentence with ``{named}`` placeholders."""
    facts: Mapping[str, object] = field(default_factory=dict)
    about: str = ""
    """Number of the certificate it is about; empty: the sentence says it all."""

    def words(self, language: str) -> str:
        """Return the sentence in `language`, behind what it is about."""
        said = translate(self.message, language, **self.facts)
        return f"{self.about}: {said}" if self.about else said


def due_list(ctx: Context, within_days: int) -> tuple[DueItem, ...]:
    """Return the instruments in use that are overdue or due within so many days, oldest first.

    Raises
    ------
    Invalid
        The number of days is negative or leaves the calendar.
    """
    ctx.need("instrument.read")
    if not 0 <= within_days <= MAX_DAYS:
        raise Invalid(
            "days-out-of-range",
            "The due list looks {days} days ahead, expected 0 to {most}.",
            facts={"days": within_days, "most": MAX_DAYS},
        )
    conditions = [Instrument.due_on <= ctx.today + timedelta(days=within_days)]
    own = own_customer(ctx)
    if own is not None:
        conditions.append(Instrument.customer_id == own)
    items = due_items(ctx.session, *conditions)
    return tuple(item for item in items if item.is_called)


def due_items(session: Session, *conditions: Any) -> tuple[DueItem, ...]:
    """Return the instruments with a due date that meet the conditions, in whatever status."""
    status, issue = newest_status(), newest_issue()
    rows = session.execute(
        select(
            Instrument,
            InstrumentModel,
            Customer,
            Site,
            InstrumentStatus,
            Lab,
            status.c.changes,
            issue.c.at,
            Instrument.id.in_(simulated_instruments()),
        )
        .join(InstrumentModel, InstrumentModel.id == Instrument.model_id)
        .join(Customer, Customer.id == Instrument.customer_id)
        .join(Lab, Lab.id == Instrument.lab_id)
        .outerjoin(Site, Site.id == Instrument.site_id)
        .outerjoin(status, status.c.instrument_id == Instrument.id)
        .outerjoin(InstrumentStatus, InstrumentStatus.id == status.c.id)
        .outerjoin(issue, issue.c.instrument_id == Instrument.id)
        .where(Instrument.due_on.is_not(None), *conditions)
        .order_by(Instrument.due_on, Instrument.id)
    ).all()
    return tuple(replace(_item(*row[:-1]), is_simulated=bool(row[-1])) for row in rows)


def _item(
    instrument: Instrument,
    model: InstrumentModel,
    customer: Customer,
    site: Site | None,
    status: InstrumentStatus | None,
    lab: Lab,
    changes: int | None,
    issued_at: datetime | None,
) -> DueItem:
    assert instrument.due_on is not None  # noqa: S101 -- the statement asks for it
    moments = [instrument.created_at, issued_at, status.from_at if status else None]
    return DueItem(
        instrument_id=instrument.id,
        customer_id=instrument.customer_id,
        site_id=instrument.site_id,
        key=f"{lab.code} {lab.created_at.isoformat()} {instrument.id}",
        status=status.status if status else "in_service",
        barcode=instrument.barcode,
        maker=model.maker,
        model=model.model,
        serial=instrument.serial,
        asset_number=instrument.asset_number,
        location=instrument.location,
        customer=LocalizedText(en=customer.name_en, zh=customer.name_zh),
        site=LocalizedText(en=site.name_en, zh=site.name_zh) if site else None,
        due_on=instrument.due_on,
        revision=instrument.version - 1 + (changes or 0),
        changed_at=max(moment for moment in moments if moment is not None),
    )


def sender_of(lab: Lab, public_url: str) -> messages.Sender:
    """Return the lab as its mails and calendars name it."""
    return messages.Sender(
        name=LocalizedText(en=lab.name_en, zh=lab.name_zh),
        phone=lab.phone,
        email=lab.email,
        board=f"{public_url.rstrip('/')}/board" if public_url else "",
    )


def calendar(
    session: InstallationSession, token: str, now: datetime, *, public_url: str = ""
) -> bytes:
    """Return the iCalendar feed of the customer whose token this is.

    Raises
    ------
    NotFound
        The token opens no feed.
    """
    found = None
    if is_token(token):
        found = session.execute(
            select(Customer, Lab)
            .join(Lab, Lab.id == Customer.lab_id)
            .where(Customer.calendar_token == token)
        ).one_or_none()
    if found is None:
        raise NotFound(
            "calendar-unknown",
            "This address opens no calendar. Ask the laboratory for the address of yours.",
        )
    customer, lab = found
    today = due.local_date(now, due.zone_named(lab.time_zone))
    items = [
        item
        for item in due_items(
            session, Instrument.customer_id == customer.id, Instrument.lab_id == lab.id
        )
        if item.is_called or item.due_on >= today - REMEMBERED
    ]
    return messages.calendar(items, sender_of(lab, public_url), customer.language).encode()


def schedule_alarm(session: Session, now: datetime) -> Alarm | None:
    """Return an alarm when the daily notices have not been made for more than a day."""
    finished = session.scalar(
        select(func.max(ScheduleRun.finished_at)).where(ScheduleRun.job == JOB)
    )
    since = finished or session.scalar(select(func.min(Lab.created_at)))
    if since is None or now - since <= SILENCE:
        return None
    hours = (now - since) // timedelta(hours=1)
    if finished is None:
        return Alarm(
            "schedule-never-ran",
            "Due-date notices have never been made since this installation began, {hours} hours "
            "ago: nobody is being reminded. Start the worker, or tell the operator.",
            {"hours": hours},
        )
    return Alarm(
        "schedule-silent",
        "Due-date notices were last made {hours} hours ago (expected every day): nobody is being "
        "reminded. Start the worker, or tell the operator.",
        {"hours": hours},
    )


def mail_alarm(session: Session, now: datetime) -> Alarm | None:
    """Return an alarm when mails have been waiting too long; of one lab in a lab's session."""
    waiting, oldest = session.execute(
        select(func.count(Mail.id), func.min(Mail.made_at)).where(
            Mail.state.in_(("waiting", "sending")), Mail.made_at < now - STUCK
        )
    ).one()
    if not waiting:
        return None
    return Alarm(
        "mail-stuck",
        "{count} mails could not be sent, the oldest for {hours} hours. "
        "Look at the mail settings and at the mail server.",
        {"count": waiting, "hours": (now - oldest) // timedelta(hours=1)},
    )
