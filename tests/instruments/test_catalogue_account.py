"""Every figure of every type is counted under a tag, and nothing a type names is left hanging."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace

import pytest

from calib.engine.expression import parse
from instruments.catalogue.account import TAGS, count, figures, still_open
from instruments.catalogue.figures import figure_digest, figure_of, open_figures
from instruments.catalogue.loader import load_catalogue
from instruments.confirmed import Confirmed
from instruments.plain import to_plain
from instruments.quantities import QUANTITIES, UNITS
from instruments.text import LocalizedText

TYPES = load_catalogue().list()
NUMBER = re.compile(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?", re.IGNORECASE)
OF_METHOD = ("inputs", "fit")
"""How something is computed or how often an input is read: with the plan of the points."""
NAMES = (
    "id",
    "serial",
    "schema",
    "version",
    "when",
    "without_limits",
    "source",
    "clause",
    "unit",
    "output_unit",
)
"""What may look like a number and is a name, a place or a condition."""
DATES = ("issued_on", "in_force_on", "replaced_by", "replaces", "counterparts")

pytestmark = pytest.mark.parametrize("type_", TYPES, ids=lambda type_: type_.id)


def numbers_in(value: object, path: tuple = ()) -> Iterator[tuple]:
    """Yield the path of everything in a definition that is a number."""
    if isinstance(value, LocalizedText | bool) or (path and path[-1] in (*NAMES, *DATES)):
        return
    if is_dataclass(value):
        for field in fields(value):
            yield from numbers_in(getattr(value, field.name), (*path, field.name))
    elif isinstance(value, dict) or hasattr(value, "items"):
        for key, item in value.items():
            yield from numbers_in(item, (*path, key))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from numbers_in(item, (*path, index))
    elif (isinstance(value, str) and NUMBER.fullmatch(value)) or isinstance(value, int | float):
        yield path


def test_no_figure_is_without_a_tag(type_):
    tagged = {figure.path for figure in figures(type_)}
    assert all(figure.confidence in TAGS for figure in figures(type_))
    bare = []
    for path in numbers_in(type_):
        around = [path[:n] for n in range(len(path), 0, -1)]
        measured = path[:2] if path[0] == "measurands" else ()
        method = measured and path[2] in OF_METHOD
        shared = measured and type_.measurands[path[1]].same_readings_as and path[2] == "points"
        unused = path == ("acclimatisation_minutes",) and not type_.acclimatisation_minutes
        if not (method or shared or unused or tagged & set(around)):
            bare.append(path)
    assert bare == []


def test_every_entry_is_counted_once_under_its_tag(type_):
    found = figures(type_)
    assert len({one.path for one in found}) == len(found)
    assert sum(count(found).values()) == len(found)
    assert count(found)["BG"] == len(still_open(type_))
    tags = [m.points.confidence for m in type_.measurands if not m.same_readings_as]
    tags += [x.confidence for m in type_.measurands for x in (*m.limits, *m.components)]
    tags += [x.confidence for x in (*type_.documents, *type_.environment, *type_.examinations)]
    rest = [one for one in found if one.part in ("validity", "interval", "acclimatisation")]
    rest += [one for one in found if one.part == "rating"]
    assert sorted(one.confidence for one in found) == sorted(
        [*tags, *(one.confidence for one in rest)]
    )
    assert sum(one.part == "validity" for one in rest) == bool(type_.validity_months)


def test_every_document_named_is_declared(type_):
    declared = {document.id for document in type_.documents}
    assert {one.document for one in figures(type_)} - {""} <= declared


def test_every_unit_and_quantity_named_is_known(type_):
    for measurand in type_.measurands:
        assert measurand.quantity in QUANTITIES
        named = [measurand.unit, measurand.output_unit]
        named += [one.unit for one in measurand.inputs.values()]
        assert set(named) <= set(UNITS)
        assert {one.quantity for one in measurand.inputs.values()} - {""} <= set(QUANTITIES)
    assert {one.quantity for one in type_.standards} <= set(QUANTITIES)
    assert {one.unit for one in type_.ratings.values()} <= set(UNITS)


def test_every_name_in_a_function_is_declared(type_):
    for measurand in type_.measurands:
        known = {*measurand.inputs, *(component.input for component in measurand.components)}
        parse(measurand.function, sorted(known))  # raises for any other name
        for quantity in measurand.inputs.values():
            if quantity.function:
                parse(quantity.function, quantity.of)


def test_every_label_has_both_languages(type_):
    def labels(value: object) -> Iterator[LocalizedText]:
        if isinstance(value, LocalizedText):
            yield value
        elif is_dataclass(value):
            for field in fields(value):
                yield from labels(getattr(value, field.name))
        elif hasattr(value, "values"):
            for item in value.values():
                yield from labels(item)
        elif isinstance(value, tuple):
            for item in value:
                yield from labels(item)

    assert [one for one in labels(type_) if not (one.en.strip() and one.zh.strip())] == []


def test_a_figure_is_known_by_what_it_says_alone(type_):
    for one in open_figures(type_):
        said = replace(one.limit, confidence="V2", confirmed=Confirmed("Sun", "2026-03-02", "D"))
        assert figure_digest(type_.id, one.measurand.id, said) == one.digest
        assert "confirmed" not in figure_of(said)
        assert "confirmed" not in to_plain(one.limit)
        moved = replace(one.limit, upper="12345")
        assert figure_digest(type_.id, one.measurand.id, moved) != one.digest
        assert figure_digest("another.type", one.measurand.id, one.limit) != one.digest
