"""Addresses a lab has told to, and what was told to each; knows nothing of networks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base
from instruments.tenancy import LabScoped, scoped, to_same_lab

EVENTS = (
    "certificate.issued",
    "certificate.amended",
    "certificate.withdrawn",
    "instrument.due",
)
"""What can be told, in the order people are shown."""


class Webhook(LabScoped, Base):
    """An address of a lab that is told when something happens."""

    __tablename__ = "webhooks"
    __table_args__ = scoped(
        CheckConstraint("state IN ('on','off','stopped','ended')", "state"),
    )

    address: Mapped[str]
    events: Mapped[str]
    """Names of events, a space between them."""
    secret: Mapped[str]
    """Key of the signatures; shown to people once. It stays as it is: both sides compute by it."""
    old_secret: Mapped[str] = mapped_column(default="")
    old_ends_at: Mapped[datetime | None]
    """Until when messages are signed by the secret before as well."""
    state: Mapped[str] = mapped_column(default="on")
    """``stopped``: by the program, after repeated failure; what happens meanwhile waits."""
    failures: Mapped[int] = mapped_column(default=0)
    """Attempts in a row that failed."""
    first_failed_at: Mapped[datetime | None]
    made_by: Mapped[int]
    made_at: Mapped[datetime]


class Delivery(LabScoped, Base):
    """One message to one address; the key tells each event to it once."""

    __tablename__ = "deliveries"
    __table_args__ = scoped(
        to_same_lab("webhook_id", "webhooks"),
        UniqueConstraint("lab_id", "webhook_id", "event_id"),
        CheckConstraint("state IN ('waiting','sending','sent','given_up')", "state"),
    )

    webhook_id: Mapped[int]
    event_id: Mapped[str]
    event: Mapped[str]
    body: Mapped[str]
    """JSON exactly as it is sent: the signature is over these bytes."""
    state: Mapped[str] = mapped_column(default="waiting", index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    status: Mapped[int | None]
    """What the address answered last; None: nothing."""
    last_error: Mapped[str] = mapped_column(default="")
    made_at: Mapped[datetime]
    next_try_at: Mapped[datetime] = mapped_column(index=True)
    sent_at: Mapped[datetime | None]
