"""Many frozen records at once: the same results as one after the other, in the same order.

A record that is refused is told in its place; it neither stops nor changes the others. Knows no
files and no databases.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import CalibrationInput
from calib.evaluation.result import CalibrationResult
from instruments.errors import Refused


def evaluate_many(inputs: Iterable[CalibrationInput]) -> Iterator[CalibrationResult | Refused]:
    """Yield for each input its result, or the refusal `evaluate` would raise."""
    for calibration_input in inputs:
        try:
            yield evaluate(calibration_input)
        except Refused as refusal:
            yield refusal
