"""Results of an instrument over time, as its certificates state them; nothing is computed here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from calib.certificates.document import CertificateDocument
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
    issued = lookup.certificates(ctx, instrument_id=instrument_id, state="issued", limit=MOST)
    told = [(one, lookup.certificate_document(ctx, one.id)) for one in reversed(issued)]
    names = dict.fromkeys(
        point.measurand for _, document in told for point in document.result.points
    )
    return tuple(_table(name, told) for name in names)


def _table(name: str, told: Sequence[tuple[lookup.CertificateView, CertificateDocument]]) -> Table:
    found: dict[tuple[int, str], dict[str, Cell]] = {}
    for place, (_, document) in enumerate(told):
        for point in document.result.points:
            if point.measurand == name and point.piece <= 1:
                cell = Cell(point.printed.error, point.printed.U, point.verdict)
                found.setdefault((place, point.stage), {})[point.printed.nominal] = cell
    points = tuple(dict.fromkeys(nominal for cells in found.values() for nominal in cells))
    newest = told[max(place for place, _ in found)][1]
    measurand = newest.measurement.measurand(name)
    return Table(
        name=measurand.name,
        unit=measurand.output_unit,
        points=points,
        rows=tuple(
            Row(
                certificate_id=told[place][0].id,
                number=told[place][0].number,
                performed_on=told[place][0].performed_on,
                stage=stage,
                cells=tuple(cells.get(nominal) for nominal in points),
            )
            for (place, stage), cells in found.items()
        ),
    )
