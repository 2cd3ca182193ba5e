"""Units followed through an expression: what may be added, and what a scale's own zero forbids."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calib.engine.dimensions import BASE, ONE, Unit, require_unit, spelled, unit_of
from calib.engine.errors import BadExpression
from calib.engine.expression import parse


def unit(symbol: str, factor: float = 1.0, zeros: float = 0.0, **powers: float) -> Unit:
    return Unit(symbol, factor, tuple(powers.get(b, 0.0) for b in BASE), zeros)


K = unit("K", K=1)
MK = unit("mK", 1e-3, K=1)
DEGC = unit("degC", zeros=1, K=1)
VOLT = unit("V", m=2, kg=1, s=-3, A=-1)
AMPERE = unit("A", A=1)
OHM = unit("ohm", m=2, kg=1, s=-3, A=-2)
METRE = unit("m", m=1)
PERCENT = unit("%", 0.01)
UNITS = {
    "t": DEGC, "t0": DEGC, "d": K, "e": MK, "V": VOLT, "I": AMPERE, "R": OHM, "L": METRE,
    "f": PERCENT, "alpha": unit("1/K", K=-1),
}  # fmt: skip
NAMES = [*UNITS, "n", "k"]


def found(text: str) -> Unit:
    return unit_of(parse(text, NAMES), UNITS)


@pytest.mark.parametrize(("text", "wanted"), [
    ("V/I", OHM), ("V/I*sin(n)", OHM), ("R*I - V", VOLT), ("sqrt(L^2 + L*L)", METRE),
    ("L^2/L", METRE), ("L^0.5*sqrt(L)", METRE), ("abs(-L)", METRE), ("t - t0", K), ("t + d", DEGC),
    ("d + t", DEGC), ("(t + t0)/2", DEGC), ("0.25*t + t0*0.75", DEGC), ("t - t0 + t", DEGC),
    ("-t0 + t + d", K), ("L*(1 + alpha*(t - t0))", METRE), ("log(V/(R*I))", ONE),
    ("n*2 + 3", ONE), ("n^k", ONE), ("2^n", ONE), ("atan2(V, R*I)", ONE), ("f + f", PERCENT),
    ("L*L^-1 + 1", ONE), ("2*L", METRE), ("L*2^3", METRE), ("L/4", METRE), ("e + e", MK),
    ("3*e - e*2", MK), ("L^(1 + 1)/L", METRE), ("L^(6/3 - 1)", METRE), ("L^(-(-1))", METRE),
    ("t*2^0 - t0*(3 - 2)", K), ("1/(1/L)", METRE), ("0*t + d", K), ("d - t*0", K),
])  # fmt: skip
def test_what_it_comes_out_in(text: str, wanted: Unit) -> None:
    result = found(text)
    assert result.powers == wanted.powers
    assert result.factor == pytest.approx(wanted.factor)
    assert result.zeros == pytest.approx(wanted.zeros)
    require_unit("y", result, wanted)


@pytest.mark.parametrize(("text", "words"), [
    ("t + V", "adds degC and V"), ("V - L", "subtracts m from V"),
    ("d + e", "adds K and mK"), ("t + 273.15", "adds degC and 1"),
    ("L + 1", "adds m and 1"), ("f + 1", "adds % and 1"),
    ("exp(L)", "exp takes a number without unit"), ("sin(f)", "sin takes"),
    ("log(t)", "function of a"),
    ("t*V", "zero of its scale"), ("V/t", "zero of its scale"), ("1/t", "zero of its scale"),
    ("2/t", "zero of its scale"), ("t*n", "zero of its scale"), ("t*t", "zero of its scale"),
    ("t^2", "zero of its scale"), ("abs(t)", "zero of its scale"), ("sqrt(t)", "zero of"),
    ("atan2(t, t0)", "zero of its scale"), ("alpha*t", "zero of its scale"),
    ("L^n", "variable exponent"), ("n^L", "exponent is a number"), ("2^L", "exponent is a number"),
    ("atan2(V, I)", "both must be in one unit"), ("2^9^9", "too large"), ("e^9^9", "too large"),
    ("e*e^-200", "too large"),
])  # fmt: skip
def test_refusals_say_what(text: str, words: str) -> None:
    with pytest.raises(BadExpression, match=words):
        found(text)


def test_the_result_must_be_in_its_unit() -> None:
    with pytest.raises(BadExpression, match=r"comes out in .*, not in A"):
        require_unit("y", found("V/R*V/R"), AMPERE)
    with pytest.raises(BadExpression, match="comes out in mK, not in K"):
        require_unit("y", found("e + e"), K)
    for text in ("t + t0", "t + t0 + t", "d - t", "0.5*t"):
        with pytest.raises(BadExpression, match="zero of a scale"):
            require_unit("y", found(text), DEGC)
    with pytest.raises(BadExpression, match="zero of a scale"):
        require_unit("y", found("t"), K)
    require_unit("y", found("t - t0"), DEGC)


def test_units_are_spelled() -> None:
    assert spelled(1.0, OHM.powers) == "m2 kg s-3 A-2"
    assert spelled(0.001, METRE.powers) == "0.001 m"
    assert spelled(1.0, ONE.powers) == ""
    assert str(ONE) == "1"
    assert str(found("V/I")) == "m2 kg s-3 A-2"
    assert str(found("2*e")) == "mK"
    assert str(found("d + t")) == "degC"


@given(st.sampled_from([1e-3, 1.0, 60.0]), st.integers(-3, 3), st.integers(-3, 3))
def test_products_multiply_sizes_and_add_powers(size: float, p: int, q: int) -> None:
    units = {"a": unit("u", size, m=1, s=-2), "b": unit("w", 10.0, kg=1)}
    result = unit_of(parse(f"a^{p}*b^{q}", ["a", "b"]), units)
    assert result.factor == pytest.approx(size**p * 10.0**q)
    assert result.powers == tuple({"m": p, "s": -2 * p, "kg": q}.get(b, 0) for b in BASE)
    assert math.isfinite(result.factor)
