"""The CMC floor: no reported U is smaller than the accredited capability (ILAC-P14).

A capability is stated for k = 2, so a raised U has k = 2. Knows nothing of scopes in databases.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from calib.evaluation.inputs import CalibrationInput, CMCRow, Rounding
from calib.evaluation.result import CalibrationResult, PointResult
from instruments.errors import Finding

K_OF_CMC = 2.0


def raise_to_floor(
    record: CalibrationInput, measurand: str, x: str, k: float, u: float
) -> tuple[float, float, bool]:
    """Return (U, k, whether raised) at the nominal value x."""
    U = k * u
    floors = [float(capability(row, x)) for row in record.cmc if covers(row, measurand, x)]
    if floors and max(floors) > U:
        return max(floors), K_OF_CMC, True
    return U, k, False


def rounding_of(rounding: Rounding, *, raised: bool) -> Rounding:
    """Return how U is rounded: one raised to the floor only upwards, to stay on it in print."""
    return replace(rounding, mode="ceil") if raised else rounding


def within_scope(record: CalibrationInput, result: CalibrationResult) -> bool:
    """Answer whether every value that is reported lies within a row of the lab's scope."""
    return bool(result.points) and not any(outside_scope(record.cmc, result))


def outside_scope(scope: Sequence[CMCRow], result: CalibrationResult) -> Iterator[tuple[str, str]]:
    """Yield measurand and place of every value that is reported outside all rows of a scope."""
    reported = [(point.measurand, point.printed.nominal) for point in result.points] + [
        (curve.measurand, place.x) for curve in result.curves for place in curve.predictions
    ]
    for measurand, x in reported:
        if not any(covers(row, measurand, x) for row in scope):
            yield measurand, x


def covers(row: CMCRow, measurand: str, x: str) -> bool:
    """Answer whether a row of the scope speaks of this value."""
    return row.measurand == measurand and Decimal(row.low) <= Decimal(x) <= Decimal(row.high)


def capability(row: CMCRow, x: str) -> Decimal:
    """Return U_cmc(x), exactly on the decimals."""
    return Decimal(row.U) + Decimal(row.U_fraction) * abs(Decimal(x))


def floor_findings(record: CalibrationInput, points: Iterable[PointResult]) -> Iterator[Finding]:
    """Say where U was raised, and where a lab with a scope has measured outside it."""
    raised: dict[str, list[str]] = {}
    outside: dict[str, list[str]] = {}
    for point in points:
        rows = [row for row in record.cmc if row.measurand == point.measurand]
        if point.cmc_applied:
            raised.setdefault(point.measurand, []).append(point.printed.nominal)
        elif rows and not any(covers(r, point.measurand, point.printed.nominal) for r in rows):
            outside.setdefault(point.measurand, []).append(point.printed.nominal)
    for measurand, nominals in raised.items():
        yield Finding(
            "cmc-applied",
            "U of {measurand} was raised to the accredited capability at {count} points"
            " ({nominals}). A component of the budget may be missing.",
            "note",
            f"/cmc/{measurand}",
            _facts(measurand, nominals),
            "ILAC-P14:09/2020",
        )
    for measurand, nominals in outside.items():
        yield Finding(
            "cmc-outside-scope",
            "{count} points of {measurand} ({nominals}) lie outside the accredited scope: no"
            " accreditation mark may cover them.",
            "note",
            f"/cmc/{measurand}",
            _facts(measurand, nominals),
            "ILAC-P14:09/2020",
        )


def _facts(measurand: str, nominals: list[str]) -> dict[str, object]:
    different = list(dict.fromkeys(nominals))
    return {"measurand": measurand, "count": len(nominals), "nominals": ", ".join(different)}
