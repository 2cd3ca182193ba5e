"""What changed between two definitions: by name, not by place in a list."""

import itertools
from dataclasses import replace

import pytest

from instruments.catalogue.difference import differences
from instruments.catalogue.loader import load_catalogue
from instruments.text import LocalizedText


@pytest.fixture(scope="module")
def pump():
    return load_catalogue().get("pump.infusion_syringe")


def changed(type_, **changes):
    """Return the type with its first measurand changed."""
    first, *rest = type_.measurands
    return replace(type_, measurands=(replace(first, **changes), *rest))


def told(old, new):
    return [(d.change, d.place, d.old, d.new) for d in differences(old, new)]


def test_a_type_differs_from_itself_in_nothing(pump):
    assert [t.id for t in load_catalogue().list() if differences(t, t)] == []
    assert differences(pump, replace(pump, id="pump.other", version="9.0.0", schema=1)) == ()


def test_a_line_put_in_between_changes_nothing_else(pump):
    first = pump.measurands[0]
    added = replace(first.components[0], id="Q_more")
    rows = (first.components[0], added, *first.components[1:])
    (one,) = differences(pump, changed(pump, components=rows))
    assert (one.change, one.key, one.is_part) == ("added", "components", True)
    assert one.place == ("measurands", "flow", "components", "Q_more")
    assert (one.old, one.new, one.measurand) == (None, added, "flow")


def test_every_key_of_a_part_both_have_is_one_difference(pump):
    first = pump.measurands[0]
    row = replace(first.components[0], name=LocalizedText(en="Scatter", zh="分散"), group="g")
    found = told(pump, changed(pump, components=(row, *first.components[1:])))
    place = ("measurands", "flow", "components", row.id)
    assert found == [
        ("changed", (*place, "name"), first.components[0].name, row.name),
        ("added", (*place, "group"), None, "g"),
    ]


def test_a_limit_is_known_by_its_range_and_its_kind_of_item(pump):
    first = pump.measurands[0]
    rows = list(first.limits)
    rows[1] = replace(rows[1], upper="4.5")
    (one,) = differences(pump, changed(pump, limits=tuple(reversed(rows))))
    assert (one.key, one.old, one.new, one.is_part) == ("upper", "5", "4.5", False)
    assert [w.en for w in one.where] == ["Relative error of flow", "[20, 200], Syringe pump"]
    assert one.where[1].zh == "[20, 200]，注射泵"


def test_a_limit_without_a_range_has_no_name_of_its_own():
    forehead = load_catalogue().get("thermometer.infrared_forehead")
    row = replace(forehead.measurands[0].limits[0], upper="0.4", start=None, end=None)
    before = changed(forehead, limits=(replace(row, upper="0.3"),))
    (one,) = differences(before, changed(forehead, limits=(row,)))
    assert (one.old, one.new, [w.en for w in one.where]) == ("0.3", "0.4", ["Error of indication"])


def test_every_two_types_can_be_compared():
    types = load_catalogue().list()
    assert all(differences(a, b) for a, b in itertools.pairwise(types))


def test_a_limit_whose_range_was_moved_is_still_the_same(pump):
    first = pump.measurands[0]
    moved = replace(first.limits[0], end="21")
    found = told(pump, changed(pump, limits=(moved, *first.limits[1:])))
    place = ("measurands", "flow", "limits", "[5, 21); pump = syringe", "end")
    assert found == [("changed", place, "20", "21")]


def test_a_limit_of_another_range_is_another_one(pump):
    first = pump.measurands[0]
    other = replace(first.limits[0], start="1", end="2")
    found = differences(pump, changed(pump, limits=(*first.limits[1:], other)))
    assert [(d.change, d.is_part) for d in found] == [("added", True), ("removed", True)]
    assert found[1].old == first.limits[0]


def test_points_are_compared_as_one_list(pump):
    points = replace(pump.measurands[0].points, default=("5", "1000"))
    (one,) = differences(pump, changed(pump, points=points))
    assert one.place == ("measurands", "flow", "points", "default")
    assert one.new == ("5", "1000")


def test_what_is_not_said_at_all_is_told_on_the_type(pump):
    (one,) = differences(pump, replace(pump, interval_months=None))
    assert (one.change, one.place, one.old, one.where) == ("removed", ("interval_months",), 12, ())
    assert one.measurand == ""


def test_the_whole_of_two_types_is_told_both_ways(pump):
    monitor = load_catalogue().get("monitor.patient")
    there, back = differences(pump, monitor), differences(monitor, pump)
    assert {(d.place, d.change) for d in there if d.change == "changed"} == {
        (d.place, d.change) for d in back if d.change == "changed"
    }
    turned = {"added": "removed", "removed": "added", "changed": "changed"}
    assert {(d.place, turned[d.change]) for d in there} == {(d.place, d.change) for d in back}
