"""Results of an instrument over time, as its certificates state them; nothing is computed here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from calib.services import lookup
from instruments.context import Context
from instruments.text import LocalizedText

MOST = 8
"""Certificates shown, newest last."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The result at one point of one certificate, as printed."""

    value: str
    U: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Row:
    """One certificate; None where it has no such point."""

    certificate_id: int
    number: str
    performed_on: date
    stage: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One measurand over time."""

    name: LocalizedText
    unit: str
    points: tuple[str, ...]
    rows: tuple[Row, ...]


def drift_tables(ctx: Context, instrument_id: int) -> tuple[Table, ...]:
    """Return what the valid certificates of an instrument state, one table per measurand."""
    lines = lookup.certificates(ctx, instrument_id=instrument_id, state="issued", limit=MOST)
    views = [lookup.certificate(ctx, row.line.id) for row in reversed(lines)]
    names = dict.fromkeys(
        point.measurand for view in views for point in view.document.result.points
    )
    return tuple(_table(name, views) for name in names)


def _table(name: str, views: Sequence[lookup.CertificateView]) -> Table:
    found: dict[tuple[int, str], dict[str, Cell]] = {}
    for place, view in enumerate(views):
        for point in view.document.result.points:
            if point.measurand == name and point.piece <= 1:
                cell = Cell(point.printed.error, point.printed.U, point.verdict)
                found.setdefault((place, point.stage), {})[point.printed.nominal] = cell
    points = tuple(dict.fromkeys(nominal for cells in found.values() for nominal in cells))
    newest = next(
        measurand
        for view in reversed(views)
        for measurand in view.document.measurement.measurands
        if measurand.id == name
    )
    return Table(
        name=newest.name,
        unit=newest.output_unit,
        points=points,
        rows=tuple(
            Row(
                certificate_id=views[place].row.line.id,
                number=views[place].row.line.number,
                performed_on=views[place].row.line.performed_on,
                stage=stage,
                cells=tuple(cells.get(nominal) for nominal in points),
            )
            for (place, stage), cells in found.items()
        ),
    )
