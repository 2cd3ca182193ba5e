"""Many frozen records at once: the same results as one after the other, in the same order.

A record that is refused is told in its place; it neither stops nor changes the others. Knows no
files and no databases.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from calib.evaluation.definitions import settled
from calib.evaluation.evaluate import Answer, evaluate_alike
from calib.evaluation.inputs import CalibrationInput
from instruments.errors import Refused

WINDOW = 1024
"""So many records are held at a time; those of one definition among them are computed together."""


def evaluate_many(inputs: Iterable[CalibrationInput]) -> Iterator[Answer]:
    """Yield for each input its result, or the refusal `evaluate` would raise."""
    waiting = iter(inputs)
    while window := list(islice(waiting, WINDOW)):
        yield from _evaluate_window(window)


def _evaluate_window(window: list[CalibrationInput]) -> list[Answer]:
    alike: dict[str, list[int]] = {}
    for i, one in enumerate(window):
        alike.setdefault(_definition(one) or f"record {i}", []).append(i)
    answers: dict[int, Answer] = {}
    for places in alike.values():
        answers |= zip(places, _evaluate_alike([window[i] for i in places]), strict=True)
    return [answers[i] for i in range(len(window))]


def _definition(one: CalibrationInput) -> str:
    try:
        return settled(one.definition).text
    except ValueError:  # told when the record is evaluated by itself
        return ""


def _evaluate_alike(inputs: list[CalibrationInput]) -> list[Answer]:
    """Answer all; a fault of the program itself stays with the record that shows it."""
    try:
        return evaluate_alike(inputs)
    except Exception as fault:  # noqa: BLE001  (the other records go on)
        if len(inputs) == 1:
            return [_broken(fault)]
        half = len(inputs) // 2
        return _evaluate_alike(inputs[:half]) + _evaluate_alike(inputs[half:])


def _broken(fault: Exception) -> Refused:
    return Refused(
        "evaluation-failed",
        "The record could not be evaluated ({fault}). Please report it with the record.",
        facts={"fault": type(fault).__name__},
    )
