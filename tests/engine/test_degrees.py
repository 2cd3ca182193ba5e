"""Degrees of freedom of groups of correlated components."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.engine.degrees import effective_dof, grouped_dof
from calib.engine.errors import OutOfRange
from tests.engine.published import load

REFERENCE = load("correlated_dof")
INF = math.inf


def pair(r: float) -> np.ndarray:
    return np.array([[1.0, r], [r, 1.0]])


def dof(parts: Any, r: Any, nus: Any, **more: Any) -> float:
    return grouped_dof(np.array(parts, float), np.array(r, float), np.array(nus, float), **more)


@pytest.mark.parametrize("case", REFERENCE["separate"]["cases"], ids=lambda c: str(c["r"]))
def test_uncertainties_found_separately(case: dict[str, float]) -> None:
    nus = REFERENCE["separate"]["dof"]
    assert dof([1, 1], pair(case["r"]), nus, rule="castrup") == pytest.approx(case["nu"])
    assert dof([1, 1], pair(case["r"]), nus) == pytest.approx(10)


def test_three_that_share_correlations() -> None:
    case = REFERENCE["separate"]["three_equal"]
    r = np.full((3, 3), case["r"]) + np.eye(3) * (1 - case["r"])
    found = dof([1, 1, 1], r, [case["dof"]] * 3, rule="castrup")
    assert found == pytest.approx(case["nu"])


parts = st.lists(st.floats(-5, 5).filter(lambda p: abs(p) > 0.01), min_size=2, max_size=5)


@settings(max_examples=30)
@given(parts, st.lists(st.sampled_from([1.0, 4.0, 9.5, INF]), min_size=5, max_size=5))
def test_without_correlation_both_rules_are_welch_and_satterthwaite(
    p: list[float], nus: list[float]
) -> None:
    nus = nus[: len(p)]
    plain = float(effective_dof(p, nus))
    for rule in ("smallest", "castrup"):
        assert dof(p, np.eye(len(p)), nus, rule=rule) == pytest.approx(plain)


@settings(max_examples=30)
@given(st.floats(0.01, 5), st.floats(0.01, 5), st.floats(-0.95, 0.95), st.floats(1e-3, 1e3))
def test_the_unit_does_not_matter(a: float, b: float, r: float, scale: float) -> None:
    if r == 0:
        return
    for rule in ("smallest", "castrup"):
        one = dof([a, b], pair(r), [3, 7], rule=rule)
        assert dof([a * scale, b * scale], pair(r), [3, 7], rule=rule) == pytest.approx(one)
        assert dof([b, a], pair(r), [7, 3], rule=rule) == pytest.approx(one)
    assert dof([a, b], pair(r), [3, 7]) == pytest.approx(3)


def test_separate_uncertainties_by_simulation() -> None:
    """The scatter of u^2, with both u estimated from 11 readings of their own, says nu."""
    p, r, nu = np.array([1.0, 0.7]), 0.6, 10
    chi2 = np.random.default_rng(5).chisquare(nu, (2, 200_000)) / nu
    u = p[:, None] * np.sqrt(chi2)
    squares = u[0] ** 2 + u[1] ** 2 + 2 * r * u[0] * u[1]
    seen = 2 * squares.mean() ** 2 / squares.var()
    assert dof(p, pair(r), [nu, nu], rule="castrup") == pytest.approx(seen, rel=0.02)


def test_never_infinite_by_accident() -> None:
    # u^2 does not change with u_2 to first order here, and the other one is well known
    found = dof([2, -1], pair(0.5), [INF, 5], rule="castrup")
    assert found == pytest.approx(5)
    assert dof([2, -1], pair(0.5), [INF, 5]) == pytest.approx(5)
    assert dof([2, -1], pair(0.5), [INF, INF], rule="castrup") == INF
    assert dof([0, 0], pair(0.5), [5, 5], rule="castrup") == INF
    assert dof([1, -1], pair(1.0), [5, 5], rule="castrup") == INF


def test_readings_taken_together_stay_one_component() -> None:
    r = np.eye(3)
    r[0, 1] = r[1, 0] = 0.5
    for rule in ("smallest", "castrup"):
        assert dof([1, 1, 0], r, [4, 4, 9], tied=[[0, 1]], rule=rule) == pytest.approx(4)
        together = dof([1, 1, 1], r, [4, 4, 4], tied=[[0, 1]], rule=rule)
        assert together == pytest.approx(16 / (9 / 4 + 1 / 4))
    assert dof([1, 1, 1], r, [4, 4, 4], rule="castrup") > together


def test_a_member_without_share_leaves_its_degrees_of_freedom_out() -> None:
    assert dof([1, 0], pair(0.5), [5, 1]) == pytest.approx(5)
    assert dof([1, 0], pair(0.5), [5, 1], rule="castrup") == pytest.approx(5)


def test_unknown_rule() -> None:
    with pytest.raises(OutOfRange, match="smallest, castrup"):
        dof([1, 1], pair(0.5), [5, 5], rule="largest")
