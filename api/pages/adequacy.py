"""Beside each standard that is offered: its range, the ratio of the limits to its U, the way out.

Decimals as they stand; a ratio is told only where limits and U are of one unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from calib.evaluation.inputs import AgreedLimits
from calib.evaluation.standards import covered_range
from calib.services.calibration_views import VISIT, CalibrationView
from calib.services.supporting import StandardCandidate
from instruments.procedure import Measurand

ALIKE = ({"degC", "K"},)
"""Units whose differences are the same size."""
WAYS_OUT = {
    "standard-out-of-date": "/certificates/new",
    "standard-out-of-service": "/edit",
    "standard-of-other-kind": "/edit",
}
"""Below which address of a standard it is put right that keeps it from use; else on its page."""
WAY_OUT_WORDS = {
    "standard-out-of-date": "Enter its new certificate",
    "standard-out-of-service": "Take it back into service",
    "standard-of-other-kind": "Correct what it is registered as",
}


@dataclass(frozen=True, slots=True)
class Adequacy:
    """What is told of a standard beside its name."""

    low: str
    high: str
    ratio: str
    """Smallest ratio of the limits to U over the planned points; empty: not to be told."""
    is_tight: bool
    """The ratio is below 4 to 1 somewhere: the guard band, or the budget, must say more."""


def adequacies(
    record: CalibrationView,
    candidates: Sequence[StandardCandidate],
    limits: Mapping[str, AgreedLimits],
) -> dict[tuple[str, int], Adequacy]:
    """Return what is told of each standard, by measurand and certificate."""
    found = {}
    for one in candidates:
        if not one.standard.values:
            continue
        low, high = covered_range(one.standard)
        measurand = record.definition.measurand(one.measurand)
        points = record.plan.points.get(one.measurand, ())
        ratios = [
            ratio
            for point in points
            if (ratio := _ratio(measurand, one, limits, Decimal(VISIT.sub("", point)))) is not None
        ]
        least = min(ratios, default=None)
        found[one.measurand, one.certificate_id] = Adequacy(
            low=f"{low:f}",
            high=f"{high:f}",
            ratio="" if least is None else f"{least.quantize(Decimal('0.1'), ROUND_DOWN):f}",
            is_tight=least is not None and least < 4,
        )
    return found


def _ratio(
    measurand: Measurand,
    one: StandardCandidate,
    limits: Mapping[str, AgreedLimits],
    nominal: Decimal,
) -> Decimal | None:
    units = {measurand.output_unit, one.standard.unit}
    if len(units) > 1 and units not in ALIKE:
        return None
    agreed = limits.get(measurand.id)
    row = next((row for row in agreed.rows if row.covers(nominal)), None) if agreed else None
    if row is None:
        return None
    lower, upper = row.at(nominal)
    largest = max(Decimal(value.U) for value in one.standard.values)
    if lower is None or upper is None or not largest:
        return None
    return (upper - lower) / 2 / largest
