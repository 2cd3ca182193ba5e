"""Readings, groups, outliers, charts and comparisons as tasks of compute."""

from __future__ import annotations

from tests.reference.adapters.tasks import Case, Found, Reader, run


def series(case: Case) -> Found:
    given = case["inputs"]
    readings = given.get("x") or given.get("t_degC")
    if readings is None:
        return {}
    found = run({"kind": "type_a", "readings": readings, "lags": 1})
    return {
        "mean": found["mean"], "s": found["s"], "sd": found["s"], "u(mean)": found["u"],
        "dof": found["dof"], "tau": found["mean"], "u(tau)": found["u"],
        "r1": found["autocorrelation"][1],
    }  # fmt: skip


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
    }  # fmt: skip


def grubbs(case: Case) -> Found:
    test = {"test": "grubbs", "alpha": case["inputs"]["alpha"], "sided": 1}
    task = {"kind": "type_a", "readings": case["inputs"]["x"], "outliers": test}
    found = run(task)["outliers"]
    return {"G": found["statistic"], "critical": found["critical"]}


READERS: dict[str, Reader] = {
    "STRD-ANOVA-ATMWTAG": groups, "STRD-ANOVA-SMLS01": groups, "STRD-ANOVA-SMLS04": groups,
    "SHAW-ANOVA-BALANCED": groups, "SHAW-ANOVA-UNBALANCED": groups, "GUM-443-TYPEA": series,
    "NIST-TN1900-E2": series, "STRD-MICHELSO": series, "STRD-NUMACC1": series,
    "ZHANG-AUTOCORR-MEAN": autocorrelated, "NIST-GRUBBS": grubbs,
}  # fmt: skip
