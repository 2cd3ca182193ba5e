"""Measurands that only some items have."""

from importlib.resources import files

import pytest

from instruments.catalogue.loader import load_catalogue
from instruments.catalogue.schema import read_type
from instruments.choosing import needs_resolution, points_for, resolution_for

BLACKBODY = "source.blackbody"


def _findings(*changes):
    text = (files("instruments.catalogue.types") / f"{BLACKBODY}.toml").read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return [(f.code, f.facts["key"]) for f in read_type(text, "mine.toml").findings]


@pytest.mark.parametrize(
    ("route", "with_points"), [("radiometric", "radiance"), ("contact", "contact")]
)
def test_an_item_has_points_of_its_own_measurands_only(route, with_points):
    type_ = load_catalogue().get(BLACKBODY)
    routes = [type_.measurand("radiance"), type_.measurand("contact")]

    found = {m.id: points_for(type_, m, {"route": route}) for m in routes}

    assert [name for name, points in found.items() if points] == [with_points]


def test_a_condition_names_a_variant_of_the_type():
    changed = _findings(('when = { route = "contact" }', 'when = { route = "acoustic" }'))

    assert changed == [("type-variant-unknown", "measurands[1].when.route")]


def test_readings_are_shared_only_among_measurands_of_the_same_items():
    shared = (
        'id = "stability"\noptional = true\n',
        'id = "stability"\nsame_readings_as = "radiance"\n',
    )

    assert ("type-sharing", "measurands[2].when") in _findings(shared)


def test_a_limit_is_not_missed_where_the_measurand_is_not_there():
    limits = '[[measurands.limits]]\ndocument = "JJF 1552-2015"\nconfidence = "BG"\nlower = "-1"\n'
    limits += 'when = { route = "contact" }\n\n'
    head = '[[measurands.components]]\nid = "t_prt_rep"'

    assert _findings((head, limits + head)) == []


def test_the_resolution_is_asked_for_where_readings_are_entered():
    type_ = load_catalogue().get("chamber.environmental")

    def asked(**attributes):
        return [m.id for m in type_.measurands if needs_resolution(type_, m, attributes)]

    both = {"volume": "large", "kind": "temperature_humidity"}
    assert asked(volume="small", kind="temperature") == ["deviation_upper"]
    assert asked(**both) == ["deviation_upper_large", "humidity_deviation_upper_large"]
    display = type_.measurand("deviation_display")
    assert resolution_for(display, {"deviation_upper": "0.1"}) == "0.1"
