"""Coverage factors of Student's t for any degrees of freedom, fast: polynomials in 1/nu.

For one coverage probability the quantile is a smooth function of 1/nu; it is interpolated once
at Chebyshev points, in as many pieces as it takes, and kept. `coverage` states the policies;
this module only knows the quantile.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.polynomial import chebyshev
from scipy import special

from calib.engine.coverage import check_probability
from calib.engine.errors import OutOfRange

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

DEGREE = 14
TOLERANCE = 2e-14
_FIRST_EDGES = (0.0, 0.125, 0.5, 1.0)
_MOST_PIECES = 64


class _Table(NamedTuple):
    """Pieces of 1/nu from 0 to 1, each with its polynomial in (1/nu - centre)/half."""

    edges: tuple[float, ...]
    centres: tuple[float, ...]
    halves: tuple[float, ...]
    rows: tuple[tuple[float, ...], ...]


def _exact(z: FloatArray, p: float) -> FloatArray:
    tail = (1 - p) / 2
    nu = 1 / np.where(z > 0, z, 1.0)
    return np.asarray(-np.where(z > 0, special.stdtrit(nu, tail), special.ndtri(tail)))


def _piece(low: float, high: float, p: float) -> tuple[float, ...] | None:
    """Coefficients, highest power first; None when they miss the tolerance somewhere."""
    centre, half = (low + high) / 2, (high - low) / 2
    nodes = chebyshev.chebpts1(DEGREE + 1)
    fitted = chebyshev.chebfit(nodes, _exact(centre + half * nodes, p), DEGREE)
    row = chebyshev.cheb2poly(fitted)[::-1]
    s = np.linspace(-1, 1, 5 * DEGREE)
    wanted = _exact(centre + half * s, p)
    if np.any(np.abs(np.polyval(row, s) - wanted) > TOLERANCE * np.abs(wanted)):
        return None
    return tuple(map(float, row))


@lru_cache(maxsize=64)
def _table(p: float) -> _Table | None:
    """Make the pieces for one probability; None when it takes too many."""
    check_probability(p)
    waiting = list(pairwise(_FIRST_EDGES))[::-1]
    edges, centres, halves = [], [], []
    rows: list[tuple[float, ...]] = []
    while waiting:
        low, high = waiting.pop()
        row = _piece(low, high, p)
        if row is None:
            if len(rows) + len(waiting) > _MOST_PIECES:
                return None
            middle = (low + high) / 2
            waiting += [(middle, high), (low, middle)]
            continue
        edges.append(high)
        centres.append((low + high) / 2)
        halves.append((high - low) / 2)
        rows.append(row)
    return _Table(tuple(edges), tuple(centres), tuple(halves), tuple(rows))


def t_factor(dof: float, p: float = 0.95) -> float:
    """Coverage factor for one figure of degrees of freedom, not truncated, at least 1.

    Raises
    ------
    OutOfRange
        `p` outside 0 to 1, or degrees of freedom not positive.

    Notes
    -----
    Source: GUM (JCGM 100:2008) G.3.2, table G.2; interpolation allowed by G.4.1, note 1.
    Checked against: tests/reference/coverage.toml.
    Limits: relative error below 1e-13; below 1 degree of freedom 1 is used.

    Examples
    --------
    >>> round(t_factor(41.304), 4)
    2.0191
    """
    if not dof > 0:
        raise OutOfRange("Degrees of freedom must be positive.")
    table = _table(p)
    z = 1.0 / dof if dof > 1 else 1.0
    if table is None:
        return float(_exact(np.asarray(z), p))
    i = bisect_left(table.edges, z)
    s = (z - table.centres[i]) / table.halves[i]
    out = 0.0
    for c in table.rows[i]:
        out = out * s + c
    return out


def t_factors(dof: ArrayLike, p: float = 0.95) -> FloatArray:
    """Coverage factors for many figures of degrees of freedom, not truncated, at least 1.

    Parameters
    ----------
    dof : array_like
        Degrees of freedom, possibly infinite.
    p : float
        Coverage probability.

    Returns
    -------
    array
        As `t_factor` gives them one by one.

    Raises
    ------
    OutOfRange
        `p` outside 0 to 1, or degrees of freedom not positive.

    Notes
    -----
    Source: GUM (JCGM 100:2008) G.3.2, table G.2; interpolation allowed by G.4.1, note 1.
    Checked against: tests/reference/coverage.toml.
    Limits: relative error below 1e-13; below 1 degree of freedom 1 is used.
    """
    nu = np.asarray(dof, dtype=np.float64)
    if not np.all(nu > 0):
        raise OutOfRange("Degrees of freedom must be positive.")
    table = _table(p)
    z = np.asarray(1.0 / np.maximum(nu, 1.0))
    if table is None or not z.size:
        return _exact(z, p)
    first, last = (bisect_left(table.edges, edge) for edge in (z.min(), z.max()))
    if first == last:
        return _horner(table, first, z)
    out = np.empty_like(z)
    pieces = np.searchsorted(table.edges, z)
    for i in range(first, last + 1):
        chosen = pieces == i
        out[chosen] = _horner(table, i, z[chosen])
    return out


def _horner(table: _Table, i: int, z: FloatArray) -> FloatArray:
    s = (z - table.centres[i]) / table.halves[i]
    out = np.full_like(s, table.rows[i][0])
    for c in table.rows[i][1:]:
        out *= s
        out += c
    return out
