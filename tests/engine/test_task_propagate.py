"""Tasks of kind propagate: units, correlations in all their forms, joint regions."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from calib.evaluation.tasks import compute, load
from calib.evaluation.tasks.reader import TaskRefused
from calib.evaluation.tasks.units import read_unit
from instruments.quantities import UNITS
from tests.engine.published import good

A: dict[str, Any] = {"value": 1, "u": 0.3}
B: dict[str, Any] = {"value": 2, "u": 0.4}
C: dict[str, Any] = {"value": 3, "u": 0.5}
ABC = {"a": A, "b": B, "c": C}
EYE = [[1, 0], [0, 1]]


def task(function: Any = "a + b + c", inputs: Any = None, **more: Any) -> dict[str, Any]:
    return {"kind": "propagate", "function": function, "inputs": inputs or ABC, **more}


def outputs(*args: Any, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = good(compute(task(*args, **more)))["outputs"]
    return found


def with_units(function: Any, units: dict[str, str | None], **more: Any) -> dict[str, Any]:
    inputs = {n: {"value": 2.5, "u": 0.1} | ({"unit": u} if u else {}) for n, u in units.items()}
    return task(function, inputs, **more)


# correlations


@pytest.mark.parametrize("correlations", [
    [["a", "b", 0.5], ["c", "b", -0.2]],
    {"names": ["a", "b", "c"], "matrix": [[1, 0.5, 0], [0.5, 1, -0.2], [0, -0.2, 1]]},
    [{"names": ["b", "a"], "matrix": [[1, 0.5], [0.5, 1]]}, ["c", "b", "-0.2"]],
    {"names": ["a", "b", "c"],
     "covariance": [[0.09, 0.06, 0], [0.06, 0.16, -0.04], [0, -0.04, 0.25]]},
], ids=range(4))  # fmt: skip
def test_correlations_in_every_form(correlations: Any) -> None:
    y = outputs(correlations=correlations)["y"]
    assert y["u"] == pytest.approx(math.sqrt(0.09 + 0.16 + 0.25 + 2 * 0.06 - 2 * 0.04))


def test_a_covariance_brings_its_uncertainties() -> None:
    inputs = {"a": {"value": 1}, "b": {"value": 2, "dof": 8}, "c": {"value": 5}}
    block = {"names": ["a", "b"], "covariance": [[0.09, 0.12], [0.12, 0.16]]}
    y = outputs("a + b", inputs, correlations=block)["y"]
    assert y["u"] == pytest.approx(0.7)
    assert [row["u"] for row in y["budget"]] == pytest.approx([0.3, 0.4, 0])
    assert y["dof"] == pytest.approx(8)


def test_a_fitted_line_is_carried_with_its_covariance() -> None:
    """Prediction of a fit, against the same through its covariance matrix."""
    fit = good(compute({
        "kind": "fit", "model": "line", "x": [0, 1, 2, 3], "y": [0.1, 1.0, 2.2, 2.9],
        "u_y": 0.1, "predict": {"x": [5]},
    }))  # fmt: skip
    inputs = {n: {"value": p["value"]} for n, p in fit["parameters"].items()} | {"x": {"value": 5}}
    block = {"names": ["a", "b"], "covariance": fit["covariance"]}
    y = outputs("a + b*x", inputs, correlations=block)["y"]
    assert y["value"] == pytest.approx(fit["predictions"][0]["y"])
    assert y["u"] == pytest.approx(fit["predictions"][0]["u"])


def test_a_source_in_common() -> None:
    apart = {"s": {"value": 0, "u": 0.2}, "p": {"value": 1, "u": math.sqrt(0.05)},
             "q": {"value": 2, "u": math.sqrt(0.12)}}  # fmt: skip
    for text, split in (("a - b", "(p + s) - (q + s)"), ("a*b", "(p + s)*(q + s)")):
        joined = outputs(text, {"a": A, "b": B}, shared=[["a", "b", 0.2]])["y"]
        assert joined["u"] == pytest.approx(outputs(split, apart)["y"]["u"])


def test_two_sources_in_common_add_up() -> None:
    y = outputs(shared=[["a", "b", 0.1], ["b", "a", 0.2], ["a", "b", "c", 0.1], ["a", "c", 0]])["y"]
    assert y["u"] ** 2 == pytest.approx(0.09 + 0.16 + 0.25 + 2 * 0.05 + 6 * 0.01)
    full = outputs("a - b", {"a": A, "b": A}, shared=[["a", "b", 0.3]])["y"]
    assert full["u"] == pytest.approx(0, abs=1e-9)


def test_degrees_of_freedom_of_correlated_inputs() -> None:
    inputs = {"a": A | {"dof": 10}, "b": A | {"dof": 10}}
    more: dict[str, Any] = {"correlations": [["a", "b", 0.5]]}
    assert outputs("a + b", inputs, **more)["y"]["dof"] == pytest.approx(10)
    found = outputs("a + b", inputs, correlated_dof="castrup", **more)["y"]["dof"]
    assert found == pytest.approx(9 / 0.45125)
    implicit = outputs({"y": "y - a - b"}, inputs, implicit=True, correlated_dof="castrup", **more)
    assert implicit["y"]["dof"] == pytest.approx(9 / 0.45125)


# results


def test_covariance_and_region_of_two_outputs() -> None:
    found = good(compute(task({"s": "a + b", "d": "a - b"}, region=True)))
    assert found["covariance"]["s"] == pytest.approx({"s": 0.25, "d": -0.07})
    assert found["covariance"]["d"]["s"] == found["covariance"]["s"]["d"]
    region = found["region"]
    assert region["coverage_probability"] == 0.95
    assert region["ellipse"]["k"] == pytest.approx(math.sqrt(5.991464547107979))
    assert region["rectangle"]["half_widths"]["s"] == pytest.approx(2.241402727604947 * 0.5)
    v = np.array([[0.25, -0.07], [-0.07, 0.25]])
    axis = np.array([region["ellipse"]["directions"][0][n] for n in ("s", "d")])
    reach = axis * region["ellipse"]["half_axes"][0]
    assert reach @ np.linalg.solve(v, reach) == pytest.approx(5.991464547107979)
    assert "region" not in good(compute(task()))


def test_region_at_another_probability() -> None:
    region = good(compute(task(region=True, coverage_probability=0.99)))["region"]
    assert region["coverage_probability"] == 0.99
    assert region["ellipse"]["k"] == pytest.approx(2.5758293035489)


# units


@pytest.mark.parametrize(("text", "factor", "powers"), [
    ("degC", 1, {"K": 1}), ("K", 1, {"K": 1}), ("mK", 1e-3, {"K": 1}), ("1", 1, {}),
    ("%", 0.01, {}), ("kPa", 1e3, {"m": -1, "kg": 1, "s": -2}), ("um K", 1e-6, {"m": 1, "K": 1}),
    ("V/A", 1, {"m": 2, "kg": 1, "s": -3, "A": -2}), ("W/m^2", 1, {"kg": 1, "s": -3}),
    ("W/m2", 1, {"kg": 1, "s": -3}), ("1/K", 1, {"K": -1}), ("K-1", 1, {"K": -1}),
    ("m3/s", 1, {"m": 3, "s": -1}), ("mL/h", 1e-6 / 3600, {"m": 3, "s": -1}),
    ("L/min", 1e-3 / 60, {"m": 3, "s": -1}), ("mg/L", 1e-3, {"m": -3, "kg": 1}),
    ("mm", 1e-3, {"m": 1}), ("min", 60, {"s": 1}), ("ppm", 1e-6, {}), ("uV/V", 1e-6, {}),
    ("rad", 1, {}), ("deg", math.pi / 180, {}), ("kg*m/s^2", 1, {"m": 1, "kg": 1, "s": -2}),
    ("J/kg/K", 1, {"m": 2, "s": -2, "K": -1}), ("mmHg", 133.322387415, {"m": -1, "kg": 1, "s": -2}),
    ("uF", 1e-6, {"m": -2, "kg": -1, "s": 4, "A": 2}), ("cm^2", 1e-4, {"m": 2}),
    ("mol/L", 1e3, {"m": -3, "mol": 1}), ("mbar", 100, {"m": -1, "kg": 1, "s": -2}),
], ids=str)  # fmt: skip
def test_units_as_they_are_written(text: str, factor: float, powers: dict[str, float]) -> None:
    found = read_unit(text, "unit")
    assert str(found) == text
    assert found.factor == pytest.approx(factor)
    assert {b: p for b, p in zip(("m", "kg", "s", "A", "K", "mol", "cd"), found.powers, strict=True)
            if p} == powers  # fmt: skip
    assert found.zeros == (text == "degC")


def test_every_unit_of_the_table_but_logarithms() -> None:
    for listed in UNITS.values():
        if listed.dimension in ("acidity", "level"):
            with pytest.raises(TaskRefused):
                read_unit(listed.id, "unit")
            continue
        found = read_unit(listed.id, "unit")
        assert found.factor == pytest.approx(float(listed.factor))
        assert bool(found.zeros) == bool(listed.offset)


@pytest.mark.parametrize("text", ["", 3, None, "V" * 61, "Volt", "degC/m", "m^99", "m^", "2 m", "/",
                                  "m//s", "kkg", "m.s", "°C", "1/degC", "xyz/s", "1e3", "m**2",
                                  "-", "s/", " ", "J/kg K", "J/kg*K", "/s", "m "])  # fmt: skip
def test_what_is_no_unit(text: Any) -> None:
    with pytest.raises(TaskRefused) as caught:
        read_unit(text, "inputs.a.unit")
    assert caught.value.at == "inputs.a.unit"


def test_units_come_out_with_the_results() -> None:
    found = good(compute(with_units({"R": "V/I", "P": "V*I"}, {"V": "V", "I": "mA"},
                                    unit={"R": "kohm"})))  # fmt: skip
    assert found["outputs"]["R"]["unit"] == "kohm"
    assert found["outputs"]["P"]["unit"] == "0.001 m2 kg s-3"
    assert "unit" not in good(compute(task()))["outputs"]["y"]
    assert good(compute(with_units("V/V", {"V": "V"})))["outputs"]["y"]["unit"] == "1"


def test_units_change_no_number() -> None:
    plain = good(compute(with_units("a*b", {"a": None, "b": None})))["outputs"]["y"]
    found = good(compute(with_units("a*b", {"a": "mV", "b": "1"})))["outputs"]["y"]
    assert found.pop("unit") == "mV"
    assert found == plain


def test_units_of_an_implicit_model() -> None:
    more: dict[str, Any] = {"implicit": True, "start": {"R": 1}}
    found = good(compute(with_units({"R": "R*I - V"}, {"V": "V", "I": "A"}, unit="ohm", **more)))
    assert found["outputs"]["R"]["unit"] == "ohm"
    bad = compute(with_units({"R": "R*I - V"}, {"V": "V", "I": "A"}, unit="V", **more))["error"]
    assert (bad["code"], bad["at"]) == ("bad-expression", "function")
    pure = good(compute(with_units({"r": "r*V - W"}, {"V": "V", "W": "V"}, implicit=True)))
    assert pure["outputs"]["r"]["unit"] == "1"


def test_units_go_with_monte_carlo_too() -> None:
    drawn = with_units("a - b", {"a": "degC", "b": "degC"}, unit="K", method="monte_carlo",
                       trials=10_000)  # fmt: skip
    assert good(compute(drawn))["outputs"]["y"]["unit"] == "K"


BAD: list[tuple[str, str, dict[str, Any]]] = [
    ("bad-value", "correlations.names", task(correlations={"names": ["a", "q"], "matrix": EYE})),
    ("bad-value", "correlations.0.names",
     task(correlations=[{"names": ["a", "a"], "matrix": EYE}])),
    ("bad-value", "correlations.names", task(correlations={"names": ["a"], "matrix": [[1]]})),
    ("missing-key", "correlations.names", task(correlations={"matrix": EYE})),
    ("bad-task", "correlations", task(correlations={"names": ["a", "b"]})),
    ("bad-task", "correlations",
     task(correlations={"names": ["a", "b"], "matrix": EYE, "covariance": EYE})),
    ("unknown-key", "correlations.r", task(correlations={"names": ["a", "b"], "r": EYE})),
    ("bad-value", "correlations.matrix", task(correlations={"names": ["a", "b"], "matrix": [[1]]})),
    ("bad-value", "correlations.matrix",
     task(correlations={"names": ["a", "b"], "matrix": [[1, 0], [0]]})),
    ("bad-value", "correlations.matrix",
     task(correlations={"names": ["a", "b"], "matrix": [[1, 0.5], [0.4, 1]]})),
    ("bad-value", "correlations.matrix",
     task(correlations={"names": ["a", "b"], "matrix": [[2, 0], [0, 1]]})),
    ("out-of-range", "correlations",
     task(correlations={"names": ["a", "b"], "matrix": [[1, 2], [2, 1]]})),
    ("out-of-range", "correlations",
     task(correlations=[["a", "b", 0.1], {"names": ["a", "b"], "matrix": [[1, 0.5], [0.5, 1]]}])),
    ("bad-value", "correlations.covariance",
     task(correlations={"names": ["a", "b"], "covariance": EYE})),
    ("bad-value", "correlations.covariance",
     task(correlations={"names": ["a", "b"], "covariance": [[-1, 0], [0, 1]]})),
    ("bad-value", "correlations.covariance",
     task(inputs={"a": {"value": 1}, "b": B},
          correlations={"names": ["a", "b"], "covariance": [[0, 0.1], [0.1, 0.16]]},
          function="a")),
    ("singular-fit", "correlations",
     task(correlations=[["a", "b", 0.9], ["b", "c", 0.9], ["a", "c", -0.9]])),
    ("bad-value", "shared", task(shared={"a": 1})),
    ("bad-value", "shared.0", task(shared=[["a", 0.1]])),
    ("bad-value", "shared.0", task(shared=[["a", "q", 0.1]])),
    ("bad-value", "shared.0", task(shared=[["a", "a", 0.1]])),
    ("bad-number", "shared.0.2", task(shared=[["a", "b", "c"]])),
    ("bad-value", "shared.0", task(shared=[["a", "b", 0.31]])),
    ("bad-value", "shared.0", task(shared=[["a", "b", -0.1]])),
    ("out-of-range", "correlations",
     task(shared=[["a", "b", 0.1]], correlations=[["a", "b", 0.1]])),
    ("bad-task", "order", task("a*b", shared=[["a", "b", 0.1]], order=2)),
    ("bad-value", "correlated_dof", task(correlated_dof="none")),
    ("bad-task", "correlated_dof",
     task(correlated_dof="castrup", method="monte_carlo", trials=10_000)),
    ("bad-task", "region", task(region=True, method="monte_carlo", trials=10_000)),
    ("bad-value", "region", task(region="yes")),
    ("bad-task", "region", task(region=True, k=2)),
    ("bad-value", "inputs.a.unit", with_units("a", {"a": "Volt"})),
    ("bad-value", "unit.y", with_units("a", {"a": "V"}, unit="Volt")),
    ("bad-task", "unit", with_units({"p": "a", "q": "a"}, {"a": "V"}, unit="V")),
    ("unknown-key", "unit.q", with_units("a", {"a": "V"}, unit={"q": "V"})),
    ("bad-expression", "function", with_units("t + p", {"t": "degC", "p": "Pa"})),
    ("bad-expression", "function", with_units("a", {"a": "V"}, unit="mV")),
    ("bad-expression", "function.q", with_units({"p": "a", "q": "exp(a)"}, {"a": "V"})),
]  # fmt: skip


@pytest.mark.parametrize(("code", "at", "asked"), BAD, ids=range(len(BAD)))
def test_refusals_have_code_and_place(code: str, at: str, asked: dict[str, Any]) -> None:
    found = compute(asked)["error"]
    assert (found["code"], found["at"]) == (code, at), found
    assert found["message"].endswith(".")


def test_the_message_names_both_units() -> None:
    error = compute(with_units("t + p", {"t": "degC", "p": "Pa"}))["error"]
    assert "adds degC and Pa" in error["message"]


def test_everything_is_plain_json() -> None:
    asked = with_units({"s": "a + b", "p": "a*b"}, {"a": "V", "b": "V"}, region=True,
                       shared=[["a", "b", 0.05]], correlated_dof="castrup")  # fmt: skip
    found = good(compute(asked))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert compute(load(json.dumps(asked))) == found


@pytest.mark.parametrize("method", ["gum", "monte_carlo"])
def test_an_input_without_an_uncertainty_is_told(method: str) -> None:
    inputs: dict[str, Any] = {"a": {"value": 1, "u": 0.1}, "b": {"value": 2}}
    task = {"kind": "propagate", "function": "a + b", "inputs": inputs, "method": method}
    found = good(compute(task))
    assert found["remarks"] == ["b was given without an uncertainty and counts as exact."]
    inputs["b"]["u"] = 0
    said = good(compute(task))
    assert "remarks" not in said
    assert said == {key: found[key] for key in said}


def test_an_uncertainty_from_a_covariance_is_no_missing_one() -> None:
    block = {"names": ["a", "b"], "covariance": [[0.01, 0], [0, 0.04]]}
    inputs = {"a": {"value": 1}, "b": {"value": 2}, "c": {"value": 3}}
    task = {"kind": "propagate", "function": "a + b + c", "inputs": inputs, "correlations": block}
    found = good(compute(task))
    assert found["remarks"] == ["c was given without an uncertainty and counts as exact."]
