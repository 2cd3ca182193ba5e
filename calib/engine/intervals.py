"""Recalibration intervals by steps and by counts (staircase, A3, S2), with their reasons.

No interval is given beyond its evidence in silence: what was cut, lengthened or goes beyond what
was seen is said. This module must not know instruments, laws nor customers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np
from scipy import special

from calib.engine.coverage import check_probability
from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.reasons import Facts, Reason
from calib.engine.reliability import (
    DEFAULT_MODELS,
    LEAST_SAMPLE,
    Counts,
    ReliabilityFit,
    choose_model,
    fit_reliability,
)
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Step = Literal["lengthen", "keep", "shorten"]
# Share of the limit within which an as-found error counts as quiet.
QUIET = 0.8
# Response of NCSLI RP-1 method A1: ten per cent more, or about half (figures to be confirmed).
LENGTHEN, SHORTEN = 1.1, 0.55
_LEAST_FACTOR, _MOST_FACTOR = 0.5, 2.0
_AGREED = ("current_interval", "U", "quiet", "lengthen", "shorten")


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval and what it rests on.

    Attributes
    ----------
    interval : float or None
        In the unit of the task; ``None`` when the evidence gives none.
    reasons : tuple of Reason
        Sentences in plain words.
    extrapolated : bool
        Whether it is longer than anything observed.
    """

    interval: float | None
    reasons: tuple[Reason, ...]
    extrapolated: bool = False

    def __post_init__(self) -> None:
        require_finite("an interval", interval=self.interval)


Given = TypeVar("Given", bound=Interval)


def cut_interval(found: Given, longest: float | None) -> Given:
    """Cut an interval at the longest that was agreed, and say so.

    Parameters
    ----------
    found : Interval
        Of any method.
    longest : float or None
        Longest interval agreed; ``None`` cuts nothing.

    Returns
    -------
    Interval
        The same, cut where it was longer.

    Raises
    ------
    OutOfRange
        `longest` is not positive.

    Notes
    -----
    Source: NCSLI RP-1 (intervals are bounded by agreement).
    Checked against: tests/reference/intervals.toml.
    Limits: never lengthens: what asks for less than agreed is not fit for use.
    """
    if longest is None:
        return found
    if not (longest > 0 and math.isfinite(longest)):
        raise OutOfRange(f"The longest interval must be positive, got {longest}.")
    if found.interval is None or found.interval <= longest:
        return found
    told = Reason("It is cut at the longest interval agreed, {longest}.", {"longest": longest})
    return replace(found, interval=longest, reasons=(*found.reasons, told))


@dataclass(frozen=True, slots=True)
class Staircase(Interval):
    """Interval by steps.

    Attributes
    ----------
    step : str
        ``lengthen``, ``keep`` or ``shorten``.
    load : float
        Largest share of a limit that was used up, uncertainty included.
    """

    step: Step = "keep"
    load: float = 0.0


@dataclass(frozen=True, slots=True)
class TestedInterval(Interval):
    """Interval by a test of the observed reliability (A3).

    Attributes
    ----------
    rejection_confidence, kept : float
        Confidence at which the target is rejected; the present interval where not supported.
    value, lower, upper : float
        Observed reliability with its confidence limits.
    supported : bool
        Whether the counts reject the target at the confidence asked for.
    """

    rejection_confidence: float = 0.0
    value: float = 0.0
    lower: float = 0.0
    upper: float = 1.0
    supported: bool = False
    kept: float = 0.0


@dataclass(frozen=True, slots=True)
class ReliabilityInterval(Interval):
    """Interval by a reliability model (S2).

    Attributes
    ----------
    fits : tuple of ReliabilityFit
        All models asked for.
    best : ReliabilityFit or None
        The chosen one.
    """

    fits: tuple[ReliabilityFit, ...] = ()
    best: ReliabilityFit | None = None


def step_interval(  # noqa: PLR0913  (a staircase has many agreed figures)
    errors: ArrayLike,
    *,
    lower: float | None,
    upper: float | None,
    current: float,
    U: float = 0.0,
    quiet: float = QUIET,
    steps: Sequence[float] | None = None,
    lengthen: float = LENGTHEN,
    shorten: float = SHORTEN,
    may_extend: bool = True,
) -> Staircase:
    """Lengthen, keep or shorten an interval by the last as-found errors.

    Parameters
    ----------
    errors : (n,) array_like
        As-found errors of the last calibration.
    lower, upper : float or None
        Limits of the error, at least one; lower negative, upper positive.
    current : float
        Interval at the end of which they were found.
    U : float
        Expanded uncertainty, added to the errors before they count as quiet.
    quiet : float
        Share of the limit below which the interval is lengthened.
    steps : sequence of float, optional
        Agreed intervals, rising; without them the factors apply.
    lengthen, shorten : float
        Factors, at least 1 and at most 1.
    may_extend : bool
        False for items whose interval a regulation fixes.

    Returns
    -------
    Staircase
        Step and interval.

    Raises
    ------
    DegenerateData
        No error, no limit, or steps that do not rise.
    OutOfRange
        A figure is not finite or not in its range.

    Notes
    -----
    Source: ILAC-G24:2022/OIML D 10:2022 method 1; the figures are usual ones, to be agreed.
    Checked against: tests/reference/intervals.toml.
    Limits: rests on one calibration alone.
    """
    found = np.asarray(errors, dtype=np.float64)
    require_finite("as-found errors", errors=found, lower=lower, upper=upper, current=current, U=U)
    if not found.size or (lower is None and upper is None):
        raise DegenerateData("At least one as-found error and one limit are needed.")
    if (lower is not None and lower >= 0) or (upper is not None and upper <= 0):
        raise OutOfRange("The lower limit must be negative and the upper limit positive.")
    agreed = (current > 0, U >= 0, 0 < quiet <= 1, lengthen >= 1, 0 < shorten <= 1)
    if not all(agreed):
        name = _AGREED[agreed.index(False)]
        msg = (
            f"{name} is not in its range: intervals are positive, U not negative, quiet and"
            " shorten above 0 and at most 1, lengthen at least 1."
        )
        raise OutOfRange(msg, {"name": name})
    load, worst = _load(found, lower, upper, U), _load(found, lower, upper, 0.0)
    step: Step = "shorten" if worst > 1 else "lengthen" if load <= quiet else "keep"
    share: Facts = {"percent": 100 * (worst if step == "shorten" else load), "quiet": 100 * quiet}
    reasons = [Reason(_STEPS[step], share)]
    if step == "lengthen" and not may_extend:
        step = "keep"
        reasons.append(Reason("A regulation fixes this interval; it is not lengthened."))
    interval = _next_step(current, step, steps, lengthen, shorten)
    reasons.append(Reason("This rests on the last calibration alone."))
    if interval > current:
        reasons.append(_LONGER)
    return Staircase(interval, tuple(reasons), interval > current, step=step, load=load)


_STEPS: dict[Step, str] = {
    "lengthen": "The largest as-found error uses {percent} % of its limit, at most {quiet} %.",
    "keep": "The largest as-found error uses {percent} % of its limit, more than {quiet} %, with"
    " its uncertainty; it is not shown to be outside.",
    "shorten": "The largest as-found error is outside: {percent} % of its limit.",
}  # fmt: skip


def _load(errors: ArrayLike, lower: float | None, upper: float | None, U: float) -> float:
    """Largest share of a limit used up by errors with their uncertainty."""
    e = np.asarray(errors, dtype=np.float64)
    up = 0.0 if upper is None else float(np.max(e + U)) / upper
    down = 0.0 if lower is None else float(np.min(e - U)) / lower
    return max(0.0, up, down)


def _next_step(
    current: float, step: Step, steps: Sequence[float] | None, lengthen: float, shorten: float
) -> float:
    if step == "keep":
        return current
    if steps is None:
        return current * (lengthen if step == "lengthen" else shorten)
    agreed = np.asarray(steps, dtype=np.float64)
    require_finite("agreed intervals", steps=agreed)
    if not agreed.size or agreed[0] <= 0 or np.any(np.diff(agreed) <= 0):
        raise DegenerateData("The agreed intervals must be positive and rise.")
    if step == "lengthen":
        return max(current, float(np.min(agreed[agreed > current], initial=agreed[-1])))
    return min(current, float(np.max(agreed[agreed < current], initial=agreed[0])))


_LONGER = Reason("The interval is longer than the one observed: extrapolated.")
_TESTED = {
    True: "The counts reject the target with a confidence of {Q}.",
    False: "The counts do not reject the target (confidence {Q}): no change is supported, keep it.",
}


def interval_a3(
    in_tolerance: int, n: int, current: float, target: float, confidence: float
) -> TestedInterval:
    """Test the observed reliability against its target and change the interval by it.

    Parameters
    ----------
    in_tolerance, n : int
        Found in tolerance, of so many.
    current : float
        Interval at the end of which they were found.
    target : float
        Reliability wanted.
    confidence : float
        Of the limits of the reliability, and to call a change supported.

    Returns
    -------
    TestedInterval
        current 10^((R - target) Q) within 1/2 to 2 times.

    Raises
    ------
    OutOfRange
        Counts that are not possible, or a probability outside 0 to 1.

    Notes
    -----
    Source: NCSLI RP-1 method A3 as taught in 2019; Clopper-Pearson limits.
    Checked against: tests/reference/intervals.toml.
    Limits: all at the same age; independent items.
    """
    check_probability(target, "target reliability")
    check_probability(confidence, "confidence")
    if not 0 <= in_tolerance <= n or n < 1:
        msg = f"{in_tolerance} of {n} in tolerance is not possible."
        raise OutOfRange(msg, {"in_tolerance": in_tolerance, "n": n})
    if not (current > 0 and math.isfinite(current)):
        raise OutOfRange(f"The current interval must be positive, got {current}.")
    x, rate = in_tolerance, in_tolerance / n
    tail = special.bdtr(x, n, target) if rate <= target else special.bdtrc(x - 1, n, target)
    Q = 1 - 2 * float(tail)
    factor = min(_MOST_FACTOR, max(_LEAST_FACTOR, 10 ** ((rate - target) * Q)))
    half = (1 - confidence) / 2
    low = 0.0 if x == 0 else float(special.betaincinv(x, n - x + 1, half))
    high = 1.0 if x == n else float(special.betaincinv(x + 1, n - x, 1 - half))
    facts: Facts = {"x": x, "n": n, "rate": rate, "target": target, "Q": Q, "factor": factor}
    supported = bool(confidence <= Q)
    reasons = [
        Reason("{x} of {n} were in tolerance: {rate}, against a target of {target}.", facts),
        Reason(_TESTED[supported], facts),
    ]
    if factor in (_LEAST_FACTOR, _MOST_FACTOR):
        reasons.append(Reason("The change is cut to {factor} times.", facts))
    if factor > 1:
        reasons.append(_LONGER)
    return TestedInterval(
        current * factor, tuple(reasons), factor > 1,
        rejection_confidence=Q, value=rate, lower=low, upper=high, supported=supported,
        kept=current * factor if supported else current,
    )  # fmt: skip


def interval_s2(
    counts: Counts, target: float, models: Sequence[str] = DEFAULT_MODELS
) -> ReliabilityInterval:
    """Find when the likeliest reliability model falls to the target (S2).

    Parameters
    ----------
    counts : Counts
        Counts by age.
    target : float
        Reliability wanted at the end of the interval.
    models : sequence of str
        Models to try.

    Returns
    -------
    ReliabilityInterval
        All fits, and the interval of the best by Akaike's criterion.

    Raises
    ------
    DegenerateData
        Unknown model, no model, or fewer bins than parameters.
    OutOfRange
        `target` outside 0 to 1.

    Notes
    -----
    Source: NCSLI RP-1 method S2.
    Checked against: tests/reference/intervals.toml.
    Limits: as `fit_reliability`.
    """
    if not models:
        raise DegenerateData("At least one reliability model is needed.")
    fits = tuple(fit_reliability(counts, target, m) for m in models)
    best = choose_model(fits)
    reasons = [
        Reason("The counts tell no maximum for {model}.", {"model": f.model})
        for f in fits
        if not f.settled
    ]
    if best is None:
        return ReliabilityInterval(None, tuple(reasons), fits=fits)
    total, oldest = int(counts.n.sum()), float(counts.t.max())
    facts: Facts = {
        "model": best.model, "total": total, "bins": len(counts.t), "target": target,
        "oldest": oldest,
    }  # fmt: skip
    seen = "Of the models tried {model} fits {total} results in {bins} bins best."
    reasons.insert(0, Reason(seen, facts))
    if best.doubtful:
        reasons.append(Reason("Even the best model contradicts the counts."))
    if total < LEAST_SAMPLE:
        reasons.append(Reason("{total} results are few.", facts))
    beyond = best.interval is not None and best.interval > oldest
    if best.interval is None:
        reasons.append(Reason("Its reliability never falls to {target}: no interval.", facts))
    elif best.interval == 0:
        reasons.append(Reason("Its reliability is below {target} from the start.", facts))
    elif beyond:
        reasons.append(Reason("The interval is beyond the oldest bin: extrapolated.", facts))
    return ReliabilityInterval(best.interval, tuple(reasons), beyond, fits=fits, best=best)
