"""What a record gives while it is being measured: each point as it becomes complete, every finding.

Reads only, and nothing of it is ever stored; what counts is evaluated anew when it is submitted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from calib.evaluation.evaluate import evaluate_points
from calib.evaluation.result import CalibrationResult, PointResult
from calib.services import calibration_views, evaluation
from calib.services.freezing import freeze_record
from instruments.context import Context
from instruments.errors import Finding


@dataclass(frozen=True, slots=True)
class LiveEvaluation:
    """The state of a draft."""

    points: tuple[PointResult, ...]
    """The points that are complete; all of them once there is a result."""
    result: CalibrationResult | None
    """None: an error stands against it."""
    findings: tuple[Finding, ...]


def evaluate_live(ctx: Context, calibration_id: int) -> LiveEvaluation:
    """Return what the record gives now, point by point even where something is still missing.

    Raises
    ------
    NotFound
    """
    draft = evaluation.evaluate_draft(ctx, calibration_id)
    if draft.result is not None:
        return LiveEvaluation(draft.result.points, draft.result, draft.findings)
    record = calibration_views.view(ctx, calibration_id)
    if not record.readings():
        return LiveEvaluation((), None, draft.findings)
    dated = replace(record, performed_on=record.performed_on or ctx.today)
    frozen, _ = freeze_record(ctx, dated)
    return LiveEvaluation(evaluate_points(frozen), None, draft.findings)
