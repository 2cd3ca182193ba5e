"""Readings of a frozen record as flat rows, as a table of readings is imported.

Knows columns, no files.
"""

from __future__ import annotations

from collections.abc import Iterator

from calib.evaluation.inputs import CalibrationInput

COLUMNS = (
    "measurand", "stage", "piece", "point", "input", "place", "value", "unit", "simulated",
)  # fmt: skip
"""Headings of a table of readings, one reading a row; the last marks the record it goes into."""


def reading_rows(record: CalibrationInput) -> Iterator[dict[str, str]]:
    """Yield one row per reading, in the order of the record."""
    measurands = {m.id: m for m in record.definition.measurands}
    for point in record.points:
        visit = point.key.rpartition("/")[2]
        for name, series in point.readings.items():
            quantity = measurands[point.measurand].inputs[name]
            for place, reading in enumerate(series, start=1):
                yield {
                    "measurand": point.measurand,
                    "stage": point.stage,
                    "piece": str(point.piece) if point.piece else "",
                    "point": visit,
                    "input": name,
                    "place": str(place),
                    "value": reading.value,
                    "unit": quantity.unit,
                    "simulated": "simulated 模拟",
                }
