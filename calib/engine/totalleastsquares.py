"""Polynomials through points with uncertainties in both variables, correlated or not.

The points are adjusted in x and y together (generalised distance regression). This module
must not know instruments or what the curve is used for.
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
    slope_row,
    to_powers,
)
from calib.engine.errors import DegenerateData, NotConverged, OutOfRange, SingularFit
from calib.engine.fit_types import PolynomialFit
from calib.engine.leastsquares import Data, check_data, check_order, scaled

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

METHODS = ("information", "propagation")
MAX_STEPS = 200
MAX_POINTS = 1000
_SETTLED = 1e-13
_NOISE = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """Points, weights and the polynomial to lay through them.

    The unknowns are the shifts of x, which stay small without losing digits, then the
    coefficients.
    """

    data: Data
    weight: FloatArray  # inverse covariance of (x, y), (2n, 2n)
    p: int
    prop: bool

    @property
    def range(self) -> tuple[float, float]:
        return self.data.low, self.data.high

    def at(self, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Residuals of (x, y), Jacobian and Hessian of half the sum of squares."""
        n = len(self.data.x)
        xi, c = self.data.x + theta[:n], theta[n:]
        rows = design_row(self.range, xi, self.p, prop=self.prop)
        first = slope_row(self.range, xi, self.p, prop=self.prop)
        second = slope_row(self.range, xi, self.p, 2, prop=self.prop)
        rest = np.concatenate([-theta[:n], self.data.y - rows @ c])
        jacobian = np.zeros((2 * n, n + self.p))
        jacobian[:n, :n] = np.eye(n)
        jacobian[n:, :n] = np.diag(first @ c)
        jacobian[n:, n:] = rows
        pull = (self.weight @ rest)[n:]
        hessian = jacobian.T @ self.weight @ jacobian
        hessian[:n, :n] -= np.diag(pull * (second @ c))
        hessian[:n, n:] -= pull[:, None] * first
        hessian[n:, :n] -= (pull[:, None] * first).T
        return rest, jacobian, hessian

    def chi2(self, theta: FloatArray) -> float:
        """Weighted sum of squares."""
        n = len(self.data.x)
        rows = design_row(self.range, self.data.x + theta[:n], self.p, prop=self.prop)
        rest = np.concatenate([-theta[:n], self.data.y - rows @ theta[n:]])
        return float(rest @ self.weight @ rest)


def _check_limits(n: int, method: str) -> None:
    """Refuse unknown methods and more points than the matrices may have."""
    if method not in METHODS:
        raise OutOfRange(f"The covariance method is one of {', '.join(METHODS)}.")
    if n > MAX_POINTS:
        raise DegenerateData(f"Errors in both variables are taken for at most {MAX_POINTS} points.")


def _uncertainties(u: ArrayLike | None, name: str, n: int) -> FloatArray:
    """Variances from standard uncertainties, as a diagonal matrix."""
    us = np.asarray(u, dtype=np.float64)
    if us.shape not in ((), (n,)) or not np.all((us > 0) & np.isfinite(us)):
        raise DegenerateData(f"Each {name} must be a positive number, one or as many as points.")
    return np.diag(np.broadcast_to(us, (n,)) ** 2)


def _block(u: ArrayLike | None, cov: ArrayLike | None, name: str, n: int) -> FloatArray:
    """One diagonal block of the covariance of (x, y)."""
    if (u is None) == (cov is None):
        raise DegenerateData(f"Give either u_{name} or cov_{name}.")
    if cov is None:
        return _uncertainties(u, f"u_{name}", n)
    v = np.asarray(cov, dtype=np.float64)
    if v.shape != (n, n) or not np.all(np.isfinite(v)) or not np.allclose(v, v.T, rtol=1e-9):
        raise DegenerateData(f"cov_{name} must be a symmetric matrix, as long as the points.")
    return v


def _covariance(vx: FloatArray, vy: FloatArray, cov_xy: ArrayLike | None) -> FloatArray:
    """Joint covariance of x and y."""
    n = len(vx)
    vxy = np.zeros((n, n)) if cov_xy is None else np.asarray(cov_xy, dtype=np.float64)
    if vxy.shape != (n, n) or not np.all(np.isfinite(vxy)):
        raise DegenerateData("cov_xy must be a matrix of finite numbers, as long as the points.")
    return np.block([[vx, vxy], [vxy.T, vy]])


def _invert(v: FloatArray) -> FloatArray:
    """Inverse of a covariance, scaled to be well conditioned."""
    d = np.sqrt(np.diag(v))
    if not np.all(d > 0):
        raise DegenerateData("Each point needs a positive variance in x and y.")
    try:
        factor = linalg.cho_factor(v / np.outer(d, d))
    except np.linalg.LinAlgError:
        raise SingularFit("The covariance of x and y is not positive definite.") from None
    inverse: FloatArray = np.asarray(linalg.cho_solve(factor, np.eye(len(v)))) / np.outer(d, d)
    return inverse


def _solve(matrix: FloatArray, b: FloatArray) -> FloatArray:
    """Solve a symmetric system after scaling its diagonal."""
    d = 1 / np.sqrt(np.maximum(np.abs(np.diag(matrix)), 1e-300))
    scaled_matrix = matrix * np.outer(d, d)
    if np.linalg.cond(scaled_matrix) > 1e15:
        raise SingularFit("The points do not determine the curve.")
    right = b * (d if b.ndim == 1 else d[:, None])
    found = np.asarray(np.linalg.solve(scaled_matrix, right), dtype=np.float64)
    return found * (d if b.ndim == 1 else d[:, None])


def _settle(problem: _Problem, theta: FloatArray) -> FloatArray:
    """Gauss-Newton with shortened steps, then Newton steps to the last digit."""
    now, exact = problem.chi2(theta), False
    for _ in range(MAX_STEPS):
        rest, jacobian, hessian = problem.at(theta)
        gradient = jacobian.T @ problem.weight @ rest
        normal = hessian if exact else jacobian.T @ problem.weight @ jacobian
        step = _solve(normal, gradient)
        size = math.sqrt(abs(float(gradient @ step)) / max(now, 1.0))
        if exact and size < _SETTLED:
            return theta + step
        new = problem.chi2(theta + step)
        while new > now * (1 + _NOISE) + _NOISE and size > _SETTLED:
            step, size = step / 2, size / 2
            new = problem.chi2(theta + step)
        theta, now, exact = theta + step, new, size < 1e-4
    msg = "The fit with errors in both variables does not settle. Check x, y and their u."
    raise NotConverged(msg, {"chi2": now})


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
        Standard uncertainties, positive; or the covariances below.
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
    _check_limits(n, covariance_method)
    v = _covariance(_block(u_x, cov_x, "x", n), _block(u_y, cov_y, "y", n), cov_xy)
    problem = _Problem(data, _invert(v), p, proportional)
    rows = design_row(problem.range, data.x, p, prop=proportional)
    start = np.linalg.lstsq(rows, data.y)[0]
    theta = _settle(problem, np.concatenate([np.zeros(n), start]))
    _, jacobian, hessian = problem.at(theta)
    information = _solve(jacobian.T @ problem.weight @ jacobian, np.eye(n + p))[n:, n:]
    estimator = _solve(hessian, jacobian.T @ problem.weight)[n:]
    inner = information if covariance_method == "information" else estimator @ v @ estimator.T
    chi2, dof = problem.chi2(theta), n - p
    s = math.sqrt(chi2 / dof) if dof else None
    fitted = scaled(inner, s) if scale_by_residuals else inner
    common = estimator[:, n:] @ np.ones(n) * u_y_common
    matrix = to_powers(problem.range, p, origin, prop=proportional)
    nu = dof if scale_by_residuals else math.inf
    covariance, parameter_dof = convert_covariance(matrix, fitted, common, nu)
    critical = float(special.chdtri(dof, 0.05)) if dof else None
    return PolynomialFit(
        names=names or tuple(f"b{i}" for i in range(p)),
        parameters=convert_parameters(matrix, theta[n:]),
        covariance=covariance,
        chi2=chi2,
        dof=dof,
        s=s,
        s_single=None,
        chi2_critical=critical,
        consistent=None if critical is None else chi2 <= critical,
        r_squared=None,
        residuals=data.y - rows @ theta[n:],
        leave_one_out=(None,) * n,
        x_low=data.low,
        x_high=data.high,
        origin=origin,
        parameter_dof=parameter_dof,
        basis=theta[n:],
        basis_covariance=None if fitted is None else fitted + np.outer(common, common),
        proportional=proportional,
    )
