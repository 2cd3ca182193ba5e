"""Counters behind numbers people read; taken in the transaction that uses the number."""

from __future__ import annotations

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base
from instruments.tenancy import LabScoped, scoped


class NumberSeries(LabScoped, Base):
    """A series of numbers of a lab: certificates of a kind, orders, barcodes."""

    __tablename__ = "number_series"
    __table_args__ = scoped(UniqueConstraint("lab_id", "name", "period"))

    name: Mapped[str]
    """calibration_certificate, verification_certificate, verification_notice, check_record, order,
    barcode."""
    template: Mapped[str]
    """e.g. ``{lab}-JZ-{year}-{seq:06d}``; known fields: lab, year, month, seq."""
    period: Mapped[str] = mapped_column(default="")
    """The year or month the counter runs over; empty: for ever. The row with an empty period holds
    the template."""
    last: Mapped[int] = mapped_column(default=0)
