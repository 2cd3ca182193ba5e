"""Coverage regions of several output quantities: the ellipse and the box around the estimate.

This module must not know models or inputs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from calib.engine.coverage import check_probability
from calib.engine.errors import OutOfRange, SingularFit
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

_NEGATIVE = -1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Joint coverage regions of a normal vector.

    Attributes
    ----------
    p : float
        Coverage probability of each region.
    k_ellipse : float
        (y - y0)^T V^-1 (y - y0) <= k^2.
    axes, directions : (m,) and (m, m) array
        Half-axes of the ellipse, longest first, and their unit vectors, one per row.
    k_box : float
        The box has the half-widths k u of each output.
    half_widths : (m,) array
        Half-widths of the box.
    """

    p: float
    k_ellipse: float
    axes: FloatArray
    directions: FloatArray
    k_box: float
    half_widths: FloatArray


def coverage_region(covariance: ArrayLike, p: float = 0.95) -> Region:
    """Find the elliptical and the rectangular coverage region of a normal vector.

    Parameters
    ----------
    covariance : (m, m) array_like
        Covariance matrix of the outputs.
    p : float
        Coverage probability.

    Returns
    -------
    Region
        Ellipse by chi-squared with m degrees of freedom, box by Bonferroni's inequality.

    Raises
    ------
    OutOfRange
        `p` outside 0 to 1, or the matrix is not square and finite.
    SingularFit
        The matrix is no covariance.

    Notes
    -----
    Source: JCGM 102:2011 6.5 (ellipsoid k_p^2 = chi-squared(p, m); box at q = 1 - (1 - p)/m).
    Checked against: tests/reference/coverage.toml.
    Limits: jointly normal outputs with well-known covariance; the box covers at least p. An
        axis of length 0 says that the outputs depend on each other exactly.
    """
    check_probability(p)
    v = np.asarray(covariance, dtype=np.float64)
    if v.ndim != 2 or v.shape[0] != v.shape[1] or not len(v):
        msg = "A covariance matrix is square, with one row for each output."
        raise OutOfRange(msg, {"shape": str(v.shape)})
    require_finite("a covariance matrix", covariance=v)
    m = len(v)
    values, vectors = np.linalg.eigh((v + v.T) / 2)
    if values[0] < _NEGATIVE * max(abs(values[-1]), np.finfo(float).tiny):
        msg = "The matrix is no covariance of the outputs: an eigenvalue is negative."
        raise SingularFit(msg, {"smallest_eigenvalue": float(values[0])})
    k_ellipse = math.sqrt(float(special.chdtri(m, 1 - p)))
    k_box = -float(special.ndtri((1 - p) / (2 * m)))
    axes = k_ellipse * np.sqrt(np.maximum(values[::-1], 0.0))
    directions = vectors[:, ::-1].T
    heads = directions[np.arange(m), np.abs(directions).argmax(axis=1)]
    widths = k_box * np.sqrt(np.diag(v))
    return Region(p, k_ellipse, axes, directions * np.sign(heads)[:, None], k_box, widths)
