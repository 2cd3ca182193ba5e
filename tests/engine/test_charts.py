from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.engine import charts, subgroups
from calib.engine.errors import DegenerateData, OutOfRange
from tests.engine.published import agrees, load, to_print

CHARTS = load("charts")


@pytest.mark.parametrize("name", ["d2", "d3", "c4", "A2", "A3", "B3", "B4"])
def test_constants_to_print(name: str) -> None:
    table = CHARTS["constants"]
    for n, printed in zip(table["n"], table[name], strict=True):
        assert to_print(getattr(subgroups.chart_constants(n), name), printed), n


def test_constants_in_closed_form() -> None:
    two, three = subgroups.chart_constants(2), subgroups.chart_constants(3)
    assert two.d2 == pytest.approx(2 / math.sqrt(math.pi), rel=1e-12)
    assert two.d3 == pytest.approx(math.sqrt(2 - 4 / math.pi), rel=1e-12)
    assert two.c4 == pytest.approx(math.sqrt(2 / math.pi), rel=1e-14)
    assert three.d2 == pytest.approx(3 / math.sqrt(math.pi), rel=1e-12)
    assert three.c4 == pytest.approx(math.sqrt(math.pi) / 2, rel=1e-14)
    # The s and the range of two values are the same but for a factor.
    assert pytest.approx(two.D4, rel=1e-11) == two.B4
    assert (two.D1, two.D3, two.B5) == (0, 0, 0)
    assert pytest.approx(two.d2 * two.D4, rel=1e-14) == two.D2
    assert pytest.approx(two.c4 * two.B4, rel=1e-14) == two.B6


def test_constants_against_draws() -> None:
    drawn = np.random.default_rng(5).normal(size=(40_000, 7))
    found = subgroups.chart_constants(7)
    assert np.ptp(drawn, axis=1).mean() == pytest.approx(found.d2, abs=0.02)
    assert np.ptp(drawn, axis=1).std() == pytest.approx(found.d3, abs=0.02)
    assert drawn.std(axis=1, ddof=1).mean() == pytest.approx(found.c4, abs=0.01)


def test_constants_of_large_groups() -> None:
    found = subgroups.chart_constants(1000)
    assert found.c4 == pytest.approx(1 - 1 / (4 * 1000), abs=1e-6)
    assert 6 < found.d2 < 7


@pytest.mark.parametrize("n", [1, 0, 1001])
def test_constants_refuse(n: int) -> None:
    with pytest.raises(OutOfRange):
        subgroups.chart_constants(n)


def test_cusum_of_the_handbook() -> None:
    data = CHARTS["cusum"]
    found = charts.chart_cusum(data["values"], data["target"], 1.0, data["k"], data["h"])
    assert found.high == pytest.approx(data["high"], abs=data["tolerance"])
    assert found.low == pytest.approx(data["low"], abs=data["tolerance"])
    assert found.violations[0] == charts.Violation(data["first_signal"], "rise")
    mirrored = charts.chart_cusum(-np.array(data["values"]), -325, 1.0, data["k"], data["h"])
    assert mirrored.low == pytest.approx(found.high)
    assert {v.rule for v in mirrored.violations} == {"fall"}


def test_ewma_of_the_handbook() -> None:
    data = CHARTS["ewma"]
    found = charts.chart_ewma(data["values"], data["target"], data["s"], data["lambda"])
    assert found.statistic == pytest.approx(data["ewma"], abs=data["tolerance"])
    assert agrees(found.upper, data["upper"])
    assert agrees(found.lower, data["lower"])
    assert found.violations == ()


def test_ewma_is_a_weighted_sum() -> None:
    x = np.array([1.0, 4.0, -2.0, 9.0])
    found = charts.chart_ewma(x, 1.0, 0.5, 0.3)
    weights = [0.3 * 0.7 ** (3 - i) for i in range(4)]
    assert found.statistic[3] == pytest.approx(weights @ x + 0.7**4 * 1.0)
    whole = charts.chart_ewma(x, 1.0, 2.0, 1.0)
    assert whole.statistic.tolist() == x.tolist()
    assert [v.index for v in whole.violations] == [3]


def test_individuals_of_the_handbook() -> None:
    data = CHARTS["individuals"]
    s = charts.estimate_spread(data["values"])
    found = charts.chart_shewhart(data["values"], float(np.mean(data["values"])), s)
    for name in ("center", "lower", "upper"):
        assert agrees(getattr(found, name), data[name]), name


def test_spread() -> None:
    assert charts.estimate_spread([0, 1, 0, 1]) == pytest.approx(math.sqrt(math.pi) / 2)
    assert charts.estimate_spread([0, 1, 3], "standard_deviation") == pytest.approx(1.5275252)
    for method in ("moving_range", "standard_deviation"):
        with pytest.raises(DegenerateData, match="equal"):
            charts.estimate_spread([2, 2, 2], method)


def broken(values: list[float], rule: str) -> list[int]:
    """Places where a rule alone breaks, center 0, s 1, wide limits."""
    found = charts.chart_shewhart(values, 0.0, 1.0, 100.0, [rule])
    return [v.index for v in found.violations]


@pytest.mark.parametrize(
    ("rule", "values", "places"),
    [
        ("two_of_three_beyond_2s", [0, 2.1, 0, 2.1, 0, -2.1, 2.1], [3]),
        ("two_of_three_beyond_2s", [2.1, 2.1, 0, 2], [1]),
        ("two_of_three_beyond_2s", [-2.1, 0, 0, -2.1], []),
        ("four_of_five_beyond_1s", [1.1, 1.1, 0, 1.1, 1.1], [4]),
        ("four_of_five_beyond_1s", [1.1, 1.1, -1.1, 0, 1.1, 1.1], []),
        ("seven_on_one_side", [1] * 7, [6]),
        ("eight_on_one_side", [-1] * 9, [7, 8]),
        ("eight_on_one_side", [1, 1, 1, 0, 1, 1, 1, 1], []),
        ("nine_on_one_side", [1] * 9, [8]),
        ("six_trending", [1, 2, 3, 4, 5, 6], [5]),
        ("six_trending", [6, 5, 4, 3, 2, 1], [5]),
        ("six_trending", [1, 2, 3, 3, 4, 5, 6], []),
        ("seven_trending", [1, 2, 3, 4, 5, 6, 7], [6]),
        ("fourteen_alternating", [0, 1] * 7, [13]),
        ("fourteen_alternating", [0, 1] * 6 + [0], []),
        ("fifteen_within_1s", [0.9] * 15, [14]),
        ("fifteen_within_1s", [0.9] * 14 + [1], []),
        ("eight_beyond_1s", [1.1, -1.1] * 4, [7]),
    ],
    ids=range(18),
)
def test_run_rules(rule: str, values: list[float], places: list[int]) -> None:
    assert broken(values, rule) == places


def test_limits_are_always_watched() -> None:
    found = charts.chart_shewhart([0, 3.1, -3.1, 3.0], 0, 1)
    assert [(v.index, v.rule) for v in found.violations] == [
        (1, charts.LIMITS),
        (2, charts.LIMITS),
    ]


@given(st.lists(st.floats(-5, 5).map(lambda v: round(v, 3)), min_size=1, max_size=30))
@settings(max_examples=40)
def test_rules_are_symmetric_and_free_of_scale(values: list[float]) -> None:
    rules = list(charts.RULES)
    x = np.array(values)
    plain = charts.chart_shewhart(x, 0, 1, rules=rules).violations
    assert charts.chart_shewhart(-x, 0, 1, rules=rules).violations == plain
    assert charts.chart_shewhart(4 * x, 0, 4, rules=rules).violations == plain


REFUSED = [
    (lambda: charts.chart_shewhart([], 0, 1), DegenerateData),
    (lambda: charts.chart_shewhart([[1]], 0, 1), DegenerateData),
    (lambda: charts.chart_shewhart([1], 0, 1, 3, ["none"]), DegenerateData),
    (lambda: charts.chart_shewhart([1], 0, 0), OutOfRange),
    (lambda: charts.chart_shewhart([1], 0, 1, math.inf), OutOfRange),
    (lambda: charts.chart_shewhart([math.nan], 0, 1), OutOfRange),
    (lambda: charts.chart_shewhart([1], math.nan, 1), OutOfRange),
    (lambda: charts.chart_ewma([1], 0, 1, 0), OutOfRange),
    (lambda: charts.chart_ewma([1], 0, 1, 1.1), OutOfRange),
    (lambda: charts.chart_cusum([1], 0, 1, -1, 1), OutOfRange),
    (lambda: charts.chart_cusum([1], 0, 1, 0, 0), OutOfRange),
    (lambda: subgroups.chart_subgroups([[1, 2]]), DegenerateData),
    (lambda: subgroups.chart_subgroups([1, 2]), DegenerateData),
    (lambda: subgroups.chart_subgroups([[1, 1], [2, 2]]), DegenerateData),
]


@pytest.mark.parametrize(("call", "error"), REFUSED, ids=range(len(REFUSED)))
def test_charts_refuse(call: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        call()


@pytest.mark.parametrize("dispersion", ["s", "range"])
def test_subgroups(dispersion: str) -> None:
    groups = np.random.default_rng(2).normal(10, 2, size=(25, 5))
    groups[7] += 6
    groups[9] *= 4
    location, scatter = subgroups.chart_subgroups(groups, dispersion)
    constants = subgroups.chart_constants(5)
    if dispersion == "s":
        mean = groups.std(axis=1, ddof=1).mean()
        half, high = constants.A3 * mean, constants.B4 * mean
    else:
        mean = np.ptp(groups, axis=1).mean()
        half, high = constants.A2 * mean, constants.D4 * mean
    assert location.upper - location.center == pytest.approx(half)
    assert scatter.upper == pytest.approx(high)
    assert scatter.center == pytest.approx(mean)
    assert location.s == scatter.s == pytest.approx(half * math.sqrt(5) / 3)
    assert 7 in [v.index for v in location.violations]
    assert 9 in [v.index for v in scatter.violations]
