"""A kind of standard is the same thing in every type: one quantity, one name in each language."""

from __future__ import annotations

from collections import defaultdict

from tests.support import builders


def test_kinds_of_one_id_are_alike_in_all_types():
    found = defaultdict(set)
    for type_ in builders.the_catalogue().list():
        for kind in type_.standards:
            found[kind.id].add((kind.quantity, kind.name.en, kind.name.zh))
    assert {id_: said for id_, said in found.items() if len(said) > 1} == {}


def test_inputs_of_a_kind_are_read_on_a_standard_of_its_quantity():
    for type_ in builders.the_catalogue().list():
        for kind in type_.standards:
            for place in kind.inputs:
                measurand, name = place.split(".")
                quantity = type_.measurand(measurand).inputs[name]
                assert quantity.source == "standard", place
                read = quantity.quantity or type_.measurand(measurand).quantity
                assert read == kind.quantity, place
