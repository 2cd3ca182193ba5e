"""Budgets of GUM, EA-4/02, Eurachem and NIST as tasks of kind propagate."""

from __future__ import annotations

import math
from typing import Any

from tests.reference.adapters.tasks import Case, Found, Reader, propagate, quantities, run

A3_STAGES = {
    "V_T2": "(14.89+V2_cal+V2_temp)", "V_T1": "(18.64+V1_cal+V1_temp)",
    "V_HCl": "(15+VH_cal+VH_temp)", "m_KHP": "(0.3888+lin_gross-lin_tare)",
}  # fmt: skip


def model(case: Case) -> tuple[str, str]:
    """Read name and measurement function."""
    first = case["model"].partition(";")[0].partition(", ")[0]
    name, _, function = (part.strip() for part in first.partition("="))
    return name, function.replace("M_KHP", "(8*M_C + 5*M_H + M_K + 4*M_O)")


def asked(function: Any, inputs: Found, **more: Any) -> Found:
    """Ask for one output of given inputs."""
    task = {"kind": "propagate", "function": function, "inputs": inputs, **more}
    found: Found = run(task)["outputs"]["y"]
    return found


def figures(name: str, y: Found) -> Found:
    """Give what a budget of one output tells."""
    out = {
        name: y["value"], f"u({name})": y["u"], "U": y["U"], "U (k=2)": y["U"],
        "dof_eff": y["dof"], f"dof_eff({name})": y["dof"],
    }  # fmt: skip
    for row in y["budget"]:
        out[f"|c|u {row['input']}"] = out[f"u({row['input']})"] = row["contribution"]
        out[f"index {row['input']} %"] = row["percent"]
    return out


def budget(case: Case) -> Found:
    """Read a budget of one output: value, u, U (k = 2), dof, and the parts |c| u."""
    name, function = model(case)
    k = case["inputs"].get("k", 2)
    return figures(name, asked(function, quantities(case), k=k))


def staged(case: Case, stages: dict[str, str]) -> Found:
    """Read a budget whose source gives the parts of intermediate quantities, found first."""
    name, function = model(case)
    inputs = quantities(case)
    for stage, text in stages.items():
        found = propagate(case, text)["outputs"]["y"]
        inputs[stage] = {"value": found["value"], "u": found["u"]}
        function = function.replace(text, stage)
    return figures(name, asked(function, inputs))


def cadmium(case: Case) -> Found:
    return staged(case, {"V": "V_flask + V_rep + V_T"})


def titration(case: Case) -> Found:
    out = staged(case | {"model": case["model"].replace("c =", "c_HCl =")}, A3_STAGES)
    whole = propagate(case, model(case)[1])["outputs"]["y"]
    return out | {"c_HCl": whole["value"], "u(c_HCl)": whole["u"]}


def titration_with_bias(case: Case) -> Found:
    function, excess = model(case)[1], case["inputs"]["variants"]["excess_volume"]
    inputs = quantities(case) | {"R": {"value": 1, "u": case["inputs"]["variants"]["u_R"]}}
    plain = asked(function, inputs)
    function = function.replace("V1_temp", "V1_temp-E1").replace("V2_temp", "V2_temp-E2")
    biased = asked(function, inputs | {"E1": excess, "E2": excess})
    return {
        "u(c_HCl) with repeatability /sqrt(3)": plain["u"],
        "c_HCl with indicator bias": biased["value"],
        "u(c_HCl) with indicator bias": biased["u"],
    }


def intervals(case: Case) -> Found:
    """Read a budget with coverage intervals of several probabilities."""
    name, function = model(case)
    inputs = quantities(case)
    inputs |= {n: {"value": v} for n, v in case["inputs"].get("constants", {}).items()}
    out = figures(name, asked(function, inputs))
    for p in (68, 95, 99):
        low, high = asked(function, inputs, coverage_probability=p / 100)["interval"]
        out |= {f"{p} % low": low, f"{p} % high": high}
    return out


def resistor(case: Case) -> Found:
    return budget(case) | {"mean ratio": propagate(case, "r")["outputs"]["y"]["value"]}


def multimeter(case: Case) -> Found:
    name, function = model(case)
    inputs = quantities(case)
    for q in case["inputs"]["quantities"]:
        if q["distribution"] == "uniform":
            shape = {"name": "rectangular", "half_width": q["half_width"]}
            inputs[q["symbol"]] = {"value": q["value"], "distribution": shape}
    y = asked(function, inputs, coverage="dominant")
    assert y["coverage"]["shape"] == "rectangular"
    return figures(name, y) | {"k (rectangular, 95 %)": y["k"]}


def gum_h1(case: Case) -> Found:
    function = case["model"].partition("=")[2]
    y = propagate(case, function, coverage_probability=0.99)["outputs"]["y"]
    d = propagate(case, "d0 + d1 + d2")["outputs"]["y"]
    theta = propagate(case, "theta_bar + Delta")["outputs"]["y"]
    second = propagate(case, function, order=2)["outputs"]["y"]
    nu = math.floor(y["dof"]) if case["id"] == "GUM-H1-BUDGET" else y["dof"]  # as printed
    parts = {row["input"]: row["contribution"] for row in y["budget"]}
    return {
        "l": y["value"], "u(l)": y["u"], "u(d)": d["u"], "dof(d)": d["dof"], "dof_eff(l)": nu,
        "t99(16)": y["k"], "U99(l)": y["U"], "u(l) with second-order terms": second["u"],
        "u(theta)": theta["u"], "u(ls*d_alpha*theta)": parts["d_alpha"],
        "u(ls*alpha_s*d_theta)": parts["d_theta"],
    }  # fmt: skip


def gum_h2(case: Case, *, together: bool = True) -> Found:
    readings = case["inputs"].get("observations")
    function = {"R": "V/I*cos(phi)", "X": "V/I*sin(phi)", "Z": "V/I"}
    function |= {name: name for name in ("V", "I", "phi")}
    if readings:
        inputs = {n: {"readings": v} for n, v in readings.items()}
        task = {"kind": "propagate", "function": function, "inputs": inputs}
        found = run(task | ({"simultaneous": list(inputs)} if together else {}))
    else:
        found = propagate(case, function)
    out: Found = {}
    for name, y in found["outputs"].items():
        out |= {name: y["value"], f"u({name})": y["u"], "dof": y["dof"]}
        for other, r in found["correlation"][name].items():
            out[f"r({name},{other})"] = r
    return out


def gum_h2_alone(case: Case) -> Found:
    return gum_h2(case, together=False)


READERS: dict[str, Reader] = {
    "GUM-H1-BUDGET": gum_h1, "GUM-H1-UNROUNDED": gum_h1, "GUM-H2-CORRELATED": gum_h2,
    "GUM-H2-ROUNDED": gum_h2, "GUM-H2-NOCORR": gum_h2_alone, "EURACHEM-A1": cadmium,
    "EURACHEM-A3": titration, "EURACHEM-A3-BIAS": titration_with_bias,
    "NIST-TN1900-E13-NORMAL": intervals, "NIST-UM10-STEFAN": intervals,
    "EA402-S2-WEIGHT": budget, "GUMWB-S2-WEIGHT": budget, "EA402-S3-RESISTOR": resistor,
    "EA402-S9-DMM": multimeter, "EA402-S11-BLOCK": budget, "UT-WEIGHING": budget,
}  # fmt: skip
