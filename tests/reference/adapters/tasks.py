"""What all adapters share: input quantities of a case, and a result that must be good."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from calib.evaluation.tasks import compute

Case = dict[str, Any]
Found = dict[str, Any]
Reader = Callable[[Case], Found]


def run(task: dict[str, Any]) -> Found:
    result = compute(task)
    assert "error" not in result, result
    return result


def quantities(case: Case) -> dict[str, Any]:
    out = {}
    for q in case["inputs"]["quantities"]:
        entry = {"value": q["value"], "u": q["u"]}
        if q.get("dof", "inf") != "inf":
            entry["dof"] = q["dof"]
        out[q["symbol"]] = entry
    observed = case["inputs"].get("observations", {})
    return out | {name: {"readings": values} for name, values in observed.items()}


def propagate(case: Case, function: Any, **more: Any) -> Found:
    pairs = [[c["a"], c["b"], c["r"]] for c in case["inputs"].get("correlations", ())]
    task = {"kind": "propagate", "function": function, "inputs": quantities(case)}
    return run(task | ({"correlations": pairs} if pairs else {}) | more)
