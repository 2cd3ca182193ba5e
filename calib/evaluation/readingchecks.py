"""Checks of single readings: multiples of the resolution, near the point, no outlier in silence.

Exact on the decimals, one reading after the other; `quiet` tells from arrays which series need not
be looked at. Knows nothing of arithmetic beyond Grubbs' test.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from calib.engine.outliers import check_outlier
from calib.evaluation.decimals import number
from calib.evaluation.inputs import CalibrationInput, PointInput, ReadingInput
from calib.evaluation.places import facts_of
from instruments.choosing import points_for, users_of
from instruments.errors import Finding
from instruments.procedure import InstrumentType, Measurand

FAR_FROM_NOMINAL = Decimal("0.2")
"""A reading farther from its nominal value than this part of it looks like a slip of typing."""
SPAN_FLOOR = Decimal("0.1")
"""Near zero this part of the span of the points stands for the nominal value."""


def check_readings(
    record: CalibrationInput, measurand: Measurand, point: PointInput, name: str
) -> Iterator[Finding]:
    """Look at every reading of an input: the resolution, the nominal value, its neighbours."""
    quantity, series = measurand.inputs[name], point.readings[name]
    at = f"/points/{point.key}/readings/{name}"
    facts = {**facts_of(point, measurand), "unit": quantity.unit}
    nominal = Decimal(point.nominal)
    reach = reach_of(nominal, span_of(record, measurand))
    step = step_of(record, measurand, name)
    alike = is_near_point(record.definition, measurand, name)
    for reading in series:
        value = Decimal(reading.value)
        here = {**facts, "reading": reading.value, "step": step}
        # a quotient of fractions is exact; that of decimals ends at 28 digits
        if step is not None and Decimal(step) > 0 and Fraction(value) % Fraction(step):
            yield Finding(
                "reading-off-resolution",
                "The reading {reading} {unit} at {nominal} is no multiple of the resolution"
                " {step}. Correct the reading or the resolution, or accept it.",
                "warning",
                f"{at}/{reading.id}",
                here,
            )
        # where zero is the only point nothing is near or far in proportion
        if alike and reach and abs(value - nominal) > reach:
            yield Finding(
                "reading-implausible",
                "The reading {reading} {unit} is far from the point {nominal} {unit}: a slip of"
                " typing? Correct it, or accept it as it is.",
                "warning",
                f"{at}/{reading.id}",
                here,
            )
    yield from _outlier(series, at, facts, step)


def is_near_point(definition: InstrumentType, measurand: Measurand, name: str) -> bool:
    """Answer whether a reading should lie near the nominal value of its point.

    It may be entered with one measurand and compared by another, as falling readings are entered
    with the rising ones. A property of the item need not be near anything; a display of which
    errors are reported too is.
    """
    users = users_of(definition, measurand)
    compared = [user for user in users if is_compared(user, name)]
    errors = any(user.output != "value" for user in users)
    shown = measurand.inputs[name].source == "item" and errors
    return any(user.output != "value" or shown for user in compared)


def is_compared(measurand: Measurand, name: str) -> bool:
    """Answer whether an input shows the measured quantity itself, near the nominal value.

    A resistance tells nothing by its distance from a temperature, nor does a cold junction.
    """
    inputs = measurand.inputs
    if name not in inputs or inputs[name].unit != measurand.unit:
        return False
    for source, named in (("standard", measurand.reference), ("item", measurand.indication)):
        of_source = [n for n, q in inputs.items() if q.source == source]
        if any(name in (n, *behind(measurand, n)) for n in ([named] if named else of_source)):
            return True
    return False


def step_of(record: CalibrationInput, measurand: Measurand, name: str) -> str | None:
    """Return the resolution of which the readings of an input are multiples, if any."""
    shown = measurand.inputs[name].source == "item" and any(
        is_compared(user, name) for user in users_of(record.definition, measurand)
    )
    return record.item.resolution.get(measurand.id) if shown else None


def span_of(record: CalibrationInput, measurand: Measurand) -> Decimal:
    """Return the span of the points of a measurand; zero where none are known."""
    ends = [Decimal(t) for t in (measurand.points.low, measurand.points.high) if t is not None]
    if not ends:
        usual = points_for(record.definition, measurand, record.item.attributes)
        ends = [Decimal(text) for text in usual or ("0",)]
    return max(ends) - min(ends)


def reach_of(nominal: Decimal, span: Decimal) -> Decimal:
    """Return how far from its nominal value a reading may be before it looks like a slip."""
    return FAR_FROM_NOMINAL * max(abs(nominal), SPAN_FLOOR * span)


def _outlier(
    series: tuple[ReadingInput, ...], at: str, facts: dict[str, object], step: str | None
) -> Iterator[Finding]:
    """Grubbs' test; a reading one step of the display from another is no outlier."""
    values = [Decimal(reading.value) for reading in series]
    if len(values) < 3 or len(set(values)) == 1:
        return
    test = check_outlier([number(reading.value) for reading in series])
    suspect = values[test.index]
    least = Decimal(step) if step else Decimal((0, (1,), min(_exponent(v) for v in values)))
    alone = min(abs(suspect - v) for i, v in enumerate(values) if i != test.index) > least
    if test.outlying and alone:
        reading = series[test.index]
        yield Finding(
            "reading-outlier",
            "The reading {reading} {unit} at {nominal} looks like an outlier (Grubbs {statistic}"
            " against {critical}). It is kept: correct it with a reason, or accept it.",
            "warning",
            f"{at}/{reading.id}",
            {
                **facts,
                "reading": reading.value,
                "statistic": f"{test.statistic:.3f}",
                "critical": f"{test.critical:.3f}",
            },
        )


def _exponent(value: Decimal) -> int:
    return int(value.as_tuple().exponent)


def behind(measurand: Measurand, name: str) -> tuple[str, ...]:
    """Return the inputs whose readings stand behind one: itself, or those of its statistic."""
    quantity = measurand.inputs.get(name)
    return quantity.of if quantity is not None and quantity.statistic else (name,)
