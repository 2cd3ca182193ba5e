"""A compiled function against the Taylor arithmetic on the same steps, finite and complex steps."""

from __future__ import annotations

import cmath
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.engine.errors import OutOfRange
from calib.engine.expression import Expression, parse
from calib.engine.program import compile_program

NAMES = ["x", "y", "z"]
PIECES = [
    "sin(x*y)", "cos(x - y)", "tan(x/4)", "exp(x*y/3)", "log(2 + x*y)", "log10(3 + x)",
    "sqrt(x + y)", "asin(x*y/9)", "acos(x/4 - y/5)", "atan(x*y)", "atan2(x, y)", "atan2(y, 2 + x)",
    "atan2(2, x*y)", "sinh(x)*y", "cosh(x*y/2)", "tanh(x - y/3)", "abs(x - 10)*y", "x^y", "x^3/y",
    "x/y^2", "1/(x*y)", "(x + 2)^-1.5*y", "x - y", "-x*y", "3 - x/2", "y^x - x^y", "x*x*x*y*y",
    "2*(x - y)/5 + 3*(x*y - (x - x))", "(x + y)*(x + y)", "2^x", "x^0*y + x^1", "x*0 + y",
    "exp(x + y)/(x + y) - (x + y)", "-(-(x - 2*y)) + log(x + y)*2", "pi*x^2*2^3/exp(1)",
    "exp(2*x) + sin(x + 2*y)*log(2*z)",
]  # fmt: skip

FUNCTIONS: dict[str, Any] = {
    "sqrt": cmath.sqrt, "exp": cmath.exp, "log": cmath.log, "log10": cmath.log10,
    "sin": cmath.sin, "cos": cmath.cos, "tan": cmath.tan, "asin": cmath.asin,
    "acos": cmath.acos, "atan": cmath.atan, "sinh": cmath.sinh, "cosh": cmath.cosh,
    "tanh": cmath.tanh, "abs": lambda a: a if a.real > 0 else -a,
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
    "/": lambda a, b: a / b, "^": lambda a, b: a**b, "neg": lambda a: -a,
    "atan2": lambda a, b: cmath.atan(a / b),
}  # fmt: skip


def stepped(f: Expression, x: list[complex]) -> complex:
    """Evaluate on complex numbers, which the engine itself never does."""
    done: list[complex] = []
    for op, args, leaf in f.steps:
        if op == "name":
            done.append(x[NAMES.index(str(leaf))])
        elif op == "number":
            done.append(complex(float(str(leaf))))
        else:
            done.append(FUNCTIONS[op](*(done[a] for a in args)))
    return done[-1]


@pytest.mark.parametrize("text", PIECES)
def test_derivatives_four_ways(text: str) -> None:
    f = parse(text, NAMES)
    program = compile_program(f, NAMES)
    at = [0.7, 1.3, 0.4]
    value, slopes = program.gradient_of_item(at)
    by_jets = f.derivatives(dict(zip(NAMES, at, strict=True)), NAMES, order=1)
    assert value == pytest.approx(float(by_jets[0]), rel=2e-15)
    assert slopes == pytest.approx(by_jets[1].tolist(), rel=1e-14, abs=1e-16)
    for i in range(3):
        h = 1e-30
        nudged = [complex(a, h if j == i else 0) for j, a in enumerate(at)]
        assert slopes[i] == pytest.approx(stepped(f, nudged).imag / h, rel=1e-13, abs=1e-16)
        up, down = list(at), list(at)
        up[i] += 1e-6
        down[i] -= 1e-6
        rise = program.gradient_of_item(up)[0] - program.gradient_of_item(down)[0]
        assert slopes[i] == pytest.approx(rise / 2e-6, rel=1e-7, abs=1e-8)
    x = np.array(at)[:, None] + np.zeros(7)
    into = np.empty((3, 7))
    values = np.broadcast_to(program.gradients(x, into), (7,))
    assert values == pytest.approx(value, rel=4e-15)
    assert into[:, 3] == pytest.approx(slopes, rel=1e-14, abs=1e-16)
    assert program.values(at) == pytest.approx(value, rel=4e-15)


@settings(max_examples=30)
@given(st.floats(0.1, 3), st.floats(0.1, 3), st.sampled_from(PIECES))
def test_one_and_many_agree_everywhere(x: float, y: float, text: str) -> None:
    program = compile_program(parse(text, NAMES), NAMES)
    into = np.empty((3, 2))
    try:
        value, slopes = program.gradient_of_item([x, y, 1])
    except OutOfRange:
        with pytest.raises(OutOfRange):
            program.gradients(np.array([[x, x], [y, y], [1, 1]]), into)
        return
    many = program.gradients(np.array([[x, x], [y, y], [1, 1]]), into)
    # sums of the order of 100 in the pieces lose that much of the last digits
    assert np.broadcast_to(many, 2)[0] == pytest.approx(value, rel=1e-13, abs=1e-13)
    assert into[:, 1] == pytest.approx(slopes, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize(
    ("text", "at"),
    [("1/x", 0), ("1/(x - x)", 1), ("log(x)", 0), ("log(x)", -1), ("log10(x)", -1),
     ("sqrt(x)", -1), ("sqrt(x)", 0), ("asin(x)", 1), ("asin(x)", 2), ("acos(x)", -1),
     ("acos(x)", 2), ("abs(x)", 0), ("x^0.5", -1), ("x^0.5", 0), ("x^-1", 0), ("x^x", 0),
     ("x^x", -1), ("2^x", 2000), ("atan2(x, x)", 0), ("exp(x)", 1000), ("sinh(x)", 1000),
     ("cosh(x)", -1000), ("x*x", 1e200), ("1/(x*x)", 1e200), ("x*1e300*1e300", 1),
     ("1/0*x", 1), ("1/0", 1), ("log(0)*x", 1), ("x + x", 1.5e308),
     ("x*(1e300*1e300)", 1), ("1/(1e300*1e300)", 1), ("x/1e-320", 1), ("exp(1e9)", 1),
     ("9^9^9^9", 1)],
    ids=str,
)  # fmt: skip
def test_refused_as_one_and_as_many(text: str, at: float) -> None:
    program = compile_program(parse(text, ["x"]), ["x"])
    with pytest.raises(OutOfRange):
        program.gradient_of_item([at])
    with pytest.raises(OutOfRange):
        program.gradients(np.full((1, 2), float(at)), np.empty((1, 2)))


@pytest.mark.parametrize(
    ("text", "bad", "named"),
    [("abs(x)", 0, "abs"), ("x^x", 0, "power"), ("x^x", -1, "power"), ("atan2(x, x)", 0, "atan2")],
)
def test_one_item_without_a_slope_among_many(text: str, bad: float, named: str) -> None:
    program, into = compile_program(parse(text, ["x"]), ["x"]), np.empty((1, 3))
    program.gradients(np.array([[1.0, 2.0, 3.0]]), into)
    with pytest.raises(OutOfRange, match=named):
        program.gradients(np.array([[1.0, bad, 3.0]]), into)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_an_item_that_is_not_finite(bad: float) -> None:
    for text in ("x + y", "x", "y"):
        with pytest.raises(OutOfRange):
            compile_program(parse(text, NAMES), NAMES).gradient_of_item([1.0, bad, 0.0])


def test_large_sums_are_no_overflow() -> None:
    program = compile_program(parse("x - y", ["x", "y"]), ["x", "y"])
    assert program.gradient_of_item([1.7e308, 1.7e308]) == (0.0, [1.0, -1.0])


@pytest.mark.parametrize(("text", "at", "slope"), [
    ("x^0", 0.0, 0.0), ("x^1", 0.0, 1.0), ("x^2", 0.0, 0.0), ("x^3", -2.0, 12.0),
    ("tanh(x)", 20.0, 4 * math.exp(-40)), ("tanh(x)", 800.0, 0.0), ("atan2(x, 0)", 2.0, 0.0),
    ("atan2(0, x)", -2.0, 0.0), ("cos(x)", 0.0, 0.0), ("x", 1e-320, 1.0),
])  # fmt: skip
def test_slopes_at_special_points(text: str, at: float, slope: float) -> None:
    program = compile_program(parse(text, ["x"]), ["x"])
    assert program.gradient_of_item([at])[1] == [pytest.approx(slope, rel=1e-14)]
    into = np.empty((1, 2))
    program.gradients(np.array([[at, at]]), into)
    assert into[0].tolist() == [pytest.approx(slope, rel=1e-14)] * 2


def test_angles_without_overflow() -> None:
    program = compile_program(parse("atan2(x, y)", ["x", "y"]), ["x", "y"])
    value, slopes = program.gradient_of_item([3e200, 4e200])
    assert value == pytest.approx(math.atan2(3, 4))
    assert slopes == pytest.approx([0.16e-200, -0.12e-200])


def test_only_what_is_asked_for_is_differentiated() -> None:
    f = parse("abs(x)*y^z + x^y", NAMES)
    with pytest.raises(OutOfRange):
        compile_program(f, NAMES).gradient_of_item([0.0, 1.0, 2.0])
    value, slopes = compile_program(f, NAMES, ["z"]).gradient_of_item([0.0, 1.0, 2.0])
    assert value == 0
    assert slopes == [0, 0, 0]
    squared = compile_program(parse("x^y", NAMES), NAMES, ["x"])
    assert squared.gradient_of_item([3.0, 2.0, 0.0]) == (9.0, [6.0, 0.0, 0.0])
    assert squared.gradient_of_item([0.0, 0.0, 0.0])[1][0] == 0


def test_compiled_once() -> None:
    f = parse("x*y", NAMES)
    assert compile_program(f, NAMES) is compile_program(parse("x*y", NAMES), NAMES)
    assert compile_program(f, NAMES) is not compile_program(f, NAMES, ["x"])
    assert compile_program(f, ["y", "x"]).gradient_of_item([2.0, 5.0]) == (10.0, [5.0, 2.0])


def test_inputs_that_are_missing() -> None:
    with pytest.raises(OutOfRange, match="'y'"):
        compile_program(parse("x*y", NAMES), ["x", "z"])


def test_numbers_of_numpy_are_plain_numbers() -> None:
    program = compile_program(parse("1/x", ["x"]), ["x"])
    with pytest.raises(OutOfRange):
        program.gradient_of_item([np.float64(0)])
    assert program.gradient_of_item([2])[1] == [-0.25]


def test_the_linear_part_is_not_visited() -> None:
    program = compile_program(parse("2*(x - y/4) - (z - 3)", NAMES), NAMES)
    assert program.floats.backward == ()
    assert program.gradient_of_item([1.0, 2.0, 3.0]) == (1.0, [2.0, -0.5, -1.0])


def test_values_broadcast() -> None:
    program = compile_program(parse("x*y + z", NAMES), NAMES)
    assert program.values([np.array([1.0, 2.0]), 3.0, 1.0]).tolist() == [4, 7]
    with pytest.raises(OutOfRange):
        compile_program(parse("1/x", NAMES), NAMES).values([np.zeros(2), 0.0, 0.0])
