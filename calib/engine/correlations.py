"""Correlations between input quantities: stated in pairs, or estimated from readings.

This module must not know models or budgets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calib.engine.errors import DegenerateData, OutOfRange, SingularFit
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

_NOT_A_CORRELATION = -1e-9


def correlation_matrix(
    names: Sequence[str], correlations: Sequence[tuple[str, str, float]]
) -> FloatArray:
    """Build a correlation matrix from pairs.

    Parameters
    ----------
    names : sequence of str
        Order of rows and columns.
    correlations : sequence of (name, name, r)
        Each pair at most once; all others are 0.

    Returns
    -------
    (n, n) array
        Symmetric with ones on the diagonal.

    Raises
    ------
    OutOfRange
        Unknown or repeated names, or r outside -1 to 1.
    SingularFit
        The coefficients contradict each other (not positive semi-definite).

    Notes
    -----
    Source: GUM (JCGM 100:2008) 5.2.2.
    Checked against: tests/reference/gum_h2.toml.
    Limits: figures rounded too much may contradict each other; give more digits.
    """
    place = {name: i for i, name in enumerate(names)}
    r = np.eye(len(names))
    for a, b, coefficient in correlations:
        if a not in place or b not in place or a == b or r[place[a], place[b]] != 0:
            msg = f"The correlation {a!r}, {b!r} does not name two inputs, or is given twice."
            raise OutOfRange(msg, {"names": [a, b]})
        if not -1 <= coefficient <= 1:
            msg = f"The correlation of {a!r} and {b!r} must lie within -1 and 1: {coefficient}."
            raise OutOfRange(msg, {"names": [a, b], "r": str(coefficient)})
        r[place[a], place[b]] = r[place[b], place[a]] = coefficient
    _require_semidefinite(r)
    return r


def _require_semidefinite(r: FloatArray) -> None:
    """Refuse correlation coefficients that contradict each other."""
    least = float(np.linalg.eigvalsh(r)[0]) if len(r) else 0.0
    if least < _NOT_A_CORRELATION:
        msg = "The correlation coefficients contradict each other. Check signs and digits."
        raise SingularFit(msg, {"smallest_eigenvalue": least})


def independent_groups(r: FloatArray, tied: Sequence[Sequence[int]] = ()) -> list[list[int]]:
    """Find sets of components tied to each other by correlation, each in rising order.

    `tied` names further sets that count as one component (readings taken together).

    Notes
    -----
    Source: GUM (JCGM 100:2008) G.4.1 (independent components).
    Checked against: tests/reference/gum_h2.toml.
    Limits: exact zeros only separate.
    """
    link = r != 0
    for group in tied:
        link[np.ix_(group, group)] = True
    left, out = set(range(len(r))), []
    while left:
        found, fresh = set[int](), {min(left)}
        while fresh:
            found |= fresh
            fresh = {int(j) for i in fresh for j in np.flatnonzero(link[i])} - found
        left -= found
        out.append(sorted(found))
    return out


@dataclass(frozen=True, slots=True)
class Coupling:
    """What ties input quantities to each other, prepared once for many items.

    Attributes
    ----------
    pairs : tuple of (i, j, r)
        Places of correlated inputs, i < j, with their coefficient.
    groups : tuple of tuple of int
        Sets of two and more inputs that are no independent components.
    """

    pairs: tuple[tuple[int, int, float], ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()


def couple(r: ArrayLike, tied: Sequence[Sequence[int]] = ()) -> Coupling:
    """Prepare a correlation matrix for `fleet`.

    Parameters
    ----------
    r : (n, n) array_like
        Correlation matrix of the inputs (see `correlation_matrix`).
    tied : sequence of sequences of int
        Further inputs that count as one component.

    Returns
    -------
    Coupling
        Pairs that are not 0, and groups.

    Raises
    ------
    OutOfRange
        The matrix is not square, not symmetric, not finite or without ones on its diagonal.
    SingularFit
        The coefficients contradict each other.

    Notes
    -----
    Source: GUM (JCGM 100:2008) 5.2.2.
    Checked against: tests/reference/works.toml.
    Limits: one matrix for all items.
    """
    a = np.array(r, dtype=np.float64, ndmin=2)
    require_finite("a correlation matrix", r=a)
    square = a.ndim == 2 and a.shape[0] == a.shape[1]
    if not square or np.any(a != a.T) or np.any(np.diag(a) != 1) or np.any(np.abs(a) > 1):
        msg = "A correlation matrix is square and symmetric with ones on its diagonal."
        raise OutOfRange(msg, {"shape": str(a.shape)})
    _require_semidefinite(a)
    above = zip(*np.nonzero(np.triu(a, 1)), strict=True)
    groups = [tuple(g) for g in independent_groups(a, tied) if len(g) > 1]
    return Coupling(tuple((int(i), int(j), float(a[i, j])) for i, j in above), tuple(groups))


def correlation_of(covariance: ArrayLike) -> FloatArray:
    """Turn a covariance matrix into correlations: exactly symmetric, ones on the diagonal.

    Notes
    -----
    Source: GUM (JCGM 100:2008) 5.2.2, formula 14.
    Checked against: tests/reference/gum_h2.toml.
    Limits: quantities without variance have correlation 0 with all others.
    """
    v = np.asarray(covariance, dtype=np.float64)
    u = np.sqrt(np.maximum(0.0, np.diag(v)))
    scale = np.outer(u, u)
    r = np.clip((v + v.T) / 2 / np.where(scale > 0, scale, 1.0), -1.0, 1.0)
    np.fill_diagonal(r, 1.0)
    return r


def estimate_correlations(readings: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Means, their standard uncertainties and correlations from readings taken together.

    Parameters
    ----------
    readings : (inputs, n) array_like
        Simultaneous readings, n at least 2.

    Returns
    -------
    tuple
        Means (inputs,), u of the means (inputs,), correlation matrix; a row without
        scatter has correlation 0.

    Raises
    ------
    DegenerateData
        Fewer than two sets of readings.

    Notes
    -----
    Source: GUM (JCGM 100:2008) 5.2.3, formula 17.
    Checked against: tests/reference/gum_h2.toml.
    Limits: the group counts as one component with n - 1 degrees of freedom.
    """
    a = np.asarray(readings, dtype=np.float64)
    if a.ndim != 2 or a.shape[1] < 2:
        raise DegenerateData("Readings taken together need at least two sets.")
    require_finite("readings taken together", readings=a)
    n = a.shape[1]
    mean = a.mean(axis=1)
    d = a - mean[:, None]
    covariance = d @ d.T / (n * (n - 1))
    u = np.sqrt(np.diag(covariance))
    return mean, u, correlation_of(covariance)
