"""Records of verifications, and what their measurands come to."""

from __future__ import annotations

from dataclasses import replace

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import CalibrationInput, DecisionRule
from calib.evaluation.result import PointResult
from tests.support import inputs as a


def verified(record: CalibrationInput, kind: str = "initial") -> CalibrationInput:
    """Return the record as a verification of this kind, judged by its regulation."""
    attributes = {**record.item.attributes, "verification": kind}
    return replace(
        record,
        kind="verification",
        decision_rule=DecisionRule("regulation"),
        item=replace(record.item, attributes=attributes),
        limits=a.type_limits(record.definition, attributes),
    )


def results(record: CalibrationInput) -> dict[tuple[str, str], PointResult]:
    """Return every result by measurand and nominal value."""
    return {(p.measurand, p.printed.nominal): p for p in evaluate(record).points}


def warnings(record: CalibrationInput) -> set[str]:
    """Return what a clean record is warned of: nothing."""
    return {f.code for f in evaluate(record).findings if f.severity != "note"}
