"""The order in which a mapping was written has no say in a result.

The stored form of an input sorts its keys, so whatever is computed from it again has them sorted;
the first evaluation must see the same. Knows the frozen input alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from calib.evaluation.definitions import settled
from calib.evaluation.inputs import CalibrationInput, PointInput

T = TypeVar("T")


def in_order(record: CalibrationInput) -> CalibrationInput:
    """Return the record as it would be read back from its canonical form."""
    item = record.item
    return replace(
        record,
        definition=settled(record.definition).definition,
        item=replace(
            item, resolution=_sorted(item.resolution), attributes=_sorted(item.attributes)
        ),
        points=tuple(map(_point, record.points)),
        limits=_sorted(record.limits),
        predict=_sorted(record.predict),
    )


def _point(point: PointInput) -> PointInput:
    readings = _sorted(point.readings)
    return point if readings is point.readings else replace(point, readings=readings)


def _sorted(given: Mapping[str, T]) -> Mapping[str, T]:
    names = sorted(given)
    return given if names == list(given) else {name: given[name] for name in names}
