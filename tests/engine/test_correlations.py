"""Correlations between inputs: stated, estimated, and prepared for fleets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.engine.correlations import (
    Coupling,
    correlation_matrix,
    correlation_of,
    couple,
    estimate_correlations,
    independent_groups,
)
from calib.engine.errors import DegenerateData, OutOfRange, SingularFit


@pytest.mark.parametrize(
    "pairs",
    [[("a", "q", 0.1)], [("q", "a", 0.1)], [("a", "a", 1)], [("a", "b", -1.1)], [("a", "b", 1.1)],
     [("a", "b", math.nan)], [("a", "b", 0.1), ("b", "a", 0.1)]],
    ids=range(7),
)  # fmt: skip
def test_correlations_that_are_none(pairs: Any) -> None:
    with pytest.raises(OutOfRange):
        correlation_matrix(["a", "b"], pairs)


def test_correlations_that_contradict_each_other() -> None:
    pairs = [("a", "b", 0.9), ("b", "c", 0.9), ("a", "c", -0.9)]
    with pytest.raises(SingularFit):
        correlation_matrix(["a", "b", "c"], pairs)
    assert correlation_matrix([], []).shape == (0, 0)


def test_groups() -> None:
    r = np.eye(4)
    r[0, 2] = r[2, 0] = 0.1
    assert independent_groups(r) == [[0, 2], [1], [3]]
    assert independent_groups(r, [[1, 2]]) == [[0, 1, 2], [3]]


def test_correlations_from_readings() -> None:
    data = np.array([[1.0, 2, 4], [2.0, 4, 8], [1.0, 1, 1]])
    mean, u, r = estimate_correlations(data)
    assert mean == pytest.approx([7 / 3, 14 / 3, 1])
    assert u == pytest.approx(np.std(data, axis=1, ddof=1) / math.sqrt(3))
    assert r == pytest.approx(np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]]))
    with pytest.raises(DegenerateData):
        estimate_correlations([[1.0], [2.0]])
    with pytest.raises(DegenerateData):
        estimate_correlations([1.0, 2.0])
    assert correlation_of([[0, 0], [0, 4]]).tolist() == [[1, 0], [0, 1]]


def test_pairs_stand_on_both_sides() -> None:
    r = correlation_matrix(["a", "b", "c"], [("c", "a", -0.4), ("b", "c", 0.5)])
    assert r.tolist() == [[1, 0, -0.4], [0, 1, 0.5], [-0.4, 0.5, 1]]
    assert correlation_matrix(["a", "b"], [("a", "b", 1)]).tolist() == [[1, 1], [1, 1]]
    assert correlation_matrix(["a", "b"], [("a", "b", -1)]).tolist() == [[1, -1], [-1, 1]]


def test_readings_that_are_not_finite() -> None:
    with pytest.raises(OutOfRange):
        estimate_correlations([[1.0, math.nan], [1.0, 2.0]])


@settings(max_examples=30)
@given(st.lists(st.floats(-5, 5), min_size=9, max_size=9))
def test_any_covariance_has_correlations(numbers: list[float]) -> None:
    root = np.array(numbers).reshape(3, 3)
    r = correlation_of(root @ root.T)
    assert np.array_equal(r, r.T)
    assert np.diag(r).tolist() == [1, 1, 1]
    assert np.all(np.abs(r) <= 1)


def test_rounding_never_leads_beyond_one() -> None:
    assert correlation_of([[1.0, 1.0 + 1e-15], [1.0 + 1e-15, 1.0]]).max() == 1
    assert correlation_of([[4.0, -2.0], [-2.0, 4.0]])[0, 1] == -0.5


def test_groups_are_chains() -> None:
    r = np.eye(5)
    r[0, 4] = r[4, 0] = r[4, 2] = r[2, 4] = -0.1
    assert independent_groups(r) == [[0, 2, 4], [1], [3]]
    assert independent_groups(np.eye(0)) == []


def test_a_coupling_holds_pairs_and_groups() -> None:
    r = np.eye(4)
    r[0, 2] = r[2, 0] = 0.5
    r[1, 2] = r[2, 1] = -0.25
    assert couple(r) == Coupling(((0, 2, 0.5), (1, 2, -0.25)), ((0, 1, 2),))
    assert couple(np.eye(3)) == Coupling((), ())
    assert couple(np.eye(3), [[0, 2]]) == Coupling((), ((0, 2),))
    assert couple([[1.0, 1.0], [1.0, 1.0]]).pairs == ((0, 1, 1.0),)
    with pytest.raises(SingularFit):
        couple([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]])


@pytest.mark.parametrize("r", [[[1, 0.5], [0.4, 1]], [[1, 0.5]], [[2, 0], [0, 2]], [[[1.0]]],
                               [[1, math.nan], [math.nan, 1]], [[1, 1.5], [1.5, 1]]])  # fmt: skip
def test_what_is_no_correlation_matrix(r: Any) -> None:
    with pytest.raises(OutOfRange):
        couple(r)
