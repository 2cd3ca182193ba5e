"""Propagation of distributions as tasks of kind propagate."""

from __future__ import annotations

from typing import Any

from tests.reference.adapters.tasks import Case, Found, Reader, run


def drawn(case: Case) -> Found:
    """Propagation of distributions beside the law of propagation."""
    names = {q["symbol"]: q for q in case["inputs"]["quantities"]}
    inputs = {}
    for name, q in names.items():
        inputs[name] = {"value": q["value"], "u": q["u"]}
        if q["distribution"] == "uniform":
            shape = {"name": "rectangular", "half_width": q["half_width"]}
            inputs[name] = {"value": q["value"], "distribution": shape}
        if q["distribution"] == "t":
            shape = {"name": "t", "u": q["u"], "dof": q["dof"]}
            inputs[name] = {"value": q["value"], "distribution": shape}
    pairs = [[c["a"], c["b"], c["r"]] for c in case["inputs"].get("correlations", ()) if c["r"]]
    name, _, text = (part.strip() for part in case["model"].partition("="))
    function: Any = text.partition(", X")[0].replace("ln(x), x uniform on [0.1, 1.1]", "log(x)")
    if case["id"].startswith("JCGM102"):
        function = {"mag": "sqrt(re^2+im^2)", "phase": "atan2(im, re)"}
    task = {"kind": "propagate", "function": function, "inputs": inputs}
    task |= {"correlations": pairs} if pairs else {}
    linear = run(task)["outputs"]
    # Printed digits are finer than a million random trials: the points that settle sooner.
    drawn_by = {"method": "monte_carlo", "trials": 2**20}
    found = run(task | drawn_by)["outputs"]
    if isinstance(function, dict):
        out = {}
        for n in function:
            out |= {f"MC {n}": found[n]["value"], f"MC u({n})": found[n]["u"]}
            out |= {f"GUF {n}": linear[n]["value"], f"GUF u({n})": linear[n]["u"]}
        return out
    second = linear if pairs else run(task | {"order": 2})["outputs"]
    y, g, scale = found["y"], linear["y"], 1e6 if "9.4" in case["id"] else 1.0
    unit = " (1e-6)" if scale > 1 else ""
    return {
        f"y{unit}": y["value"] * scale, f"u(y){unit}": y["u"] * scale,
        "95 % low": y["interval"][0], "95 % high": y["interval"][1],
        "GUF 95 % high": g["interval"][1], f"shortest 95 % low{unit}": y["shortest"][0] * scale,
        f"shortest 95 % high{unit}": y["shortest"][1] * scale, "GUF1 y": g["value"] * scale,
        "GUF1 u": g["u"] * scale, "GUF1 low": g["interval"][0] * scale,
        "GUF1 high": g["interval"][1] * scale, "GUF y": g["value"], "GUF u": g["u"],
        "GUFH u": second["y"]["u"] * scale,
        "GUF high": g["interval"][1], "MCM y": y["value"], "MCM u": y["u"],
        "shortest low": y["shortest"][0], "shortest high": y["shortest"][1],
        f"{name} GUM": g["value"], "u GUM": g["u"], f"{name} MC": y["value"], "u MC": y["u"],
    }  # fmt: skip


READERS: dict[str, Reader] = {
    "JCGM101-9.2.2": drawn, "JCGM101-9.2.3": drawn, "JCGM101-9.2.4": drawn,
    "JCGM101-9.4-X000-R00": drawn, "JCGM101-9.4-X010-R00": drawn, "JCGM101-9.4-X050-R00": drawn,
    "JCGM102-9.3-RE001-R09": drawn, "JCGM102-9.3-RE010-R09": drawn, "NIST-TN1900-E3": drawn,
    "NPL-DEM-ES-011-LOG": drawn, "NIST-UM6-E13-T3": drawn,
}  # fmt: skip
