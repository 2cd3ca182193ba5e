"""Tasks of kind risk: what they take, what they give, what they refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest

from calib.evaluation.tasks import compute, load
from tests.engine.published import good

UNIT = {"lower": -1, "upper": 1}
NORMAL = {"distribution": "normal", "mean": 0, "u": 0.5}
GAMMA = {"distribution": "gamma", "shape": 4, "scale": 0.25}


def risk(**task: Any) -> dict[str, Any]:
    return {"kind": "risk", "process": NORMAL, **({} if "u_ratio" in task or "tur" in task else {
        "u_test": 0.1}), **UNIT} | task  # fmt: skip


def ask(**task: Any) -> dict[str, Any]:
    return good(compute(risk(**task)))


TASKS = [
    risk(),
    risk(tur="4"),
    risk(u_ratio=4, bias=0.1),
    risk(process=GAMMA, lower=None),
    risk(process=GAMMA, upper=None, lower=0.2, accept_lower=0.3),
    risk(process={"distribution": "t", "mean": 0, "scale": 0.3, "dof": 1}),
    risk(process={"distribution": "normal", "u": 0.5}),
    risk(process={"in_tolerance": 0.95}, tur=2, guard={"method": "rds"}),
    risk(process={"in_tolerance": "worst"}, tur=2, guard={"method": "pfa", "target": 0.02}),
    risk(process={"observed_in_tolerance": 0.9}, tur=4),
    risk(process={"observed_in_tolerance": 0.9}, u_test="worst"),
    risk(guard={"method": "rU", "r": 6}),
    risk(u_test=0),
    risk(u_test=0, guard={"method": "rU", "r": 1}),
]


@pytest.mark.parametrize("task", TASKS, ids=range(len(TASKS)))
def test_results_are_plain_json(task: dict[str, Any]) -> None:
    found = good(compute(task))
    assert found["kind"] == "risk"
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert compute(load(json.dumps(task))) == found
    assert found["model"].endswith(".")


def test_a_result_in_full() -> None:
    found = ask(guard={"method": "u95"}, bias="0.05")
    pfa, pfr = found.pop("pfa"), found.pop("pfr")
    assert 0 < pfa < pfr < 1
    assert found.pop("conditional_pfa") == pytest.approx(pfa / found["accepted"])
    assert found.pop("accepted") == pytest.approx(pfa + found["in_tolerance"] - pfr)
    assert found.pop("in_tolerance") == pytest.approx(0.9544997361036416)
    assert found.pop("tur") == pytest.approx(5)
    assert found.pop("guard_multiplier") == pytest.approx(1)
    assert found.pop("guard_band") == pytest.approx(0.2)
    assert found.pop("acceptance_lower") == pytest.approx(-0.8)
    assert found.pop("acceptance_upper") == pytest.approx(0.8)
    assert found == {
        "kind": "risk",
        "u_test": 0.1,
        "process": {"mean": 0, "u": 0.5},
        "model": "Before the test the true values of the items follow a normal distribution, as"
        " stated (mean 0, standard deviation 0.5). The test adds a normal error with standard"
        " uncertainty 0.1, the same for every value and reads too high by 0.05. An item is accepted"
        " when its reading is at least -0.8 and at most 0.8.",
    }


def test_each_way_to_tell_the_test() -> None:
    plain = ask(u_test=0.125)
    assert ask(tur=4) == plain
    assert ask(u_ratio=4) == plain
    assert plain["tur"] == 4
    one = ask(process=GAMMA, lower=None, u_ratio=2)
    assert one["u_test"] == pytest.approx(0.25)
    assert one["tur"] is None
    assert ask(process={"in_tolerance": 0.95}, u_ratio=3)["u_test"] == pytest.approx(
        1 / 1.959963984540054 / 3
    )


def test_each_way_to_tell_the_process() -> None:
    inside = ask()["in_tolerance"]
    by_rate = ask(process={"in_tolerance": inside})
    assert by_rate["process"] == pytest.approx({"mean": 0, "u": 0.5})
    assert by_rate["pfa"] == pytest.approx(ask()["pfa"])
    shifted = ask(process={"in_tolerance": 0.9}, lower=1, upper=3)
    assert shifted["process"]["mean"] == 2
    assert shifted["in_tolerance"] == pytest.approx(0.9)
    # What is found in tolerance is what the test accepts within the limits.
    observed = ask(process={"observed_in_tolerance": 0.9})
    assert observed["accepted"] == pytest.approx(0.9, rel=1e-12)
    assert observed["in_tolerance"] > 0.9
    assert "90 %" in observed["model"]
    beta = ask(process={"distribution": "beta", "alpha": 2, "beta": 2, "low": -2, "high": 2})
    assert beta["process"]["u"] == pytest.approx(4 / 20**0.5)
    assert ask(process={"distribution": "beta", "alpha": 2, "beta": 2})["process"]["mean"] == 0.5
    assert ask(process={"distribution": "normal", "u": 0.5}, lower=0)["process"]["mean"] == 0.5


def test_acceptance_limits() -> None:
    assert ask()["acceptance_upper"] == 1
    assert ask()["guard_band"] is None
    agreed = ask(accept_upper=0.9)
    assert (agreed["acceptance_lower"], agreed["acceptance_upper"]) == (None, 0.9)
    assert "reading is at most 0.9." in agreed["model"]
    lower = ask(accept_lower="-0.9")
    assert (lower["acceptance_lower"], lower["acceptance_upper"]) == (-0.9, None)
    solved = ask(guard={"method": "pfa", "target": "0.001"})
    assert solved["pfa"] == pytest.approx(0.001, rel=1e-9)
    assert solved["acceptance_upper"] == 1 - solved["guard_band"]
    biased = ask(guard={"method": "pfa", "target": 0.001}, bias=0.1)
    assert biased["guard_band"] > solved["guard_band"]
    one = ask(process=GAMMA, lower=None, upper=2, guard={"method": "rU", "r": 0.5})
    assert one["acceptance_upper"] == pytest.approx(1.9)
    assert one["acceptance_lower"] is None
    managed = ask(tur=2, guard={"method": "dobbert"})
    assert managed["guard_multiplier"] == pytest.approx(0.281645, abs=5e-7)


def test_nothing_is_accepted() -> None:
    found = ask(tur=1, guard={"method": "u95"})
    assert (found["pfa"], found["conditional_pfa"], found["accepted"]) == (0, None, 0)
    assert found["pfr"] == found["in_tolerance"]
    assert found["model"].endswith("No reading is accepted.")


def test_worst_cases() -> None:
    worst = ask(process={"in_tolerance": "worst"}, tur=4)
    assert worst["pfa"] == pytest.approx(0.02238, abs=5e-6)
    assert worst["pfa"] > ask(process={"in_tolerance": 0.6}, tur=4)["pfa"]
    assert "makes PFA largest" in worst["model"]
    split = ask(process={"observed_in_tolerance": 0.9}, u_test="worst")
    assert split["accepted"] == pytest.approx(0.9)
    assert split["pfa"] > ask(process={"observed_in_tolerance": 0.9}, tur=4)["pfa"]


def test_figures_that_are_solved_for() -> None:
    least = ask(process={"in_tolerance": "worst"}, tur="solve", target_pfa=0.02, lower=0, upper=8)
    assert least["pfa"] == pytest.approx(0.02, rel=1e-8)
    assert least["tur"] == pytest.approx(4.5136, abs=5e-5)
    known = ask(process=NORMAL, tur="solve", target_pfa="0.005")
    assert known["pfa"] == pytest.approx(0.005, rel=1e-8)
    rate = ask(process={"observed_in_tolerance": "solve"}, u_test="worst", target_pfa=0.02)
    assert rate["pfa"] == pytest.approx(0.02, rel=1e-8)
    assert rate["accepted"] == pytest.approx(0.8874, abs=5e-5)


def test_without_an_error_of_the_test() -> None:
    found = ask(u_test=0, bias=0)
    assert (found["pfa"], found["pfr"], found["tur"]) == (0, 0, None)
    assert "The test adds no error," in found["model"]
    assert ask(u_test=0, guard={"method": "rU", "r": 1})["guard_multiplier"] is None


T1 = {"distribution": "t", "mean": 0, "scale": 1, "dof": 1}
OBSERVED = {"observed_in_tolerance": 0.9}
BAD: list[tuple[str, str, Any]] = [
    ("unknown-key", "prior", risk(prior=1)),
    ("missing-key", "process", {"kind": "risk", "u_test": 1, **UNIT}),
    ("bad-task", "process", risk(process=3)),
    ("bad-task", "process", risk(process={})),
    ("bad-task", "process", risk(process={"in_tolerance": 0.9, **OBSERVED})),
    ("unknown-key", "process.in_tolerance", risk(process=NORMAL | {"in_tolerance": 0.9})),
    ("unknown-key", "process.sd", risk(process=NORMAL | {"sd": 0.9})),
    ("bad-value", "process.distribution", risk(process={"distribution": "cauchy"})),
    ("bad-value", "process.distribution", risk(process={"distribution": 3})),
    ("missing-key", "process.u", risk(process={"distribution": "normal", "mean": 0})),
    ("missing-key", "process.mean", risk(process={"distribution": "normal", "u": 1}, lower=None)),
    ("out-of-range", "process", risk(process=NORMAL | {"u": 0})),
    ("out-of-range", "process.in_tolerance", risk(process={"in_tolerance": 1})),
    ("bad-number", "process.in_tolerance", risk(process={"in_tolerance": "solve"})),
    ("degenerate-data", "process", risk(process={"in_tolerance": 0.9}, lower=None)),
    ("out-of-range", "process.observed_in_tolerance",
     risk(process={"observed_in_tolerance": 0})),
    ("degenerate-data", "process.observed_in_tolerance", risk(process=OBSERVED, u_test=1)),
    ("missing-key", "u_test", {"kind": "risk", "process": NORMAL, **UNIT}),
    ("out-of-range", "u_test", risk(u_test=-1)),
    ("bad-number", "u_test", risk(u_test="worst")),
    ("bad-task", "tur", risk(tur=4, u_test=1)),
    ("bad-task", "u_ratio", risk(tur=4, u_ratio=1)),
    ("out-of-range", "tur", risk(tur=0)),
    ("degenerate-data", "tur", risk(tur=4, process=GAMMA, lower=None)),
    ("out-of-range", "u_ratio", risk(u_ratio=0)),
    ("bad-task", "u_ratio", risk(u_ratio=2, process=T1)),
    ("bad-task", "u_ratio", risk(u_ratio=2, process=OBSERVED)),
    ("out-of-range", "u_test", risk(u_test=0, process={"in_tolerance": "worst"})),
    ("degenerate-data", "lower", risk(lower=None, upper=None)),
    ("degenerate-data", "lower", risk(lower=1)),
    ("degenerate-data", "accept_lower", risk(accept_lower=1, accept_upper=1)),
    ("bad-number", "bias", risk(bias=True)),
    ("bad-task", "guard", risk(accept_upper=0.9, guard={"method": "u95"})),
    ("bad-value", "guard.method", risk(guard={"method": "u96"})),
    ("missing-key", "guard.method", risk(guard={})),
    ("missing-key", "guard.target", risk(guard={"method": "pfa"})),
    ("missing-key", "guard.r", risk(guard={"method": "rU"})),
    ("bad-task", "guard.target", risk(guard={"method": "u95", "target": 0.02})),
    ("bad-task", "guard.r", risk(guard={"method": "pfa", "target": 0.02, "r": 1})),
    ("out-of-range", "guard.target", risk(guard={"method": "pfa", "target": 0.1})),
    ("out-of-range", "guard.method", risk(tur=0.9, guard={"method": "rds"})),
    ("degenerate-data", "guard.method", risk(process=GAMMA, lower=None, guard={"method": "u95"})),
    ("degenerate-data", "guard.method", risk(u_test=0, guard={"method": "u95"})),
    ("bad-task", "target_pfa", risk(target_pfa=0.02)),
    ("bad-task", "target_pfa", risk(tur="solve")),
    ("bad-task", "guard", risk(tur="solve", target_pfa=0.02, guard={"method": "u95"})),
    ("bad-task", "bias", risk(tur="solve", target_pfa=0.02, bias=1)),
    ("bad-task", "tur", risk(tur="solve", target_pfa=0.02, process=GAMMA)),
    ("not-converged", "target_pfa", risk(tur="solve", target_pfa=0.9)),
    ("bad-task", "u_test",
     risk(process={"observed_in_tolerance": "solve"}, target_pfa=0.02)),
]  # fmt: skip


@pytest.mark.parametrize(("code", "at", "task"), BAD, ids=range(len(BAD)))
def test_refusals_have_code_and_place(code: str, at: str, task: Any) -> None:
    found = compute(task)["error"]
    assert (found["code"], found["at"]) == (code, at), found
    assert found["message"].endswith(".")
