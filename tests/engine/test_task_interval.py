"""Tasks of kind interval."""

from __future__ import annotations

import json
from typing import Any

import pytest

from calib.evaluation.tasks import compute
from tests.engine.published import agrees, good, load

CASES = load("intervals")
NASA, GAUGE = CASES["nasa"], CASES["gauge"]
BINS = [{"t": 6, "n": 40, "in_tolerance": 39}, {"t": 12, "n": 40, "in_tolerance": 36},
        {"t": 24, "n": 40, "in_tolerance": 30}]  # fmt: skip
DATED = [
    {"date": "2022-01-31", "as_found": "0.10", "as_left": "0.00"},
    {"date": "2023-01-31", "as_found": "0.12"},
    {"date": "2024-01-31", "as_found": "0.23", "as_left": "0.01"},
    {"date": "2025-01-31", "as_found": "0.13", "as_left": "0.13"},
]


def task(method: str, **more: Any) -> dict[str, Any]:
    return {"kind": "interval", "method": method, **more}


def variables(**more: Any) -> dict[str, Any]:
    given = {"dt": NASA["dt"], "delta": NASA["delta"], "degree": 2, "u0": 0.28}
    return task("variables", **(given | more))


def a3(**more: Any) -> dict[str, Any]:
    given = {"in_tolerance": 15, "n": 20, "current_interval": 365, "target_reliability": 0.95}
    return task("a3", **({"confidence": 0.5} | given | more))


def lined(method: str, **more: Any) -> dict[str, Any]:
    given = {"t": [0, 12, 24, 36], "error": [0, 0.1, 0.15, 0.3], "lower": -0.5, "upper": 0.5}
    return task(method, **(given | more))


def stairs(**more: Any) -> dict[str, Any]:
    given = {"as_found": [0.1], "lower": -0.5, "upper": 0.5, "current_interval": 12}
    return task("staircase", **(given | more))


GOOD = [
    stairs(unit="month", steps=[6, 12, 18]),
    stairs(as_found="0.30", U="0.1", quiet=0.5, lengthen=1.2, shorten=0.5, may_extend=False),
    a3(maximum=200),
    task("s2", bins=BINS, target_reliability=0.9, unit="month"),
    task("s2", bins=BINS, target_reliability=0.9, models=["warranty", "exponential"]),
    variables(target_u=0.5),
    variables(y0=10.03, upper=11, confidence=0.9),
    variables(y0=10.03, lower=9, upper=11, confidence=0.9, unit="day"),
    task("variables", history=DATED, u0=0.05, target_u=0.2),
    lined("control_chart", u=0.02, confidence=0.9, predict=[48]),
    lined("drift", u=[0.02] * 4, walk=0.01, tail="normal", maximum=24, unit="month"),
    task("drift", history=DATED, upper=0.5, predict=["2026-01-31"]),
]


@pytest.mark.parametrize("given", GOOD, ids=range(len(GOOD)))
def test_results_are_plain_json(given: dict[str, Any]) -> None:
    found = good(compute(given))
    assert (found["kind"], found["method"]) == ("interval", given["method"])
    assert found["unit"] == given.get("unit", "day")
    assert len(found["reason"]) > 40
    assert isinstance(found["extrapolated"], bool)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_a3() -> None:
    case = CASES["a3"][0]
    found = good(compute(a3()))
    assert agrees(found["interval"], case["interval"])
    assert agrees(found["rejection_confidence"], case["rejection_confidence"])
    assert agrees(found["reliability"]["lower"], case["lower"])
    assert agrees(found["reliability"]["upper"], case["upper"])
    cut = good(compute(a3(maximum=200)))
    assert cut["interval"] == 200
    assert "longest interval agreed, 200" in cut["reason"]


def test_variables_of_the_handbook() -> None:
    found = good(compute(variables(target_u=NASA["target_u"])))
    assert agrees(found["interval"], NASA["by_uncertainty"])
    assert agrees(found["parameters"]["b2"], NASA["b2"])
    assert agrees(found["covariance"][0][1], NASA["cov"])
    assert found["k"] is None
    assert found["extrapolated"]
    by_limits = variables(y0=10.03, lower=9, upper=11, confidence=0.9)
    found = good(compute(by_limits))
    assert agrees(found["interval"], NASA["by_limits"])
    assert agrees(10.03 + found["prediction"]["delta"], NASA["by_limits_value"])
    assert good(compute(by_limits | {"y0": 9.03}))["interval"] == 0


def test_variables_that_give_no_interval() -> None:
    given = variables(dt=[1, 2, 3], delta=[0, 0, 0], degree=1, target_u=0.5)
    found = good(compute(given))
    assert found["interval"] is None
    assert "prediction" not in found


def test_changes_from_a_history() -> None:
    by_dates = good(compute(task("variables", history=DATED, u0=0.05, target_u=0.2)))
    # Days between, and as found less the as left before (as found where nothing was adjusted).
    given = task("variables", dt=[365, 365, 366], delta=[0.12, 0.11, 0.12], u0=0.05, target_u=0.2)
    by_hand = good(compute(given))
    assert by_dates["parameters"]["b1"] == pytest.approx(by_hand["parameters"]["b1"])
    assert by_dates["interval"] == pytest.approx(by_hand["interval"])


def test_a_history_is_told_as_of_the_state_left_last() -> None:
    found = good(compute(task("drift", history=DATED, upper=0.5, predict=["2025-01-31"])))
    # Adjustments of -0.10 and -0.22 taken out: -0.22, -0.10, 0.01, 0.13.
    given = task("drift", t=[0, 365, 730, 1096], error=[-0.22, -0.1, 0.01, 0.13], upper=0.5)
    by_hand = good(compute(given | {"predict": [1096]}))
    for key in ("slope", "s", "interval"):
        assert found[key] == pytest.approx(by_hand[key]), key
    assert found["predictions"][0]["y"] == pytest.approx(by_hand["predictions"][0]["y"])


def test_the_gauge_as_published() -> None:
    rows = zip(GAUGE["dates"], GAUGE["psi"], strict=True)
    history = [{"date": d, "as_found": y} for d, y in rows]
    given = task("drift", history=history, u=0.2, lower=175, upper=185, tail="t_sd")
    found = good(compute(given | {"predict": ["2019-07-01"]}))["predictions"][0]
    assert agrees(found["y"], GAUGE["y"])
    assert agrees(found["U"], GAUGE["U95"])
    assert agrees(found["probability_out"], GAUGE["out"])


def test_s2_gives_every_model() -> None:
    found = good(compute(task("s2", bins=BINS, target_reliability=0.9)))
    assert set(found["models"]) == {"exponential", "weibull", "lognormal", "random_walk"}
    best = min(found["models"], key=lambda m: found["models"][m]["aic"])
    assert found["model"] == best
    assert found["interval"] == found["models"][best]["interval"]
    rising = [{"t": t, "n": 100, "in_tolerance": x} for t, x in ((1, 70), (2, 80), (3, 95))]
    none = good(compute(task("s2", bins=rising, target_reliability=0.9, models=["weibull"])))
    assert (none["model"], none["interval"]) == (None, None)


def test_a_staircase_climbs() -> None:
    found = good(compute(stairs(steps=[6, 12, 18], unit="month")))
    assert (found["interval"], found["step"], found["load"]) == (18, "lengthen", 0.2)
    assert found["extrapolated"]


def test_a_change_that_is_not_supported_keeps_the_interval() -> None:
    given = a3(in_tolerance=17, current_interval=12, confidence=0.95, unit="month")
    found = good(compute(given))
    assert (found["kept_interval"], found["supported"]) == (12, False)
    assert found["interval"] == pytest.approx(9.869, abs=5e-4)
    assert found["reason"].endswith("no change is supported, keep it. Times are in the unit month.")
    changed = good(compute(given | {"confidence": 0.5}))
    assert changed["interval"] == changed["kept_interval"] == found["interval"]


def test_a_unit_that_was_not_given_is_told() -> None:
    assert good(compute(a3()))["reason"].endswith("times are taken to be in days.")
    dated = good(compute(task("drift", history=DATED, upper=0.5)))["reason"]
    assert dated.endswith("Times are in the unit day.")


def test_an_unknown_key_lists_those_of_the_method() -> None:
    message = compute(stairs(until=1))["error"]["message"]
    assert "as_found" in message
    assert "bins" not in message


BAD: list[tuple[str, str, Any]] = [
    ("bad-value", "method", {"kind": "interval", "method": []}),
    ("unknown-key", "until", {"kind": "interval", "until": 1}),
    ("missing-key", "method", {"kind": "interval"}),
    ("bad-value", "method", task("guess")),
    ("unknown-key", "until", a3(until=1)),
    ("unknown-key", "bins", a3(bins=[])),
    ("bad-value", "unit", a3(unit=3)),
    ("bad-value", "unit", a3(unit="")),
    ("bad-value", "unit", task("drift", history=DATED, upper=1, unit="year")),
    ("out-of-range", "maximum", a3(maximum=0)),
    ("missing-key", "n", a3(n=None)),
    ("bad-number", "in_tolerance", a3(in_tolerance=1.5)),
    ("out-of-range", "", a3(in_tolerance=21)),
    ("missing-key", "as_found", stairs(as_found=None)),
    ("out-of-range", "", stairs(lower=0.1)),
    ("degenerate-data", "", stairs(steps=[2, 1])),
    ("bad-value", "may_extend", stairs(may_extend="no")),
    ("missing-key", "bins", task("s2", target_reliability=0.9)),
    ("unknown-key", "bins.0.x", task("s2", bins=[{"x": 1}], target_reliability=0.9)),
    ("missing-key", "bins.0.n", task("s2", bins=[{"t": 1}], target_reliability=0.9)),
    ("degenerate-data", "bins",
     task("s2", bins=[{"t": 1, "n": 2, "in_tolerance": 2}], target_reliability=0.9)),
    ("degenerate-data", "",
     task("s2", bins=BINS[:1], target_reliability=0.9, models=["weibull"])),
    ("bad-value", "models.0", task("s2", bins=BINS, target_reliability=0.9, models=["x"])),
    ("bad-value", "models", task("s2", bins=BINS, target_reliability=0.9, models=[])),
    ("bad-task", "target_u", variables()),
    ("bad-task", "target_u", variables(target_u=1, y0=1)),
    ("missing-key", "y0", variables(upper=1, confidence=0.9)),
    ("degenerate-data", "", variables(y0=1, confidence=0.9)),
    ("bad-task", "history", variables(history=DATED)),
    ("bad-task", "history", task("variables", u0=1, target_u=1)),
    ("degenerate-data", "dt", variables(degree=6, target_u=1)),
    ("bad-number", "degree", variables(degree="1.5", target_u=1)),
    ("degenerate-data", "history", task("variables", history=DATED[:2], u0=1, target_u=1)),
    ("bad-value", "history.1.date", task("variables", history=DATED[::-1], u0=1, target_u=1)),
    ("bad-value", "history", task("variables", history=DATED[:1], u0=1, target_u=1)),
    ("bad-value", "history.0.date", task("drift", history=[{"date": "x"}, {}], upper=1)),
    ("bad-value", "history.0.date", task("drift", history=[{"date": 3}, {}], upper=1)),
    ("bad-task", "history", task("drift", upper=1)),
    ("bad-task", "history", lined("drift", history=DATED)),
    ("bad-value", "t", lined("drift", t=[0, 1])),
    ("bad-value", "t", lined("drift", t=[0, 2, 1])),
    ("degenerate-data", "t", lined("drift", t=[0, 1, 2])),
    ("degenerate-data", "t", lined("drift", u=[1, 1])),
    ("out-of-range", "t", lined("drift", walk=-1)),
    ("out-of-range", "", lined("drift", maximum=-1)),
    ("out-of-range", "", lined("drift", tail="t_sd", target_reliability=0.9)),
    ("out-of-range", "", lined("control_chart", confidence=2)),
    ("unknown-key", "walk", lined("control_chart", walk=1)),
    ("bad-number", "predict.0", lined("drift", predict=["x"])),
    ("bad-value", "predict.0", task("drift", history=DATED, upper=1, predict=[1])),
]  # fmt: skip


@pytest.mark.parametrize(("code", "at", "given"), BAD, ids=range(len(BAD)))
def test_bad_tasks(code: str, at: str, given: dict[str, Any]) -> None:
    found = compute(given)["error"]
    assert (found["code"], found["at"]) == (code, at), found
