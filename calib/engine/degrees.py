"""Effective degrees of freedom: independent components, and groups of correlated ones.

This module must not know models or coverage factors.
"""

from __future__ import annotations

import math
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from calib.engine.correlations import independent_groups
from calib.engine.errors import OutOfRange
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

RULES = ("smallest", "castrup")


def effective_dof(parts: ArrayLike, dof: ArrayLike) -> FloatArray:
    """Effective degrees of freedom by Welch and Satterthwaite.

    Parameters
    ----------
    parts : (components, ...) array_like
        Standard uncertainties in the output, independent of each other.
    dof : array_like, broadcasts with `parts`
        Degrees of freedom, possibly infinite.

    Returns
    -------
    (...) array
        Not truncated; infinite when no part with finite degrees of freedom counts.

    Raises
    ------
    OutOfRange
        Degrees of freedom not positive, parts not finite.

    Notes
    -----
    Source: GUM (JCGM 100:2008) G.4.1, formula G.2b.
    Checked against: tests/reference/gum_h1.toml.
    Limits: independent parts; group correlated ones into one first.
    """
    p = np.abs(np.asarray(parts, dtype=np.float64))
    nu = np.asarray(dof, dtype=np.float64)
    require_finite("the effective degrees of freedom", parts=p)
    if not np.all(nu > 0):
        raise OutOfRange("Degrees of freedom must be positive.")
    top = p.max(axis=0, initial=0.0)
    share = p / np.where(top > 0, top, 1.0)
    total = added(share**2)
    loss = added(share**4 / nu)
    return np.where(loss > 0, total**2 / np.where(loss > 0, loss, 1.0), np.inf)


def added(parts: FloatArray) -> FloatArray:
    """Sum over components, of each item in the same order whatever stands beside it.

    Notes
    -----
    Source: NumPy adds a single column in pairs and several row by row, with other last digits.
    Checked against: tests/engine/test_propagation.py.
    Limits: components along the first axis.
    """
    if parts.ndim == 1:
        return np.asarray(np.sum(parts))
    return np.asarray(reduce(np.add, parts, np.zeros(parts.shape[1:])))


def grouped_dof(
    parts: FloatArray,
    r: FloatArray,
    dof: FloatArray,
    tied: Sequence[Sequence[int]] = (),
    *,
    rule: str = "smallest",
) -> float:
    """Effective degrees of freedom over independent groups of correlated components.

    Parameters
    ----------
    parts : (inputs,) array
        Signed contributions to the output.
    r : (inputs, inputs) array
        Correlation matrix.
    dof : (inputs,) array
        Degrees of freedom of the inputs.
    tied : sequence of sequences of int
        Inputs that count as one component, with the smallest degrees of freedom among them.
    rule : str
        For groups that are only correlated: ``"smallest"`` (their uncertainties come from one
        set of readings) or ``"castrup"`` (from separate ones, correlations well known).

    Returns
    -------
    float
        Not truncated; infinite only when no component with finite degrees of freedom counts.

    Raises
    ------
    OutOfRange
        Another rule.

    Notes
    -----
    Source: GUM (JCGM 100:2008) G.4.1 over groups; R. Willink, Metrologia 44 (2007) 340 (readings
        taken together are one component with n - 1); H. Castrup, A Welch-Satterthwaite relation
        for correlated errors (2010, revised 2020), eq. 46.
    Checked against: tests/reference/correlated_dof.toml.
    Limits: the smallest degrees of freedom of a group are the cautious choice.
    """
    if rule not in RULES:
        msg = f"The rule of correlated degrees of freedom is one of {', '.join(RULES)}."
        raise OutOfRange(msg, {"rule": rule})
    together = {i for group in tied for i in group}
    us, nus = [], []
    for group in independent_groups(r, tied):
        p, inside = parts[group], r[np.ix_(group, group)]
        variance = max(0.0, float(p @ inside @ p))
        us.append(math.sqrt(variance))
        alive = dof[group][p != 0]
        nu = float(alive.min()) if len(alive) else math.inf
        if rule == "castrup" and not together & set(group):
            nu = _separate_dof(p, inside, dof[group], variance) or nu
        nus.append(nu)
    return float(effective_dof(np.array(us), np.array(nus)))


def _separate_dof(p: FloatArray, r: FloatArray, dof: FloatArray, variance: float) -> float | None:
    """Degrees of freedom of a correlated sum whose uncertainties were found separately.

    ``None`` where the variance does not depend on them to first order.
    """
    top = float(np.abs(p).max(initial=0.0))
    if not top or not variance:
        return None
    b = p / top
    direct = float(np.sum((b * (r @ b)) ** 2 / dof))
    pairs = np.triu((r * np.outer(b, b)) ** 2 / np.outer(dof, dof), 1)
    loss = direct + float(pairs.sum()) / 2
    return (variance / top**2) ** 2 / loss if loss > 0 else None
