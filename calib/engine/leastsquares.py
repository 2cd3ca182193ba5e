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

from calib.engine.bases import (
    convert_covariance,
    convert_parameters,
    design_row,
    to_powers,
)
from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.fit_types import PolynomialFit
from calib.engine.observations import Observations, read_observations, solve
from calib.engine.quality import judge, leave_one_out
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

MAX_DEGREE = 12


@dataclass(frozen=True, slots=True, eq=False)
class Data(Observations):
    """Checked data of a fit."""

    x: FloatArray
    low: float
    high: float


def check_data(x: ArrayLike, y: ArrayLike, u_y: ArrayLike | None, cov_y: ArrayLike | None) -> Data:
    """Refuse data that make no fit."""
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if xs.ndim != 1 or xs.shape != ys.shape or not len(xs):
        msg = f"x and y must be lists of the same length, got {xs.shape} and {ys.shape}."
        raise DegenerateData(msg, {"x": str(xs.shape), "y": str(ys.shape)})
    require_finite("a fit", x=xs)
    seen = read_observations(ys, u_y, cov_y)
    return Data(seen.y, seen.u_y, seen.whiten, xs, float(xs.min()), float(xs.max()))


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
    aw, yw = data.white(a), data.white(data.y)
    used, target = (aw, yw) if weighted else (a, data.y)
    c, inverse, q = solve(used, target)
    estimator = inverse @ data.white_transposed(q, weighted=weighted)
    white_rest = yw - aw @ c
    chi2 = float(white_rest @ white_rest)
    good = judge(data, chi2, p, known=data.known, origin=proportional)
    cov = inverse @ inverse.T if weighted or not data.known else data.propagate(estimator)
    type_a = not data.known or scale_by_residuals
    inner = scaled(cov, good.s) if type_a else cov
    matrix = to_powers((data.low, data.high), p, origin, prop=proportional)
    common = estimator @ np.ones(len(data.y)) * u_y_common
    outer, nu, shift = convert_covariance(matrix, inner, common, good.dof if type_a else math.inf)
    rest = data.y - a @ c
    return PolynomialFit(
        names=names or tuple(f"b{i}" for i in range(p)),
        parameters=convert_parameters(matrix, c),
        covariance=outer,
        chi2=chi2,
        **good.figures,
        residuals=rest,
        leave_one_out=leave_one_out(data, q, rest, weighted=weighted),
        parameter_dof=nu,
        common=shift,
        x_low=data.low,
        x_high=data.high,
        origin=origin,
        basis=c,
        basis_covariance=None if inner is None else inner + np.outer(common, common),
        proportional=proportional,
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


def scaled(cov: FloatArray, s: float | None) -> FloatArray | None:
    """Covariance times chi2/dof; none without degrees of freedom."""
    return None if s is None else cov * s**2
