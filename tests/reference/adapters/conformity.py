"""Decision rules and risks as tasks of kind conformity and risk."""

from __future__ import annotations

from tests.reference.adapters.tasks import Case, Found, Reader, run


def cpk(case: Case) -> Found:
    given, out = case["inputs"], {"cpk": [], "risk": []}
    for mean in given["mean"]:
        task = {"kind": "conformity", "value": mean, "u": given["sigma"], "rule": "simple"}
        found = run(task | dict(zip(("lower", "upper"), given["limits"], strict=True)))
        out["cpk"].append(found["cpk"])
        out["risk"].append(1 - found["conformance_probability"])
    return out


def zener(case: Case) -> Found:
    given = case["inputs"]
    task = {
        "kind": "conformity", "rule": "simple", "value": given["value"], "u": given["u"],
        "upper": given["upper_limit"],
    }  # fmt: skip
    return {"p_c": run(task)["conformance_probability"]}


READERS: dict[str, Reader] = {
    "SHAW-CPK-SPECIFIC-RISK": cpk, "JCGM106-ZENER": zener,
}  # fmt: skip
