"""Recalibration intervals and drift as tasks of kind interval."""

from __future__ import annotations

from tests.reference.adapters.tasks import Case, Found, Reader, run


def tested(case: Case) -> Found:
    found = run({"kind": "interval", "method": "a3", "unit": "day", **case["inputs"]})
    limits = found["reliability"]
    return {
        "interval": found["interval"], "rejection confidence": found["rejection_confidence"],
        "reliability low": limits["lower"], "reliability high": limits["upper"],
    }  # fmt: skip


def variables(case: Case) -> Found:
    given = case["inputs"]
    task = {
        "kind": "interval", "method": "variables", "dt": given["dt_day"], "delta": given["delta"],
        "degree": 2, "u0": given.get("u0", 0),
    }  # fmt: skip
    if "limits" in given:
        task |= dict(zip(("lower", "upper"), given["limits"], strict=True))
        task |= {"y0": given["y0"], "confidence": given["confidence"]}
    else:
        task["target_u"] = given.get("target_u", 1)
    found = run(task)
    b, v = found["parameters"], found["covariance"]
    return {
        "interval": found["interval"], "k": found["k"], "b1": b["b1"], "b2": b["b2"],
        "var(b1)": v[0][0], "var(b2)": v[1][1], "cov(b1,b2)": v[0][1], "s": found["s"],
    }  # fmt: skip


def gauge(case: Case) -> Found:
    """Forecast of a drifting gauge: history of dated results, u known, t of that deviation."""
    given = case["inputs"]
    rows = zip(given["dates"], given["psi"], strict=True)
    lower, upper = given["limits"]
    task = {
        "kind": "interval", "method": "drift", "u": given["u"], "lower": lower, "upper": upper,
        "history": [{"date": d, "as_found": y} for d, y in rows], "predict": [given["predict"]],
        "tail": "t_sd",
    }  # fmt: skip
    expected = run(task)["predictions"][0]
    return {
        "y": expected["y"], "U95": expected["U"],
        "P(out of 175..185)": expected["probability_out"],
    }  # fmt: skip


READERS: dict[str, Reader] = {
    "RP1-A3-ASSET1": tested, "RP1-A3-ASSET2": tested, "RP1-A3-ASSET3": tested,
    "NASA-VARIABLES-FIT": variables, "NASA-VARIABLES-UNCERTAINTY": variables,
    "NASA-VARIABLES-RELIABILITY-2S": variables, "SUNCAL-DRIFT-PRESSURE": gauge,
}  # fmt: skip
