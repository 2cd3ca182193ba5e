"""Tasks of kind compare."""

from __future__ import annotations

import json
from typing import Any

import pytest

from calib.evaluation.tasks import compute
from tests.engine.published import agrees, good, load

CASES = load("comparisons")
X = {"value": 10.0, "u": 0.3}


def task(score: str, **more: Any) -> dict[str, Any]:
    return {"kind": "compare", "score": score, **more}


def scored(score: str, **more: Any) -> dict[str, Any]:
    case = CASES["scores"]
    rows = [{"value": x, "u": u} for x, u in zip(case["x"], case["u"], strict=True)]
    return task(score, **({"participants": rows, "assigned": X} | more))


GOOD = [
    scored("en"),
    scored("z", sigma_pt=0.4),
    scored("z", sigma_pt=0.4, participants=[{"value": 10.1}], assigned={"value": 10}),
    scored("zeta"),
    scored("z_prime", sigma_pt=0.4),
    scored("pa", delta_E=1),
    task("algorithm_a", values=CASES["creosote"]["values"]),
    task("weighted_mean", values=[1, 2], u=[0.1, "0.20"]),
    task("dersimonian_laird", values=[1, 2], u=[0.1, 0.2]),
    task("mandel_paule", values=[1, 2], u=[0.1, 0.2], coverage_probability=0.9),
    task("maximum_likelihood", values=[1, 2], u=[0.1, 0.2]),
    task("maximum_likelihood", values=[1, 2], s=[0.1, 0.2], n=[3, 4]),
]


@pytest.mark.parametrize("given", GOOD, ids=range(len(GOOD)))
def test_results_are_plain_json(given: dict[str, Any]) -> None:
    found = good(compute(given))
    assert (found["kind"], found["score"]) == ("compare", given["score"])
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize("score", ["en", "z", "zeta"])
def test_scores_and_verdicts(score: str) -> None:
    case = CASES["scores"]
    found = good(compute(scored(score, **({"sigma_pt": 0.4} if score == "z" else {}))))
    assert found["scores"] == pytest.approx(case[score])
    assert found["verdicts"] == case[f"{score}_verdicts"]


def test_an_assigned_value_that_is_too_uncertain_for_z() -> None:
    assert not good(compute(scored("z", sigma_pt=0.4)))["assigned_negligible"]
    assert good(compute(scored("z", sigma_pt=1)))["assigned_negligible"]


def test_u_and_U_are_the_same_statement() -> None:
    rows = [{"value": 10.5, "U": 0.8}, {"value": 11, "U": 1.2, "k": 3}, {"value": 8.8, "u": 0.4}]
    U = {"value": 10, "U": 0.6}
    zeta = good(compute(task("zeta", participants=rows, assigned=U)))
    assert zeta["scores"] == pytest.approx(CASES["scores"]["zeta"])
    en = good(compute(task("en", participants=rows[:1], assigned=U)))
    assert en["scores"][0] == pytest.approx(0.5)


SMALL = [("10000.0005", "10000.0000", "0.0003", "0.0004"), ("100.00005", 100, "3e-5", "4e-5"),
         ("99.99995", "100", "0.00003", "0.00004")]  # fmt: skip


@pytest.mark.parametrize(("x", "assigned", "U", "U_X"), SMALL)
def test_a_bound_is_met_by_the_decimals_as_written(x: str, assigned: str, U: str, U_X: str) -> None:
    rows, at = [{"value": x, "U": U}], {"value": assigned, "U": U_X}
    found = good(compute(task("en", participants=rows, assigned=at)))
    assert abs(found["scores"][0]) == pytest.approx(1, rel=1e-15)
    assert found["verdicts"] == ["satisfactory"]


@pytest.mark.parametrize("score", ["z", "z_prime", "zeta"])
def test_every_score_takes_the_difference_as_written(score: str) -> None:
    rows = [{"value": "10000.0010", "u": "0.0003"}, {"value": "9999.9985", "u": "0.0003"}]
    more = {} if score == "zeta" else {"sigma_pt": "0.0003" if score == "z_prime" else "0.0005"}
    at = {"value": "10000", "u": "0.0004"}
    found = good(compute(task(score, participants=rows, assigned=at, **more)))
    assert found["scores"] == pytest.approx([2, -3], rel=1e-15)
    assert found["verdicts"] == ["satisfactory", "unsatisfactory"]


def test_equal_factors_are_the_same_whatever_they_are() -> None:
    at = {"value": 10, "U": 4, "k": 3}
    given = task("en", participants=[{"value": 15, "U": 3, "k": "3.0"}], assigned=at)
    assert good(compute(given))["scores"] == [1]
    assert "remarks" not in good(compute(given))
    other = good(compute(given | {"assigned": at | {"k": None}}))
    assert other["scores"] == [1]
    (told,) = other["remarks"]
    assert told.startswith("k is 3 in participants.0 and 2 in assigned: each U was taken as it is")


def test_an_uncertainty_that_is_needed_may_be_either() -> None:
    message = compute(scored("en", participants=[{"value": 1}]))["error"]["message"]
    assert message == "participants.0 needs its uncertainty: U (with its k, else 2) or u."


def test_the_weight_that_is_wrong_is_named() -> None:
    fault = compute(task("weighted_mean", values=[1, 2, 3], u=[1, 0.5, -2]))["error"]
    assert fault["message"].endswith("got -2.0 in place 2.")


def test_percent_of_the_allowed_difference() -> None:
    rows = [{"value": 11}, {"value": 8.9}]
    found = good(compute(task("pa", participants=rows, assigned={"value": 10}, delta_E=1)))
    assert found["scores"] == pytest.approx([100, -110])
    assert found["verdicts"] == ["satisfactory", "unsatisfactory"]


def test_consensus_of_the_paper() -> None:
    case = CASES["fibre"]
    found = good(compute(task("maximum_likelihood", values=case["mean"], s=case["s"], n=case["n"])))
    assert agrees(found["assigned"]["value"], case["value"])
    assert agrees(found["assigned"]["u"], case["u"])
    assert agrees(found["s_between"] ** 2, case["between"])


def test_a_weighted_mean_tells_who_deviates() -> None:
    found = good(compute(task("weighted_mean", values=[0, 0, 3], u=[1, 1, 1])))
    assert found["assigned"]["value"] == pytest.approx(1)
    assert [row["d"] for row in found["deviations"]] == pytest.approx([-1, -1, 2])
    assert [row["u"] for row in found["deviations"]] == pytest.approx([(2 / 3) ** 0.5] * 3)
    assert found["chi2"] == pytest.approx(6)
    assert not found["consistent"]


BAD: list[tuple[str, str, Any]] = [
    ("missing-key", "score", {"kind": "compare"}),
    ("bad-value", "score", task("guess")),
    ("unknown-key", "lab", task("en", lab=1)),
    ("unknown-key", "sigma_pt", scored("en", sigma_pt=1)),
    ("missing-key", "sigma_pt", scored("z")),
    ("missing-key", "delta_E", scored("pa")),
    ("missing-key", "participants", task("en", assigned=X)),
    ("missing-key", "assigned", task("en", participants=[X])),
    ("missing-key", "participants.0.u", scored("en", participants=[{"value": 1}])),
    ("missing-key", "assigned.u", scored("zeta", assigned={"value": 1})),
    ("missing-key", "assigned.u", scored("z_prime", assigned={"value": 1}, sigma_pt=1)),
    ("bad-task", "participants.0.U", scored("en", participants=[X | {"U": 1}])),
    ("bad-number", "assigned.k", scored("en", assigned=X | {"k": 0})),
    ("bad-number", "participants.0.value", scored("en", participants=[{"value": "x", "u": 1}])),
    ("out-of-range", "participants", scored("z", sigma_pt=0)),
    ("out-of-range", "participants.0.u", scored("en", participants=[{"value": 1, "u": -1}])),
    ("out-of-range", "assigned.U", scored("z_prime", assigned={"value": 1, "U": -1}, sigma_pt=1)),
    (
        "out-of-range",
        "participants",
        scored("en", participants=[{"value": 10, "u": 0}], assigned={"value": 10, "u": 0}),
    ),
    ("degenerate-data", "values", task("algorithm_a", values=[1])),
    ("bad-number", "values.1", task("algorithm_a", values=[1, None])),
    ("out-of-range", "u", task("weighted_mean", values=[1, 2], u=[1, 0])),
    ("degenerate-data", "u", task("weighted_mean", values=[1, 2], u=[1])),
    ("bad-task", "u", task("maximum_likelihood", values=[1, 2])),
    ("bad-task", "u", task("maximum_likelihood", values=[1, 2], u=[1, 1], s=[1, 1])),
    ("missing-key", "n", task("maximum_likelihood", values=[1, 2], s=[1, 1])),
    ("unknown-key", "s", task("mandel_paule", values=[1, 2], s=[1, 1], n=[2, 2])),
    ("bad-task", "u", task("mandel_paule", values=[1, 2])),
]


@pytest.mark.parametrize(("code", "at", "given"), BAD, ids=range(len(BAD)))
def test_bad_tasks(code: str, at: str, given: dict[str, Any]) -> None:
    found = compute(given)["error"]
    assert (found["code"], found["at"]) == (code, at), found
