"""Attributes of models and ways of derived inputs are told in words, not as a file spells them."""

from __future__ import annotations

from typing import get_args

import pytest

from api.attribute_words import ATTRIBUTE_WORDS, OVER_WORDS, WAY_WORDS, attribute_name, way_name
from api.type_plan import input_text, variant_lines
from instruments.catalogue.inputs import REFERENCES
from instruments.procedure import Over, Statistic
from tests.support import builders

KNOWN = builders.the_catalogue().list()


def test_every_attribute_of_the_catalogue_has_words_and_no_other():
    assert {name for type_ in KNOWN for name in type_.variants} == set(ATTRIBUTE_WORDS)


def test_every_way_and_every_span_has_words():
    assert {*get_args(Statistic), *REFERENCES} == set(WAY_WORDS)
    assert {*get_args(Over)} - {"readings"} == set(OVER_WORDS)


def test_what_only_a_file_names_is_shown_as_it_stands():
    assert attribute_name("colour", "zh") == "colour"
    assert way_name("h/gain", "zh") == "h/gain"


@pytest.mark.parametrize("type_", KNOWN, ids=lambda type_: type_.id)
def test_no_key_of_a_file_stands_in_chinese_sentences(type_):
    said = list(variant_lines(type_, "zh"))
    for measurand in type_.measurands:
        said += [input_text(n, q, "zh") for n, q in measurand.inputs.items()]

    assert not [
        line for line in said
        for key in (*ATTRIBUTE_WORDS, *WAY_WORDS)
        if f"{key}: " in line or f": {key} (" in line
    ]  # fmt: skip
