"""Propagation of distributions by the Monte Carlo method: blockwise, seeded, adaptive.

Every input of every item has a stream of random numbers of its own, so a result depends on the
seed, the item and the number of trials alone. This module must not know tasks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from calib.engine.coverage import check_probability
from calib.engine.errors import OutOfRange
from calib.engine.implicit_trials import solve_trials
from calib.engine.program import Program, compile_program
from calib.engine.sampling import Variable, draw, draw_normal, lower_root
from calib.engine.streams import RandomPoints
from calib.engine.trials import Summary, Trials

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from calib.engine.expression import Expression
    from calib.engine.streams import Points

    FloatArray = NDArray[np.float64]

BLOCK = 2**14
"""Trials evaluated together: what they need stays in the processor's cache."""
LEAST_BLOCK = 10_000
LEAST_BLOCKS = 10
MAX_TRIALS = 1_000_000_000
MAX_ADAPTIVE = 20_000_000


@dataclass(frozen=True, slots=True, eq=False)
class MonteCarlo:
    """Outputs of a Monte Carlo run.

    Attributes
    ----------
    outputs : dict of str to Summary
        By name.
    correlation : (m, m) array
        Between the outputs.
    trials, seed, item : int
        What the run can be repeated with.
    stable : bool or None
        Whether the adaptive procedure settled; ``None`` for a fixed number of trials.
    counted : bool
        Whether intervals come from counts in cells, the trials being too many to keep.
    sampling : str
        Where the points came from: ``random``, or what `accelerated` did.
    """

    outputs: dict[str, Summary]
    correlation: FloatArray
    trials: int
    seed: int
    item: int = 0
    stable: bool | None = None
    counted: bool = False
    sampling: str = "random"


@dataclass(frozen=True, eq=False)
class Plan:
    """What stays the same in all trials; made by `prepare`.

    Attributes
    ----------
    model : mapping of str to Expression
        Outputs and their measurement functions.
    variables : mapping of str to Variable
        Input quantities.
    r : (inputs, inputs) array
        Correlation matrix.
    root : (k, k) array
        Lower square root of the correlations of the inputs in `tied`.
    tied : tuple of str
        Correlated inputs.
    start : mapping of str to float or None
        Solution of an implicit model at the estimates.
    """

    model: Mapping[str, Expression]
    variables: Mapping[str, Variable]
    r: FloatArray
    root: FloatArray
    tied: tuple[str, ...]
    start: Mapping[str, float] | None = None

    @cached_property
    def programs(self) -> tuple[Program, ...]:
        """Compiled measurement functions of an explicit model."""
        names = tuple(self.variables)
        return tuple(compile_program(f, names) for f in self.model.values())

    @property
    def places(self) -> tuple[int, ...]:
        """Places of the uniform numbers that are used: two are reserved for each input."""
        used = enumerate(v.dimensions for v in self.variables.values())
        return tuple(2 * i + j for i, dimensions in used for j in range(dimensions))

    def draw(self, points: Points, n: int) -> dict[str, FloatArray]:
        """Draw all inputs for the next n trials, n at most `BLOCK`."""
        values, tied = {}, []
        for i, (name, variable) in enumerate(self.variables.items()):
            q = [points.take(2 * i + j, n) for j in range(variable.dimensions)]
            if name in self.tied:
                tied.append(draw_normal(*q))
            else:
                values[name] = draw(variable, *q)
        if tied:
            estimates = [self.variables[name].estimate for name in self.tied]
            rows = np.einsum("ij,jn->in", self.root, tied)
            rows *= np.array([[e.u] for e in estimates])
            rows += np.array([[e.value] for e in estimates])
            values |= dict(zip(self.tied, rows, strict=True))
        return values

    def evaluate(self, values: Mapping[str, FloatArray], n: int) -> FloatArray:
        """Evaluate all outputs (outputs, n) for drawn inputs."""
        if self.start is not None:
            return solve_trials(list(self.model.values()), self.start, values, n)
        out, drawn = np.empty((len(self.model), n)), [values[name] for name in self.variables]
        for row, program in zip(out, self.programs, strict=True):
            row[:] = program.values(drawn)
        return out

    def blocks(self, points: Points, n: int) -> Iterator[FloatArray]:
        """Draw and evaluate the next n trials, block by block."""
        for start in range(0, n, BLOCK):
            size = min(BLOCK, n - start)
            yield self.evaluate(self.draw(points, size), size)


def prepare(
    model: Mapping[str, Expression],
    variables: Mapping[str, Variable],
    r: FloatArray,
    start: Mapping[str, float] | None = None,
) -> Plan:
    """Check what is drawn and factor the correlations.

    Parameters
    ----------
    model : mapping of str to Expression
        Outputs and their measurement functions; zero at the outputs if implicit.
    variables : mapping of str to Variable
        Input quantities.
    r : (inputs, inputs) array
        Correlation matrix.
    start : mapping of str to float, optional
        For an implicit model: its solution at the estimates.

    Returns
    -------
    Plan
        Draws and evaluates trials.

    Raises
    ------
    OutOfRange
        A correlated input is not normal.

    Notes
    -----
    Source: JCGM 101:2008 6.4.8.
    Checked against: tests/reference/jcgm101.toml.
    Limits: correlations of other distributions than the normal do not fix their joint
    distribution, so they are refused.
    """
    names = list(variables)
    places = [
        i for i, v in enumerate(variables.values()) if v.dimensions and np.count_nonzero(r[i]) > 1
    ]
    for i in places:
        if not variables[names[i]].is_normal:
            msg = (
                f"{names[i]!r} is correlated and not normal: a correlation alone does not fix a"
                " joint distribution. State it as normal without degrees of freedom, or use"
                " the method 'gum'."
            )
            raise OutOfRange(msg, {"name": names[i]})
    root = lower_root(r[np.ix_(places, places)])
    return Plan(model, variables, r, root, tuple(names[i] for i in places), start)


def check_trials(trials: int, p: float) -> None:
    """Refuse a number of trials that cannot give the interval, or never ends.

    Raises
    ------
    OutOfRange
        Fewer than 100/(1 - p) or more than 10^9.

    Notes
    -----
    Source: JCGM 101:2008 7.2.
    Checked against: tests/reference/jcgm101.toml.
    Limits: 10^4/(1 - p) and more are sensible.
    """
    check_probability(p)
    least = math.ceil(100 / (1 - p) * (1 - 1e-9))
    if not least <= trials <= MAX_TRIALS:
        msg = f"The number of trials must be {least} to {MAX_TRIALS}, got {trials}."
        raise OutOfRange(msg, {"trials": trials, "least": least, "most": MAX_TRIALS})


def run_monte_carlo(
    plan: Plan, *, trials: int, p: float = 0.95, seed: int = 1, item: int = 0
) -> MonteCarlo:
    """Propagate distributions with a fixed number of random trials.

    Parameters
    ----------
    plan : Plan
        Model and inputs, see `prepare`.
    trials : int
        At least 100/(1 - p), at most 10^9.
    p : float
        Coverage probability.
    seed, item : int
        Not negative; item tells the items of a fleet apart.

    Returns
    -------
    MonteCarlo
        Mean, standard deviation and coverage intervals of each output.

    Raises
    ------
    OutOfRange
        Too few or too many trials, or a trial without a finite result.

    Notes
    -----
    Source: JCGM 101:2008 clause 7; JCGM 102:2011 clause 7.
    Checked against: tests/reference/jcgm101.toml.
    Limits: the uncertainty of the interval itself falls with the root of `trials` and is
    given with it; beyond 4 million numbers ends are interpolated in cells of about 1e-4 u.
    """
    check_trials(trials, p)
    drawn = Trials(len(plan.model), p)
    for y in plan.blocks(RandomPoints(seed, item), trials):
        drawn.add(y)
    return finish(plan, drawn, seed, item)


def finish(
    plan: Plan, drawn: Trials, seed: int, item: int, *, stable: bool | None = None
) -> MonteCarlo:
    """Make a result of trials.

    Notes
    -----
    Source: JCGM 101:2008 7.6, 7.7.
    Checked against: tests/reference/jcgm101.toml.
    Limits: as `run_monte_carlo`.
    """
    correlation = drawn.correlation()
    outputs = dict(zip(plan.model, drawn.summaries(), strict=True))
    return MonteCarlo(outputs, correlation, drawn.n, seed, item, stable, bool(drawn.counted))


def numerical_tolerance(u: float, digits: int) -> float:
    """Half a unit of the last of `digits` significant digits of u.

    Notes
    -----
    Source: JCGM 101:2008 7.9.2.
    Checked against: tests/reference/jcgm101.toml.
    Limits: 0 for u = 0.
    """
    if u == 0:
        return 0.0
    exponent = int(f"{u:.{digits - 1}e}".partition("e")[2])
    return 0.5 * 10.0 ** (exponent - digits + 1)


def run_adaptive(
    plan: Plan, *, digits: int = 2, p: float = 0.95, seed: int = 1, item: int = 0,
    share: float = 1.0,
) -> MonteCarlo:  # fmt: skip
    """Propagate distributions until the results are stable to some digits of u.

    Parameters
    ----------
    plan, p, seed, item
        As in `run_monte_carlo`.
    digits : int
        Significant digits of u that shall be stable, 1 or 2.
    share : float
        Of the numerical tolerance that is asked for; 1/5 to validate another method.

    Returns
    -------
    MonteCarlo
        `stable` is False when 2 10^7 trials did not suffice.

    Raises
    ------
    OutOfRange
        Other digits, or a trial without a finite result.

    Notes
    -----
    Source: JCGM 101:2008 7.9 and 8.2.
    Checked against: tests/reference/jcgm101.toml.
    Limits: at least ten blocks of 10^4 trials are drawn, since two may agree by chance.
    """
    check_probability(p)
    if digits not in (1, 2):
        raise OutOfRange(f"The adaptive procedure takes 1 or 2 digits, got {digits}.")
    size = max(LEAST_BLOCK, math.ceil(100 / (1 - p) * (1 - 1e-9)))
    most = MAX_ADAPTIVE // size
    if most < LEAST_BLOCKS:
        raise OutOfRange("The coverage probability is too near to 1 for the adaptive procedure.")
    points, drawn = RandomPoints(seed, item), Trials(len(plan.model), p)
    figures = np.empty((most, len(plan.model), 4))
    stable, h = False, 0
    while h < most and not stable:
        block = Trials(len(plan.model), p)
        for y in plan.blocks(points, size):
            block.add(y)
            drawn.add(y)
        figures[h] = [s.figures for s in block.summaries()]
        h += 1
        stable = h >= LEAST_BLOCKS and _is_stable(figures[:h], drawn, digits, share)
    return finish(plan, drawn, seed, item, stable=stable)


def _is_stable(figures: FloatArray, drawn: Trials, digits: int, share: float) -> bool:
    """Whether twice the standard deviation of each figure is below the tolerance of u."""
    spread = figures.std(axis=0, ddof=1) / math.sqrt(len(figures))  # (outputs, figures)
    u = np.sqrt(np.maximum(0.0, np.diag(drawn.covariance)))
    delta = np.array([share * numerical_tolerance(float(one), digits) for one in u])
    return bool(np.all(2 * spread <= delta[:, None]))
