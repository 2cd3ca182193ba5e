"""Turning uniform numbers into draws of input quantities.

Every draw is a smooth function of one uniform number (two for inexact limits), so that it works
with random and with quasi-random points alike. Quantiles without a quick formula are tabulated.
This module must not know models, nor where uniform numbers come from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from calib.engine.distributions import describe
from calib.engine.quantiles import require_variance, tails
from calib.engine.tables import Table, tabulate
from calib.engine.types import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

Parameters = Mapping[str, float]
LEAST_TAIL = -52
"""The smallest tail probability that is drawn, as a power of two."""
_NOTHING_LEFT = 1e-9
_SIGN = np.int64(-(2**63))


@dataclass(frozen=True, slots=True)
class Variable:
    """An input quantity with the distribution it is drawn from.

    Attributes
    ----------
    estimate : Estimate
        Value, u and degrees of freedom; without a distribution it is drawn as normal, as t with
        scale u when the degrees of freedom are finite, and not at all when u is 0.
    distribution : str or None
        Name of a distribution, see `distributions.PARAMETERS`.
    parameters : mapping of str to float
        Its parameters.
    """

    estimate: Estimate
    distribution: str | None = None
    parameters: Parameters = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.distribution is not None:
            describe(self.distribution, self.parameters)
        if self.distribution == "t" and "u" in self.parameters:
            require_variance(self.parameters["dof"])

    @property
    def dimensions(self) -> int:
        """How many uniform numbers one draw takes."""
        name, _ = self.drawn_as
        return {"exact": 0, "curvilinear_trapezoid": 2}.get(name, 1)

    @property
    def drawn_as(self) -> tuple[str, Parameters]:
        """Distribution and parameters, those of an estimate spelt out; ``exact`` without any."""
        if self.distribution is not None:
            return self.distribution, self.parameters
        u, dof = self.estimate.u, self.estimate.dof
        if u == 0:
            return "exact", {}
        return ("normal", {"u": u}) if math.isinf(dof) else ("t", {"scale": u, "dof": dof})

    @property
    def is_normal(self) -> bool:
        """Whether the quantity may be correlated with others."""
        return self.drawn_as[0] in ("normal", "exact")


@lru_cache(maxsize=128)
def _table(name: str, parameters: tuple[tuple[str, float], ...]) -> Table:
    """Tails as a table; the upper one follows the lower one when they differ."""
    upper, lower = tails(name, dict(parameters))
    above = tabulate(upper, LEAST_TAIL, -1)
    return above if lower is None else tabulate(lower, LEAST_TAIL, -1).followed_by(above)


def _symmetric(name: str, q: FloatArray, **shape: float) -> FloatArray:
    sign = q.view(np.int64) & _SIGN  # quicker than copysign; out is never negative
    m = np.abs(q, out=q)
    np.subtract(0.5, m, out=m)
    out = _table(name, tuple(shape.items())).look_up(m)
    bits = out.view(np.int64)
    bits ^= sign
    return out


def _skew(name: str, q: FloatArray, **shape: float) -> FloatArray:
    table = _table(name, tuple(shape.items()))
    m = np.abs(q)
    np.subtract(0.5, m, out=m)
    return table.look_up(m, np.where(q > 0, table.pieces // 2, 0))


def draw_normal(q: FloatArray) -> FloatArray:
    """Turn centred uniform numbers into standard normal ones, in their place.

    Notes
    -----
    Source: JCGM 101:2008 6.4.7; inverse distribution function, tabulated from AS 241.
    Checked against: tests/reference/distributions.toml.
    Limits: within 1e-10; |z| up to 8.1.
    """
    return _symmetric("normal", q, u=1.0)


def lower_root(r: FloatArray) -> FloatArray:
    """Lower triangular square root of a correlation matrix, also of a singular one.

    Parameters
    ----------
    r : (n, n) array
        Positive semi-definite.

    Returns
    -------
    (n, n) array
        L with L L^T = r; a quantity fixed by those before it has 0 on the diagonal.

    Notes
    -----
    Source: JCGM 101:2008 C.5 (Cholesky); own arithmetic, so that no library chooses signs.
    Checked against: tests/reference/jcgm101.toml.
    Limits: what is left of a diagonal element below 1e-9 counts as 0.
    """
    out = np.zeros_like(r)
    for j in range(len(r)):
        rest = r[j:, j] - out[j:, :j] @ out[j, :j]
        if rest[0] > _NOTHING_LEFT:
            out[j:, j] = rest / math.sqrt(rest[0])
    return out


def _t(q: FloatArray, p: Parameters) -> FloatArray:
    dof = p["dof"]
    scale = p["scale"] if "scale" in p else p["u"] * math.sqrt((dof - 2) / dof)
    out = _symmetric("t", q, scale=1.0, dof=dof)
    out *= scale
    return out


def _normal(q: FloatArray, p: Parameters) -> FloatArray:
    out = draw_normal(q)
    out *= p["u"]
    return out


def _trapezoid(q: FloatArray, p: Parameters) -> FloatArray:
    """Inverse of the distribution function, the upper half mirrored."""
    a, beta = p["half_width"], p.get("beta", 0.0)
    m = np.abs(q)
    np.subtract(0.5, m, out=m)
    ramp = (1 - beta) / (2 * (1 + beta))
    on_ramp = 1 - np.sqrt(2 * (1 - beta**2) * m)
    on_top = beta - (m - ramp) * (1 + beta)
    return np.asarray(np.copysign(np.where(m < ramp, on_ramp, on_top), q) * a)


Draw = Callable[["FloatArray", Parameters], "FloatArray"]
_ABOUT_VALUE: dict[str, Draw] = {
    "normal": _normal,
    "t": _t,
    "rectangular": lambda q, p: q * (2 * p["half_width"]),
    "uniform": lambda q, p: q * (p["high"] - p["low"]),
    "triangular": _trapezoid,
    "trapezoidal": _trapezoid,
    "arcsine": lambda q, p: np.sin(q * math.pi) * p["half_width"],
}
_ABSOLUTE: dict[str, Draw] = {
    "exponential": lambda q, p: np.log(0.5 - q) * -p["mean"],
    "gamma": lambda q, p: _skew("gamma", q, shape=p["shape"], scale=1.0) * p["scale"],
    "beta": lambda q, p: _skew("beta", q, alpha=p["alpha"], beta=p["beta"]),
}


def draw(variable: Variable, *q: FloatArray) -> FloatArray:
    """Turn uniform numbers into draws of one quantity.

    Parameters
    ----------
    variable : Variable
        The quantity.
    *q : (n,) arrays, `variable.dimensions` of them
        Uniform numbers less 1/2, strictly between -1/2 and 1/2; overwritten.

    Returns
    -------
    (n,) array
        Draws, unit of the value; for an exact quantity the value alone.

    Notes
    -----
    Source: JCGM 101:2008 6.4 and table 1.
    Checked against: tests/reference/distributions.toml.
    Limits: normal, t, gamma and beta within 1e-9 of their scale, the others in double precision.
    """
    name, p = variable.drawn_as
    value = variable.estimate.value
    if name == "exact":
        return np.array(value)
    if name == "curvilinear_trapezoid":
        width = p["half_width"] + (2 * p["inexactness"]) * q[0]
        return value + 2 * width * q[1]
    if name in _ABSOLUTE:
        return _ABSOLUTE[name](q[0], p)
    out = _ABOUT_VALUE[name](q[0], p)
    out += value
    return out
