"""Many frozen records at once: the same results as one after the other, in the same order.

A record that is refused is told in its place; it neither stops nor changes the others. Knows no
files and no databases.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
        yield from evaluate_window(window)


def evaluate_window(
    inputs: Sequence[CalibrationInput], digests: Sequence[str] = ()
) -> list[Answer]:
    """Return the answers to inputs that are held together; their digests where they are known."""
    alike: dict[str, list[int]] = {}
    for i, one in enumerate(inputs):
        alike.setdefault(_definition(one) or f"record {i}", []).append(i)
    answers: dict[int, Answer] = {}
    for places in alike.values():
        known = [digests[i] for i in places] if digests else []
        found = _evaluate_alike([inputs[i] for i in places], known)
        answers |= zip(places, found, strict=True)
    return [answers[i] for i in range(len(inputs))]


def _definition(one: CalibrationInput) -> str:
    try:
        return settled(one.definition).text
    except ValueError:  # told when the record is evaluated by itself
        return ""


def _evaluate_alike(inputs: list[CalibrationInput], digests: list[str]) -> list[Answer]:
    """Answer all; a fault of the program itself stays with the record that shows it."""
    try:
        return evaluate_alike(inputs, digests)
    except Exception as fault:  # noqa: BLE001  (the other records go on)
        if len(inputs) == 1:
            return [_broken(fault)]
        half = len(inputs) // 2
        return [
            *_evaluate_alike(inputs[:half], digests[:half]),
            *_evaluate_alike(inputs[half:], digests[half:]),
        ]


def _broken(fault: Exception) -> Refused:
    return Refused(
        "evaluation-failed",
        "The record could not be evaluated ({fault}). Please report it with the record.",
        facts={"fault": type(fault).__name__},
    )
