"""Mandates: whose districts a person of an authority oversees, and for how long."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base
from instruments.tenancy import LabScoped, scoped

EVERYWHERE = ""
"""The district of a mandate for all of them, and for instruments that stand in none."""


class Mandate(LabScoped, Base):
    """One district a person oversees for the authority, over a period."""

    __tablename__ = "mandates"
    __table_args__ = scoped(
        UniqueConstraint("lab_id", "person_id", "district", "starts_on"),
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", "period"),
    )

    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    district: Mapped[str]
    """As the sites name it; `EVERYWHERE`: all."""
    purpose: Mapped[str]
    """What it is for, as the laboratories overseen are told."""
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    """Last day; None: open."""
    granted_at: Mapped[datetime]
