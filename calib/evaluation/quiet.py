"""Which series of readings have nothing to say, told from arrays over many records.

What is not plainly quiet is left to the exact checks of single readings; a series called quiet
gives no finding there. Where a comparison of doubles could be a matter of rounding, a series is
not quiet. Knows the records of one definition.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from calib.engine.outliers import grubbs_limit
from calib.engine.statistics import moments
from calib.evaluation.decimals import Whole, has_plain_decimals, numbers, whole_numbers
from calib.evaluation.inputs import CalibrationInput, PointInput
from calib.evaluation.readingchecks import is_near_point, reach_of, span_of, step_of
from calib.evaluation.standards import covered_range, fault_of
from instruments.procedure import READ, Measurand

Quiet = frozenset[tuple[int, str]]
"""Series of a record, as the place of the point in it and the input."""
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
SURELY = 1e-9
"""Part by which a figure must keep away from a limit to be inside without a closer look."""
_VALUE, _STANDARD = attrgetter("value"), attrgetter("standard")


@dataclass(frozen=True, slots=True)
class _Place:
    """One point with its record, and where both stand."""

    owner: int
    record: CalibrationInput
    at: int
    point: PointInput


def quiet_series(records: Sequence[CalibrationInput]) -> list[Quiet | None]:
    """Return the quiet series of each record; None where its decimals need a closer look."""
    found: list[set[tuple[int, str]] | None] = [
        set() if has_plain_decimals(record) else None for record in records
    ]
    by_measurand: dict[str, list[_Place]] = {}
    for owner, record in enumerate(records):
        for at, point in enumerate(record.points) if found[owner] is not None else ():
            place = _Place(owner, record, at, point)
            by_measurand.setdefault(point.measurand, []).append(place)
    for measurand in records[0].definition.measurands if records else ():
        for name, quantity in measurand.inputs.items():
            places = by_measurand.get(measurand.id, ())
            here = [place for place in places if place.point.readings.get(name)]
            if here and quantity.source in READ:
                for place in _quiet_of(measurand, name, here):
                    known = found[place.owner]
                    if known is not None:
                        known.add((place.at, name))
    return [None if one is None else frozenset(one) for one in found]


def _quiet_of(measurand: Measurand, name: str, places: list[_Place]) -> list[_Place]:
    series = [place.point.readings[name] for place in places]
    texts = list(map(_VALUE, chain.from_iterable(series)))
    counts = np.fromiter(map(len, series), np.intp, len(series))
    whole = whole_numbers(texts)
    if whole is None:
        return []
    values, starts = numbers(texts), np.cumsum(counts) - counts
    quiet = _without_outlier(values, counts, starts)
    quiet &= _on_step(measurand, name, places, whole, counts, starts)
    low = np.minimum.reduceat(values, starts)
    high = np.maximum.reduceat(values, starts)
    if is_near_point(places[0].record.definition, measurand, name):
        quiet &= _near(measurand, places, low, high)
    if measurand.inputs[name].source == "standard":
        known: dict[tuple[int, str | None], tuple[float, float]] = {}
        ends = np.array([_covered(place, name, known) for place in places])
        quiet &= (low > ends[:, 0]) & (high < ends[:, 1])
    return [places[i] for i in np.flatnonzero(quiet)]


def _near(
    measurand: Measurand, places: list[_Place], low: FloatArray, high: FloatArray
) -> BoolArray:
    records = {place.owner: place.record for place in places}
    spans = {owner: span_of(record, measurand) for owner, record in records.items()}
    nominal = numbers([place.point.nominal for place in places])
    reach = np.array(
        [float(reach_of(Decimal(one.point.nominal), spans[one.owner])) for one in places]
    )
    farthest = np.maximum(np.abs(low - nominal), np.abs(high - nominal))
    return np.asarray((farthest < reach * (1 - SURELY)) | (reach == 0))


def _on_step(
    measurand: Measurand,
    name: str,
    places: list[_Place],
    whole: Whole,
    counts: NDArray[np.intp],
    starts: NDArray[np.intp],
) -> BoolArray:
    """Answer where all readings are multiples of the resolution, in whole numbers."""
    steps = [step_of(place.record, measurand, name) for place in places]
    given = [text is not None and Decimal(text) > 0 for text in steps]
    if not any(given):
        return np.ones(len(places), dtype=np.bool_)
    known = whole_numbers(
        [(text if on else None) or "1" for text, on in zip(steps, given, strict=True)]
    )
    if known is None:
        return ~np.array(given)
    places_of_all = np.repeat(known.places, counts)
    finest = np.maximum(whole.places, places_of_all)
    reading, sure = whole.at(finest)
    step, also = Whole(np.repeat(known.digits, counts), places_of_all).at(finest)
    multiple = (reading % step == 0) & sure & also
    return np.asarray(np.logical_and.reduceat(multiple, starts) | ~np.array(given))


def _without_outlier(
    values: FloatArray, counts: NDArray[np.intp], starts: NDArray[np.intp]
) -> BoolArray:
    quiet = np.ones(len(counts), dtype=np.bool_)
    for count in np.unique(counts[counts > 2]):
        here = np.flatnonzero(counts == count)
        block = values[starts[here][:, None] + np.arange(count)]
        mean, s, _ = moments(block)
        farthest = np.abs(block - mean[:, None]).max(axis=1)
        quiet[here] = farthest < grubbs_limit(int(count)) * s * (1 - SURELY)
        quiet[here] |= (block == block[:, :1]).all(axis=1)
    return quiet


def _covered(
    place: _Place, name: str, known: dict[tuple[int, str | None], tuple[float, float]]
) -> tuple[float, float]:
    """Return the range in which the standard of a series answers; empty for several of them."""
    keys = set(map(_STANDARD, place.point.readings[name]))
    if len(keys) > 1:
        return math.inf, -math.inf
    (key,) = keys
    if (place.owner, key) not in known:
        known[place.owner, key] = _range_of(place.record, key)
    return known[place.owner, key]


def _range_of(record: CalibrationInput, key: str | None) -> tuple[float, float]:
    named = [one for one in record.standards if one.key == key]
    if len(named) > 1:
        return math.inf, -math.inf
    if not named or fault_of(named[0]):
        # told elsewhere; readings of such a standard are not compared with it
        return -math.inf, math.inf
    low, high = covered_range(named[0])
    return float(low), float(high)
