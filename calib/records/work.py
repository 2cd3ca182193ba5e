"""Notices, outgoing mail, schedule runs, idempotency keys, files people handed in."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base, CanonicalJSON, insert_only
from instruments.tenancy import STRICT, LabScoped, scoped, to_same_lab


class Notice(LabScoped, Base):
    """One notice to one recipient about one due date at one stage; the key sends it once."""

    __tablename__ = "notices"
    __table_args__ = scoped(
        to_same_lab("instrument_id", "instruments"),
        to_same_lab("mail_id", "mails"),
        UniqueConstraint("lab_id", "instrument_id", "due_on", "stage", "recipient"),
    )

    instrument_id: Mapped[int]
    due_on: Mapped[date]
    stage: Mapped[int]
    """Days from the due date: -30, -7, 0, then 7, 14, ... when overdue."""
    recipient: Mapped[str]
    mail_id: Mapped[int]
    """The digest that carries it."""
    made_at: Mapped[datetime]


class Mail(LabScoped, Base):
    """A mail to be sent: written in the transaction of its cause, sent by a job.

    ``sending`` is written before the server is spoken to: what a crash leaves in that state is sent
    again under the same Message-ID, so that a reader's mailbox shows it once.
    """

    __tablename__ = "mails"
    __table_args__ = scoped(
        UniqueConstraint("message_id"),
        CheckConstraint("state IN ('waiting','sending','sent','refused')", "state"),
    )

    recipient: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    calendar: Mapped[str | None]
    """iCalendar text attached to the mail."""
    message_id: Mapped[str]
    state: Mapped[str] = mapped_column(default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(default="")
    made_at: Mapped[datetime]
    next_try_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class ScheduleRun(Base):
    """A run of a scheduled job over the installation; its absence raises an alarm."""

    __tablename__ = "schedule_runs"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    job: Mapped[str] = mapped_column(index=True)
    for_on: Mapped[date]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(default="")


class IdempotencyKey(LabScoped, Base):
    """The answer to a request that had an effect; the same key gives the same answer."""

    __tablename__ = "idempotency_keys"
    __table_args__ = scoped(UniqueConstraint("lab_id", "person_id", "act", "key"))

    person_id: Mapped[int]
    act: Mapped[str]
    key: Mapped[str]
    fingerprint: Mapped[str]
    """Digest of the request; the same key with another request is refused."""
    answer: Mapped[dict[str, Any]] = mapped_column(CanonicalJSON)
    made_at: Mapped[datetime]


class StoredFile(LabScoped, Base):
    """A file people handed in, kept under its hash: a DCC, a logger file. Insert-only."""

    __tablename__ = "stored_files"
    __table_args__ = scoped()

    sha256: Mapped[str]
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    purpose: Mapped[str]
    person_id: Mapped[int]
    stored_at: Mapped[datetime]


for _table in (Notice, StoredFile, IdempotencyKey):
    insert_only(_table.__table__)  # type: ignore[arg-type]
