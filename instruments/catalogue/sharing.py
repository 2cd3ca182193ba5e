"""Several results from one set of readings: they are entered once, with one of the measurands.

``same_readings_as = "indication"`` gives a measurand the readings of that other one. In the file it
need not declare them again: what its function uses is taken over before shapes are checked. Works
on the raw table with an input per position.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from instruments.catalogue.lines import Path
from instruments.catalogue.problem import Problem
from instruments.procedure import READ, InstrumentType, Measurand

_WORD = re.compile(r"[A-Za-z_]\w*")


def take_over(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the table with inputs and points taken over where a measurand shares readings."""
    measurands = raw.get("measurands")
    if not isinstance(measurands, list):
        return dict(raw)
    tables = {one.get("id"): one for one in measurands if isinstance(one, Mapping)}
    return {**raw, "measurands": [_taken_over(one, tables) for one in measurands]}


def _taken_over(one: Any, tables: Mapping[Any, Mapping[str, Any]]) -> Any:
    if not isinstance(one, Mapping) or not isinstance(one.get("same_readings_as"), str):
        return one
    source = tables.get(one["same_readings_as"])
    theirs, own = (source or {}).get("inputs"), one.get("inputs", {})
    if not isinstance(theirs, Mapping) or not isinstance(own, Mapping):
        return one
    words = set(_WORD.findall(str(one.get("function", ""))))
    for quantity in own.values():
        if isinstance(quantity, Mapping) and isinstance(quantity.get("of"), list):
            words |= {str(name) for name in quantity["of"]}
    components = one.get("components")
    if isinstance(components, list):
        words |= {str(c["of"]) for c in components if isinstance(c, Mapping) and "of" in c}
    taken = {
        name: quantity
        for name, quantity in theirs.items()
        if isinstance(quantity, Mapping)
        and quantity.get("source") in READ
        and name not in own
        and name in words
    }
    points = {"points": source["points"]} if source and "points" in source else {}
    return {**points, **one, "inputs": {**taken, **own}}


def sharing_problems(type_: InstrumentType, measurand: Measurand, path: Path) -> Iterator[Problem]:
    """Yield shared readings that the other measurand does not have."""
    if not measurand.same_readings_as:
        return
    place = (*path, "same_readings_as")
    known = {m.id: m for m in type_.measurands if m is not measurand and not m.same_readings_as}
    source = known.get(measurand.same_readings_as)
    if source is None:
        message = "{got} is no measurand with readings of its own. Use one of: {known}."
        facts = {"got": measurand.same_readings_as, "known": ", ".join(known) or "none"}
        yield Problem("type-sharing", place, message, facts)
        return
    if (source.quantity, source.unit) != (measurand.quantity, measurand.unit):
        message = "the points of {source} are in {unit}. Give both the same quantity and unit."
        facts = {"source": source.id, "unit": source.unit}
        yield Problem("type-sharing", place, message, facts)
    if not source.when.items() <= measurand.when.items():
        message = "{source} is there for other items only. Give both the same when."
        yield Problem("type-sharing", (*path, "when"), message, {"source": source.id})
    for name, quantity in measurand.inputs.items():
        if quantity.source in READ and source.inputs.get(name) != quantity:
            message = "{source} has no such input, or another one. Leave it out here."
            yield Problem("type-sharing", (*path, "inputs", name), message, {"source": source.id})


def used_by_others(type_: InstrumentType, measurand: Measurand) -> frozenset[str]:
    """Return the inputs of a measurand that others use by sharing its readings."""
    return frozenset(
        name
        for other in type_.measurands
        if other.same_readings_as == measurand.id
        for name in other.inputs
    )
