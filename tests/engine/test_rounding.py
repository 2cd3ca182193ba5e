from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calib.engine.errors import OutOfRange
from calib.engine.rounding import (
    DIGITS,
    STEPS,
    Mode,
    RoundedResult,
    RoundingPolicy,
    exact,
    round_result,
    round_to_interval,
    round_to_uncertainty,
    round_uncertainty,
)
from calib.evaluation.tasks import compute
from calib.evaluation.tasks import load as load_task
from tests.engine.published import good, load

MODES = list(get_args(Mode))
INTERVALS = [(i["interval"], *row) for i in load("rounding")["interval"] for row in i["rows"]]


@pytest.mark.parametrize("case", load("rounding")["case"], ids=str)
def test_published(case: dict[str, Any]) -> None:
    policy = RoundingPolicy(case["mode"], case["digits"], case.get("step", 1))
    found = round_result(case["value"], case["U"], policy)
    assert [found.value, found.U] == case["printed"]
    assert found.concise == case["concise"]
    assert (found.full_value, found.full_U) == (Decimal(case["value"]), Decimal(case["U"]))


@pytest.mark.parametrize(("interval", "value", "printed"), INTERVALS)
def test_intervals(interval: str, value: str, printed: str) -> None:
    found = round_to_interval(value, interval)
    assert f"{found or abs(found)}" == printed
    task = {"kind": "round", "value": value, "interval": interval}
    assert good(compute(task)) == {"kind": "round", "value": printed, "full_value": float(value)}


def test_a_float_is_its_shortest_text() -> None:
    assert round_result(2.675, 0.10).value == "2.68"
    assert round_result(0.1 + 0.2, 0.1).value == "0.30"


def test_noise_of_a_float_is_not_rounded_up() -> None:
    assert round_uncertainty(0.1 + 1e-17 + 2e-17, RoundingPolicy("ceil")) == Decimal("0.10")
    assert round_uncertainty(0.10000000000000002, RoundingPolicy("ceil")) == Decimal("0.10")
    assert round_uncertainty("0.1001", RoundingPolicy("ceil")) == Decimal("0.11")


def test_default_policy() -> None:
    assert round_uncertainty("0.852") == Decimal("0.86")


@pytest.mark.parametrize("U", [0, -1, "nan", "inf", math.nan, math.inf, "x", "1e500"], ids=repr)
def test_impossible_uncertainty(U: Any) -> None:
    with pytest.raises(OutOfRange):
        round_uncertainty(U)


@pytest.mark.parametrize("value", ["nan", float("-inf"), "1,5", "1e999999"])
def test_impossible_value(value: Any) -> None:
    with pytest.raises(OutOfRange):
        round_result(value, 1)


def test_impossible_policy() -> None:
    with pytest.raises(OutOfRange):
        RoundingPolicy("up")  # type: ignore[arg-type]
    for policy in ({"digits": 3}, {"digits": 0}, {"step": 3}, {"digits": "auto"}):
        with pytest.raises(OutOfRange):
            RoundingPolicy("ceil", **policy)
    for interval in (0, "-0.5", "nan"):
        with pytest.raises(OutOfRange):
            round_to_interval("1", interval)


def test_how_large_and_how_small_a_number_may_be() -> None:
    for text in ("1e400", "-9.9e400", "1e-400"):
        assert exact(text) == Decimal(text)
    for text in ("1e401", "-1e401", "9.9e-401"):
        with pytest.raises(OutOfRange):
            exact(text)
    assert exact("0e999") == 0


@pytest.mark.parametrize(("U", "printed"), [("0.3525", "0.35"), ("0.3526", "0.40")])
def test_five_per_cent_of_a_step(U: str, printed: str) -> None:
    assert str(round_uncertainty(U, RoundingPolicy(step=5))) == printed


@pytest.mark.parametrize(
    ("U", "printed"), [("8.4", "8"), ("4.2", "4"), ("4.211", "5"), ("1.4", "2"), ("1.04", "1")]
)
def test_at_most_five_per_cent_are_taken_off(U: str, printed: str) -> None:
    assert str(round_uncertainty(U, RoundingPolicy("half_even_or_ceil", 1))) == printed


def test_a_value_is_rounded_at_the_place_of_its_uncertainty() -> None:
    assert str(round_to_uncertainty("36.915", Decimal("0.10"))) == "36.92"
    assert str(round_to_uncertainty("36.915", Decimal("0.10"), 5)) == "36.90"


def test_exact_takes_whole_numbers() -> None:
    assert exact(12) == 12
    assert exact(Decimal("0.10")).as_tuple().exponent == -2


decimals = st.decimals(
    min_value=Decimal("1e-9"), max_value=Decimal("1e12"), allow_nan=False, allow_infinity=False
)


@given(decimals, st.sampled_from(MODES), st.sampled_from(DIGITS), st.sampled_from(STEPS))
def test_rounded_uncertainty_has_its_digits(U: Decimal, mode: Any, digits: Any, step: int) -> None:
    found = round_uncertainty(U, RoundingPolicy(mode, digits, step))
    unit = Decimal(1).scaleb(int(found.as_tuple().exponent))
    assert found > 0
    assert found % (step * unit) == 0 or found.as_tuple().digits == (1, 0)
    if digits == "by_first_digit":
        assert len(found.as_tuple().digits) == 2 or found.as_tuple().digits[0] >= 3 or step == 2
    else:
        assert len(found.as_tuple().digits) == digits
    assert abs(found - U) <= step * unit
    if mode == "ceil":
        assert found >= U * (1 - Decimal("1e-9"))
    if mode == "half_even_or_ceil":
        assert found >= U * Decimal("0.95")
    if mode in {"half_even", "half_up"} and found > unit * step:
        assert abs(found - U) <= step * unit / 2


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e6), st.sampled_from(MODES))
def test_both_end_at_the_same_place(value: float, U: float, mode: Any) -> None:
    found = round_result(value, U, RoundingPolicy(mode))
    assert isinstance(found, RoundedResult)
    places = [len(text.partition(".")[2]) for text in (found.value, found.U)]
    assert places[0] == places[1]
    assert "E" not in found.value + found.U
    assert abs(Decimal(found.value) - Decimal(repr(value))) <= Decimal(found.U)
    assert found.full_value == Decimal(repr(value))
    assert not found.value.startswith("-0") or float(found.value) != 0


# ----------------------------------------------------------------------------------------- tasks


def task(**more: Any) -> dict[str, Any]:
    return {"kind": "round", "value": "-0.17120379", "U": "0.0028776"} | more


def test_a_task_prints_and_keeps_the_full_figures() -> None:
    found = good(compute(task(mode="half_even")))
    assert found == {
        "kind": "round", "value": "-0.1712", "U": "0.0029", "concise": "-0.1712(29)",
        "full_value": -0.17120379, "full_U": 0.0028776,
    }  # fmt: skip
    assert compute(load_task(json.dumps(task(mode="half_even")))) == found
    assert good(compute(task()))["U"] == "0.0029"
    assert good(compute(task(digits="1", mode="half_even")))["concise"] == "-0.171(3)"
    assert good(compute(task(digits="by_first_digit")))["concise"] == "-0.1712(29)"
    assert good(compute(task(step=5)))["concise"] == "-0.1710(30)"


TASK_BAD: list[tuple[str, str, Any]] = [
    ("missing-key", "value", {"kind": "round", "U": 1}),
    ("missing-key", "U", {"kind": "round", "value": 1}),
    ("out-of-range", "U", task(U=0)),
    ("bad-value", "mode", task(mode="up")),
    ("out-of-range", "digits", task(digits=3)),
    ("bad-number", "digits", task(digits="two")),
    ("out-of-range", "step", task(step=3)),
    ("bad-task", "U", task(interval=0.5)),
    ("bad-task", "step", {"kind": "round", "value": 1, "interval": 1, "step": 2}),
    ("out-of-range", "interval", {"kind": "round", "value": 1, "interval": 0}),
]


@pytest.mark.parametrize(("code", "at", "bad"), TASK_BAD, ids=range(len(TASK_BAD)))
def test_refusals_have_code_and_place(code: str, at: str, bad: Any) -> None:
    found = compute(bad)["error"]
    assert (found["code"], found["at"]) == (code, at), found
