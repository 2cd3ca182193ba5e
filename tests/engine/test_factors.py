"""Coverage factors as polynomials against the quantile itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from calib.engine.coverage import coverage_factor
from calib.engine.errors import OutOfRange
from calib.engine.factors import t_factor, t_factors

COMMON = [0.5, 0.6827, 0.9, 0.95, 0.9545, 0.99, 0.9973, 0.999]
RARE = [0.01, 1e-6, 1 - 1e-9]


@pytest.mark.parametrize("p", [*COMMON, *RARE])
def test_against_the_quantile(p: float) -> None:
    nu = 1 / np.linspace(1e-6, 1, 2001)
    exact = -special.stdtrit(nu, (1 - p) / 2)
    assert np.max(np.abs(t_factors(nu, p) / exact - 1)) < 1e-13
    one = [t_factor(float(n), p) for n in nu[::100]]
    assert one == pytest.approx(exact[::100].tolist(), rel=1e-13)


@pytest.mark.parametrize("p", [0.68, 0.95, 0.99])
def test_infinite_degrees_of_freedom(p: float) -> None:
    normal = -float(special.ndtri((1 - p) / 2))
    assert t_factor(math.inf, p) == pytest.approx(normal, rel=1e-14)
    assert t_factors(np.array([math.inf, 1e300]), p) == pytest.approx([normal] * 2, rel=1e-14)


@settings(max_examples=30)
@given(st.floats(1, 1e9), st.sampled_from(COMMON))
def test_one_and_many_agree(nu: float, p: float) -> None:
    assert float(t_factors(nu, p)) == pytest.approx(t_factor(nu, p), rel=1e-15)


@settings(max_examples=30)
@given(st.integers(1, 10**6), st.sampled_from(COMMON))
def test_whole_degrees_of_freedom_as_in_coverage(nu: int, p: float) -> None:
    assert t_factor(nu, p) == pytest.approx(float(coverage_factor(nu, p)), rel=1e-13)


@given(st.floats(1, 100), st.floats(1.0001, 3))
def test_more_degrees_of_freedom_need_a_smaller_factor(nu: float, more: float) -> None:
    assert t_factor(nu * more) < t_factor(nu)


def test_below_one_degree_of_freedom() -> None:
    assert t_factor(0.1) == t_factor(1) == pytest.approx(12.706204736174707, rel=1e-13)
    assert t_factors([0.1, 1.0]).tolist() == [float(t_factors(1.0))] * 2


def test_shapes() -> None:
    assert t_factors([[3.0, 40.0], [1.0, math.inf]]).shape == (2, 2)
    assert t_factors([]).shape == (0,)


@pytest.mark.parametrize("dof", [0, -1, math.nan])
def test_impossible_degrees_of_freedom(dof: float) -> None:
    with pytest.raises(OutOfRange):
        t_factor(dof)
    with pytest.raises(OutOfRange):
        t_factors([5, dof])


@pytest.mark.parametrize("p", [0, 1, 95, math.nan])
def test_impossible_probability(p: float) -> None:
    with pytest.raises(OutOfRange):
        t_factor(5, p)
    with pytest.raises(OutOfRange):
        t_factors(5, p)
