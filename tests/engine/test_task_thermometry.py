"""Tasks of kind thermometry: good ones, and faults with their place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from calib.evaluation.tasks import compute, load
from tests.engine.published import good
from tests.engine.published import load as published

PRT = published("thermometry")["prt_4_8"]
SPRT = published("thermometry")["sprt_5_7"]
A8 = {"a8": -0.0195, "b8": -0.0002}
SH = {"a": 1.12e-3, "b": 2.35e-4, "c": 8.5e-8}
VIEW = {"emissivity": 0.95, "background": 23}


def task(function: str, **more: Any) -> dict[str, Any]:
    return {"kind": "thermometry", "function": function, **more}


ALL = [
    task("prt_resistance", t=[-100, 0, 100]),
    task("prt_resistance", T=[273.15], coefficients={"R0": 1000}),
    task("prt_temperature", R=[100, "138.51"], u="0.004"),
    task("prt_temperature", R=100, coefficients={"A": 0.0039, "B": "-5.8e-7", "C": 0}),
    task("prt_constants", coefficients={"R0": 100}),
    task("prt_constants", constants={"alpha": 0.00385, "delta": 1.5}),
    task("its90_reference", T=[13.8033, 1234.93]),
    task("its90_reference_inverse", W=[0.5, 2], u=[1e-6, 2e-6]),
    task("its90_reference_inverse", W=[0.5], method="exact"),
    task("its90_temperature", R=PRT["R"], R_tpw=99.9968, coefficients=PRT["coefficients"]),
    task("its90_temperature", W=[1.1, 2], coefficients=A8),
    task("its90_resistance", t=[0.01, 400], R_tpw=25, coefficients=A8, u=0.001),
    task("its90_coefficients", range=8, R_tpw=25, fixed_points={"Sn": 47.3, "Zn": 64.2}),
    task("its90_coefficients", range=11, R_tpw=25, fixed_points={"own": {"T": 302, "R": 27.87}}),
    task("thermocouple_emf", type="K", t=[-200, 0, 1000]),
    task("thermocouple_emf", type="N", t=[100, 200], t_ref=[20, 21], deviation=[0, 1e-5]),
    task("thermocouple_temperature", type="S", E=[0, 5], t_ref=25, u=0.001),
    task("thermistor_temperature", R=[1e4, 5e3], coefficients=SH),
    task("thermistor_temperature", R=1e4, coefficients={"R0": 1e4, "beta": 3950}),
    task("thermistor_resistance", t=[25], coefficients=SH),
    task("thermistor_coefficients", t=[0, 25, 50], R=[32128, 9814, 3542]),
    task("radiance_signal", model="planck", wavelength=1e-6, T=[1000, 2000]),
    task("radiance_signal", wavenumber=1e5, t=[20]),
    task("radiance_signal", model="sakuma_hattori", coefficients={"A": 9.4, "B": 178}, t=[37]),
    task("radiance_temperature", band=[8e-6, 14e-6], signal=[0.01], constants={"c2": 0.014388}),
    task("radiance_temperature", wavelength=1e-6, signal=["1e10"], constants={"h": 6.626e-34}),
    task("expected_indication", t=[35, 37], **VIEW),
    task("expected_indication", T=[400], setting=0.9, detector=300, emissivity=[0.9],
         background=296, band=[3, 5], size_of_source=0.99),
    task("source_temperature", t=[35, 37], setting=0.95, reflected=23, **VIEW),
    task("saturation_pressure", t=[0, 20, 121]),
    task("saturation_temperature", p=[101325]),
]  # fmt: skip


@pytest.mark.parametrize("task", ALL, ids=range(len(ALL)))
def test_results_are_plain_json(task: dict[str, Any]) -> None:
    found = good(compute(task))
    assert (found["kind"], found["function"]) == (task["kind"], task["function"])
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert compute(load(json.dumps(task))) == found


BAD: list[tuple[str, str, Any]] = [
    ("missing-key", "function", {"kind": "thermometry"}),
    ("bad-value", "function", task("guess")),
    ("unknown-key", "emissivity", task("prt_resistance", t=[1], emissivity=1)),
    ("bad-task", "t", task("prt_resistance")),
    ("bad-task", "t", task("prt_resistance", t=[1], T=[300])),
    ("bad-value", "t", task("prt_resistance", t=[])),
    ("bad-number", "t.1", task("prt_resistance", t=[1, "x"])),
    ("out-of-range", "t.1", task("prt_resistance", t=[1, 900])),
    ("out-of-range", "t", task("prt_resistance", t=900)),
    ("bad-task", "u", task("prt_resistance", t=[1, 2, 3], u=[1, 2])),
    ("bad-number", "u", task("prt_resistance", t=[1], u=-1)),
    ("missing-key", "coefficients.B", task("prt_resistance", t=[1], coefficients={"A": 0.0039})),
    ("unknown-key", "coefficients.D", task("prt_resistance", t=[1], coefficients={"D": 0})),
    ("out-of-range", "coefficients", task("prt_resistance", t=[1], coefficients={"R0": -1})),
    ("bad-task", "coefficients", task("prt_resistance", t=[1], coefficients=[1])),
    ("missing-key", "R", task("prt_temperature")),
    ("out-of-range", "R.0", task("prt_temperature", R=[5])),
    ("bad-task", "constants", task("prt_constants")),
    ("missing-key", "constants.delta", task("prt_constants", constants={"alpha": 0.00385})),
    ("out-of-range", "constants", task("prt_constants", constants={"alpha": -1, "delta": 1.5})),
    ("out-of-range", "T.0", task("its90_reference", T=[10])),
    ("out-of-range", "W.0", task("its90_reference_inverse", W=[5])),
    ("bad-value", "method", task("its90_reference_inverse", W=[1], method="fast")),
    ("missing-key", "coefficients", task("its90_temperature", W=[1])),
    ("out-of-range", "coefficients", task("its90_temperature", W=[1], coefficients={})),
    ("out-of-range", "coefficients", task("its90_temperature", W=[1], coefficients={"a8": 1})),
    ("bad-task", "coefficients", task("its90_temperature", W=[1], coefficients=3)),
    ("bad-number", "coefficients.a8", task("its90_temperature", W=[1], coefficients={"a8": "x"})),
    ("bad-task", "W", task("its90_temperature", coefficients=A8)),
    ("bad-task", "W", task("its90_temperature", R=[1], coefficients=A8)),
    ("bad-task", "W", task("its90_temperature", R=[1], W=[1], coefficients=A8)),
    ("bad-task", "W", task("its90_temperature", W=[1], R_tpw=1, coefficients=A8)),
    ("out-of-range", "R.1",
     task("its90_temperature", R=[25, 20], R_tpw=25, coefficients=A8)),
    ("bad-number", "R_tpw", task("its90_resistance", t=[1], R_tpw=0, coefficients=A8)),
    ("out-of-range", "t.0", task("its90_resistance", t=[-1], R_tpw=25, coefficients=A8)),
    ("out-of-range", "fixed_points",
     task("its90_coefficients", range=12, R_tpw=25, fixed_points={"Sn": 47})),
    ("bad-number", "range",
     task("its90_coefficients", range=1.5, R_tpw=25, fixed_points={"Sn": 47})),
    ("degenerate-data", "fixed_points",
     task("its90_coefficients", range=8, R_tpw=25, fixed_points={"Sn": 47})),
    ("bad-value", "fixed_points.Pb",
     task("its90_coefficients", range=8, R_tpw=25, fixed_points={"Pb": 47})),
    ("missing-key", "fixed_points.x.R",
     task("its90_coefficients", range=8, R_tpw=25, fixed_points={"x": {"T": 300}})),
    ("bad-task", "fixed_points", task("its90_coefficients", range=8, R_tpw=25, fixed_points=[1])),
    ("bad-value", "type", task("thermocouple_emf", type="k", t=[1])),
    ("out-of-range", "t.0", task("thermocouple_emf", type="K", t=[1400])),
    ("out-of-range", "t_ref", task("thermocouple_emf", type="K", t=[100], t_ref=-300)),
    ("out-of-range", "t_ref.1", task("thermocouple_emf", type="K", t=[1, 2], t_ref=[0, -300])),
    ("bad-task", "t_ref", task("thermocouple_emf", type="K", t=[1, 2, 3], t_ref=[0, 1])),
    ("out-of-range", "E.0", task("thermocouple_temperature", type="K", E=[60])),
    ("missing-key", "coefficients.a", task("thermistor_temperature", R=[1], coefficients={})),
    ("out-of-range", "coefficients",
     task("thermistor_temperature", R=[1], coefficients={"R0": 0, "beta": 3950})),
    ("out-of-range", "R.0", task("thermistor_temperature", R=[0], coefficients=SH)),
    ("out-of-range", "t.0", task("thermistor_resistance", t=[-300], coefficients=SH)),
    ("out-of-range", "R.2", task("thermistor_coefficients", t=[0, 25, 50], R=[3, 2, -1])),
    ("degenerate-data", "t", task("thermistor_coefficients", t=[0, 25], R=[3, 2])),
    ("bad-task", "model", task("radiance_signal", t=[1])),
    ("bad-task", "band", task("radiance_signal", t=[1], wavelength=1e-6, band=[8, 14])),
    ("bad-task", "wavelength",
     task("radiance_signal", t=[1], wavelength=1e-6, model="sakuma_hattori")),
    ("bad-value", "model", task("radiance_signal", t=[1], wavelength=1e-6, model="wien")),
    ("out-of-range", "wavelength", task("radiance_signal", t=[1], wavelength=0)),
    ("out-of-range", "constants",
     task("radiance_signal", t=[1], wavelength=1e-6, constants={"h": 0})),
    ("unknown-key", "constants.G",
     task("radiance_signal", t=[1], wavelength=1e-6, constants={"G": 0})),
    ("bad-value", "band", task("radiance_signal", t=[1], band=[8])),
    ("bad-value", "band", task("radiance_signal", t=[1], band=[8, 11, 14])),
    ("out-of-range", "band", task("radiance_signal", t=[1], band=[14, 8])),
    ("missing-key", "coefficients.B", task("radiance_signal", t=[1], coefficients={"A": 9})),
    ("out-of-range", "signal.1", task("radiance_temperature", band=[8, 14], signal=[1, 0])),
    ("missing-key", "emissivity", task("expected_indication", t=[1], background=23)),
    ("missing-key", "background", task("expected_indication", t=[1], emissivity=1)),
    ("out-of-range", "emissivity",
     task("expected_indication", t=[1], emissivity=1.5, background=23)),
    ("out-of-range", "emissivity.1",
     task("expected_indication", t=[1, 2], emissivity=[1, 0], background=23)),
    ("out-of-range", "background",
     task("expected_indication", t=[1], emissivity=1, background=-300)),
    ("bad-task", "detector", task("expected_indication", t=[1], reflected=1, detector=1, **VIEW)),
    ("out-of-range", "t.0",
     task("expected_indication", t=[-70], emissivity=0.5, background=-70, setting=0.5,
          reflected=300)),
    ("out-of-range", "t.0", task("saturation_pressure", t=[-1])),
    ("out-of-range", "p.0", task("saturation_temperature", p=[1])),
]  # fmt: skip


@pytest.mark.parametrize(("code", "at", "task"), BAD, ids=range(len(BAD)))
def test_faults_have_a_code_and_a_place(code: str, at: str, task: Any) -> None:
    found = compute(task)["error"]
    assert (found["code"], found["at"]) == (code, at)
    assert found["message"].endswith(".")


def test_units_go_with_what_is_asked() -> None:
    by_t = good(compute(task("expected_indication", t=[37], setting=1, **VIEW)))
    kelvin = {"emissivity": 0.95, "background": 296.15}
    by_T = good(compute(task("expected_indication", T=[310.15], setting=1, **kelvin)))
    assert by_T["values"][0] - by_t["values"][0] == pytest.approx(273.15)
    assert (by_t["unit"], by_T["unit"]) == ("degC", "K")
    assert 37 - by_t["values"][0] == pytest.approx(0.66094, abs=1e-5)
    assert by_t["model"] == "sakuma_hattori"


def test_coefficients_in_metres_or_micrometres() -> None:
    asked = task("radiance_signal", model="sakuma_hattori", t=[37])
    um = good(compute(asked | {"coefficients": {"A": 9.36, "B": 178, "C": 3}}))
    m = good(compute(asked | {"coefficients": {"A": 9.36e-6, "B": 178e-6, "C": 3}}))
    assert m["values"] == pytest.approx(um["values"], rel=1e-12)
    bands = [
        good(compute(task("radiance_signal", t=[37], band=b))) for b in ([8, 14], [8e-6, 14e-6])
    ]
    assert bands[0]["values"] == pytest.approx(bands[1]["values"], rel=1e-12)


def test_uncertainty_goes_through_the_sensitivity() -> None:
    found = good(compute(task("prt_temperature", R=[100, 138.5055], u=[0.01, 0.02])))
    expected = [c * u for c, u in zip(found["sensitivity"], (0.01, 0.02), strict=True)]
    assert found["u"] == pytest.approx(expected)
    falling = good(compute(task("thermistor_temperature", R=[1e4], coefficients=SH, u=1)))
    assert falling["u"][0] == -falling["sensitivity"][0]


def test_sensitivity_to_the_triple_point() -> None:
    asked = task("its90_temperature", R=[40.0], R_tpw=25, coefficients=A8)
    found = good(compute(asked))
    ends = [good(compute(asked | {"R_tpw": 25 + s}))["values"][0] for s in (1e-4, -1e-4)]
    assert found["sensitivities"]["R_tpw"][0] == pytest.approx((ends[0] - ends[1]) / 2e-4, rel=1e-6)
    ends = [good(compute(asked | {"R": [40 + s]}))["values"][0] for s in (1e-4, -1e-4)]
    assert found["sensitivity"][0] == pytest.approx((ends[0] - ends[1]) / 2e-4, rel=1e-6)


def test_what_lies_outside_is_told() -> None:
    own = {"A": 0.0039, "B": -5.8e-7}
    found = good(compute(task("prt_resistance", t=[-10, 10], coefficients=own)))
    assert found["extrapolated"] == [0]
    back = good(compute(task("prt_temperature", R=found["values"], coefficients=own)))
    assert back["extrapolated"] == [0]
    found = good(compute(task("its90_resistance", t=[100, 500], R_tpw=25, coefficients=A8)))
    assert found["extrapolated"] == [1]
    points = {"Hg": 21.1, "N2": {"T": 77.3, "R": 4.9}}
    found = good(compute(task("its90_coefficients", range=4, R_tpw=25, fixed_points=points)))
    assert found["extrapolated"] == ["N2"]


def test_coefficients_go_back_into_temperatures() -> None:
    points = {"Hg": SPRT["R5"][0], "Ga": SPRT["R5"][1]}
    found = good(
        compute(task("its90_coefficients", range=5, R_tpw=SPRT["R_tpw"], fixed_points=points))
    )
    assert found["coefficients"] == pytest.approx(SPRT["coefficients5"], rel=1e-9)
    assert found["W"] == pytest.approx({n: R / SPRT["R_tpw"] for n, R in points.items()})
    own = {"R_tpw": SPRT["R_tpw"], "coefficients": found["coefficients"]}
    back = good(compute(task("its90_temperature", R=SPRT["R5"], **own)))
    assert back["values"] == pytest.approx([-38.8344, 29.7646], abs=1e-9)
