"""Implicit models under the Monte Carlo method: one system of equations solved for every trial.

Newton's method on all trials of a block together, each step shortened where it does not bring
the system closer to zero. This module must not know distributions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from calib.engine.errors import NotConverged, OutOfRange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from calib.engine.expression import Expression

    FloatArray = NDArray[np.float64]

MAX_STEPS = 60
MAX_HALVINGS = 12
_SETTLED = 1e-9


def _solve(jacobian: FloatArray, h: FloatArray) -> FloatArray:
    """Newton steps (unknowns, trials) for Jacobians (expressions, unknowns, trials)."""
    try:
        steps = np.linalg.solve(jacobian.transpose(2, 0, 1), h.T[:, :, None])
    except np.linalg.LinAlgError:
        msg = "The implicit model is singular for a trial. Use the method 'gum' or another model."
        raise OutOfRange(msg) from None
    return np.ascontiguousarray(steps[:, :, 0].T)


def solve_trials(
    model: Sequence[Expression],
    start: Mapping[str, float],
    values: Mapping[str, FloatArray],
    n: int,
) -> FloatArray:
    """Solve h(y, x) = 0 for y, once for each trial.

    Parameters
    ----------
    model : (m,) sequence of Expression
        Expressions that are all zero together.
    start : mapping of str to float
        The m unknowns at the estimates of the inputs.
    values : mapping of str to (n,) or () arrays
        Draws of the inputs.
    n : int
        Number of trials.

    Returns
    -------
    (m, n) array
        Solutions, in the order of `start`.

    Raises
    ------
    OutOfRange
        A Jacobian is singular, or an expression not finite on the way.
    NotConverged
        A trial does not settle.

    Notes
    -----
    Source: JCGM 102:2011 6.3 (implicit models); Newton's method.
    Checked against: tests/reference/jcgm101.toml.
    Limits: the solution near that of the estimates; another branch is never looked for.
    """
    names = list(start)
    y = np.repeat(np.array([[start[name]] for name in names], dtype=np.float64), n, axis=1)
    todo, scale = np.arange(n), np.zeros_like(y)
    for turn in range(MAX_STEPS):
        inputs = {k: v if v.ndim == 0 else v[todo] for k, v in values.items()}
        at = y[:, todo]
        found = [
            f.derivatives({**inputs, **dict(zip(names, at, strict=True))}, names, order=1)
            for f in model
        ]
        size = (len(todo),)
        h = np.array([np.broadcast_to(one[0], size) for one in found])
        jacobian = np.array([np.broadcast_to(one[1], (len(names), *size)) for one in found])
        step = _solve(jacobian, h)
        if turn == 0:
            scale = np.abs(step)
        close = np.abs(step) <= _SETTLED * np.maximum(np.abs(at), scale[:, todo])
        settled = np.all(close, axis=0)
        named = dict(zip(names, at, strict=True))
        y[:, todo] = np.where(settled, at - step, _damped(model, inputs, named, step, h))
        todo = todo[~settled]
        if not len(todo):
            return y
    msg = f"The implicit model does not settle for {len(todo)} of {n} trials."
    raise NotConverged(msg, {"open": len(todo), "trials": n})


def _damped(
    model: Sequence[Expression],
    inputs: Mapping[str, FloatArray],
    at: Mapping[str, FloatArray],
    step: FloatArray,
    h: FloatArray,
) -> FloatArray:
    """Halve the steps of those trials that would move away from zero."""
    now = np.max(np.abs(h), axis=0)
    base = np.array(list(at.values()))
    share = np.ones(len(now))
    for _ in range(MAX_HALVINGS):
        new = base - share * step
        named = {**inputs, **dict(zip(at, new, strict=True))}
        try:
            then = np.max(np.abs([np.broadcast_to(f.value(named), now.shape) for f in model]), 0)
        except OutOfRange:
            # Some trial has left the domain; all go half as far.
            share *= 0.5
            continue
        worse = then > now
        if not worse.any():
            break
        share[worse] *= 0.5
    return base - share * step
