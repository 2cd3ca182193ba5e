"""Reading a fitted curve: forward with its uncertainty, and backward.

This module must not know how the fit was made, nor hide that a point lies outside the data.
"""

from __future__ import annotations

import contextlib
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
_BISECTIONS = 60


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
    low, high = np.atleast_1d(fit.x_low)[:, None], np.atleast_1d(fit.x_high)[:, None]
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
    known = us.shape in ((), shape, shape[1:])
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


def _straight(fit: PolynomialFit, y: FloatArray) -> FloatArray:
    """Invert a line, also outside the data."""
    start, _, slopes = _read(fit, np.array([[fit.x_low]]))
    if not slopes[0, 0]:
        raise OutOfRange("The curve is level: no argument follows from a value.")
    return np.asarray(fit.x_low + (y - start) / slopes[0])


def _polynomial_roots(fit: PolynomialFit, y: float, margin: float) -> FloatArray:
    """Find all arguments with the value y, up to a margin outside the data."""
    shifted = fit.basis.copy()
    shifted[0] -= y
    z = chebyshev.chebroots(chebyshev.chebtrim(shifted))
    real = z[np.abs(z.imag) < _EDGE].real
    real = np.unique(np.round(real[np.abs(real) <= 1 + 2 * margin], 12))
    return np.asarray(fit.x_low + (fit.x_high - fit.x_low) / 2 * (1 + real))


def _model_roots(fit: ModelFit, y: float, margin: float) -> FloatArray:
    """Find all arguments with the value y in the range, or within a margin on either side of it."""
    low, high = _ends(fit)
    if not margin:
        return _between(fit, y, low, high)
    wide, found = (high - low) * margin, []
    for start, end in ((low - wide, low), (high, high + wide)):
        # where the function ends beyond the data there is nothing to find
        with contextlib.suppress(OutOfRange):
            found.append(_between(fit, y, start, end))
    return np.concatenate([np.zeros(0), *found])


def _between(fit: ModelFit, y: float, low: float, high: float) -> FloatArray:
    """Find all arguments with the value y by changes of sign on a grid, then by bisection."""
    x = np.linspace(low, high, _GRID)
    off = _differences(fit, x, y)
    left = np.flatnonzero(off[:-1] * off[1:] < 0)
    a, b = x[left], x[left + 1]
    rising = off[left] < 0
    for _ in range(_BISECTIONS):
        middle = (a + b) / 2
        below = (_differences(fit, middle, y) < 0) == rising
        a, b = np.where(below, middle, a), np.where(below, b, middle)
    crossed = np.abs(_differences(fit, a, y)) <= np.abs(off[left])  # a pole changes sign too
    return np.concatenate([a[crossed], np.unique(x[off == 0])])


def _differences(fit: ModelFit, x: FloatArray, y: float) -> FloatArray:
    return fit.model.value(x[None], fit.parameters) - y


def _roots(fit: PolynomialFit | ModelFit, y: float, margin: float) -> FloatArray:
    find = _model_roots if isinstance(fit, ModelFit) else _polynomial_roots
    return find(fit, y, margin)  # type: ignore[arg-type]


def _root(fit: PolynomialFit | ModelFit, y: float) -> float:
    """Find the one argument in the range of the data, or close to it, with the value y."""
    # a value at the very end of the range may miss it by rounding
    found = (_roots(fit, y, margin) for margin in (0.0, _EDGE, _MARGIN))
    roots = next((some for some in found if len(some)), np.zeros(0))
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
    x = _straight(fit, ys) if line else np.array([_root(fit, float(v)) for v in ys])  # type: ignore[arg-type]
    x = _settled(fit, x)
    y_back, rows, slopes = _read(fit, x[None])
    steep = np.abs(slopes[0])
    if np.any(_flat(fit, steep)):
        raise OutOfRange("The curve is level at the argument found: its uncertainty is unbounded.")
    outside, inner = _outside(fit, x[None]), _covariance(fit)
    if inner is None:
        return Prediction(x, y_back, None, extrapolated=outside)
    own = np.einsum("ij,jk,ik->i", rows, inner, rows)
    u = np.sqrt(np.maximum(0.0, own) + us**2) / steep
    return Prediction(x, y_back, u, extrapolated=outside)


def _ends(fit: PolynomialFit | ModelFit) -> FloatArray:
    """Range of the data of a fit over one variable."""
    return np.ravel([fit.x_low, fit.x_high])


def _settled(fit: PolynomialFit | ModelFit, x: FloatArray) -> FloatArray:
    """Move onto the end of the range what misses it by rounding only."""
    low, high = _ends(fit)
    inside = np.clip(x, low, high)
    return np.where(np.abs(x - inside) <= _EDGE * (high - low), inside, x)


def _flat(fit: PolynomialFit | ModelFit, steep: FloatArray) -> NDArray[np.bool_]:
    """Whether the curve is level, measured by its rise over the whole range."""
    low, high = _ends(fit)
    rise = np.ptp(_read(fit, np.linspace(low, high, _GRID)[None])[0])
    return np.asarray(steep * (high - low) < _EDGE * rise)


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
