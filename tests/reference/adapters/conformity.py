"""Decision rules and risks as tasks of kind conformity and risk."""

from __future__ import annotations

from typing import Any

from tests.reference.adapters.tasks import Case, Found, Reader, run


def risk(**task: Any) -> Found:
    return run({"kind": "risk"} | task)


def conformity(**task: Any) -> Found:
    return run({"kind": "conformity"} | task)


def deaver(case: Case) -> Found:
    given = case["inputs"]
    lower, upper = given["limits"]
    process = {"distribution": "normal", "mean": 0, "u": given["sigma_process"]}
    found = risk(process=process, u_test=given["sigma_test"], lower=lower, upper=upper)
    pfa, pfr = found["pfa"], found["pfr"]
    return {"PFA": pfa, "PFR": pfr, "PFA (%)": 100 * pfa, "PFR (%)": 100 * pfr}


def cpk(case: Case) -> Found:
    given = case["inputs"]
    lower, upper = given["limits"]
    rows = [
        conformity(value=m, u=given["sigma"], rule="simple", lower=lower, upper=upper)
        for m in given["mean"]
    ]
    below = [row["probability_below"] for row in rows]
    above = [row["probability_above"] for row in rows]
    return {
        "cpk": [row["cpk"] for row in rows],
        "risk": [1 - row["conformance_probability"] for row in rows],
        "risk lower (first two)": below[:2],
        "risk upper (first two)": above[:2],
    }


def tur3(case: Case) -> Found:
    given = case["inputs"]
    task = {"process": {"in_tolerance": given["itp"]}, "tur": given["TUR"]}
    plain = risk(**task, lower=-1, upper=1)
    guarded = risk(**task, lower=-1, upper=1, accept_lower=-0.9, accept_upper=0.9)
    return {"PFA": plain["pfa"], "PFA GB=0.9": guarded["pfa"]}


def _gamma(given: Case) -> dict[str, Any]:
    process = {"distribution": "gamma", "shape": given["shape"], "scale": given["scale"]}
    return {"process": process, "u_test": given["u"]}


def gamma(case: Case) -> Found:
    lower, upper = case["inputs"]["limits"]
    return {"PFA": risk(**_gamma(case["inputs"]), lower=lower, upper=upper)["pfa"]}


def bearing(case: Case) -> Found:
    given = case["inputs"]
    task = _gamma(given) | {"upper": given["upper_limit"]}
    plain = risk(**task)
    guarded = risk(**task, guard={"method": "pfa", "target": given["target_PFA"]})
    outside = 1 - plain["in_tolerance"]
    return {
        "P(out), no inspection": outside,
        "P(out) (%)": 100 * outside,
        "PFA": plain["pfa"],
        "PFA (%)": 100 * plain["pfa"],
        "guard band for 0.1 %": guarded["guard_band"],
        "acceptance limit": guarded["acceptance_upper"],
    }


def dobbert(case: Case) -> Found:
    given = case["inputs"]
    task = {"process": {"in_tolerance": "worst"}, "lower": -1, "upper": 1}
    guard = {"method": "pfa", "target": given["target_PFA"]}
    rows = [risk(**task, tur=tur, guard=guard) for tur in given["TUR"]]
    plain = [risk(**task, tur=tur) for tur in given["TUR"]]
    return {
        "itp at max (%)": [100 * row["in_tolerance"] for row in plain],
        "max PFA (%)": [100 * row["pfa"] for row in plain],
        "M x 100 %": [100 * row["guard_multiplier"] for row in rows],
        "TUR where max PFA = 2 %": risk(**task, tur="solve", target_pfa=0.02)["tur"],
    }


def formulas(case: Case) -> Found:
    names = {"RSS": "rds", "one-sided": "u95", "RP-10": "rp10", "managed M": "dobbert"}
    key = {"managed M": "guard_multiplier"}
    process = {"in_tolerance": 0.9}
    return {
        name: [
            risk(process=process, lower=-1, upper=1, tur=tur, guard={"method": method})[
                key.get(name, "acceptance_upper")
            ]
            for tur in case["inputs"]["TUR"]
        ]
        for name, method in names.items()
    }


def eopr(case: Case) -> Found:
    found = risk(
        process={"observed_in_tolerance": "solve"},
        u_test="worst",
        target_pfa=case["inputs"]["target_PFA"],
        lower=-1,
        upper=1,
    )
    return {"observed EOPR where worst PFA is 2 % (%)": 100 * found["accepted"]}


def zener(case: Case) -> Found:
    given = case["inputs"]
    task = {"value": given["value"], "u": given["u"], "upper": given["upper_limit"]}
    return {"p_c": conformity(**task, rule="simple")["conformance_probability"]}


def guard_bands(case: Case) -> Found:
    out = []
    for r in case["inputs"]["r"]:
        task = {"rule": "guard_rU", "r": r, "u": "0.01", "upper": 1}
        limit = conformity(value=0, **task)["acceptance_upper"]
        out.append(conformity(value=limit, **task)["specific_risk"])
    return {"risk": out}


def iec60751(case: Case) -> Found:
    out = {}
    for name in ("A", "B"):
        for quantity, unit in (("temperature", "degC"), ("resistance", "ohm")):
            limits = {"standard": "IEC 60751", "class": name, "quantity": quantity}
            out[f"{name} ({unit})"] = [
                conformity(value=0, u=0, rule="simple", limits=limits | {"t": t})["upper"]
                for t in case["inputs"][f"t_{name}"]
            ]
    return out


def dcc(case: Case) -> Found:
    given = case["inputs"]
    errors, passes = [], []
    points = zip(
        given["T_ref_K"], given["T_ind_K"], given["acceptance_K"], given["tolerance_K"], strict=True
    )
    for reference, indicated, accept, tolerance in points:
        inputs = {"ref": {"value": reference}, "ind": {"value": indicated}}
        error = run({"kind": "propagate", "function": "ind - ref", "inputs": inputs})
        errors.append(error["outputs"]["y"]["value"])
        found = conformity(
            value=errors[-1],
            U=given["U_k2_K"],
            lower=-tolerance,
            upper=tolerance,
            rule="acceptance",
            accept_lower=-accept,
            accept_upper=accept,
        )
        passes.append(float(found["verdict"] == "pass"))
    return {"error (K)": errors, "pass": passes}


READERS: dict[str, Reader] = {
    "DEAVER-4-1-UNGUARDED": deaver,
    "SHAW-CPK-SPECIFIC-RISK": cpk,
    "SUNCAL-MANUAL-TUR3": tur3,
    "SUNCAL-MANUAL-GAMMA": gamma,
    "JCGM106-9.5.4-BEARING": bearing,
    "DOBBERT-TABLE2": dobbert,
    "GUARDBAND-TUR-FORMULAS": formulas,
    "EOPR-89-PERCENT-RULE": eopr,
    "JCGM106-ZENER": zener,
    "ILAC-G8-GUARD-BANDS": guard_bands,
    "IEC60751-TOLERANCE": iec60751,
    "DCC-GP-CONFORMITY-AS-LEFT": dcc,
    "DCC-GP-CONFORMITY-AS-FOUND": dcc,
}
