"""The entry grid of a record: every place for a reading, laid out as the bench reads them.

A lot of pieces has a row per piece and columns by point; anything else has a row per point and
columns by input, or a block of rows per input where that would be too wide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from calib.services.calibration_views import CalibrationView, ReadingView
from calib.services.readings import ReadingEntry
from calib.services.supporting import StandardCandidate
from instruments.choosing import readings_for
from instruments.procedure import READ, InputQuantity, Measurand

WIDEST = 10
"""Columns of readings that stand side by side without scrolling."""
MOST_EXTRA = 50

Slot = tuple[str, str, int, str, str, int]


@dataclass(frozen=True, slots=True)
class Cell:
    """One place for one reading."""

    slot: Slot
    row: int
    column: int
    value: str
    revision: int
    source: str
    """standard or item."""
    by: str
    """Who entered it last; empty: nothing yet."""
    is_corrected: bool

    @property
    def key(self) -> str:
        """Return the place as one text, the way fields and answers name it."""
        return "/".join(str(part) for part in self.slot)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the grid."""

    label: str
    place: str
    """``piece/point`` the choice of a standard holds for."""
    cells: tuple[Cell, ...]
    standard_id: int | None
    """Certificate named by the readings of the row; None: none entered, or none needed."""
    takes_standard: bool


@dataclass(frozen=True, slots=True)
class Block:
    """Rows under one head."""

    heads: tuple[tuple[str, int], ...]
    """Words and number of columns."""
    numbers: tuple[str, ...]
    """What stands over each column."""
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The grid of one measurand at one stage."""

    measurand: Measurand
    stage: str
    is_batch: bool
    blocks: tuple[Block, ...]


def tables(record: CalibrationView, language: str, extra: int = 0) -> tuple[Table, ...]:
    """Return the grids of a record, with `extra` columns for further readings."""
    current = {slot.current.slot: slot.current for slot in record.slots}
    history = {slot.current.slot: len(slot.history) for slot in record.slots}
    found = []
    for measurand in record.definition.measurands:
        if not record.plan.points.get(measurand.id):
            continue  # another one's readings, or not of this item
        for stage in _stages(record, measurand):
            maker = _Maker(record, measurand, stage, current, history, language, extra)
            found.append(maker.table())
    return tuple(found)


def _stages(record: CalibrationView, measurand: Measurand) -> Iterator[str]:
    read = {slot.current.stage for slot in record.slots if slot.current.measurand == measurand.id}
    for stage in record.definition.stages:
        if stage == "as_found" or stage in read or record.adjustment:
            yield stage


@dataclass(frozen=True, slots=True)
class _Maker:
    record: CalibrationView
    measurand: Measurand
    stage: str
    current: Mapping[Slot, ReadingView]
    history: Mapping[Slot, int]
    language: str
    extra: int

    def table(self) -> Table:
        read = [(n, q) for n, q in self.measurand.inputs.items() if q.source in READ]
        # as one works: the standard first; a stored definition has its names in alphabetical order
        inputs = dict(sorted(read, key=lambda pair: pair[1].source != "standard"))
        points = self.record.plan.points.get(self.measurand.id, ())
        places = {name: range(self._places(name)) for name in inputs}
        is_batch = bool(self.record.plan.pieces)
        if is_batch:
            blocks: tuple[Block, ...] = (self._pieces(inputs, points, places),)
        elif sum(map(len, places.values())) <= WIDEST:
            blocks = (self._points(inputs, points, places, 0),)
        else:
            blocks = tuple(
                self._points({name: quantity}, points, places, i * len(points))
                for i, (name, quantity) in enumerate(inputs.items())
            )
        return Table(
            measurand=self.measurand,
            stage=self.stage,
            is_batch=is_batch,
            blocks=blocks,
        )

    def _places(self, name: str) -> int:
        """Return how many readings of an input have a place: those asked for, and those entered."""
        used = [
            slot[5] + 1
            for slot in self.current
            if (slot[0], slot[1], slot[4]) == (self.measurand.id, self.stage, name)
        ]
        asked = readings_for(self.measurand, name, self.record.attributes)
        return max([asked, *used]) + min(self.extra, MOST_EXTRA)

    def _points(
        self,
        inputs: Mapping[str, InputQuantity],
        points: Sequence[str],
        places: Mapping[str, range],
        first_row: int,
    ) -> Block:
        rows = []
        for r, point in enumerate(points, start=first_row):
            slots = [
                (self.measurand.id, self.stage, 0, point, name, place)
                for name in inputs
                for place in places[name]
            ]
            rows.append(self._row(point, f"0/{point}", slots, r))
        heads = tuple((q.label.text(self.language), len(places[n])) for n, q in inputs.items())
        return Block(heads, tuple(str(p + 1) for n in inputs for p in places[n]), tuple(rows))

    def _pieces(
        self,
        inputs: Mapping[str, InputQuantity],
        points: Sequence[str],
        places: Mapping[str, range],
    ) -> Block:
        rows = []
        for r, name in enumerate(self.record.plan.pieces):
            slots = [
                (self.measurand.id, self.stage, r + 1, point, input_, place)
                for point in points
                for input_ in inputs
                for place in places[input_]
            ]
            rows.append(self._row(name, f"{r + 1}/*", slots, r))
        words = {n: q.label.text(self.language) for n, q in inputs.items()}
        numbers = tuple(
            f"{words[name]} {place + 1}" if len(places[name]) > 1 else words[name]
            for _ in points
            for name in inputs
            for place in places[name]
        )
        width = sum(map(len, places.values()))
        heads = tuple((point, width) for point in points)
        return Block(heads, numbers, tuple(rows))

    def _row(self, label: str, place: str, slots: Sequence[Slot], row: int) -> Row:
        cells = tuple(self._cell(slot, row, column) for column, slot in enumerate(slots))
        named = [
            reading.standard_certificate_id
            for slot in slots
            if (reading := self.current.get(slot)) and reading.standard_certificate_id
        ]
        return Row(
            label=label,
            place=place,
            cells=cells,
            standard_id=named[0] if named else None,
            takes_standard=any(cell.source == "standard" for cell in cells),
        )

    def _cell(self, slot: Slot, row: int, column: int) -> Cell:
        reading = self.current.get(slot)
        return Cell(
            slot=slot,
            row=row,
            column=column,
            value=(reading.value or "") if reading else "",
            revision=reading.revision if reading else 0,
            source=self.measurand.inputs[slot[4]].source,
            by=reading.person_name if reading else "",
            is_corrected=self.history.get(slot, 0) > 1,
        )


Rivals = Mapping[tuple[str, str], tuple[StandardCandidate, ...]]
"""Planned standards that an input could be read on, by measurand and input."""


def rivals(record: CalibrationView, candidates: Sequence[StandardCandidate]) -> Rivals:
    """Return the planned standards each input could be read on."""
    planned = [
        c for c in candidates if c.certificate_id in record.plan.standards.get(c.measurand, ())
    ]
    places = dict.fromkeys((c.measurand, name) for c in planned for name in c.inputs)
    return {
        (m, name): tuple(c for c in planned if c.measurand == m and name in c.inputs)
        for m, name in places
    }


def choices(found: Rivals, table: Table) -> tuple[StandardCandidate, ...]:
    """Return the standards of which one is chosen for each row; empty: nothing to choose."""
    wanted = [
        c for (m, _), cs in found.items() if m == table.measurand.id and len(cs) > 1 for c in cs
    ]
    return tuple({c.certificate_id: c for c in wanted}.values())


def entries_of(
    record: CalibrationView,
    fields: Iterator[tuple[str, str]],
    chosen: Mapping[str, str],
    found_rivals: Rivals,
) -> tuple[tuple[str, ReadingEntry], ...]:
    """Return what a form changes, each with the name of its field.

    A field is named by its place and the revision that was seen. `chosen` are the standards by
    ``measurand/stage/piece/point``; they hold for inputs that have rivals to choose from.
    """
    current = {slot.current.slot: slot.current for slot in record.slots}
    found = []
    for name, text in fields:
        parts = name.split("/")
        if len(parts) != 7 or not all(parts[i].isdecimal() for i in (2, 5, 6)):
            continue
        slot = (parts[0], parts[1], int(parts[2]), parts[3], parts[4], int(parts[5]))
        stands = current.get(slot)
        before = (stands.value if stands else None) or ""
        has_choice = len(found_rivals.get((slot[0], slot[4]), ())) > 1
        standard = _standard(record, slot, chosen) if has_choice else None
        differs = stands is not None and standard not in (None, stands.standard_certificate_id)
        if text == before and not (text and differs):
            continue
        entry = ReadingEntry(*slot, value=text or None, revision=int(parts[6]))
        found.append((name, _with_standard(entry, standard)))
    return tuple(found)


def _standard(record: CalibrationView, slot: Slot, chosen: Mapping[str, str]) -> int | None:
    measurand = next((m for m in record.definition.measurands if m.id == slot[0]), None)
    if measurand is None or slot[4] not in measurand.inputs:
        return None
    if measurand.inputs[slot[4]].source != "standard":
        return None
    head = f"{slot[0]}/{slot[1]}/{slot[2]}"
    number = chosen.get(f"{head}/{slot[3]}") or chosen.get(f"{head}/*") or ""
    return int(number) if number.isdecimal() else None


def _with_standard(entry: ReadingEntry, standard: int | None) -> ReadingEntry:
    if standard is None:
        return entry
    return ReadingEntry(
        *entry.slot,
        value=entry.value,
        revision=entry.revision,
        standard_certificate_id=standard,
    )
