"""Observed values with what is known of their errors, and how both enter a fit.

This module must not know curves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg

from calib.engine.errors import DegenerateData, SingularFit
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

SINGULAR = 1e-13
_SMALL = 64


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """Checked y with standard uncertainties, covariance or neither."""

    y: FloatArray
    u_y: FloatArray | None
    whiten: FloatArray | None  # lower Cholesky factor of cov_y

    @property
    def known(self) -> bool:
        """Whether the uncertainty of y is stated."""
        return self.u_y is not None or self.whiten is not None

    def white(self, a: FloatArray) -> FloatArray:
        """Divide by the uncertainties (or the Cholesky factor) of y."""
        if self.u_y is not None:
            return a / (self.u_y if a.ndim == 1 else self.u_y[:, None])
        if self.whiten is not None:
            return solve_triangular(self.whiten, a, lower=True)
        return a

    def white_transposed(self, q: FloatArray, *, weighted: bool) -> FloatArray:
        """Rows that turn y into Q^T times whitened y."""
        if weighted and self.u_y is not None:
            return q.T / self.u_y
        if weighted and self.whiten is not None:
            return solve_triangular(self.whiten, q, lower=True, transposed=True).T
        return q.T

    def propagate(self, estimator: FloatArray) -> FloatArray:
        """Covariance of an unweighted estimate from the stated uncertainties."""
        root = estimator if self.whiten is None else estimator @ self.whiten
        if self.u_y is not None:
            root = estimator * self.u_y
        return np.asarray(root @ root.T)


def solve_triangular(
    t: FloatArray, b: FloatArray, *, lower: bool = False, transposed: bool = False
) -> FloatArray:
    """Solve with a triangular matrix, upper if not said otherwise.

    Small ones go to the general solver: the triangular one of LAPACK shares three rows among
    all cores and takes a thousand times longer when these are busy.
    """
    if len(t) <= _SMALL:
        return np.asarray(np.linalg.solve(t.T if transposed else t, b))
    return np.asarray(linalg.solve_triangular(t, b, lower=lower, trans="T" if transposed else "N"))


def read_observations(y: ArrayLike, u_y: ArrayLike | None, cov_y: ArrayLike | None) -> Observations:
    """Refuse observations and uncertainties that make no fit."""
    ys = np.asarray(y, dtype=np.float64)
    if u_y is not None and cov_y is not None:
        raise DegenerateData("Give u_y or cov_y, not both.")
    require_finite("a fit", y=ys)
    us = factor = None
    if u_y is not None:
        given = np.asarray(u_y, dtype=np.float64)
        if given.shape not in ((), ys.shape):
            raise DegenerateData("u_y must be one number or as long as y.")
        us = np.broadcast_to(given, ys.shape)
        if not np.all((us > 0) & np.isfinite(us)):
            raise DegenerateData("Each u_y must be a positive number.")
    if cov_y is not None:
        factor = _factor(np.asarray(cov_y, dtype=np.float64), len(ys))
    return Observations(ys, us, factor)


def _factor(v: FloatArray, n: int) -> FloatArray:
    """Lower Cholesky factor of a covariance matrix."""
    if v.shape != (n, n) or not np.all(np.isfinite(v)) or not np.allclose(v, v.T, rtol=1e-9):
        raise DegenerateData("cov_y must be a symmetric matrix of finite numbers, as long as y.")
    try:
        return np.asarray(np.linalg.cholesky(v), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise SingularFit("cov_y is not positive definite: no weights follow from it.") from None


def solve(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Least squares by QR with refinement: coefficients, inverse of R, projector Q."""
    factors = np.linalg.qr(a)
    q, r = np.asarray(factors[0]), np.asarray(factors[1])
    d = np.abs(np.diag(r))
    if not np.all(d > SINGULAR * d.max()):
        msg = "The points do not determine the curve. Use more different x or a lower degree."
        raise SingularFit(msg, {"rank": int(np.sum(d > SINGULAR * d.max()))})
    inverse = solve_triangular(r, np.eye(len(r)))
    c = inverse @ (q.T @ b)
    for _ in range(2):
        rest = np.asarray(b.astype(np.longdouble) - a.astype(np.longdouble) @ c, dtype=np.float64)
        c = c + inverse @ (q.T @ rest)
    return c, inverse, q
