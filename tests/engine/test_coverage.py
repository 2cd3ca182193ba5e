from __future__ import annotations

import math

import pytest

from calib.engine.coverage import (
    coverage_factor,
    dominant_coverage,
    rounded_coverage_factor,
    truncate_dof,
)
from calib.engine.errors import OutOfRange
from tests.engine.published import agrees, load, to_print

TABLE = load("coverage")["table"]


@pytest.mark.parametrize("row", TABLE["rows"], ids=lambda r: str(r["dof"]))
def test_gum_table_g2(row: dict) -> None:
    for p, printed in zip(TABLE["p"], row["t"], strict=True):
        assert to_print(float(coverage_factor(row["dof"], p)), printed), (p, printed)


def test_gum_table_g2_infinite() -> None:
    for p, printed in zip(TABLE["p"], TABLE["infinite"], strict=True):
        assert to_print(float(coverage_factor(math.inf, p)), printed)


def test_truncation() -> None:
    assert truncate_dof([0.3, 1, 5.99, 6, 16.75, math.inf]).tolist() == [1, 1, 5, 6, 16, math.inf]
    assert truncate_dof(1 / (1 / 49)) == 49


@pytest.mark.parametrize("dof", [0, -1, math.nan])
def test_impossible_dof(dof: float) -> None:
    with pytest.raises(OutOfRange):
        coverage_factor(dof)


@pytest.mark.parametrize("p", [0, 1, 95, math.nan])
def test_impossible_probability(p: float) -> None:
    with pytest.raises(OutOfRange):
        coverage_factor(5, p)


def test_two_from_fifty_on() -> None:
    found = rounded_coverage_factor([10, 49.9, 50, 1e9, math.inf]).tolist()
    assert found == pytest.approx([2.284, 2.05, 2, 2, 2], abs=0.01)
    assert found[1] != 2
    assert found[2:] == [2, 2, 2]


def test_one_dominant_rectangle() -> None:
    found = dominant_coverage([1, 0.3], [math.sqrt(3), math.nan], 0.95)
    assert found is not None
    assert found.k == pytest.approx(0.95 * math.sqrt(3))


def test_two_dominant_rectangles() -> None:
    reference = load("coverage")["ea402_s10"]
    a = reference["half_widths"]
    found = dominant_coverage([x / math.sqrt(3) for x in a], a, 0.95)
    assert found is not None
    assert agrees(found.k, reference["k"])


def test_equal_rectangles_make_a_triangle() -> None:
    found = dominant_coverage([1, 1], [math.sqrt(3)] * 2, 0.95)
    assert found is not None
    assert found.beta == 0
    assert found.k == pytest.approx((1 - math.sqrt(0.05)) * math.sqrt(6))


def test_low_probability_stays_on_the_top_of_the_trapezoid() -> None:
    found = dominant_coverage([1, 0.4], [math.sqrt(3), 0.4 * math.sqrt(3)], 0.3)
    assert found is not None
    beta = 0.6 / 1.4
    assert found.k == pytest.approx(0.3 * (1 + beta) / (2 * math.sqrt((1 + beta**2) / 6)))


@pytest.mark.parametrize(
    ("u", "a"),
    [
        ([], []),
        ([1], [math.nan]),
        ([0, 0], [0, 0]),
        ([1, 1], [math.sqrt(3), math.nan]),
        ([1, 1, 1], [math.sqrt(3)] * 3),
    ],
)
def test_none_dominates(u: list[float], a: list[float]) -> None:
    assert dominant_coverage(u, a, 0.95) is None


@pytest.mark.parametrize("size", [0.01, 1, 100])
def test_what_dominates_does_not_depend_on_the_unit(size: float) -> None:
    root3 = math.sqrt(3)

    def shape(u: list[float], flat: int) -> str | None:
        u = [size * x for x in u]
        a = [x * root3 if i < flat else math.nan for i, x in enumerate(u)]
        found = dominant_coverage(u, a, 0.95)
        return found and found.shape

    assert shape([1, 0.29], 2) == "rectangular"
    assert shape([1, 0.31], 1) is None
    assert shape([1, 0.5], 2) == "trapezoidal"
    assert shape([1, 0.5, 0.33], 2) == "trapezoidal"
    assert shape([1, 0.5, 0.34], 2) is None


def test_where_the_slope_of_the_trapezoid_begins() -> None:
    narrow = 0.85 / 1.15
    found = dominant_coverage([1, narrow], [math.sqrt(3), narrow * math.sqrt(3)], 0.3)
    assert found is not None
    assert found.beta == pytest.approx(0.15)
    spread = math.sqrt((1 + 0.15**2) / 6)
    assert found.k == pytest.approx((1 - math.sqrt(0.7 * (1 - 0.15**2))) / spread)
