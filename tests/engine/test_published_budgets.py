"""Published budgets: GUM H.1 and H.2, EA-4/02, Eurachem, NIST."""

from __future__ import annotations

from typing import Any

import pytest

from calib.evaluation.tasks import compute
from tests.engine.published import agrees, good, load, to_print

H1 = load("gum_h1")
H2 = load("gum_h2")


def h1(**more: Any) -> dict[str, Any]:
    task = {"kind": "propagate", **H1["task"], "coverage_probability": 0.99, **more}
    return good(compute(task))["outputs"]["y"]


def test_h1_first_order() -> None:
    y, printed = h1(), H1["printed"]
    assert agrees(y["value"], printed["value"])
    assert agrees(y["u"], printed["u"])
    assert agrees(y["u"], printed["recomputed"]["u"])
    assert agrees(y["dof"], printed["dof"])
    assert agrees(y["k"], printed["t99"])
    assert agrees(y["U"], printed["U99"])


def test_h1_second_order() -> None:
    y, printed = h1(order=2), H1["printed"]
    assert agrees(y["u"], printed["u_second_order"])
    assert agrees(y["u"], printed["recomputed"]["u_second_order"])
    assert y["value"] == h1()["value"]
    assert [r["c"] for r in y["budget"]] == [r["c"] for r in h1()["budget"]]


def h2(**more: Any) -> dict[str, Any]:
    task = {
        "kind": "propagate",
        "function": H2["function"],
        "inputs": {name: {"readings": values} for name, values in H2["readings"].items()},
        "simultaneous": list(H2["readings"]),
        **more,
    }
    return good(compute(task))


@pytest.mark.parametrize("average", ["inputs", "results"])
def test_h2_both_approaches(average: str) -> None:
    found = h2(average=average)
    for name, printed in H2["results"].items():
        y = found["outputs"][name]
        assert abs(y["value"] - printed["value"]) <= printed["tolerance"]
        assert abs(y["u"] - printed["u"]) <= printed["u_tolerance"]
        assert y["dof"] == pytest.approx(4)
    for pair in ("R_X", "R_Z", "X_Z"):
        a, b = pair.split("_")
        assert agrees(found["correlation"][a][b], H2["correlation"][pair])
        assert found["correlation"][a][b] == found["correlation"][b][a]
        assert found["correlation"][a][a] == 1


def test_h2_inputs() -> None:
    for row in h2()["outputs"]["R"]["budget"]:
        printed = H2["means"][row["input"]]
        assert abs(row["u"] - printed["u"]) <= printed["u_tolerance"]
        assert row["dof"] == 4


def test_h2_from_printed_correlations() -> None:
    inputs = {n: {"value": v["value"], "u": v["u"]} for n, v in H2["means"].items()}
    pairs = [[*k.split("_"), H2["correlation"][k]["value"]] for k in ("V_I", "V_phi", "I_phi")]
    task = {
        "kind": "propagate", "function": H2["function"], "inputs": inputs, "correlations": pairs,
    }  # fmt: skip
    found = good(compute(task))
    for name, printed in H2["results"].items():
        assert found["outputs"][name]["u"] == pytest.approx(printed["u"], rel=0.015)
        assert found["outputs"][name]["dof"] is None


def test_h2_as_an_implicit_system() -> None:
    implicit = h2(
        function={"Z": "Z*I - V", "R": "R - Z*cos(phi)", "X": "X - Z*sin(phi)"},
        implicit=True,
        start={"Z": 100},
    )
    explicit = h2()
    for name in ("R", "X", "Z"):
        for key in ("value", "u", "dof", "U"):
            assert implicit["outputs"][name][key] == pytest.approx(
                explicit["outputs"][name][key], rel=1e-9
            )


def test_averaged_results_with_another_uncertain_input() -> None:
    alone = h2(average="results")["outputs"]["Z"]
    inputs = {n: {"readings": v} for n, v in H2["readings"].items()} | {"g": {"value": 1, "u": 0.1}}
    both = h2(average="results", inputs=inputs, function={"Z": "V/I*g"})["outputs"]["Z"]
    assert both["u"] == pytest.approx(
        (alone["u"] ** 2 + (0.1 * alone["value"]) ** 2) ** 0.5, rel=1e-5
    )
    assert both["dof"] > 1e6


def test_ea402_s9_one_rectangle_dominates() -> None:
    reference = load("coverage")["ea402_s9"]
    task = {
        "kind": "propagate",
        "function": "V_iX - V_S + dV_iX - dV_S",
        "inputs": {
            "V_iX": {"value": 100.1},
            "V_S": {"value": 100, "U": 0.002, "k": 2},
            "dV_iX": {"value": 0, "distribution": {"name": "rectangular", "half_width": 0.05}},
            "dV_S": {"value": 0, "distribution": {"name": "uniform", "low": -0.011, "high": 0.011}},
        },
        "coverage": "dominant",
    }
    y = good(compute(task))["outputs"]["y"]
    assert agrees(y["k"], reference["k"])
    assert agrees(y["U"], reference["U"])
    assert y["coverage"] == {"shape": "rectangular", "beta": None}


def test_ea402_s10_two_rectangles_dominate() -> None:
    reference = load("coverage")["ea402_s10"]
    wide, narrow = reference["half_widths"]
    task = {
        "kind": "propagate",
        "function": "a + b + c",
        "inputs": {
            "a": {"value": 0, "distribution": {"name": "rectangular", "half_width": narrow}},
            "b": {"value": 150.1, "distribution": {"name": "rectangular", "half_width": wide}},
            "c": {"value": 0, "u": 0.003},
        },
        "coverage": "dominant",
        "coverage_probability": 0.95,
    }
    y = good(compute(task))["outputs"]["y"]
    assert y["coverage"]["shape"] == "trapezoidal"
    assert agrees(y["coverage"]["beta"], reference["beta"])
    assert agrees(y["k"], reference["k"])


def test_nothing_dominates() -> None:
    task = {
        "kind": "propagate", "function": "a + b", "coverage": "dominant",
        "inputs": {"a": {"value": 0, "u": 1}, "b": {"value": 0, "u": 1}},
    }  # fmt: skip
    y = good(compute(task))["outputs"]["y"]
    assert y["coverage"] == {"shape": "t", "beta": None}
    assert y["k"] == pytest.approx(1.959964, abs=1e-6)


@pytest.mark.parametrize("case", load("published_budgets")["budget"], ids=lambda c: c["title"])
def test_one_output(case: dict[str, Any]) -> None:
    task = {key: case[key] for key in ("function", "inputs", "unit", "k") if key in case}
    y = good(compute({"kind": "propagate", **task}))["outputs"]["y"]
    expected = case["expected"]
    for key in ("value", "u", "U"):
        tolerance = expected.get(f"{key}_tolerance")
        if key in expected and tolerance is not None:
            assert abs(y[key] - float(expected[key])) <= tolerance
        elif key in expected:
            assert to_print(y[key], expected[key]), (key, y[key])
    assert y.get("unit") == case.get("unit")
