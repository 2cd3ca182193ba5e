"""What a record gives while it is being measured: each point as it becomes complete, every finding.

Reads only, and nothing of it is ever stored; what counts is evaluated anew when it is submitted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from calib.evaluation.evaluate import evaluate_points
from calib.evaluation.inputs import AgreedLimits
from calib.evaluation.result import CalibrationResult, PointResult
from calib.services import calibration_views, evaluation
from calib.services.calibration_views import CalibrationView, ReadingView, SlotView
from calib.services.reading_desk import desk_of, standard_of
from calib.services.reading_entry import ReadingEntry, check_entry
from instruments.context import Context
from instruments.errors import DomainError, Finding


@dataclass(frozen=True, slots=True)
class LiveEvaluation:
    """The state of a draft."""

    points: tuple[PointResult, ...]
    """The points that are complete; all of them once there is a result."""
    result: CalibrationResult | None
    """None: an error stands against it."""
    findings: tuple[Finding, ...]
    limits: Mapping[str, AgreedLimits]
    """Those agreed, by measurand."""


def evaluate_live(ctx: Context, calibration_id: int) -> LiveEvaluation:
    """Return what the record gives now, point by point even where something is still missing.

    Raises
    ------
    NotFound
    """
    return evaluate_view(ctx, calibration_views.view(ctx, calibration_id))


def evaluate_view(ctx: Context, record: CalibrationView) -> LiveEvaluation:
    """Return what a record gives as it was loaded, or as it would stand with what is typed."""
    draft = evaluation.evaluate_view(ctx, record)
    limits = draft.frozen.limits
    if draft.result is not None:
        return LiveEvaluation(draft.result.points, draft.result, draft.findings, limits)
    if not record.readings():
        return LiveEvaluation((), None, draft.findings, limits)
    return LiveEvaluation(evaluate_points(draft.frozen), None, draft.findings, limits)


def with_typed(
    ctx: Context, record: CalibrationView, entries: Sequence[ReadingEntry]
) -> CalibrationView:
    """Return the record as it would stand with what is being typed; stores nothing.

    What cannot be read yet is passed over: typing is not finished.
    """
    ctx.need("calibration.enter")
    desk = desk_of(ctx, record.definition, record.plan, entries, ())
    slots = {slot.current.slot: slot for slot in record.slots}
    for number, entry in enumerate(entries, start=1):
        try:
            quantity = check_entry(record.definition, record.plan, entry, "")
            standard = standard_of(desk, entry, quantity, "")
        except DomainError:
            continue
        typed = ReadingView(
            id=-number,
            measurand=entry.measurand,
            stage=entry.stage,
            piece=entry.piece,
            point=entry.point,
            input=entry.input,
            place=entry.place,
            revision=entry.revision,
            value=entry.value,
            unit=quantity.unit,
            standard_certificate_id=standard,
            origin="typed",
            reason="",
            person_id=ctx.actor.person_id,
            person_name=ctx.actor.name,
            entered_at=ctx.now,
        )
        slots[entry.slot] = SlotView(typed, (typed,))
    ordered = sorted(slots.values(), key=lambda slot: slot.current.slot)
    return replace(record, slots=tuple(ordered))
