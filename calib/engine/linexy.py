"""One straight line with errors in x and y, by plain arithmetic: no array is worth its overhead.

The same minimum and uncertainties as `linebatch`, to which doubtful data are handed on. This
module must not know instruments or what the line is used for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calib.engine.errors import DegenerateData, NotConverged
from calib.engine.linebatch import fit_lines_xy
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from collections.abc import Sequence

_STEPS = 12
_SETTLED = 1e-9


@dataclass(frozen=True, slots=True)
class LineXY:
    """Line y = a + b x through points with errors in both.

    Attributes
    ----------
    a, b : float
        Intercept and slope.
    u_a, u_b : float
        Their standard uncertainties.
    covariance : float
        Of a with b.
    chi2 : float
        Weighted sum of squared residuals.
    dof : int
        Degrees of freedom, 0 for two points.
    """

    a: float
    b: float
    u_a: float
    u_b: float
    covariance: float
    chi2: float
    dof: int

    def __post_init__(self) -> None:
        require_finite("a line", a=self.a, b=self.b, u_a=self.u_a, u_b=self.u_b, chi2=self.chi2)


def fit_line_xy(
    x: Sequence[float],
    y: Sequence[float],
    u_x: Sequence[float],
    u_y: Sequence[float],
    r: float | Sequence[float] = 0.0,
) -> LineXY:
    """Fit one line y = a + b x with uncertainties of x and y in each point.

    Parameters
    ----------
    x, y : (n,) sequence of float
        At least two points.
    u_x, u_y : (n,) sequence of float
        Standard uncertainties; u_y positive, u_x not negative.
    r : float or (n,) sequence of float
        Correlation of x and y in the same point, between -1 and 1.

    Returns
    -------
    LineXY
        Uncertainties by information, as `linebatch.fit_lines_xy`.

    Raises
    ------
    DegenerateData
        Fewer than two points, or lists of different lengths.
    OutOfRange
        A figure is not finite, an uncertainty not positive, |r| not below 1.
    NotConverged
        The points do not determine a line, or only a vertical one.

    Notes
    -----
    Source: D. York et al., Am. J. Phys. 72 (2004) 367 (same minimum and uncertainties).
    Checked against: tests/reference/pearson.toml.
    Limits: points independent of each other.

    Examples
    --------
    >>> line = fit_line_xy([0, 1, 2, 3], [1.0, 3.1, 4.9, 7.0], [0.05] * 4, [0.1] * 4)
    >>> round(line.b, 4), line.dof
    (1.9806, 2)
    """
    n = len(x)
    rs = [r] * n if isinstance(r, (int, float)) else r
    if n < 2 or not n == len(y) == len(u_x) == len(u_y) == len(rs):
        raise DegenerateData("x, y and their uncertainties must be lists of one length, 2 or more.")
    x0, y0 = math.fsum(x) / n, math.fsum(y) / n
    rows = [
        (xi - x0, yi - y0, u * u, v * v, ri * u * v)
        for xi, yi, u, v, ri in zip(x, y, u_x, u_y, rs, strict=True)
    ]
    spread = sum(p[0] * p[0] for p in rows)
    blur = sum(p[2] for p in rows)
    plain = min(u_y) > 0 <= min(u_x) and max(map(abs, rs)) < 1 and blur < 0.05 * spread < math.inf
    found = _settle(rows, sum(p[0] * p[1] for p in rows) / spread) if plain else None
    if found is None:
        return _searched(x, y, u_x, u_y, rs)
    b, c, mean, weight, info, chi2 = found
    if chi2 * blur > 0.05 * n * spread or _turns(rows, b, spread, info):
        return _searched(x, y, u_x, u_y, rs)
    centre = x0 + mean
    u_b = 1 / math.sqrt(info)
    u_a = math.sqrt(1 / weight + centre * centre / info)
    return LineXY(c + y0 - b * x0, b, u_a, u_b, -centre / info, chi2, n - 2)


def _settle(
    rows: list[tuple[float, float, float, float, float]], b: float
) -> tuple[float, float, float, float, float, float] | None:
    """Newton steps on the slope (see `linebatch`); none where they do not come to rest."""
    for _ in range(_STEPS):
        weight = total = 0.0
        points = []
        for x, y, A, B, C in rows:
            h = A * b - C
            v = B + b * (h - C)
            w = 1 / v
            e = y - b * x
            weight += w
            total += w * e
            points.append((x, A, h, w, e))
        c = total / weight
        pull = first = second = bend = chi2 = middle = info = 0.0
        for x, A, h, w, e in points:
            g = w * (e - c)
            xi = x + g * h
            eta = xi + g * h
            pull += g * xi
            first += w * eta
            second += w * eta * eta
            bend += g * g * A
            chi2 += g * (e - c)
            middle += w * xi
            info += w * xi * xi
        curve = second - first * first / weight - bend
        if not 0 < curve < math.inf:
            return None
        step = pull / curve
        b += step
        if step * step * curve < _SETTLED**2:
            mean = middle / weight
            return b, c, mean, weight, info - mean * middle, chi2
    return None


def _turns(
    rows: list[tuple[float, float, float, float, float]], b: float, spread: float, info: float
) -> bool:
    """Whether the direction of the line is known worse than to a tenth of a radian."""
    scale = (spread + sum(p[2] for p in rows)) / sum(p[1] * p[1] + p[3] for p in rows)
    return scale > 0.01 * info * (1 + b * b * scale) ** 2


def _searched(
    x: Sequence[float],
    y: Sequence[float],
    u_x: Sequence[float],
    u_y: Sequence[float],
    r: Sequence[float],
) -> LineXY:
    """Hand doubtful data to the search over all directions."""
    found = fit_lines_xy(x, y, u_x, u_y, r)
    if not found.converged[0]:
        raise NotConverged("The points do not determine a line y = a + b x. Check x, y and u.")
    cov = found.covariance[:, :, 0]
    return LineXY(
        a=float(found.a[0]),
        b=float(found.b[0]),
        u_a=math.sqrt(cov[0, 0]),
        u_b=math.sqrt(cov[1, 1]),
        covariance=float(cov[0, 1]),
        chi2=float(found.chi2[0]),
        dof=found.dof,
    )
