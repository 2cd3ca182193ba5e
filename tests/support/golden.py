"""Golden records: written once per format, then kept for ever.

Run as a module it adds the files that are missing; a file that exists is never written again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import CalibrationInput, CMCRow, DecisionRule, ExaminationInput
from tests.support import inputs as a

FORMATS = Path(__file__).parents[1] / "formats"


def _digital() -> CalibrationInput:
    rows = (
        ("0", "0.012", "0.02"),
        ("25", "25.003", "25.04"),
        ("50", "50.020", "50.06"),
        ("75", "74.998", "75.06"),
        ("100", "100.005", "100.10"),
    )
    return a.digital(
        rows,
        predict={"temperature": ("40", "120")},
        accepted_warnings=("curve-extrapolated@/predict/temperature/as_found/0/120",),
        decision_rule=DecisionRule("guard_U_nonbinary"),
        limits=a.customer_limits("-0.10", "0.10"),
    )


def _glass() -> CalibrationInput:
    record = a.glass([("37.02", "41.00"), ("37.11", "41.05"), ("36.90", "40.95")])
    retention = ExaminationInput("retention", passed=False, rejected_pieces=(3,))
    others = tuple(e for e in record.examinations if e.id != retention.id)
    return replace(record, examinations=(*others, retention))


def _ear() -> CalibrationInput:
    record = a.ear(kind="verification", decision_rule=DecisionRule("regulation"))
    return replace(
        record,
        item=replace(record.item, attributes={"verification": "subsequent"}),
        acclimatisation_minutes=25,
    )


def _not_calibratable() -> CalibrationInput:
    record = a.forehead()
    return replace(record, item=replace(record.item, calibration_mode=None), points=())


RECORDS: dict[str, Callable[[], CalibrationInput]] = {
    "forehead": lambda: a.forehead(
        decision_rule=DecisionRule("jjf1094"), cmc=(CMCRow("temperature", "30", "45", "0.15"),)
    ),
    "ear": _ear,
    "electronic": lambda: a.electronic(decision_rule=DecisionRule("guard_U")),
    "glass": _glass,
    "digital": _digital,
    "pump": lambda: a.pump(decision_rule=DecisionRule("probability", "0.9")),
    "not-calibratable": _not_calibratable,
}


def write_missing(folder: Path = FORMATS / "v1") -> None:
    """Write the golden files that do not exist yet."""
    for name, build in RECORDS.items():
        record = build()
        for suffix, content in (
            ("input", record.canonical()),
            ("result", evaluate(record).canonical()),
        ):
            path = folder / f"calibration-{name}.{suffix}.json"
            if not path.exists():
                path.write_bytes(content)


if __name__ == "__main__":
    write_missing()
