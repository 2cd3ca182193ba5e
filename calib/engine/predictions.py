"""Reading a fitted curve: forward with its uncertainty, and backward.

This module must not know how the fit was made, nor hide that a point lies outside the data.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial import chebyshev

from calib.engine.bases import design_row, slope_row
from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.fit_types import PolynomialFit, Prediction
from calib.engine.models import ModelFit
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

_EDGE = 1e-9
_MARGIN = 0.1
MAX_COVARIANCE = 1000
_GRID = 513


def _read(fit: PolynomialFit | ModelFit, x: FloatArray) -> tuple[FloatArray, ...]:
    """Value (n,), derivatives by inner parameters (n, p) and by x (v, n), at x (v, n)."""
    if isinstance(fit, ModelFit):
        return fit.model.slopes(x, fit.parameters)
    rows = design_row((fit.x_low, fit.x_high), x[0], len(fit.basis), prop=fit.proportional)
    return rows @ fit.basis, rows, slope(fit, x[0])[None]


def _covariance(fit: PolynomialFit | ModelFit) -> FloatArray | None:
    """Covariance of the inner parameters."""
    return fit.covariance if isinstance(fit, ModelFit) else fit.basis_covariance


def _outside(fit: PolynomialFit | ModelFit, x: FloatArray) -> tuple[bool, ...]:
    """Which arguments (v, n) lie outside the range of the data."""
    low, high = np.reshape(fit.x_low, (-1, 1)), np.reshape(fit.x_high, (-1, 1))
    return tuple(np.any((x < low) | (x > high), axis=0).tolist())


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
    known = us.shape in ((), shape, shape[-1:])
    if not known or not np.all(np.isfinite(us)) or np.any(us < 0):
        msg = f"{name} must be one number, or one per value, and never negative."
        raise OutOfRange(msg, {"name": name})
    return np.broadcast_to(us, shape)


def predict(fit: PolynomialFit | ModelFit, x: ArrayLike, u_x: ArrayLike = 0.0) -> Prediction:
    """Value of the curve at x with its standard uncertainty.

    Parameters
    ----------
    fit : PolynomialFit or ModelFit
        A fitted curve.
    x : (n,) or (v, n) array_like
        Arguments, exact or with `u_x`.
    u_x : float, (n,) or (v, n) array_like
        Standard uncertainty of each new x, independent of the fit.

    Returns
    -------
    Prediction
        `u` of the fitted value, `u_single` of one new observation, covariance between values
        (up to 1000 of them), and which arguments lie outside the data.

    Raises
    ------
    OutOfRange
        A number is not finite or an uncertainty negative.

    Notes
    -----
    Source: ISO/TS 28037:2010 clause 11 (forward evaluation); GUM H.3.4.
    Checked against: tests/reference/iso28037.toml.
    Limits: outside the data the figures are an extrapolation and flagged as such.
    """
    xs = np.atleast_1d(np.asarray(x, dtype=np.float64))
    require_finite("a prediction", x=xs)
    at = xs if xs.ndim == 2 else xs[None]
    if at.shape[0] != np.size(fit.x_low):
        raise OutOfRange(f"Give {np.size(fit.x_low)} lists of arguments, one for each variable.")
    us = _uncertain("u_x", u_x, at.shape)
    y, rows, slopes = _read(fit, at)
    outside, inner = _outside(fit, at), _covariance(fit)
    if inner is None:
        return Prediction(xs, y, None, extrapolated=outside)
    own = np.sum((slopes * us) ** 2, axis=0)
    spread = rows @ inner
    u = np.sqrt(np.maximum(0.0, np.sum(spread * rows, axis=1) + own))
    single = None if fit.s_single is None else np.hypot(u, fit.s_single)
    covariance = spread @ rows.T + np.diag(own) if len(y) <= MAX_COVARIANCE else None
    return Prediction(xs, y, u, single, covariance, outside)


def _straight(fit: PolynomialFit, y: float) -> float:
    """Invert a line, also outside the data."""
    b = float(fit.parameters[-1])
    if b == 0:
        raise OutOfRange("The curve is level: no argument follows from a value.")
    start = 0.0 if fit.proportional else fit.origin
    a = 0.0 if fit.proportional else float(fit.parameters[0])
    return start + (y - a) / b


def _polynomial_roots(fit: PolynomialFit, y: float, margin: float) -> FloatArray:
    """Find all arguments with the value y, up to a margin outside the data."""
    shifted = fit.basis.copy()
    shifted[0] -= y
    z = chebyshev.chebroots(chebyshev.chebtrim(shifted))
    real = z[np.abs(z.imag) < _EDGE].real
    real = np.unique(np.round(real[np.abs(real) <= 1 + margin], 12))
    half = (fit.x_high - fit.x_low) / 2
    x = fit.x_low + half * (1 + real)
    return np.asarray(np.clip(x, fit.x_low, fit.x_high) if margin <= _EDGE else x)


def _model_roots(fit: ModelFit, y: float, margin: float) -> FloatArray:
    """Find all arguments with the value y by changes of sign on a grid, then by bisection."""
    low, high = float(fit.x_low[0]), float(fit.x_high[0])
    wide = (high - low) * (margin if margin > _EDGE else 0.0) / 2
    x = np.linspace(low - wide, high + wide, _GRID)
    off = _differences(fit, x, y)
    # a value at the very end of the range may miss it by rounding
    near = np.abs(off) <= 1e-12 * (abs(y) + np.max(np.abs(off)))
    off[near] = 0.0
    left = np.flatnonzero(off[:-1] * off[1:] < 0)
    a, b = x[left], x[left + 1]
    rising = off[left] < 0
    for _ in range(60):
        middle = (a + b) / 2
        below = (_differences(fit, middle, y) < 0) == rising
        a, b = np.where(below, middle, a), np.where(below, b, middle)
    return np.concatenate([(a + b) / 2, x[off == 0]])


def _differences(fit: ModelFit, x: FloatArray, y: float) -> FloatArray:
    return fit.model.value(x[None], fit.parameters) - y


def _root(fit: PolynomialFit | ModelFit, y: float) -> float:
    """Find the one argument in the range of the data, or close to it, with the value y."""
    roots = np.zeros(0)
    for margin in (_EDGE, 2 * _MARGIN):
        if isinstance(fit, ModelFit):
            roots = _model_roots(fit, y, margin)
        else:
            roots = _polynomial_roots(fit, y, margin)
        if len(roots):
            break
    if len(roots) != 1:
        msg = (
            f"{len(roots)} arguments in the calibrated range give the value {y}, not one."
            " Restrict the range or take another curve."
        )
        raise OutOfRange(msg, {"y": y, "roots": len(roots)})
    return float(roots[0])


def invert(fit: PolynomialFit | ModelFit, y: ArrayLike, u_y: ArrayLike = 0.0) -> Prediction:
    """Argument at which the curve has the value y, with its standard uncertainty.

    Parameters
    ----------
    fit : PolynomialFit or ModelFit
        A fitted curve over one variable.
    y : (n,) array_like
        Values.
    u_y : float or (n,) array_like
        Standard uncertainty of each new y, independent of the fit.

    Returns
    -------
    Prediction
        `x`, with `u` its standard uncertainty, and which x lie outside the data.

    Raises
    ------
    OutOfRange
        No or more than one argument in the range, or the curve is level there.

    Notes
    -----
    Source: ISO/TS 28037:2010 clause 11 (inverse evaluation).
    Checked against: tests/reference/iso28037.toml.
    Limits: but for lines, at most a tenth of the range outside the data, and flagged there.
    """
    ys = np.atleast_1d(np.asarray(y, dtype=np.float64))
    require_finite("an inverse evaluation", y=ys)
    us = _uncertain("u_y", u_y, ys.shape)
    if np.size(fit.x_low) != 1:
        raise OutOfRange("A curve over several variables has no inverse.")
    line = isinstance(fit, PolynomialFit) and (fit.proportional or len(fit.basis) == 2)
    x = np.array([_straight(fit, float(v)) if line else _root(fit, float(v)) for v in ys])  # type: ignore[arg-type]
    y_back, rows, slopes = _read(fit, x[None])
    steep = np.abs(slopes[0])
    if not line and np.any(_flat(fit, steep)):
        raise OutOfRange("The curve is level at the argument found: its uncertainty is unbounded.")
    outside, inner = _outside(fit, x[None]), _covariance(fit)
    if inner is None:
        return Prediction(x, y_back, None, extrapolated=outside)
    own = np.einsum("ij,jk,ik->i", rows, inner, rows)
    u = np.sqrt(np.maximum(0.0, own) + us**2) / steep
    return Prediction(x, y_back, u, extrapolated=outside)


def _flat(fit: PolynomialFit | ModelFit, steep: FloatArray) -> NDArray[np.bool_]:
    """Whether the curve is level, measured by its rise over the whole range."""
    if isinstance(fit, PolynomialFit):
        rise = float(np.sum(np.abs(fit.basis[1:])))
        return np.asarray(steep * (fit.x_high - fit.x_low) <= _EDGE * rise)
    x = np.linspace(fit.x_low[0], fit.x_high[0], _GRID)
    width = float(fit.x_high[0] - fit.x_low[0])
    return np.asarray(steep * width <= _EDGE * np.ptp(fit.model.value(x[None], fit.parameters)))


def invert_readings(fit: PolynomialFit | ModelFit, readings: Sequence[ArrayLike]) -> Prediction:
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
