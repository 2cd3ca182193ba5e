"""Budgets of GUM, EA-4/02, Eurachem and NIST as tasks of kind propagate."""

from __future__ import annotations

import math

from tests.reference.adapters.tasks import Case, Found, Reader, propagate, run


def budget(case: Case) -> Found:
    """Read a budget of one output: value, u, U (k = 2), dof, and the parts |c| u."""
    name, _, function = (part.strip() for part in case["model"].partition(";")[0].partition("="))
    function = function.replace("M_KHP", "(8*M_C + 5*M_H + M_K + 4*M_O)")
    more = {} if case["inputs"].get("k") is None else {"k": case["inputs"]["k"]}
    y = propagate(case, function, **more)["outputs"]["y"]
    two = propagate(case, function, **({"k": 2} | more))["outputs"]["y"]
    out = {
        name: y["value"],
        f"u({name})": y["u"],
        "dof_eff": y["dof"],
        f"dof_eff({name})": y["dof"],
    }
    out |= {"U (k=2)": two["U"], "U": two["U"]}
    for row in y["budget"]:
        out[f"|c|u {row['input']}"] = out[f"u({row['input']})"] = row["contribution"]
        out[f"index {row['input']} %"] = row["percent"]
    return out


def gum_h1(case: Case) -> Found:
    function = case["model"].partition("=")[2]
    y = propagate(case, function, coverage_probability=0.99)["outputs"]["y"]
    d = propagate(case, "d0 + d1 + d2")["outputs"]["y"]
    second = propagate(case, function, order=2)["outputs"]["y"]
    nu = math.floor(y["dof"]) if case["id"] == "GUM-H1-BUDGET" else y["dof"]  # as printed
    return {
        "l": y["value"], "u(l)": y["u"], "u(d)": d["u"], "dof(d)": d["dof"], "dof_eff(l)": nu,
        "t99(16)": y["k"], "U99(l)": y["U"], "u(l) with second-order terms": second["u"],
    }  # fmt: skip


def gum_h2(case: Case, *, together: bool = True) -> Found:
    readings = case["inputs"].get("observations")
    function = {"R": "V/I*cos(phi)", "X": "V/I*sin(phi)", "Z": "V/I"}
    if readings:
        inputs = {n: {"readings": v} for n, v in readings.items()}
        task = {"kind": "propagate", "function": function, "inputs": inputs}
        found = run(task | ({"simultaneous": list(inputs)} if together else {}))
    else:
        found = propagate(case, function)
    out: Found = {}
    for name, y in found["outputs"].items():
        out |= {name: y["value"], f"u({name})": y["u"], "dof": y["dof"]}
        out |= {f"u({row['input']})": row["u"] for row in y["budget"]}
        for other, r in found["correlation"][name].items():
            out[f"r({name},{other})"] = r
    return out


def gum_h2_alone(case: Case) -> Found:
    return gum_h2(case, together=False)


READERS: dict[str, Reader] = {
    "GUM-H1-BUDGET": gum_h1, "GUM-H1-UNROUNDED": gum_h1, "GUM-H2-CORRELATED": gum_h2,
    "GUM-H2-ROUNDED": gum_h2, "GUM-H2-NOCORR": gum_h2_alone, "EURACHEM-A3": budget,
    "EA402-S2-WEIGHT": budget, "GUMWB-S2-WEIGHT": budget, "EA402-S3-RESISTOR": budget,
    "EA402-S11-BLOCK": budget, "UT-WEIGHING": budget, "NIST-TN1900-E13-NORMAL": budget,
}  # fmt: skip
