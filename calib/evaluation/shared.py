"""Readings that serve several measurands: entered once, seen by each as points of its own.

Knows nothing of what the readings mean; the definition says who shares with whom.
"""

from __future__ import annotations

from dataclasses import replace

from calib.evaluation.inputs import CalibrationInput, PointInput
from instruments.procedure import Measurand


def with_shared(record: CalibrationInput) -> CalibrationInput:
    """Return the record with the points of measurands that use the readings of another."""
    added = tuple(
        _as_point_of(measurand, point)
        for measurand in record.definition.measurands
        if measurand.same_readings_as
        for point in record.points
        if point.measurand == measurand.same_readings_as
    )
    return replace(record, points=(*record.points, *added)) if added else record


def _as_point_of(measurand: Measurand, point: PointInput) -> PointInput:
    rest = point.key.removeprefix(f"{point.measurand}/")
    return replace(
        point,
        key=f"{measurand.id}/{rest}",
        measurand=measurand.id,
        readings={n: series for n, series in point.readings.items() if n in measurand.inputs},
    )
