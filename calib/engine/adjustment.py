"""Points with errors in y and in one or several x, moved onto a curve with least effort.

Generalised distance regression for any curve that gives its derivatives: the unknowns are the
shifts of the uncertain x, which stay small without losing digits, and the parameters. This module
must not know which curve it is or what it is used for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from scipy import linalg

from calib.engine.errors import DegenerateData, NotConverged, OutOfRange, SingularFit
from calib.engine.fit_types import Adjusted
from calib.engine.observations import Observations, solve_triangular
from calib.engine.quality import leave_one_out

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

METHODS = ("information", "propagation")
MAX_STEPS = 200
MAX_POINTS = 1000
_SETTLED = 1e-13
_NEARLY = 1e-7
_NOISE = 1e-12
_SINGULAR = 1e-15
_FLAT = 1e-4  # least curvature that is taken for a minimum


class Surface(Protocol):
    """A curve over v variables with p parameters, and its derivatives at n points."""

    def value(self, x: FloatArray, c: FloatArray) -> FloatArray:
        """Give the curve at x (v, n): (n,)."""

    def slopes(self, x: FloatArray, c: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Give value (n,), derivatives by parameters (n, p) and by x (v, n)."""

    def bends(self, x: FloatArray, c: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Give second derivatives: x x (v, v, n), x parameters (v, n, p), parameters (p, p, n)."""


@dataclass(frozen=True, slots=True, eq=False)
class Errors:
    """What is known of the errors of x and y.

    Attributes
    ----------
    covariance : (m + n, m + n) array
        Of the m uncertain values of x, then of y.
    free : (m,) array of int
        Places of the uncertain values in x, shape (v, n), counted row by row.
    """

    covariance: FloatArray
    free: NDArray[np.intp]


def read_errors(
    shape: tuple[int, int],
    *,
    u_x: ArrayLike | None = None,
    u_y: ArrayLike | None = None,
    cov_x: ArrayLike | None = None,
    cov_y: ArrayLike | None = None,
    cov_xy: ArrayLike | None = None,
) -> Errors:
    """Put standard uncertainties or covariances of x, shape (v, n), and y together.

    Raises
    ------
    DegenerateData
        Uncertainties that do not go with the points, or are no covariance.
    """
    v, n = shape
    if n > MAX_POINTS:
        raise DegenerateData(f"Errors in both variables are taken for at most {MAX_POINTS} points.")
    vx, vy = _block(u_x, cov_x, "x", (v, n)), _block(u_y, cov_y, "y", (1, n))
    vxy = np.zeros((v * n, n)) if cov_xy is None else np.asarray(cov_xy, dtype=np.float64)
    if vxy.shape != (v * n, n) or not np.all(np.isfinite(vxy)):
        raise DegenerateData("cov_xy must be a matrix of finite numbers, as long as the points.")
    joint = np.block([[vx, vxy], [vxy.T, vy]])
    d = np.diag(joint)
    exact = d[: v * n] == 0
    bare = np.any(joint[: v * n][exact]) or np.all(exact)
    if bare or not np.all(d[v * n :] > 0):
        raise DegenerateData("Each point needs a positive variance in x and y.")
    keep = np.concatenate([~exact, np.ones(n, dtype=bool)])
    return Errors(joint[np.ix_(keep, keep)], np.flatnonzero(~exact))


def _block(
    u: ArrayLike | None, cov: ArrayLike | None, name: str, shape: tuple[int, int]
) -> FloatArray:
    """One diagonal block of the covariance of (x, y)."""
    size = shape[0] * shape[1]
    if (u is None) == (cov is None):
        raise DegenerateData(f"Give either u_{name} or cov_{name}.")
    if cov is None:
        us = np.asarray(u, dtype=np.float64)
        fits = us.shape in ((), (shape[1],), shape)
        if not fits or not np.all((us >= 0) & np.isfinite(us)):
            label = f"u_{name}"
            msg = f"Each {label} must be a positive number, one or as many as points."
            raise DegenerateData(msg, {"name": label})
        return np.diag(np.broadcast_to(us, shape).ravel() ** 2)
    v = np.asarray(cov, dtype=np.float64)
    if v.shape != (size, size) or not np.all(np.isfinite(v)) or not np.allclose(v, v.T, rtol=1e-9):
        raise DegenerateData(f"cov_{name} must be a symmetric matrix, as long as the points.")
    return v


def _invert(v: FloatArray) -> FloatArray:
    """Inverse of a covariance, scaled to be well conditioned."""
    d = np.sqrt(np.diag(v))
    try:
        factor = linalg.cho_factor(v / np.outer(d, d))
    except np.linalg.LinAlgError:
        raise SingularFit("The covariance of x and y is not positive definite.") from None
    inverse: FloatArray = np.asarray(linalg.cho_solve(factor, np.eye(len(v)))) / np.outer(d, d)
    return inverse


@dataclass(frozen=True, slots=True, eq=False)
class _Bowl:
    """Half the sum of squares near a point, measured by that of the linearised problem.

    In coordinates in which the linearised problem is a round bowl of curvature 1, `values` are
    the curvatures of the true one: all 1 without curvature of the curve, negative at a saddle.
    """

    to_round: FloatArray  # columns: directions of the unknowns with curvature `values`
    values: FloatArray

    @classmethod
    def of(cls, normal: FloatArray, hessian: FloatArray) -> _Bowl:
        d = 1 / np.sqrt(np.maximum(np.diag(normal), 1e-300))
        scale = np.outer(d, d)
        factor, failed = linalg.lapack.dpotrf(normal * scale, lower=1)
        if failed or linalg.lapack.dpocon(factor, 1.0, uplo="L")[0] < _SINGULAR:
            raise SingularFit("The points do not determine the curve.")
        lower = np.tril(factor)
        half = solve_triangular(lower, hessian * scale, lower=True)
        full = solve_triangular(lower, half.T, lower=True)
        values, vectors = np.linalg.eigh((full + full.T) / 2)
        back = solve_triangular(lower, np.asarray(vectors), lower=True, transposed=True)
        return cls(back * d[:, None], np.asarray(values))

    def step(self, gradient: FloatArray) -> FloatArray:
        """Newton step downhill; where the bowl is turned over or flat, a bounded one."""
        bend = np.maximum(np.abs(self.values), _FLAT)
        return np.asarray(self.to_round @ ((self.to_round.T @ gradient) / bend))

    def solve(self, b: FloatArray) -> FloatArray:
        """Solve with the Hessian."""
        return np.asarray((self.to_round / self.values) @ (self.to_round.T @ b))


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """Points, weights and the curve to lay through them; theta holds shifts, then parameters."""

    x: FloatArray
    y: FloatArray
    errors: Errors
    weight: FloatArray
    surface: Surface

    @property
    def m(self) -> int:
        return len(self.errors.free)

    def moved(self, theta: FloatArray) -> FloatArray:
        """Give x with the shifts of theta."""
        x = self.x.ravel().copy()
        x[self.errors.free] += theta[: self.m]
        return x.reshape(self.x.shape)

    def at(self, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Residuals of (x, y), Jacobian and Hessian of half the sum of squares."""
        m, n, c = self.m, len(self.y), theta[self.m :]
        variable, point = np.divmod(self.errors.free, n)
        x = self.moved(theta)
        value, rows, slopes = self.surface.slopes(x, c)
        xx, xc, cc = self.surface.bends(x, c)
        rest = np.concatenate([-theta[:m], self.y - value])
        jacobian = np.zeros((m + n, m + len(c)))
        jacobian[:m, :m] = np.eye(m)
        jacobian[m + point, np.arange(m)] = slopes[variable, point]
        jacobian[m:, m:] = rows
        pull = (self.weight @ rest)[m:]
        hessian = jacobian.T @ self.weight @ jacobian
        same = point[:, None] == point[None, :]
        bent = xx[variable[:, None], variable[None, :], point[:, None]] * pull[point][:, None]
        hessian[:m, :m] -= np.where(same, bent, 0.0)
        mixed = pull[point][:, None] * xc[variable, point]
        hessian[:m, m:] -= mixed
        hessian[m:, :m] -= mixed.T
        hessian[m:, m:] -= cc @ pull
        return rest, jacobian, hessian

    def chi2(self, theta: FloatArray) -> float:
        """Weighted sum of squares, infinite where the curve has no value."""
        try:
            value = self.surface.value(self.moved(theta), theta[self.m :])
        except OutOfRange:
            return math.inf
        rest = np.concatenate([-theta[: self.m], self.y - value])
        return float(rest @ self.weight @ rest)


def _settle(problem: _Problem, theta: FloatArray) -> tuple[FloatArray, int, float]:
    """Newton steps, shortened where needed, to the last digit of a minimum."""
    now, last = problem.chi2(theta), math.inf
    for k in range(MAX_STEPS):
        rest, jacobian, hessian = problem.at(theta)
        gradient = jacobian.T @ problem.weight @ rest
        bowl = _Bowl.of(jacobian.T @ problem.weight @ jacobian, hessian)
        step = bowl.step(gradient)
        size = math.sqrt(abs(float(gradient @ step)) / max(now, 1.0))
        # steps that are small and grow no smaller are rounding in a long flat valley
        if size < _SETTLED or last / 2 < size < _NEARLY:
            if bowl.values[0] > _FLAT:
                return theta + step, k, size
            # a saddle or a summit: leave it along the direction in which chi2 falls
            ways = [sign * 2.0**e * bowl.to_round[:, 0] for e in range(-10, 10) for sign in (1, -1)]
            theta = min((theta + way for way in ways), key=problem.chi2)
            now, last = problem.chi2(theta), math.inf
            continue
        last, new = size, problem.chi2(theta + step)
        while new > now * (1 + _NOISE) + _NOISE and size > _SETTLED:
            step, size = step / 2, size / 2
            new = problem.chi2(theta + step)
        theta, now = theta + step, new
    msg = "The fit with errors in both variables does not settle. Check x, y and their u."
    raise NotConverged(msg, {"chi2": now})


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Parameters that need the least adjustment of the points.

    Attributes
    ----------
    parameters : (p,) array
        As the surface counts them.
    covariance : (p, p) array
        By the method asked for.
    common : (p,) array
        Shift of the parameters when all y shift by 1.
    chi2 : float
        Weighted sum of squared adjustments.
    steps : int
        Steps taken.
    shift : float
        Last step in standard uncertainties.
    curvature : float
        Smallest curvature of chi2 relative to the linearised problem.
    residuals : (n,) array
        y minus the curve at the given x.
    leave_one_out : tuple of float or None
        Residuals from the fit without each point, linearised at the adjusted points.
    adjusted : Adjusted
        The points on the curve.
    """

    parameters: FloatArray
    covariance: FloatArray
    common: FloatArray
    chi2: float
    steps: int
    shift: float
    curvature: float
    residuals: FloatArray
    leave_one_out: tuple[float | None, ...]
    adjusted: Adjusted


def adjust(
    surface: Surface, x: FloatArray, y: FloatArray, errors: Errors, start: FloatArray, method: str
) -> Solution:
    """Move the points x (v, n), y onto the curve.

    Raises
    ------
    SingularFit
        The points do not determine the curve, or a covariance is none.
    NotConverged
        The adjustment does not settle at a minimum.
    """
    problem = _Problem(x, y, errors, _invert(errors.covariance), surface)
    m, n, p = problem.m, len(y), len(start)
    theta, steps, shift = _settle(problem, np.concatenate([np.zeros(m), start]))
    rest, jacobian, hessian = problem.at(theta)
    normal = jacobian.T @ problem.weight @ jacobian
    bowl = _Bowl.of(normal, hessian)
    estimator = bowl.solve(jacobian.T @ problem.weight)[m:]
    information = _Bowl.of(normal, normal).solve(np.eye(m + p))[m:, m:]
    propagated = estimator @ errors.covariance @ estimator.T
    chi2 = problem.chi2(theta)
    u = np.sqrt(np.diag(errors.covariance))
    moved = problem.moved(theta)
    return Solution(
        parameters=theta[m:],
        covariance=information if method == "information" else propagated,
        common=estimator[:, m:] @ np.ones(n),
        chi2=chi2,
        steps=steps,
        shift=shift,
        curvature=float(bowl.values[0]),
        residuals=y - surface.value(x, theta[m:]),
        leave_one_out=_left_out(problem, rest, jacobian),
        adjusted=Adjusted(moved, y - rest[m:], float(np.max(np.abs(rest) / u))),
    )


def _left_out(
    problem: _Problem, rest: FloatArray, jacobian: FloatArray
) -> tuple[float | None, ...]:
    """Leave-one-out residuals of the linearised problem: y against the tangents of the curve."""
    m = problem.m
    tangent = jacobian[m:, :m]
    across = np.hstack([-tangent, np.eye(len(problem.y))])
    effective = across @ problem.errors.covariance @ across.T
    factor = np.asarray(np.linalg.cholesky(effective), dtype=np.float64)
    seen = Observations(problem.y, None, factor)
    q = np.asarray(np.linalg.qr(seen.white(jacobian[m:, m:]))[0])
    return leave_one_out(seen, q, rest[m:] - tangent @ rest[:m], weighted=True)
