"""Joint coverage regions against published factors, simulation and geometry."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from calib.engine.errors import OutOfRange, SingularFit
from calib.engine.regions import coverage_region
from tests.engine.published import agrees, load


@pytest.mark.parametrize("row", load("coverage")["regions"]["rows"], ids=lambda r: r["title"])
def test_published_factors(row: dict[str, Any]) -> None:
    found = coverage_region(np.eye(row["m"]), row["p"])
    assert agrees(found.k_ellipse, {"value": row["ellipse"], "tolerance": row["tolerance"]})
    assert agrees(found.k_box, {"value": row["box"], "tolerance": row["tolerance"]})


def test_one_output_is_an_interval() -> None:
    found = coverage_region([[4.0]], 0.95)
    assert found.k_ellipse == pytest.approx(1.959963984540054)
    assert found.k_box == pytest.approx(found.k_ellipse)
    assert found.axes.tolist() == pytest.approx([2 * found.k_box])
    assert found.half_widths.tolist() == pytest.approx([2 * found.k_box])
    assert found.directions.tolist() == [[1]]


@settings(max_examples=30)
@given(st.floats(0.1, 10), st.floats(0.1, 10), st.floats(-0.99, 0.99), st.floats(0.5, 0.999))
def test_geometry(a: float, b: float, r: float, p: float) -> None:
    v = np.array([[a * a, r * a * b], [r * a * b, b * b]])
    found = coverage_region(v, p)
    assert found.axes[0] >= found.axes[1] >= 0
    assert found.directions @ found.directions.T == pytest.approx(np.eye(2), abs=1e-12)
    for axis, direction in zip(found.axes, found.directions, strict=True):
        edge = axis * direction
        assert edge @ np.linalg.solve(v, edge) == pytest.approx(found.k_ellipse**2, rel=1e-8)
        assert direction[np.argmax(np.abs(direction))] > 0
    # the ellipse reaches k u in each direction, and the box is within it only for each alone
    reach = np.sqrt(np.sum((found.axes[:, None] * found.directions) ** 2, axis=0))
    assert reach == pytest.approx(found.k_ellipse * np.sqrt(np.diag(v)))
    assert found.half_widths == pytest.approx(found.k_box * np.array([a, b]))
    assert found.k_ellipse >= found.k_box * 0.99
    assert found.p == p


def test_the_regions_cover() -> None:
    v = np.array([[1.0, 0.6], [0.6, 4.0]])
    found = coverage_region(v, 0.9)
    normal = special.ndtri((np.arange(300) + 0.5) / 300)
    grid = np.array(np.meshgrid(normal, normal)).reshape(2, -1)
    y = np.linalg.cholesky(v) @ grid
    inside = np.sum(y * np.linalg.solve(v, y), axis=0) <= found.k_ellipse**2
    assert inside.mean() == pytest.approx(0.9, abs=0.002)
    boxed = np.all(np.abs(y) <= found.half_widths[:, None], axis=0)
    assert 0.9 <= boxed.mean() <= 0.92


def test_outputs_that_depend_on_each_other_exactly() -> None:
    found = coverage_region([[1.0, 1.0], [1.0, 1.0]])
    assert found.axes[1] == pytest.approx(0, abs=1e-7)
    assert found.directions[0] == pytest.approx([math.sqrt(0.5)] * 2)
    assert coverage_region([[0.0]]).axes.tolist() == [0]


@pytest.mark.parametrize("size", [1e-9, 1.0, 1e9])
def test_what_is_a_covariance_does_not_depend_on_units(size: float) -> None:
    for seed in range(5):
        a = np.random.default_rng(seed).normal(size=4) * size
        found = coverage_region(np.outer(a, a))  # eigenvalues of 0, in part below by rounding
        assert found.axes[0] == pytest.approx(found.k_ellipse * np.linalg.norm(a))
        assert found.axes[1:] / found.axes[0] == pytest.approx(np.zeros(3), abs=1e-6)
    with pytest.raises(SingularFit):
        coverage_region(np.array([[1.0, 1.0001], [1.0001, 1.0]]) * size**2)


@pytest.mark.parametrize("v", [[], [[]], [1.0, 2.0], [[1.0, 0.0]], [[math.nan]], [[math.inf]]])
def test_what_is_no_matrix(v: Any) -> None:
    with pytest.raises(OutOfRange):
        coverage_region(v)


def test_what_is_no_covariance() -> None:
    with pytest.raises(SingularFit):
        coverage_region([[1.0, 2.0], [2.0, 1.0]])
    with pytest.raises(SingularFit):
        coverage_region([[-1.0]])
    for p in (0, 1, 95):
        with pytest.raises(OutOfRange):
            coverage_region([[1.0]], p)
