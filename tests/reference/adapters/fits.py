"""Lines, curves and the certified regressions of NIST as tasks of kind fit."""

from __future__ import annotations

from tests.reference.adapters.tasks import Case, Found, Reader, run


def line(case: Case, x: str = "x", y: str = "y") -> Found:
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
    return line_found(run(task))


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


def line_xy(case: Case) -> Found:
    given = case["inputs"]
    x, y = given.get("x") or given["t"], given.get("y") or given["t_R"]
    u = {"u_x": given.get("s_x") or given.get("u_t"), "u_y": given.get("s_y") or given.get("u_tR")}
    if "w_x" in given:
        u = {f"u_{v}": [w**-0.5 for w in given[f"w_{v}"]] for v in "xy"}
    task = {"kind": "fit", "model": "line", "x": x, "y": y, **u}
    plain = line_found(run(task))
    other = line_found(run(task | {"covariance_method": "propagation"}))
    scaled = line_found(
        run(task | {"covariance_method": "propagation", "scale_by_residuals": True})
    )
    return plain | {
        "S/(n-2)": plain["chi2"] / plain["dof"], "u(a) propagated": other["u(a)"],
        "u(b) propagated": other["u(b)"], "cov(a,b) propagated": other["cov(a,b)"],
        "u(a) York 2004": plain["u(a)"], "u(b) York 2004": plain["u(b)"],
        "cov(a,a)": other["var(a)"], "cov(b,b)": other["var(b)"], "cov(a,b)": other["cov(a,b)"],
        "sd(a)": scaled["u(a)"], "sd(b)": scaled["u(b)"],
    }  # fmt: skip


def iso6143(case: Case) -> Found:
    """Concentration x over response y: the roles of the axes change."""
    given = case["inputs"]
    x, u_x, y, u_y = (list(v) for v in zip(*given["cal_x_ux_y_uy"], strict=True))
    at, u_at = (list(v) for v in zip(*given["meas_y_uy"], strict=True))
    task = {
        "kind": "fit", "model": "polynomial", "degree": 2 if "y^2" in case["model"] else 1,
        "x": y, "u_x": u_y, "y": x, "u_y": u_x, "predict": {"x": at, "u_x": u_at},
        "covariance_method": "propagation",
    }  # fmt: skip
    found = run(task)
    out = {"ssr": found["chi2"], "cov01": found["covariance"][0][1]}
    for name, p in found["parameters"].items():
        out |= {name: p["value"], f"u({name})": p["u"]}
    out["x"] = [p["y"] for p in found["predictions"]]
    out["u(x)"] = [p["u"] for p in found["predictions"]]
    return out


def walpole(case: Case) -> Found:
    given = case["inputs"]
    task = {"kind": "fit", "model": "line", "x": given["x"], "y": given["y"]}
    task |= {"predict": {"x": given["x_predict"]}, "inverse": {"readings": [given["y0"]]}}
    found = run(task)
    first, second = found["predictions"]
    return line_found(found) | {
        "y(20)": first["y"], "u(y(20))": first["u"], "y(21.5)": second["y"],
        "u(y(21.5))": second["u"], "u future y(21.5)": second["u_single"],
    }  # fmt: skip


def gum_h3(case: Case) -> Found:
    given = case["inputs"]
    x = [t - given["t0"] for t in given["t"]]
    task = {"kind": "fit", "model": "line", "x": x, "y": given["b"], "predict": {"x": [10]}}
    common = given.get("u_systematic")
    found = run(task | ({"u_y_common": common} if common else {}))
    a, b = found["parameters"]["a"], found["parameters"]["b"]
    return {
        "y1": a["value"], "u(y1)": a["u"], "y2": b["value"], "u(y2)": b["u"], "s": found["s"],
        "r(y1,y2)": found["correlation"]["a"]["b"], "dof": found["dof"],
        "dof(y1)": a.get("dof"), "dof(y2)": b.get("dof"),
        "b(30)": found["predictions"][0]["y"], "u(b(30))": found["predictions"][0]["u"],
    }  # fmt: skip


def correlated_line(case: Case) -> Found:
    given = case["inputs"]
    u, r = given["u_y"], given["r_yy"]
    v = [[a * b * (1 if i == j else r) for j, b in enumerate(u)] for i, a in enumerate(u)]
    task = {"kind": "fit", "model": "line", "x": given["x"], "y": given["y"], "cov_y": v}
    found = run(task | {"weighting": "none"})["parameters"]
    out = {}
    for old, new in (("a", "a1"), ("b", "a2")):
        out |= {new: found[old]["value"], f"u({new})": found[old]["u"]}
    return out


def polynomial(case: Case) -> Found:
    given = case["inputs"]
    task = {
        "kind": "fit", "model": "polynomial", "degree": given["degree"], "x": given["x"],
        "y": given["y"],
    }  # fmt: skip
    found = run(task)
    out = {"residual sd": found["s"], "rss": found["chi2"], "R2": found["r_squared"]}
    for name, p in found["parameters"].items():
        out |= {name.upper(): p["value"], f"sd({name.upper()})": p["u"]}
    return out


READERS: dict[str, Reader] = {
    "GUM-H3-LINE": gum_h3, "GUM-H3-SYSTEMATIC": gum_h3,
    "ISO28037-6-WLS-EQUAL": line, "ISO28037-6-WLS-UNEQUAL": line,
    "ISO28037-E-UNKNOWN-SIGMA": line, "PEARSON-WLS-Y-ONLY": line, "BEVINGTON-6.1": line,
    "GLANTZ-2-1": line, "WALPOLE-MYERS": walpole, "MSL-NLF-CORR-9": correlated_line,
    "MSL-NLF-CORR-1": correlated_line, "STRD-NORRIS": line, "STRD-PONTIUS": polynomial,
    "STRD-WAMPLER1": polynomial, "STRD-WAMPLER3": polynomial,
}  # fmt: skip
