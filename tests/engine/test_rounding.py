from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calib.engine.errors import OutOfRange
from calib.engine.rounding import (
    RoundedResult,
    RoundingPolicy,
    exact,
    round_result,
    round_uncertainty,
)
from tests.engine.published import load

MODES = ["half_even", "ceil", "ceil_if_gt_5pct"]


@pytest.mark.parametrize("case", load("rounding")["case"], ids=str)
def test_published(case: dict[str, Any]) -> None:
    policy = RoundingPolicy(case["mode"], case["digits"])
    found = round_result(case["value"], case["U"], policy)
    assert [found.value, found.U] == case["printed"]
    assert found.concise == case["concise"]


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
    with pytest.raises(OutOfRange):
        RoundingPolicy("ceil", 3)


def test_exact_takes_whole_numbers() -> None:
    assert exact(12) == 12
    assert exact(Decimal("0.10")).as_tuple().exponent == -2


decimals = st.decimals(
    min_value=Decimal("1e-9"), max_value=Decimal("1e12"), allow_nan=False, allow_infinity=False
)


@given(decimals, st.sampled_from(MODES), st.sampled_from([1, 2]))
def test_rounded_uncertainty_has_its_digits(U: Decimal, mode: Any, digits: int) -> None:
    found = round_uncertainty(U, RoundingPolicy(mode, digits))
    assert len(found.as_tuple().digits) == digits
    unit = Decimal(1).scaleb(int(found.as_tuple().exponent))
    assert abs(found - U) <= unit
    if mode == "ceil":
        assert found >= U * (1 - Decimal("1e-9"))
    if mode == "half_even":
        assert abs(found - U) <= unit / 2


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e6), st.sampled_from(MODES))
def test_both_end_at_the_same_place(value: float, U: float, mode: Any) -> None:
    found = round_result(value, U, RoundingPolicy(mode))
    assert isinstance(found, RoundedResult)
    places = [len(text.partition(".")[2]) for text in (found.value, found.U)]
    assert places[0] == places[1]
    assert "E" not in found.value + found.U
    assert abs(Decimal(found.value) - Decimal(repr(value))) <= Decimal(found.U)
    assert not found.value.startswith("-0") or float(found.value) != 0
