from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from calib.engine.conformity import RULES, assess_conformity
from calib.engine.decision import managed_multiplier
from calib.engine.errors import DegenerateData, OutOfRange
from tests.engine.published import agrees, load

REFERENCE = load("conformity")
ZONES = [(z["rule"], v, verdict) for z in REFERENCE["zone"] for v, verdict in z["verdicts"].items()]


def assess(value: Any, rule: str, **more: Any) -> Any:
    arguments = {"lower": "-0.2", "upper": "0.2", "U": "0.1"} | more
    if "u" in more or "u_relative" in more:
        del arguments["U"]
    return assess_conformity(value, rule=rule, **arguments)


@pytest.mark.parametrize(("rule", "value", "verdict"), ZONES)
def test_zones(rule: str, value: str, verdict: str) -> None:
    assert assess(value, rule).verdict == verdict
    assert assess(Decimal(value), rule).verdict == verdict
    assert assess(float(value), rule, lower=-0.2, upper=0.2, U=0.1).verdict == verdict


def test_zener() -> None:
    found = assess_conformity(-5.47, lower=None, upper=-5.40, u=0.05, rule="simple")
    assert agrees(found.conformance_probability, REFERENCE["zener"]["p_c"])
    assert found.specific_risk == pytest.approx(1 - found.conformance_probability)
    assert found.tur is None


@pytest.mark.parametrize("row", REFERENCE["g8"]["rows"], ids=lambda r: str(r["r"]))
def test_risk_on_the_guard_band(row: dict[str, float]) -> None:
    case = {"lower": None, "upper": "1", "u": "0.01", "rule": "guard_rU", "r": row["r"]}
    limit = assess_conformity("0", **case).acceptance_upper
    found = assess_conformity(limit, **case)
    assert found.verdict == "pass"
    assert found.specific_risk <= row["risk"]


def test_cpk() -> None:
    data = REFERENCE["cpk"]
    for mean, cpk, risk in zip(data["mean"], data["cpk"], data["risk"], strict=True):
        found = assess_conformity(mean, lower=9, upper=11, u=0.4, rule="simple")
        assert found.cpk == pytest.approx(cpk, abs=1e-6)
        assert 1 - found.conformance_probability == pytest.approx(risk, abs=1.6e-5)


def test_managed_guard_band() -> None:
    for row in REFERENCE["managed"]["rows"]:
        found = max(0.0, float(managed_multiplier(row["tur"])))
        assert abs(found - row["m"]) <= REFERENCE["managed"]["tolerance"]
        u = 0.4 / (4 * row["tur"])
        limit = assess("0", "z5403", u=u).acceptance_upper
        assert float(limit) == pytest.approx(0.2 - found * 2 * u, rel=1e-12)


def test_value_plus_U_that_meets_the_limit_passes() -> None:
    # 36.9 + 0.1 is not 37.0 in binary arithmetic of 0.1 steps; here it is.
    for tenth in range(1, 100):
        upper = Decimal(tenth) / 10
        found = assess_conformity(
            float(upper - Decimal("0.1")), lower=None, upper=float(upper), U=0.1, rule="guard_U"
        )
        assert found.verdict == "pass"


def test_asymmetric_limits() -> None:
    limits = {"lower": "-0.15", "upper": "0.10", "U": "0.05", "rule": "guard_U"}
    assert assess_conformity("0.05", **limits).verdict == "pass"
    assert assess_conformity("0.06", **limits).verdict == "fail"
    assert assess_conformity("-0.10", **limits).verdict == "pass"


def test_jjf1094_neglects_a_small_uncertainty() -> None:
    # U = 0.0666 is at most a third of 0.2, U = 0.0667 is not.
    assert assess("0.2", "jjf1094", U="0.0666").verdict == "pass"
    assert assess("0.2001", "jjf1094", U="0.0666").verdict == "fail"
    assert assess("0.2", "jjf1094", U="0.0667").verdict == "undetermined"
    exact_third = assess_conformity("0.3", lower="-0.3", upper="0.3", U="0.1", rule="jjf1094")
    assert exact_third.verdict == "pass"
    one_sided = assess_conformity("0.95", lower=None, upper=1, U="0.1", rule="jjf1094")
    assert one_sided.verdict == "undetermined"


def test_tur4() -> None:
    assert assess("0.2", "tur4", U="0.05").verdict == "pass"
    assert assess("0.2001", "tur4", U="0.05").verdict == "fail"
    assert assess("0.2", "tur4", U="0.0501").verdict == "undetermined"
    assert assess("0.2", "tur4", U="0.0501").specific_risk is None


@pytest.mark.parametrize("rule", ["tur4", "z5403"])
def test_tur_needs_two_limits(rule: str) -> None:
    with pytest.raises(DegenerateData):
        assess("0", rule, lower=None)
    assert assess("0.2", rule, U=0).verdict == "pass"


def test_z5403_needs_no_guard_band_above_a_tur_of_five() -> None:
    assert assess("0.2", "z5403", U="0.02").verdict == "pass"


def test_probability_one_sided() -> None:
    found = assess("0", "probability", lower=None, u="0.05", minimum=0.95)
    assert float(found.acceptance_upper) == pytest.approx(0.2 - 0.05 * special.ndtri(0.95))
    assert found.acceptance_lower is None


@pytest.mark.parametrize("minimum", [0.5, 0.9, 0.95])
def test_probability_two_sided(minimum: float) -> None:
    found = assess("0", "probability", minimum=minimum)
    for limit in (found.acceptance_lower, found.acceptance_upper):
        at = assess(limit, "probability", minimum=minimum)
        assert at.conformance_probability == pytest.approx(minimum, abs=1e-12)
        assert at.verdict == "pass"


@pytest.mark.parametrize("limits", [(0, 1), (-1, 0), (2, 3), (-9, -7)])
def test_probability_between_any_two_limits(limits: tuple[int, int]) -> None:
    low, high = limits
    u = 0.1 * (high - low)
    found = assess("0", "probability", lower=low, upper=high, u=u, minimum=0.99)
    # With a limit ten u away, each side is as if it were alone.
    width = u * float(special.ndtri(0.99))
    assert float(found.acceptance_lower) == pytest.approx(low + width, abs=1e-9 * u)
    assert float(found.acceptance_upper) == pytest.approx(high - width, abs=1e-9 * u)
    inside = assess(low + width * 1.001, "probability", lower=low, upper=high, u=u, minimum=0.99)
    assert inside.verdict == "pass"
    coarse = assess("0", "probability", lower=low, upper=high, u=3 * u, minimum=0.99)
    assert coarse.verdict == "fail"
    assert coarse.acceptance_lower is None


def test_probability_that_is_never_reached() -> None:
    found = assess("0", "probability", U="0.4", minimum=0.95)
    assert found.verdict == "fail"
    assert found.acceptance_upper is None


def test_probability_without_uncertainty() -> None:
    assert assess("0.2", "probability", U=0, minimum=0.95).verdict == "pass"
    assert assess("0.21", "probability", U=0, minimum=0.95).verdict == "fail"


def test_guarded_rejection() -> None:
    case = {"lower": None, "upper": "10", "u": "0.5", "minimum": 0.95}
    found = assess_conformity("10.5", rule="guarded_rejection", **case)
    assert found.verdict == "pass"
    assert found.acceptance_upper is None
    assert float(found.rejection_upper) == pytest.approx(10 + 0.5 * special.ndtri(0.95))
    assert assess_conformity("10.9", rule="guarded_rejection", **case).verdict == "fail"
    coarse = assess("0.9", "guarded_rejection", U="1", minimum=0.95)
    assert coarse.verdict == "pass"
    assert float(coarse.rejection_upper) > 0.9
    wide = assess("0", "guarded_rejection", U="4", minimum=0.05)
    assert wide.verdict == "fail"
    assert wide.rejection_upper is None


def test_agreed_acceptance_limits() -> None:
    assert assess("0.15", "acceptance", accept_lower="-0.1", accept_upper="0.15").verdict == "pass"
    assert assess("0.16", "acceptance", accept_lower="-0.1", accept_upper="0.15").verdict == "fail"
    assert assess("-5", "acceptance", accept_upper="0.15").verdict == "pass"
    assert assess("5", "acceptance", accept_lower="0.15").verdict == "pass"


@pytest.mark.parametrize("limit", ["10", "-10"])
@pytest.mark.parametrize("side", ["lower", "upper"])
@pytest.mark.parametrize("rule", ["guard_U_nonbinary", "iso14253_1"])
def test_relative_uncertainty_at_the_limit_itself(limit: str, side: str, rule: str) -> None:
    limits = {"lower": None, "upper": None, side: limit}
    found = assess_conformity("1", u_relative="0.01", rule=rule, **limits)
    factor = 1.65 if rule == "iso14253_1" else 2
    accept = getattr(found, f"acceptance_{side}")
    reject = getattr(found, f"rejection_{side}")
    sign = 1 if side == "lower" else -1
    assert float(accept) == pytest.approx(float(limit) + sign * factor * 0.01 * abs(float(accept)))
    assert float(reject) == pytest.approx(float(limit) - sign * factor * 0.01 * abs(float(reject)))


def test_relative_uncertainty_with_k_and_probability() -> None:
    found = assess_conformity("9", lower=None, upper=10, u_relative=0.01, k=3, rule="guard_U")
    assert float(found.acceptance_upper) == pytest.approx(10 / 1.03)
    two = assess_conformity(10, lower=9, upper=11, u_relative=0.02, rule="probability", minimum=0.9)
    for limit in (two.acceptance_lower, two.acceptance_upper):
        at = assess_conformity(limit, lower=9, upper=11, u_relative=0.02, rule="simple")
        assert at.conformance_probability == pytest.approx(0.9, abs=1e-9)
    one = assess_conformity(
        9, lower=None, upper=10, u_relative=0.01, rule="probability", minimum=0.9
    )
    assert float(one.acceptance_upper) == pytest.approx(10 / (1 + 0.01 * special.ndtri(0.9)))
    managed = assess_conformity(10, lower=9, upper=11, u_relative=0.02, rule="z5403")
    assert managed.acceptance_lower > 9
    crossing = assess_conformity(
        0, lower=-1, upper=1, u_relative=0.1, rule="probability", minimum=0.9
    )
    assert crossing.verdict == "pass"


def test_relative_uncertainty_too_large() -> None:
    with pytest.raises(OutOfRange):
        assess_conformity("9", lower=10, upper=None, u_relative="0.6", rule="guard_U")


def test_no_uncertainty() -> None:
    inside, outside = assess("0.2", "simple", U=0), assess("0.3", "simple", U=0)
    assert (inside.conformance_probability, inside.specific_risk) == (1, 0)
    assert (outside.conformance_probability, outside.specific_risk) == (0, 0)
    assert inside.tur is None
    assert inside.cpk is None


def test_no_uncertainty_and_one_limit() -> None:
    below = assess_conformity(0, lower=1, upper=None, u=0, rule="simple")
    assert (below.verdict, below.below, below.above) == ("fail", 1, None)
    above = assess_conformity(0, lower=None, upper=-1, u_relative=0, rule="simple")
    assert (above.verdict, above.below, above.above) == ("fail", None, 1)
    one_point = {"accept_lower": "0.1", "accept_upper": "0.1"}
    assert assess("0.1", "acceptance", **one_point).verdict == "pass"


def test_far_tails_keep_their_digits() -> None:
    far = assess_conformity(0, lower=-1, upper=1, u=0.05, rule="simple")
    assert far.specific_risk == pytest.approx(2 * special.ndtr(-20), rel=1e-12, abs=0)
    below = assess_conformity(-2, lower=-1, upper=1, u=0.05, rule="simple")
    assert below.specific_risk == pytest.approx(special.ndtr(-20), rel=1e-12, abs=0)


BAD: list[dict[str, Any]] = [
    {"rule": "jjg"},
    {"rule": "simple", "lower": None, "upper": None},
    {"rule": "simple", "lower": 1, "upper": 1},
    {"rule": "simple", "u": 1, "u_relative": 1},
    {"rule": "simple", "U": -1},
    {"rule": "simple", "u_relative": "-0.1"},
    {"rule": "simple", "k": 0},
    {"rule": "simple", "U": "nan"},
    {"rule": "simple", "r": 1},
    {"rule": "simple", "minimum": 0.9},
    {"rule": "probability"},
    {"rule": "probability", "minimum": 1},
    {"rule": "acceptance"},
    {"rule": "simple", "accept_lower": 1},
    {"rule": "acceptance", "accept_lower": "0.1", "accept_upper": "0.09"},
    {"rule": "simple", "prior": ("0", "0")},
    {"rule": "simple", "prior": ("0", "-1")},
    {"rule": "simple", "prior": ("0", "1"), "u_relative": "0.1"},
    {"rule": "simple", "u": None, "U": None},
    {"rule": "simple", "k": "-1"},
]


@pytest.mark.parametrize("arguments", BAD, ids=range(len(BAD)))
def test_statements_that_make_no_sense(arguments: dict[str, Any]) -> None:
    with pytest.raises((DegenerateData, OutOfRange)):
        assess("0", **arguments)


GUARDED = [r for r in RULES if r not in {"acceptance", "probability", "guarded_rejection"}]


@given(
    st.decimals(-1, 1, places=3), st.decimals("0.001", "0.4", places=3), st.sampled_from(GUARDED)
)
def test_risk_and_probability_belong_together(value: Decimal, U: Decimal, rule: str) -> None:
    found = assess(value, rule, U=U)
    p = found.conformance_probability
    assert 0 <= p <= 1
    if found.verdict == "pass":
        assert found.specific_risk == pytest.approx(1 - p, abs=1e-12)
    elif found.verdict == "fail":
        assert found.specific_risk == p
    else:
        assert found.specific_risk is None
    assert found.tur == pytest.approx(0.2 / float(U))
    mirrored = assess(-value, rule, U=U)
    assert mirrored.verdict == found.verdict
    assert math.isclose(mirrored.conformance_probability, p, abs_tol=1e-12)
