"""The certificate of a measurement standard: correction and uncertainty at any reading in it.

Between two lines of the table the correction is interpolated linearly; u is the larger of the
two neighbours' U/k and the degrees of freedom the smaller of theirs, so nothing is gained by
interpolating. A table of a single line holds in the range its certificate states. Where a longer
table comes with such a range, its end lines hold a little beyond the ends: a bath or source set
to the last point never reads exactly it. Farther out there is no answer: nothing is extrapolated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calib.evaluation.decimals import number, optional_number
from calib.evaluation.inputs import StandardInput, StandardValue
from instruments.errors import Refused

FloatArray = NDArray[np.float64]
OVERHANG = Decimal("0.1")
"""How far an end line holds beyond its end, inside the stated range, as a part of the distance to
its neighbour in the table."""


@dataclass(frozen=True, slots=True)
class CertificateValues:
    """What a certificate says at some readings, arrays of one length."""

    correction: FloatArray
    """Reference minus indication."""
    u: FloatArray
    dof: FloatArray


def covered_range(standard: StandardInput) -> tuple[Decimal, Decimal]:
    """Return the lowest and the highest reading the certificate answers for."""
    lines = [Decimal(value.indication) for value in standard.values]
    low = Decimal(standard.low) if standard.low is not None else lines[0]
    high = Decimal(standard.high) if standard.high is not None else lines[-1]
    if len(lines) == 1:
        return low, high
    below, above = OVERHANG * (lines[1] - lines[0]), OVERHANG * (lines[-1] - lines[-2])
    return (
        min(lines[0], max(low, lines[0] - below)),
        max(lines[-1], min(high, lines[-1] + above)),
    )


def read_certificate(standard: StandardInput, readings: ArrayLike) -> CertificateValues:
    """Return correction, standard uncertainty and degrees of freedom at the readings.

    Raises
    ------
    Refused
        A reading lies outside the table (``standard-out-of-range``).
    """
    at = np.asarray(readings, dtype=np.float64)
    low, high = (float(end) for end in covered_range(standard))
    outside = (at < low) | (at > high)
    if np.any(outside):
        raise Refused(
            "standard-out-of-range",
            "The reading {reading} of {standard} is outside {low} ... {high} {unit}, the range of"
            " its certificate {certificate}. Use a standard calibrated there.",
            at=f"/standards/{standard.key}",
            facts={
                "reading": float(at[outside][0]),
                "standard": standard.key,
                "low": low,
                "high": high,
                "unit": standard.unit,
                "certificate": standard.certificate_number,
            },
        )
    rows = standard.values
    x = np.array([number(row.indication) for row in rows])
    u = np.array([number(row.U) / number(row.k) for row in rows])
    dof = np.array([optional_number(row.dof, math.inf) for row in rows])
    # a reading on a line of the table has this line on both sides
    below = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(rows) - 1)
    above = np.clip(np.searchsorted(x, at, side="left"), 0, len(rows) - 1)
    return CertificateValues(
        np.interp(at, x, [_correction(row) for row in rows]),
        np.maximum(u[below], u[above]),
        np.minimum(dof[below], dof[above]),
    )


def _correction(row: StandardValue) -> float:
    return float(Decimal(row.reference) - Decimal(row.indication))
