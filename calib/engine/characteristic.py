"""Characteristic functions of the stated distributions, about their means.

The characteristic function of a sum of independent quantities is the product of theirs.
This module must not know models.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from calib.engine.quantiles import require_variance
from calib.engine.tables import Table, tabulate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    Factor = Callable[[FloatArray, Mapping[str, float]], NDArray[Any]]

_FIRST, _LAST = -17, 9
_BESSEL_TO = 60
_NODES = 120
_TINY = 1e-300


def _sinc(x: FloatArray) -> FloatArray:
    x = x + _TINY  # 1 at 0, unchanged elsewhere
    out = np.sin(x)
    out /= x
    return out


def _trapezoid(s: FloatArray, p: Mapping[str, float]) -> FloatArray:
    a, beta = p["half_width"], p.get("beta", 0.0)
    return _sinc(s * (a * (1 + beta) / 2)) * _sinc(s * (a * (1 - beta) / 2))


def _curvilinear(s: FloatArray, p: Mapping[str, float]) -> FloatArray:
    a, d = p["half_width"], p["inexactness"]
    if d == 0:
        return _sinc(s * a)
    safe = np.where(s == 0, 1.0, s)
    found = (special.sici((a + d) * safe)[0] - special.sici((a - d) * safe)[0]) / (2 * d * safe)
    return np.where(s == 0, 1.0, found)


@lru_cache(maxsize=64)
def _t_table(dof: float) -> Table:
    return tabulate(lambda s: t_factor(s, dof), _FIRST, _LAST)


def t_factor(s: FloatArray, dof: float) -> FloatArray:
    """Characteristic function of Student's t, straight from its formula.

    Parameters
    ----------
    s : array
        Positive arguments.
    dof : float
        Degrees of freedom.

    Returns
    -------
    array
        Between 0 and 1.

    Notes
    -----
    Source: K_{nu/2}(sqrt(nu) s) (sqrt(nu) s)^{nu/2}/(Gamma(nu/2) 2^{nu/2 - 1}); beyond 60 degrees
    of freedom a normal mixed over the chi-squared distribution, by Gauss-Hermite quadrature.
    Checked against: tests/reference/linearised.toml.
    Limits: about 1e-12.
    """
    if dof <= _BESSEL_TO:
        x, half = math.sqrt(dof) * s, dof / 2
        with np.errstate(divide="ignore"):
            scaled = np.log(special.kve(half, x))
        top = scaled - x + half * np.log(x)
        return np.asarray(np.exp(top - special.gammaln(half) - (half - 1) * math.log(2)))
    z, w = np.polynomial.hermite_e.hermegauss(_NODES)
    g = special.gammaincinv(dof / 2, special.ndtr(z)) * (2 / dof)
    keep = (g > 0) & np.isfinite(g)
    out = np.zeros_like(s)
    for weight, one in zip(w[keep] / w[keep].sum(), g[keep], strict=True):
        out += weight * np.exp(-0.5 * s * s / one)
    return out


def _t(s: FloatArray, p: Mapping[str, float]) -> FloatArray:
    dof = p["dof"]
    require_variance(dof)
    scale = p["scale"] if "scale" in p else p["u"] * math.sqrt((dof - 2) / dof)
    m = np.abs(s * scale)
    np.maximum(m, 2.0**_FIRST, out=m)
    np.minimum(m, 2.0**_LAST * (1 - 1e-9), out=m)
    return _t_table(dof).look_up(m)


def _gamma(s: FloatArray, p: Mapping[str, float]) -> NDArray[Any]:
    shape, x = p.get("shape", 1.0), s * p.get("scale", p.get("mean", 0.0))
    return np.exp(-shape * (np.log1p(x * x) / 2 - 1j * (np.arctan(x) - x)))


def _beta(s: FloatArray, p: Mapping[str, float]) -> NDArray[Any]:
    a, b = p["alpha"], p["beta"]
    mean = a / (a + b)
    x, w = special.roots_sh_jacobi(256, a + b - 1, a)
    w = w / w.sum()
    out = np.zeros(s.shape, dtype=np.complex128)
    for one, weight in zip(x - mean, w, strict=True):
        out += weight * np.exp(1j * one * s)
    return out


_FACTORS: dict[str, Factor] = {
    "normal": lambda s, p: np.exp(-0.5 * (s * p["u"]) ** 2),
    "t": _t,
    "rectangular": lambda s, p: _sinc(s * p["half_width"]),
    "uniform": lambda s, p: _sinc(s * ((p["high"] - p["low"]) / 2)),
    "triangular": _trapezoid,
    "trapezoidal": _trapezoid,
    "arcsine": lambda s, p: special.j0(s * p["half_width"]),
    "curvilinear_trapezoid": _curvilinear,
    "exponential": _gamma,
    "gamma": _gamma,
    "beta": _beta,
}


def characteristic(name: str, parameters: Mapping[str, float], s: FloatArray) -> NDArray[Any]:
    """Characteristic function of a distribution about its mean.

    Parameters
    ----------
    name : str
        One of `distributions.PARAMETERS`.
    parameters : mapping of str to float
        As there.
    s : array, inverse unit of the quantity
        Arguments.

    Returns
    -------
    array
        Real for symmetric distributions, complex for the others.

    Raises
    ------
    OutOfRange
        A t distribution without a standard deviation.

    Notes
    -----
    Source: closed forms; curvilinear trapezoid by the sine integral, beta by Gauss-Jacobi
    quadrature with 256 points.
    Checked against: tests/reference/linearised.toml.
    Limits: about 1e-10 for t, 1e-12 for the others; beta for |s| up to about 300.
    """
    return _FACTORS[name](s, parameters)
