"""Which kind of task is computed where; one fault never hides the results of the others."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from importlib import import_module
from typing import Any, cast

from calib.evaluation.tasks.reader import TaskRefused, join

Compute = Callable[[Mapping[str, Any]], dict[str, Any]]

KINDS: dict[str, str] = {
    "propagate": "calib.evaluation.tasks.propagate:compute_propagate",
    "type_a": "calib.evaluation.tasks.type_a:compute_type_a",
    "fit": "calib.evaluation.tasks.fit:compute_fit",
    "conformity": "calib.evaluation.tasks.conformity:compute_conformity",
    "risk": "calib.evaluation.tasks.risk:compute_risk",
    "thermometry": "calib.evaluation.tasks.thermometry:compute_thermometry",
    "interval": "calib.evaluation.tasks.interval:compute_interval",
    "compare": "calib.evaluation.tasks.compare:compute_compare",
    "chart": "calib.evaluation.tasks.chart:compute_chart",
    "round": "calib.evaluation.tasks.rounding:compute_round",
    "calibration": "calib.evaluation.frozen:compute_calibration",
}
"""Kind of task and what computes it; a module is imported when its kind is first asked for."""


_HINT = (
    "Numbers have a decimal point, not a comma (1.5); keys and texts stand in double quotes; no"
    " comma stands behind the last item."
)


def _error(code: str, message: str, at: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "at": at}}


def compute(task: object) -> dict[str, Any]:
    """Compute one task; a fault comes back as an error object, never as an exception."""
    try:
        return _compute(task)
    except TaskRefused as refused:
        return _error(refused.code, refused.message, refused.at)
    except Exception as fault:  # noqa: BLE001  (the other tasks of a list go on)
        msg = f"The task could not be computed ({type(fault).__name__}). Please report it."
        return _error("internal-error", msg, "")


def _compute(task: object) -> dict[str, Any]:
    if not isinstance(task, Mapping):
        raise TaskRefused("bad-task", "A task must be an object with a kind.", "")
    kind = task.get("kind")
    if isinstance(kind, str) and kind in KINDS:
        module, _, function = KINDS[kind].partition(":")
        return cast("Compute", getattr(import_module(module), function))(task)
    known = ", ".join(sorted(KINDS))
    got = repr(kind[:60]) if isinstance(kind, str) else "none"
    raise TaskRefused("unknown-kind", f"The kind must be one of {known}; got {got}.", "kind")


def compute_many(document: object) -> tuple[object, bool]:
    """Compute a task or a list of tasks: results in the same shape, and whether all went well."""
    if isinstance(document, list):
        results = [compute(task) for task in document]
        return results, not any("error" in r for r in results)
    result = compute(document)
    return result, "error" not in result


def load(text: str) -> object:
    """Read a JSON document without losing a digit.

    Raises
    ------
    TaskRefused
        Empty, not JSON, a key given twice, or NaN and Infinity, which JSON does not have.
    """
    if not text.strip():
        msg = "The document is empty. Give a task, an object with a kind, or a list of tasks."
        raise TaskRefused("bad-json", msg, "")
    try:
        return json.loads(
            text, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_no_twice
        )
    except json.JSONDecodeError as cause:
        msg = f"This is not a JSON document: {cause}. {_HINT}"
        raise TaskRefused("bad-json", msg, "") from cause
    except (ValueError, ArithmeticError, RecursionError) as cause:
        raise TaskRefused("bad-json", f"This is not a JSON document: {cause}.", "") from cause


def _no_constant(word: str) -> object:
    raise TaskRefused("bad-number", f"{word} is not a number in JSON.", "")


def _no_twice(pairs: list[tuple[str, object]]) -> dict[str, object]:
    out: dict[str, object] = {}
    for key, value in pairs:
        if key in out:
            raise TaskRefused("bad-task", f"Key {key[:60]!r} is given twice.", join("", key[:60]))
        out[key] = value
    return out
