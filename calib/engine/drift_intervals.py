"""Recalibration intervals from measured drift: variables method, control chart, forecast.

Every interval says what it rests on. This module must not know instruments, laws nor customers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import special

from calib.engine.coverage import check_probability
from calib.engine.drift import Changes, first_reach
from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.forecasts import History, find_departure
from calib.engine.intervals import Interval
from calib.engine.reasons import Facts, Reason
from calib.engine.types import require_finite


@dataclass(frozen=True, slots=True)
class DriftInterval(Interval):
    """Interval by a forecast.

    Attributes
    ----------
    k : float or None
        Coverage factor of the band; ``None`` where there is none.
    reached : bool
        Whether the bound is met at the interval.
    """

    k: float | None = None
    reached: bool = True


def interval_by_uncertainty(changes: Changes, u0: float, target_u: float) -> DriftInterval:
    """Find when the predicted uncertainty reaches its target (variables method).

    Parameters
    ----------
    changes : Changes
        Fitted changes since adjustment.
    u0, target_u : float
        Standard uncertainty at the start, and the largest wanted.

    Returns
    -------
    DriftInterval
        First time at which sqrt(u0^2 + u_pred^2) is target_u; 0 when it is from the start.

    Raises
    ------
    OutOfRange
        `u0` negative or `target_u` not positive.

    Notes
    -----
    Source: NASA-HDBK-8739.19-5 (2010) chapter 7.
    Checked against: tests/reference/intervals.toml.
    Limits: the drift itself is taken as corrected for.
    """
    if not target_u > 0:
        raise OutOfRange(f"target_u must be positive, got {target_u}.", {"target_u": target_u})
    found = first_reach(changes, u0=u0, k=1.0, gap=target_u, sign=0)
    bound = Reason("The uncertainty wanted is {target_u}.", {"target_u": target_u})
    return _by_changes(changes, found, None, bound)


def interval_by_limits(
    changes: Changes, u0: float, y0: float, lower: float | None, upper: float | None, p: float
) -> DriftInterval:
    """Find when the predicted value with its uncertainty reaches a limit (variables method).

    Parameters
    ----------
    changes : Changes
        Fitted changes since adjustment.
    u0, y0 : float
        Standard uncertainty and value at the start.
    lower, upper : float or None
        Limits, at least one.
    p : float
        Confidence; two-sided with two limits, one-sided with one.

    Returns
    -------
    DriftInterval
        First time at which y0 + delta(t) -/+ k sqrt(u0^2 + u_pred^2) is a limit.

    Raises
    ------
    DegenerateData
        No limit, or limits crossed.
    OutOfRange
        A figure is not finite or not in its range.

    Notes
    -----
    Source: NASA-HDBK-8739.19-5 (2010) chapter 7.
    Checked against: tests/reference/intervals.toml.
    Limits: as `interval_by_uncertainty`, with the drift left uncorrected.
    """
    check_probability(p, "confidence")
    require_finite("limits", y0=y0, lower=lower, upper=upper)
    if lower is None and upper is None:
        raise DegenerateData("At least one limit is needed.")
    if lower is not None and upper is not None and lower >= upper:
        raise DegenerateData("The lower limit must be below the upper limit.")
    two = lower is not None and upper is not None
    k = float(special.stdtrit(changes.dof, (1 + p) / 2 if two else p))
    if k < 0:
        raise OutOfRange("The confidence must be at least 0.5 with one limit.", {"confidence": p})
    times = []
    if upper is not None:
        times.append(first_reach(changes, u0=u0, k=k, gap=upper - y0, sign=1))
    if lower is not None:
        times.append(first_reach(changes, u0=u0, k=k, gap=y0 - lower, sign=-1))
    found = min((t for t in times if t is not None), default=None)
    bound = Reason("A limit is to be kept with a confidence of {p}.", {"p": p})
    return _by_changes(changes, found, k, bound)


def _by_changes(
    changes: Changes, found: float | None, k: float | None, bound: Reason
) -> DriftInterval:
    count = changes.dof + len(changes.parameters)
    facts: Facts = {"count": count, "longest": changes.longest}
    seen = Reason("The drift rests on {count} changes, the longest after {longest}.", facts)
    reasons = [seen, bound]
    if found is None:
        reasons.append(Reason("The bound is never met: these changes give no interval."))
    elif found == 0:
        reasons.append(Reason("The bound is not kept even at the start."))
    beyond = found is not None and found > changes.longest
    if beyond:
        reasons.append(Reason("The interval is longer than any change seen: extrapolated."))
    return DriftInterval(found, tuple(reasons), beyond, k=k, reached=found is not None)


def interval_by_history(
    history: History, lower: float | None, upper: float | None, *, confidence: float,
    longest: float | None = None, criterion: str = "band", tail: str = "t",
) -> DriftInterval:  # fmt: skip
    """Find the interval from the line through the calibrations (control chart, drift).

    Parameters
    ----------
    history : History
        Fitted line.
    lower, upper : float or None
        Limits of the deviation, at least one.
    confidence : float
        Coverage of the band, or the reliability wanted.
    longest : float, optional
        How far to look; without it as far as was observed.
    criterion, tail : str
        As in `find_departure`.

    Returns
    -------
    DriftInterval
        Counted from the last calibration; `reached` is false where it was cut at `longest`.

    Raises
    ------
    DegenerateData
        No limit, or limits crossed.
    OutOfRange
        A figure is not in its range.

    Notes
    -----
    Source: ILAC-G24:2022/OIML D 10:2022 method 2.
    Checked against: tests/reference/intervals.toml.
    Limits: as `fit_history`.
    """
    most = history.span if longest is None else longest
    found, k = find_departure(
        history, lower, upper, confidence=confidence, longest=most, criterion=criterion, tail=tail
    )
    reached = math.isfinite(found)
    interval = found if reached else most
    facts: Facts = {
        "n": history.n, "span": history.span, "slope": history.slope, "most": most,
    }  # fmt: skip
    seen = "{n} calibrations over {span} show a drift of {slope} per unit of time."
    reasons = [Reason(seen, facts)]
    if history.n < 5:
        reasons.append(Reason("Fewer than five calibrations are a weak ground."))
    if not history.consistent:
        reasons.append(Reason("They scatter more about the line than their uncertainties allow."))
    if interval == 0:
        reasons.append(Reason("Even at the last calibration the limits are in doubt."))
    elif not reached:
        reasons.append(
            Reason("No limit is in doubt within {most}; the interval is cut there.", facts)
        )
    beyond = interval > history.span
    if beyond:
        reasons.append(Reason("The interval is longer than the time observed: extrapolated."))
    return DriftInterval(
        interval, tuple(reasons), beyond, k=k if criterion == "band" else None, reached=reached
    )
