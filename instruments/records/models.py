"""Instrument models: maker, model, calibration mode, use, the maker's limits."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base, CanonicalJSON
from instruments.tenancy import LabScoped, scoped


class InstrumentModel(LabScoped, Base):
    """One maker's model of an instrument type."""

    __tablename__ = "instrument_models"
    __table_args__ = scoped(
        UniqueConstraint("lab_id", "maker", "model"),
        CheckConstraint("use IN ('clinical','industrial')", "use"),
    )

    type_id: Mapped[str]
    """Instrument type of the catalogue."""
    maker: Mapped[str]
    model: Mapped[str]
    use: Mapped[str]
    calibration_mode: Mapped[str | None]
    """Key sequence that opens the calibration mode; None: not known."""
    calibration_mode_source: Mapped[str] = mapped_column(default="")
    attributes: Mapped[dict[str, Any]] = mapped_column(CanonicalJSON)
    """Variant values the type asks for, e.g. ``{"pump": "syringe"}``."""
    resolution: Mapped[dict[str, Any]] = mapped_column(CanonicalJSON)
    """Resolution by measurand as decimal text, e.g. ``{"temperature": "0.1"}``."""
    maker_limits: Mapped[dict[str, Any]] = mapped_column(CanonicalJSON)
    """By measurand: a list of `instruments.procedure.Limit` as plain values; may be empty."""
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012
