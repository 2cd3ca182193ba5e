from __future__ import annotations

import math
from typing import Any

import pytest

from calib.engine.distributions import combine_resolution, describe, standard_uncertainty
from calib.engine.errors import OutOfRange
from tests.engine.published import agrees, load

CASES = load("distributions")["case"]


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


def test_larger_of_resolution_and_repeatability() -> None:
    assert combine_resolution(0.029, 0.025) == (0.029, 0.0)
    assert combine_resolution(0.025, 0.029) == (0.0, 0.029)
    assert combine_resolution(0.02, 0.02) == (0.0, 0.02)
    for bad in (-0.1, math.nan):
        with pytest.raises(OutOfRange):
            combine_resolution(bad, 0.1)
