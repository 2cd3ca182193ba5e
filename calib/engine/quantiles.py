"""Quantiles of the stated distributions, also deep in the tails.

Symmetric distributions are given by how far from the centre a tail of probability m begins; the
others by their lower and upper tails. This module must not know random numbers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from calib.engine.coverage import check_probability
from calib.engine.distributions import describe
from calib.engine.errors import OutOfRange
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]
    Tail = Callable[[FloatArray, Mapping[str, float]], FloatArray]

# Coefficients of AS 241, routine PPND16, rising powers.
_CENTRAL = (
    (3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
     1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
     3.3430575583588128105e4, 2.5090809287301226727e3),
    (1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
     2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4,
     5.2264952788528545610e3),
)  # fmt: skip
_NEAR = (
    (1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
     3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
     2.27238449892691845833e-2, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
     1.05075007164441684324e-9),
)  # fmt: skip
_FAR = (
    (6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
     2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
     2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
     2.04426310338993978564e-15),
)  # fmt: skip
_EDGE = 0.425
_NORMAL_FROM = 1e10
"""From so many degrees of freedom on t is normal to double precision."""


def _ratio(pair: tuple[tuple[float, ...], tuple[float, ...]], r: FloatArray) -> FloatArray:
    top, bottom = (np.polynomial.polynomial.polyval(r, c) for c in pair)
    return np.asarray(top / bottom)


def normal_tail(m: ArrayLike) -> FloatArray:
    """How far above 0 a standard normal tail of probability m begins.

    Parameters
    ----------
    m : array_like
        Tail probabilities, above 0 and at most 1/2.

    Returns
    -------
    array
        Not negative.

    Notes
    -----
    Source: M. J. Wichura, algorithm AS 241 (PPND16), Applied Statistics 37 (1988) 477.
    Checked against: tests/reference/distributions.toml.
    Limits: relative error about 1e-16 by its author, a few units of the last place here.
    """
    tail = np.asarray(m, dtype=np.float64)
    q = 0.5 - tail
    r = np.sqrt(-np.log(tail))
    outer = np.where(r <= 5, _ratio(_NEAR, r - 1.6), _ratio(_FAR, r - 5.0))
    return np.where(q <= _EDGE, q * _ratio(_CENTRAL, _EDGE**2 - q * q), outer)


def _t_tail(m: FloatArray, p: Mapping[str, float]) -> FloatArray:
    nu = p["dof"]
    scale = p["scale"] if "scale" in p else p["u"]
    if nu > _NORMAL_FROM:
        return scale * normal_tail(m)
    if "u" in p:
        scale *= math.sqrt((nu - 2) / nu)
    return np.asarray(-scale * special.stdtrit(nu, m))


def _trapezoid_tail(m: FloatArray, p: Mapping[str, float]) -> FloatArray:
    a, beta = p["half_width"], p.get("beta", 0.0)
    ramp = (1 - beta) / (2 * (1 + beta))
    on_ramp = 1 - np.sqrt(2 * (1 - beta**2) * m)
    on_top = beta - (m - ramp) * (1 + beta)
    return np.asarray(a * np.where(m < ramp, on_ramp, on_top))


def _curvilinear_tail(m: FloatArray, p: Mapping[str, float]) -> FloatArray:
    """Flat inside; outside x = (a + d) s with 1 - s + s ln s = 4 d m/(a + d)."""
    a, d = p["half_width"], p["inexactness"]
    if d == 0:
        return a * (1 - 2 * m)
    c = 4 * d * m / (a + d)
    # s = exp(1 + W), W the lower branch of Lambert's function; near s = 1 its root is lost.
    s = np.exp(1 + special.lambertw((c - 1) / math.e, -1).real)
    root = np.sqrt(2 * c)
    s = np.where(c < 1e-4, 1 - root + c / 3 + root * c / 36, s)
    with np.errstate(divide="ignore", invalid="ignore"):
        s = np.where(s > 0, s - (1 - s + special.xlogy(s, s) - c) / np.log(s), 0.0)
    s = np.where(c == 0, 1.0, s)
    outer = (a + d) * s
    if a == d:
        return np.asarray(outer)
    height = math.atanh(d / a) / (2 * d)
    return np.asarray(np.where(outer > a - d, outer, (0.5 - m) / height))


_SYMMETRIC: dict[str, Tail] = {
    "normal": lambda m, p: p["u"] * normal_tail(m),
    "t": _t_tail,
    "rectangular": lambda m, p: p["half_width"] * (1 - 2 * m),
    "uniform": lambda m, p: (p["high"] - p["low"]) * (0.5 - m),
    "triangular": _trapezoid_tail,
    "trapezoidal": _trapezoid_tail,
    "arcsine": lambda m, p: p["half_width"] * np.cos(math.pi * m),
    "curvilinear_trapezoid": _curvilinear_tail,
}
_SKEW: dict[str, tuple[Tail, Tail]] = {
    "exponential": (
        lambda m, p: np.asarray(special.xlog1py(-p["mean"], -m), dtype=np.float64),
        lambda m, p: np.asarray(special.xlogy(-p["mean"], m), dtype=np.float64),
    ),
    "gamma": (
        lambda m, p: np.asarray(p["scale"] * special.gammaincinv(p["shape"], m)),
        lambda m, p: np.asarray(p["scale"] * special.gammainccinv(p["shape"], m)),
    ),
    "beta": (
        lambda m, p: special.betaincinv(p["alpha"], p["beta"], m),
        lambda m, p: special.betainccinv(p["alpha"], p["beta"], m),
    ),
}


def tails(name: str, parameters: Mapping[str, float]) -> tuple[
    Callable[[FloatArray], FloatArray], Callable[[FloatArray], FloatArray] | None
]:  # fmt: skip
    """Where the tails of probability m begin: upper, and lower unless symmetric about the value.

    Parameters
    ----------
    name : str
        Of a distribution, see `distributions.PARAMETERS`.
    parameters : mapping of str to float
        Its parameters.

    Returns
    -------
    tuple
        For a symmetric distribution the distance from the centre and ``None``; otherwise the
        quantity itself at the upper and at the lower tail.

    Raises
    ------
    OutOfRange
        Unknown name or impossible parameters.

    Notes
    -----
    Source: JCGM 101:2008 6.4.
    Checked against: tests/reference/distributions.toml.
    Limits: 0 < m <= 1/2.
    """
    describe(name, parameters)
    if name in _SKEW:
        lower, upper = _SKEW[name]
        return (lambda m: upper(m, parameters)), (lambda m: lower(m, parameters))
    symmetric = _SYMMETRIC[name]
    return (lambda m: symmetric(m, parameters)), None


def quantile(
    name: str, p: float, parameters: Mapping[str, float], value: float | None = None
) -> float:
    """Quantile of a stated distribution.

    Parameters
    ----------
    name : str
        One of `distributions.PARAMETERS`.
    p : float
        Probability, between 0 and 1.
    parameters : mapping of str to float
        Of the distribution.
    value : float, optional
        Centre of a distribution whose parameters do not fix it; default 0.

    Returns
    -------
    float
        The number not exceeded with probability p, unit of the value.

    Raises
    ------
    OutOfRange
        Unknown name, impossible parameters or probability, a t distribution stated by a
        standard deviation it does not have, or a quantile beyond double precision.

    Notes
    -----
    Source: JCGM 101:2008 6.4 and annex D (C.2); inverse distribution functions.
    Checked against: tests/reference/distributions.toml.
    Limits: about 1e-13 relative, for beta and gamma as good as SciPy's inverses.

    Examples
    --------
    >>> round(quantile("normal", 0.975, {"u": 1}), 6)
    1.959964
    """
    check_probability(p, "probability")
    upper, lower = tails(name, parameters)
    if name == "t" and "u" in parameters:
        require_variance(parameters["dof"])
    known = describe(name, parameters).mean
    m = np.array(min(p, 1 - p))
    with np.errstate(over="ignore"):  # refused below
        if lower is not None:
            found = float(upper(m) if p > 0.5 else lower(m))
        else:
            centre = known if known is not None else (value or 0.0)
            found = centre + math.copysign(float(upper(m)), p - 0.5)
    require_finite(f"distribution {name}", quantile=found)
    return found


def require_variance(dof: float) -> None:
    """Refuse degrees of freedom with which a t distribution has no standard deviation.

    Raises
    ------
    OutOfRange
        2 or fewer.

    Notes
    -----
    Source: JCGM 101:2008 6.4.9.2.
    Checked against: tests/reference/distributions.toml.
    Limits: none.
    """
    if dof <= 2:
        msg = "A t distribution stated by its standard deviation needs more than 2 dof."
        raise OutOfRange(msg, {"dof": dof})
