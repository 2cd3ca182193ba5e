"""Reliability over time from counts of what was found in tolerance (method S2).

Binomial maximum likelihood on age bins, in logarithms throughout. A model whose parameters do
not settle, or run to a reliability that does not fall, says so and is not chosen. This module
must not know instruments, nor who sets an interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from calib.engine.coverage import check_probability
from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.lifetimes import MODELS, Model
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

DEFAULT_MODELS = ("exponential", "weibull", "lognormal", "random_walk")
LEAST_SAMPLE = 20
MAX_BINS = 1000
_STEP = 1e-30
_TINY = 1e-20
_UNTOLD = 1e-6
_MAX_ROUNDS = 200
_SETTLED = 1e-10
_FAR = 60.0
_DOUBTFUL = 0.05


@dataclass(frozen=True, slots=True)
class ReliabilityFit:
    """One model fitted.

    Attributes
    ----------
    model : str
        Its name.
    parameters : dict of str to float
        Likeliest parameters, in powers of the unit of time.
    log_likelihood, aic : float
        Maximum with the binomial coefficients, and 2 parameters - 2 log_likelihood.
    interval : float or None
        When the reliability falls to the target; 0 when it is below from the start, ``None``
        when it never does or the model did not settle.
    reliability_lower : float or None
        95 % one-sided lower bound of the reliability at the interval.
    p : float or None
        Probability of a fit at least as bad (chi-squared of the deviance); ``None`` without
        degrees of freedom.
    settled : bool
        Whether the maximum was found.
    edge : tuple of str
        Parameters of which the counts say nothing: they ran to 0 or beyond all bounds.
    """

    model: str
    parameters: dict[str, float]
    log_likelihood: float
    aic: float
    interval: float | None
    reliability_lower: float | None
    p: float | None
    settled: bool
    edge: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_finite(
            f"model {self.model}", likelihood=self.log_likelihood, interval=self.interval,
            **self.parameters,
        )  # fmt: skip

    @property
    def doubtful(self) -> bool:
        """Whether the counts contradict the model."""
        return self.p is not None and self.p < _DOUBTFUL


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Checked counts by age: times, numbers seen and numbers found in tolerance."""

    t: FloatArray
    n: FloatArray
    x: FloatArray

    @property
    def constant(self) -> float:
        """Logarithm of the binomial coefficients."""
        one = special.gammaln(self.n + 1) - special.gammaln(self.x + 1)
        return float(np.sum(one - special.gammaln(self.n - self.x + 1)))


def read_counts(t: ArrayLike, n: ArrayLike, in_tolerance: ArrayLike) -> Counts:
    """Check counts by age.

    Raises
    ------
    DegenerateData
        Lists of different length, or nothing in (or out of) tolerance at all.
    OutOfRange
        A time not positive, or a count that is not possible.

    Notes
    -----
    Source: definition.
    Checked against: tests/reference/intervals.toml.
    Limits: every item counts once per bin.
    """
    ts, ns, xs = (np.asarray(v, dtype=np.float64) for v in (t, n, in_tolerance))
    if ts.ndim != 1 or not len(ts) or not ts.shape == ns.shape == xs.shape:
        raise DegenerateData("Every bin needs its time, its number and its number in tolerance.")
    if len(ts) > MAX_BINS:
        raise OutOfRange(f"At most {MAX_BINS} bins can be fitted, got {len(ts)}. Merge ages.")
    require_finite("a bin", t=ts, n=ns, in_tolerance=xs)
    if np.any(ts <= 0) or np.any(ns < 1) or np.any((xs < 0) | (xs > ns)):
        msg = "A bin needs a positive time, at least one item, and not more in tolerance than seen."
        raise OutOfRange(msg)
    if np.any(ns != np.round(ns)) or np.any(xs != np.round(xs)):
        raise OutOfRange("Counts are whole numbers.")
    if xs.sum() == ns.sum():
        msg = f"All {int(ns.sum())} items were in tolerance: the counts bound no interval."
        raise DegenerateData(msg, {"n": int(ns.sum())})
    if xs.sum() == 0:
        msg = f"None of {int(ns.sum())} items was in tolerance: no interval is short enough."
        raise DegenerateData(msg, {"n": int(ns.sum())})
    return Counts(ts, ns, xs)


def fit_reliability(counts: Counts, target: float, model: str) -> ReliabilityFit:
    """Fit one reliability model and solve it for the target.

    Parameters
    ----------
    counts : Counts
        Counts by age.
    target : float
        Reliability wanted at the end of the interval.
    model : str
        One of `MODELS`.

    Returns
    -------
    ReliabilityFit
        `settled` says whether the maximum was found.

    Raises
    ------
    DegenerateData
        Unknown model, or fewer bins than parameters.
    OutOfRange
        `target` outside 0 to 1.

    Notes
    -----
    Source: NCSLI RP-1 method S2 and its reliability models (not at hand; the formulas of the
    contract and of public programs).
    Checked against: tests/reference/intervals.toml.
    Limits: items in different bins are independent; renewal at every calibration.
    """
    check_probability(target, "target reliability")
    if model not in MODELS:
        msg = f"Unknown model {model!r}. Known are {', '.join(MODELS)}."
        raise DegenerateData(msg, {"model": model})
    form, unit = MODELS[model], float(counts.t.max())
    if len(counts.t) < len(form.names):
        msg = f"Model {model!r} needs at least {len(form.names)} bins, got {len(counts.t)}."
        raise DegenerateData(msg, {"model": model, "bins": len(counts.t)})
    scaled = Counts(counts.t / unit, counts.n, counts.x)
    climbs = [_climb(scaled, form, start) for start in form.starts]
    p, height, settled = max(climbs, key=lambda c: (round(c[1], 8), c[2]))
    told = _told(scaled, form, p)
    interval = _solve(form, p, target) if settled else None
    lower = _lower_bound(scaled, form, p, told, interval) if interval else None
    return ReliabilityFit(
        model=model,
        parameters={
            name: math.exp(v) * unit**power if known or v > 0 else 0.0
            for name, v, power, known in zip(form.names, p, form.powers, told, strict=True)
        },
        log_likelihood=height + counts.constant,
        aic=2 * len(form.names) - 2 * (height + counts.constant),
        interval=None if interval is None else interval * unit,
        reliability_lower=lower,
        p=_fit_probability(scaled, form, height),
        settled=settled,
        edge=tuple(name for name, known in zip(form.names, told, strict=True) if not known),
    )


def choose_model(fits: Sequence[ReliabilityFit]) -> ReliabilityFit | None:
    """Choose the best model by Akaike's criterion among those that settled.

    Returns
    -------
    ReliabilityFit or None
        ``None`` when none settled.

    Notes
    -----
    Source: H. Akaike, IEEE Trans. Autom. Control 19 (1974) 716; NCSLI RP-1.
    Checked against: tests/reference/intervals.toml.
    Limits: the best model may still be a bad one; see its `p`.
    """
    return min((f for f in fits if f.settled), key=lambda f: f.aic, default=None)


def _log_likelihood(counts: Counts, r: FloatArray) -> float:
    out, n, x = 0.0, counts.n, counts.x
    with np.errstate(divide="ignore"):
        out = float(np.sum(special.xlogy(x, r) + special.xlog1py(n - x, -r)))
    return out if math.isfinite(out) else -math.inf


def _at(form: Model, p: FloatArray, t: FloatArray) -> FloatArray:
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        return np.asarray(form.curve(p, t), dtype=np.float64)


def _slopes(form: Model, p: FloatArray, t: FloatArray) -> FloatArray:
    """Differentiate the reliability by each log parameter, one row per parameter."""
    rows = []
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        for i in range(len(p)):
            stepped = p.astype(np.complex128)
            stepped[i] += 1j * _STEP
            rows.append(np.imag(form.curve(stepped, t.astype(np.complex128))) / _STEP)
    found = np.array(rows, dtype=np.float64)
    return np.where(np.isfinite(found), found, 0.0)


def _climb(counts: Counts, form: Model, start: tuple[float, ...]) -> tuple[FloatArray, float, bool]:
    """Fisher scoring in log parameters with a trust radius; not settled when one runs away."""
    p = np.log(np.array(start, dtype=np.float64))
    height, damping = _log_likelihood(counts, _at(form, p, counts.t)), 1e-3
    for _ in range(_MAX_ROUNDS):
        information, gradient = _information(counts, form, p)
        size = np.diag(information).copy()
        if np.max(np.abs(p)) > _FAR:
            return p, height, _is_top(gradient, size)
        least = height - 1e-13 * abs(height)
        while True:  # a step short enough is always as high to within rounding
            damped = information + np.diag(damping * (size + 1e-12 * size.max() + _TINY))
            step = np.clip(np.linalg.solve(damped, gradient), -2, 2)
            found = _log_likelihood(counts, _at(form, p + step, counts.t))
            if found >= least:
                break
            damping *= 10
        p, height, damping = p + step, found, max(1e-15, damping / 10)
        if np.max(np.abs(step)) <= _SETTLED:
            return p, height, _is_top(gradient, size)
    return p, height, False


def _is_top(gradient: FloatArray, size: FloatArray) -> bool:
    """Whether no parameter could gain."""
    return bool(np.all(np.abs(gradient) <= 1e-4 * np.sqrt(size) + 1e-6))


def _told(counts: Counts, form: Model, p: FloatArray) -> NDArray[np.bool_]:
    """Say of which parameters the counts tell anything."""
    size = np.diag(_information(counts, form, p)[0])
    return np.asarray(size > _UNTOLD, dtype=np.bool_)


def _information(counts: Counts, form: Model, p: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Fisher information and gradient in log parameters."""
    r, slopes = _at(form, p, counts.t), _slopes(form, p, counts.t)
    inside = np.clip(r * (1 - r), _TINY, None)
    gradient = slopes @ ((counts.x - counts.n * r) / inside)
    return (slopes * (counts.n / inside)) @ slopes.T, gradient


def _solve(form: Model, p: FloatArray, target: float) -> float | None:
    """When the reliability falls to the target, in units of the longest time."""

    def above(log_t: float) -> bool:
        return bool(_at(form, p, np.array([math.exp(log_t)]))[0] > target)

    low, high = -_FAR, _FAR
    if not above(low):
        return 0.0
    if above(high):
        return None
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if above(middle) else (low, middle)
    return math.exp(low)


def _lower_bound(
    counts: Counts, form: Model, p: FloatArray, told: NDArray[np.bool_], t: float
) -> float:
    """Lower bound of the reliability at `t`, on the logit scale where it stays inside 0 to 1."""
    information = _information(counts, form, p)[0][np.ix_(told, told)]
    there = _slopes(form, p, np.array([t]))[told, 0]
    at = float(_at(form, p, np.array([t]))[0])
    # Parameters that only count together leave the matrix singular; what they say together stays.
    variance = float(there @ np.linalg.pinv(information, hermitian=True) @ there)
    u = math.sqrt(max(0.0, variance)) / (at * (1 - at))
    return float(special.expit(special.logit(at) - special.ndtri(0.95) * u))


def _fit_probability(counts: Counts, form: Model, height: float) -> float | None:
    """Probability of a larger deviance than observed."""
    dof = len(counts.t) - len(form.names)
    if dof < 1:
        return None
    best = _log_likelihood(counts, counts.x / counts.n)
    return float(special.chdtrc(dof, max(0.0, 2 * (best - height))))
