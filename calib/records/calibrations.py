"""Calibration records: plan, readings as entered, conditions, evaluations, review marks."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, validates

from instruments.db import Base, CanonicalJSON, DecimalText, insert_only
from instruments.tenancy import LabScoped, scoped, to_same_lab

STATES = (
    "draft",
    "submitted",
    "reviewed",
    "authorised",
    "reserved",
    "issued",
    "closed",
)
TRANSITIONS: dict[str, tuple[str, ...]] = {
    "draft": ("submitted", "closed"),
    "submitted": ("draft", "reviewed"),
    "reviewed": ("draft", "authorised"),
    "authorised": ("draft", "reserved"),
    "reserved": ("issued", "authorised"),
    "issued": (),
    "closed": (),
}
"""The one table of transitions. Back to draft: returned for a correction. ``reserved`` back to
``authorised``: the reservation was voided. ``closed``: ended without a certificate, with a reason
(not calibratable, withdrawn by the customer)."""


class Calibration(LabScoped, Base):
    """One record of work on one order line: calibration, verification or check."""

    __tablename__ = "calibrations"
    __table_args__ = scoped(
        to_same_lab("order_line_id", "order_lines"),
        to_same_lab("instrument_id", "instruments"),
        to_same_lab("amends_id", "calibrations"),
        CheckConstraint(f"state IN {STATES}", "state"),
        CheckConstraint("kind IN ('calibration','verification','check')", "kind"),
    )

    order_line_id: Mapped[int] = mapped_column(index=True)
    instrument_id: Mapped[int] = mapped_column(index=True)
    kind: Mapped[str]
    type_id: Mapped[str]
    type_version: Mapped[str]
    definition: Mapped[dict[str, Any]] = mapped_column(CanonicalJSON)
    """`InstrumentType.as_dict()` when the record was opened: later edits never reach it."""
    state: Mapped[str] = mapped_column(default="draft")
    closing_reason: Mapped[str] = mapped_column(default="")
    plan: Mapped[dict[str, Any]] = mapped_column(CanonicalJSON)
    """`calib.services.readings.Plan` as plain values: points by measurand, standards by measurand
    (certificate ids), pieces, predictions."""
    performed_on: Mapped[date | None]
    place: Mapped[str] = mapped_column(default="laboratory")
    """``laboratory`` or ``site``: where the work was done (17025 7.8.2.1 c)."""
    acclimatisation_minutes: Mapped[int | None]
    examinations: Mapped[dict[str, Any]] = mapped_column(CanonicalJSON)
    """Qualitative parts by id: ``{"passed": bool, "remark": str, "rejected_pieces": [int]}``."""
    accepted_warnings: Mapped[list[Any]] = mapped_column(CanonicalJSON)
    """``[{"warning": "code@place", "person_id": int, "reason": str}]``."""
    adjustment: Mapped[str] = mapped_column(default="")
    """What was adjusted or repaired between as-found and as-left."""
    remark: Mapped[str] = mapped_column(default="")
    """Additions, deviations, exclusions from the method (7.8.2.1 n)."""
    amends_id: Mapped[int | None]
    """The record whose certificate this one will replace."""
    amendment_reason: Mapped[str] = mapped_column(default="")
    simulated: Mapped[bool] = mapped_column(default=False, server_default="0")
    """Its readings come from the generator, not from an instrument; said wherever it shows."""
    opened_by: Mapped[int]
    opened_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012

    @validates("simulated")
    def _stays_simulated(self, _name: str, simulated: bool) -> bool:  # noqa: FBT001 -- as called
        """Refuse to take the mark back: what was simulated is never called measured."""
        if self.simulated and not simulated:
            raise ValueError("a record of simulated readings stays one")
        return simulated


class Reading(LabScoped, Base):
    """One reading as entered. Insert-only: a correction is a new revision with a reason.

    The slot (measurand, stage, piece, point, input, place) with its revision is unique, so two
    people who change the same reading at once cannot both succeed.
    """

    __tablename__ = "readings"
    __table_args__ = scoped(
        to_same_lab("calibration_id", "calibrations"),
        to_same_lab("standard_certificate_id", "standard_certificates"),
        UniqueConstraint(
            "lab_id",
            "calibration_id",
            "measurand",
            "stage",
            "piece",
            "point",
            "input",
            "place",
            "revision",
            name="uq_readings_slot",
        ),
        CheckConstraint("stage IN ('as_found','as_left')", "stage"),
        CheckConstraint("origin IN ('typed','imported','copied')", "origin"),
        CheckConstraint("revision = 1 OR reason <> ''", "reason"),
    )

    calibration_id: Mapped[int]
    measurand: Mapped[str]
    stage: Mapped[str]
    piece: Mapped[int]
    point: Mapped[str]
    """Nominal value as planned, with ``#2`` for a second visit."""
    input: Mapped[str]
    place: Mapped[int]
    """0, 1, 2 ...: which of the repeated readings."""
    revision: Mapped[int]
    """1: first entry; the largest is in force."""
    value: Mapped[str | None] = mapped_column(DecimalText)
    """Decimal text; None: the reading was taken back, with a reason."""
    unit: Mapped[str]
    standard_certificate_id: Mapped[int | None]
    """The certificate of the standard that supports it."""
    origin: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    person_id: Mapped[int]
    entered_at: Mapped[datetime]


class Condition(LabScoped, Base):
    """An influence quantity as observed. Insert-only, revisions as for readings."""

    __tablename__ = "conditions"
    __table_args__ = scoped(
        to_same_lab("calibration_id", "calibrations"),
        UniqueConstraint(
            "lab_id", "calibration_id", "quantity", "moment", "revision", name="uq_conditions_slot"
        ),
        CheckConstraint("quantity IN ('temperature','relative_humidity','pressure')", "quantity"),
        CheckConstraint("moment IN ('start','end')", "moment"),
    )

    calibration_id: Mapped[int]
    quantity: Mapped[str]
    moment: Mapped[str]
    revision: Mapped[int]
    value: Mapped[str | None] = mapped_column(DecimalText)
    unit: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    person_id: Mapped[int]
    entered_at: Mapped[datetime]


class Evaluation(LabScoped, Base):
    """A frozen input and its result, as canonical text. Insert-only."""

    __tablename__ = "evaluations"
    __table_args__ = scoped(to_same_lab("calibration_id", "calibrations"))

    calibration_id: Mapped[int] = mapped_column(index=True)
    input_json: Mapped[str]
    input_digest: Mapped[str]
    result_json: Mapped[str]
    result_digest: Mapped[str]
    software: Mapped[str]
    person_id: Mapped[int]
    evaluated_at: Mapped[datetime]


class ReviewMark(LabScoped, Base):
    """Who submitted, reviewed, authorised or returned which evaluation. Insert-only."""

    __tablename__ = "review_marks"
    __table_args__ = scoped(
        to_same_lab("calibration_id", "calibrations"),
        to_same_lab("evaluation_id", "evaluations"),
        CheckConstraint("act IN ('submitted','reviewed','authorised','returned')", "act"),
    )

    calibration_id: Mapped[int] = mapped_column(index=True)
    evaluation_id: Mapped[int]
    act: Mapped[str]
    content_digest: Mapped[str]
    """Digest of input and result the person saw; issue demands that it is still the same."""
    comment: Mapped[str] = mapped_column(default="")
    person_id: Mapped[int]
    marked_at: Mapped[datetime]


for _table in (Reading, Condition, Evaluation, ReviewMark):
    insert_only(_table.__table__)  # type: ignore[arg-type]
