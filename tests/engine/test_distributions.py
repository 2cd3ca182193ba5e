from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy import special

from calib.engine.distributions import describe, standard_uncertainty
from calib.engine.errors import OutOfRange
from calib.engine.quantiles import normal_tail, quantile, tails
from tests.engine.published import agrees, load

CASES = load("distributions")["case"]
QUANTILES = load("distributions")["quantile"]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_standard_uncertainty(case: dict[str, Any]) -> None:
    found = describe(case["name"], case["parameters"])
    assert agrees(found.u, case["u"])
    assert found.mean == pytest.approx(case["mean"]) if "mean" in case else found.mean is None
    assert found.dof == case["parameters"].get("dof", math.inf)
    assert standard_uncertainty(case["name"], **case["parameters"]) == found.u


def test_half_width_of_rectangles_only() -> None:
    assert describe("rectangular", {"half_width": 3}).half_width == pytest.approx(3)
    assert describe("uniform", {"low": 1, "high": 3}).half_width == pytest.approx(1)
    assert describe("triangular", {"half_width": 3}).half_width is None


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("lognormal", {}),
        ("rectangular", {}),
        ("rectangular", {"half_width": 1, "u": 1}),
        ("rectangular", {"half_width": -1}),
        ("rectangular", {"half_width": math.nan}),
        ("rectangular", {"half_width": math.inf}),
        ("t", {"u": 1, "scale": 1, "dof": 3}),
        ("t", {"dof": 3}),
        ("t", {"u": 1, "dof": 0}),
        ("t", {"u": 1, "dof": math.nan}),
        ("uniform", {"low": 2, "high": 1}),
        ("trapezoidal", {"half_width": 1, "beta": 1.1}),
        ("curvilinear_trapezoid", {"half_width": 1, "inexactness": 2}),
        ("exponential", {"mean": 0}),
        ("gamma", {"shape": 0, "scale": 1}),
        ("beta", {"alpha": 1, "beta": 0}),
        ("beta", {"alpha": 0, "beta": 1}),
    ],
)
def test_impossible_distributions(name: str, parameters: dict[str, float]) -> None:
    with pytest.raises(OutOfRange):
        describe(name, parameters)


@pytest.mark.parametrize("case", QUANTILES, ids=str)
def test_quantiles(case: dict[str, Any]) -> None:
    assert agrees(quantile(case["name"], case["p"], case["parameters"]), case["x"])


def test_quantile_about_a_value() -> None:
    assert quantile("normal", 0.5, {"u": 1}, 37.0) == 37
    assert quantile("triangular", 0.98, {"half_width": 1}, 10.0) == pytest.approx(10.8)
    # where the parameters fix the place, the value has no say
    assert quantile("gamma", 0.5, {"shape": 1, "scale": 1}, 99.0) == pytest.approx(math.log(2))


@pytest.mark.parametrize("p", [0, 1, -0.1, math.nan])
def test_quantile_wants_a_probability(p: float) -> None:
    with pytest.raises(OutOfRange, match="probability"):
        quantile("normal", p, {"u": 1})


def test_quantile_refuses_what_does_not_exist() -> None:
    with pytest.raises(OutOfRange, match="more than 2 dof"):
        quantile("t", 0.9, {"u": 1, "dof": 2})
    with pytest.raises(OutOfRange, match="not a finite number"):
        quantile("t", 1 - 1e-15, {"scale": 1e300, "dof": 1})


def test_normal_tails_agree_with_another_algorithm() -> None:
    m = 2.0 ** np.arange(-1000, -1, 0.7)
    assert np.max(np.abs(normal_tail(m) / -special.ndtri(m) - 1)) < 2e-15
    assert normal_tail(0.5) == 0


@pytest.mark.parametrize("inexactness", [1e-6, 1e-3, 0.1, 0.5, 0.9, 1.0])
def test_curvilinear_tails_against_their_own_probability(inexactness: float) -> None:
    a, d = 1.0, inexactness
    m = np.concatenate([2.0 ** np.arange(-40, -1, 0.3), [0.49, 0.5]])
    x = tails("curvilinear_trapezoid", {"half_width": a, "inexactness": d})[0](m)
    with np.errstate(divide="ignore", invalid="ignore"):
        outer = ((a + d) * (1 - x / (a + d)) - special.xlogy(x, (a + d) / x)) / (4 * d)
        inner = 0.5 - x * math.atanh(d / a) / (2 * d) if d < a else outer
    found = np.where(x > a - d, outer, inner)
    assert np.max(np.abs(np.where(x == 0, 0.5, found) - m)) < 2e-10


@settings(max_examples=20)
@given(some.floats(1e-6, 0.5), some.floats(1e-6, 0.999), some.floats(0.1, 50))
def test_quantiles_rise_and_scale(p: float, share: float, factor: float) -> None:
    for name, parameters in (
        ("normal", {"u": 1.0}),
        ("trapezoidal", {"half_width": 1.0, "beta": share}),
        ("curvilinear_trapezoid", {"half_width": 1.0, "inexactness": share}),
        ("arcsine", {"half_width": 1.0}),
    ):
        low, high = quantile(name, p, parameters), quantile(name, min(p * 1.5, 0.9), parameters)
        assert low < high
        assert quantile(name, 1 - p, parameters) == pytest.approx(-low, rel=1e-9, abs=1e-12)
        wide = {k: v * factor if k != "beta" else v for k, v in parameters.items()}
        assert quantile(name, p, wide) == pytest.approx(low * factor, rel=1e-9, abs=1e-12)
