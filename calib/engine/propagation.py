"""Law of propagation of uncertainty: combined u, effective degrees of freedom, budget.

`combine` is the vectorised core over many items; `propagate` evaluates models given as
expressions for one item, with correlations, second order and several outputs.
This module must not know distributions by name, readings, tasks or rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calib.engine.correlations import correlation_of
from calib.engine.coverage import coverage_factor
from calib.engine.degrees import added, effective_dof, grouped_dof
from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.program import compile_program
from calib.engine.types import Budget, BudgetRow, Coverage, Estimate, require_finite

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from calib.engine.expression import Expression

    FloatArray = NDArray[np.float64]


MAX_SECOND_ORDER = 60


@dataclass(frozen=True, slots=True, eq=False)
class Combined:
    """Combined uncertainty of many items at once.

    Attributes
    ----------
    u : (items,) array
        Combined standard uncertainty.
    dof : (items,) array
        Effective degrees of freedom, not truncated, possibly infinite.
    contributions : (components, items) array
        |c| u of each component.
    percent : (components, items) array
        100 contribution^2 / u^2; 0 where u is 0.
    """

    u: FloatArray
    dof: FloatArray
    contributions: FloatArray
    percent: FloatArray


def combine(c: ArrayLike, u: ArrayLike, dof: ArrayLike = math.inf) -> Combined:
    """Combine independent components of many items.

    Parameters
    ----------
    c : (components, items) array_like
        Sensitivity coefficients.
    u : array_like, broadcasts with `c`
        Standard uncertainties of the inputs, none negative.
    dof : array_like, broadcasts with `c`
        Degrees of freedom, possibly infinite.

    Returns
    -------
    Combined
        Per item: u, effective degrees of freedom, contributions and percent.

    Raises
    ------
    OutOfRange
        A number is not finite or an uncertainty negative.

    Notes
    -----
    Source: GUM (JCGM 100:2008) 5.1.2 (formula 10) and G.4.1.
    Checked against: tests/reference/worked_budgets.toml.
    Limits: first order, no correlations.

    Examples
    --------
    >>> both = combine([[1.0], [-1.0]], [[3.0], [4.0]], [[10.0], [float("inf")]])
    >>> float(both.u[0]), round(float(both.dof[0]), 2)
    (5.0, 77.16)
    """
    slopes, ux = np.asarray(c, dtype=np.float64), np.asarray(u, dtype=np.float64)
    require_finite("a budget", c=slopes, u=ux)
    if np.any(ux < 0):
        raise OutOfRange("A standard uncertainty is never negative.")
    parts = np.abs(slopes) * ux
    total = np.sqrt(added(parts**2))
    nu = effective_dof(parts, np.broadcast_to(np.asarray(dof, dtype=np.float64), parts.shape))
    share = parts / np.where(total > 0, total, 1.0)
    return Combined(total, nu, parts, 100 * share**2)


@dataclass(frozen=True, slots=True, eq=False)
class Propagation:
    """Outputs of a model with their budgets and correlation.

    Attributes
    ----------
    names : tuple of str
        Outputs, in the order of `budgets` and `correlation`.
    budgets : tuple of Budget
        One per output.
    correlation : (m, m) array
        Between the outputs; 0 with an exact output, 1 on the diagonal.
    covariance : (m, m) array
        Of the outputs; u^2 on the diagonal.
    """

    names: tuple[str, ...]
    budgets: tuple[Budget, ...]
    correlation: FloatArray
    covariance: FloatArray


def default_coverage(p: float = 0.95) -> Callable[[FloatArray, float], Coverage]:
    """Coverage by Student's t at the truncated effective degrees of freedom.

    Notes
    -----
    Source: GUM (JCGM 100:2008) G.4.1.
    Checked against: tests/reference/coverage.toml.
    Limits: a nearly normal result.
    """
    return lambda _contributions, dof: Coverage(float(coverage_factor(dof, p)))


def assemble(
    values: Mapping[str, float],
    inputs: Mapping[str, Estimate],
    slopes: FloatArray,
    *,
    r: FloatArray | None = None,
    extra: FloatArray | None = None,
    tied: Sequence[Sequence[int]] = (),
    rule: str = "smallest",
    choose: Callable[[FloatArray, float], Coverage] | None = None,
) -> Propagation:
    """Turn sensitivities into budgets.

    Parameters
    ----------
    values : mapping of str to float
        Outputs and their estimates.
    inputs : mapping of str to Estimate
        Input quantities, in the order of the budget rows.
    slopes : (outputs, inputs) array
        Sensitivity coefficients.
    r : (inputs, inputs) array, optional
        Correlation matrix of the inputs.
    extra : (outputs,) array, optional
        Second-order variance of each output.
    tied : sequence of sequences of int
        Inputs taken together, which count as one component.
    rule : str
        Degrees of freedom of correlated inputs, see `grouped_dof`.
    choose : callable, optional
        From signed contributions and effective dof to `Coverage`; default t at 95 %.

    Returns
    -------
    Propagation
        Budgets and correlation of the outputs.

    Raises
    ------
    OutOfRange
        A sensitivity or result is not finite.
    DegenerateData
        The second-order terms make a variance negative.

    Notes
    -----
    Source: GUM (JCGM 100:2008) 5.1.2, 5.2.2, G.4.1; JCGM 102:2011 6.2.
    Checked against: tests/reference/gum_h2.toml.
    Limits: a group of correlated inputs has the smallest degrees of freedom in it.
    """
    require_finite("a model", slopes=slopes)
    choose = choose or default_coverage()
    u = np.array([x.u for x in inputs.values()])
    dof = np.array([x.dof for x in inputs.values()])
    matrix = np.eye(len(u)) if r is None else r
    parts = slopes * u
    covariance = parts @ matrix @ parts.T
    if extra is not None:
        covariance[np.diag_indices(len(values))] += extra
    budgets = []
    for m, (name, value) in enumerate(values.items()):
        variance = float(covariance[m, m])
        if extra is not None and variance < 0:
            msg = f"The second-order terms make the variance of {name!r} negative."
            raise DegenerateData(msg, {"output": name})
        uy = math.sqrt(max(0.0, variance))
        nu = grouped_dof(parts[m], matrix, dof, tied, rule=rule)
        budgets.append(
            Budget(value, uy, nu, choose(parts[m], nu), _rows(inputs, slopes[m], parts[m], uy))
        )
    correlation = correlation_of(covariance)
    return Propagation(tuple(values), tuple(budgets), correlation, covariance)


def _rows(
    inputs: Mapping[str, Estimate], c: FloatArray, parts: FloatArray, uy: float
) -> tuple[BudgetRow, ...]:
    return tuple(
        BudgetRow(
            name,
            float(c[i]),
            x.u,
            abs(float(parts[i])),
            x.dof,
            100 * (float(parts[i]) / uy) ** 2 if uy > 0 else 0.0,
        )
        for i, (name, x) in enumerate(inputs.items())
    )


def propagate(
    model: Mapping[str, Expression],
    inputs: Mapping[str, Estimate],
    *,
    r: FloatArray | None = None,
    order: int = 1,
    tied: Sequence[Sequence[int]] = (),
    rule: str = "smallest",
    choose: Callable[[FloatArray, float], Coverage] | None = None,
) -> Propagation:
    """Propagate uncertainties through expressions.

    Parameters
    ----------
    model : mapping of str to Expression
        Outputs and their measurement functions.
    inputs : mapping of str to Estimate
        Input quantities.
    r : (inputs, inputs) array, optional
        Correlation matrix (see `correlation_matrix`).
    order : int
        1, or 2 to add the terms of the note to GUM 5.1.2.
    tied : sequence of sequences of int
        Inputs taken together, see `assemble`.
    rule : str
        Degrees of freedom of correlated inputs, see `grouped_dof`.
    choose : callable, optional
        Coverage policy, see `assemble`.

    Returns
    -------
    Propagation
        Budgets and correlation of the outputs.

    Raises
    ------
    OutOfRange
        A value or derivative is not finite, or order 2 with correlations or over 60 inputs.
    DegenerateData
        The second-order terms make a variance negative.

    Notes
    -----
    Source: GUM (JCGM 100:2008) 5.1.2 with its note, 5.2.2.
    Checked against: tests/reference/gum_h1.toml.
    Limits: the second-order terms hold for symmetric, independent inputs.
    """
    if order not in (1, 2) or (order == 2 and r is not None and np.any(r != np.eye(len(r)))):
        msg = "The order is 1 or 2, and 2 only without correlations."
        raise OutOfRange(msg, {"order": order})
    at = {name: x.value for name, x in inputs.items()}
    names = list(inputs)
    u = np.array([x.u for x in inputs.values()])
    values, slopes, extra = {}, np.zeros((len(model), len(names))), np.zeros(len(model))
    for m, (output, f) in enumerate(model.items()):
        if order == 1:
            values[output], slopes[m] = _first_order(f, names, at, u)
            continue
        by = [n for n in names if n in f.names and inputs[n].u > 0]
        if len(by) > MAX_SECOND_ORDER:
            msg = f"The second order takes at most {MAX_SECOND_ORDER} uncertain inputs."
            raise OutOfRange(msg, {"inputs": len(by)})
        value, first, second, third = f.derivatives(at, by, order=3)
        values[output] = float(value)
        places = [names.index(n) for n in by]
        slopes[m] = _slopes_of_exact(f, names, at, u)
        slopes[m, places] = first
        square = np.outer(u[places] ** 2, u[places] ** 2)
        extra[m] = np.sum((second**2 / 2 + first[:, None] * third) * square)
    second_order = extra if order == 2 else None
    return assemble(
        values, inputs, slopes, r=r, extra=second_order, tied=tied, rule=rule, choose=choose
    )


def _first_order(
    f: Expression, names: Sequence[str], at: Mapping[str, float], u: FloatArray
) -> tuple[float, FloatArray]:
    """Value and sensitivities, also by exact inputs where these have a derivative."""
    x = [at[n] for n in names]
    try:
        value, slopes = compile_program(f, names).gradient_of_item(x)
        return value, np.array(slopes)
    except OutOfRange:
        uncertain = [n for n, un in zip(names, u, strict=True) if un > 0]
        value, slopes = compile_program(f, names, uncertain).gradient_of_item(x)
        return value, np.array(slopes) + _slopes_of_exact(f, names, at, u)


def _slopes_of_exact(
    f: Expression, names: Sequence[str], at: Mapping[str, float], u: FloatArray
) -> FloatArray:
    """Sensitivities by exact inputs, for the budget only; 0 where none exists."""
    out = np.zeros(len(names))
    for i, name in enumerate(names):
        if u[i] > 0 or name not in f.names:
            continue
        try:
            out[i] = f.derivatives(at, [name], order=1)[1][0]
        except OutOfRange:
            out[i] = 0.0
    return out
