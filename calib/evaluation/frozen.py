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
    except NotPlain as problem:
        raise Invalid(
            "input-malformed",
            "The frozen input cannot be read at {at}: {problem}. Hand it in as it was stored.",
            at=problem.at,
            facts={"at": problem.at or "/", "problem": problem.problem},
        ) from problem
    if record.format != INPUT_FORMAT:
        raise Invalid(
            "input-format",
            "The frozen input has format {given}, this program reads {known}. Use the release"
            " that wrote it or a later one.",
            at="/input/format",
            facts={"given": record.format, "known": INPUT_FORMAT},
        )
    return evaluate(record).as_dict()


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
