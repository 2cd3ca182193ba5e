"""Accreditation scope: calibration and measurement capabilities (CMC)."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base, DecimalText
from instruments.tenancy import LabScoped, scoped


class ScopeRow(LabScoped, Base):
    """One CMC row: U is never reported smaller inside it (ILAC-P14)."""

    __tablename__ = "scope_rows"
    __table_args__ = scoped()

    type_id: Mapped[str]
    measurand: Mapped[str]
    document: Mapped[str]
    """Governing document with edition the scope names."""
    low: Mapped[str] = mapped_column(DecimalText)
    high: Mapped[str] = mapped_column(DecimalText)
    expanded_uncertainty: Mapped[str] = mapped_column(DecimalText)
    """Constant part, in the unit of the output."""
    fraction: Mapped[str] = mapped_column(DecimalText, default="0")
    """Part proportional to |value|."""
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
