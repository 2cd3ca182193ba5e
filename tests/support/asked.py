"""What the tests of types ask of a result, and how they change a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from calib.evaluation.inputs import CalibrationInput, ConditionInput, DecisionRule, PointInput
from calib.evaluation.result import CalibrationResult, PointResult


def found(result: CalibrationResult, measurand: str, nominal: str) -> PointResult:
    """Return the one point of a measurand at a nominal value."""
    (point,) = [
        p for p in result.points if p.measurand == measurand and p.printed.nominal == nominal
    ]
    return point


def decided(result: CalibrationResult, measurand: str, nominal: str) -> str:
    """Return the verdict at a point."""
    return found(result, measurand, nominal).verdict


def under(
    record: CalibrationInput,
    points: Sequence[PointInput] | None = None,
    rule: DecisionRule | None = None,
) -> CalibrationInput:
    """Return the record with other points or another decision rule."""
    return replace(
        record,
        points=record.points if points is None else tuple(points),
        decision_rule=rule or record.decision_rule,
    )


def at(
    record: CalibrationInput, temperature: str, humidity: str = "55", pressure: str = "101.325"
) -> CalibrationInput:
    """Return the record under other conditions."""
    return replace(
        record,
        conditions=(
            ConditionInput("temperature", "degC", temperature),
            ConditionInput("relative_humidity", "%RH", humidity),
            ConditionInput("pressure", "kPa", pressure),
        ),
    )


def warned(result: CalibrationResult) -> set[str]:
    """Return the codes of the warnings."""
    return {f.code for f in result.findings if f.severity == "warning"}
