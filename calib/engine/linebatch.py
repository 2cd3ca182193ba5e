"""Many straight lines at once: each column of the data is one instrument.

With errors in x the profile sum of squares over the slope is brought to its minimum by Newton
steps on all columns of a block together; columns that are doubtful are searched over all
directions of the line. This module must not know instruments or what the lines are used for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.lineprofile import (
    Profile,
    mean_adjusted,
    rests,
    search_directions,
    settle,
    spread_ratio,
    total,
)
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

METHODS = ("information", "propagation")
BLOCK = 1024
STEEPEST = 1e6  # in coordinates of equal spread; beyond lies the vertical


@dataclass(frozen=True, slots=True, eq=False)
class LineFits:
    """Lines y = a + b x, one per column of the data.

    Attributes
    ----------
    a, b : (N,) array
        Intercepts and slopes.
    covariance : (2, 2, N) array
        Of (a, b).
    chi2 : (N,) array
        Weighted sums of squared residuals.
    dof : int
        Degrees of freedom, the same for all.
    converged : (N,) bool array
        False: the data of this column do not determine a line; its figures mean nothing.
    """

    a: FloatArray
    b: FloatArray
    covariance: FloatArray
    chi2: FloatArray
    dof: int
    converged: NDArray[np.bool_]

    def __post_init__(self) -> None:
        require_finite("lines", a=self.a, b=self.b, covariance=self.covariance, chi2=self.chi2)

    @property
    def u_a(self) -> FloatArray:
        """Standard uncertainties of the intercepts."""
        return np.asarray(np.sqrt(self.covariance[0, 0]))

    @property
    def u_b(self) -> FloatArray:
        """Standard uncertainties of the slopes."""
        return np.asarray(np.sqrt(self.covariance[1, 1]))


def _arrays(least: int, **given: ArrayLike) -> dict[str, FloatArray]:
    """Bring the data to shape (n, N) or to one that broadcasts with it."""
    arrays = {}
    for name, value in given.items():
        a = np.asarray(value, dtype=np.float64)
        arrays[name] = a.reshape((1, 1)) if a.ndim == 0 else a[:, None] if a.ndim == 1 else a
    try:
        n, size = np.broadcast_shapes(*(a.shape for a in arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {a.shape}" for name, a in arrays.items())
        msg = f"The data must have points in rows and lines in columns, got {shapes}."
        raise DegenerateData(msg) from None
    if n < least or not size:
        msg = f"{n} points cannot determine a line. Give at least {least} points in rows."
        raise DegenerateData(msg, {"n": n})
    for name in ("x", "y"):
        arrays[name] = np.broadcast_to(arrays[name], (n, size))
    for name, a in arrays.items():
        if a.shape[0] == 1 and n > 1:
            arrays[name] = np.broadcast_to(a, (n, a.shape[1]))
    return arrays


def _cut(a: FloatArray, part: slice) -> FloatArray:
    """One block of columns; what all columns share stays as it is."""
    return a if a.shape[1] == 1 else a[:, part]


def _refuse_bad_numbers(arrays: dict[str, FloatArray]) -> None:
    """Name the first figure no line can be laid through."""
    for name, a in arrays.items():
        bad = ~np.isfinite(a)
        if name == "u_y":
            bad |= a <= 0
        elif name == "u_x":
            bad |= a < 0
        elif name == "r":
            bad |= np.abs(a) >= 1
        if np.any(bad):
            i, j = (int(v) for v in np.argwhere(bad)[0])
            msg = (
                f"{name} is {a[i, j]} in line {j}, point {i}. Values are finite, u_y positive,"
                " u_x not negative, and r lies between -1 and 1."
            )
            raise OutOfRange(msg, {"name": name, "line": j, "point": i})


def _propagated(block: Profile, b: FloatArray, f: dict[str, FloatArray]) -> list[FloatArray]:
    """Variance of the centred intercept, covariance, variance of b: sensitivities to all data."""
    b_y = f["w"] * (f["eta"] - f["mean"]) / f["bend"]
    b_x = f["g"] / f["bend"] - b * b_y
    one = f["w"] / f["weight"]
    a_y, a_x = one - f["mean"] * b_y, -b * one - f["mean"] * b_x

    def both(p: FloatArray, q: FloatArray, r: FloatArray, s: FloatArray) -> FloatArray:
        return total(p, r, block.A) + total(q, s, block.B) + total(p * s + q * r, block.C)

    return [both(a_x, a_y, a_x, a_y), both(a_x, a_y, b_x, b_y), both(b_x, b_y, b_x, b_y)]


def _fit_block(
    data: dict[str, FloatArray], out: FloatArray, *, propagate: bool, search: bool
) -> None:
    """Fit some columns.

    Rows of `out`: a, b, variances and covariance, chi2, whether at rest, whether in doubt (points
    too scattered in x, or no clear direction, so that another minimum may lie lower).
    """
    u_x, u_y = data["u_x"], data["u_y"]
    x0, y0 = (data[k].sum(axis=0) / len(data[k]) for k in "xy")
    block = Profile(data["x"] - x0, data["y"] - y0, u_x * u_x, u_y * u_y, data["r"] * u_x * u_y)
    b = total(block.x, block.y) / total(block.x, block.x)
    if search:
        tried = [settle(block, start) for start in search_directions(block)]
        sums = [np.where(rests(f), f["chi2"], np.inf) for _, f in tried]
        b = np.choose(np.argmin(sums, axis=0), [slope for slope, _ in tried])
    b, found = settle(block, b)
    mean, scale = mean_adjusted(found), spread_ratio(block)
    spread = total(found["w"], found["xi"], found["xi"]) - mean**2 * found["weight"]
    if propagate:
        aa, ab, bb = _propagated(block, b, found)
    else:
        bb = 1 / spread
        aa, ab = 1 / found["weight"] + mean**2 * bb, -mean * bb
    # from the centre of the data back to their origin
    out[0] = found["c"] + y0 - b * x0
    out[1] = b
    out[2] = aa - 2 * x0 * ab + x0 * x0 * bb
    out[3] = ab - x0 * bb
    out[4] = bb
    out[5] = found["chi2"]
    level = np.abs(b) * scale < STEEPEST
    out[6] = rests(found) & level & np.isfinite(out[:6]).all(axis=0)
    # steep lines through points that scatter in x cost about (spread/u_x)^2 per point
    blur = block.A.sum(axis=0) / total(block.x, block.x)
    vague = (blur > 0.05) | (found["chi2"] * blur > 0.05 * len(u_x))
    turn = scale**2 > 0.01 * spread * (1 + (b * scale) ** 2) ** 2
    out[7] = vague | turn | (out[6] == 0)


def fit_lines_xy(
    x: ArrayLike,
    y: ArrayLike,
    u_x: ArrayLike,
    u_y: ArrayLike,
    r: ArrayLike = 0.0,
    *,
    covariance_method: str = "information",
) -> LineFits:
    """Fit y = a + b x to every column, with uncertainties of x and y in each point.

    Parameters
    ----------
    x, y : (n, N) array_like
        n points of N lines; (n,) is the same for all lines.
    u_x, u_y : array_like
        Standard uncertainties: (n, N), (n,) or (n, 1) for all lines, or one number.
    r : array_like
        Correlation of x and y in the same point, between -1 and 1; shapes as above.
    covariance_method : str
        As in `totalleastsquares.fit_polynomial_xy`.

    Returns
    -------
    LineFits
        With `converged` for each line.

    Raises
    ------
    DegenerateData
        Fewer than two points, or shapes that do not go together.
    OutOfRange
        A figure is not finite, an uncertainty not positive, |r| not below 1.

    Notes
    -----
    Source: D. York et al., Am. J. Phys. 72 (2004) 367 (same minimum and uncertainties).
    Checked against: tests/reference/pearson.toml.
    Limits: points independent of each other; a vertical line does not converge.

    Examples
    --------
    >>> found = fit_lines_xy([0, 1, 2, 3], [1.0, 3.1, 4.9, 7.0], 0.05, 0.1)
    >>> [round(float(v), 4) for v in (found.a[0], found.b[0])]
    [1.0292, 1.9806]
    """
    if covariance_method not in METHODS:
        raise OutOfRange(f"The covariance method is one of {', '.join(METHODS)}.")
    data = _arrays(2, x=x, y=y, u_x=u_x, u_y=u_y, r=r)
    fit = partial(_fit_block, propagate=covariance_method == "propagation")
    out = _by_blocks(data, partial(fit, search=False))
    doubtful = np.flatnonzero(out[7])
    if len(doubtful):
        _refuse_bad_numbers(data)
        shape = data["x"].shape
        part = {name: np.broadcast_to(a, shape)[:, doubtful] for name, a in data.items()}
        again, old = _by_blocks(part, partial(fit, search=True)), out[:, doubtful]
        lower = (again[6] > 0) & ((again[5] < old[5] * (1 - 1e-12)) | (old[6] == 0))
        out[:, doubtful[lower]] = again[:, lower]
    return _lines(data, out)


def fit_lines(x: ArrayLike, y: ArrayLike, u_y: ArrayLike) -> LineFits:
    """Fit y = a + b x to every column by weighted least squares, x taken as exact.

    Parameters
    ----------
    x, y, u_y : array_like
        As in `fit_lines_xy`.

    Returns
    -------
    LineFits
        With `converged` for each line.

    Raises
    ------
    DegenerateData
        Fewer than two points, or shapes that do not go together.
    OutOfRange
        A figure is not finite, an uncertainty not positive.

    Notes
    -----
    Source: ISO/TS 28037:2010, clause 6 (closed form about the centre of gravity).
    Checked against: tests/reference/iso28037.toml.
    Limits: uncertainty of x is ignored here.
    """
    data = _arrays(2, x=x, y=y, u_y=u_y)
    return _lines(data, _by_blocks(data, _fit_exact_x))


def _fit_exact_x(data: dict[str, FloatArray], out: FloatArray) -> None:
    """Fit some columns in closed form."""
    w = np.broadcast_to(1 / (data["u_y"] * data["u_y"]), data["x"].shape)
    weight = w.sum(axis=0)
    x0, y0 = total(w, data["x"]) / weight, total(w, data["y"]) / weight
    x, y = data["x"] - x0, data["y"] - y0
    spread = total(w, x, x)
    b = total(w, x, y) / spread
    y -= b * x
    out[0] = y0 - b * x0
    out[1] = b
    out[2] = 1 / weight + x0 * x0 / spread
    out[3] = -x0 / spread
    out[4] = 1 / spread
    out[5] = total(w, y, y)
    out[6] = np.isfinite(out[:6]).all(axis=0) & (spread > 1e-26 * weight * x0 * x0)


def _by_blocks(data: dict[str, FloatArray], fit: Callable[..., None]) -> FloatArray:
    """Go through the columns in blocks that stay in cache."""
    size = data["x"].shape[1]
    out = np.zeros((8, size))
    with np.errstate(all="ignore"):
        for low in range(0, size, BLOCK):
            part = slice(low, low + BLOCK)
            fit({name: _cut(a, part) for name, a in data.items()}, out[:, part])
    return out


def _lines(data: dict[str, FloatArray], out: FloatArray) -> LineFits:
    """Put the rows of figures into a result that holds no NaN."""
    good = out[6] > 0
    if not np.all(good) or not _in_bounds(data):
        _refuse_bad_numbers(data)
        out[:6, ~good] = 0.0
    covariance = out[[2, 3, 3, 4]].reshape(2, 2, -1)
    return LineFits(out[0], out[1], covariance, out[5], len(data["x"]) - 2, good)


def _in_bounds(data: dict[str, FloatArray]) -> bool:
    """Whether uncertainties and correlations are what they can be."""
    return bool(
        data["u_y"].min() > 0
        and ("u_x" not in data or data["u_x"].min() >= 0)
        and ("r" not in data or np.abs(data["r"]).max() < 1)
    )
