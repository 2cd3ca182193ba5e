"""Reading a fitted polynomial: forward with its uncertainty, and backward.

This module must not know how the fit was made, nor hide that a point lies outside the data.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial import chebyshev

from calib.engine.bases import design_row, slope_row
from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.fit_types import Prediction
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from calib.engine.fit_types import PolynomialFit

    FloatArray = NDArray[np.float64]

_EDGE = 1e-9
MAX_COVARIANCE = 1000


def _rows(fit: PolynomialFit, x: FloatArray) -> FloatArray:
    return design_row((fit.x_low, fit.x_high), x, len(fit.basis), prop=fit.proportional)


def slope(fit: PolynomialFit, x: ArrayLike) -> FloatArray:
    """Give the derivative of the fitted curve at x.

    Notes
    -----
    Source: definition.
    Checked against: tests/reference/iso28037.toml.
    Limits: none.
    """
    xs = np.asarray(x, dtype=np.float64)
    rows = slope_row((fit.x_low, fit.x_high), xs, len(fit.basis), prop=fit.proportional)
    return np.asarray(rows @ fit.basis)


def _uncertain(name: str, u: ArrayLike, shape: tuple[int, ...]) -> FloatArray:
    """Check a standard uncertainty given with arguments."""
    us = np.asarray(u, dtype=np.float64)
    if us.shape not in ((), shape) or not np.all(np.isfinite(us)) or np.any(us < 0):
        msg = f"{name} must be one number, or one per value, and never negative."
        raise OutOfRange(msg, {"name": name})
    return np.broadcast_to(us, shape)


def predict(fit: PolynomialFit, x: ArrayLike, u_x: ArrayLike = 0.0) -> Prediction:
    """Value of the curve at x with its standard uncertainty.

    Parameters
    ----------
    fit : PolynomialFit
        From `leastsquares`.
    x : (n,) array_like
        Arguments, exact or with `u_x`.
    u_x : float or (n,) array_like
        Standard uncertainty of each new x, independent of the fit.

    Returns
    -------
    Prediction
        `u` of the fitted value, `u_single` of one new observation, covariance between values
        (up to 1000 of them).

    Raises
    ------
    OutOfRange
        A number is not finite or an uncertainty negative.

    Notes
    -----
    Source: ISO/TS 28037:2010 clause 11 (forward evaluation); GUM H.3.4.
    Checked against: tests/reference/iso28037.toml.
    Limits: extrapolates without saying so; `curves` flags it.
    """
    xs = np.atleast_1d(np.asarray(x, dtype=np.float64))
    require_finite("a prediction", x=xs)
    us = _uncertain("u_x", u_x, xs.shape)
    rows = _rows(fit, xs)
    y = rows @ fit.basis
    if fit.basis_covariance is None:
        return Prediction(xs, y, None)
    own = (slope(fit, xs) * us) ** 2
    spread = rows @ fit.basis_covariance
    u = np.sqrt(np.maximum(0.0, np.sum(spread * rows, axis=1) + own))
    single = None if fit.s_single is None else np.hypot(u, fit.s_single)
    covariance = spread @ rows.T + np.diag(own) if len(xs) <= MAX_COVARIANCE else None
    return Prediction(xs, y, u, single, covariance)


def _root(fit: PolynomialFit, y: float) -> float:
    """Find the one argument in the range of the data where the curve has the value y."""
    if fit.proportional or len(fit.basis) == 2:
        b = float(fit.parameters[-1])
        if b == 0:
            raise OutOfRange("The curve is level: no argument follows from a value.")
        start = 0.0 if fit.proportional else fit.origin
        a = 0.0 if fit.proportional else float(fit.parameters[0])
        return start + (y - a) / b
    shifted = fit.basis.copy()
    shifted[0] -= y
    z = chebyshev.chebroots(chebyshev.chebtrim(shifted))
    real = z[np.abs(z.imag) < _EDGE].real
    real = np.unique(np.round(real[np.abs(real) <= 1 + _EDGE], 12))
    if len(real) != 1:
        msg = (
            f"{len(real)} arguments in the calibrated range give the value {y}, not one."
            " Restrict the range or take another curve."
        )
        raise OutOfRange(msg, {"y": y, "roots": len(real)})
    half = (fit.x_high - fit.x_low) / 2
    return float(np.clip(fit.x_low + half * (1 + real[0]), fit.x_low, fit.x_high))


def invert(fit: PolynomialFit, y: ArrayLike, u_y: ArrayLike = 0.0) -> Prediction:
    """Argument at which the curve has the value y, with its standard uncertainty.

    Parameters
    ----------
    fit : PolynomialFit
        From `leastsquares`.
    y : (n,) array_like
        Values.
    u_y : float or (n,) array_like
        Standard uncertainty of each new y, independent of the fit.

    Returns
    -------
    Prediction
        `x`, with `u` its standard uncertainty.

    Raises
    ------
    OutOfRange
        No or more than one argument in the range, or the curve is level there.

    Notes
    -----
    Source: ISO/TS 28037:2010 clause 11 (inverse evaluation).
    Checked against: tests/reference/iso28037.toml.
    Limits: from degree 2 on only inside the range of the data.
    """
    ys = np.atleast_1d(np.asarray(y, dtype=np.float64))
    require_finite("an inverse evaluation", y=ys)
    us = _uncertain("u_y", u_y, ys.shape)
    x = np.array([_root(fit, float(v)) for v in ys])
    steep = slope(fit, x)
    flat = np.abs(steep) * (fit.x_high - fit.x_low) <= _EDGE * np.sum(np.abs(fit.basis[1:]))
    if len(fit.basis) > 2 and np.any(flat):
        raise OutOfRange("The curve is level at the argument found: its uncertainty is unbounded.")
    rows = _rows(fit, x)
    y_back = rows @ fit.basis
    if fit.basis_covariance is None:
        return Prediction(x, y_back, None)
    own = np.einsum("ij,jk,ik->i", rows, fit.basis_covariance, rows)
    return Prediction(x, y_back, np.sqrt(np.maximum(0.0, own) + us**2) / np.abs(steep))


def invert_readings(fit: PolynomialFit, readings: Sequence[ArrayLike]) -> Prediction:
    """Argument from repeated responses: y their mean, u(y) = s/sqrt(p) with s of the fit.

    Raises
    ------
    DegenerateData
        A list of readings is empty, or the fit has no residual standard deviation.

    Notes
    -----
    Source: ISO/TS 28037:2010 annex E.
    Checked against: tests/reference/iso28037.toml.
    Limits: equal scatter of calibration and new readings.
    """
    if fit.s_single is None:
        raise DegenerateData("The fit has no residual standard deviation in the unit of y.")
    series = [np.atleast_1d(np.asarray(r, dtype=np.float64)) for r in readings]
    if not series or any(not len(r) for r in series):
        raise DegenerateData("Each list of readings needs at least one.")
    u = [fit.s_single / math.sqrt(len(r)) for r in series]
    return invert(fit, [float(np.mean(r)) for r in series], u)
