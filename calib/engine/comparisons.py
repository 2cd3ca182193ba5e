"""Comparisons between laboratories: performance scores, robust means, weighted means.

This module must not know who took part nor what was sent round.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from calib.engine.errors import DegenerateData, NotConverged, OutOfRange
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

# A score that meets its bound to within the rounding of the arithmetic meets it.
_SLACK = 1e-12
_SETTLED = 1e-14
_MAX_ROUNDS = 2000
# 1/Phi^-1(0.75), and the factor that makes winsorised deviations unbiased at 1.5 s.
_MAD = 1 / float(special.ndtri(0.75))
_CLIP = 1.5
_WINSOR = 1.134
_OF_MEDIAN = 1.25
NEGLIGIBLE = 0.3


@dataclass(frozen=True, slots=True)
class RobustMean:
    """Robust mean and standard deviation of the results of p laboratories.

    Attributes
    ----------
    value, u, s : float
        Mean, its standard uncertainty 1.25 s/sqrt(p), standard deviation.
    rounds : int
        Rounds until nothing changed.
    """

    value: float
    u: float
    s: float
    rounds: int

    def __post_init__(self) -> None:
        require_finite("a robust mean", value=self.value, u=self.u, s=self.s)


@dataclass(frozen=True, slots=True, eq=False)
class WeightedMean:
    """Weighted mean with its test of consistency.

    Attributes
    ----------
    value, u : float
        Mean and standard uncertainty.
    chi2, chi2_critical : float
        Observed chi-squared and its 95 % point.
    dof : int
        Results less one.
    consistent : bool
        Whether chi2 does not exceed its critical value.
    birge : float
        sqrt(chi2/dof); told, never applied.
    deviations, u_deviations : (n,) array
        x - mean and its standard uncertainty sqrt(u^2 - u(mean)^2).
    """

    value: float
    u: float
    chi2: float
    chi2_critical: float
    dof: int
    consistent: bool
    birge: float
    deviations: FloatArray
    u_deviations: FloatArray

    def __post_init__(self) -> None:
        require_finite("a weighted mean", value=self.value, u=self.u, chi2=self.chi2)


def en_scores(x: ArrayLike, U: ArrayLike, X: float, U_X: float) -> FloatArray:
    """Compute E_n numbers of results against an assigned value.

    Parameters
    ----------
    x, U : (n,) array_like
        Results and expanded uncertainties (k = 2).
    X, U_X : float
        Assigned value and its expanded uncertainty.

    Returns
    -------
    (n,) array
        (x - X)/sqrt(U^2 + U_X^2).

    Raises
    ------
    OutOfRange
        A number is not finite, an uncertainty negative, or both zero.

    Notes
    -----
    Source: ISO 13528:2022 9.7; ISO/IEC 17043.
    Checked against: tests/reference/comparisons.toml.
    Limits: result and assigned value are independent; for a weighted mean that includes the
    result use `weighted_mean` and its deviations.
    """
    return _scores(x, X, np.hypot(_uncertain(U), _uncertain(U_X)))


def z_scores(x: ArrayLike, X: float, sigma_pt: float, u_X: float = 0.0) -> FloatArray:
    """Compute z scores, or z' scores when the uncertainty of the assigned value counts.

    Parameters
    ----------
    x : (n,) array_like
        Results.
    X, sigma_pt : float
        Assigned value, standard deviation for proficiency assessment.
    u_X : float
        Standard uncertainty of the assigned value (0: z).

    Returns
    -------
    (n,) array
        (x - X)/sqrt(sigma_pt^2 + u_X^2).

    Raises
    ------
    OutOfRange
        A number is not finite, `sigma_pt` not positive, `u_X` negative.

    Notes
    -----
    Source: ISO 13528:2022 9.4, 9.5.
    Checked against: tests/reference/comparisons.toml.
    Limits: z is fair only while u_X is at most 0.3 sigma_pt.
    """
    if not sigma_pt > 0:
        raise OutOfRange(f"sigma_pt must be positive, got {sigma_pt}.", {"sigma_pt": sigma_pt})
    return _scores(x, X, np.hypot(sigma_pt, _uncertain(u_X)))


def zeta_scores(x: ArrayLike, u: ArrayLike, X: float, u_X: float) -> FloatArray:
    """Compute zeta scores of results against an assigned value.

    Parameters
    ----------
    x, u : (n,) array_like
        Results and standard uncertainties.
    X, u_X : float
        Assigned value and its standard uncertainty.

    Returns
    -------
    (n,) array
        (x - X)/sqrt(u^2 + u_X^2).

    Raises
    ------
    OutOfRange
        A number is not finite, an uncertainty negative, or both zero.

    Notes
    -----
    Source: ISO 13528:2022 9.6.
    Checked against: tests/reference/comparisons.toml.
    Limits: as `en_scores`.
    """
    return _scores(x, X, np.hypot(_uncertain(u), _uncertain(u_X)))


def _uncertain(u: ArrayLike) -> FloatArray:
    found = np.asarray(u, dtype=np.float64)
    require_finite("a comparison", uncertainty=found)
    if np.any(found < 0):
        raise OutOfRange("An uncertainty is never negative.")
    return found


def _scores(x: ArrayLike, X: float, spread: FloatArray) -> FloatArray:
    values = np.asarray(x, dtype=np.float64)
    require_finite("a comparison", value=values, assigned=X, spread=spread)
    if np.any(spread == 0):
        raise OutOfRange("Result and assigned value are both without uncertainty: no score.")
    return np.asarray((values - X) / spread, dtype=np.float64)


def judge_scores(scores: ArrayLike, action: float, warning: float | None = None) -> list[str]:
    """Say of each score whether it is satisfactory, questionable or unsatisfactory.

    Parameters
    ----------
    scores : (n,) array_like
        Any score.
    action, warning : float
        E_n: 1 and none (unsatisfactory above). z, z', zeta: 3 and 2 (questionable above the
        warning, unsatisfactory from the action limit on).

    Returns
    -------
    list of str
        One word each.

    Raises
    ------
    OutOfRange
        A score is not finite.

    Notes
    -----
    Source: ISO 13528:2022 9.4.2, 9.7.
    Checked against: tests/reference/comparisons.toml.
    Limits: a score that meets a bound to 1 part in 10^12 meets it.
    """
    size = np.abs(np.asarray(scores, dtype=np.float64))
    require_finite("a score", score=size)
    if warning is None:
        return ["satisfactory" if s <= action * (1 + _SLACK) else "unsatisfactory" for s in size]
    fine, bad = size <= warning * (1 + _SLACK), size >= action * (1 - _SLACK)
    words = np.where(fine, "satisfactory", np.where(bad, "unsatisfactory", "questionable"))
    return [str(w) for w in words]


def algorithm_a(values: ArrayLike) -> RobustMean:
    """Robust mean and standard deviation by winsorising at 1.5 s until nothing changes.

    Parameters
    ----------
    values : (p,) array_like
        One result per laboratory, at least two.

    Returns
    -------
    RobustMean
        s may be 0 where most results are equal: they tell no scatter.

    Raises
    ------
    DegenerateData
        Fewer than two results.
    NotConverged
        The rounds do not settle.
    OutOfRange
        A result is not finite.

    Notes
    -----
    Source: ISO 13528:2022 C.3 (algorithm A), 7.7.3 for u; ISO 5725-5:1998 5.1.
    Checked against: tests/reference/comparisons.toml.
    Limits: breaks down at about a quarter of outliers. Where more than half of the results are
    equal the standard deviation starts the rounds in place of the median deviation.
    """
    x = np.sort(_results(values))
    p = len(x)
    middle = float(np.median(x))
    s = _MAD * float(np.median(np.abs(x - middle)))
    deviations = x - middle  # near zero, so that far origins lose nothing
    s = s or float(np.std(deviations, ddof=1))
    mean, nothing = 0.0, _SETTLED * s
    for rounds in range(1, _MAX_ROUNDS + 1):
        clipped = np.clip(deviations, mean - _CLIP * s, mean + _CLIP * s)
        before, mean = (mean, s), float(clipped.mean())
        s = _WINSOR * float(np.std(clipped, ddof=1))
        if s <= nothing:
            return RobustMean(middle, 0.0, 0.0, rounds)
        if abs(mean - before[0]) + abs(s - before[1]) <= _SETTLED * s:
            return RobustMean(middle + mean, _OF_MEDIAN * s / math.sqrt(p), s, rounds)
    msg = f"Algorithm A did not settle in {_MAX_ROUNDS} rounds. Look at the results one by one."
    raise NotConverged(msg, {"rounds": _MAX_ROUNDS, "s": s})


def _results(values: ArrayLike) -> FloatArray:
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or len(x) < 2:
        raise DegenerateData("A consensus needs the results of at least two laboratories.")
    require_finite("a comparison", value=x)
    return x


def weighted_mean(values: ArrayLike, u: ArrayLike) -> WeightedMean:
    """Weighted mean of independent results, and whether they agree within their uncertainties.

    Parameters
    ----------
    values, u : (n,) array_like
        At least two results with positive standard uncertainties.

    Returns
    -------
    WeightedMean
        The uncertainty is that of the stated ones; nothing is rescaled.

    Raises
    ------
    DegenerateData
        Fewer than two results, or lists of different length.
    OutOfRange
        A number is not finite, or an uncertainty not positive.

    Notes
    -----
    Source: M. G. Cox, Metrologia 39 (2002) 589, procedure A.
    Checked against: tests/reference/comparisons.toml.
    Limits: independent normal results. When not consistent, the mean is no reference value.
    """
    x, weights = check_weights(values, u)
    value, of_mean, chi2 = combine(x, weights)
    dof = len(x) - 1
    critical = float(special.chdtri(dof, 0.05))
    rest = np.sqrt(np.maximum(0.0, 1 / weights - of_mean**2))
    return WeightedMean(
        value, of_mean, chi2, critical, dof, chi2 <= critical, math.sqrt(chi2 / dof),
        x - value, rest,
    )  # fmt: skip


def check_weights(values: ArrayLike, u: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Check results and give their weights 1/u^2."""
    x, us = _results(values), np.asarray(u, dtype=np.float64)
    require_finite("a comparison", u=us)
    if us.shape != x.shape:
        msg = f"{len(x)} results need as many uncertainties, got {us.size}."
        raise DegenerateData(msg, {"results": len(x), "uncertainties": us.size})
    bad = np.flatnonzero(us <= 0)
    if bad.size:
        i, got = int(bad[0]), float(us[bad[0]])
        msg = f"Every result needs a positive standard uncertainty, got {got} in place {i}."
        raise OutOfRange(msg, {"place": i, "got": got})
    return x, 1 / us**2


def combine(x: FloatArray, weights: FloatArray) -> tuple[float, float, float]:
    """Combine results to their weighted mean, its u, and the weighted squares about it.

    Notes
    -----
    Source: M. G. Cox, Metrologia 39 (2002) 589.
    Checked against: tests/reference/comparisons.toml.
    Limits: positive weights, checked by `check_weights`.
    """
    total = float(weights.sum())
    value = float(x[0] + weights @ (x - x[0]) / total)
    return value, 1 / math.sqrt(total), float(weights @ (x - value) ** 2)
