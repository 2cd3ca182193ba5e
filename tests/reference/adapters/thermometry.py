"""Thermometers as tasks of kind thermometry, fit and propagate."""

from __future__ import annotations

from typing import Any

from tests.reference.adapters.tasks import Case, Found, Reader, run


def ask(function: str, **more: Any) -> Any:
    return run({"kind": "thermometry", "function": function, **more})


def values(function: str, **more: Any) -> list[float]:
    return ask(function, **more)["values"]


def printed(case: Case, quantity: str) -> list[float]:
    """Give the printed list of the forward quantity, to which the inverse is applied."""
    return next(e["value"] for e in case["expected"] if e["quantity"] == quantity)


def prt(case: Case) -> Found:
    t = case["inputs"]["t_degC"]
    own = {k: case["inputs"][k] for k in ("coefficients",) if k in case["inputs"]}
    back = values("prt_temperature", R=printed(case, "R(t)"), **own)
    found = {"R(t)": values("prt_resistance", t=t, **own), "t(R)": back, "t(R printed)": back}
    (cold,), (from_96,) = (
        values("prt_resistance", t=[-10.1], **own),
        values("prt_temperature", R=[96], **own),
    )
    return found | {"R(-10.1)": cold, "t(96)": from_96}


def prt_constants(case: Case) -> Found:
    return ask("prt_constants", coefficients=case["inputs"])["constants"]


def prt_fit(case: Case) -> Found:
    """Point -0.001 degC says nothing of C: the certificate fits R0, A and B alone."""
    given = case["inputs"]
    task = {"kind": "fit", "model": "polynomial", "degree": 2, "x": given["t_degC"]}
    b = run(task | {"y": given["R_ohm"]})["parameters"]
    task = {"kind": "propagate", "function": {"R0": "b0", "A": "b1/b0", "B": "b2/b0"}}
    found = run(task | {"inputs": {name: {"value": b[name]["value"]} for name in b}})
    return {name: y["value"] for name, y in found["outputs"].items()}


def deviation(case: Case) -> Found:
    given = case["inputs"]
    rows = []
    for i, r in zip(given["T_ind_K"], given["T_ref_K"], strict=True):
        inputs = {"i": {"value": i}, "r": {"value": r, "U": given["U_k2_K"], "k": 2}}
        model = {"e": "i - r", "t_ref": "r - 273.15", "t_ind": "i - 273.15"}
        rows.append(run({"kind": "propagate", "function": model, "inputs": inputs})["outputs"])
    names = {"error (K)": "e", "t_ref (degC)": "t_ref", "t_ind (degC)": "t_ind"}
    return {quantity: [row[y]["value"] for row in rows] for quantity, y in names.items()}


def reference_function(case: Case) -> Found:
    W = values("its90_reference", T=case["inputs"]["T_K"])
    printed_W = printed(case, "W_r")
    back = values("its90_reference_inverse", W=printed_W)
    return {"W_r": W, "T from approximate inverse": back}


def standard_thermometer(case: Case) -> Found:
    given = case["inputs"]
    own = {
        "R_tpw": given["R_tpw"],
        "coefficients": {name: given[name] for name in ("a4", "b4", "a8", "b8")},
    }
    back = values("its90_temperature", R=printed(case, "R(t)"), **own)
    return {"R(t)": values("its90_resistance", t=given["t_degC"], **own), "t(R printed)": back}


def thermocouple(letter: str) -> Reader:
    def read(case: Case) -> Found:
        t = case["inputs"]["t_degC"]
        E = values("thermocouple_emf", type=letter, t=t)
        if not isinstance(t, list):
            return {"E (mV)": E[0]}
        found = {"E (mV)": E}
        if any(e["quantity"] == "t(E)" for e in case["expected"]):
            back = values("thermocouple_temperature", type=letter, E=printed(case, "E (mV)"))
            found["t(E)"] = back
        return found

    return read


def turned_thermocouple(case: Case) -> Found:
    """Sign of the source: reference minus measuring, the same as the junctions exchanged."""
    given = case["inputs"]
    V = [
        values("thermocouple_emf", type="T", t=[given["t_ref"]], t_ref=t)[0]
        for t in given["t_degC"]
    ]
    return {"V (mV)": V}


def steinhart_hart(case: Case) -> Found:
    given = case["inputs"]
    R_at = dict(zip(given["t_degC"], given["R_ohm"], strict=True))
    t = given["fit_points_degC"]
    c = ask("thermistor_coefficients", t=t, R=[R_at[x] for x in t])["coefficients"]
    others = printed(case, "t at other points")
    return {
        "t at calibration points": values(
            "thermistor_temperature", R=[R_at[x] for x in t], coefficients=c
        ),
        "t at other points": values(
            "thermistor_temperature", R=[R_at[x] for x in others], coefficients=c
        ),
    }


def brightness(case: Case) -> Found:
    given = case["inputs"]
    own = {"model": "planck", "wavenumber": given["n_per_m"], "constants": given["constants"]}
    return {"T (K)": values("radiance_temperature", signal=given["L"], **own)}


def radiance(case: Case) -> Found:
    given = case["inputs"]
    wavelength = given["lambda_um"] * 1e-6
    (found,) = values("radiance_signal", model="planck", wavelength=wavelength, T=[given["T_K"]])
    return {"B (W m-2 um-1 sr-1)": found * 1e-6}


def saturation(case: Case) -> Found:
    given = case["inputs"]
    p = values("saturation_pressure", T=given["T_K"])
    T = values("saturation_temperature", p=[p * 1e6 for p in given["p_MPa"]])
    return {"p_sat (MPa)": [x * 1e-6 for x in p], "T_sat (K)": T}


READERS: dict[str, Reader] = {
    "IEC60751-TABLE-POS": prt, "MSL-PRT-CVD-HUMIDITY": prt, "DCC-GP-PT100-FIT": prt_fit,
    "DCC-GP-DEVIATION": deviation, "ITS90-FIXED-POINTS-WR": reference_function,
    "CBK-PRT-CERT-TABLE": standard_thermometer, "NIST-TC-K-POS": thermocouple("K"),
    "NIST-TC-K-NEG": thermocouple("K"), "NIST-TC-K-42": thermocouple("K"),
    "NIST-TC-J": thermocouple("J"), "WM-TC-T-COLD-JUNCTION": turned_thermocouple,
    "ILX-STEINHART-HART": steinhart_hart, "PLANCK-INVERSE-11UM": brightness,
    "PLANCK-1.2UM-6000K": radiance, "IAPWS-IF97-SATURATION": saturation,
    "CVD-ALPHA-DELTA-BETA": prt_constants,
}  # fmt: skip
