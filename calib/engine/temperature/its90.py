"""Reference functions of the ITS-90 for platinum thermometers, and their inverses.

W_r(T) is that of an ideal thermometer; what a real one adds stands in `platinum`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from calib.engine.temperature.answers import (
    ZERO_CELSIUS,
    Answer,
    FloatArray,
    Slope,
    outside,
    polynomial,
    require,
    solve,
    vector,
)
from calib.engine.temperature.its90_constants import FIXED_POINTS, A, B, C, D

LOW, HIGH = FIXED_POINTS["e-H2"], FIXED_POINTS["Ag"]
TRIPLE_POINT = FIXED_POINTS["H2O"]
_SLACK = 0.01
"""K by which a rounded ratio at an end of the scale may lead outside; flagged."""
_EXACT = 1e-6
"""K lost by converting between degC and K; neither refused nor flagged."""


def _cold(T: FloatArray) -> Slope:
    ln, slope = polynomial(A, (np.log(T / TRIPLE_POINT) + 1.5) / 1.5)
    W = np.exp(ln)
    return W, W * slope / (1.5 * T)


def _warm(T: FloatArray) -> Slope:
    W, slope = polynomial(C, (T - 754.15) / 481)
    return W, slope / 481


def _reference(T: FloatArray) -> Slope:
    W, slope = _warm(T)
    cold = T < TRIPLE_POINT
    W[cold], slope[cold] = _cold(T[cold])
    return W, slope


_LEAST, _TRIPLE, _MOST = _reference(np.array([LOW - _SLACK, TRIPLE_POINT, HIGH + _SLACK]))[0]


def reference_ratio(T: ArrayLike) -> Answer:
    """Resistance ratio W_r of the reference function.

    Parameters
    ----------
    T : (n,) array_like, K
        Temperatures on the ITS-90, 13.8033 K to 1234.93 K.

    Returns
    -------
    Answer
        W_r and dW_r/dT in 1/K.

    Raises
    ------
    OutOfRange
        A temperature outside the range of platinum thermometers.

    Notes
    -----
    Source: ITS-90 (Metrologia 27 (1990) 3) equations (9a) and (10a).
    Checked against: tests/reference/thermometry.toml.
    Limits: the two functions meet at 273.16 K with a step of 5e-9 (1.3 uK); the lower one holds
    below.

    Examples
    --------
    >>> round(float(reference_ratio(302.9146).values[0]), 8)
    1.11813889
    """
    x = vector("T", T)
    said = "K is outside 13.8033 K to 1234.93 K, the range of platinum thermometers on the ITS-90."
    require(~outside(x, LOW, HIGH, _EXACT), "T", x, said)
    return Answer(*_reference(x), np.zeros(x.shape, bool))


def _check_ratio(W: ArrayLike) -> FloatArray:
    x = vector("W", W)
    said = "is outside the range of platinum thermometers on the ITS-90 (13.8033 K to 1234.93 K)."
    require(~outside(x, _LEAST, _MOST), "W_r", x, said)
    return x


def _approximate(W: FloatArray) -> Slope:
    t, slope = polynomial(D, (W - 2.64) / 1.64)
    T, slope = ZERO_CELSIUS + t, slope / 1.64
    cold = W < _TRIPLE
    sixth = W[cold] ** (1 / 6)
    value, by_sixth = polynomial(B, (sixth - 0.65) / 0.35)
    T[cold] = TRIPLE_POINT * value
    slope[cold] = TRIPLE_POINT * by_sixth / 0.35 * sixth / (6 * W[cold])
    return T, slope


def approximate_temperature(W: ArrayLike) -> Answer:
    """Temperature from W_r by the published inverse polynomials.

    Parameters
    ----------
    W : (n,) array_like
        Ratios W_r.

    Returns
    -------
    Answer
        T in K and dT/dW_r in K.

    Raises
    ------
    OutOfRange
        A ratio outside the range of platinum thermometers.

    Notes
    -----
    Source: ITS-90 (Metrologia 27 (1990) 3) equations (9b) and (10b).
    Checked against: tests/reference/thermometry.toml.
    Limits: an approximation within 0.1 mK below and 0.13 mK above 0 degC; `reference_temperature`
    is exact.
    """
    x = _check_ratio(W)
    T, slope = _approximate(x)
    return Answer(T, slope, outside(T, LOW, HIGH, _SLACK))


def reference_temperature(W: ArrayLike) -> Answer:
    """Temperature from W_r, solved on the reference function itself.

    Parameters
    ----------
    W : (n,) array_like
        Ratios W_r.

    Returns
    -------
    Answer
        T in K and dT/dW_r in K.

    Raises
    ------
    OutOfRange
        A ratio outside the range of platinum thermometers.

    Notes
    -----
    Source: ITS-90 (Metrologia 27 (1990) 3) equations (9a) and (10a), by Newton's method.
    Checked against: tests/reference/thermometry.toml.
    Limits: 13.8033 K to 1234.93 K; a rounded ratio may lead 10 mK outside.
    """
    x = _check_ratio(W)
    T = _approximate(x)[0]
    slope = np.empty_like(T)
    cold = x < _TRIPLE
    for part, curve in ((cold, _cold), (~cold, _warm)):
        T[part] = solve(curve, x[part], T[part])
        slope[part] = 1 / curve(T[part])[1]
    return Answer(T, slope, outside(T, LOW, HIGH, _SLACK))
