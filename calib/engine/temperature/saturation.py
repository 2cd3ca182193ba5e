"""Saturation line of water: vapour pressure over liquid water and its inverse.

Used for dew points and steam; this module must not know hygrometers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from calib.engine.temperature.answers import Answer, FloatArray, outside, require, vector

LOW, HIGH = 273.15, 647.096
"""K; IAPWS-IF97 region 4."""
_N = (
    0.0, 0.11670521452767e4, -0.72421316703206e6, -0.17073846940092e2, 0.12020824702470e5,
    -0.32325550322333e7, 0.14915108613530e2, -0.48232657361591e4, 0.40511340542057e6,
    -0.23855557567849, 0.65017534844798e3,
)  # fmt: skip
"""Coefficients n_1 to n_10 [V2]; they reproduce the check values of the release digit by digit."""
_MPA = 1e6


def _slope(beta: FloatArray, theta: FloatArray, T: FloatArray) -> FloatArray:
    """Give dp/dT in Pa/K from the implicit equation in beta = p^(1/4) and theta."""
    n = _N
    by_theta = 2 * theta * (beta * (beta + n[3]) + n[6]) + beta * (n[1] * beta + n[4]) + n[7]
    by_beta = 2 * beta * (theta * (theta + n[1]) + n[2]) + theta * (n[3] * theta + n[4]) + n[5]
    with_T = 1 - n[9] / (T - n[10]) ** 2
    return -_MPA * 4 * beta**3 * by_theta / by_beta * with_T


def _theta(T: FloatArray) -> FloatArray:
    return T + _N[9] / (T - _N[10])


def saturation_pressure(T: ArrayLike) -> Answer:
    """Saturation vapour pressure over liquid water.

    Parameters
    ----------
    T : (n,) array_like, K
        Temperatures, 273.15 to 647.096.

    Returns
    -------
    Answer
        p in Pa and dp/dT in Pa/K.

    Raises
    ------
    OutOfRange
        A temperature outside the saturation line.

    Notes
    -----
    Source: IAPWS R7-97(2012) equation (30).
    Checked against: tests/reference/thermometry.toml.
    Limits: pure water; no enhancement factor of air, no ice.
    """
    n, x = _N, vector("T", T)
    require(~outside(x, LOW, HIGH, 1e-9), "T", x, "K is outside 273.15 K to 647.096 K.")
    theta = _theta(x)
    a = theta * (theta + n[1]) + n[2]
    b = theta * (n[3] * theta + n[4]) + n[5]
    c = theta * (n[6] * theta + n[7]) + n[8]
    beta = 2 * c / (-b + np.sqrt(b * b - 4 * a * c))
    return Answer(_MPA * beta**4, _slope(beta, theta, x), np.zeros(x.shape, bool))


_ENDS = (611.212, 22.064001e6)
"""Pa; the pressures of those temperatures, widened by their rounding."""


def saturation_temperature(p: ArrayLike) -> Answer:
    """Temperature at which liquid water has a saturation vapour pressure.

    Parameters
    ----------
    p : (n,) array_like, Pa
        Pressures, 611.213 Pa to 22.064 MPa.

    Returns
    -------
    Answer
        T in K and dT/dp in K/Pa.

    Raises
    ------
    OutOfRange
        A pressure outside the saturation line.

    Notes
    -----
    Source: IAPWS R7-97(2012) equation (31).
    Checked against: tests/reference/thermometry.toml.
    Limits: pure water; no enhancement factor of air, no ice.
    """
    n, x = _N, vector("p", p)
    said = f"Pa is outside {_ENDS[0]:.6g} Pa to {_ENDS[1]:.6g} Pa, the saturation line of water."
    require(~outside(x, *_ENDS), "p", x, said)
    beta = (x / _MPA) ** 0.25
    e = beta * (beta + n[3]) + n[6]
    f = beta * (n[1] * beta + n[4]) + n[7]
    g = beta * (n[2] * beta + n[5]) + n[8]
    theta = 2 * g / (-f - np.sqrt(f * f - 4 * e * g))
    T = (n[10] + theta - np.sqrt((n[10] + theta) ** 2 - 4 * (n[9] + n[10] * theta))) / 2
    return Answer(T, 1 / _slope(beta, _theta(T), T), np.zeros(x.shape, bool))
