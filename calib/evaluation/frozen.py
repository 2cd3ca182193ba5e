"""A frozen calibration input as a task: the result again, byte for byte, from the input alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import INPUT_FORMAT, CalibrationInput
from calib.evaluation.tasks.reader import TaskRefused
from instruments.errors import DomainError, Invalid
from instruments.plain import NotPlain


def compute_frozen(task: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain result of ``{"kind": "calibration", "input": {...}}``.

    Raises
    ------
    Invalid
        The task is no calibration input of a known format; `at` names the place.
    Refused
        What `evaluate` refuses.
    """
    record, _ = read_frozen(task)
    return evaluate(record).as_dict()


def read_frozen(task: Mapping[str, Any]) -> tuple[CalibrationInput, bytes]:
    """Return the frozen input of such a task, and its canonical bytes.

    Raises
    ------
    Invalid
        The task is no calibration input of a known format; `at` names the place.
    """
    unknown = sorted(set(task) - {"kind", "input"})
    if unknown or "input" not in task:
        raise Invalid(
            "task-malformed",
            "A calibration task has the keys kind and input, got {keys}. Hand in the frozen"
            " input as it was stored.",
            facts={"keys": ", ".join(map(str, task))},
        )
    try:
        record = CalibrationInput.from_dict(task)
        content = record.canonical()
    except NotPlain as problem:
        raise _malformed(problem.at, problem.problem) from problem
    except ValueError as problem:  # text or a number that JSON cannot hold
        raise _malformed("/input", str(problem)) from problem
    if record.format != INPUT_FORMAT:
        raise Invalid(
            "input-format",
            "The frozen input has format {given}, this program reads {known}. Use the release"
            " that wrote it or a later one.",
            at="/input/format",
            facts={"given": record.format, "known": INPUT_FORMAT},
        )
    return record, content


def _malformed(at: str, problem: str) -> Invalid:
    return Invalid(
        "input-malformed",
        "The frozen input cannot be read at {at}: {problem}. Hand it in as it was stored.",
        at=at,
        facts={"at": at or "/", "problem": problem},
    )


def compute_calibration(task: Mapping[str, Any]) -> dict[str, Any]:
    """Compute a task of kind ``calibration``; places are pointers into the frozen input.

    Raises
    ------
    TaskRefused
        What `compute_frozen` refuses, every error of the checks in the message.
    """
    try:
        return compute_frozen(task)
    except DomainError as fault:
        errors = [f"{f.at}: {f.text()}" for f in fault.findings if f.severity == "error"]
        raise TaskRefused(fault.code, " ".join([str(fault), *errors]), fault.at) from fault
