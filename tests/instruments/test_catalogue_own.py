"""The text of a lab's own method: figures changed in place, read back, and held to its type."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.catalogue.editing import changed
from instruments.catalogue.loader import Catalogue, load_catalogue, version_key
from instruments.catalogue.own import MAX_TEXT, decode, need_text, own_version, read_own
from instruments.catalogue.schema import read_type
from instruments.errors import Invalid

CATALOGUE = load_catalogue()
TYPES = [type_.id for type_ in CATALOGUE.list()]
TEXT = """# head
name = "a"   # named
env = []

[[m]]
id = "x"
# above
[m.points]
default = ["1", "2"] # given
readings = 3

[[m.limits]]
lower = "1"

[[m.limits]]
lower = "2"

[[m]]
id = "y"
[m.points]
readings = 1
"""


@pytest.mark.parametrize("type_id", TYPES)
def test_a_copied_type_says_the_same_as_the_one_it_is_from(type_id):
    type_ = CATALOGUE.get(type_id)
    text = CATALOGUE.text_of(type_id)
    found = read_own(decode(text.encode(), "a.toml"), type_id, 3, type_.version)
    assert found.findings == ()
    assert found.type.version == f"{type_.version}+lab.3"
    assert read_type(text, "a.toml").type.digest() == type_.digest()


@pytest.mark.parametrize("type_id", TYPES)
def test_figures_of_every_type_change_in_place_and_nothing_else_does(type_id):
    text = CATALOGUE.text_of(type_id)
    raw = tomllib.loads(text)
    changes: dict[str, object] = {"/acclimatisation_minutes": 17}
    for i, measurand in enumerate(raw["measurands"]):
        if "readings" in measurand.get("points", ()):
            changes[f"/measurands/{i}/points/readings"] = 9
        for j, _ in enumerate(measurand.get("limits", ())):
            changes[f"/measurands/{i}/limits/{j}/clause"] = "9.9"
    after = tomllib.loads(changed(text, changes))
    assert after["acclimatisation_minutes"] == 17
    comments = [line.rpartition("#")[2] for line in text.splitlines() if "#" in line]
    written = changed(text, changes)
    assert all(comment in written for comment in comments)
    same = changed(text, dict.fromkeys(()))
    assert same == text


def test_comments_and_order_stay_where_figures_change():
    after = changed(TEXT, {"/name": "b", "/m/0/points/default": ["3"], "/m/1/points/readings": 2})
    assert after == TEXT.replace('"a"', '"b"').replace('["1", "2"]', '["3"]').replace(
        "readings = 1", "readings = 2"
    )


def test_items_are_added_at_the_end_and_taken_out_by_their_old_places():
    after = tomllib.loads(
        changed(
            TEXT,
            {
                "/m/0/limits/0": None,
                "/m/0/limits/1/upper": "5",
                "/m/0/limits/-1": {"lower": "3", "when": {"a": "b"}},
                "/m/0/limits/-2": {"lower": "4"},
                "/m/1/limits/-": {"lower": "7"},
                "/env/-": {"low": "1"},
                "/m/0/points/default": None,
                "/absent": None,
            },
        )
    )
    assert after["m"][0]["limits"] == [
        {"lower": "2", "upper": "5"},
        {"lower": "3", "when": {"a": "b"}},
        {"lower": "4"},
    ]
    assert after["m"][1]["limits"] == [{"lower": "7"}]
    assert after["env"] == [{"low": "1"}]
    assert after["m"][0]["points"] == {"readings": 3}


@pytest.mark.parametrize(
    "place", ["/m/9/id", "/none/x", "/m/x/id", "/name/x", "/m/0/limits/7", "/"]
)
def test_a_place_that_is_not_there_is_refused_by_name(place):
    with pytest.raises(Invalid) as caught:
        changed(TEXT, {place: None if place.endswith("7") else "1"})
    assert caught.value.at == place


def test_a_text_that_is_no_toml_is_not_edited_by_figures():
    with pytest.raises(Invalid, match="no TOML") as caught:
        changed("a = ", {"/a": "1"})
    assert caught.value.code == "method-text-broken"


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


@given(name=WORDS, lower=WORDS, readings=st.integers(-(2**50), 2**50), points=st.lists(WORDS))
def test_whatever_is_put_in_is_read_back(name, lower, readings, points):
    changes = {
        "/name": name,
        "/m/0/limits/0/lower": lower,
        "/m/0/points/readings": readings,
        "/m/0/points/default": points,
        "/m/0/limits/-": {"lower": lower},
    }
    after = tomllib.loads(changed(TEXT, changes))
    assert after["name"] == name
    assert [limit["lower"] for limit in after["m"][0]["limits"]] == [lower, "2", lower]
    assert after["m"][0]["points"] == {"default": points, "readings": readings}


def test_versions_of_a_lab_come_after_the_one_they_rest_on():
    versions = ["1.10.0", "1.2.0+lab.10", "1.2.0", "1.2.0+lab.9", "1.3.0"]
    assert sorted(versions, key=version_key) == [
        "1.2.0", "1.2.0+lab.9", "1.2.0+lab.10", "1.3.0", "1.10.0",
    ]  # fmt: skip
    assert own_version("1.2.0+lab.9", 10) == "1.2.0+lab.10"


def test_what_a_lab_uses_is_the_default_though_the_catalogue_has_a_newer_one():
    type_ = CATALOGUE.get("pump.infusion_syringe")
    mine = replace(type_, version="1.0.0+lab.2")
    newer = Catalogue([type_, replace(type_, version="99.0.0")])
    used = newer.with_methods([mine])
    assert used.get(type_.id) is mine
    assert used.versions(type_.id)[-1] == "99.0.0"
    assert newer.get(type_.id).version == "99.0.0"
    assert used.list() == (mine,)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (" \n", "method-text-empty"),
        ("é" * (MAX_TEXT // 2 + 1), "method-text-too-long"),
        ("a\0", "method-text-unreadable"),
        ("a\ud800", "method-text-unreadable"),
    ],
)
def test_a_text_no_method_can_be_is_refused(text, code):
    with pytest.raises(Invalid) as caught:
        need_text(text)
    assert caught.value.code == code


def test_a_file_of_windows_is_read():
    assert decode(b"\xef\xbb\xbfa = 1\r\nb = 2\r\n", "a.toml") == "a = 1\nb = 2\n"


@pytest.mark.parametrize("text", ["x = " + "[" * 3000, "x = " + "{a=" * 3000, "x = " + "9" * 5000])
def test_a_text_made_to_break_the_reader_is_one_finding(text):
    (found,) = read_type(text, "a.toml").findings
    assert found.code == "type-syntax"
