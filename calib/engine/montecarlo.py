"""Propagation of distributions by the Monte Carlo method, blockwise and seeded.

The trials are scrambled Sobol points (randomised quasi-Monte Carlo): as unbiased as random ones,
but means and intervals settle with far fewer. A result depends on the seed, the number of trials
and the version of SciPy. This module must not know tasks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calib.engine.correlations import correlation_of
from calib.engine.coverage import check_probability
from calib.engine.errors import OutOfRange
from calib.engine.sampling import Variable, draw, normal
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from scipy.stats import qmc

    from calib.engine.expression import Expression

    FloatArray = NDArray[np.float64]

BLOCK = 2**15
LEAST_BLOCK = 2**14
LEAST_BLOCKS = 10
BITS = 30
MAX_TRIALS = 10_000_000
MAX_NUMBERS = 40_000_000


@dataclass(frozen=True, slots=True)
class Summary:
    """One output of a Monte Carlo run.

    Attributes
    ----------
    value, u : float
        Mean and standard deviation of the trials.
    interval, shortest : tuple of float
        Probabilistically symmetric and shortest coverage interval.
    """

    value: float
    u: float
    interval: tuple[float, float]
    shortest: tuple[float, float]

    def __post_init__(self) -> None:
        require_finite("a Monte Carlo result", value=self.value, u=self.u)

    @property
    def U(self) -> float:
        """Half the length of the symmetric interval."""
        return (self.interval[1] - self.interval[0]) / 2


@dataclass(frozen=True, slots=True, eq=False)
class MonteCarlo:
    """Outputs of a Monte Carlo run.

    Attributes
    ----------
    outputs : dict of str to Summary
        By name.
    correlation : (m, m) array
        Between the outputs.
    trials, seed : int
        What the run can be repeated with.
    stable : bool or None
        Whether the adaptive procedure settled; ``None`` for a fixed number of trials.
    """

    outputs: dict[str, Summary]
    correlation: FloatArray
    trials: int
    seed: int
    stable: bool | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """What stays the same in all blocks."""

    model: Mapping[str, Expression]
    variables: Mapping[str, Variable]
    root: FloatArray  # square root of the correlation of the inputs
    tied: list[str]

    def points(self, seed: int | np.random.SeedSequence) -> qmc.Sobol | None:
        """Make a sequence of points in as many dimensions as there are random inputs."""
        d = len(self.tied) + sum(
            v.dimensions for name, v in self.variables.items() if name not in self.tied
        )
        if d == 0:
            return None
        from scipy.stats import qmc  # slow to import, needed here only

        return qmc.Sobol(d, scramble=True, bits=BITS, rng=np.random.default_rng(seed))

    def block(self, points: qmc.Sobol | None, n: int) -> FloatArray:
        """Give the values of all outputs for the next n points."""
        w = np.zeros((0, n))
        if points is not None:
            # Half a step keeps the numbers strictly between 0 and 1.
            w = np.ascontiguousarray(points.random(1 << (n - 1).bit_length())[:n].T)
            w += 0.5 ** (BITS + 1)
        values, used = {}, len(self.tied)
        for name, variable in self.variables.items():
            if name not in self.tied:
                rows = w[used : used + variable.dimensions]
                used += variable.dimensions
                values[name] = draw(variable, rows)
        if self.tied:
            z = self.root @ normal(w[: len(self.tied)])
            for name, row in zip(self.tied, z, strict=True):
                estimate = self.variables[name].estimate
                values[name] = estimate.value + estimate.u * row
        return np.array([np.broadcast_to(f.value(values), (n,)) for f in self.model.values()])


def _prepare(
    model: Mapping[str, Expression], variables: Mapping[str, Variable], r: FloatArray, seed: int
) -> _Run:
    """Check what is drawn and factor the correlations."""
    if seed < 0:
        raise OutOfRange(f"A seed is a whole number, not negative, got {seed}.")
    names = list(variables)
    places = [i for i in range(len(names)) if np.count_nonzero(r[i]) > 1]
    tied = [names[i] for i in places]
    for name in tied:
        if not variables[name].is_normal:
            msg = f"{name!r} is correlated and must be normal for the Monte Carlo method."
            raise OutOfRange(msg, {"name": name})
    values, vectors = np.linalg.eigh(r[np.ix_(places, places)]) if tied else (np.ones(0), np.eye(0))
    return _Run(model, variables, vectors * np.sqrt(np.maximum(0.0, values)), tied)


def coverage_intervals(
    sorted_values: FloatArray, p: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Probabilistically symmetric and shortest coverage interval of sorted trials.

    Parameters
    ----------
    sorted_values : (M,) array
        Trials in rising order.
    p : float
        Coverage probability.

    Returns
    -------
    tuple of two pairs
        Symmetric and shortest interval.

    Notes
    -----
    Source: JCGM 101:2008 7.7.
    Checked against: tests/reference/jcgm101.toml.
    Limits: order statistics, no interpolation.
    """
    m = len(sorted_values)
    q = min(m - 1, math.floor(p * m + 0.5))
    r = max(1, math.ceil((m - q) / 2))
    low, high = sorted_values[r - 1], sorted_values[min(m, r + q) - 1]
    widths = sorted_values[q:] - sorted_values[: m - q]
    best = int(np.argmin(widths))
    return (float(low), float(high)), (float(sorted_values[best]), float(sorted_values[best + q]))


def _summarise(values: FloatArray, p: float) -> Summary:
    symmetric, shortest = coverage_intervals(np.sort(values), p)
    return Summary(float(values.mean()), float(values.std(ddof=1)), symmetric, shortest)


def _finish(
    run: _Run, values: FloatArray, p: float, seed: int, *, stable: bool | None
) -> MonteCarlo:
    outputs = {name: _summarise(row, p) for name, row in zip(run.model, values, strict=True)}
    correlation = correlation_of(np.atleast_2d(np.cov(values)))
    return MonteCarlo(outputs, correlation, values.shape[1], seed, stable)


def run_monte_carlo(
    model: Mapping[str, Expression],
    variables: Mapping[str, Variable],
    *,
    r: FloatArray,
    trials: int,
    p: float = 0.95,
    seed: int = 1,
) -> MonteCarlo:
    """Propagate distributions with a fixed number of trials.

    Parameters
    ----------
    model : mapping of str to Expression
        Outputs and their measurement functions.
    variables : mapping of str to Variable
        Input quantities.
    r : (inputs, inputs) array
        Correlation matrix; correlated inputs must be normal.
    trials : int
        At least 100/(1 - p), at most 10^7.
    p : float
        Coverage probability.
    seed : int
        Not negative.

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
    Limits: the uncertainty of the interval itself falls with the root of `trials`.
    """
    check_probability(p)
    least = math.ceil(100 / (1 - p) * (1 - 1e-9))
    if not least <= trials <= min(MAX_TRIALS, MAX_NUMBERS // len(model)):
        msg = f"The number of trials must be {least} to {MAX_TRIALS} (fewer with many outputs)."
        raise OutOfRange(msg, {"trials": trials, "least": least, "most": MAX_TRIALS})
    run = _prepare(model, variables, r, seed)
    points = run.points(seed)
    sizes = [min(BLOCK, trials - start) for start in range(0, trials, BLOCK)]
    values = np.concatenate([run.block(points, n) for n in sizes], axis=1)
    return _finish(run, values, p, seed, stable=None)


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
    model: Mapping[str, Expression],
    variables: Mapping[str, Variable],
    *,
    r: FloatArray,
    digits: int = 2,
    p: float = 0.95,
    seed: int = 1,
) -> MonteCarlo:
    """Propagate distributions until the results are stable to some digits of u.

    Parameters
    ----------
    model, variables, r, p, seed
        As in `run_monte_carlo`.
    digits : int
        Significant digits of u that shall be stable, 1 or 2.

    Returns
    -------
    MonteCarlo
        `stable` is False when 10^7 trials did not suffice.

    Raises
    ------
    OutOfRange
        Other digits, or a trial without a finite result.

    Notes
    -----
    Source: JCGM 101:2008 7.9.
    Checked against: tests/reference/jcgm101.toml.
    Limits: at least ten blocks are drawn, since two may agree by chance.
    """
    check_probability(p)
    if digits not in (1, 2):
        raise OutOfRange(f"The adaptive procedure takes 1 or 2 digits, got {digits}.")
    run = _prepare(model, variables, r, seed)
    size = LEAST_BLOCK
    while size < 100 / (1 - p) * (1 - 1e-9):
        size *= 2
    most = min(MAX_TRIALS, MAX_NUMBERS // len(model)) // size
    if most < 2:
        raise OutOfRange("The coverage probability is too near to 1 for the adaptive procedure.")
    sequence = np.random.SeedSequence(seed)
    blocks: list[FloatArray] = []
    figures: list[list[tuple[float, ...]]] = []
    stable = False
    while len(blocks) < most and not stable:
        block = run.block(run.points(sequence.spawn(1)[0]), size)
        blocks.append(block)
        found = [_summarise(row, p) for row in block]
        figures.append([(s.value, s.u, *s.interval) for s in found])
        enough = len(blocks) >= min(LEAST_BLOCKS, most)
        stable = enough and _is_stable(np.array(figures), blocks, digits)
    return _finish(run, np.concatenate(blocks, axis=1), p, seed, stable=stable)


def _is_stable(figures: FloatArray, blocks: list[FloatArray], digits: int) -> bool:
    """Whether twice the standard deviation of each figure is below the tolerance of u."""
    h = len(figures)
    spread = figures.std(axis=0, ddof=1) / math.sqrt(h)  # (outputs, figures)
    for m, row in enumerate(spread):
        u = math.sqrt(np.mean([b[m].var(ddof=1) for b in blocks]) + figures[:, m, 0].var())
        if np.any(2 * row > numerical_tolerance(u, digits)):
            return False
    return True
