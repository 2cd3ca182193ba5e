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
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

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
    return _range(standard.values, standard.low, standard.high)


@lru_cache(maxsize=256)
def _range(
    rows: tuple[StandardValue, ...], stated_low: str | None, stated_high: str | None
) -> tuple[Decimal, Decimal]:
    lines = [Decimal(row.indication) for row in rows]
    low = Decimal(stated_low) if stated_low is not None else lines[0]
    high = Decimal(stated_high) if stated_high is not None else lines[-1]
    if len(lines) == 1:
        return low, high
    below, above = OVERHANG * (lines[1] - lines[0]), OVERHANG * (lines[-1] - lines[-2])
    return (
        min(lines[0], max(low, lines[0] - below)),
        max(lines[-1], min(high, lines[-1] + above)),
    )


def fault_of(standard: StandardInput) -> str:
    """Return why the table of a certificate means nothing or does not rise; empty: it is good."""
    return _fault(standard.values, standard.low, standard.high)


@lru_cache(maxsize=256)
def _fault(rows: tuple[StandardValue, ...], low: str | None, high: str | None) -> str:
    indications = [Decimal(row.indication) for row in rows]
    problem = ""
    if not rows:
        problem = "it has no values"
    elif any(a >= b for a, b in pairwise(indications)):
        problem = "its indications do not rise"
    elif any(
        Decimal(row.U) < 0 or Decimal(row.k) <= 0 or Decimal(row.dof or "1") <= 0 for row in rows
    ):
        problem = "U is negative, or k or the degrees of freedom are not positive"
    elif len(rows) == 1 and (low is None or high is None):
        problem = "it has a single value and no range for which this value holds"
    elif len(rows) == 1 and not Decimal(low or 0) <= indications[0] <= Decimal(high or 0):
        problem = "its single value lies outside the range it is said to hold for"
    return problem


def read_certificate(standard: StandardInput, readings: ArrayLike) -> CertificateValues:
    """Return correction, standard uncertainty and degrees of freedom at the readings.

    Raises
    ------
    Refused
        A reading lies outside the table (``standard-out-of-range``).
    """
    at = np.asarray(readings, dtype=np.float64)
    table = _table(standard.values, standard.low, standard.high)
    outside = (at < table.low) | (at > table.high)
    if np.any(outside):
        raise Refused(
            "standard-out-of-range",
            "The reading {reading} of {standard} is outside {low} ... {high} {unit}, the range of"
            " its certificate {certificate}. Use a standard calibrated there.",
            at=f"/standards/{standard.key}",
            facts={
                "reading": float(at[outside][0]),
                "standard": standard.key,
                "low": table.low,
                "high": table.high,
                "unit": standard.unit,
                "certificate": standard.certificate_number,
            },
        )
    # a reading on a line of the table has this line on both sides
    last = len(table.x) - 1
    below = np.clip(np.searchsorted(table.x, at, side="right") - 1, 0, last)
    above = np.clip(np.searchsorted(table.x, at, side="left"), 0, last)
    return CertificateValues(
        np.interp(at, table.x, table.correction),
        np.maximum(table.u[below], table.u[above]),
        np.minimum(table.dof[below], table.dof[above]),
    )


class _Table(NamedTuple):
    """The lines of a certificate as numbers, and where they hold."""

    low: float
    high: float
    x: FloatArray
    correction: FloatArray
    u: FloatArray
    dof: FloatArray


@lru_cache(maxsize=256)
def _table(rows: tuple[StandardValue, ...], low: str | None, high: str | None) -> _Table:
    """Read a certificate once, however many records rest on it."""
    ends = _range(rows, low, high)
    return _Table(
        float(ends[0]),
        float(ends[1]),
        np.array([number(row.indication) for row in rows]),
        np.array([_correction(row) for row in rows]),
        np.array([number(row.U) / number(row.k) for row in rows]),
        np.array([optional_number(row.dof, math.inf) for row in rows]),
    )


def _correction(row: StandardValue) -> float:
    return float(Decimal(row.reference) - Decimal(row.indication))
