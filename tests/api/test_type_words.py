"""What a definition holds, in the words of a reader."""

from __future__ import annotations

import dataclasses
import typing

import pytest

from api.type_words import (
    KEY_WORDS,
    PART_WORDS,
    TAG_WORDS,
    limit_text,
    range_text,
    told,
    value_text,
    when_text,
)
from instruments import procedure
from instruments.catalogue.account import TAGS, Part
from instruments.catalogue.difference import differences
from instruments.catalogue.loader import load_catalogue
from instruments.procedure import InstrumentType, Limit
from instruments.text import LocalizedText


@pytest.fixture(scope="module")
def pump() -> InstrumentType:
    return load_catalogue().get("pump.infusion_syringe")


def keys() -> set[str]:
    parts = [value for value in vars(procedure).values() if isinstance(value, type)]
    own = [part for part in parts if part.__module__ == procedure.__name__]
    return {field.name for part in own for field in dataclasses.fields(part)}


def test_every_key_tag_and_part_has_words():
    assert set(KEY_WORDS) == keys()
    assert tuple(TAG_WORDS) == TAGS
    assert set(PART_WORDS) == set(typing.get_args(Part))


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ({"lower": "-0.3", "upper": "0.3"}, "-0.3 … 0.3 %"),
        ({"upper": "5"}, "≤ 5 %"),
        ({"lower": "7"}, "≥ 7 %"),
        ({"lower": "0", "upper": "0", "plus_fraction": "0.02"}, "± 0.02·|x| %"),
        ({"lower": "-1", "upper": "1", "plus_fraction": "0.1", "plus_from": "5"},
         "± (1 + 0.1·(|x| − 5)) %"),
        ({"lower": "-0.2", "upper": "0.3", "plus_fraction": "0.001"},
         "-0.2 − 0.001·|x| … 0.3 + 0.001·|x| %"),
        ({"lower": "0", "upper": "0", "plus_fraction": "0.02", "plus_inverse": "1"},
         "± (0.02·|x| + 1/|x|) %"),
        ({"upper": "0", "plus_fraction": "0.02"}, "≤ 0.02·|x| %"),
        ({"lower": "-2", "plus_inverse": "3"}, "≥ -2 − 3/|x| %"),
        ({"lower": "-1", "upper": "1", "or_fraction": "0.02"},
         "-1 … 1 % or ± 0.02·|x|, whichever is larger"),
    ],
)  # fmt: skip
def test_a_limit_is_written_as_its_reader_writes_it(pump, limit, said):
    row = Limit(document="D", confidence="BG", **limit)
    assert limit_text(pump, pump.measurands[0], row, "en") == said


def test_range_and_kind_of_item_are_told(pump):
    row = pump.measurands[0].limits[0]
    assert range_text(pump, pump.measurands[0], row, "en") == "[5, 20) mL/h"
    assert when_text(pump, row.when, "zh") == "注射泵"
    assert when_text(pump, {"verification": "initial"}, "en") == "Initial verification"
    everywhere = dataclasses.replace(row, start=None, end=None)
    assert range_text(pump, pump.measurands[0], everywhere, "en") == ""


def test_limits_of_every_type_can_be_told_in_both_languages():
    for type_ in load_catalogue().list():
        for measurand in type_.measurands:
            for limit in measurand.limits:
                for language in ("en", "zh"):
                    assert limit_text(type_, measurand, limit, language)
                    range_text(type_, measurand, limit, language)


def test_a_difference_is_a_sentence(pump):
    first, *rest = pump.measurands
    points = dataclasses.replace(first.points, readings=5)
    changed = dataclasses.replace(first, points=points, components=first.components[1:])
    new = dataclasses.replace(pump, measurands=(changed, *rest), kinds=("calibration",))
    kinds, readings, component = (told(one, "en") for one in differences(pump, new))
    assert kinds == "The type: kinds of work changed from Calibration, Check to Calibration"
    assert readings == (
        "Relative error of flow: points · readings at each point changed from 3 to 5"
    )
    assert component.startswith(
        "Relative error of flow · Repeatability of the mean: line of the budget removed, was: "
    )
    assert "Type A" in component


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "–"), ((), "–"), (True, "yes"), (("5", "25"), "5, 25"), ({"a": "b"}, "a = b"),
     (LocalizedText(en="Bath", zh="恒温槽"), "Bath"), (12, "12")],
)  # fmt: skip
def test_values_on_one_line(value, said):
    assert value_text(value, "en") == said
