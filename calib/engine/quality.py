"""How good a fit is: chi-squared test, r^2, F, Akaike's criterion, leave-one-out residuals.

This module must not know curves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from calib.engine.observations import Observations, solve_triangular

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

_NOISE = 4 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Figures of one fit; see `fit_types.Fit`."""

    dof: int
    s: float | None
    s_single: float | None
    chi2_critical: float | None
    consistent: bool | None
    r_squared: float | None
    f_statistic: float | None
    aicc: float | None

    @property
    def figures(self) -> dict[str, Any]:
        """All of them by name, as `fit_types.Fit` takes them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def judge(
    seen: Observations, chi2: float, p: int, *, known: bool, origin: bool, explain: bool = True
) -> Judgement:
    """Judge a fit of p parameters.

    Parameters
    ----------
    seen : Observations
        What was fitted.
    chi2, p : float, int
        Sum of squares at the solution and number of parameters.
    known : bool
        Whether the uncertainties were stated, so that chi2 can be tested.
    origin : bool
        Whether the curve is held at the origin: r^2 is then not about the mean.
    explain : bool
        False where r^2 has no meaning (errors in x).

    Returns
    -------
    Judgement
        All figures that are defined.
    """
    n = len(seen.y)
    dof = n - p
    s = math.sqrt(chi2 / dof) if dof else None
    critical = float(special.chdtri(dof, 0.05)) if known and dof else None
    total = _total(seen, origin=origin) if explain else 0.0
    terms = p if origin else p - 1
    return Judgement(
        dof=dof,
        s=s,
        s_single=_single(seen, s) if explain else None,
        chi2_critical=critical,
        consistent=None if critical is None else chi2 <= critical,
        r_squared=1 - chi2 / total if total > 0 else None,
        f_statistic=_fisher(total - chi2, chi2, terms, dof),
        aicc=_aicc(seen, chi2, p, known=known),
    )


def _total(seen: Observations, *, origin: bool) -> float:
    """Give the (weighted) sum of squares about the mean, or about 0."""
    y = seen.white(seen.y)
    if not origin:
        one = seen.white(np.ones(len(seen.y)))
        y = y - one * (float(one @ y) / float(one @ one))
    return float(y @ y)


def _fisher(explained: float, chi2: float, terms: int, dof: int) -> float | None:
    """Mean square explained over mean square left, where both exist."""
    if not (terms and dof and chi2 > 0 and explained > 0):
        return None
    f = (explained / terms) / (chi2 / dof)
    return f if math.isfinite(f) else None


def _aicc(seen: Observations, chi2: float, p: int, *, known: bool) -> float | None:
    """Akaike's criterion for small samples, chi2 floored at what rounding leaves of it."""
    n, k = len(seen.y), p if known else p + 1
    if n - k - 1 <= 0:
        return None
    penalty = 2 * k + 2 * k * (k + 1) / (n - k - 1)
    if known:
        return chi2 + penalty
    floor = n * (_NOISE * float(np.max(np.abs(seen.y)))) ** 2
    least = max(chi2, floor)
    return n * math.log(least / n) + penalty if least > 0 else None


def _single(seen: Observations, s: float | None) -> float | None:
    """Give the standard deviation of one observation, where all weights are equal."""
    if s is None or seen.whiten is not None:
        return None
    if seen.u_y is None:
        return s
    return s * float(seen.u_y[0]) if np.all(seen.u_y == seen.u_y[0]) else None


def leave_one_out(
    seen: Observations, q: FloatArray, rest: FloatArray, *, weighted: bool
) -> tuple[float | None, ...]:
    """Residual of each point from the fit without it; q spans the (whitened) design."""
    if weighted and seen.whiten is not None:
        w = solve_triangular(seen.whiten, np.eye(len(q)), lower=True)
        keep = w.T @ (w - q @ (q.T @ w))
        top, bottom, scale = keep @ rest, np.diag(keep), np.sum(w * w, axis=0)
    else:
        bottom = 1 - np.sum(q * q, axis=1)
        top, scale = rest, np.ones(len(q))
    free = bottom > 1e-9 * scale
    out = top / np.where(free, bottom, 1.0)
    return tuple(float(v) if ok else None for v, ok in zip(out, free, strict=True))
