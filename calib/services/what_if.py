"""The budget of one point looked into: what dominates, what would be if; nothing is ever stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from sqlalchemy import select

from calib.engine.errors import EngineError
from calib.evaluation.evaluate import evaluate_points
from calib.evaluation.inputs import CalibrationInput
from calib.evaluation.result import PointResult
from calib.evaluation.whatif import Comparison, Examined, examine
from calib.records.calibrations import Calibration, Evaluation
from calib.services import calibration_views
from calib.services.freezing import freeze_record
from instruments.context import Context
from instruments.errors import Invalid, Refused
from instruments.procedure import Measurand

MOST_PERCENT = 1000
DOMINANT = 50.0
"""Per cent of the variance from which on one component is said to dominate."""


@dataclass(frozen=True, slots=True)
class Dominant:
    """The component with the largest share of the variance."""

    component: str
    percent: float
    dominates: bool
    halved: str
    """U as it would be printed with half of its standard uncertainty."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A point as it stands, and as it would be."""

    measurand: Measurand
    point: PointResult
    tried: PointResult
    """The same where nothing is tried."""
    percents: Mapping[str, int]
    """Standard uncertainties in per cent of what they are, where another was tried."""
    dominant: Dominant | None


def points_of(ctx: Context, calibration_id: int) -> tuple[PointResult, ...]:
    """Return the points of a record that have a result: those stored, of a draft as they stand.

    Raises
    ------
    NotFound
        The lab has no such record.
    """
    return evaluate_points(_frozen(ctx, calibration_id))


def budget_of(ctx: Context, calibration_id: int, key: str, percents: Mapping[str, str]) -> Budget:
    """Return the budget of a point with what is tried; stores nothing.

    Raises
    ------
    NotFound
        The record has no such point.
    Invalid
        A component it does not have, or no whole per cent of 0 to 1000.
    Refused
        With what is tried the point cannot be computed.
    """
    point = examine(_frozen(ctx, calibration_id), key)
    tried = _tried(point.measurand, percents)
    before, now = point.result(), point.result(_scales(tried))
    return Budget(point.measurand, before, now, tried, _dominant(point, now, tried))


def compared(
    ctx: Context, calibration_id: int, key: str, percents: Mapping[str, str]
) -> Comparison:
    """Return the law of propagation beside trials at a point.

    Raises as `budget_of`, and where a trial has no finite result.
    """
    point = examine(_frozen(ctx, calibration_id), key)
    try:
        return point.compared(_scales(_tried(point.measurand, percents)))
    except EngineError as fault:
        raise Refused(
            "trials-not-computable",
            "The distributions cannot be propagated at {key}: {reason}",
            facts={"key": key, "reason": fault.message},
        ) from fault


def _frozen(ctx: Context, calibration_id: int) -> CalibrationInput:
    """Return what the record rests on: as stored, or of a draft as it is now."""
    ctx.need("calibration.read")
    stored = ctx.session.scalar(
        select(Evaluation.input_json)
        .join(Calibration, Calibration.id == Evaluation.calibration_id)
        .where(Evaluation.calibration_id == calibration_id, Calibration.state != "draft")
        .order_by(Evaluation.id.desc())
        .limit(1)
    )
    if stored is not None:
        return _read(stored)
    record = calibration_views.view(ctx, calibration_id)
    return freeze_record(ctx, replace(record, performed_on=record.performed_on or ctx.today))[0]


@lru_cache(maxsize=16)
def _read(text: str) -> CalibrationInput:
    """Read a frozen input once: it is asked for with every move of a slider."""
    return CalibrationInput.from_dict(json.loads(text))


def _scales(percents: Mapping[str, int]) -> dict[str, float]:
    return {name: percent / 100 for name, percent in percents.items()}


def _tried(measurand: Measurand, percents: Mapping[str, str]) -> dict[str, int]:
    """Return what differs from 100 per cent."""
    known = {component.id for component in measurand.components}
    tried = {}
    for name, text in percents.items():
        is_whole = text.isascii() and text.isdecimal() and len(text) <= 4
        if name not in known or not is_whole or int(text) > MOST_PERCENT:
            raise Invalid(
                "what-if-unusable",
                "{name} = {text}: expected a component of the budget and a whole per cent from 0 "
                "to {most}. Nothing is recorded here; open the budget again.",
                at=f"/{name}",
                facts={"name": name, "text": text, "most": MOST_PERCENT},
            )
        if int(text) != 100:
            tried[name] = int(text)
    return tried


def _dominant(point: Examined, now: PointResult, tried: Mapping[str, int]) -> Dominant | None:
    counted = [line for line in now.budget if line.counted and line.percent]
    if not counted:
        return None
    largest = max(counted, key=lambda line: line.percent)
    scales = _scales(tried) | {largest.component: tried.get(largest.component, 100) / 200}
    return Dominant(
        component=largest.component,
        percent=largest.percent,
        dominates=largest.percent >= DOMINANT,
        halved=point.result(scales).printed.U,
    )
