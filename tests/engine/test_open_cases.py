"""Published cases kept beside the repository, where they are at hand.

They are looked for in ``$CALIB_SHARED/cases`` and ``../shared/cases``; without them this
module is skipped. Each reader below says how a kind of case becomes tasks of compute.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from calib.evaluation.tasks import compute
from tests.engine.published import good

ROOT = Path(__file__).parents[2]
PLACES = [
    Path(os.environ["CALIB_SHARED"]) / "cases" if "CALIB_SHARED" in os.environ else None,
    ROOT.parent / "shared" / "cases",
]
FOLDER = next((p / "open" for p in PLACES if p is not None and (p / "open").is_dir()), None)
Found = dict[str, Any]


def cases() -> Iterator[dict[str, Any]]:
    for path in sorted(FOLDER.glob("*.json")) if FOLDER else ():
        yield from json.loads(path.read_text(encoding="utf-8"))


def quantities(case: dict[str, Any]) -> dict[str, Any]:
    out = {}
    for q in case["inputs"]["quantities"]:
        entry = {"value": q["value"], "u": q["u"]}
        if q.get("dof", "inf") != "inf":
            entry["dof"] = q["dof"]
        out[q["symbol"]] = entry
    observed = case["inputs"].get("observations", {})
    return out | {name: {"readings": values} for name, values in observed.items()}


def propagate(case: dict[str, Any], function: Any, **more: Any) -> Found:
    pairs = [[c["a"], c["b"], c["r"]] for c in case["inputs"].get("correlations", ())]
    task = {"kind": "propagate", "function": function, "inputs": quantities(case)}
    return good(compute(task | ({"correlations": pairs} if pairs else {}) | more))


def budget(case: dict[str, Any]) -> Found:
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


def gum_h1(case: dict[str, Any]) -> Found:
    function = case["model"].partition("=")[2]
    y = propagate(case, function, coverage_probability=0.99)["outputs"]["y"]
    d = propagate(case, "d0 + d1 + d2")["outputs"]["y"]
    second = propagate(case, function, order=2)["outputs"]["y"]
    nu = math.floor(y["dof"]) if case["id"] == "GUM-H1-BUDGET" else y["dof"]  # as printed
    return {
        "l": y["value"], "u(l)": y["u"], "u(d)": d["u"], "dof(d)": d["dof"], "dof_eff(l)": nu,
        "t99(16)": y["k"], "U99(l)": y["U"], "u(l) with second-order terms": second["u"],
    }  # fmt: skip


def gum_h2(case: dict[str, Any], *, together: bool = True) -> Found:
    readings = case["inputs"].get("observations")
    function = {"R": "V/I*cos(phi)", "X": "V/I*sin(phi)", "Z": "V/I"}
    if readings:
        inputs = {n: {"readings": v} for n, v in readings.items()}
        task = {"kind": "propagate", "function": function, "inputs": inputs}
        found = good(compute(task | ({"simultaneous": list(inputs)} if together else {})))
    else:
        found = propagate(case, function)
    out: Found = {}
    for name, y in found["outputs"].items():
        out |= {name: y["value"], f"u({name})": y["u"], "dof": y["dof"]}
        out |= {f"u({row['input']})": row["u"] for row in y["budget"]}
        for other, r in found["correlation"][name].items():
            out[f"r({name},{other})"] = r
    return out


def gum_h2_alone(case: dict[str, Any]) -> Found:
    return gum_h2(case, together=False)


def line(case: dict[str, Any], x: str = "x", y: str = "y") -> Found:
    given = case["inputs"]
    task = {"kind": "fit", "model": "line", "x": given[x], "y": given[y]}
    weights = given.get("w") or given.get("w_y")
    if weights:
        task["u_y"] = [w**-0.5 for w in weights]
    task |= {"u_y": given["u_y"]} if "u_y" in given else {}
    if "forward" in given:
        ahead = given["forward"]
        task["predict"] = {
            "x": ahead["x"] if isinstance(ahead["x"], list) else [ahead["x"]],
            "u_x": ahead.get("u_x", ahead.get("u", 0)),
        }
    if "inverse" in given:
        back = given["inverse"]
        u = back.get("u_y0", back.get("u_y", back.get("u")))
        task["inverse"] = (
            {"readings": [[back["y0"]]]} if u is None else {"y": [back["y0"]], "u_y": u}
        )
    return line_found(good(compute(task)))


def line_found(found: Found) -> Found:
    a, b = found["parameters"]["a"], found["parameters"]["b"]
    cov = found["covariance"]
    out = {
        "a": a["value"], "u(a)": a["u"], "b": b["value"], "u(b)": b["u"], "cov(a,b)": cov[0][1],
        "var(a)": cov[0][0], "var(b)": cov[1][1], "chi2": found["chi2"], "ssr": found["chi2"],
        "chi2 95 % (4)": found["chi2_critical"], "dof": found["dof"],
        "B0": a["value"], "sd(B0)": a["u"], "B1": b["value"], "sd(B1)": b["u"],
        "residual sd": found["s"], "rss": found["chi2"], "R2": found["r_squared"],
        "r(a,b)": found["correlation"]["a"]["b"],
    }  # fmt: skip
    if "inverse" in found:
        back = found["inverse"][0]
        out |= {"x0": back["x"], "u(x0)": back["u"], "u(x0) single reading": back["u"]}
    if "predictions" in found:
        ahead = found["predictions"][0]
        out |= {"y(3.5)": ahead["y"], "u(y(3.5))": ahead["u"], "u(y) mean response": ahead["u"]}
        out |= {"u(y) future reading": ahead["u_single"]}
        out |= {"yhat": [p["y"] for p in found["predictions"]]}
        out |= {"u(yhat)": [p["u"] for p in found["predictions"]]}
    return out


def line_xy(case: dict[str, Any]) -> Found:
    given = case["inputs"]
    x, y = given.get("x") or given["t"], given.get("y") or given["t_R"]
    u = {"u_x": given.get("s_x") or given.get("u_t"), "u_y": given.get("s_y") or given.get("u_tR")}
    if "w_x" in given:
        u = {f"u_{v}": [w**-0.5 for w in given[f"w_{v}"]] for v in "xy"}
    task = {"kind": "fit", "model": "line", "x": x, "y": y, **u}
    plain = line_found(good(compute(task)))
    other = line_found(good(compute(task | {"covariance_method": "propagation"})))
    scaled = line_found(
        good(compute(task | {"covariance_method": "propagation", "scale_by_residuals": True}))
    )
    return plain | {
        "S/(n-2)": plain["chi2"] / plain["dof"], "u(a) propagated": other["u(a)"],
        "u(b) propagated": other["u(b)"], "cov(a,b) propagated": other["cov(a,b)"],
        "u(a) York 2004": plain["u(a)"], "u(b) York 2004": plain["u(b)"],
        "cov(a,a)": other["var(a)"], "cov(b,b)": other["var(b)"], "cov(a,b)": other["cov(a,b)"],
        "sd(a)": scaled["u(a)"], "sd(b)": scaled["u(b)"],
    }  # fmt: skip


def iso6143(case: dict[str, Any]) -> Found:
    """Concentration x over response y: the roles of the axes change."""
    given = case["inputs"]
    x, u_x, y, u_y = (list(v) for v in zip(*given["cal_x_ux_y_uy"], strict=True))
    at, u_at = (list(v) for v in zip(*given["meas_y_uy"], strict=True))
    task = {
        "kind": "fit", "model": "polynomial", "degree": 2 if "y^2" in case["model"] else 1,
        "x": y, "u_x": u_y, "y": x, "u_y": u_x, "predict": {"x": at, "u_x": u_at},
        "covariance_method": "propagation",
    }  # fmt: skip
    found = good(compute(task))
    out = {"ssr": found["chi2"], "cov01": found["covariance"][0][1]}
    for name, p in found["parameters"].items():
        out |= {name: p["value"], f"u({name})": p["u"]}
    out["x"] = [p["y"] for p in found["predictions"]]
    out["u(x)"] = [p["u"] for p in found["predictions"]]
    return out


def walpole(case: dict[str, Any]) -> Found:
    given = case["inputs"]
    task = {"kind": "fit", "model": "line", "x": given["x"], "y": given["y"]}
    task |= {"predict": {"x": given["x_predict"]}, "inverse": {"readings": [given["y0"]]}}
    found = good(compute(task))
    first, second = found["predictions"]
    return line_found(found) | {
        "y(20)": first["y"], "u(y(20))": first["u"], "y(21.5)": second["y"],
        "u(y(21.5))": second["u"], "u future y(21.5)": second["u_single"],
    }  # fmt: skip


def gum_h3(case: dict[str, Any]) -> Found:
    given = case["inputs"]
    x = [t - given["t0"] for t in given["t"]]
    task = {"kind": "fit", "model": "line", "x": x, "y": given["b"], "predict": {"x": [10]}}
    common = given.get("u_systematic")
    found = good(compute(task | ({"u_y_common": common} if common else {})))
    a, b = found["parameters"]["a"], found["parameters"]["b"]
    return {
        "y1": a["value"], "u(y1)": a["u"], "y2": b["value"], "u(y2)": b["u"], "s": found["s"],
        "r(y1,y2)": found["correlation"]["a"]["b"], "dof": found["dof"],
        "dof(y1)": a.get("dof"), "dof(y2)": b.get("dof"),
        "b(30)": found["predictions"][0]["y"], "u(b(30))": found["predictions"][0]["u"],
    }  # fmt: skip


def correlated_line(case: dict[str, Any]) -> Found:
    given = case["inputs"]
    u, r = given["u_y"], given["r_yy"]
    v = [[a * b * (1 if i == j else r) for j, b in enumerate(u)] for i, a in enumerate(u)]
    task = {"kind": "fit", "model": "line", "x": given["x"], "y": given["y"], "cov_y": v}
    found = good(compute(task | {"weighting": "none"}))["parameters"]
    out = {}
    for old, new in (("a", "a1"), ("b", "a2")):
        out |= {new: found[old]["value"], f"u({new})": found[old]["u"]}
    return out


def polynomial(case: dict[str, Any]) -> Found:
    given = case["inputs"]
    task = {
        "kind": "fit", "model": "polynomial", "degree": given["degree"], "x": given["x"],
        "y": given["y"],
    }  # fmt: skip
    found = good(compute(task))
    out = {"residual sd": found["s"], "rss": found["chi2"], "R2": found["r_squared"]}
    for name, p in found["parameters"].items():
        out |= {name.upper(): p["value"], f"sd({name.upper()})": p["u"]}
    return out


def series(case: dict[str, Any]) -> Found:
    given = case["inputs"]
    readings = given.get("x") or given.get("t_degC")
    if readings is None:
        return {}
    found = good(compute({"kind": "type_a", "readings": readings, "lags": 1}))
    return {
        "mean": found["mean"], "s": found["s"], "sd": found["s"], "u(mean)": found["u"],
        "dof": found["dof"], "tau": found["mean"], "u(tau)": found["u"],
        "r1": found["autocorrelation"][1],
    }  # fmt: skip


def autocorrelated(case: dict[str, Any]) -> Found:
    task = {"kind": "type_a", "method": "autocorrelated", "readings": case["inputs"]["x"]}
    found = good(compute(task))
    ratio = found["u"] / (found["s"] / found["n"] ** 0.5)
    return {"cut-off lag": found["cutoff_lag"], "u(mean)": found["u"], "ratio to s/sqrt(n)": ratio}


def groups(case: dict[str, Any]) -> Found:
    readings = case["inputs"]["groups"]
    found = good(compute({"kind": "type_a", "method": "nested", "readings": readings}))
    return {
        "F": found["F"], "F crit 95 %": found["F_critical"], "p": found["p"],
        "repeatability sd": found["s_within"], "residual sd": found["s_within"],
        "sd of group means": found["s"], "dof between": found["dof_between"],
        "dof within": found["dof_within"], "SS between": found["ss_between"],
        "SS within": found["ss_within"],
        "R2": found["ss_between"] / (found["ss_between"] + found["ss_within"]),
    }  # fmt: skip


def grubbs(case: dict[str, Any]) -> Found:
    test = {"test": "grubbs", "alpha": case["inputs"]["alpha"], "sided": 1}
    task = {"kind": "type_a", "readings": case["inputs"]["x"], "outliers": test}
    found = good(compute(task))["outliers"]
    return {"G": found["statistic"], "critical": found["critical"]}


def cpk(case: dict[str, Any]) -> Found:
    given, out = case["inputs"], {"cpk": [], "risk": []}
    for mean in given["mean"]:
        task = {"kind": "conformity", "value": mean, "u": given["sigma"], "rule": "simple"}
        found = good(compute(task | dict(zip(("lower", "upper"), given["limits"], strict=True))))
        out["cpk"].append(found["cpk"])
        out["risk"].append(1 - found["conformance_probability"])
    return out


def zener(case: dict[str, Any]) -> Found:
    given = case["inputs"]
    task = {
        "kind": "conformity", "rule": "simple", "value": given["value"], "u": given["u"],
        "upper": given["upper_limit"],
    }  # fmt: skip
    return {"p_c": good(compute(task))["conformance_probability"]}


def drawn(case: dict[str, Any]) -> Found:
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
    linear = good(compute(task))["outputs"]
    found = good(compute(task | {"method": "monte_carlo", "trials": 1_000_000}))["outputs"]
    if isinstance(function, dict):
        out = {}
        for n in function:
            out |= {f"MC {n}": found[n]["value"], f"MC u({n})": found[n]["u"]}
            out |= {f"GUF {n}": linear[n]["value"], f"GUF u({n})": linear[n]["u"]}
        return out
    y, g, scale = found["y"], linear["y"], 1e6 if "9.4" in case["id"] else 1.0
    unit = " (1e-6)" if scale > 1 else ""
    return {
        f"y{unit}": y["value"] * scale, f"u(y){unit}": y["u"] * scale,
        "95 % low": y["interval"][0], "95 % high": y["interval"][1],
        "GUF 95 % high": g["interval"][1], f"shortest 95 % low{unit}": y["shortest"][0] * scale,
        f"shortest 95 % high{unit}": y["shortest"][1] * scale, "GUF1 y": g["value"] * scale,
        "GUF1 u": g["u"] * scale, "GUF1 low": g["interval"][0] * scale,
        "GUF1 high": g["interval"][1] * scale, "GUF y": g["value"], "GUF u": g["u"],
        "GUF high": g["interval"][1], "MCM y": y["value"], "MCM u": y["u"],
        "shortest low": y["shortest"][0], "shortest high": y["shortest"][1],
        f"{name} GUM": g["value"], f"{name} MC": y["value"], "u MC": y["u"],
    }  # fmt: skip


READERS: dict[str, Callable[[dict[str, Any]], Found]] = {
    "JCGM101-9.2.2": drawn, "JCGM101-9.2.3": drawn, "JCGM101-9.2.4": drawn,
    "JCGM101-9.4-X000-R00": drawn, "JCGM101-9.4-X010-R00": drawn, "JCGM101-9.4-X050-R00": drawn,
    "JCGM102-9.3-RE001-R09": drawn, "JCGM102-9.3-RE010-R09": drawn, "NIST-TN1900-E3": drawn,
    "NPL-DEM-ES-011-LOG": drawn, "NIST-UM6-E13-T3": drawn,
    "GUM-H1-BUDGET": gum_h1, "GUM-H1-UNROUNDED": gum_h1, "GUM-H2-CORRELATED": gum_h2,
    "GUM-H2-ROUNDED": gum_h2, "GUM-H2-NOCORR": gum_h2_alone, "GUM-H3-LINE": gum_h3,
    "GUM-H3-SYSTEMATIC": gum_h3, "EURACHEM-A3": budget, "EA402-S2-WEIGHT": budget,
    "GUMWB-S2-WEIGHT": budget, "EA402-S3-RESISTOR": budget, "EA402-S11-BLOCK": budget,
    "UT-WEIGHING": budget, "NIST-TN1900-E13-NORMAL": budget,
    "ISO28037-6-WLS-EQUAL": line, "ISO28037-6-WLS-UNEQUAL": line,
    "ISO28037-E-UNKNOWN-SIGMA": line, "PEARSON-WLS-Y-ONLY": line, "BEVINGTON-6.1": line,
    "GLANTZ-2-1": line, "WALPOLE-MYERS": walpole, "MSL-NLF-CORR-9": correlated_line,
    "MSL-NLF-CORR-1": correlated_line, "STRD-NORRIS": line, "STRD-PONTIUS": polynomial,
    "STRD-WAMPLER1": polynomial, "STRD-WAMPLER3": polynomial, "STRD-ANOVA-ATMWTAG": groups,
    "STRD-ANOVA-SMLS01": groups, "STRD-ANOVA-SMLS04": groups, "SHAW-ANOVA-BALANCED": groups,
    "SHAW-ANOVA-UNBALANCED": groups, "GUM-443-TYPEA": series, "NIST-TN1900-E2": series,
    "STRD-MICHELSO": series, "STRD-NUMACC1": series, "ZHANG-AUTOCORR-MEAN": autocorrelated,
    "NIST-GRUBBS": grubbs, "SHAW-CPK-SPECIFIC-RISK": cpk, "JCGM106-ZENER": zener,
}  # fmt: skip
CASES = [c for c in cases() if c["id"] in READERS]


def misses(found: Any, expected: dict[str, Any]) -> bool:
    values, tolerances = expected["value"], expected["engine_tol"]
    if not isinstance(values, list):
        found, values = [found], [values]
    if not isinstance(tolerances, list):
        tolerances = [tolerances] * len(values)
    return any(abs(f - v) > t for f, v, t in zip(found, values, tolerances, strict=True))


@pytest.mark.skipif(not CASES, reason="the published cases are not beside this repository")
@pytest.mark.parametrize("case", CASES, ids=[c["id"] for c in CASES])
def test_case(case: dict[str, Any]) -> None:
    found = READERS[case["id"]](case)
    compared = [e for e in case["expected"] if found.get(e["quantity"]) is not None]
    assert compared
    wrong = [
        (e["quantity"], found[e["quantity"]], e["value"], e["engine_tol"])
        for e in compared
        if e.get("relation") is None and misses(found[e["quantity"]], e)
    ]
    assert not wrong
