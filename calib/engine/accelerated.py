"""Quicker ways to the figures of a Monte Carlo run, each with an honest standard error.

Scrambled Sobol points settle faster than random ones. The linear model's distribution is known
exactly; where the model is nearly linear, trials are needed only for the difference. Random
trials (`montecarlo`) stay the reference. This module must not know tasks.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from calib.engine.correlations import correlation_of
from calib.engine.distributions import describe
from calib.engine.errors import OutOfRange
from calib.engine.linearised import Linearised, propagate_linearised, standard_deviation
from calib.engine.montecarlo import BLOCK, MonteCarlo, check_trials, run_monte_carlo
from calib.engine.sobol import SobolPoints
from calib.engine.streams import RandomPoints
from calib.engine.trials import Summary, Trials

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from calib.engine.montecarlo import Plan
    from calib.engine.streams import Points

    FloatArray = NDArray[np.float64]

GROUPS = 16
"""Independent parts of a run, of which the standard errors are estimated."""
PILOT = 4096
NEARLY_LINEAR = 1e-3
"""A control variate pays when 1 - r^2 between model and linear model is below this."""


def _parts(trials: int, p: float) -> list[int]:
    """Sizes of the groups, equal but for one."""
    check_trials(trials, p)
    check_trials(trials // GROUPS, p)
    return [trials // GROUPS + (g < trials % GROUPS) for g in range(GROUPS)]


def _spread(figures: Sequence[Sequence[tuple[float, ...]]]) -> FloatArray:
    """Estimate standard errors (outputs, 4) of means over groups."""
    return np.asarray(np.std(np.array(figures), axis=0, ddof=1) / math.sqrt(len(figures)))


def _errors(row: FloatArray) -> tuple[float, float, float, float]:
    value, u, low, high = (float(x) for x in row)
    return value, u, low, high


def run_sobol(
    plan: Plan, *, trials: int, p: float = 0.95, seed: int = 1, item: int = 0
) -> MonteCarlo:
    """Propagate distributions with scrambled Sobol points.

    Parameters
    ----------
    plan, p, seed, item
        As in `montecarlo.run_monte_carlo`.
    trials : int
        Over all 16 scrambles; best 16 times a power of two.

    Returns
    -------
    MonteCarlo
        Figures of all trials together, standard errors from the scatter of the 16 scrambles.

    Raises
    ------
    OutOfRange
        Too few or too many trials or inputs, or a trial without a finite result.

    Notes
    -----
    Source: A. B. Owen, SIAM J. Numer. Anal. 34 (1997) 1884 (randomised quasi-Monte Carlo).
    Checked against: tests/reference/jcgm101.toml.
    Limits: 100 uncertain inputs; the standard errors themselves are good to 20 %.
    """
    whole = Trials(len(plan.model), p)
    figures = []
    for scramble, size in enumerate(_parts(trials, p)):
        points = SobolPoints(seed, item, scramble, plan.places)
        part = Trials(len(plan.model), p)
        for y in plan.blocks(points, size):
            part.add(y)
            whole.add(y)
        figures.append([s.figures for s in part.summaries()])
    correlation, errors = whole.correlation(), _spread(figures)
    outputs = {
        name: replace(s, errors=_errors(row))
        for name, s, row in zip(plan.model, whole.summaries(), errors, strict=True)
    }
    return MonteCarlo(
        outputs, correlation, whole.n, seed, item, counted=bool(whole.counted), sampling="sobol"
    )


def linearise(plan: Plan) -> tuple[dict[str, float], FloatArray, FloatArray]:
    """Give means of the inputs, values of the outputs there, and slopes (outputs, inputs).

    Raises
    ------
    OutOfRange
        The model is implicit, or has no derivative at the means.

    Notes
    -----
    Source: GUM (JCGM 100:2008) 5.1.
    Checked against: tests/reference/linearised.toml.
    Limits: explicit models.
    """
    if plan.start is not None:
        raise OutOfRange("An implicit model has no linear model here. Use random trials.")
    means = {}
    for name, variable in plan.variables.items():
        kind, parameters = variable.drawn_as
        known = None if kind == "exact" else describe(kind, parameters).mean
        means[name] = variable.estimate.value if known is None else known
    found = [f.derivatives(means, list(means), order=1) for f in plan.model.values()]
    return means, np.array([float(one[0]) for one in found]), np.array([one[1] for one in found])


def _exact(plan: Plan, p: float) -> tuple[FloatArray, Linearised, FloatArray]:
    """Values, distributions and correlation of the outputs of the linear model."""
    _, value, slopes = linearise(plan)
    variables = list(plan.variables.values())
    found = propagate_linearised(variables, slopes.T, r=plan.r, p=p)
    u = np.array([standard_deviation(v) for v in variables])
    scaled = slopes * u
    return value, found, correlation_of(scaled @ plan.r @ scaled.T)


def run_linearised(plan: Plan, *, p: float = 0.95) -> MonteCarlo:
    """Give the exact distribution of the linear model; no trials at all.

    Parameters
    ----------
    plan, p
        As in `montecarlo.run_monte_carlo`.

    Returns
    -------
    MonteCarlo
        With 0 trials. Exact if the model is linear, else as good as its linearisation.

    Raises
    ------
    OutOfRange
        See `linearise` and `linearised.propagate_linearised`.
    NotConverged
        See `linearised.propagate_linearised`.

    Notes
    -----
    Source: see `linearised.propagate_linearised`.
    Checked against: tests/reference/linearised.toml.
    Limits: says nothing about what bends in the model.
    """
    value, found, correlation = _exact(plan, p)
    outputs = {}
    for i, (name, y) in enumerate(zip(plan.model, value, strict=True)):
        low, high, left, right = (
            float(y + end[i]) for end in (found.low, found.high, found.short_low, found.short_high)
        )
        outputs[name] = Summary(float(y), float(found.u[i]), (low, high), (left, right))
    return MonteCarlo(outputs, correlation, 0, 0, sampling="linearised")


def run_controlled(
    plan: Plan, *, trials: int, p: float = 0.95, seed: int = 1, item: int = 0
) -> MonteCarlo:
    """Propagate distributions with the linear model as control variate.

    Trials give only the difference between model and linear model, whose own figures are exact.

    Parameters
    ----------
    plan, trials, p, seed, item
        As in `montecarlo.run_monte_carlo`.

    Returns
    -------
    MonteCarlo
        `sampling` is ``control_variate``, or ``random`` when a pilot of 4096 trials found the
        model too far from linear (1 - r^2 of 1e-3 or more) and plain trials were taken.

    Raises
    ------
    OutOfRange
        See `run_linearised` and `montecarlo.run_monte_carlo`.
    NotConverged
        See `run_linearised`.

    Notes
    -----
    Source: control variates for quantiles, T. C. Hesterberg and B. L. Nelson, Management Sci.
    44 (1998) 1295; here with coefficient 1.
    Checked against: tests/reference/linearised.toml.
    Limits: standard errors from 16 groups, good to 20 %; the shortest interval is that of the
    trials alone.
    """
    parts = _parts(trials, p)
    compare = _comparison(plan)
    m = len(plan.model)
    pilot = Trials(2 * m, p)
    for both in compare(RandomPoints(seed, item), PILOT):
        pilot.add(both)
    r = pilot.correlation()
    if any(1 - r[i, m + i] ** 2 >= NEARLY_LINEAR for i in range(m) if pilot.covariance[i, i] > 0):
        return run_monte_carlo(plan, trials=trials, p=p, seed=seed, item=item)
    points, whole = RandomPoints(seed, item), Trials(2 * m, p)
    figures = []
    value, exact, _ = _exact(plan, p)
    for size in parts:
        part = Trials(2 * m, p)
        for both in compare(points, size):
            part.add(both)
            whole.add(both)
        figures.append([s.figures for s in _corrected(part.summaries(), value, exact)])
    correlation = whole.correlation()[:m, :m]
    outputs = {
        name: replace(s, errors=_errors(row))
        for name, s, row in zip(
            plan.model, _corrected(whole.summaries(), value, exact), _spread(figures), strict=True
        )
    }
    return MonteCarlo(
        outputs, correlation, whole.n, seed, item,
        counted=bool(whole.counted), sampling="control_variate",
    )  # fmt: skip


def _comparison(plan: Plan) -> Callable[[Points, int], list[FloatArray]]:
    """Trials of the model and, below them, of the linear model."""
    means, value, slopes = linearise(plan)

    def compare(points: Points, n: int) -> list[FloatArray]:
        out = []
        for start in range(0, n, BLOCK):
            size = min(BLOCK, n - start)
            drawn = plan.draw(points, size)
            line = np.repeat(value[:, None], size, axis=1)
            for k, name in enumerate(means):
                line += slopes[:, k, None] * (drawn[name] - means[name])
            out.append(np.concatenate([plan.evaluate(drawn, size), line]))
        return out

    return compare


def _corrected(both: list[Summary], value: FloatArray, exact: Linearised) -> list[Summary]:
    """Exact figures of the linear model plus what the trials say of the difference."""
    m, out = len(both) // 2, []
    for i, (y, line) in enumerate(zip(both[:m], both[m:], strict=True)):
        variance = float(exact.u[i]) ** 2 + y.u**2 - line.u**2
        low, high = (
            float(value[i] + end[i]) + a - b
            for end, a, b in zip(
                (exact.low, exact.high), y.interval, line.interval, strict=True
            )
        )  # fmt: skip
        mean = float(value[i]) + y.value - line.value
        out.append(Summary(mean, math.sqrt(max(0.0, variance)), (low, high), y.shortest))
    return out
