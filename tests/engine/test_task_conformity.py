"""Tasks of kind conformity: prior knowledge, tolerance classes, and what is said of the model."""

from __future__ import annotations

import json
from typing import Any

import pytest
from scipy import integrate, special, stats

from calib.engine.conformity import RULES, assess_conformity
from calib.engine.errors import OutOfRange
from calib.engine.tolerances import CLASSES, RANGES, platinum_slope, platinum_tolerance
from calib.evaluation.tasks import compute, load
from tests.engine.published import good
from tests.engine.published import load as published

REFERENCE = published("conformity")
PRIOR, PLATINUM = REFERENCE["prior"], REFERENCE["platinum"]
EXTRA: dict[str, dict[str, Any]] = {
    "probability": {"minimum": 0.9},
    "guarded_rejection": {"minimum": 0.9},
    "acceptance": {"accept_upper": 0.9},
}


def conformity(**task: Any) -> dict[str, Any]:
    return {"kind": "conformity", "value": "0.1", "U": "0.2", "rule": "simple", "lower": -1,
            "upper": 1} | task  # fmt: skip


def ask(**task: Any) -> dict[str, Any]:
    return good(compute(conformity(**task)))


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_says_its_model(rule: str) -> None:
    task = conformity(rule=rule, **EXTRA.get(rule, {}))
    found = good(compute(task))
    assert found["kind"] == "conformity"
    assert found["rule"] == rule
    assert found["verdict"] == "pass"
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert compute(load(json.dumps(task))) == found
    assert "no prior knowledge of the item is used" in found["model"]
    assert found["model"].endswith(".")
    assert "{" not in found["model"]
    assert ("0.9 probable" in found["model"]) == ("minimum" in task)


def test_the_multiplier_stands_in_the_model() -> None:
    assert " 0.83 U inside" in ask(rule="guard_rU")["model"]
    assert " 0.7 U inside" in ask(rule="guard_rU", r="0.7")["model"]
    assert ask(rule="guard_rU", r="0.7")["acceptance_upper"] == pytest.approx(0.86)


def test_a_result_in_full() -> None:
    found = ask(rule="iso14253_1", U=1, k="2")
    assert found.pop("model").startswith("The quantity is taken as normally distributed about")
    above, below = special.ndtr(-1.8), special.ndtr(-2.2)
    assert found.pop("probability_above") == pytest.approx(above)
    assert found.pop("probability_below") == pytest.approx(below)
    assert found.pop("conformance_probability") == pytest.approx(1 - above - below)
    assert found.pop("specific_risk") == pytest.approx(above + below)
    assert found.pop("cpk") == pytest.approx(0.6)
    assert found == {
        "kind": "conformity", "rule": "iso14253_1", "verdict": "pass", "tur": 1.0,
        "acceptance_lower": -0.175, "acceptance_upper": 0.175,
        "rejection_lower": -1.825, "rejection_upper": 1.825,
    }  # fmt: skip


def test_one_side_has_one_probability() -> None:
    found = ask(lower=None)
    assert found["probability_below"] is None
    assert found["probability_above"] == pytest.approx(1 - found["conformance_probability"])
    assert found["acceptance_lower"] is None
    assert ask(upper=None)["probability_above"] is None
    exact = ask(U=0, value=2)
    assert (exact["probability_below"], exact["probability_above"]) == (0, 1)
    low = ask(U=0, value=-2)
    assert (low["probability_below"], low["probability_above"]) == (1, 0)


# ------------------------------------------------------------------------------- prior knowledge


def test_posterior_by_hand() -> None:
    found = ask(
        value=PRIOR["value"], U=None, u=PRIOR["u"], lower=None, upper=10.5,
        prior={"mean": PRIOR["mean"], "u": PRIOR["prior_u"]},
    )  # fmt: skip
    assert found["posterior"] == pytest.approx(
        {"value": PRIOR["posterior"], "u": PRIOR["posterior_u"]}, rel=1e-14
    )
    p = special.ndtr((10.5 - PRIOR["posterior"]) / PRIOR["posterior_u"])
    assert found["conformance_probability"] == pytest.approx(p)
    assert "mean 10 and standard deviation 0.4" in found["model"]
    assert "10.128 with standard uncertainty 0.24" in found["model"]
    assert found["acceptance_upper"] == 10.5


def test_posterior_by_integration() -> None:
    found = assess_conformity(
        "0.9", lower=-1, upper=1, u="0.2", rule="simple", prior=("0.3", "0.35")
    )

    def weight(x: float) -> float:
        return float(stats.norm.pdf(x, 0.3, 0.35) * stats.norm.pdf(0.9, x, 0.2))

    inside, whole = (integrate.quad(weight, *ends)[0] for ends in ((-1, 1), (-3, 4)))
    assert found.conformance_probability == pytest.approx(inside / whole, rel=1e-9)
    assert found.specific_risk == pytest.approx(1 - inside / whole, rel=1e-8)


@pytest.mark.parametrize("limits", [{"lower": None}, {"upper": None}, {}])
def test_a_probability_with_prior_knowledge_is_met_on_its_limits(limits: dict[str, Any]) -> None:
    task = {"rule": "probability", "minimum": 0.95, "prior": {"mean": "0.2", "u": "0.3"}, **limits}
    found = ask(**task)
    for side in ("lower", "upper"):
        limit = found[f"acceptance_{side}"]
        assert (limit is None) == (side in limits)
        if limit is not None:
            at = ask(**task, value=repr(limit))
            assert at["conformance_probability"] == pytest.approx(0.95, abs=1e-9)
    rejected = ask(**(task | {"rule": "guarded_rejection"}))
    assert rejected["acceptance_upper"] is None
    limit = rejected["rejection_lower" if limits == {"upper": None} else "rejection_upper"]
    at = ask(**task, value=repr(limit))
    assert at["conformance_probability"] == pytest.approx(0.05, abs=1e-9)
    sides = {"lower": "upper", "upper": "lower"}
    for side, other in sides.items():
        if limits == {side: None}:
            assert rejected[f"rejection_{side}"] is None
            assert rejected[f"rejection_{other}"] is not None


def test_prior_knowledge_helps_and_vague_knowledge_does_nothing() -> None:
    plain = ask(value="0.95")["conformance_probability"]
    assert ask(value="0.95", prior={"mean": 0, "u": "0.1"})["conformance_probability"] > plain
    vague = ask(value="0.95", prior={"distribution": "normal", "mean": 0, "u": 1e9})
    assert vague["conformance_probability"] == pytest.approx(plain, rel=1e-12)
    certain = ask(value="0.95", U=0, prior={"mean": 0, "u": "0.1"})
    assert certain["posterior"] == {"value": 0.95, "u": 0}
    assert certain["conformance_probability"] == 1


# ------------------------------------------------------------------------------ tolerance classes


@pytest.mark.parametrize("name", ["AA", "A", "B", "C"])
def test_tolerance_classes(name: str) -> None:
    for t, printed, *ohm in PLATINUM[name]:
        limits = {"standard": "IEC 60751", "class": name, "t": t}
        found = ask(lower=None, upper=None, limits=limits)
        assert found["upper"] == -found["lower"] == float(printed)
        assert found["acceptance_upper"] == float(printed)
        if ohm:
            limits["quantity"] = "resistance"
            found = ask(lower=None, upper=None, value=0, limits=limits)
            assert abs(found["upper"] - ohm[0]) <= 0.0055
            half = ask(lower=None, upper=None, value=0, limits=limits | {"R0": 50})
            assert half["upper"] == pytest.approx(found["upper"] / 2, rel=1e-14)


@pytest.mark.parametrize("t", [-150, -30, -1, 0, 80, 500])
def test_slope_against_differences(t: float) -> None:
    def resistance(x: float) -> float:
        below = -4.183e-12 * (x - 100) * x**3 if x < 0 else 0.0
        return 100 * (1 + 3.9083e-3 * x - 5.775e-7 * x * x + below)

    difference = (resistance(t + 1e-3) - resistance(t - 1e-3)) / 2e-3
    assert float(platinum_slope(t)) == pytest.approx(difference, rel=1e-7)


def test_a_value_on_the_limit_of_its_class_passes() -> None:
    limits = {"standard": "IEC 60751", "class": "A", "t": "37.5"}
    assert ask(value="0.225", lower=None, upper=None, limits=limits)["verdict"] == "pass"
    assert ask(value="0.2251", lower=None, upper=None, limits=limits)["verdict"] == "fail"


@pytest.mark.parametrize("element", RANGES)
@pytest.mark.parametrize("name", CLASSES)
def test_a_class_ends_where_its_range_ends(element: str, name: str) -> None:
    low, high = PLATINUM[element][name]
    for t in (low, high):
        assert platinum_tolerance(t, name, element) > 0
    for t in (low - 0.01, high + 0.01):
        with pytest.raises(OutOfRange):
            platinum_tolerance(t, name, element)


@pytest.mark.parametrize(("t", "R0"), [(-200.1, 100), (850.1, 100), (0, 0), (0, -1)])
def test_slopes_that_make_no_sense(t: float, R0: float) -> None:
    assert platinum_slope(-200) > platinum_slope(850) > 0
    with pytest.raises(OutOfRange):
        platinum_slope(t, R0)


IEC = {"standard": "IEC 60751", "class": "A", "t": 0}
OPEN: dict[str, Any] = {"lower": None, "upper": None}
BAD: list[tuple[str, str, Any]] = [
    ("bad-value", "rule", conformity(rule="jjg")),
    ("out-of-range", "U", conformity(U="-0.1")),
    ("out-of-range", "u", conformity(U=None, u=-1)),
    ("out-of-range", "u_relative", conformity(U=None, u_relative=-1)),
    ("bad-task", "limits", conformity(limits=IEC)),
    ("bad-task", "limits", conformity(limits=IEC, lower=None)),
    ("bad-task", "limits", conformity(limits=IEC, upper=None)),
    ("missing-key", "limits.t", conformity(limits={"standard": "IEC 60751", "class": "A"}, **OPEN)),
    ("missing-key", "limits.standard", conformity(limits={"class": "A", "t": 0}, **OPEN)),
    ("bad-value", "limits.standard", conformity(limits=IEC | {"standard": "JJG 229"}, **OPEN)),
    ("bad-value", "limits.class", conformity(limits=IEC | {"class": "D"}, **OPEN)),
    ("bad-value", "limits.element", conformity(limits=IEC | {"element": "wire"}, **OPEN)),
    ("bad-value", "limits.quantity", conformity(limits=IEC | {"quantity": "ohm"}, **OPEN)),
    ("out-of-range", "limits.t", conformity(limits=IEC | {"t": 451}, **OPEN)),
    ("out-of-range", "limits.t", conformity(limits=IEC | {"t": 301, "element": "film"}, **OPEN)),
    ("bad-task", "limits.R0", conformity(limits=IEC | {"R0": 100}, **OPEN)),
    ("out-of-range", "limits.t",
     conformity(limits=IEC | {"quantity": "resistance", "R0": -1}, **OPEN)),
    ("unknown-key", "limits.unit", conformity(limits=IEC | {"unit": "K"}, **OPEN)),
    ("missing-key", "prior.mean", conformity(prior={"u": 1})),
    ("missing-key", "prior.u", conformity(prior={"mean": 1})),
    ("bad-value", "prior.distribution",
     conformity(prior={"distribution": "gamma", "mean": 1, "u": 1})),
    ("out-of-range", "", conformity(prior={"mean": 1, "u": 0})),
    ("degenerate-data", "", conformity(prior={"mean": 1, "u": 1}, U=None, u_relative=0.1)),
]  # fmt: skip


@pytest.mark.parametrize(("code", "at", "task"), BAD, ids=range(len(BAD)))
def test_refusals_have_code_and_place(code: str, at: str, task: Any) -> None:
    found = compute(task)["error"]
    assert (found["code"], found["at"]) == (code, at), found
    assert found["message"].endswith(".")


def test_an_unknown_class_is_refused() -> None:
    for name, element in (("D", "film"), ("A", "wire")):
        with pytest.raises(OutOfRange):
            platinum_tolerance(0, name, element)


CLASS_A = {"standard": "IEC 60751", "class": "A", "t": 100}


@pytest.mark.parametrize(
    ("value", "more", "told"),
    [("100.1", {}, "value - t = 0.1"), ("-40.05", {"t": "-40"}, "value - t = -0.05"),
     ("138.55", {"quantity": "resistance"}, "value - R(t) = 0.0445"),
     ("1385.2", {"quantity": "resistance", "R0": 1000}, "value - R(t) = 0.145")],
)  # fmt: skip
def test_a_reading_is_not_taken_for_an_error(value: str, more: dict[str, Any], told: str) -> None:
    task = conformity(value=value, lower=None, upper=None, limits=CLASS_A | more)
    fault = compute(task)["error"]
    assert (fault["code"], fault["at"]) == ("bad-value", "value")
    assert told in fault["message"]


@pytest.mark.parametrize(("value", "t"), [("0.1", 100), ("-9", 100), ("9", "0.0"), ("6.9", 100)])
def test_an_error_far_outside_is_an_error_still(value: str, t: object) -> None:
    found = ask(value=value, lower=None, upper=None, limits=CLASS_A | {"t": t})
    assert found["verdict"] == ("pass" if value == "0.1" else "fail")
