"""What the demo's technicians would have read: the same readings every time the world is built."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal

from calib.services.calibration_views import CalibrationView
from calib.services.readings import ReadingEntry
from instruments.choosing import readings_for
from instruments.procedure import READ, Measurand

SCATTER = {"temperature": 0.04, "volume_flow": 0.004, "pressure": 0.4}
"""Standard deviation of what an item shows; of flow: relative."""
REFERENCE_STEP = {"temperature": "0.01", "volume_flow": "0.01", "pressure": "0.1"}


def readings_of(
    record: CalibrationView, serial: str, offset: float, resolution: dict[str, str]
) -> Iterator[ReadingEntry]:
    """Give every reading the plan asks for, as found."""
    for measurand in record.definition.measurands:
        planned = record.plan.points.get(measurand.id, ())
        for piece in record.plan.numbers_of_pieces():
            for point in planned:
                yield from _at_point(record, measurand, serial, offset, resolution, piece, point)


def _at_point(
    record: CalibrationView,
    measurand: Measurand,
    serial: str,
    offset: float,
    resolution: dict[str, str],
    piece: int,
    point: str,
) -> Iterator[ReadingEntry]:
    nominal = float(point.partition("#")[0])
    for name, quantity in measurand.inputs.items():
        if quantity.source not in READ:
            continue
        for place in range(readings_for(measurand, name, record.attributes)):
            chance = random.Random(f"{serial}/{measurand.id}/{piece}/{point}/{name}/{place}")  # noqa: S311
            value = _value(measurand, quantity.source, nominal, offset, chance)
            step = (
                resolution[measurand.id]
                if quantity.source == "item"
                else REFERENCE_STEP[measurand.quantity]
            )
            yield ReadingEntry(
                measurand=measurand.id,
                stage=record.definition.stages[0],
                piece=piece,
                point=point,
                input=name,
                place=place,
                value=on_display(value, step),
                revision=0,
            )


def _value(
    measurand: Measurand, source: str, nominal: float, offset: float, chance: random.Random
) -> float:
    scatter = SCATTER[measurand.quantity]
    if source == "item":
        return nominal + offset + chance.gauss(0, scatter if offset < 0.2 else scatter / 2)
    if measurand.quantity == "temperature":
        return nominal + chance.choice((-0.01, 0.0, 0.0, 0.01))
    if measurand.quantity == "volume_flow":  # the analyser reads what the pump truly delivers
        return nominal * (1 - offset + chance.gauss(0, scatter))
    return nominal + chance.gauss(0, scatter)


def on_display(value: float, step: str) -> str:
    """Return the value as a display of this step shows it, trailing zeros kept."""
    unit = Decimal(step)
    steps = (Decimal(repr(value)) / unit).to_integral_value()
    return f"{steps * unit:.{max(0, -int(unit.as_tuple().exponent))}f}"
