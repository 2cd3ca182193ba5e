from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calib.engine.errors import BadExpression, OutOfRange
from calib.engine.expression import parse
from calib.engine.grammar import check_name
from tests.engine.published import load

REFERENCE = load("expressions")
NAMES = ["x", "y", "z"]

HOSTILE = [
    "", " ", "()", "x y", "x..y", "x.real", "x.__class__", "().__class__.__bases__",
    "__import__('os')", "__import__", "import os", "os.system('ls')", "eval('1')", "exec('1')",
    "open('/etc/passwd')", "x[0]", "[1,2]", "{1}", "'a'", '"a"', "x if y else z", "lambda: 1",
    "lambda", "x = 1", "x := 1", "x == y", "x < y", "x and y", "not x", "x & y", "x | y", "x // y",
    "x % y", "x @ y", "~x", "x!", "x;y", "x#y", "f(x)", "sin", "sin x", "sin()", "sin(x,y)",
    "atan2(x)", "atan2(x,y,z)", "sin(x)(y)", "x(y)", "pi(1)", "1_000", "0x10", "0b1", "1j", "1e",
    "1e400", "1e+", "nan", "inf", "Infinity", "x**", "**x", "x***y", "x^^y", "*x", "x+", "x,y",
    "(x", "x)", "((x)", "x\n+y", "x\t+y", "x\x00", "\u03b1", "x\u00b2", "\u221ax", "\uff58",
    "x\u200b",
    "x + \u2212y", "9" * 2001, "-" * 100_000, "(" * 100_000, "x" * 100_000, "x+" * 999 + "x",
    "(" * 50 + "x" + ")" * 50, "-" * 60 + "x", "2^" * 60 + "2", "sin(" * 60 + "x" + ")" * 60,
    "$x", "`x`", "x\\y", "?", "%s", "{x}", "True", "None", "self", "_", "_x", "__x__", "x" * 65,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_are_refused_at_once(text: str) -> None:
    # seconds of this thread's own work, the best of three: a collection of garbage falls on anybody
    taken = []
    for _ in range(3):
        started = time.thread_time()
        with pytest.raises(BadExpression):
            parse(text, NAMES)
        taken.append(time.thread_time() - started)
    assert min(taken) < 0.1


TOWERS = ["9^9^9^9", "9**9**9", "x/(y-y)", "log(0*x)", "sqrt(-x)", "(-x)^0.5", "exp(1e3*y)",
          "asin(2)", "tan(x)/0", "0^-1", "log(-1)", "acos(y)"]  # fmt: skip


@pytest.mark.parametrize("text", TOWERS)
def test_what_is_not_finite_is_refused(text: str) -> None:
    f = parse(text, NAMES)
    with pytest.raises(OutOfRange):
        f.value({"x": 1.0, "y": 2.0, "z": 3.0})
    with pytest.raises(OutOfRange):
        f.gradient({"x": 1.0, "y": 2.0, "z": 3.0})


@pytest.mark.parametrize("case", REFERENCE["value"], ids=[c["text"] for c in REFERENCE["value"]])
def test_meaning(case: dict[str, Any]) -> None:
    found = float(parse(case["text"], ["x", "y"]).value(REFERENCE["inputs"]))
    assert found == pytest.approx(case["value"], rel=1e-14, abs=1e-15)


def test_words_of_python_may_name_a_quantity() -> None:
    assert float(parse("lambda*in", ["lambda", "in"]).value({"lambda": 2, "in": 3})) == 6


@pytest.mark.parametrize("name", ["pi", "sin", "atan2", "2x", "x-y", "", "_x", "\u03b1", "x\n"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(BadExpression):
        check_name(name)
    with pytest.raises(BadExpression):
        parse("1", [name])


@pytest.mark.parametrize("frame", ["({})", "-{}", "+{}", "2^{}", "sin({})", "(1 + {})*2"])
def test_nesting_to_the_limit(frame: str) -> None:
    deep, deeper = "x", "x"
    for _ in range(39):
        deep = frame.format(deep)
    assert parse(deep, NAMES).names == ("x",)
    for _ in range(40):
        deeper = frame.format(deeper)
    with pytest.raises(BadExpression, match="nested deeper than 40"):
        parse(f"({deeper})", NAMES)


def test_a_long_sum_is_not_deep() -> None:
    assert float(parse("+".join(["-x^2"] * 70), NAMES).value({"x": 1})) == -70


def test_message_says_where() -> None:
    with pytest.raises(BadExpression, match="character 5") as caught:
        parse("x + q", NAMES)
    assert caught.value.facts["position"] == 5
    with pytest.raises(BadExpression, match="character 4"):
        parse("x  ?", NAMES)


def test_digest_knows_meaning_not_looks() -> None:
    digest = parse("x^2 + y", NAMES).digest
    assert parse(" x ** 2+y ", NAMES).digest == digest
    assert parse("(x)^2.0 + (y)", NAMES).digest == digest
    assert parse("y + x^2", NAMES).digest != digest
    assert len(digest) == 64


def test_names_in_order_of_declaration() -> None:
    assert parse("z*x", NAMES).names == ("x", "z")


def test_arrays_and_numbers_together() -> None:
    value, slopes = parse("x*y + 1", NAMES).gradient({"x": [1.0, 2.0], "y": 3.0})
    assert value.tolist() == [4, 7]
    assert slopes["x"].tolist() == [3, 3]
    assert slopes["y"].tolist() == [1, 2]


def test_one_variable_has_all_orders() -> None:
    found = parse("x^4", ["x"]).derivatives({"x": 2.0}, ["x"], order=3)
    assert [float(part.squeeze()) for part in found] == pytest.approx([16, 32, 48, 48])


def test_constants_have_no_slope() -> None:
    value, slopes = parse("2*pi", []).gradient({})
    assert float(value) == pytest.approx(2 * math.pi)
    assert slopes == {}
    f = parse("y", NAMES)
    value, first, second, third = f.derivatives({"y": 2.0}, ["x"], order=2)
    assert (float(value), first.tolist(), second.tolist(), third.tolist()) == (2, [0], [[0]], [[0]])


def test_missing_and_impossible_values() -> None:
    f = parse("x", NAMES)
    with pytest.raises(OutOfRange, match="No value"):
        f.value({"y": 1})
    with pytest.raises(OutOfRange, match="not finite"):
        f.value({"x": [1, math.nan]})


@pytest.mark.parametrize("text", ["abs(x)", "x^y", "atan2(x, x)", "2^x^y"])
def test_no_derivative_at_zero(text: str) -> None:
    f = parse(text, NAMES)
    assert math.isfinite(float(f.value({"x": 0.0, "y": 1.0})))
    with pytest.raises(OutOfRange):
        f.gradient({"x": 0.0, "y": 1.0})


def test_whole_powers_at_zero_and_below() -> None:
    f = parse("x^2 + x^3", NAMES)
    value, _, second = f.hessian({"x": 0.0})
    assert float(value) == 0
    assert float(second["x", "x"]) == 2
    _, slopes = f.gradient({"x": -1.0})
    assert float(slopes["x"]) == 1


def test_a_variable_exponent_of_an_exact_base() -> None:
    _, slopes = parse("2^x", NAMES).gradient({"x": 3.0})
    assert float(slopes["x"]) == pytest.approx(8 * math.log(2))


PIECES = [
    "sin(x*y)", "cos(x - y)", "tan(x/4)", "exp(x*y/3)", "log(2 + x*y)", "log10(3 + x)",
    "sqrt(x + y)", "asin(x*y/9)", "acos(x/4 - y/5)", "atan(x*y)", "atan2(x, y)", "atan2(y, 2 + x)",
    "atan2(2, x*y)", "sinh(x)*y", "cosh(x*y/2)", "tanh(x - y/3)", "abs(x - 10)*y", "x^y", "x^3/y",
    "x/y^2", "1/(x*y)", "(x + 2)^-1.5*y", "x - y", "-x*y", "3 - x/2", "y^x - x^y", "x*x*x*y*y",
]  # fmt: skip


@pytest.mark.parametrize("text", PIECES)
def test_derivatives_against_finite_differences(text: str) -> None:
    f = parse(text, ["x", "y"])
    at = {"x": 0.7, "y": 1.3}
    names = list(at)
    _, first, second, third = f.derivatives(at, names, order=3)

    def shifted(which: int, h: float) -> dict[str, float]:
        return at | {names[which]: at[names[which]] + h}

    h = 1e-4
    for i in range(2):
        up, down = f.value(shifted(i, h)), f.value(shifted(i, -h))
        assert float(first[i]) == pytest.approx(float(up - down) / (2 * h), abs=1e-6, rel=1e-6)
        g_up = f.derivatives(shifted(i, h), names, order=2)
        g_down = f.derivatives(shifted(i, -h), names, order=2)
        assert second[i] == pytest.approx((g_up[1] - g_down[1]) / (2 * h), abs=1e-5, rel=1e-5)
        diagonal = (np.diag(g_up[2]) - np.diag(g_down[2])) / (2 * h)
        assert third[i] == pytest.approx(diagonal, abs=1e-5, rel=1e-5)


@given(st.text(alphabet="xyz0123456789.+-*/^()e, sincolgqrt", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        f = parse(text, NAMES)
        value = f.value({"x": 0.5, "y": 1.5, "z": 2.5})
    except (BadExpression, OutOfRange):
        return
    assert np.isfinite(value)


@given(st.floats(0.1, 5), st.floats(0.1, 5), st.integers(0, len(PIECES) - 1))
def test_gradient_everywhere(x: float, y: float, which: int) -> None:
    f = parse(PIECES[which], ["x", "y"])
    try:
        value, slopes = f.gradient({"x": x, "y": y})
        h = 1e-6
        up = f.value({"x": x * (1 + h), "y": y})
        down = f.value({"x": x * (1 - h), "y": y})
    except OutOfRange:
        return
    scale = abs(float(value)) + abs(float(slopes["x"]) * x) + 1
    assert float(up - down) / (2 * h * x) * x == pytest.approx(
        float(slopes["x"]) * x, abs=2e-4 * scale, rel=2e-4
    )
