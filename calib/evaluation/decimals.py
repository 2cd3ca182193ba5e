"""Decimal text into numbers: here, and nowhere before, measured values become doubles.

Means are formed exactly on the decimals and rounded to a double once, so the order of the
readings has no say in the result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import chain, repeat
from operator import attrgetter, itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calib.evaluation.definitions import once
from calib.evaluation.inputs import CalibrationInput
from instruments.errors import Finding, Invalid
from instruments.procedure import Component, InstrumentType, Measurand
from instruments.quantities import parse_decimal

DUST = -12
"""Power of ten, relative to the first digit of the larger quantity, below which all is noise."""
_EXACT = Context(prec=400)
_WHOLE = 2.0**52
"""Whole numbers up to here are doubles, and their quotient is rounded once."""
_MOST_PLACES = 15
_PLAIN = re.compile(r"(?:-?[0-9]{1,17}(?:\.[0-9]{1,17})?\n)*")


def number(text: str) -> float:
    """Return the double nearest to a decimal text that `check_decimals` has let pass."""
    return float(Decimal(text))


def optional_number(text: str | None, absent: float) -> float:
    """Return the double of a decimal text, or `absent`."""
    return absent if text is None else number(text)


def kept(value: float) -> float:
    """Return a double to 12 significant digits; processors differ in the digits beyond."""
    return float(f"{value:.12g}") + 0.0


def without_dust(value: float, scale: float = 0.0) -> Decimal:
    """Return a double as decimal, cut off at 1e-12 of the larger of `value` and `scale`."""
    size = max(abs(value), abs(scale))
    if size == 0:
        return Decimal(0)
    return Decimal(repr(value)).quantize(_dust(size), ROUND_HALF_EVEN)


@lru_cache(maxsize=1024)
def _dust(size: float) -> Decimal:
    """Return the place below which all is noise; the figures of one point share it."""
    return Decimal((0, (1,), Decimal(repr(size)).adjusted() + DUST))


def exact_mean(texts: Sequence[str]) -> float:
    """Return the double nearest to the exact mean of decimal texts, whatever their order."""
    total = Decimal(0)
    for text in texts:
        total = _EXACT.add(total, Decimal(text))
    return float(Fraction(total) / len(texts))


def numbers(texts: Sequence[str]) -> NDArray[np.float64]:
    """Return the doubles nearest to decimal texts that `check_decimals` has let pass."""
    return np.fromiter(map(float, texts), np.float64, len(texts))


def exact_means(texts: Sequence[str], counts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return `exact_mean` of one series after another, of which `counts` tells the lengths."""
    starts = np.cumsum(counts) - counts
    means, sure = _whole_means(texts, counts, starts)
    for i in np.flatnonzero(~sure):
        means[i] = exact_mean(texts[starts[i] : starts[i] + counts[i]])
    return means


class Whole(NamedTuple):
    """Decimals as whole numbers of their last place."""

    digits: NDArray[np.int64]
    places: NDArray[np.int64]
    """Behind the point."""

    def at(self, places: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the same in units of other places, no fewer; second, where that fits."""
        shift = places - self.places
        fits = (shift <= _MOST_PLACES) & (np.abs(self.digits) * 10.0**shift < _WHOLE)
        return self.digits * 10 ** np.minimum(shift, _MOST_PLACES), fits


def whole_numbers(texts: Sequence[str]) -> Whole | None:
    """Return decimal texts as whole numbers; None where one has an exponent or many digits."""
    try:
        without_point = map(str.replace, texts, repeat("."), repeat(""))
        digits = np.fromiter(map(int, without_point), np.int64, len(texts))
    except (ValueError, OverflowError):
        return None
    behind = map(itemgetter(2), map(str.partition, texts, repeat(".")))
    return Whole(digits, np.fromiter(map(len, behind), np.int64, len(texts)))


def _whole_means(
    texts: Sequence[str], counts: NDArray[np.intp], starts: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Sum as whole numbers of the last decimal place; second, where that was exact."""
    whole = whole_numbers(texts)
    if whole is None:
        return np.zeros(len(counts)), np.zeros(len(counts), dtype=np.bool_)
    finest = np.maximum.reduceat(whole.places, starts)
    scaled, fits = whole.at(np.repeat(finest, counts))
    size = np.maximum.reduceat(np.abs(scaled), starts).astype(np.float64)
    unit = counts * 10.0 ** np.minimum(finest, _MOST_PLACES)
    sure = np.logical_and.reduceat(fits, starts) & (finest <= _MOST_PLACES)
    sure &= (size * counts < _WHOLE) & (unit < _WHOLE)
    return np.add.reduceat(scaled, starts) / unit, sure


def check_decimals(record: CalibrationInput) -> Iterator[Finding]:
    """Find every text that should be a decimal number and is none."""
    yield from _malformed(_entered(record))
    yield from check_figures(record.definition)


@once
def check_figures(definition: InstrumentType) -> tuple[Finding, ...]:
    """Find every figure of a definition that should be a decimal number and is none."""
    return tuple(_malformed(_of_definition(definition)))


def _malformed(entered: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    for text, at in entered:
        try:
            parse_decimal(text, at=at)
        except Invalid as fault:
            yield Finding(fault.code, fault.message, at=fault.at, facts=fault.facts)


def has_plain_decimals(record: CalibrationInput) -> bool:
    """Answer whether all decimals of a record but its definition's are plainly digits and a point.

    False asks for a closer look: an exponent is a decimal as well.
    """
    series = chain.from_iterable([point.readings.values() for point in record.points])
    texts = [
        *map(attrgetter("value"), chain.from_iterable(series)),
        *map(attrgetter("nominal"), record.points),
        *(text for text, _ in _beside_points(record)),
    ]
    try:
        lines = "\n".join([*texts, ""])
    except TypeError:  # one is no text at all
        return False
    return lines.count("\n") == len(texts) and _PLAIN.fullmatch(lines) is not None


def _entered(record: CalibrationInput) -> Iterator[tuple[str, str]]:
    """Yield every decimal text with its place."""
    for point in record.points:
        at = f"/points/{point.key}"
        yield point.nominal, f"{at}/nominal"
        for name, series in point.readings.items():
            for reading in series:
                yield reading.value, f"{at}/readings/{name}/{reading.id}"
    yield from _beside_points(record)


def _beside_points(record: CalibrationInput) -> Iterator[tuple[str, str]]:
    for condition in record.conditions:
        yield condition.value, f"/conditions/{condition.quantity}/{condition.when}"
    yield from _of_item(record)
    for measurand, texts in record.predict.items():
        for text in texts:
            yield text, f"/predict/{measurand}"
    if record.decision_rule.parameter is not None:
        yield record.decision_rule.parameter, "/decision_rule/parameter"
    yield from _of_standards(record)
    yield from _of_limits(record)


def _of_item(record: CalibrationInput) -> Iterator[tuple[str, str]]:
    for measurand, text in record.item.resolution.items():
        yield text, f"/item/resolution/{measurand}"
    for name, rating in record.definition.ratings.items():
        at = f"/item/attributes/{name}"
        given = (record.item.attributes.get(name), rating.default)
        yield from ((text, at) for text in given if text is not None)


def _of_standards(record: CalibrationInput) -> Iterator[tuple[str, str]]:
    for standard in record.standards:
        at = f"/standards/{standard.key}"
        yield from _present(standard, ("low", "high"), at)
        for i, row in enumerate(standard.values):
            fields = ("indication", "reference", "U", "k", "dof")
            yield from _present(row, fields, f"{at}/values/{i}")


def _of_limits(record: CalibrationInput) -> Iterator[tuple[str, str]]:
    fields = (
        "lower", "upper", "plus_fraction", "plus_from", "plus_inverse", "or_fraction", "start",
        "end",
    )  # fmt: skip
    for measurand, agreed in record.limits.items():
        for i, limit in enumerate(agreed.rows):
            yield from _present(limit, fields, f"/limits/{measurand}/rows/{i}")
    for i, row in enumerate(record.cmc):
        yield from _present(row, ("low", "high", "U", "U_fraction"), f"/cmc/{i}")


def _of_definition(definition: InstrumentType) -> Iterator[tuple[str, str]]:
    for i, limit in enumerate(definition.environment):
        yield from _present(limit, ("low", "high"), f"/definition/environment/{i}")
    for measurand in definition.measurands:
        yield from _of_measurand(measurand)


def _of_measurand(measurand: Measurand) -> Iterator[tuple[str, str]]:
    at = f"/definition/measurands/{measurand.id}"
    yield from _present(measurand.points, ("low", "high"), f"{at}/points")
    yield measurand.fit.origin, f"{at}/fit/origin"
    for text in (*measurand.points.default, *measurand.points.fractions, *measurand.fit.predict):
        yield text, f"{at}/points"
    for component in measurand.components:
        yield from _of_component(component, f"{at}/components/{component.id}")


def _of_component(component: Component, at: str) -> Iterator[tuple[str, str]]:
    fields = (
        "half_width", "relative_half_width", "U", "relative_U", "k", "u", "dof", "start", "end"
    )  # fmt: skip
    yield from _present(component, fields, at)
    if component.pooled is not None:
        yield from _present(component.pooled, ("s", "dof"), f"{at}/pooled")


def _present(owner: object, fields: tuple[str, ...], at: str) -> Iterator[tuple[str, str]]:
    for name in fields:
        text = getattr(owner, name)
        if text is not None:
            yield text, f"{at}/{name}"
