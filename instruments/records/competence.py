"""Competence: what a person of a lab is authorised to do, on what, in which range, how long."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base, DecimalText
from instruments.tenancy import LabScoped, scoped

COMPETENT_ACTS = ("performs", "reviews", "authorises")
BASES = ("training", "supervised_work", "comparison", "examination", "qualification")


class Competence(LabScoped, Base):
    """One authorisation of one person; ended with a reason, never deleted."""

    __tablename__ = "competences"
    __table_args__ = scoped(
        CheckConstraint(f"act IN {COMPETENT_ACTS}", "act"),
        CheckConstraint(f"basis IN {BASES}", "basis"),
        CheckConstraint("(low IS NULL) = (high IS NULL)", "range"),
        CheckConstraint("(ended_by IS NULL) = (end_reason = '')", "end"),
        CheckConstraint("granted_by <> person_id", "two_persons"),
    )

    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    act: Mapped[str]
    type_id: Mapped[str]
    """Instrument type, of the catalogue or of the lab's own method; empty: by `document`."""
    document: Mapped[str] = mapped_column(default="")
    """Governing document with edition; empty: whatever the type rests on."""
    measurand: Mapped[str] = mapped_column(default="")
    """Empty: every measurand."""
    low: Mapped[str | None] = mapped_column(DecimalText)
    high: Mapped[str | None] = mapped_column(DecimalText)
    """In the unit of the measurand; None: its whole range."""
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    """Last day; None: open."""
    basis: Mapped[str]
    evidence: Mapped[str]
    """What shows it: course, comparison, number of the record."""
    granted_by: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    granted_at: Mapped[datetime]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    end_reason: Mapped[str] = mapped_column(default="")
