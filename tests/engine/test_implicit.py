"""Implicit models: solutions and their sensitivities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.engine.errors import DegenerateData, NotConverged, SingularFit
from calib.engine.expression import parse
from calib.engine.implicit import solve_implicit


def solve(*texts: str, start: dict[str, float], **inputs: float) -> Any:
    names = [*start, *inputs]
    return solve_implicit([parse(t, names) for t in texts], start, inputs)


def test_implicit_root() -> None:
    y, slopes = solve("y^2 - x", start={"y": 1.0}, x=4.0)
    assert y["y"] == 2
    assert slopes == pytest.approx(np.array([[0.25]]))


def test_implicit_system() -> None:
    y, slopes = solve("p + q - x", "p*q - z", start={"p": 1, "q": 5}, x=7.0, z=10.0)
    assert (y["p"], y["q"]) == pytest.approx((2, 5))
    assert slopes.sum(axis=0) == pytest.approx([1, 0])


def test_implicit_damps_its_steps() -> None:
    y, _ = solve("atan(y - x)", start={"y": 10.0}, x=1.0)
    assert y["y"] == pytest.approx(1)
    y, _ = solve("log(y) - x", start={"y": 30.0}, x=0.0)
    assert y["y"] == pytest.approx(1)


def test_one_unknown_at_rest_does_not_stop_the_other() -> None:
    y, _ = solve("p - x", "q^2 - z", start={"p": 3.0, "q": 9.0}, x=3.0, z=4.0)
    assert y == pytest.approx({"p": 3, "q": 2}, rel=1e-14)
    for text in ("atan(q - z)", "log(q) - log(z)"):  # full steps lead away or out of range
        y, _ = solve("p - x", text, start={"p": 3.0, "q": 30.0}, x=3.0, z=1.0)
        assert y == pytest.approx({"p": 3, "q": 1}, rel=1e-9)


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_implicit_in_any_unit(size: float) -> None:
    y, slopes = solve("y^2 - x", start={"y": 1.2 * size}, x=size**2)
    assert y["y"] == pytest.approx(size, rel=1e-14)
    assert slopes[0, 0] == pytest.approx(0.5 / size, rel=1e-14)


def test_implicit_without_solution() -> None:
    with pytest.raises(NotConverged):
        solve("y^2 + x", start={"y": 1.3}, x=1.0)
    with pytest.raises(SingularFit):
        solve("y^2 - x", start={"y": 0.0}, x=1.0)
    with pytest.raises(NotConverged, match="100 steps"):
        solve("exp(-y)", start={"y": 1.0})
    with pytest.raises(DegenerateData):
        solve("y", start={"y": 1.0, "z": 1.0})


@settings(max_examples=30)
@given(st.floats(0.1, 5), st.floats(0.1, 5))
def test_implicit_is_explicit(a: float, b: float) -> None:
    """The same quantity written as a root and as a formula, also by a finite difference."""
    y, slopes = solve("y^3*b - a", start={"y": 1.0}, a=a, b=b)
    assert y["y"] == pytest.approx((a / b) ** (1 / 3), rel=1e-12)
    assert slopes[0] == pytest.approx([y["y"] / (3 * a), -y["y"] / (3 * b)], rel=1e-9)
    up = solve("y^3*b - a", start={"y": y["y"]}, a=a * (1 + 1e-6), b=b)[0]["y"]
    assert slopes[0, 0] == pytest.approx((up - y["y"]) / (a * 1e-6), rel=1e-4)


def test_a_pressure_balance() -> None:
    """JCGM 102 9.2 in kind: the pressure stands on both sides of its own equation."""
    text = "A0*(1 + lam*p)*p - m*g"
    y, slopes = solve(text, start={"p": 1e6}, A0=1e-4, lam=1e-12, m=50.0, g=9.80665)
    p = (-1 + math.sqrt(1 + 4 * 1e-12 * 50 * 9.80665 / 1e-4)) / 2e-12
    assert y["p"] == pytest.approx(p, rel=1e-9)
    assert slopes[0, 2] == pytest.approx(9.80665 / (1e-4 * (1 + 2e-12 * y["p"])), rel=1e-9)
