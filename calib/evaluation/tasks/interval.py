"""Tasks of kind ``interval``: when to calibrate again, and what that rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from itertools import pairwise
from typing import Any

from calib.engine import drift_intervals, intervals
from calib.engine.coverage import coverage_factor
from calib.engine.drift import Changes, fit_changes
from calib.engine.forecasts import TAILS, fit_history, forecast
from calib.engine.lifetimes import MODELS
from calib.engine.reasons import Reason, tell
from calib.engine.reliability import DEFAULT_MODELS, ReliabilityFit, read_counts
from calib.evaluation.tasks.reader import (
    Fields,
    TaskRefused,
    join,
    place,
    read_choice,
    read_list,
    read_numbers,
    read_whole,
    read_word,
)

_ALL = ("kind", "method", "unit", "maximum")
_LIMITS = ("lower", "upper")
_POINTS = ("t", "error", "u", "history")
KEYS: dict[str, tuple[str, ...]] = {
    "staircase": (
        "as_found", *_LIMITS, "current_interval", "U", "quiet", "steps", "lengthen", "shorten",
        "may_extend",
    ),
    "control_chart": (*_POINTS, *_LIMITS, "confidence", "predict"),
    "drift": (*_POINTS, *_LIMITS, "target_reliability", "walk", "tail", "predict"),
    "a3": ("in_tolerance", "n", "current_interval", "target_reliability", "confidence"),
    "s2": ("bins", "target_reliability", "models"),
    "variables": (
        "dt", "delta", "history", "degree", "u0", "target_u", "y0", *_LIMITS, "confidence",
    ),
}  # fmt: skip
"""Keys of each method, beside those of all."""
DAYS = "day"
_MAX_UNIT = 20


def compute_interval(task: Mapping[str, Any]) -> dict[str, Any]:
    """Compute a task of kind ``interval``.

    Raises
    ------
    TaskRefused
        The task cannot be read, or its data give no interval at all.
    """
    method, fields = read_choice(task, "method", _ALL, KEYS)
    unit = _unit(fields)
    longest = fields.maybe_number("maximum")
    found, more = _METHODS[method](fields, longest)
    with place("maximum"):
        found = intervals.cut_interval(found, longest)
    return {
        "kind": "interval",
        "method": method,
        "interval": found.interval,
        "unit": unit,
        "reason": tell((*found.reasons, _told(fields, unit))),
        "extrapolated": found.extrapolated,
    } | more


def _unit(fields: Fields) -> str:
    """Read the name of the unit of time; with dates it is the day."""
    unit = fields.get("unit") if fields.has("unit") else DAYS
    if not isinstance(unit, str) or not 1 <= len(unit) <= _MAX_UNIT:
        msg = f"unit must be a word of at most {_MAX_UNIT} letters."
        raise TaskRefused("bad-value", msg, "unit")
    if fields.has("history") and unit not in ("day", "days", "d"):
        msg = f"With dates the unit is {DAYS!r}, got {unit!r}."
        raise TaskRefused("bad-value", msg, "unit")
    return unit


def _told(fields: Fields, unit: str) -> Reason:
    """Say in which unit all times are, and where nobody said so."""
    if fields.has("unit") or fields.has("history"):
        return Reason("Times are in the unit {unit}.", {"unit": unit})
    return Reason("No unit was given: times are taken to be in days.")


def _limits(fields: Fields) -> tuple[float | None, float | None]:
    return fields.maybe_number("lower"), fields.maybe_number("upper")


Found = tuple[intervals.Interval, dict[str, Any]]


def _staircase(fields: Fields, _: float | None) -> Found:
    errors = fields.number_or_list("as_found")
    if errors is None:
        fields.need("as_found")
    lower, upper = _limits(fields)
    with place(""):
        found = intervals.step_interval(
            [errors] if isinstance(errors, float) else errors or [],
            lower=lower, upper=upper, current=fields.number("current_interval"),
            U=fields.number("U", 0.0), quiet=fields.number("quiet", intervals.QUIET),
            steps=fields.numbers("steps") if fields.has("steps") else None,
            lengthen=fields.number("lengthen", intervals.LENGTHEN),
            shorten=fields.number("shorten", intervals.SHORTEN),
            may_extend=not fields.has("may_extend") or fields.flag("may_extend"),
        )  # fmt: skip
    return found, {"step": found.step, "load": found.load}


def _a3(fields: Fields, _: float | None) -> Found:
    x = read_whole(fields.need("in_tolerance"), "in_tolerance")
    n = read_whole(fields.need("n"), "n")
    with place(""):
        found = intervals.interval_a3(
            x, n, fields.number("current_interval"), fields.number("target_reliability"),
            fields.number("confidence"),
        )  # fmt: skip
    reliability = {"value": found.value, "lower": found.lower, "upper": found.upper}
    return found, {
        "rejection_confidence": found.rejection_confidence,
        "reliability": reliability,
        "supported": found.supported,
        "kept_interval": found.kept,
    }


def _s2(fields: Fields, _: float | None) -> Found:
    rows = read_list(fields.need("bins"), "bins")
    bins = [Fields(row, join("bins", i), ("t", "n", "in_tolerance")) for i, row in enumerate(rows)]
    numbers = [[b.number(key) for b in bins] for key in ("t", "n", "in_tolerance")]
    models = _models(fields)
    target = fields.number("target_reliability")
    with place("bins"):
        counts = read_counts(*numbers)
    with place(""):
        found = intervals.interval_s2(counts, target, models)
    return found, {
        "model": found.best.model if found.best else None,
        "models": {fit.model: _fit(fit) for fit in found.fits},
    }


def _models(fields: Fields) -> tuple[str, ...]:
    if not fields.has("models"):
        return DEFAULT_MODELS
    names = read_list(fields.get("models"), "models")
    words = [read_word(m, join("models", i), tuple(MODELS)) for i, m in enumerate(names)]
    return tuple(dict.fromkeys(words))


def _fit(fit: ReliabilityFit) -> dict[str, Any]:
    return {
        "interval": fit.interval, "parameters": fit.parameters,
        "log_likelihood": fit.log_likelihood, "aic": fit.aic, "p": fit.p,
        "reliability_lower": fit.reliability_lower, "settled": fit.settled,
        "edge": list(fit.edge),
    }  # fmt: skip


def _variables(fields: Fields, _: float | None) -> Found:
    changes = _changes(fields)
    u0 = fields.number("u0")
    by_limits = [key for key in ("y0", *_LIMITS, "confidence") if fields.has(key)]
    if fields.has("target_u") == bool(by_limits):
        msg = "Give either target_u, or y0 with limits and confidence."
        raise TaskRefused("bad-task", msg, "target_u")
    lower, upper = _limits(fields)
    with place(""):
        if by_limits:
            found = drift_intervals.interval_by_limits(
                changes, u0, fields.number("y0"), lower, upper, fields.number("confidence")
            )
        else:
            found = drift_intervals.interval_by_uncertainty(changes, u0, fields.number("target_u"))
    more: dict[str, Any] = {
        "k": found.k,
        "dof": changes.dof,
        "parameters": {f"b{i}": float(b) for i, b in enumerate(changes.parameters, 1)},
        "covariance": changes.covariance.tolist(),
        "s": changes.s,
    }
    if found.interval is not None:
        delta, u = changes.predict(found.interval)
        more["prediction"] = {"t": found.interval, "delta": delta, "u_pred": u}
    return found, more


def _changes(fields: Fields) -> Changes:
    """Read changes since adjustment, as given or from dated results."""
    degree = read_whole(fields.get("degree"), "degree") if fields.has("degree") else 1
    if fields.has("history") == (fields.has("dt") or fields.has("delta")):
        raise TaskRefused("bad-task", "Give either history, or dt and delta.", "history")
    if not fields.has("history"):
        with place("dt"):
            return fit_changes(fields.numbers("dt"), fields.numbers("delta"), degree)
    days, found, left = _history(fields)
    passed = [b - a for a, b in pairwise(days)]
    delta = [b - a for a, b in zip(left, found[1:], strict=False)]
    with place("history"):
        return fit_changes(passed, delta, degree)


def _history(fields: Fields) -> tuple[list[float], list[float], list[float]]:
    """Days since the first calibration, as found and as left (the same when not adjusted)."""
    days, found, left = [], [], []
    for i, row in enumerate(read_list(fields.get("history"), "history", 2)):
        one = Fields(row, join("history", i), ("date", "as_found", "as_left"))
        days.append(float(_day(one.need("date"), one.place("date"))))
        if i and days[i] <= days[i - 1]:
            raise TaskRefused("bad-value", "The dates must rise.", one.place("date"))
        found.append(one.number("as_found"))
        left.append(one.number("as_left", found[i]))
    return [d - days[0] for d in days], found, left


def _day(value: object, at: str) -> int:
    """Read a date of the calendar as a day number."""
    try:
        return date.fromisoformat(value if isinstance(value, str) else "").toordinal()
    except ValueError as cause:
        msg = f"{at} must be a date like 2026-03-31, got {str(value)[:30]!r}."
        raise TaskRefused("bad-value", msg, at) from cause


def _lined(fields: Fields, longest: float | None, *, chart: bool) -> Found:
    """Control chart and drift: the line through all calibrations."""
    origin, t, error = _points(fields)
    lower, upper = _limits(fields)
    level = fields.number("confidence" if chart else "target_reliability", 0.95)
    tail = "t" if chart else fields.word("tail", TAILS, "t")
    with place("history" if fields.has("history") else "t"):
        line = fit_history(t, error, fields.number_or_list("u"), fields.number("walk", 0.0))
    with place(""):
        found = drift_intervals.interval_by_history(
            line, lower, upper, confidence=level, longest=longest,
            criterion="band" if chart else "probability", tail=tail,
        )  # fmt: skip
    more: dict[str, Any] = {
        "reached": found.reached, "k": found.k, "dof": line.dof, "slope": line.slope,
        "u_slope": line.u_slope, "s": line.s, "consistent": line.consistent,
    }  # fmt: skip
    if fields.has("predict"):
        times = _times(fields, origin)
        k = float(coverage_factor(line.dof, level))
        with place("predict"):
            expected = [forecast(line, when, lower, upper, tail) for when in times]
        more["predictions"] = [
            {"t": f.t, "y": f.y, "u": f.u, "k": k, "U": k * f.u,
             "probability_out": f.probability_out}
            for f in expected
        ]  # fmt: skip
    return found, more


def _points(fields: Fields) -> tuple[int | None, list[float], list[float]]:
    """Read the first day (with dates), times, and errors told of the state as left last."""
    if fields.has("history") == (fields.has("t") or fields.has("error")):
        raise TaskRefused("bad-task", "Give either history, or t and error.", "history")
    if not fields.has("history"):
        t = fields.numbers("t", 3)
        if any(b <= a for a, b in pairwise(t)):
            raise TaskRefused("bad-value", "The times must rise.", "t")
        return None, t, fields.numbers("error", 3)
    days, found, left = _history(fields)
    first = Fields(fields.get("history")[0], "history.0", ("date", "as_found", "as_left"))
    # Every adjustment after a calibration moves the curve; all results are told as of today.
    error, later = [], 0.0
    for f, after in zip(reversed(found), reversed(left), strict=True):
        later += after - f
        error.append(f + later)
    return _day(first.get("date"), "history.0.date"), days, error[::-1]


def _times(fields: Fields, origin: int | None) -> list[float]:
    """Read times of predictions: dates with a history, else numbers."""
    if origin is None:
        return read_numbers(fields.get("predict"), "predict")
    given = read_list(fields.get("predict"), "predict")
    return [float(_day(v, join("predict", i)) - origin) for i, v in enumerate(given)]


_METHODS: dict[str, Callable[[Fields, float | None], Found]] = {
    "staircase": _staircase,
    "control_chart": lambda fields, longest: _lined(fields, longest, chart=True),
    "drift": lambda fields, longest: _lined(fields, longest, chart=False),
    "a3": _a3,
    "s2": _s2,
    "variables": _variables,
}
