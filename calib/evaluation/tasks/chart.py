"""Tasks of kind ``chart``: control limits of a series, and where it breaks the rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from calib.engine import charts, subgroups
from calib.engine.statistics import moments
from calib.evaluation.tasks.reader import (
    Fields,
    TaskRefused,
    join,
    place,
    read_list,
    read_matrix,
    read_whole,
    read_word,
)

_SERIES = ("values", "target", "s", "baseline", "estimate")
KEYS: dict[str, tuple[str, ...]] = {
    "shewhart": (*_SERIES, "width", "rules", "subgroups", "dispersion"),
    "ewma": (*_SERIES, "width", "lambda"),
    "cusum": (*_SERIES, "k", "h"),
    "constants": ("n",),
}
"""Keys of each chart."""
ESTIMATES = ("moving_range", "standard_deviation")
# Usual choices in units of s: a shift of one s is looked for, a false alarm in about 465 points.
CUSUM_K, CUSUM_H = 0.5, 5.0


def compute_chart(task: Mapping[str, Any]) -> dict[str, Any]:
    """Compute a task of kind ``chart``.

    Raises
    ------
    TaskRefused
        The task cannot be read, or its values give no chart.
    """
    known = dict.fromkeys(("kind", "chart", *(key for keys in KEYS.values() for key in keys)))
    chart = Fields(task, "", tuple(known)).word("chart", tuple(KEYS))
    fields = Fields(task, "", ("kind", "chart", *KEYS[chart]))
    head = {"kind": "chart", "chart": chart}
    if chart == "constants":
        return head | _constants(fields)
    if fields.has("subgroups"):
        return head | _subgroups(fields)
    values, center, s = _series(fields)
    with place("values"):
        if chart == "cusum":
            k, h = fields.number("k", CUSUM_K * s), fields.number("h", CUSUM_H * s)
            sums = charts.chart_cusum(values, center, s, k, h)
            return head | _cusum(sums)
        width = fields.number("width", 3.0)
        if chart == "ewma":
            made = charts.chart_ewma(values, center, s, fields.number("lambda", 0.2), width)
        else:
            made = charts.chart_shewhart(values, center, s, width, _rules(fields))
    return head | _chart(made)


def _series(fields: Fields) -> tuple[list[float], float, float]:
    """Values, center and standard deviation, given or estimated from the first `baseline`."""
    values = fields.numbers("values")
    first = (
        read_whole(fields.get("baseline"), "baseline") if fields.has("baseline") else len(values)
    )
    if not 1 <= first <= len(values):
        msg = f"baseline must be 1 to {len(values)}, got {first}."
        raise TaskRefused("bad-number", msg, "baseline")
    basis = values[:first]
    center = fields.maybe_number("target")
    with place("values"):
        if center is None:
            center = float(moments(basis)[0])
        how = fields.word("estimate", ESTIMATES, ESTIMATES[0])
        s = fields.number("s") if fields.has("s") else charts.estimate_spread(basis, how)
    return values, center, s


def _rules(fields: Fields) -> Sequence[str]:
    """Run rules: the name of a set or a list of names; the Western Electric rules by default."""
    given = fields.get("rules") if fields.has("rules") else "western_electric"
    if isinstance(given, str):
        return charts.RULE_SETS[read_word(given, "rules", tuple(charts.RULE_SETS))]
    names = read_list(given, "rules", 0)
    words = [read_word(n, join("rules", i), tuple(charts.RULES)) for i, n in enumerate(names)]
    return tuple(dict.fromkeys(words))


def _chart(made: charts.Chart) -> dict[str, Any]:
    return {
        "statistic": made.statistic.tolist(), "center": made.center, "lower": made.lower,
        "upper": made.upper, "s": made.s, "violations": _violations(made.violations),
    }  # fmt: skip


def _violations(found: tuple[charts.Violation, ...]) -> list[dict[str, Any]]:
    return [{"index": v.index, "rule": v.rule} for v in found]


def _cusum(sums: charts.Cusum) -> dict[str, Any]:
    violations = _violations(sums.violations)
    return {
        "statistic": {"high": sums.high.tolist(), "low": sums.low.tolist()},
        "center": sums.center, "k": sums.k, "h": sums.h, "s": sums.s, "violations": violations,
        "first_signal": violations[0]["index"] if violations else None,
    }  # fmt: skip


def _subgroups(fields: Fields) -> dict[str, Any]:
    """Chart means and scatter of equal subgroups."""
    for key in (*_SERIES, "width"):
        if fields.has(key):
            raise TaskRefused("bad-task", f"{key!r} does not go with subgroups.", key)
    groups = read_matrix(fields.get("subgroups"), "subgroups")
    if len({len(g) for g in groups}) != 1:
        raise TaskRefused("bad-value", "All subgroups must have the same size.", "subgroups")
    dispersion = fields.word("dispersion", ("s", "range"), "s")
    with place("subgroups"):
        location, scatter = subgroups.chart_subgroups(groups, dispersion, _rules(fields))
    return _chart(location) | {"dispersion": _chart(scatter)}


def _constants(fields: Fields) -> dict[str, Any]:
    """Factors of control charts for sizes of subgroups."""
    sizes = [read_whole(n, join("n", i)) for i, n in enumerate(read_list(fields.need("n"), "n"))]
    with place("n"):
        found = [asdict(subgroups.chart_constants(n)) for n in sizes]
    return {key: [row[key] for row in found] for key in found[0]}
