"""Results of an instrument or a standard over time: drawings, and the same figures as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from api.pages.charts import over_time, sign, signs_of
from calib.services.over_time import (
    MOST,
    Adjustment,
    History,
    OneResult,
    PointOverTime,
    instrument_over_time,
    standard_over_time,
)
from instruments.context import Context
from instruments.services.standards import StandardView

DRAWN = 6
"""Points that are drawn at once; the others wait behind their number."""
SAID = {
    "as_found": "As found",
    "as_left": "As left, after an adjustment",
    "superseded": "Replaced by another certificate: counts no more",
    "withdrawn": "Withdrawn: counts no more",
}
SAID_OF_STANDARD = {
    "as_found": "Certificate of the standard",
    "superseded": "Corrected by a newer edition: counts no more",
}
"""What the marks of a drawing mean."""


@dataclass(frozen=True, slots=True)
class Row:
    """One stage of one certificate; a point may have no result in it, or several."""

    head: OneResult
    cells: tuple[tuple[OneResult, ...], ...]
    adjustment: Adjustment | None


def of_instrument(ctx: Context, instrument_id: int) -> dict[str, Any]:
    """Return what the page of an instrument shows of its results over time."""
    history = instrument_over_time(ctx, instrument_id)
    return {"over_time": history, **_parts(SAID, lambda points: _rows(points, history))}


def of_standard(standard: StandardView) -> dict[str, Any]:
    """Return what the page of a standard shows of its corrections over time."""
    history = History((), ())
    points = standard_over_time(standard)
    rows = _parts(SAID_OF_STANDARD, lambda points: _rows(points, history))
    return {"points_over_time": points if _is_telling(points) else (), **rows}


def _is_telling(points: Sequence[PointOverTime]) -> bool:
    """Answer whether any point has more than one result: one alone is no history."""
    return any(len(point.results) > 1 for point in points)


def _has_limits(points: Sequence[PointOverTime]) -> bool:
    ends = ((one.lower, one.upper) for point in points for one in point.results)
    return any(end is not None for both in ends for end in both)


def _parts(said: dict[str, str], rows: Callable[..., Any]) -> dict[str, Any]:
    return {
        "rows_of": rows,
        "draw": over_time,
        "drawn": DRAWN,
        "most_shown": MOST,
        "has_limits": _has_limits,
        "sign": sign,
        "signs_of": lambda points: [(kind, said[kind]) for kind in signs_of(points)],
    }


def _rows(points: Sequence[PointOverTime], history: History) -> tuple[Row, ...]:
    """Return the results by certificate and stage, oldest first."""
    found: dict[tuple[date, int, str], dict[str, list[OneResult]]] = {}
    for point in points:
        for one in point.results:
            cells = found.setdefault((one.on, one.certificate_id, one.stage), {})
            cells.setdefault(point.nominal, []).append(one)
    adjusted = {one.certificate_id: one for one in history.adjustments}
    return tuple(
        Row(
            head=next(iter(cells.values()))[0],
            cells=tuple(tuple(cells.get(point.nominal, ())) for point in points),
            adjustment=adjusted.get(certificate_id) if stage == "as_left" else None,
        )
        for (_, certificate_id, stage), cells in sorted(found.items())
    )
