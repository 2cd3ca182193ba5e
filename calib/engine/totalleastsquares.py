"""Polynomials through points with uncertainties in both variables, correlated or not.

The points are adjusted in x and y together (generalised distance regression). This module
must not know instruments or what the curve is used for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calib.engine.adjustment import METHODS, adjust, read_errors
from calib.engine.bases import (
    convert_covariance,
    convert_parameters,
    design_row,
    slope_row,
    to_powers,
)
from calib.engine.errors import OutOfRange
from calib.engine.fit_types import PolynomialFit
from calib.engine.leastsquares import check_data, check_order, scaled
from calib.engine.quality import judge

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Polynomial:
    """A polynomial in its inner basis, as `adjustment` wants a curve."""

    range: tuple[float, float]
    p: int
    prop: bool

    def value(self, x: FloatArray, c: FloatArray) -> FloatArray:
        return np.asarray(design_row(self.range, x[0], self.p, prop=self.prop) @ c)

    def slopes(self, x: FloatArray, c: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        rows = design_row(self.range, x[0], self.p, prop=self.prop)
        first = slope_row(self.range, x[0], self.p, prop=self.prop)
        return rows @ c, rows, (first @ c)[None]

    def bends(self, x: FloatArray, c: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        first = slope_row(self.range, x[0], self.p, prop=self.prop)
        second = slope_row(self.range, x[0], self.p, 2, prop=self.prop)
        return (second @ c)[None, None], first[None], np.zeros((self.p, self.p, len(first)))


def fit_polynomial_xy(  # noqa: PLR0913  (each option has a name)
    x: ArrayLike,
    y: ArrayLike,
    degree: int = 1,
    *,
    u_x: ArrayLike | None = None,
    u_y: ArrayLike | None = None,
    cov_x: ArrayLike | None = None,
    cov_y: ArrayLike | None = None,
    cov_xy: ArrayLike | None = None,
    origin: float = 0.0,
    proportional: bool = False,
    scale_by_residuals: bool = False,
    covariance_method: str = "information",
    u_y_common: float = 0.0,
    names: tuple[str, ...] | None = None,
) -> PolynomialFit:
    """Fit y = b0 + b1 (x - x0) + ... with uncertainties in x and y.

    Parameters
    ----------
    x, y : (n,) array_like
        Data.
    degree, origin, proportional, scale_by_residuals, u_y_common, names
        As in `leastsquares.fit_polynomial`.
    u_x, u_y : float or (n,) array_like, optional
        Standard uncertainties, positive (that of an exact x is 0); or the covariances below.
    cov_x, cov_y : (n, n) array_like, optional
        Covariance of x, of y.
    cov_xy : (n, n) array_like, optional
        Covariance of x_i (row) with y_j (column).
    covariance_method : str
        ``information``: inverse of J^T V^-1 J at the adjusted points; ``propagation``:
        sensitivities of the estimate to every x and y, times their covariance.

    Returns
    -------
    PolynomialFit
        `residuals` are y minus the curve at the given x.

    Raises
    ------
    DegenerateData
        Figures that make no fit.
    SingularFit
        The points do not determine the curve, or a covariance is none.
    NotConverged
        The adjustment does not settle.

    Notes
    -----
    Source: ISO/TS 28037:2010 clauses 7 to 10; D. York, Am. J. Phys. 72 (2004) 367.
    Checked against: tests/reference/pearson.toml.
    Limits: a local solution near that of ordinary least squares.
    """
    data = check_data(x, y, None, None)
    n, p = len(data.x), 1 if proportional else degree + 1
    check_order(data, p, degree, origin, u_y_common, prop=proportional)
    if covariance_method not in METHODS:
        raise OutOfRange(f"The covariance method is one of {', '.join(METHODS)}.")
    errors = read_errors((1, n), u_x=u_x, u_y=u_y, cov_x=cov_x, cov_y=cov_y, cov_xy=cov_xy)
    curve = _Polynomial((data.low, data.high), p, proportional)
    xs = data.x[None]
    rows = curve.slopes(xs, np.zeros(p))[1]
    start = np.asarray(np.linalg.lstsq(rows, data.y)[0], dtype=np.float64)
    found = adjust(curve, xs, data.y, errors, start, covariance_method)
    good = judge(data, found.chi2, p, known=True, origin=proportional, explain=False)
    inner = scaled(found.covariance, good.s) if scale_by_residuals else found.covariance
    common = found.common * u_y_common
    matrix = to_powers(curve.range, p, origin, prop=proportional)
    nu = good.dof if scale_by_residuals else math.inf
    covariance, parameter_dof, shift = convert_covariance(matrix, inner, common, nu)
    return PolynomialFit(
        names=names or tuple(f"b{i}" for i in range(p)),
        parameters=convert_parameters(matrix, found.parameters),
        covariance=covariance,
        chi2=found.chi2,
        **good.figures,
        residuals=found.residuals,
        leave_one_out=found.leave_one_out,
        parameter_dof=parameter_dof,
        common=shift,
        adjusted=found.adjusted,
        x_low=data.low,
        x_high=data.high,
        origin=origin,
        basis=found.parameters,
        basis_covariance=None if inner is None else inner + np.outer(common, common),
        proportional=proportional,
    )
