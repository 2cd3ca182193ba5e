"""Tasks of kind ``type_a``: what repeated readings say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calib.engine import outliers, statistics
from calib.engine.types import Nested, OutlierTest, TypeA
from calib.evaluation.tasks.reader import (
    Fields,
    TaskRefused,
    finite,
    place,
    read_list,
    read_matrix,
    read_whole,
)

KEYS = ("kind", "readings", "method", "lags", "outliers", "groups", "alpha")
METHODS = ("bessel", "range", "pooled", "autocorrelated", "nested")
_ALLOWED = {
    "bessel": {"lags", "outliers"},
    "range": {"outliers"},
    "pooled": {"outliers"},
    "autocorrelated": {"lags", "outliers"},
    "nested": {"groups", "alpha", "outliers"},
}


def compute_type_a(task: Mapping[str, Any]) -> dict[str, Any]:
    """Compute a task of kind ``type_a``.

    Raises
    ------
    TaskRefused
        The task cannot be read or its readings do not suffice.
    """
    fields = Fields(task, "", KEYS)
    method = fields.word("method", METHODS, "bessel")
    for key in ("lags", "outliers", "groups", "alpha"):
        if fields.has(key) and key not in _ALLOWED[method]:
            raise TaskRefused("bad-task", f"{key!r} does not go with method {method!r}.", key)
    if method == "nested":
        return {"kind": "type_a", "method": method, **_nested(fields)}
    if method == "pooled":
        return {"kind": "type_a", "method": method, **_pooled(fields)}
    return {"kind": "type_a", "method": method, **_single(fields, method)}


def _series(found: TypeA) -> dict[str, Any]:
    return {"mean": found.mean, "s": found.s, "u": found.u, "dof": found.dof, "n": found.n}


def _pooled(fields: Fields) -> dict[str, Any]:
    """Several series about their own means."""
    groups = read_matrix(fields.need("readings"), "readings")
    with place("readings"):
        out = _series(statistics.evaluate_pooled(groups))
        deviations = [statistics.evaluate_bessel(g).s for g in groups]
    if fields.has("outliers"):
        out["outliers"] = _unequal(fields, deviations, [len(g) for g in groups])
    return out


def _unequal(fields: Fields, deviations: list[float], sizes: list[int]) -> dict[str, Any]:
    """Test for one group that scatters more than the others."""
    asked = Fields(fields.get("outliers"), "outliers", ("test", "alpha"))
    asked.word("test", ("cochran",))
    usual = max(sorted(set(sizes)), key=sizes.count)
    with place("outliers"):
        found = outliers.check_variances(deviations, usual, asked.number("alpha", 0.05))
    return _tested(found) | {"size": usual}


def _single(fields: Fields, method: str) -> dict[str, Any]:
    """One series by Bessel, range or with autocorrelation."""
    readings = fields.numbers("readings")
    evaluate = {
        "bessel": statistics.evaluate_bessel,
        "range": statistics.evaluate_range,
        "autocorrelated": statistics.evaluate_autocorrelated,
    }[method]
    with place("readings"):
        found = evaluate(readings)
    out = _series(found)
    if method == "autocorrelated":
        out["cutoff_lag"] = found.cutoff_lag
    if fields.has("lags"):
        lags = read_whole(fields.get("lags"), "lags")
        if lags < 1:
            raise TaskRefused("bad-number", "lags must be at least 1.", "lags")
        with place("lags"):
            out["autocorrelation"] = statistics.autocorrelate(readings, lags).tolist()
    if fields.has("outliers"):
        out["outliers"] = _outliers(fields, readings)
    return out


def _outliers(fields: Fields, readings: list[float]) -> dict[str, Any]:
    asked = Fields(fields.get("outliers"), "outliers", ("test", "alpha", "sided"))
    asked.word("test", ("grubbs",))
    sided = read_whole(asked.get("sided"), "outliers.sided") if asked.has("sided") else 2
    with place("outliers"):
        found = outliers.check_outlier(readings, asked.number("alpha", 0.05), sided)
    return _tested(found)


def _tested(found: OutlierTest) -> dict[str, Any]:
    return {
        "statistic": found.statistic,
        "critical": found.critical,
        "index": found.index,
        "outlying": found.outlying,
    }


def _groups(fields: Fields) -> tuple[list[float], list[float], list[int]]:
    """Mean, s and n of each group, from readings or as given."""
    if fields.has("readings") == fields.has("groups"):
        raise TaskRefused("bad-task", "Give either readings or groups.", "readings")
    if fields.has("readings"):
        series = read_matrix(fields.need("readings"), "readings")
        with place("readings"):
            found = [statistics.evaluate_bessel(s) for s in series]
        return [f.mean for f in found], [f.s for f in found], [f.n for f in found]
    means, deviations, sizes = [], [], []
    for i, group in enumerate(read_list(fields.need("groups"), "groups")):
        one = Fields(group, f"groups.{i}", ("mean", "s", "n"))
        means.append(one.number("mean"))
        deviations.append(one.number("s"))
        sizes.append(read_whole(one.need("n"), one.place("n")))
    return means, deviations, sizes


def _nested(fields: Fields) -> dict[str, Any]:
    means, deviations, sizes = _groups(fields)
    with place("readings" if fields.has("readings") else "groups"):
        found: Nested = statistics.evaluate_nested(
            means, deviations, sizes, fields.number("alpha", 0.05)
        )
    out: dict[str, Any] = {
        "mean": found.mean, "s": found.s, "u": found.u, "dof": found.dof, "n": found.n,
        "s_within": found.s_within, "s_between": found.s_between, "u_pooled": found.u_pooled,
        "ss_between": found.ss_between, "ss_within": found.ss_within,
        "dof_between": found.dof_between, "dof_within": found.dof_within,
        "F": finite(found.F), "F_critical": found.F_critical, "p": finite(found.p),
        "groups": [
            {"mean": m, "s": s, "n": n} for m, s, n in zip(means, deviations, sizes, strict=True)
        ],
    }  # fmt: skip
    if fields.has("outliers"):
        out["outliers"] = _unequal(fields, deviations, sizes)
    return out
