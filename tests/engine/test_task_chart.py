"""Tasks of kind chart."""

from __future__ import annotations

import json
from typing import Any

import pytest

from calib.evaluation.tasks import compute
from tests.engine.published import agrees, good, load

CASES = load("charts")
VALUES = CASES["individuals"]["values"]


def task(chart: str, **more: Any) -> dict[str, Any]:
    return {"kind": "chart", "chart": chart, **more}


GOOD = [
    task("shewhart", values=VALUES),
    task("shewhart", values=["1.00", "2.00"], target="1.5", s="0.2", width=2, rules="nelson"),
    task("shewhart", values=VALUES, rules=["six_trending", "six_trending"], baseline=5),
    task("shewhart", values=VALUES, rules=[], estimate="standard_deviation"),
    task("shewhart", subgroups=[[1, 2, 3], [2, 3, 5]], rules="limits"),
    task("shewhart", subgroups=[[1, 2, 3], [2, 3, 5]], dispersion="range"),
    task("ewma", values=VALUES, **{"lambda": 0.3}),
    task("cusum", values=VALUES),
    task("cusum", values=VALUES, target=45, k=1, h=4, s=2),
    task("constants", n=[2, 5]),
]


@pytest.mark.parametrize("given", GOOD, ids=range(len(GOOD)))
def test_results_are_plain_json(given: dict[str, Any]) -> None:
    found = good(compute(given))
    assert (found["kind"], found["chart"]) == ("chart", given["chart"])
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_individuals_by_moving_range() -> None:
    found = good(compute(task("shewhart", values=VALUES)))
    for name in ("center", "lower", "upper"):
        assert agrees(found[name], CASES["individuals"][name]), name


def test_ewma_of_the_handbook() -> None:
    case = CASES["ewma"]
    given = task("ewma", values=case["values"], target=50, s=2.0539, **{"lambda": 0.3})
    found = good(compute(given))
    assert agrees(found["upper"], case["upper"])
    assert found["statistic"] == pytest.approx(case["ewma"], abs=case["tolerance"])


def test_cusum_of_the_handbook() -> None:
    case = CASES["cusum"]
    given = {key: case[key] for key in ("values", "target", "k", "h")}
    found = good(compute(task("cusum", **given)))
    assert found["first_signal"] == case["first_signal"]
    quiet = good(compute(task("cusum", values=[1, 2, 1, 2], h=99)))
    assert quiet["first_signal"] is None
    assert quiet["k"] == pytest.approx(0.5 * quiet["s"])


def test_the_western_electric_rules_are_the_default() -> None:
    values = [0.1, 0.2, 0.1, 0.3, 0.1, 0.2, 0.1, 0.3, 0, 3.5]
    found = good(compute(task("shewhart", values=values, target=0, s=1)))
    assert found["violations"] == [
        {"index": 7, "rule": "eight_on_one_side"},
        {"index": 9, "rule": "beyond_limits"},
    ]
    only = good(compute(task("shewhart", values=values, target=0, s=1, rules="limits")))
    assert [v["index"] for v in only["violations"]] == [9]


def test_limits_from_a_baseline() -> None:
    found = good(compute(task("shewhart", values=[1, 2, 1, 2, 50], baseline=4)))
    assert found["center"] == 1.5
    assert [v["index"] for v in found["violations"]] == [4]


def test_subgroups() -> None:
    found = good(compute(task("shewhart", subgroups=[[1, 2, 3], [2, 3, 4], [1, 3, 5]])))
    assert found["statistic"] == [2, 3, 3]
    assert found["dispersion"]["statistic"] == pytest.approx([1, 1, 2])


BAD: list[tuple[str, str, Any]] = [
    ("missing-key", "chart", {"kind": "chart"}),
    ("bad-value", "chart", task("pie")),
    ("unknown-key", "lambda", task("shewhart", values=VALUES, **{"lambda": 0.2})),
    ("unknown-key", "colour", task("shewhart", values=VALUES, colour=1)),
    ("missing-key", "values", task("shewhart")),
    ("bad-number", "values.0", task("shewhart", values=[True])),
    ("degenerate-data", "values", task("shewhart", values=[1])),
    ("degenerate-data", "values", task("shewhart", values=[1, 1, 1])),
    ("out-of-range", "values", task("shewhart", values=[1], target=1, s=0)),
    ("out-of-range", "values", task("shewhart", values=VALUES, width=-1)),
    ("bad-number", "baseline", task("shewhart", values=VALUES, baseline=11)),
    ("bad-number", "baseline", task("shewhart", values=VALUES, baseline=0)),
    ("bad-value", "estimate", task("ewma", values=VALUES, estimate="eye")),
    ("bad-value", "rules", task("shewhart", values=VALUES, rules="none")),
    ("bad-value", "rules.0", task("shewhart", values=VALUES, rules=["none"])),
    ("bad-value", "rules", task("shewhart", values=VALUES, rules=3)),
    ("out-of-range", "values", task("ewma", values=VALUES, **{"lambda": 2})),
    ("out-of-range", "values", task("cusum", values=VALUES, h=0)),
    ("bad-task", "values", task("shewhart", values=VALUES, subgroups=[[1, 2], [3, 4]])),
    ("bad-task", "width", task("shewhart", width=3, subgroups=[[1, 2], [3, 4]])),
    ("bad-value", "subgroups", task("shewhart", subgroups=[[1, 2], [3]])),
    ("bad-value", "dispersion", task("shewhart", dispersion="x", subgroups=[[1, 2], [3, 4]])),
    ("degenerate-data", "subgroups", task("shewhart", subgroups=[[1, 2]])),
    ("missing-key", "n", task("constants")),
    ("out-of-range", "n", task("constants", n=[1])),
    ("bad-number", "n.0", task("constants", n=[2.5])),
]


@pytest.mark.parametrize(("code", "at", "given"), BAD, ids=range(len(BAD)))
def test_bad_tasks(code: str, at: str, given: dict[str, Any]) -> None:
    found = compute(given)["error"]
    assert (found["code"], found["at"]) == (code, at), found
