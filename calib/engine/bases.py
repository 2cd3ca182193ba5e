"""Polynomials inside and outside: Chebyshev on the range of the data, powers in the report.

This module must not know data or weights.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial import chebyshev

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]


def scale_argument(x: ArrayLike, low: float, high: float) -> FloatArray:
    """Map the range of the data onto -1 to 1 (a single point onto 0).

    Notes
    -----
    Source: ISO/TS 28038:2018 (normalised variable).
    Checked against: tests/reference/nist_strd.toml.
    Limits: none.
    """
    xs = np.asarray(x, dtype=np.float64)
    return ((xs - low) - (high - xs)) / (high - low) if high > low else xs - low


def design_row(fit_range: tuple[float, float], x: ArrayLike, p: int, *, prop: bool) -> FloatArray:
    """Give the inner basis functions at x, shape (n, p).

    Notes
    -----
    Source: ISO/TS 28038:2018.
    Checked against: tests/reference/nist_strd.toml.
    Limits: none.
    """
    low, high = fit_range
    if prop:
        return (np.asarray(x, dtype=np.float64) / max(abs(low), abs(high)))[:, None]
    z = scale_argument(x, low, high)
    return np.asarray(chebyshev.chebvander(z, p - 1), dtype=np.float64)


def slope_row(
    fit_range: tuple[float, float], x: ArrayLike, p: int, times: int = 1, *, prop: bool
) -> FloatArray:
    """Give the derivatives (first or second) of the inner basis functions at x, shape (n, p).

    Notes
    -----
    Source: ISO/TS 28038:2018.
    Checked against: tests/reference/pearson.toml.
    Limits: none.
    """
    xs = np.asarray(x, dtype=np.float64)
    low, high = fit_range
    if prop:
        return np.full((len(xs), 1), (2 - times) / max(abs(low), abs(high)))
    scale = (2 / (high - low) if high > low else 1.0) ** times
    z = scale_argument(xs, low, high)
    rows = [chebyshev.chebval(z, chebyshev.chebder(e, times)) * scale for e in np.eye(p)]
    return np.asarray(rows, dtype=np.float64).T


def to_powers(
    fit_range: tuple[float, float], p: int, origin: float, *, prop: bool
) -> list[list[Fraction]]:
    """Give the exact matrix from inner coefficients to powers of (x - origin).

    Notes
    -----
    Source: recurrence of the Chebyshev polynomials.
    Checked against: tests/reference/nist_strd.toml.
    Limits: none; the arithmetic is exact.
    """
    low, high = (Fraction(v) for v in fit_range)
    if prop:
        return [[1 / max(abs(low), abs(high))]]
    width = high - low if high > low else Fraction(2)
    z = [(2 * Fraction(origin) - low - high) / width, 2 / width]
    rows = [[Fraction(1)], z]
    for _ in range(2, p):
        nxt = [Fraction(0)] * (len(rows[-1]) + 1)
        for i, a in enumerate(rows[-1]):
            nxt[i] += 2 * z[0] * a
            nxt[i + 1] += 2 * z[1] * a
        for i, a in enumerate(rows[-2]):
            nxt[i] -= a
        rows.append(nxt)
    return [[r[i] if i < len(r) else Fraction(0) for r in rows[:p]] for i in range(p)]


def convert_parameters(matrix: list[list[Fraction]], c: FloatArray) -> FloatArray:
    """Turn inner coefficients into reported parameters, in exact arithmetic.

    Notes
    -----
    Source: `to_powers`.
    Checked against: tests/reference/nist_strd.toml.
    Limits: none.
    """
    exact = [Fraction(float(v)) for v in c]
    return np.array([float(sum(m * v for m, v in zip(row, exact, strict=True))) for row in matrix])


def convert_covariance(
    matrix: Sequence[Sequence[Fraction | float]],
    inner: FloatArray | None,
    common: FloatArray,
    dof: float,
) -> tuple[FloatArray | None, FloatArray, FloatArray]:
    """Give the covariance of the reported parameters, degrees of freedom and common shifts.

    Parameters
    ----------
    matrix : list of lists of Fraction or float
        From `to_powers`, or unity.
    inner : (p, p) array or None
        Covariance of the inner coefficients.
    common : (p,) array
        Shift of the inner coefficients by one standard uncertainty of a common error.
    dof : float
        Degrees of freedom of `inner`.

    Returns
    -------
    tuple
        Covariance with the common error, degrees of freedom by Welch and Satterthwaite, and
        shifts of the reported parameters by the common error.

    Notes
    -----
    Source: GUM (JCGM 100:2008) H.3 and G.4.1.
    Checked against: tests/reference/gum_h3.toml.
    Limits: the common error counts with infinite degrees of freedom.
    """
    m = np.array([[float(v) for v in row] for row in matrix])
    if inner is None:
        return None, np.full(len(m), math.inf), m @ common
    fitted = m @ inner @ m.T
    shift = m @ common
    total = fitted + np.outer(shift, shift)
    own = np.diag(fitted)
    safe = np.where(own > 0, own, 1.0)
    nu = np.where(own > 0, dof * (np.diag(total) / safe) ** 2, math.inf)
    return total, nu, shift
