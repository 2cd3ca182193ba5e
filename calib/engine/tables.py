"""A function of a small positive number, tabulated for speed.

The range is cut where the leading bits of the number change: so many pieces for each power of
two, each a cubic through four Chebyshev points. Steep behaviour towards 0 (tails, logarithms,
powers) does no harm. This module must not know what the function means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

PIECES_BITS = 6
_DEGREE = 3
_SHIFT = 52 - PIECES_BITS
_LOW_BITS = np.int64((1 << _SHIFT) - 1)
_ONE = np.int64(0x3FF0000000000000)
_BIAS = 1023
_ROW = np.dtype((np.void, 8 * (_DEGREE + 1)))


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Cubics on 64 pieces for each power of two from 2^first up to 2^last.

    Attributes
    ----------
    first, last : int
        Powers of two at which the range begins and ends.
    coefficients : (pieces, 4) array
        Of rising powers, in every piece from its lower end.
    """

    first: int
    last: int
    coefficients: FloatArray

    def look_up(self, m: FloatArray, skip: Any = None) -> FloatArray:
        """Evaluate at numbers from 2^first to below 2^last; overwrites `m`.

        `skip` (whole numbers) is added to the number of the piece, for tables put together.

        Notes
        -----
        Source: cubic interpolation at Chebyshev points.
        Checked against: tests/reference/distributions.toml.
        Limits: arguments outside the range give meaningless numbers; the caller keeps to it.
        """
        bits = m.view(np.int64)
        piece = bits >> _SHIFT
        piece -= self.offset
        if skip is not None:
            piece += skip
        bits &= _LOW_BITS
        bits |= _ONE
        m -= 1.0
        # All four coefficients of a piece are fetched as one: a quarter of the look-ups.
        rows = self.coefficients.view(_ROW).ravel()
        found = np.take(rows, piece, mode="wrap").view(np.float64).reshape(*m.shape, _DEGREE + 1)
        out: FloatArray = found[..., -1] * m
        for power in range(_DEGREE - 1, 0, -1):
            out += found[..., power]
            out *= m
        out += found[..., 0]
        return out

    @property
    def offset(self) -> int:
        """Leading bits of 2^first."""
        return (_BIAS + self.first) << PIECES_BITS

    @property
    def pieces(self) -> int:
        """Number of pieces."""
        return len(self.coefficients)

    def followed_by(self, other: Table) -> Table:
        """Put a second function on the same range behind, reached by skipping `pieces`."""
        both = np.concatenate([self.coefficients, other.coefficients])
        return Table(self.first, self.last, both)


def tabulate(function: Callable[[FloatArray], FloatArray], first: int, last: int) -> Table:
    """Tabulate a smooth function between two powers of two.

    Parameters
    ----------
    function : callable
        Takes an array of positive numbers, gives finite numbers.
    first, last : int
        The range is 2^first to 2^last.

    Returns
    -------
    Table
        Within about 2e-10 of the function's scale for functions like log and powers.

    Notes
    -----
    Source: interpolation error at Chebyshev points, pieces of relative width 1/64.
    Checked against: tests/reference/distributions.toml.
    Limits: no kinks inside the range.
    """
    pieces = 1 << PIECES_BITS
    start = 2.0 ** np.arange(first, last)
    lower = (start[:, None] * (1 + np.arange(pieces) / pieces)).ravel()
    k = np.arange(_DEGREE + 1)
    node = (1 - np.cos((2 * k + 1) * np.pi / (2 * _DEGREE + 2))) / 2 / pieces
    values = function(lower[:, None] + np.repeat(start, pieces)[:, None] * node)
    powers = np.vander(node * pieces, _DEGREE + 1, increasing=True)
    solved = np.linalg.solve(powers, values.T) * (float(pieces) ** k)[:, None]
    return Table(first, last, np.ascontiguousarray(solved.T))
