"""What a reading of a calibrated instrument means: the certificate's correction, applied.

Between two points of the certificate the correction runs straight, and the larger U of the two
holds; beyond the outer points the certificate says nothing, and nothing is said. Drift since the
calibration and the conditions of use are not in that U: they are the user's to add.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from calib.evaluation.result import PointResult
from instruments.errors import Invalid, Refused
from instruments.procedure import Measurand
from instruments.quantities import parse_decimal


@dataclass(frozen=True, slots=True)
class CorrectedReading:
    """A reading with the correction of the certificate, as text to print."""

    reading: str
    correction: str
    """Signed."""
    value: str
    U: str
    k: str
    between: tuple[str, str]
    """Indications of the two points it lies between."""


@dataclass(frozen=True, slots=True)
class _Place:
    indication: float
    correction: float
    point: PointResult


def corrected(
    points: Sequence[PointResult], measurand: Measurand, reading: str
) -> CorrectedReading:
    """Correct a reading by the points of one certificate; the last stage of piece 0 counts.

    Raises Refused when the certificate gives no correction of an indication, Invalid for a reading
    beyond its points or one that is no number.
    """
    given = parse_decimal(reading, at="/reading")
    places = _places(points, measurand)
    if not places:
        raise Refused(
            "no-correction",
            "The certificate gives no correction of an indication. Ask the laboratory.",
        )
    wanted = float(given)
    low, high = places[0], places[-1]
    if not low.indication <= wanted <= high.indication:
        raise Invalid(
            "reading-beyond-points",
            "The certificate covers indications from {low} to {high} {unit} and says nothing of "
            "{reading}. Have it calibrated where you use it.",
            at="/reading",
            facts={
                "low": low.point.printed.indication,
                "high": high.point.printed.indication,
                "unit": measurand.unit,
                "reading": reading,
            },
        )
    before = max((p for p in places if p.indication <= wanted), key=lambda p: p.indication)
    after = min((p for p in places if p.indication >= wanted), key=lambda p: p.indication)
    return _between(given, before, after)


def _between(given: Decimal, before: _Place, after: _Place) -> CorrectedReading:
    width = after.indication - before.indication
    share = (float(given) - before.indication) / width if width else 0.0
    correction = before.correction + share * (after.correction - before.correction)
    worse = max(before.point, after.point, key=lambda point: point.U)
    step = Decimal(1).scaleb(Decimal(worse.printed.U).as_tuple().exponent)  # type: ignore[arg-type]
    rounded = Decimal(repr(correction)).quantize(step)
    value = (given + Decimal(repr(correction))).quantize(step)
    return CorrectedReading(
        reading=str(given),
        correction=f"{rounded:+f}",
        value=f"{value:f}",
        U=worse.printed.U,
        k=worse.printed.k,
        between=(before.point.printed.indication, after.point.printed.indication),
    )


def _places(points: Sequence[PointResult], measurand: Measurand) -> list[_Place]:
    """Return the points of the item itself as it was left, by rising indication."""
    mine = [one for one in points if one.measurand == measurand.id and one.piece == 0]
    left = [one for one in mine if one.stage == "as_left"] or mine
    sign = {"error": -1.0, "correction": 1.0}.get(measurand.output)
    if sign is None or measurand.unit != measurand.output_unit:
        return []
    found = (_Place(one.indication, sign * one.error, one) for one in left)
    return sorted(found, key=lambda place: place.indication)
