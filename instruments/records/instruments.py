"""Instruments of customers and what became of them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base, insert_only
from instruments.tenancy import LabScoped, scoped, to_same_lab

STATUSES = ("in_service", "limited", "out_of_service", "lost", "scrapped")


class Instrument(LabScoped, Base):
    """One instrument, or one lot of like pieces (`pieces` > 1)."""

    __tablename__ = "instruments"
    __table_args__ = scoped(
        to_same_lab("model_id", "instrument_models"),
        to_same_lab("customer_id", "customers"),
        to_same_lab("site_id", "sites"),
        UniqueConstraint("lab_id", "barcode"),
        UniqueConstraint("lab_id", "model_id", "serial"),
        CheckConstraint("pieces >= 1", "pieces"),
    )

    model_id: Mapped[int]
    customer_id: Mapped[int]
    site_id: Mapped[int | None]
    location: Mapped[str] = mapped_column(default="")
    """Where in the venue: gate 3, ward 5."""
    barcode: Mapped[str]
    """The lab's own number on the label."""
    asset_number: Mapped[str] = mapped_column(default="")
    """The owner's number (管理编号)."""
    serial: Mapped[str]
    """Maker's serial (出厂编号); of a lot: its serial range."""
    probe_serial: Mapped[str] = mapped_column(default="")
    pieces: Mapped[int] = mapped_column(default=1)
    interval_months: Mapped[int | None]
    """Recalibration interval agreed with the owner; None: none agreed."""
    due_on: Mapped[date | None] = mapped_column(index=True)
    """Next due date of the last issued certificate; None: never certified or nothing due."""
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class InstrumentStatus(LabScoped, Base):
    """A change of status; the newest row is the status. Insert-only."""

    __tablename__ = "instrument_statuses"
    __table_args__ = scoped(
        to_same_lab("instrument_id", "instruments"),
        CheckConstraint(f"status IN {STATUSES}", "status"),
    )

    instrument_id: Mapped[int] = mapped_column(index=True)
    status: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    from_at: Mapped[datetime]
    person_id: Mapped[int | None]


class InstrumentTransfer(LabScoped, Base):
    """An instrument passed from one customer to another. Insert-only."""

    __tablename__ = "instrument_transfers"
    __table_args__ = scoped(
        to_same_lab("instrument_id", "instruments"),
        to_same_lab("from_customer_id", "customers"),
        to_same_lab("to_customer_id", "customers"),
        CheckConstraint("from_customer_id <> to_customer_id", "two_customers"),
        CheckConstraint("reason <> '' AND consent <> ''", "told"),
    )

    instrument_id: Mapped[int] = mapped_column(index=True)
    from_customer_id: Mapped[int]
    to_customer_id: Mapped[int]
    transferred_on: Mapped[date]
    """From this day it is the new owner's."""
    reason: Mapped[str]
    consent: Mapped[str]
    """Who agreed for either side, and how they were told."""
    hands_over: Mapped[bool]
    """Whether the former owner lets the new one see the orders and certificates of its time."""
    person_id: Mapped[int]
    recorded_at: Mapped[datetime]


for _table in (InstrumentStatus, InstrumentTransfer):
    insert_only(_table.__table__)  # type: ignore[arg-type]
