"""First-order budgets of one measurement function for one item, or for a fleet in one call.

`propagate_item` works on plain floats, `propagate_fleet` on arrays in blocks that stay in the
cache; both follow the same compiled function and the same formulas. `propagation` makes the
full document of a single budget. This module must not know tasks or distributions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from operator import mul
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from calib.engine.correlations import Coupling
from calib.engine.coverage import truncate_dof
from calib.engine.errors import OutOfRange
from calib.engine.factors import t_factor, t_factors
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from calib.engine.program import Program

    FloatArray = NDArray[np.float64]

BLOCK = 4096
_FREE = Coupling()
# Variances beyond these would leave double precision when squared.
_LARGE, _SMALL = 1e140, 1e-140


class Item(NamedTuple):
    """Result of one item."""

    value: float
    u: float
    dof: float
    k: float
    U: float
    c: list[float]


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """Results of many items.

    Attributes
    ----------
    value, u, dof, k, U : (items,) array
        Estimate, combined standard uncertainty, effective degrees of freedom (not truncated,
        possibly infinite), coverage factor and expanded uncertainty.
    c : (inputs, items) array
        Sensitivity coefficients.
    """

    value: FloatArray
    u: FloatArray
    dof: FloatArray
    k: FloatArray
    U: FloatArray
    c: FloatArray


def propagate_item(
    model: Program,
    x: Sequence[float],
    u: Sequence[float],
    dof: Sequence[float],
    coupling: Coupling = _FREE,
    *,
    p: float = 0.95,
    truncate: bool = True,
) -> Item:
    """Propagate the uncertainties of one item.

    Parameters
    ----------
    model : Program
        Compiled measurement function.
    x, u, dof : (n,) sequence of float
        Estimates, standard uncertainties and degrees of freedom (possibly infinite) of the
        inputs, in the order of the model.
    coupling : Coupling
        Correlations, prepared by `couple`.
    p : float
        Coverage probability.
    truncate : bool
        Whether k is taken at the degrees of freedom truncated to the next lower integer.

    Returns
    -------
    Item
        Value, u, dof, k, U and sensitivities.

    Raises
    ------
    OutOfRange
        A number is not finite, an uncertainty negative, degrees of freedom not positive.

    Notes
    -----
    Source: GUM (JCGM 100:2008) 5.1.2, 5.2.2, G.4.1.
    Checked against: tests/reference/works.toml.
    Limits: first order; a group of correlated inputs has its smallest degrees of freedom.
    """
    if not len(x) == len(u) == len(dof) == len(model.names):
        raise OutOfRange("Give x, u and dof of every input of the model.")
    value, c = model.gradient_of_item(x)
    if not (min(u, default=0.0) >= 0 and sum(u) < math.inf):
        raise OutOfRange("A standard uncertainty is a finite number and never negative.")
    parts, scale = list(map(mul, c, u)), 1.0
    total = _variance(parts, coupling)
    if not _SMALL < total < _LARGE:
        scale = max(map(abs, parts), default=0.0) or 1.0
        parts = [part / scale for part in parts]
        total = max(0.0, _variance(parts, coupling))
    nu = _dof_of_item(parts, total, dof, coupling)
    uy = math.sqrt(total) * scale
    if not uy < math.inf:
        raise OutOfRange("The combined uncertainty is not a finite number.")
    sure = max(1.0, math.floor(nu * (1 + 1e-9))) if truncate and nu < math.inf else nu
    k = t_factor(sure, p)
    return Item(value, uy, nu, k, k * uy, c)


def _variance(parts: Sequence[float], coupling: Coupling) -> float:
    total = math.fsum(map(mul, parts, parts))
    for i, j, r in coupling.pairs:
        total += 2 * r * parts[i] * parts[j]
    return total


def _dof_of_item(
    parts: Sequence[float], total: float, dof: Sequence[float], coupling: Coupling
) -> float:
    """Effective degrees of freedom over independent components and groups."""
    for group in coupling.groups:
        for i in group:
            if dof[i] != math.inf:
                parts, dof = _merged(parts, dof, coupling)
                return _dof_of_item(parts, total, dof, _FREE)
    loss = 0.0
    for part, nu in zip(parts, dof, strict=True):
        if nu != math.inf:
            if not nu > 0:
                raise OutOfRange("Degrees of freedom must be positive.")
            square = part * part
            loss += square * square / nu
    return total * total / loss if loss > 0 else math.inf


def _merged(
    parts: Sequence[float], dof: Sequence[float], coupling: Coupling
) -> tuple[list[float], list[float]]:
    """Put one component with the smallest degrees of freedom in place of each group."""
    parts, dof = list(parts), list(dof)
    for group in coupling.groups:
        inside = [part if i in group else 0.0 for i, part in enumerate(parts)]
        least = min((dof[i] for i in group if parts[i]), default=math.inf)
        for i in group:
            parts[i], dof[i] = 0.0, math.inf
        parts[group[0]] = math.sqrt(max(0.0, _variance(inside, coupling)))
        dof[group[0]] = least
    return parts, dof


def propagate_fleet(
    model: Program,
    x: ArrayLike,
    u: ArrayLike,
    dof: ArrayLike,
    coupling: Coupling = _FREE,
    *,
    p: float = 0.95,
    truncate: bool = True,
    into: Fleet | None = None,
) -> Fleet:
    """Propagate the uncertainties of many items at once.

    Parameters
    ----------
    model : Program
        Compiled measurement function.
    x, u, dof : (n, items) array_like
        Estimates, standard uncertainties and degrees of freedom (possibly infinite); a column
        (n,) or (n, 1) holds for all items.
    coupling : Coupling
        Correlations of all items, prepared by `couple`.
    p : float
        Coverage probability.
    truncate : bool
        Whether k is taken at the degrees of freedom truncated to the next lower integer.
    into : Fleet, optional
        Result of an earlier call for equally many items, to be overwritten: fresh memory takes
        as long as the arithmetic.

    Returns
    -------
    Fleet
        Value, u, dof, k, U of all items, and sensitivities.

    Raises
    ------
    OutOfRange
        A number is not finite (the first such item is named), an uncertainty negative, degrees
        of freedom not positive, or shapes that do not fit.

    Notes
    -----
    Source: GUM (JCGM 100:2008) 5.1.2, 5.2.2, G.4.1.
    Checked against: tests/reference/works.toml.
    Limits: first order; a group of correlated inputs has its smallest degrees of freedom.
    """
    n = len(model.names)
    xs, us, nus = (_columns(name, a, n) for name, a in (("x", x), ("u", u), ("dof", dof)))
    widths = {a.shape[1] for a in (xs, us, nus)} - {1}
    if len(widths) > 1:
        raise OutOfRange("x, u and dof are not of equally many items.")
    items = widths.pop() if widths else 1
    require_finite("a fleet", x=xs, u=us)
    if us.min(initial=0.0) < 0:
        raise OutOfRange("A standard uncertainty is never negative.")
    if not np.all(nus > 0):
        raise OutOfRange("Degrees of freedom must be positive.")
    out = _room(n, items) if into is None else into
    if out.c.shape != (n, items):
        raise OutOfRange("The result to be overwritten is not of equally many items.")
    xs = np.broadcast_to(xs, (n, items))
    for start in range(0, items, BLOCK):
        block = slice(start, min(start + BLOCK, items))
        c = out.c[:, block]
        try:
            out.value[block] = model.gradients(xs[:, block], c)
        except OutOfRange:
            _name_the_item(model, xs[:, block], start)
            raise
        with np.errstate(over="ignore"):
            parts = c * (us if us.shape[1] == 1 else us[:, block])
        nu = nus if nus.shape[1] == 1 else nus[:, block]
        out.u[block], out.dof[block] = _combined(parts, nu, coupling)
    require_finite("a fleet", combined_uncertainty=out.u)
    out.k[...] = t_factors(truncate_dof(out.dof) if truncate else out.dof, p)
    np.multiply(out.k, out.u, out=out.U)
    return out


def _room(n: int, items: int) -> Fleet:
    value, u, dof, k, expanded = np.empty((5, items))
    return Fleet(value, u, dof, k, expanded, np.empty((n, items)))


def _columns(name: str, numbers: ArrayLike, n: int) -> FloatArray:
    a = np.asarray(numbers, dtype=np.float64)
    if a.ndim == 1:
        a = a[:, None]
    if a.ndim != 2 or len(a) != n:
        msg = f"{name} must have one row for each of the {n} inputs, got shape {a.shape}."
        raise OutOfRange(msg, {"name": name, "shape": str(a.shape)})
    return a


def _combined(
    parts: FloatArray, dof: FloatArray, coupling: Coupling
) -> tuple[FloatArray, FloatArray]:
    """Combine the contributions of some items: u and effective degrees of freedom."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = _variances(parts, coupling)
        if total.size and not _SMALL < total.min() <= total.max() < _LARGE:
            scale = np.abs(parts).max(axis=0)
            scale[scale == 0] = 1.0
            parts = parts / scale
            total = np.maximum(_variances(parts, coupling), 0.0)
            return np.sqrt(total) * scale, _dof_of_block(parts, total, dof, coupling)
        return np.sqrt(total), _dof_of_block(parts, total, dof, coupling)


def _variances(parts: FloatArray, coupling: Coupling) -> FloatArray:
    total = np.einsum("ij,ij->j", parts, parts)
    for i, j, r in coupling.pairs:
        total += 2 * r * parts[i] * parts[j]
    return np.asarray(total)


def _dof_of_block(
    parts: FloatArray, total: FloatArray, dof: FloatArray, coupling: Coupling
) -> FloatArray:
    """Effective degrees of freedom of some items."""
    finite = np.asarray(np.isfinite(dof).any(axis=1))
    loss = np.zeros_like(total)
    for group in coupling.groups:
        rows = list(group)
        if finite[rows].any():
            inside = np.zeros_like(parts)
            inside[rows] = parts[rows]
            together = np.maximum(_variances(inside, coupling), 0.0)
            loss += together**2 / np.where(parts[rows] != 0, dof[rows], np.inf).min(axis=0)
            finite[rows] = False
    fourth = parts[finite]
    fourth *= fourth
    fourth *= fourth
    fourth /= dof[finite]
    loss += fourth.sum(axis=0)
    square = total * total
    if loss.all():
        return square / loss
    return np.where(loss > 0, square / np.where(loss > 0, loss, 1.0), np.inf)


def _name_the_item(model: Program, x: FloatArray, start: int) -> None:
    """Raise the refusal of the first item of a block that has no finite result."""
    for place, one in enumerate(x.T.tolist()):
        try:
            model.gradient_of_item(one)
        except OutOfRange as cause:
            msg = f"Item {start + place}: {cause.message}"
            raise OutOfRange(msg, cause.facts | {"item": start + place}) from cause
