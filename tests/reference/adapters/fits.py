"""Lines, curves and the certified regressions of NIST as tasks of kind fit."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from tests.reference.adapters.tasks import Case, Found, Reader, run


def fit(**task: Any) -> Found:
    return run({"kind": "fit"} | task)


def uncertainties(weights: list[float]) -> list[float]:
    return [w**-0.5 for w in weights]


def line(case: Case) -> Found:
    given = case["inputs"]
    task: dict[str, Any] = {"model": "line", "x": given["x"], "y": given["y"]}
    if "w" in given:
        task["u_y"] = uncertainties(given["w"])
    task |= {"u_y": given["u_y"]} if "u_y" in given else {}
    if "forward" in given:
        ahead = given["forward"]
        x = ahead["x"] if isinstance(ahead["x"], list) else [ahead["x"], ahead["x"] + 1]
        task["predict"] = {"x": x, "u_x": ahead.get("u_x", 0)}
    if "inverse" in given:
        back = given["inverse"]
        known = {"y": [back["y0"]], "u_y": back.get("u")}
        task["inverse"] = known if "u" in back else {"readings": [[back["y0"]]]}
    return line_found(fit(**task))


def line_found(found: Found) -> Found:
    a, b = found["parameters"]["a"], found["parameters"]["b"]
    cov = found["covariance"]
    out = {
        "a": a["value"], "u(a)": a["u"], "b": b["value"], "u(b)": b["u"], "cov(a,b)": cov[0][1],
        "var(a)": cov[0][0], "var(b)": cov[1][1], "chi2": found["chi2"], "ssr": found["chi2"],
        "chi2 95 % (4)": found["chi2_critical"], "dof": found["dof"], "F": found["F"],
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
        out |= {"u(yhat)": [p["u"] for p in found["predictions"]], "yhat QWTB": out["yhat"]}
    return out


def line_xy(case: Case) -> Found:
    given = case["inputs"]
    x, y = given.get("x") or given["t"], given.get("y") or given["t_R"]
    u = {"u_x": given.get("s_x") or given.get("u_t"), "u_y": given.get("s_y") or given.get("u_tR")}
    if "w_x" in given:
        u = {f"u_{v}": uncertainties(given[f"w_{v}"]) for v in "xy"}
    ask = partial(fit, model="line", x=x, y=y, **u)
    found = ask()
    plain = line_found(found)
    other = line_found(ask(covariance_method="propagation"))
    scaled = line_found(ask(scale_by_residuals=True))
    return plain | {
        "S/(n-2)": found["reduced_chi2"], "u(a) propagated": other["u(a)"],
        "u(b) propagated": other["u(b)"], "cov(a,b) propagated": other["cov(a,b)"],
        "u(a) York 2004": plain["u(a)"], "u(b) York 2004": plain["u(b)"],
        "cov(a,a)": plain["var(a)"], "cov(b,b)": plain["var(b)"],
        "sd(a)": scaled["u(a)"], "sd(b)": scaled["u(b)"],
    }  # fmt: skip


def gas(case: Case, **task: Any) -> Found:
    """Concentration over response: the roles of the axes change."""
    given = case["inputs"]
    x, u_x, y, u_y = (list(v) for v in zip(*given["cal_x_ux_y_uy"], strict=True))
    at, u_at = (list(v) for v in zip(*given["meas_y_uy"], strict=True))
    return fit(x=y, u_x=u_y, y=x, u_y=u_x, predict={"x": at, "u_x": u_at}, **task)


def gas_found(found: Found) -> Found:
    out = {
        "ssr": found["chi2"], "gof": found["adjusted"]["largest"],
        "cov01": found["covariance"][0][1],
    }  # fmt: skip
    for i, p in enumerate(found["parameters"].values()):
        out |= {f"b{i}": p["value"], f"u(b{i})": p["u"]}
    x, u = ([p[key] for p in found["predictions"]] for key in ("y", "u"))
    return out | ({"x": x, "u(x)": u} if len(x) > 1 else {"x": x[0], "u(x)": u[0]})


def gas_polynomial(case: Case) -> Found:
    degree = 2 if "y^2" in case["model"] else 1
    return gas_found(gas(case, model="polynomial", degree=degree))


def gas_power(case: Case) -> Found:
    straight = gas(case, model="line")
    start = {"b0": 0, "b1": "5e-4", "b2": 0.1}
    found = gas(case, model="expression", function="b0+b1*x^(1+b2)", parameters=start)
    return gas_found(found) | {
        "linear ssr": straight["chi2"], "linear gof": straight["adjusted"]["largest"],
    }  # fmt: skip


def gas_exponential(case: Case) -> Found:
    start = {"b0": -10, "b1": 10, "b2": "1e-4"}
    return gas_found(gas(case, model="expression", function="b0+b1*exp(b2*x)", parameters=start))


def walpole(case: Case) -> Found:
    given = case["inputs"]
    found = fit(
        model="line", x=given["x"], y=given["y"], predict={"x": given["x_predict"]},
        inverse={"readings": [given["y0"]]},
    )  # fmt: skip
    first, second = found["predictions"]
    return line_found(found) | {
        "y(20)": first["y"], "u(y(20))": first["u"], "y(21.5)": second["y"],
        "u(y(21.5))": second["u"], "u future y(21.5)": second["u_single"],
    }  # fmt: skip


def glantz_line(case: Case) -> Found:
    given = case["inputs"]
    ask = partial(fit, model="line", x=given["x"], y=given["y"])
    found = ask(coverage_probability=0.95)
    b = found["parameters"]["b"]
    return line_found(found) | {
        "t(b)": b["t"], "b 95 % low": b["interval"][0], "b 95 % high": b["interval"][1],
        "t 99.9 % (8)": ask(coverage_probability="0.999")["parameters"]["b"]["k"],
    }  # fmt: skip


def glantz_wave(case: Case) -> Found:
    y = case["inputs"]["y"]
    found = fit(
        model="expression", function="Imax*(cos(2*pi*x/T)+1)/2", x=list(range(1, len(y) + 1)), y=y,
        parameters={"T": 16, "Imax": 16},
    )  # fmt: skip
    T, top = found["parameters"]["T"], found["parameters"]["Imax"]
    return {
        "T": T["value"], "u(T)": T["u"], "Imax": top["value"], "u(Imax)": top["u"],
        "ssr": found["chi2"], "r": found["correlation"]["T"]["Imax"],
    }  # fmt: skip


def gum_h3(case: Case) -> Found:
    given = case["inputs"]
    x = [t - given["t0"] for t in given["t"]]
    ask = partial(fit, model="line", x=x, y=given["b"], predict={"x": [10]})
    common = given.get("u_systematic")
    found = ask(u_y_common=common) if common else ask()
    a, b = found["parameters"]["a"], found["parameters"]["b"]
    at30 = found["predictions"][0]
    return {
        "y1": a["value"], "u(y1)": a["u"], "y2": b["value"], "u(y2)": b["u"], "s": found["s"],
        "r(y1,y2)": found["correlation"]["a"]["b"], "dof": found["dof"], "ssr": found["chi2"],
        "dof(y1)": a.get("dof"), "dof(y2)": b.get("dof"),
        "b(30)": at30["y"], "u(b(30))": at30["u"],
        "b(30) unrounded (MSL)": at30["y"], "u(b(30)) unrounded (MSL)": at30["u"],
        "u(y1) systematic part": a.get("u_common"),
    }  # fmt: skip


def correlated_line(case: Case) -> Found:
    given = case["inputs"]
    u, r = given["u_y"], given["r_yy"]
    v = [[a * b * (1 if i == j else r) for j, b in enumerate(u)] for i, a in enumerate(u)]
    found = fit(model="line", x=given["x"], y=given["y"], cov_y=v, weighting="none")["parameters"]
    out = {}
    for old, new in (("a", "a1"), ("b", "a2")):
        out |= {new: found[old]["value"], f"u({new})": found[old]["u"]}
    return out


def regression(found: Found) -> Found:
    """Give what NIST certifies."""
    out = {"residual sd": found["s"], "rss": found["chi2"], "R2": found["r_squared"]}
    out |= {"F": found["F"], "dof": found["dof"]}
    for name, p in found["parameters"].items():
        out |= {name.upper(): p["value"], f"sd({name.upper()})": p["u"]}
        out |= {name: p["value"], f"sd({name})": p["u"]}
    return out


def polynomial(case: Case) -> Found:
    given = case["inputs"]
    return regression(fit(model="polynomial", degree=given["degree"], x=given["x"], y=given["y"]))


def longley(case: Case) -> Found:
    given = case["inputs"]
    x = {f"x{i}": values for i, values in enumerate(given["X"], 1)}
    function = "b0" + "".join(f" + b{i}*x{i}" for i in range(1, len(x) + 1))
    names = [f"b{i}" for i in range(len(x) + 1)]
    return regression(
        fit(model="expression", function=function, parameters=names, x=x, y=given["y"])
    )


def nonlinear(case: Case) -> Found:
    """Fit from both starting values; what differs between them is given as missing."""
    given = case["inputs"]
    left, _, function = case["model"].partition(" = ")
    y = [math.log(v) for v in given["y"]] if left == "ln(y)" else given["y"]
    x = given["x"] if "x" in given else {name: given[name] for name in ("x1", "x2")}
    first, second = (
        regression(
            fit(
                model="expression", function=function, x=x, y=y,
                parameters={f"b{i}": v for i, v in enumerate(given[start], 1)},
            )
        )
        for start in ("start1", "start2")
    )  # fmt: skip
    tolerance = {e["quantity"]: e["engine_tol"] for e in case["expected"]}
    return {q: first[q] for q, t in tolerance.items() if abs(first[q] - second[q]) <= t}


LINEAR = "NORRIS PONTIUS WAMPLER1 WAMPLER3"
NONLINEAR = """BENNETT5 BOXBOD DANWOOD ECKERLE4 KIRBY2 MGH09 MGH10 MGH17 NELSON THURBER
GAUSS1 GAUSS2 GAUSS3 LANCZOS1 LANCZOS2 LANCZOS3"""
READERS: dict[str, Reader] = {
    "GUM-H3-LINE": gum_h3, "GUM-H3-SYSTEMATIC": gum_h3,
    "ISO28037-6-WLS-EQUAL": line, "ISO28037-6-WLS-UNEQUAL": line,
    "ISO28037-E-UNKNOWN-SIGMA": line, "PEARSON-WLS-Y-ONLY": line, "BEVINGTON-6.1": line,
    "PEARSON-YORK": line_xy, "PEARSON-YORK-REVERSED": line_xy, "PEARSON-ODR-ROUNDED": line_xy,
    "MATHIOULAKIS-THERMOMETER": line_xy, "ISO6143-B2.2-LINEAR": gas_polynomial,
    "ISO6143-B2.2-QUADRATIC": gas_polynomial, "ISO6143-B2.3-POWER": gas_power,
    "ISO6143-B2.3-EXPONENTIAL": gas_exponential, "GLANTZ-2-1": glantz_line,
    "GLANTZ-11-3": glantz_wave, "WALPOLE-MYERS": walpole, "MSL-NLF-CORR-9": correlated_line,
    "MSL-NLF-CORR-1": correlated_line, "STRD-LONGLEY": longley,
    **{f"STRD-{name}": polynomial for name in LINEAR.split()},
    **{f"STRD-{name}": nonlinear for name in NONLINEAR.split()},
}  # fmt: skip
