"""Due-date notices: who is told what, exactly once, in one digest per reader and run.

Only decides and writes rows; `outbox` talks to the mail server. A run that is lost costs time,
never a notice: the next run finds what is due.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlsplit

from sqlalchemy import Engine, func, select

from calib.records.work import Mail, Notice, ScheduleRun
from calib.reminders import due, messages
from calib.reminders.messages import DueItem
from calib.services.recall import JOB, due_items, sender_of
from calib.services.webhooks import announce_due
from instruments.records.audit import AuditEvent
from instruments.records.instruments import Instrument
from instruments.records.parties import Customer, Lab, Membership, Person
from instruments.services import audit
from instruments.tenancy import LabSession, hold_lab, installation_session, lab_session

Clock = Callable[[], datetime]
Key = tuple[int, date, int, str]
"""Of a notice: instrument, due date, stage, reader."""
log = logging.getLogger("calib.notices")


@dataclass(frozen=True, slots=True)
class NoticesMade:
    """What one run made."""

    mails: int
    notices: int


@dataclass(frozen=True, slots=True)
class _Reader:
    """Somebody who is told: the lab's own address, a customer's, a venue operator's."""

    email: str
    language: str
    customers: frozenset[int] | None
    """Whose instruments; None: all of the lab."""

    def reads_of(self, customer_id: int) -> bool:
        """Answer whether this reader is told about instruments of that customer."""
        return self.customers is None or customer_id in self.customers

    def and_also(self, other: _Reader) -> _Reader:
        """Return one reader where two parts are played under one address."""
        if self.customers is None or other.customers is None:
            return _Reader(self.email, other.language, None)
        return _Reader(self.email, other.language, self.customers | other.customers)


def is_time_for_notices(engine: Engine, now: datetime, hour: int) -> bool:
    """Answer whether no run has finished since the last time it was `hour` o'clock (UTC)."""
    last = datetime.combine(now.date(), time(hour), now.tzinfo)
    if last > now:
        last -= timedelta(days=1)
    with installation_session(engine, read_only=True) as session:
        finished = session.scalar(
            select(func.max(ScheduleRun.finished_at)).where(ScheduleRun.job == JOB)
        )
    return finished is None or finished < last


def make_notices(engine: Engine, clock: Clock, *, public_url: str = "") -> NoticesMade:
    """Write the notices that fall due today in each lab, one digest per reader.

    May run at any time, as often as one likes, and by several processes at once: each notice is
    made once. The run itself is written down, so that its absence can be seen; a run in which one
    lab failed serves the others, counts as not finished, and raises what went wrong.
    """
    started = clock()
    with installation_session(engine) as session:
        run = ScheduleRun(job=JOB, for_on=started.date(), started_at=started)
        session.add(run)
        session.flush()
        run_id = run.id
        labs = session.scalars(select(Lab.id).order_by(Lab.id)).all()
    mails = notices = 0
    failures: list[Exception] = []
    for lab_id in labs:
        try:
            with lab_session(engine, lab_id) as lab:
                made = _notices_of(lab, clock(), public_url)
        except Exception as problem:
            log.exception("notices of lab %d were not made", lab_id)
            failures.append(problem)
        else:
            mails += made.mails
            notices += made.notices
    with installation_session(engine) as session:
        done = session.get_one(ScheduleRun, run_id)
        done.outcome = f"{mails} mails, {notices} notices, {len(failures)} labs failed"
        done.finished_at = None if failures else clock()
    if failures:
        raise failures[0]
    return NoticesMade(mails, notices)


def _notices_of(session: LabSession, now: datetime, public_url: str) -> NoticesMade:
    # A second run waits here and then sees what the first one made; the unique key of the notice
    # stands behind that.
    hold_lab(session, session.lab_id)
    lab = session.get_one(Lab, session.lab_id)
    today = due.local_date(now, due.zone_named(lab.time_zone))
    within = Instrument.due_on <= today + timedelta(days=due.SOON)
    called = [item for item in due_items(session, within) if item.is_called]
    announce_due(session, [(i.instrument_id, i.barcode, i.due_on) for i in called], now)
    told = _told(session)
    sender = sender_of(lab, public_url)
    mails = notices = 0
    for reader in _readers(session, lab, called, today):
        news = {
            key: item
            for item in called
            if reader.reads_of(item.customer_id)
            and (key := _key(item, today, reader.email)) not in told
        }
        if news:
            _write(session, reader, sender, news, today, now, public_url)
            mails += 1
            notices += len(news)
    if mails:
        audit.append(
            session,
            AuditEvent(
                lab_id=session.lab_id,
                happened_at=now,
                person_id=None,
                act="notice:notices:make",
                object_kind="notice",
                object_id=None,
                facts={"on": today.isoformat(), "mails": mails, "notices": notices},
            ),
        )
    return NoticesMade(mails, notices)


def _key(item: DueItem, today: date, email: str) -> Key:
    stage = due.stage(item.due_on, today)
    assert stage is not None  # noqa: S101 -- the statement asks for what is due within the month
    return (item.instrument_id, item.due_on, stage, email)


def _told(session: LabSession) -> set[Key]:
    """Return the notices that were made about the due dates that stand today."""
    rows = session.execute(
        select(Notice.instrument_id, Notice.due_on, Notice.stage, Notice.recipient).join(
            Instrument,
            (Instrument.id == Notice.instrument_id) & (Instrument.due_on == Notice.due_on),
        )
    )
    return {(row.instrument_id, row.due_on, row.stage, row.recipient) for row in rows}


def _readers(
    session: LabSession, lab: Lab, called: Sequence[DueItem], today: date
) -> list[_Reader]:
    """Return who is told, each address once, in the order of the addresses."""
    concerned = {item.customer_id for item in called}
    if not concerned:
        return []
    readers = [_Reader(lab.email, lab.language, None)]
    readers += [
        _Reader(customer.email, customer.language, frozenset({customer.id}))
        for customer in session.scalars(select(Customer).order_by(Customer.id))
        if customer.id in concerned
    ]
    operators = session.execute(
        select(Person.email, Person.language, Membership.customer_id)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.role == "venue_operator",
            Membership.starts_on <= today,
            Membership.ends_on.is_(None) | (Membership.ends_on >= today),
            Person.is_active == True,  # noqa: E712 -- a column of 0 and 1, not a truth value
        )
        .order_by(Membership.id)
    )
    readers += [
        _Reader(row.email, row.language, frozenset({row.customer_id}))
        for row in operators
        if row.customer_id in concerned
    ]
    by_address: dict[str, _Reader] = {}
    for reader in readers:
        address = reader.email.strip().lower()
        if address:
            new = _Reader(address, reader.language, reader.customers)
            before = by_address.get(address)
            by_address[address] = before.and_also(new) if before else new
    return [by_address[address] for address in sorted(by_address)]


def _write(
    session: LabSession,
    reader: _Reader,
    sender: messages.Sender,
    news: dict[Key, DueItem],
    today: date,
    now: datetime,
    public_url: str,
) -> None:
    items = tuple(news.values())
    digest = messages.Digest(
        sender=sender,
        items=items,
        today=today,
        language=reader.language,
        names_customers=reader.customers is None or len(reader.customers) > 1,
    )
    host = urlsplit(public_url).hostname or "calib.invalid"
    mail = Mail(
        recipient=reader.email,
        subject=messages.subject(digest),
        body=messages.body(digest),
        calendar=messages.calendar(items[: messages.LISTED], sender, reader.language),
        message_id=f"<{secrets.token_hex(16)}@{host}>",
        made_at=now,
        next_try_at=now,
    )
    session.add(mail)
    session.flush()
    session.add_all(
        Notice(
            instrument_id=instrument_id,
            due_on=due_on,
            stage=stage,
            recipient=recipient,
            mail_id=mail.id,
            made_at=now,
        )
        for instrument_id, due_on, stage, recipient in news
    )
    session.flush()
