"""Tasks of kind ``round``: a value and its expanded uncertainty as they are printed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from calib.engine.rounding import Mode, RoundingPolicy, round_result, round_to_interval
from calib.evaluation.tasks.reader import Fields, TaskRefused, place, read_decimal, read_whole

KEYS = ("kind", "value", "U", "mode", "digits", "step", "interval")
POLICY = ("U", "mode", "digits", "step")


def compute_round(task: Mapping[str, Any]) -> dict[str, Any]:
    """Compute a task of kind ``round``; the printed figures are text.

    Raises
    ------
    TaskRefused
        The task cannot be read, or a figure cannot be rounded.
    """
    fields = Fields(task, "", KEYS)
    value = read_decimal(fields.need("value"), "value")
    if fields.has("interval"):
        for key in POLICY:
            if fields.has(key):
                raise TaskRefused("bad-task", f"{key!r} does not go with interval.", key)
        with place("interval"):
            rounded = round_to_interval(value, read_decimal(fields.get("interval"), "interval"))
        printed = f"{rounded or abs(rounded):f}"
        return {"kind": "round", "value": printed, "full_value": float(value)}
    policy = _policy(fields)
    with place("U"):
        found = round_result(value, read_decimal(fields.need("U"), "U"), policy)
    return {
        "kind": "round",
        "value": found.value,
        "U": found.U,
        "concise": found.concise,
        "full_value": float(found.full_value),
        "full_U": float(found.full_U),
    }


def _policy(fields: Fields) -> RoundingPolicy:
    given: dict[str, Any] = {}
    if fields.has("mode"):
        given["mode"] = fields.word("mode", get_args(Mode))
    if fields.has("digits"):
        told = fields.get("digits")
        given["digits"] = told if told == "by_first_digit" else read_whole(told, "digits")
    if fields.has("step"):
        given["step"] = read_whole(fields.get("step"), "step")
    with place("step" if "step" in given else "digits"):
        return RoundingPolicy(**given)
