"""Results averaged over sets of readings taken together (GUM 4.1.4, note).

This module must not know tasks or distributions.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from calib.engine.correlations import correlation_of
from calib.engine.degrees import effective_dof, grouped_dof
from calib.engine.errors import DegenerateData
from calib.engine.propagation import Propagation, default_coverage, propagate
from calib.engine.types import Budget, Estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from calib.engine.expression import Expression
    from calib.engine.types import Coverage

    FloatArray = NDArray[np.float64]


def average_results(
    model: Mapping[str, Expression],
    inputs: Mapping[str, Estimate],
    readings: Mapping[str, Sequence[float]],
    *,
    r: FloatArray,
    rule: str = "smallest",
    choose: Callable[[FloatArray, float], Coverage] | None = None,
) -> Propagation:
    """Evaluate the model once per set of readings and average the results.

    Parameters
    ----------
    model : mapping of str to Expression
        Outputs and their measurement functions.
    inputs : mapping of str to Estimate
        All input quantities, those with readings at their means.
    readings : mapping of str to (n,) sequence
        Inputs read together, equally many readings each.
    r : (inputs, inputs) array
        Correlation matrix of the inputs at their means.
    rule : str
        Degrees of freedom of the other inputs where correlated, see `degrees.grouped_dof`.
    choose : callable, optional
        Coverage policy; default t at 95 %.

    Returns
    -------
    Propagation
        Value and u from the n results; other uncertain inputs are added in quadrature.

    Raises
    ------
    DegenerateData
        Readings of different length, or fewer than two.
    OutOfRange
        The model has no finite value for a set of readings.

    Notes
    -----
    Source: GUM (JCGM 100:2008) 4.1.4, note, and H.2.4.
    Checked against: tests/reference/gum_h2.toml.
    Limits: the budget rows stay those of the linear model at the means.
    """
    lengths = {len(v) for v in readings.values()}
    if len(lengths) != 1 or min(lengths) < 2:
        raise DegenerateData("Readings taken together need equally many, at least two, each.")
    n = lengths.pop()
    at: dict[str, ArrayLike] = {name: x.value for name, x in inputs.items()}
    at.update(readings)
    results = np.array([np.broadcast_to(f.value(at), (n,)) for f in model.values()])
    values = results.mean(axis=1)
    d = results - values[:, None]
    own = d @ d.T / (n * (n - 1))
    names = list(inputs)
    others = [i for i, name in enumerate(names) if name not in readings]
    linear = propagate(model, inputs, r=r, choose=choose)
    parts = np.array([[row.c * row.u for row in b.rows] for b in linear.budgets])[:, others]
    rest = r[np.ix_(others, others)]
    covariance = own + parts @ rest @ parts.T
    dof = np.array([inputs[names[i]].dof for i in others])
    choose = choose or default_coverage()
    budgets = []
    for m, budget in enumerate(linear.budgets):
        u, group = math.sqrt(covariance[m, m]), math.sqrt(own[m, m])
        outside = math.sqrt(max(0.0, float(parts[m] @ rest @ parts[m])))
        both = [n - 1, grouped_dof(parts[m], rest, dof, rule=rule)]
        nu = float(effective_dof([group, outside], both))
        signed = np.array([row.c * row.u for row in budget.rows])
        rows = tuple(row.shared(u) for row in budget.rows)
        budgets.append(Budget(float(values[m]), u, nu, choose(signed, nu), rows))
    return Propagation(linear.names, tuple(budgets), correlation_of(covariance), covariance)
