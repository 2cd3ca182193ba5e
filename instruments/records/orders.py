"""Orders (委托单): what was agreed, what came in, in which condition."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base, CanonicalJSON, DecimalText
from instruments.tenancy import LabScoped, scoped, to_same_lab

KINDS = ("calibration", "verification", "check")
STATES = ("requested", "accepted", "done", "returned", "cancelled")


class Order(LabScoped, Base):
    """A request and, once accepted, the agreement about it (ISO/IEC 17025 7.1)."""

    __tablename__ = "orders"
    __table_args__ = scoped(
        to_same_lab("customer_id", "customers"),
        UniqueConstraint("lab_id", "number"),
        CheckConstraint(f"kind IN {KINDS}", "kind"),
        CheckConstraint("state IN ('requested','accepted','done','returned','cancelled')", "state"),
    )

    number: Mapped[str]
    customer_id: Mapped[int]
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default="requested")
    requested_on: Mapped[date]
    requested_by: Mapped[str] = mapped_column(default="")
    decision_rule: Mapped[str]
    """`calib.evaluation.inputs.RuleId`; agreed before the work (7.1.3)."""
    decision_parameter: Mapped[str | None] = mapped_column(DecimalText)
    print_due: Mapped[bool] = mapped_column(default=False)
    """The customer agreed that a next-due date may be printed (7.8.4.3)."""
    interval_months: Mapped[int | None]
    include_budget: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str] = mapped_column(default="zh+en")
    """Of the certificates: zh, en or zh+en."""
    green_channel: Mapped[bool] = mapped_column(default=False)
    fee: Mapped[str | None] = mapped_column(DecimalText)
    fee_waiver: Mapped[str] = mapped_column(default="")
    """Reason the fee is waived; empty: not waived."""
    remark: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class OrderLine(LabScoped, Base):
    """One instrument of an order."""

    __tablename__ = "order_lines"
    __table_args__ = scoped(
        to_same_lab("order_id", "orders"),
        to_same_lab("instrument_id", "instruments"),
        UniqueConstraint("lab_id", "order_id", "instrument_id"),
        CheckConstraint(
            "verification_kind IS NULL OR verification_kind IN "
            "('initial','subsequent','in_service')",
            "verification_kind",
        ),
    )

    order_id: Mapped[int] = mapped_column(index=True)
    instrument_id: Mapped[int] = mapped_column(index=True)
    verification_kind: Mapped[str | None]
    customer_limits: Mapped[dict[str, Any]] = mapped_column(CanonicalJSON)
    """By measurand: `instruments.procedure.Limit` rows the customer asks for; may be empty."""
    points: Mapped[dict[str, Any]] = mapped_column(CanonicalJSON)
    """By measurand: points asked for, as decimal text; empty: those of the type."""
    predict: Mapped[dict[str, Any]] = mapped_column(CanonicalJSON)
    """By measurand: where the fitted curve is to be printed; empty: as the type says."""
    received_at: Mapped[datetime | None]
    received_by: Mapped[int | None]
    condition: Mapped[str] = mapped_column(default="")
    """Condition on receipt, in words; empty until received."""
    returned_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012
