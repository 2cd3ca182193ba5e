"""Implicit models: unknowns that make a system of expressions zero, and their sensitivities.

This module must not know budgets or distributions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from calib.engine.errors import DegenerateData, NotConverged, OutOfRange, SingularFit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from calib.engine.expression import Expression

    FloatArray = NDArray[np.float64]

MAX_STEPS = 100
MAX_HALVINGS = 40
_SETTLED = 1e-9


def _system(
    model: Sequence[Expression], at: Mapping[str, float], by: Sequence[str]
) -> tuple[FloatArray, FloatArray]:
    """Values and Jacobian of all expressions."""
    found = [f.derivatives(at, by, order=1) for f in model]
    return np.array([float(h[0]) for h in found]), np.array([h[1] for h in found])


def _step(jacobian: FloatArray, h: FloatArray) -> FloatArray:
    try:
        return np.asarray(np.linalg.solve(jacobian, h))
    except np.linalg.LinAlgError:
        msg = "The system of equations is singular here. Check the model or the starting values."
        raise SingularFit(msg) from None


def _damped(
    model: Sequence[Expression],
    at: dict[str, float],
    unknowns: Sequence[str],
    step: FloatArray,
    now: float,
) -> dict[str, float]:
    """Shorten the step until the system comes closer to zero."""
    for halving in range(MAX_HALVINGS):
        new = dict(at)
        for name, d in zip(unknowns, step / 2**halving, strict=True):
            new[name] = at[name] - float(d)
        try:
            if float(np.max(np.abs([f.value(new) for f in model]))) <= now:
                return new
        except OutOfRange:
            continue
    msg = "The implicit model does not settle. Give better starting values."
    raise NotConverged(msg, {"residual": now})


def solve_implicit(
    model: Sequence[Expression],
    unknowns: Mapping[str, float],
    inputs: Mapping[str, float],
) -> tuple[dict[str, float], FloatArray]:
    """Solve h(y, x) = 0 for y and give the sensitivities dy/dx.

    Parameters
    ----------
    model : (m,) sequence of Expression
        Expressions that are all zero together.
    unknowns : mapping of str to float
        Outputs and their starting values, as many as expressions.
    inputs : mapping of str to float
        Input quantities.

    Returns
    -------
    tuple
        Solution by name, and the (outputs, inputs) matrix of sensitivities.

    Raises
    ------
    DegenerateData
        Not as many unknowns as expressions.
    NotConverged
        No solution found from the starting values.
    SingularFit
        The Jacobian cannot be solved.

    Notes
    -----
    Source: JCGM 102:2011 6.3 (implicit models).
    Checked against: tests/reference/gum_h2.toml.
    Limits: finds one solution; another start may find another.
    """
    if len(model) != len(unknowns):
        raise DegenerateData("An implicit model needs as many expressions as unknowns.")
    names, at = list(unknowns), {**inputs, **unknowns}
    for _ in range(MAX_STEPS):
        h, jacobian = _system(model, at, names)
        step = _step(jacobian, h)
        scale = np.array([max(abs(at[n]), 1e-300) for n in names])
        if np.all(np.abs(step) <= _SETTLED * scale):
            at.update((n, at[n] - float(d)) for n, d in zip(names, step, strict=True))
            break
        at = _damped(model, at, names, step, float(np.max(np.abs(h))))
    else:
        msg = f"The implicit model does not settle in {MAX_STEPS} steps. Give other starts."
        raise NotConverged(msg, {"steps": MAX_STEPS})
    _, jacobian = _system(model, at, names)
    _, by_input = _system(model, at, list(inputs))
    return {n: at[n] for n in names}, -_step(jacobian, by_input)
