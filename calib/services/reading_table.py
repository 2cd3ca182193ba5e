"""A table from a logger or workbook into entries; knows no rows of a database.

Two layouts. Long: one reading a row (point, input, value). Wide: one visit a row (point, reference,
indication); further rows of the same point are repeated readings. Headings in English or Chinese.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from calib.services.calibration_views import Plan
from calib.services.reading_entry import ReadingEntry, unknown
from instruments.errors import Finding, Invalid
from instruments.procedure import InputQuantity, InstrumentType, Measurand
from instruments.quantities import UNITS, parse_decimal
from instruments.services.tables import heading

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "measurand": ("measurand", "被测量", "测量项目"),
    "stage": ("stage", "阶段", "状态"),
    "piece": ("piece", "件号", "支号"),
    "point": ("point", "nominal", "校准点", "检定点", "测量点", "标称值"),
    "input": ("input", "quantity", "输入量", "项目"),
    "place": ("place", "number", "no", "序号", "次数"),
    "value": ("value", "reading", "读数", "数值"),
    "unit": ("unit", "单位"),
    "simulated": ("simulated", "模拟", "模拟数据"),
    "reference": ("reference", "标准示值", "标准值", "参考值"),
    "indication": ("indication", "示值", "被检示值", "被校示值", "指示值"),
}
STAGES = {"as_found": "as_found", "as_left": "as_left", "调整前": "as_found", "调整后": "as_left"}
Entries = list[tuple[str, ReadingEntry]]


def read_rows(
    rows: Sequence[Mapping[str, str]], definition: InstrumentType, plan: Plan, stage: str
) -> tuple[Entries, list[Finding]]:
    """Return an entry with its place for each reading of the table, and what cannot be read.

    Rows are numbered as a spreadsheet does, the heading is row 1; empty rows are passed over.
    """
    columns = {title: _column(title, definition) for title in rows[0]}
    unknown = [title for title, column in columns.items() if column is None]
    if unknown:
        return [], [
            Finding(
                "column-unknown",
                "The column {heading} is not known. Known are: {known}, or the inputs of the type.",
                "error",
                "/columns",
                {"heading": title, "known": ", ".join(HEADINGS)},
            )
            for title in unknown
        ]
    entries: Entries = []
    findings: list[Finding] = []
    places: Counter[tuple[object, ...]] = Counter()
    for number, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row.values()):
            continue
        cells = {str(columns[title]): cell.strip() for title, cell in row.items()}
        try:
            entries += _row(cells, f"/rows/{number}", definition, plan, stage, places)
        except Invalid as problem:
            findings.append(
                Finding(problem.code, problem.message, "error", problem.at, problem.facts)
            )
    return entries, findings


def says_simulated(row: Mapping[str, str]) -> bool:
    """Answer whether a row comes from the simulator; its record is then marked for good."""
    titles = [heading(title) for title in HEADINGS["simulated"]]
    return any(cell.strip() and heading(title) in titles for title, cell in row.items())


def _row(
    cells: Mapping[str, str],
    at: str,
    definition: InstrumentType,
    plan: Plan,
    stage: str,
    places: Counter[tuple[object, ...]],
) -> Entries:
    measurand = _measurand(cells.get("measurand", ""), definition, at)
    point = _point(cells.get("point", ""), plan.points.get(measurand.id, ()), at)
    where = (
        measurand.id,
        _stage(cells.get("stage", ""), stage, at),
        _whole(cells.get("piece", ""), 1 if plan.pieces else 0, f"{at}/piece"),
        point,
    )
    entries: Entries = []
    for input_, value, column in _values(cells, measurand, at):
        slot = (*where, input_)
        given = _whole(cells.get("place", ""), places[slot] + 1, f"{at}/place")
        places[slot] += 1
        quantity = measurand.inputs[input_]
        entry = ReadingEntry(
            *where,
            input=input_,
            place=given - 1,
            value=value,
            revision=0,
            unit=_unit(cells.get("unit", ""), quantity),
        )
        entries.append((f"{at}/{column}", entry))
    return entries


def _values(cells: Mapping[str, str], measurand: Measurand, at: str) -> list[tuple[str, str, str]]:
    """Return (input, value, column) of each reading in the row."""
    if "value" in cells:
        name = _input(cells.get("input", ""), measurand, at)
        return [(name, cells["value"], "value")]
    found = []
    for column, cell in cells.items():
        if column in ("reference", "indication"):
            found.append((_by_source(column, measurand, at), cell, column))
        elif column in measurand.inputs:
            found.append((column, cell, column))
    if not found:
        raise Invalid(
            "column-missing",
            "The row has no reading: give a column value, or reference and indication, or one per "
            "input ({inputs}).",
            at=at,
            facts={"inputs": ", ".join(measurand.inputs)},
        )
    return found


def _by_source(column: str, measurand: Measurand, at: str) -> str:
    source = "standard" if column == "reference" else "item"
    names = [name for name, quantity in measurand.inputs.items() if quantity.source == source]
    if len(names) != 1:
        raise Invalid(
            "column-ambiguous",
            "The column {column} could be any of {inputs}. Name the column after the input.",
            at=f"{at}/{column}",
            facts={"column": column, "inputs": ", ".join(names) or "none"},
        )
    return names[0]


def _column(given: str, definition: InstrumentType) -> str | None:
    """Return what a heading means: a known column or an input of the type."""
    plain = heading(given)
    for column, headings in HEADINGS.items():
        if plain in map(heading, headings):
            return column
    for measurand in definition.measurands:
        for name, quantity in measurand.inputs.items():
            if plain in map(heading, (name, quantity.label.en, quantity.label.zh)):
                return name
    return None


def _measurand(given: str, definition: InstrumentType, at: str) -> Measurand:
    needed = [m for m in definition.measurands if not (m.optional or m.same_readings_as)]
    if not given and len(needed) == 1:
        return needed[0]
    for measurand in definition.measurands:
        if given in (measurand.id, measurand.name.en, measurand.name.zh):
            return measurand
    raise unknown(
        "measurand-unknown", given, [m.id for m in definition.measurands], f"{at}/measurand"
    )


def _input(given: str, measurand: Measurand, at: str) -> str:
    if given in ("reference", "indication"):
        return _by_source(given, measurand, at)
    for name, quantity in measurand.inputs.items():
        if given in (name, quantity.label.en, quantity.label.zh):
            return name
    raise unknown("input-unknown", given, list(measurand.inputs), f"{at}/input")


def _point(given: str, planned: Sequence[str], at: str) -> str:
    """Return the planned point that means the same number, so that 37 finds 37.0."""
    if given in planned:
        return given
    value = parse_decimal(given, at=f"{at}/point")
    for point in planned:
        if "#" not in point and Decimal(point) == value:
            return point
    raise unknown("point-unknown", given, planned, f"{at}/point")


def _stage(given: str, usual: str, at: str) -> str:
    if not given:
        return usual
    if given not in STAGES:
        raise unknown("stage-unknown", given, list(STAGES), f"{at}/stage")
    return STAGES[given]


def _whole(given: str, usual: int, at: str) -> int:
    if not given:
        return usual
    if not (given.isascii() and given.isdigit() and len(given) <= 6):
        raise Invalid(
            "number-malformed",
            "{given} is no whole number. Pieces and readings are counted 1, 2, 3 ...",
            at=at,
            facts={"given": given},
        )
    return int(given)


def _unit(given: str, quantity: InputQuantity) -> str | None:
    """Return the id of the unit; an unknown one stays as written and is refused by name."""
    if not given:
        return None
    known = {unit.symbol: unit.id for unit in UNITS.values()} | {unit: unit for unit in UNITS}
    # ℃ is how Chinese workbooks write the unit
    return quantity.unit if given == "℃" and quantity.unit == "degC" else known.get(given, given)
