"""Turning uniform numbers into draws of input quantities.

Every distribution is a smooth function of one or two uniform numbers, so that it works with
pseudo-random and with quasi-random numbers alike. This module must not know models, nor where
uniform numbers come from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from calib.engine.distributions import describe
from calib.engine.errors import OutOfRange
from calib.engine.types import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

Parameters = Mapping[str, float]


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
        if self.distribution == "t" and "u" in self.parameters and self.parameters["dof"] <= 2:
            msg = "A t distribution stated by its standard deviation needs more than 2 dof."
            raise OutOfRange(msg, {"dof": self.parameters["dof"]})

    @property
    def dimensions(self) -> int:
        """How many uniform numbers one draw takes."""
        if self.distribution is not None:
            return 2 if self.distribution in ("t", "curvilinear_trapezoid") else 1
        return 0 if self.estimate.u == 0 else 1 + int(math.isfinite(self.estimate.dof))

    @property
    def is_normal(self) -> bool:
        """Whether the quantity may be correlated with others."""
        if self.distribution is not None:
            return self.distribution == "normal"
        return math.isinf(self.estimate.dof)


def normal(w: FloatArray) -> FloatArray:
    """Turn uniform numbers into standard normal ones.

    Notes
    -----
    Source: JCGM 101:2008 6.4.7.
    Checked against: tests/reference/distributions.toml.
    Limits: double precision.
    """
    return np.asarray(special.ndtri(w))


def _student(w: FloatArray, dof: float) -> FloatArray:
    """R. W. Bailey, Math. Comput. 62 (1994) 779: exact, two uniform numbers each."""
    radius = np.sqrt(dof * np.expm1(-2 / dof * np.log(w[0])))
    return np.asarray(radius * np.cos(2 * math.pi * w[1]))


def _t(w: FloatArray, p: Parameters) -> FloatArray:
    scale = p["scale"] if "scale" in p else p["u"] * math.sqrt((p["dof"] - 2) / p["dof"])
    return scale * _student(w, p["dof"])


def _trapezoid(w: FloatArray, p: Parameters) -> FloatArray:
    """Inverse of the distribution function, the upper half mirrored."""
    a, beta = p["half_width"], p.get("beta", 0.0)
    lower = np.minimum(w[0], 1 - w[0])
    ramp = (1 - beta) / (2 * (1 + beta))
    on_ramp = -1 + np.sqrt(2 * (1 - beta**2) * lower)
    on_top = -beta + (lower - ramp) * (1 + beta)
    out: FloatArray = np.where(w[0] < 0.5, a, -a) * np.where(lower < ramp, on_ramp, on_top)
    return out


def _curvilinear(w: FloatArray, p: Parameters) -> FloatArray:
    width = p["half_width"] + p["inexactness"] * (2 * w[0] - 1)
    return np.asarray(width * (2 * w[1] - 1))


Draw = Callable[["FloatArray", Parameters], "FloatArray"]
_ABOUT_VALUE: dict[str, Draw] = {
    "normal": lambda w, p: p["u"] * normal(w[0]),
    "t": _t,
    "rectangular": lambda w, p: p["half_width"] * (2 * w[0] - 1),
    "uniform": lambda w, p: (p["high"] - p["low"]) * (w[0] - 0.5),
    "triangular": _trapezoid,
    "trapezoidal": _trapezoid,
    "arcsine": lambda w, p: p["half_width"] * np.cos(math.pi * w[0]),
    "curvilinear_trapezoid": _curvilinear,
}
_ABSOLUTE: dict[str, Draw] = {
    "exponential": lambda w, p: -p["mean"] * np.log(w[0]),
    "gamma": lambda w, p: p["scale"] * special.gammaincinv(p["shape"], w[0]),
    "beta": lambda w, p: special.betaincinv(p["alpha"], p["beta"], w[0]),
}


def draw(variable: Variable, w: FloatArray) -> FloatArray:
    """Turn uniform numbers into draws of one quantity.

    Parameters
    ----------
    variable : Variable
        The quantity.
    w : (variable.dimensions, n) array
        Uniform numbers, strictly between 0 and 1.

    Returns
    -------
    (n,) array
        Draws, unit of the value.

    Notes
    -----
    Source: JCGM 101:2008 6.4 and table 1.
    Checked against: tests/reference/distributions.toml.
    Limits: double precision.
    """
    value, u, dof = variable.estimate.value, variable.estimate.u, variable.estimate.dof
    name = variable.distribution
    if name in _ABSOLUTE:
        return _ABSOLUTE[name](w, variable.parameters)
    if name is not None:
        return value + _ABOUT_VALUE[name](w, variable.parameters)
    if u == 0:
        return np.full(w.shape[1], value)
    return value + u * (normal(w[0]) if math.isinf(dof) else _student(w, dof))
