from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calib.engine import outliers, statistics
from calib.engine.coverage import coverage_factor
from calib.engine.errors import DegenerateData, OutOfRange
from tests.engine.published import agrees, load

TYPE_A = load("type_a")


def test_gum_443() -> None:
    data = TYPE_A["gum443"]
    found = statistics.evaluate_bessel(data["readings"])
    assert agrees(found.mean, data["mean"])
    assert agrees(found.s, data["s"])
    assert agrees(found.u, data["u"])
    assert found.dof == data["dof"]


def test_nist_tn1900_e2() -> None:
    data = TYPE_A["tn1900"]
    found = statistics.evaluate_bessel(data["readings"])
    k = float(coverage_factor(found.dof))
    assert agrees(found.mean, data["mean"])
    assert agrees(found.u, data["u"])
    assert agrees(k, data["k"])
    assert agrees(found.mean - k * found.u, data["low"])
    assert agrees(found.mean + k * found.u, data["high"])


def test_numacc1() -> None:
    data = TYPE_A["numacc1"]
    found = statistics.evaluate_bessel(data["readings"])
    assert (found.mean, found.s) == (data["mean"], data["s"])
    assert statistics.autocorrelate(data["readings"], 1)[1] == data["r1"]


def test_numacc3() -> None:
    data = TYPE_A["numacc3"]
    series = [data["first"]] + [data["pair"][i % 2] for i in range(data["n"] - 1)]
    found = statistics.evaluate_bessel(series)
    assert found.mean == pytest.approx(data["mean"], rel=1e-15)
    assert found.s == pytest.approx(data["s"], rel=1e-8)
    assert statistics.autocorrelate(series, 1)[1] == pytest.approx(data["r1"], rel=1e-8)


def test_gum_h5() -> None:
    reference = load("gum_h5")
    data, printed = reference["data"], reference["printed"]
    s = [v * 1e-6 for v in data["s_microvolt"]]
    found = statistics.evaluate_nested(data["means"], s, [data["n"]] * 10)
    for name in ("mean", "s", "u", "F", "F_critical", "s_within", "s_between", "u_pooled"):
        assert agrees(getattr(found, name), printed[name]), name
    assert (found.dof_between, found.dof_within) == (9, 40)
    assert found.dof == 9
    assert found.n == 50
    other = statistics.evaluate_nested(data["means"], s, [data["n"]] * 10, 0.025)
    assert agrees(other.F_critical, printed["F_critical_975"])


def test_nested_without_scatter_within() -> None:
    found = statistics.evaluate_nested([1.0, 2.0], [0, 0], [2, 2])
    assert found.F is None
    assert found.p is None


@pytest.mark.parametrize(
    ("sizes", "s", "alpha"),
    [([1, 2], [1, 1], 0.05), ([2, 2], [-1, 1], 0.05), ([2, 2], [1, 1], 1.0)],
)
def test_nested_refuses(sizes: list[int], s: list[float], alpha: float) -> None:
    with pytest.raises(OutOfRange):
        statistics.evaluate_nested([1, 2], s, sizes, alpha)


def test_grubbs() -> None:
    data = TYPE_A["grubbs"]
    found = outliers.check_outlier(data["readings"], data["alpha"], 1)
    assert agrees(found.statistic, data["statistic"])
    assert agrees(found.critical, data["critical"])
    assert found.index == data["index"]
    assert found.outlying
    low = outliers.check_outlier([-x for x in data["readings"]], data["alpha"], 2)
    assert low.index == data["index"]
    assert low.critical > found.critical


@pytest.mark.parametrize("alpha", [0, 1, math.nan])
def test_grubbs_refuses_alpha(alpha: float) -> None:
    with pytest.raises(OutOfRange):
        outliers.check_outlier([1, 2, 3], alpha)


def test_grubbs_refuses() -> None:
    with pytest.raises(OutOfRange):
        outliers.check_outlier([1, 2, 3], 0.05, 3)
    with pytest.raises(DegenerateData):
        outliers.check_outlier([1, 1, 1])
    with pytest.raises(DegenerateData):
        outliers.check_outlier([1, 2])


@pytest.mark.parametrize("n", range(2, 10))
def test_range_method(n: int) -> None:
    table = TYPE_A["range"]
    found = statistics.evaluate_range([0.0] * (n - 1) + [1.0])
    assert found.s == pytest.approx(1 / table["divisors"][n - 2], rel=1e-15)
    assert found.dof == table["dof"][n - 2]
    assert found.u == pytest.approx(found.s / math.sqrt(n))


def test_range_method_has_a_largest_n() -> None:
    with pytest.raises(DegenerateData):
        statistics.evaluate_range(range(10))


def test_pooled() -> None:
    found = statistics.evaluate_pooled([[1, 2, 3], [11, 13]])
    assert found.s == pytest.approx(math.sqrt((2 * 1 + 1 * 2) / 3))
    assert (found.dof, found.n, found.mean) == (3, 5, 6)
    assert found.u == pytest.approx(found.s / math.sqrt(5))
    with pytest.raises(DegenerateData):
        statistics.evaluate_pooled([])


def test_autocorrelated_against_the_formula() -> None:
    x = np.array(TYPE_A["autocorrelated"]["readings"], dtype=float)
    found = statistics.evaluate_autocorrelated(x)
    n, d = len(x), x - x.mean()
    r = [float(d[: n - k] @ d[k:] / (d @ d)) for k in range(n // 4 + 1)]
    inside = [
        k
        for k in range(1, n // 4 + 1)
        if abs(r[k]) > 1.96 * math.sqrt((1 + 2 * sum(v * v for v in r[1:k])) / n)
    ]
    cut = max(inside)
    factor = 1 + 2 / n * sum((n - k) * r[k] for k in range(1, cut + 1))
    assert found.cutoff_lag == cut > 0
    assert found.u == pytest.approx(found.s / 4 * math.sqrt(factor))


def test_autocorrelated_without_correlation_is_bessel() -> None:
    x = list(np.random.default_rng(1).normal(size=12))
    found = statistics.evaluate_autocorrelated(x)
    assert found.cutoff_lag == 0
    assert found.u == pytest.approx(statistics.evaluate_bessel(x).u)


def test_autocorrelated_refuses_an_oscillation() -> None:
    with pytest.raises(DegenerateData, match="no positive variance"):
        statistics.evaluate_autocorrelated([1, -1] * 6)
    with pytest.raises(DegenerateData, match="equal"):
        statistics.evaluate_autocorrelated([1, 1, 1, 1])


@pytest.mark.parametrize("bad", [[], [1.0], 3.0])
def test_too_few(bad: object) -> None:
    with pytest.raises(DegenerateData):
        statistics.moments(bad)


def test_not_finite() -> None:
    with pytest.raises(OutOfRange):
        statistics.moments([1, math.nan])


@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4), min_size=1, max_size=5))
def test_many_series_at_once(rows: list[list[float]]) -> None:
    mean, s, u = statistics.moments(rows)
    scale = np.abs(rows).max() + 1e-300
    assert mean == pytest.approx(np.mean(rows, axis=1), abs=1e-14 * scale)
    assert s == pytest.approx(np.std(rows, axis=1, ddof=1), abs=1e-12 * scale)
    assert u == pytest.approx(s / 2)


def test_cochran_critical_values() -> None:
    case = TYPE_A["cochran"]
    for p, printed in zip(case["p"], case["critical"], strict=True):
        found = outliers.check_variances([1.0] * p, case["size"])
        assert found.critical == pytest.approx(printed, abs=case["tolerance"])
        assert found.statistic == pytest.approx(1 / p)
        assert not found.outlying


def test_cochran_names_the_group_that_scatters() -> None:
    found = outliers.check_variances([0.1, 0.9, 0.2, 0.1], 5)
    assert (found.index, found.outlying) == (1, True)
    assert found.statistic == pytest.approx(0.81 / 0.87)
    stricter = outliers.check_variances([0.1, 0.9, 0.2, 0.1], 5, 0.01)
    assert stricter.critical > found.critical


def test_cochran_keeps_its_level() -> None:
    # Groups that scatter alike are suspected about as often as alpha says.
    drawn = np.random.default_rng(8).normal(size=(4000, 5, 4)).std(axis=2, ddof=1)
    share = np.mean([outliers.check_variances(s, 4, 0.1).outlying for s in drawn])
    assert share == pytest.approx(0.1, abs=0.015)


@pytest.mark.parametrize(
    ("s", "size", "alpha"), [([1, -1], 2, 0.05), ([1, 1], 1, 0.05), ([1, 1], 2, 0)]
)
def test_cochran_refuses(s: list[float], size: int, alpha: float) -> None:
    with pytest.raises(OutOfRange):
        outliers.check_variances(s, size, alpha)


def test_cochran_needs_groups_that_scatter() -> None:
    with pytest.raises(DegenerateData):
        outliers.check_variances([1], 2)
    with pytest.raises(DegenerateData):
        outliers.check_variances([0, 0], 2)
