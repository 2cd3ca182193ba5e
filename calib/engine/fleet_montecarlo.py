"""Propagation of distributions for a fleet: one model, many items, each repeatable by itself.

Every item has streams of its own, so its figures are those of a run of that item alone, whatever
the order of the fleet or the number of workers. This module must not know tasks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from calib.engine.linearised import Linearised, propagate_linearised
from calib.engine.montecarlo import MonteCarlo, prepare, run_monte_carlo
from calib.engine.program import compile_program
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import ArrayLike, NDArray

    from calib.engine.expression import Expression
    from calib.engine.sampling import Variable

    FloatArray = NDArray[np.float64]


def run_fleet(
    model: Mapping[str, Expression],
    fleet: Iterable[tuple[int, Mapping[str, Variable]]],
    *,
    r: FloatArray,
    trials: int,
    p: float = 0.95,
    seed: int = 1,
) -> Iterator[MonteCarlo]:
    """Run every item of a fleet, one after the other.

    Parameters
    ----------
    model : mapping of str to Expression
        The same for all items.
    fleet : iterable of (int, mapping of str to Variable)
        Number of the item and its inputs; drawn on as results are taken.
    r : (inputs, inputs) array
        Correlation matrix, the same for all items.
    trials, p, seed
        As in `montecarlo.run_monte_carlo`.

    Yields
    ------
    MonteCarlo
        In the order of the fleet.

    Raises
    ------
    OutOfRange
        As `montecarlo.run_monte_carlo`.

    Notes
    -----
    Source: JCGM 101:2008 clause 7.
    Checked against: tests/reference/jcgm101.toml.
    Limits: as `montecarlo.run_monte_carlo`; memory is that of one item.
    """
    for item, variables in fleet:
        plan = prepare(model, variables, r)
        yield run_monte_carlo(plan, trials=trials, p=p, seed=seed, item=item)


def linearise_fleet(
    model: Mapping[str, Expression],
    variables: Mapping[str, Variable],
    values: ArrayLike,
    widths: ArrayLike,
    *,
    r: FloatArray,
    p: float = 0.95,
) -> dict[str, tuple[FloatArray, Linearised]]:
    """Give the exact distribution of the linear model for every item of a fleet at once.

    Parameters
    ----------
    model : mapping of str to Expression
        The same for all items.
    variables : (n,) mapping of str to Variable
        Kinds of the inputs.
    values : (n, items) array_like
        Means of the inputs of each item.
    widths : (n, items) array_like
        How many times wider than in `variables` each input is.
    r : (n, n) array
        Correlation matrix.
    p : float
        Coverage probability.

    Returns
    -------
    dict of str to tuple
        By output: value at the means (items,) and the distribution about it.

    Raises
    ------
    OutOfRange
        A value is not finite; see also `linearised.propagate_linearised`.
    NotConverged
        See `linearised.propagate_linearised`.

    Notes
    -----
    Source: see `linearised.propagate_linearised`.
    Checked against: tests/reference/linearised.toml.
    Limits: exact for linear models; see `accelerated.run_controlled` for others.
    """
    names, x = list(variables), np.asarray(values, dtype=np.float64)
    scale = np.asarray(widths, dtype=np.float64)
    require_finite("a fleet", values=x, widths=scale)
    out, slopes = {}, np.empty_like(x)
    for output, function in model.items():
        y = compile_program(function, names).gradients(x, slopes)
        found = propagate_linearised(list(variables.values()), slopes * scale, r=r, p=p)
        out[output] = (np.broadcast_to(y, x.shape[1:]), found)
    return out
