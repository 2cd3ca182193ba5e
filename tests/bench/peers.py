"""The works of ``calib bench`` done by other programs, each in its own best way.

Every function prepares what is not part of the work and gives the function to be timed with the
part of the work it does: a batch is measured on fewer items and counted up. Runs in the
environment that `compare` makes; it is no part of the tests.
"""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from calib.bench import budgets, certificates, drift, fits, risks

Peer = tuple[Callable[[], Any], float]
"""What is timed, and by what its seconds are multiplied to count for the whole work."""


def gtc_budget(inputs: Any, names: Any, text: str) -> Callable[[], Any]:
    from GTC import dof, exp, log, rp, set_correlation, uncertainty, ureal, value

    code = compile(text, "model", "eval")
    a, b, r = budgets.CORRELATED

    def run() -> Any:
        xs = [ureal(v, u, d, independent=k not in (a, b)) for k, (v, u, d, _) in enumerate(inputs)]
        set_correlation(r, xs[a], xs[b])
        y = eval(code, {"exp": exp, "log": log, **dict(zip(names, xs, strict=True))})  # noqa: S307
        nu, u = dof(y), uncertainty(y)
        return value(y), u, nu, rp.k_factor(nu, 95) * u, [rp.sensitivity(y, x) for x in xs]

    return run


def uncertainties_budget(inputs: Any, names: Any, text: str) -> Callable[[], Any]:
    from scipy.special import stdtrit
    from uncertainties import correlated_values_norm, ufloat, umath

    code = compile(text, "model", "eval")
    a, b, r = budgets.CORRELATED

    def run() -> Any:
        xs = [ufloat(v, u) for v, u, _, _ in inputs]
        pair = [(inputs[k][0], inputs[k][1]) for k in (a, b)]
        xs[a], xs[b] = correlated_values_norm(pair, [[1, r], [r, 1]])
        words = {"exp": umath.exp, "log": umath.log, **dict(zip(names, xs, strict=True))}
        y = eval(code, words)  # noqa: S307
        parts, by = y.error_components(), y.derivatives
        loss = sum(parts.get(x, 0.0) ** 4 / i[2] for x, i in zip(xs, inputs, strict=True))
        nu = y.s**4 / loss
        return y.n, y.s, nu, -stdtrit(nu, 0.025) * y.s, [by.get(x, 0.0) for x in xs]

    return run


def metrolopy_budget(inputs: Any, names: Any, text: str) -> Callable[[], Any]:
    import metrolopy
    from metrolopy import gummy

    code = compile(text, "model", "eval")
    a, b, r = budgets.CORRELATED

    def run() -> Any:
        xs = [gummy(v, u, dof=d) for v, u, d, _ in inputs]
        xs[a], xs[b] = gummy.create(
            [inputs[a][0], inputs[b][0]],
            u=[inputs[a][1], inputs[b][1]],
            correlation_matrix=[[1, r], [r, 1]],
        )
        words = {"exp": metrolopy.exp, "log": metrolopy.log, **dict(zip(names, xs, strict=True))}
        y = eval(code, words)  # noqa: S307
        y.p = 0.95
        return y.x, y.u, y.dof, y.U

    return run


def metrolopy_trials(inputs: Any, names: Any, text: str, trials: int) -> Callable[[], Any]:
    import metrolopy
    from metrolopy import NormalDist, TDist, UniformDist, gummy

    def shape(v: float, u: float, d: float, kind: str) -> Any:
        if kind == "t":
            return TDist(v, u, d)
        if kind == "rectangular":
            return UniformDist(center=v, half_width=u * math.sqrt(3))
        return NormalDist(v, u)

    a, b, r = budgets.CORRELATED
    xs = [gummy(shape(*i)) for i in inputs]
    xs[a], xs[b] = gummy.create(
        [inputs[a][0], inputs[b][0]],
        u=[inputs[a][1], inputs[b][1]],
        correlation_matrix=[[1, r], [r, 1]],
    )
    words = {"exp": metrolopy.exp, "log": metrolopy.log, **dict(zip(names, xs, strict=True))}
    y = eval(text, words)  # noqa: S307
    y.p = 0.95

    def run() -> Any:
        gummy.simulate([y], n=trials)
        y.cimethod = "symmetric"
        symmetric = y.cisim
        y.cimethod = "shortest"
        return float(y.xsim), float(y.usim), symmetric, y.cisim

    return run


def _suncal_model(inputs: Any, names: Any, text: str) -> Any:
    import suncal

    model = suncal.Model(text)
    for (v, u, d, kind), name in zip(inputs, names, strict=True):
        variable = model.var(name).measure(v)
        if kind == "t":
            variable.typeb(dist="t", std=u, df=d, name=f"u_{name}")
        elif kind == "rectangular":
            variable.typeb(dist="uniform", a=u * math.sqrt(3), name=f"u_{name}")
        else:
            variable.typeb(dist="normal", std=u, name=f"u_{name}")
    a, b, r = budgets.CORRELATED
    model.variables.correlate(names[a], names[b], r)
    return model


def suncal_budget(inputs: Any, names: Any, text: str) -> Callable[[], Any]:
    def run() -> Any:
        found = _suncal_model(inputs, names, text).calculate_gum()
        name = found.functionnames[0]
        return found.expected[name], found.uncertainty[name], found.degf[name]

    return run


def suncal_trials(inputs: Any, names: Any, text: str, trials: int) -> Callable[[], Any]:
    model = _suncal_model(inputs, names, text)

    def run() -> Any:
        found = model.monte_carlo(samples=trials)
        name = found.functionnames[0]
        ends = [found.expand(name, conf=0.95, shortest=s) for s in (False, True)]
        return found.expected[name], found.uncertainty[name], ends

    return run


def suncal_york(n: int) -> Callable[[], Any]:
    from suncal.curvefit.curvefit import linefitYork

    x, y, u_x, u_y, r = (np.array(column) for column in fits.line(n))
    return lambda: linefitYork(x, y, u_x, u_y, r)


def suncal_pearson() -> Callable[[], Any]:
    from suncal.curvefit.curvefit import linefitYork

    x, y, u_x, u_y = (np.array(column) for column in fits.pearson())
    return lambda: linefitYork(x, y, u_x, u_y, np.zeros(len(x)))


def gtc_york(n: int) -> Callable[[], Any]:
    from GTC import type_a

    x, y, u_x, u_y, r = fits.line(n)
    return lambda: type_a.line_fit_wtls(x, y, u_x, u_y, r_xy=r)


def odrpack_line(n: int) -> Callable[[], Any]:
    from odrpack import odr_fit

    x, y, u_x, u_y, _ = (np.array(column) for column in fits.line(n))

    def run() -> Any:
        return odr_fit(
            lambda t, b: b[0] + b[1] * t, x, y, [0.0, 1.0], weight_x=u_x**-2, weight_y=u_y**-2
        )

    return run


def scipy_sakuma_hattori() -> Callable[[], Any]:
    from scipy.optimize import curve_fit

    t, s, u = fits.radiance()

    def signal(x: Any, a: float, b: float, c: float) -> Any:
        return c / np.expm1(fits.C2 / (a * x + b))

    return lambda: curve_fit(signal, t, s, fits.START, sigma=u, absolute_sigma=True)


def lmfit_sakuma_hattori() -> Callable[[], Any]:
    from lmfit import Model

    t, s, u = fits.radiance()

    def signal(x: Any, a: float, b: float, c: float) -> Any:
        return c / np.expm1(fits.C2 / (a * x + b))

    model = Model(signal)
    a, b, c = fits.START
    return lambda: model.fit(s, x=t, a=a, b=b, c=c, weights=1 / u, scale_covar=False)


def polyfit_drift(items: int) -> Callable[[], Any]:
    return lambda: [drift.answer(item) for item in range(items)]


def suncal_drift(items: int) -> Callable[[], Any]:
    from suncal.intervals.variables import VariablesReliabilityTarget

    t, y, _ = (a[:, :items].T for a in drift.fleet())

    def one(t: Any, y: Any) -> Any:
        data = VariablesReliabilityTarget(t[1:] - t[0], y[1:] - y[0], u0=drift.U0)
        return data.calculate(LL=-drift.LIMIT, UL=drift.LIMIT, target_reliability=0.95, order=1)

    return lambda: [one(*row) for row in zip(t, y, strict=True)]


def suncal_risk() -> Callable[[], Any]:
    from scipy import stats
    from suncal.risk import risk_quad

    p = risks.ONE
    item, test = stats.norm(p.mean, p.u), stats.norm(0, p.u_test)
    low, high = p.accept_lower - p.lower, p.upper - p.accept_upper
    assert risk_quad is not None
    return lambda: (
        risk_quad.PFA(item, test, p.lower, p.upper, low, high),
        risk_quad.PFR(item, test, p.lower, p.upper, low, high),
    )


def suncal_simpson() -> Callable[[], Any]:
    from scipy import stats
    from suncal.risk import risk_simpson

    p = risks.ONE
    item, test = stats.norm(p.mean, p.u), stats.norm(0, p.u_test)
    low, high = p.accept_lower - p.lower, p.upper - p.accept_upper
    return lambda: (
        risk_simpson.PFA(item, test, p.lower, p.upper, low, high),
        risk_simpson.PFR(item, test, p.lower, p.upper, low, high),
    )


def scipy_risk() -> Callable[[], Any]:
    from scipy.integrate import quad
    from scipy.special import ndtr

    p = risks.ONE
    scale = 1 / (p.u * math.sqrt(2 * math.pi))

    def density(y: float) -> float:
        return scale * math.exp(-(((y - p.mean) / p.u) ** 2) / 2)

    def accepted(y: float) -> float:
        high, low = (p.accept_upper - y) / p.u_test, (p.accept_lower - y) / p.u_test
        return float(ndtr(high) - ndtr(low))

    def wrong(y: float) -> float:
        return density(y) * accepted(y)

    def refused(y: float) -> float:
        return density(y) * (1 - accepted(y))

    far = 10 * p.u

    def run() -> Any:
        above = quad(wrong, p.upper, p.mean + far, epsabs=0, epsrel=1e-10)[0]
        below = quad(wrong, p.mean - far, p.lower, epsabs=0, epsrel=1e-10)[0]
        return above + below, quad(refused, p.lower, p.upper, epsabs=0, epsrel=1e-10)[0]

    return run


def weasyprint_pages() -> Callable[[], Any]:
    """Draw what our pages hold, curves and codes as the same SVG, with the same fonts."""
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    from calib.certificates.fonts import CHINESE, LATIN, chinese_file, latin_files
    from calib.certificates.layout import view_of

    fonts = FontConfiguration()
    faces = [(LATIN, latin_files()[0]), (CHINESE, chinese_file())]
    rules = [f"@font-face{{font-family:'{n}';src:url('{f.as_uri()}')}}" for n, f in faces]
    rules.append(f"body{{font-family:'{LATIN}','{CHINESE}';font-size:7pt}}")
    rules.append("p{margin:0}@page{size:A4;margin:15mm}")
    style = CSS(string="".join(rules), font_config=fonts)

    def run() -> Any:
        view = view_of(certificates.drafted(), mark="x" * 300)
        body = "".join(_as_html(view))
        return HTML(string=f"<html><body>{body}</body></html>").write_pdf(
            stylesheets=[style], font_config=fonts, pdf_variant="pdf/a-3b"
        )

    return run


def _as_html(value: Any) -> Iterator[str]:
    """Give every text as a line, every table as a table, every drawing as it is."""
    if isinstance(value, str):
        if value.startswith("<svg"):
            coded = base64.b64encode(value.encode()).decode()
            yield f'<img width="200" src="data:image/svg+xml;base64,{coded}">'
        elif value:
            yield f"<p>{html.escape(value)}</p>"
    elif isinstance(value, dict) and "rows" in value and "columns" in value:
        yield "<table>"
        for row in (value["columns"], *(r["cells"] for r in value["rows"])):
            yield "<tr>" + "".join(f"<td>{''.join(_as_html(cell))}</td>" for cell in row) + "</tr>"
        yield "</table>"
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _as_html(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _as_html(inner)
