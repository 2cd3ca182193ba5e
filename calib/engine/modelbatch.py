"""Many curves of thermometry at once: each column of the data is one instrument.

Platinum thermometers at shared points by one matrix product, radiation thermometers by
Gauss-Newton steps on all columns of a block together. This module must not know instruments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.models import C2, COLD, platinum_design
from calib.engine.observations import read_observations, solve
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

BLOCK = 1024
MAX_STEPS = 25
_SMALL = 1e-6
_SETTLED = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class ModelFits:
    """Fitted parameters, one column per instrument.

    Attributes
    ----------
    names : tuple of str
        Parameter names, in the order of the arrays.
    parameters : (p, N) array
        Their values.
    covariance : (p, p, N) array
        Their covariances.
    chi2 : (N,) array
        Weighted sums of squared residuals.
    dof : int
        Degrees of freedom, the same for all.
    converged : (N,) bool array
        False: the figures of this column mean nothing.
    """

    names: tuple[str, ...]
    parameters: FloatArray
    covariance: FloatArray
    chi2: FloatArray
    dof: int
    converged: NDArray[np.bool_]

    def __post_init__(self) -> None:
        require_finite(
            "fits", parameters=self.parameters, covariance=self.covariance, chi2=self.chi2
        )


def fit_platinum(t: ArrayLike, R: ArrayLike, u_R: ArrayLike) -> ModelFits:
    """Fit Callendar-Van Dusen coefficients to thermometers calibrated at the same points.

    Parameters
    ----------
    t : (n,) array_like, degC
        Points; with some well below 0, C is fitted too.
    R : (n, N) array_like, ohm
        Resistances.
    u_R : float or (n,) array_like, ohm
        Standard uncertainties, the same for all thermometers.

    Returns
    -------
    ModelFits
        R0, A, B and C, as `models.callendar_van_dusen`.

    Raises
    ------
    DegenerateData
        Too few points, or shapes that do not go together.
    SingularFit
        The points do not determine the coefficients.
    OutOfRange
        A figure is not finite.

    Notes
    -----
    Source: IEC 60751:2022; linear in R0, R0 A, R0 B, R0 C.
    Checked against: tests/reference/models.toml.
    Limits: u(t) enters through u_R.
    """
    ts, Rs = np.asarray(t, dtype=np.float64), np.asarray(R, dtype=np.float64)
    cold = bool(np.any(ts < COLD))
    names = ("R0", "A", "B", "C")[: 3 + cold]
    if ts.ndim != 1 or Rs.ndim != 2 or len(Rs) != len(ts) or not Rs.shape[1]:
        msg = f"R must have a row for each of {ts.shape} points and a column for each thermometer."
        raise DegenerateData(msg)
    if len(ts) < len(names):
        msg = f"{len(ts)} points cannot determine {len(names)} coefficients. Measure more points."
        raise DegenerateData(msg, {"n": len(ts), "parameters": len(names)})
    require_finite("a fit", t=ts, R=Rs)
    u = np.asarray(read_observations(np.zeros(len(ts)), u_R, None).u_y)
    columns = platinum_design(ts, cold=cold)
    white = columns / u[:, None]
    size = np.linalg.norm(white, axis=0)
    size[size == 0] = 1.0
    _, inverse, q = solve(white / size, np.zeros(len(ts)))
    back = inverse / size[:, None]
    projector = back @ q.T / u
    c = projector @ Rs
    rest = (Rs - columns @ c) / u[:, None]
    good = c[0] != 0
    R0 = np.where(good, c[0], 1.0)
    parameters = np.where(good, np.vstack([R0, c[1:] / R0]), 0.0)
    covariance = _divided(back @ back.T, parameters, R0)
    chi2 = np.einsum("ij,ij->j", rest, rest)
    return ModelFits(names, parameters, covariance, chi2, len(ts) - len(names), good)


def _divided(inner: FloatArray, parameters: FloatArray, R0: FloatArray) -> FloatArray:
    """Covariance of (R0, A, ...) from that of (R0, R0 A, ...), column by column."""
    p, size = parameters.shape
    out = np.empty((p, p, size))
    out[0, 0] = inner[0, 0]
    for i in range(1, p):
        first = inner[0, i] - parameters[i] * inner[0, 0]
        out[0, i] = out[i, 0] = first / R0
        for j in range(1, i + 1):
            mixed = inner[i, j] - parameters[i] * inner[0, j] - parameters[j] * first
            out[i, j] = out[j, i] = mixed / (R0 * R0)
    return out


def fit_sakuma_hattori(
    T: ArrayLike, S: ArrayLike, u_S: ArrayLike, start: ArrayLike, c2: float = C2
) -> ModelFits:
    """Fit S = C/(exp(c2/(A T + B)) - 1) to many radiation thermometers.

    Parameters
    ----------
    T : (n, N) or (n,) array_like, K
        Temperatures.
    S, u_S : (n, N) array_like
        Signals and their standard uncertainties, all positive; u_S also (n,) or a number.
    start : (2,) or (2, N) array_like
        A and B to start from, from the band of the instrument; C follows.
    c2 : float
        Second radiation constant in units of A times T.

    Returns
    -------
    ModelFits
        A, B, C.

    Raises
    ------
    DegenerateData
        Fewer than three points, or shapes that do not go together.
    OutOfRange
        A figure is not positive and finite.

    Notes
    -----
    Source: F. Sakuma, S. Hattori (1982); Gauss-Newton.
    Checked against: tests/reference/models.toml.
    Limits: u(T) enters through u_S; no damping, so a start from the band is needed.
    """
    Ss = np.asarray(S, dtype=np.float64)
    Ts, us = (_column(np.asarray(a, dtype=np.float64)) for a in (T, u_S))
    first = _column(np.asarray(start, dtype=np.float64))
    try:
        shape = np.broadcast_shapes(Ss.shape, Ts.shape, us.shape)
        first = np.broadcast_to(first, (2, shape[-1]))
    except ValueError:
        shape = ()
    if shape != Ss.shape or Ss.ndim != 2 or len(Ss) < 3 or not Ss.shape[1]:
        msg = "S must have a row for each point, three at least, and a column for each instrument."
        raise DegenerateData(msg)
    for name, a in (("T", Ts), ("S", Ss), ("u_S", us)):
        if not (np.all(a > 0) and np.all(np.isfinite(a))):
            raise OutOfRange(f"{name} must be positive and finite.", {"name": name})
    require_finite("a fit", start=first, c2=c2)
    out = np.empty((11, Ss.shape[1]))
    with np.errstate(all="ignore"):
        for low in range(0, Ss.shape[1], BLOCK):
            part = slice(low, low + BLOCK)
            cut = [a if a.shape[1] == 1 else a[:, part] for a in (Ts, Ss, us)]
            _radiance_block(cut[0], cut[1], cut[2], first[:, part], c2, out[:, part])
    good = np.isfinite(out).all(axis=0) & (out[10] > 0)
    out[:, ~good] = 0.0
    covariance = out[[3, 4, 5, 4, 6, 7, 5, 7, 8]].reshape(3, 3, -1)
    return ModelFits(("A", "B", "C"), out[:3], covariance, out[9], len(Ss) - 3, good)


def _column(a: FloatArray) -> FloatArray:
    return a.reshape((1, 1)) if a.ndim == 0 else a[:, None] if a.ndim == 1 else a


def _radiance_block(
    T: FloatArray, S: FloatArray, u: FloatArray, start: FloatArray, c2: float, out: FloatArray
) -> None:
    """Fit some columns; rows of `out`: A, B, C, six covariances, chi2, whether at rest."""
    w = np.broadcast_to(1 / u, S.shape)
    y = S * w
    A, B = start[0].copy(), start[1].copy()
    shape = w / np.expm1(c2 / (A * T + B))
    C = np.einsum("ij,ij->j", y, shape) / np.einsum("ij,ij->j", shape, shape)
    moving = np.ones(S.shape[1], dtype=bool)
    for _ in range(MAX_STEPS):
        q, r, rest = _columns(T, y, w, c2, (A, B, C))
        t = [np.einsum("ij,ij->j", column, rest) for column in q]
        c = t[2] / r[2][2]
        b = (t[1] - r[1][2] * c) / r[1][1]
        a = (t[0] - r[0][1] * b - r[0][2] * c) / r[0][0]
        A, B, C = (np.where(moving, v + d, v) for v, d in ((A, a), (B, b), (C, c)))
        moving &= ~(t[0] ** 2 + t[1] ** 2 + t[2] ** 2 < _SMALL**2)
        if not moving.any():
            break
    q, r, rest = _columns(T, y, w, c2, (A, B, C))
    size = sum(np.einsum("ij,ij->j", column, rest) ** 2 for column in q)
    chi2 = np.einsum("ij,ij->j", rest, rest)
    out[:3] = A, B, C
    out[3:9] = _inverse_square(r)
    out[9] = chi2
    sound = (C > 0) & ((A * T + B).min(axis=0) > 0)
    out[10] = (size < _SETTLED**2 * np.maximum(chi2, 1.0)) & sound


Triangle = list[list["FloatArray"]]


def _columns(
    T: FloatArray,
    y: FloatArray,
    w: FloatArray,
    c2: float,
    at: tuple[FloatArray, FloatArray, FloatArray],
) -> tuple[list[FloatArray], Triangle, FloatArray]:
    """Orthonormal columns of the derivatives, their triangle, and the residuals, whitened."""
    A, B, C = at
    band = A * T + B
    x = c2 / band
    e = np.exp(x)
    f = w / (e - 1)
    rest = y - C * f
    by_b = C * f * e / (e - 1) * x / band
    q = [T * by_b, by_b, f]
    zero = np.zeros_like(A)
    r: Triangle = [[zero] * 3 for _ in range(3)]
    for j in range(3):
        v = q[j]
        for i in range(j):
            r[i][j] = np.einsum("ij,ij->j", q[i], v)
            v = v - r[i][j] * q[i]
        r[j][j] = np.sqrt(np.einsum("ij,ij->j", v, v))
        q[j] = v / r[j][j]
    return q, r, rest


def _inverse_square(r: Triangle) -> FloatArray:
    """Upper half, row by row, of (R^T R)^-1 for triangles of order 3."""
    i00, i11, i22 = 1 / r[0][0], 1 / r[1][1], 1 / r[2][2]
    i01 = -r[0][1] * i00 * i11
    i12 = -r[1][2] * i11 * i22
    i02 = -(r[0][1] * i12 + r[0][2] * i22) * i00
    return np.array([
        i00 * i00 + i01 * i01 + i02 * i02, i01 * i11 + i02 * i12, i02 * i22,
        i11 * i11 + i12 * i12, i12 * i22, i22 * i22,
    ])  # fmt: skip
