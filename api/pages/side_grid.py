"""The grid of several items side by side: the reading of a standard once, a column for each item.

A row is one number of reading at one point, so that a column pasted from a spreadsheet runs through
all points. Knows no service.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from calib.services.calibration_views import CalibrationView, ReadingView
from instruments.choosing import readings_for
from instruments.procedure import READ, InputQuantity, Measurand

Place = tuple[str, str, int, str, str, int]


@dataclass(frozen=True, slots=True)
class SideCell:
    """One reading of one item, or of a standard for all of them."""

    slot: Place
    row: int
    column: int
    value: str
    targets: str
    """JSON: record, revision and value of each record the reading belongs to."""
    source: str
    record: int | None
    """None: of all."""

    @property
    def key(self) -> str:
        """Return the place as one text, the way fields and answers name it."""
        return "/".join(str(part) for part in self.slot)


@dataclass(frozen=True, slots=True)
class SidePoint:
    """The rows of one point."""

    point: str
    rows: tuple[tuple[str, tuple[SideCell | None, ...]], ...]
    """Number of the reading, and its cells; None where an input takes fewer readings."""


@dataclass(frozen=True, slots=True)
class SideTable:
    """One measurand at one stage."""

    measurand: Measurand
    stage: str
    shared: tuple[tuple[str, InputQuantity], ...]
    own: tuple[tuple[str, InputQuantity], ...]
    records: tuple[CalibrationView, ...]
    points: tuple[SidePoint, ...]


def side_tables(records: Sequence[CalibrationView], extra: int = 0) -> tuple[SideTable, ...]:
    """Return the grids of records of one kind; as left only for items that were adjusted."""
    found = []
    for measurand in records[0].definition.measurands:
        if not records[0].plan.points.get(measurand.id):
            continue  # another one's readings, or not of these items
        for stage in records[0].definition.stages:
            here = tuple(r for r in records if stage == "as_found" or _is_at(r, stage))
            if here:
                found.append(_table(measurand, stage, here, extra))
    return tuple(found)


def _is_at(record: CalibrationView, stage: str) -> bool:
    return bool(record.adjustment) or any(s.current.stage == stage for s in record.slots)


def _table(
    measurand: Measurand, stage: str, records: tuple[CalibrationView, ...], extra: int
) -> SideTable:
    read = [(name, q) for name, q in measurand.inputs.items() if q.source in READ]
    shared = tuple((name, q) for name, q in read if q.source == "standard")
    own = tuple((name, q) for name, q in read if q.source != "standard")
    stands = {r.id: {slot.current.slot: slot.current for slot in r.slots} for r in records}
    places = {name: _places(measurand, stage, name, records) + extra for name, _ in read}
    maker = _Maker(measurand, stage, records, shared, own, stands, places)
    return SideTable(measurand, stage, shared, own, records, tuple(maker.points()))


def _places(measurand: Measurand, stage: str, name: str, records: Sequence[CalibrationView]) -> int:
    asked = [readings_for(measurand, name, record.attributes) for record in records]
    used = [
        slot.current.place + 1
        for record in records
        for slot in record.slots
        if (slot.current.measurand, slot.current.stage, slot.current.input)
        == (measurand.id, stage, name)
    ]
    return max([*asked, *used])


@dataclass(frozen=True, slots=True)
class _Maker:
    measurand: Measurand
    stage: str
    records: tuple[CalibrationView, ...]
    shared: tuple[tuple[str, InputQuantity], ...]
    own: tuple[tuple[str, InputQuantity], ...]
    stands: Mapping[int, Mapping[Place, ReadingView]]
    places: Mapping[str, int]

    def points(self) -> Iterator[SidePoint]:
        count = max(self.places.values())
        for number, point in enumerate(self.records[0].plan.points[self.measurand.id]):
            rows = [
                (str(place + 1), tuple(self._row(point, place, number * count + place)))
                for place in range(count)
            ]
            yield SidePoint(point, tuple(rows))

    def _row(self, point: str, place: int, row: int) -> Iterator[SideCell | None]:
        columns: list[tuple[str, InputQuantity, CalibrationView | None]] = [
            (name, quantity, None) for name, quantity in self.shared
        ]
        columns += [(name, q, record) for record in self.records for name, q in self.own]
        for column, (name, quantity, record) in enumerate(columns):
            slot = (self.measurand.id, self.stage, 0, point, name, place)
            if place >= self.places[name]:
                yield None
                continue
            of = self.records if record is None else (record,)
            lines = [self._line(one.id, slot) for one in of]
            values = [value for _, _, value in lines if value]
            yield SideCell(
                slot=slot,
                row=row,
                column=column,
                value=Counter(values).most_common(1)[0][0] if values else "",
                targets=json.dumps(lines),
                source=quantity.source,
                record=record.id if record else None,
            )

    def _line(self, record: int, slot: Place) -> tuple[int, int, str]:
        reading = self.stands[record].get(slot)
        return (record, reading.revision, reading.value or "") if reading else (record, 0, "")
