"""Sites (venues) where instruments stand."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base
from instruments.tenancy import LabScoped, scoped, to_same_lab

VENUE_TYPES = (
    "hospital",
    "railway_station",
    "airport",
    "metro",
    "bus_station",
    "port",
    "school",
    "market",
    "mall",
    "community",
    "factory",
    "office",
    "other",
)


class Site(LabScoped, Base):
    """A venue of a customer: railway station, school, hospital."""

    __tablename__ = "sites"
    __table_args__ = scoped(
        to_same_lab("customer_id", "customers"),
        CheckConstraint(f"venue_type IN {VENUE_TYPES}", "venue_type"),
    )

    customer_id: Mapped[int]
    name_en: Mapped[str] = mapped_column(default="")
    name_zh: Mapped[str] = mapped_column(default="")
    venue_type: Mapped[str]
    district: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012
