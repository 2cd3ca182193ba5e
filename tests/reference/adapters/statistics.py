"""Readings, groups, outliers, charts and comparisons as tasks of compute."""

from __future__ import annotations

import re

from tests.reference.adapters.tasks import Case, Found, Reader, run


def series(case: Case) -> Found:
    given = case["inputs"]
    readings = given.get("x") or given.get("t_degC") or alternating(given)
    found = run({"kind": "type_a", "readings": readings, "lags": 1})
    task = {"kind": "propagate", "function": "x", "inputs": {"x": {"readings": readings}}}
    y = run(task)["outputs"]["y"]
    return {
        "mean": found["mean"], "s": found["s"], "sd": found["s"], "u(mean)": found["u"],
        "dof": found["dof"], "tau": found["mean"], "u(tau)": found["u"],
        "r1": found["autocorrelation"][1], "k": y["k"], "95 % low": y["interval"][0],
        "95 % high": y["interval"][1],
    }  # fmt: skip


def alternating(given: Found) -> list[float]:
    """Write out "x1=1.2; then 1.1, 1.3 repeated 500 times"."""
    first, low, high = (
        float(w.strip(",;")) for w in re.findall(r"\d+\.\d+", given["construction"])
    )
    return [first, *([low, high] * ((given["n"] - 1) // 2))]


def autocorrelated(case: Case) -> Found:
    task = {"kind": "type_a", "method": "autocorrelated", "readings": case["inputs"]["x"]}
    found = run(task)
    ratio = found["u"] / (found["s"] / found["n"] ** 0.5)
    return {"cut-off lag": found["cutoff_lag"], "u(mean)": found["u"], "ratio to s/sqrt(n)": ratio}


def groups(case: Case) -> Found:
    readings = case["inputs"]["groups"]
    found = run({"kind": "type_a", "method": "nested", "readings": readings})
    return {
        "F": found["F"], "F crit 95 %": found["F_critical"], "p": found["p"],
        "repeatability sd": found["s_within"], "residual sd": found["s_within"],
        "sd of group means": found["s"], "dof between": found["dof_between"],
        "dof within": found["dof_within"], "SS between": found["ss_between"],
        "SS within": found["ss_within"],
        "R2": found["ss_between"] / (found["ss_between"] + found["ss_within"]),
        "means": [g["mean"] for g in found["groups"]], "sds": [g["s"] for g in found["groups"]],
    }  # fmt: skip


def grubbs(case: Case) -> Found:
    test = {"test": "grubbs", "alpha": case["inputs"]["alpha"], "sided": 1}
    task = {"kind": "type_a", "readings": case["inputs"]["x"], "outliers": test}
    found = run(task)["outliers"]
    return {"G": found["statistic"], "critical": found["critical"]}


def cochran(case: Case) -> Found:
    """Ask for the critical values: the readings themselves do not matter."""
    given, critical = case["inputs"], []
    for p in given["p"]:
        readings = [list(range(given["n"]))] * p
        test = {"test": "cochran", "alpha": 0.05}
        task = {"kind": "type_a", "method": "pooled", "readings": readings, "outliers": test}
        critical.append(run(task)["outliers"]["critical"])
    return {"5 %, n=2": critical}


def robust(case: Case) -> Found:
    found = run({"kind": "compare", "score": "algorithm_a", "values": case["inputs"]["x"]})
    return {"x* after 4 iterations": found["assigned"]["value"]}


def likeliest(case: Case) -> Found:
    given = case["inputs"]
    task = {"kind": "compare", "score": "maximum_likelihood", "values": given["mean"]}
    found = run(task | {"s": given["s"], "n": given["n"]})
    low, high = found["interval"]
    return {
        "mu": found["assigned"]["value"], "u(mu)": found["assigned"]["u"],
        "sigma2 between": found["s_between"] ** 2, "low": low, "high": high,
    }  # fmt: skip


def cusum(case: Case) -> Found:
    given = case["inputs"]
    task = {"kind": "chart", "chart": "cusum", "values": given["x"], "target": given["target"]}
    found = run(task | {"k": given["k"], "h": given["h"]})
    return {
        "S_hi": found["statistic"]["high"], "S_lo": found["statistic"]["low"],
        "first signal (sample)": found["first_signal"] + 1,  # samples count from 1
    }  # fmt: skip


def constants(case: Case) -> Found:
    return run({"kind": "chart", "chart": "constants", "n": case["inputs"]["n"]})


def t_factors(case: Case) -> Found:
    found = []
    for nu in case["inputs"]["nu"]:
        for p in case["inputs"]["p"]:
            inputs = {"x": {"value": 0, "u": 1, "dof": nu}}
            task = {"kind": "propagate", "function": "x", "inputs": inputs}
            found.append(run(task | {"coverage_probability": p})["outputs"]["y"]["k"])
    return {"t(p,nu) row-major by nu": found}


def type_b(case: Case) -> Found:
    low, high = case["inputs"]["lower"], case["inputs"]["upper"]
    out = {}
    for name in ("rectangular", "triangular"):
        shape = {"name": name, "half_width": (high - low) / 2}
        inputs = {"x": {"value": (low + high) / 2, "distribution": shape}}
        found = run({"kind": "propagate", "function": "x", "inputs": inputs})
        out[f"u {name}"] = found["outputs"]["y"]["u"]
    return out


READERS: dict[str, Reader] = {
    "STRD-ANOVA-ATMWTAG": groups, "STRD-ANOVA-SMLS01": groups, "STRD-ANOVA-SMLS04": groups,
    "SHAW-ANOVA-BALANCED": groups, "SHAW-ANOVA-UNBALANCED": groups, "GUM-443-TYPEA": series,
    "NIST-TN1900-E2": series, "STRD-MICHELSO": series, "STRD-NUMACC1": series,
    "STRD-NUMACC2": series, "ZHANG-AUTOCORR-MEAN": autocorrelated, "NIST-GRUBBS": grubbs,
    "ISO5725-2-COCHRAN": cochran, "ISO5725-5-CREOSOTE-A": robust,
    "VANGEL-RUKHIN-FIBRE": likeliest, "NIST-CUSUM": cusum, "ISO7870-CONSTANTS": constants,
    "GUM-G2-TFACTORS": t_factors, "GUM-445-TYPEB": type_b,
}  # fmt: skip
