from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from calib.engine.choice import choose_degree
from calib.engine.errors import DegenerateData, OutOfRange, SingularFit
from calib.engine.leastsquares import fit_polynomial
from tests.engine.published import load

X = np.linspace(0, 10, 12)
NOISE = np.array([1, -2, 0, 1, 2, -1, -1, 0, 2, -2, 1, 0]) * 0.02


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_the_degree_that_made_the_data_is_found(degree: int) -> None:
    y = 1 + 0.3 * X ** max(degree, 1) * (degree > 0) + NOISE
    plain = choose_degree(partial(fit_polynomial, X, y), 0, 5)
    assert (plain.degree, plain.reason) == (degree, "lowest-aicc")
    known = choose_degree(lambda d: fit_polynomial(X, y, d, u_y=0.03), 0, 5)
    assert (known.degree, known.reason) == (degree, "lowest-aicc-of-consistent")
    assert [c.degree for c in known.candidates] == [0, 1, 2, 3, 4, 5]
    assert len(known.fit.parameters) == degree + 1


def test_exact_data_take_the_degree_that_made_them() -> None:
    data = load("nist_strd")["wampler1"]
    x = np.arange(21.0)
    y = sum(x**i for i in range(data["degree"] + 1))
    assert choose_degree(partial(fit_polynomial, x, y), 1, 8).degree == 5


def test_the_criterion_is_that_of_the_formula() -> None:
    y = 1 + X + NOISE
    known = choose_degree(lambda d: fit_polynomial(X, y, d, u_y=0.03), 1, 3).candidates
    for c in known:
        p = c.degree + 1
        assert c.aicc == pytest.approx(c.chi2 + 2 * p + 2 * p * (p + 1) / (12 - p - 1))
    for c in choose_degree(partial(fit_polynomial, X, y), 1, 3).candidates:
        k = c.degree + 2
        expected = 12 * np.log(c.chi2 / 12) + 2 * k + 2 * k * (k + 1) / (12 - k - 1)
        assert c.aicc == pytest.approx(expected)
        assert c.consistent is None


def test_no_degree_passes() -> None:
    y = np.sin(5 * X)
    found = choose_degree(lambda d: fit_polynomial(X, y, d, u_y=1e-4), 1, 3)
    assert found.reason == "none-consistent"
    assert found.degree == min(found.candidates, key=lambda c: c.aicc).degree


def test_too_many_degrees_for_the_points_are_left_out() -> None:
    found = choose_degree(partial(fit_polynomial, X[:5], X[:5] + NOISE[:5]), 1, 9)
    assert [c.degree for c in found.candidates] == [1]
    same = np.array([0.0, 0, 1, 1, 2, 2, 2])
    found = choose_degree(lambda d: fit_polynomial(same, same**2, d, u_y=0.1), 1, 9)
    assert [c.degree for c in found.candidates] == [1, 2]


def test_nothing_to_choose_from() -> None:
    with pytest.raises(DegenerateData, match="too few points to choose"):
        choose_degree(partial(fit_polynomial, X[:3], X[:3]), 1, 3)
    with pytest.raises(DegenerateData):
        choose_degree(partial(fit_polynomial, X[:2], X[:2]), 3, 3)
    with pytest.raises((DegenerateData, SingularFit)):
        choose_degree(partial(fit_polynomial, [1.0, 1, 1], [1, 2, 3]), 1, 1)
    for low, high in ((2, 1), (-1, 1), (1, 13)):
        with pytest.raises(OutOfRange):
            choose_degree(partial(fit_polynomial, X, X), low, high)
