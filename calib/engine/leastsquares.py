"""Polynomials by ordinary, weighted and generalised least squares, x taken as exact.

Computed in Chebyshev polynomials on the range of the data, so high degrees and far origins
stay accurate; reported in powers of (x - origin). No covariance is ever rescaled unless
asked for, except where no uncertainty of y is given at all. This module must not know
instruments or what the curve is used for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg, special

from calib.engine.bases import (
    convert_covariance,
    convert_parameters,
    design_row,
    to_powers,
)
from calib.engine.errors import DegenerateData, OutOfRange, SingularFit
from calib.engine.fit_types import PolynomialFit
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

MAX_DEGREE = 12
_SINGULAR = 1e-13


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """Checked data of a fit."""

    x: FloatArray
    y: FloatArray
    low: float
    high: float
    u_y: FloatArray | None
    whiten: FloatArray | None  # lower Cholesky factor of cov_y


def check_data(x: ArrayLike, y: ArrayLike, u_y: ArrayLike | None, cov_y: ArrayLike | None) -> Data:
    """Refuse data that make no fit."""
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if xs.ndim != 1 or xs.shape != ys.shape or not len(xs):
        msg = f"x and y must be lists of the same length, got {xs.shape} and {ys.shape}."
        raise DegenerateData(msg, {"x": str(xs.shape), "y": str(ys.shape)})
    if u_y is not None and cov_y is not None:
        raise DegenerateData("Give u_y or cov_y, not both.")
    require_finite("a fit", x=xs, y=ys)
    us = factor = None
    if u_y is not None:
        given = np.asarray(u_y, dtype=np.float64)
        if given.shape not in ((), xs.shape):
            raise DegenerateData("u_y must be one number or as long as y.")
        us = np.broadcast_to(given, xs.shape)
        if not np.all((us > 0) & np.isfinite(us)):
            raise DegenerateData("Each u_y must be a positive number.")
    if cov_y is not None:
        factor = _factor(np.asarray(cov_y, dtype=np.float64), len(ys))
    return Data(xs, ys, float(xs.min()), float(xs.max()), us, factor)


def _factor(v: FloatArray, n: int) -> FloatArray:
    """Lower Cholesky factor of a covariance matrix."""
    if v.shape != (n, n) or not np.all(np.isfinite(v)) or not np.allclose(v, v.T, rtol=1e-9):
        raise DegenerateData("cov_y must be a symmetric matrix of finite numbers, as long as y.")
    try:
        return np.asarray(np.linalg.cholesky(v), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise SingularFit("cov_y is not positive definite: no weights follow from it.") from None


def _white(data: Data, a: FloatArray) -> FloatArray:
    """Divide by the uncertainties (or the Cholesky factor) of y."""
    if data.u_y is not None:
        return a / (data.u_y if a.ndim == 1 else data.u_y[:, None])
    if data.whiten is not None:
        return np.asarray(linalg.solve_triangular(data.whiten, a, lower=True))
    return a


def _solve(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Least squares by QR with refinement: coefficients, inverse of R, projector Q."""
    factors = np.linalg.qr(a)
    q, r = np.asarray(factors[0]), np.asarray(factors[1])
    d = np.abs(np.diag(r))
    if not np.all(d > _SINGULAR * d.max()):
        msg = "The points do not determine the curve. Use more different x or a lower degree."
        raise SingularFit(msg, {"rank": int(np.sum(d > _SINGULAR * d.max()))})
    inverse: FloatArray = np.asarray(linalg.solve_triangular(r, np.eye(len(r))))
    c = inverse @ (q.T @ b)
    for _ in range(2):
        rest = np.asarray(b.astype(np.longdouble) - a.astype(np.longdouble) @ c, dtype=np.float64)
        c = c + inverse @ (q.T @ rest)
    return c, inverse, q


def fit_polynomial(  # noqa: PLR0913  (each option has a name)
    x: ArrayLike,
    y: ArrayLike,
    degree: int = 1,
    *,
    u_y: ArrayLike | None = None,
    cov_y: ArrayLike | None = None,
    origin: float = 0.0,
    proportional: bool = False,
    scale_by_residuals: bool = False,
    weighted: bool = True,
    u_y_common: float = 0.0,
    names: tuple[str, ...] | None = None,
) -> PolynomialFit:
    """Fit y = b0 + b1 (x - x0) + ... with x taken as exact.

    Parameters
    ----------
    x, y : (n,) array_like
        Data; n at least the number of parameters, x different enough.
    degree : int
        0 to 12.
    u_y : float or (n,) array_like, optional
        Standard uncertainties of y, positive, uncorrelated.
    cov_y : (n, n) array_like, optional
        Covariance of y instead of `u_y`.
    origin : float
        x0 of the reported parameters.
    proportional : bool
        y = b x through the origin (degree 1, origin 0).
    scale_by_residuals : bool
        Multiply the covariance by chi2/dof; without `u_y` and `cov_y` this always happens.
    weighted : bool
        False: the estimate is unweighted, uncertainties are only propagated through it.
    u_y_common : float
        Standard uncertainty of an error common to all y, added after the fit.
    names : tuple of str, optional
        Parameter names; default b0, b1, ...

    Returns
    -------
    PolynomialFit
        Parameters, covariance and what is needed to predict.

    Raises
    ------
    DegenerateData
        Fewer points than parameters, or figures that make no fit.
    SingularFit
        The points do not determine the curve, or `cov_y` is no covariance.

    Notes
    -----
    Source: ISO/TS 28037:2010 clauses 6 and 9; ISO/TS 28038:2018; GUM H.3.
    Checked against: tests/reference/iso28037.toml.
    Limits: uncertainty of x is ignored here.
    """
    data = check_data(x, y, u_y, cov_y)
    p = 1 if proportional else degree + 1
    check_order(data, p, degree, origin, u_y_common, prop=proportional)
    a = design_row((data.low, data.high), data.x, p, prop=proportional)
    known = data.u_y is not None or data.whiten is not None
    aw, yw = _white(data, a), _white(data, data.y)
    used, target = (aw, yw) if weighted else (a, data.y)
    c, inverse, q = _solve(used, target)
    estimator = inverse @ _transpose_white(data, q, weighted=weighted)
    white_rest = yw - aw @ c
    chi2, dof = float(white_rest @ white_rest), len(data.y) - p
    cov = inverse @ inverse.T if weighted or not known else _propagated(data, estimator)
    s = math.sqrt(chi2 / dof) if dof else None
    inner = cov if known and not scale_by_residuals else scaled(cov, s)
    matrix = to_powers((data.low, data.high), p, origin, prop=proportional)
    common = estimator @ np.ones(len(data.y)) * u_y_common
    type_a = not known or scale_by_residuals
    outer, nu = convert_covariance(matrix, inner, common, dof if type_a else math.inf)
    critical = float(special.chdtri(dof, 0.05)) if known and dof else None
    return PolynomialFit(
        names=names or tuple(f"b{i}" for i in range(p)),
        parameters=convert_parameters(matrix, c),
        covariance=outer,
        chi2=chi2,
        dof=dof,
        s=s,
        s_single=_single(data, s),
        chi2_critical=critical,
        consistent=None if critical is None else chi2 <= critical,
        r_squared=_r_squared(data, chi2, proportional=proportional),
        residuals=data.y - a @ c,
        leave_one_out=_leave_one_out(data, used, q, data.y - a @ c, weighted=weighted),
        x_low=data.low,
        x_high=data.high,
        origin=origin,
        parameter_dof=nu,
        basis=c,
        basis_covariance=None if inner is None else inner + np.outer(common, common),
        proportional=proportional,
    )


def fit_line(
    x: ArrayLike,
    y: ArrayLike,
    u_y: ArrayLike | None = None,
    *,
    cov_y: ArrayLike | None = None,
    origin: float = 0.0,
    scale_by_residuals: bool = False,
    weighted: bool = True,
    u_y_common: float = 0.0,
) -> PolynomialFit:
    """Fit y = a + b (x - x0); see `fit_polynomial` for the arguments.

    Returns
    -------
    PolynomialFit
        With parameters ``a`` and ``b``.

    Raises
    ------
    DegenerateData
        Fewer than two points, or all x equal.

    Notes
    -----
    Source: ISO/TS 28037:2010, clause 6 and annex E; GUM (JCGM 100:2008) H.3.
    Checked against: tests/reference/iso28037.toml.
    Limits: uncertainty of x is ignored here.

    Examples
    --------
    >>> f = fit_line([0, 1, 2, 3], [1.0, 3.1, 4.9, 7.0], [0.1] * 4)
    >>> [round(float(v), 3) for v in f.parameters], f.dof
    ([1.03, 1.98], 2)
    """
    return fit_polynomial(
        x,
        y,
        1,
        u_y=u_y,
        cov_y=cov_y,
        origin=origin,
        scale_by_residuals=scale_by_residuals,
        weighted=weighted,
        u_y_common=u_y_common,
        names=("a", "b"),
    )


def check_order(
    data: Data, p: int, degree: int, origin: float, common: float, *, prop: bool
) -> None:
    """Refuse degrees and options that do not fit the data."""
    if not 0 <= degree <= MAX_DEGREE or (prop and (degree != 1 or origin != 0)):
        msg = f"The degree must be 0 to {MAX_DEGREE} (proportional: 1, origin 0), got {degree}."
        raise OutOfRange(msg, {"degree": degree})
    if not (math.isfinite(origin) and math.isfinite(common) and common >= 0):
        raise OutOfRange("The origin must be finite and u_y_common not negative.")
    if len(data.y) < p:
        msg = f"{len(data.y)} points cannot determine {p} parameters. Measure more points."
        raise DegenerateData(msg, {"n": len(data.y), "parameters": p})
    if (prop and data.low == data.high == 0) or (p > 1 and data.low == data.high):
        raise DegenerateData("All x are equal: no curve follows from them.")


def _transpose_white(data: Data, q: FloatArray, *, weighted: bool) -> FloatArray:
    """Rows that turn y into Q^T times whitened y."""
    if weighted and data.u_y is not None:
        return q.T / data.u_y
    if weighted and data.whiten is not None:
        return np.asarray(linalg.solve_triangular(data.whiten, q, lower=True, trans="T")).T
    return q.T


def _propagated(data: Data, estimator: FloatArray) -> FloatArray:
    """Covariance of an unweighted estimate from the stated uncertainties."""
    root = estimator if data.whiten is None else estimator @ data.whiten
    if data.u_y is not None:
        root = estimator * data.u_y
    return np.asarray(root @ root.T)


def scaled(cov: FloatArray, s: float | None) -> FloatArray | None:
    """Covariance times chi2/dof; none without degrees of freedom."""
    return None if s is None else cov * s**2


def _single(data: Data, s: float | None) -> float | None:
    """Give the standard deviation of one observation, where all weights are equal."""
    if s is None or data.whiten is not None:
        return None
    if data.u_y is None:
        return s
    return s * float(data.u_y[0]) if np.all(data.u_y == data.u_y[0]) else None


def _r_squared(data: Data, chi2: float, *, proportional: bool) -> float | None:
    """Share of the (weighted) scatter that the curve explains."""
    y = _white(data, data.y)
    if not proportional:
        one = _white(data, np.ones(len(data.y)))
        y = y - one * (float(one @ y) / float(one @ one))
    total = float(y @ y)
    return 1 - chi2 / total if total > 0 else None


def _leave_one_out(
    data: Data, used: FloatArray, q: FloatArray, rest: FloatArray, *, weighted: bool
) -> tuple[float | None, ...]:
    """Residual of each point from the fit without it."""
    if weighted and data.whiten is not None:
        w = np.asarray(linalg.solve_triangular(data.whiten, np.eye(len(q)), lower=True))
        keep = w.T @ (w - q @ (q.T @ w))
        top, bottom, scale = keep @ rest, np.diag(keep), np.sum(w * w, axis=0)
    else:
        bottom = 1 - np.sum(q * q, axis=1)
        top, scale = rest, np.ones(len(used))
    free = bottom > 1e-9 * scale
    out = top / np.where(free, bottom, 1.0)
    return tuple(float(v) if ok else None for v, ok in zip(out, free, strict=True))
