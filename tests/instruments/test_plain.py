"""Frozen values to plain JSON and back, and everything that is refused on the way back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from instruments.canonical import canonical_json
from instruments.plain import NotPlain, from_plain, to_plain


@dataclass(frozen=True)
class Leaf:
    name: str
    u: float = 0.5

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("a leaf needs a name")


@dataclass(frozen=True)
class Tree:
    kind: Literal["oak", "elm"]
    age: int
    tall: bool
    leaves: tuple[Leaf, ...]
    first: Leaf | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    grid: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class Unreadable:
    either: int | str


@dataclass(frozen=True)
class UnreadableScalar:
    raw: bytes


TREE = Tree(
    kind="oak",
    age=7,
    tall=True,
    leaves=(Leaf("a"), Leaf("b", 1.0)),
    first=Leaf("c"),
    notes={"on": "20.10"},
    grid=((1.0, 2.0), (3.0,)),
)
PLAIN: dict[str, Any] = {
    "kind": "oak",
    "age": 7,
    "tall": True,
    "leaves": [{"name": "a", "u": 0.5}, {"name": "b", "u": 1.0}],
    "first": {"name": "c", "u": 0.5},
    "notes": {"on": "20.10"},
    "grid": [[1.0, 2.0], [3.0]],
}


def test_every_field_is_written_even_at_its_default():
    assert to_plain(TREE) == PLAIN
    assert to_plain(Leaf("a")) == {"name": "a", "u": 0.5}


def test_round_trip_through_canonical_bytes():
    assert from_plain(Tree, json.loads(canonical_json(to_plain(TREE)))) == TREE


def test_a_missing_field_with_a_default_takes_it():
    assert from_plain(Leaf, {"name": "a"}) == Leaf("a", 0.5)


def test_a_whole_number_is_a_float_where_one_is_declared():
    # canonical JSON writes 1.0 as 1
    read = from_plain(Leaf, {"name": "a", "u": 1})
    assert isinstance(read.u, float)


def test_nothing_is_nothing_where_it_may_be():
    read = from_plain(Tree, PLAIN | {"first": None})
    assert read.first is None


def change(**changes: object) -> dict[str, object]:
    return PLAIN | changes


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("text", ""),
        (change(height=3), "/height"),
        ({k: v for k, v in PLAIN.items() if k != "age"}, "/age"),
        (change(kind="ash"), "/kind"),
        (change(kind=True), "/kind"),
        (change(age="7"), "/age"),
        (change(age=7.0), "/age"),
        (change(age=True), "/age"),
        (change(age=None), "/age"),
        (change(tall=1), "/tall"),
        (change(leaves={"name": "a"}), "/leaves"),
        (change(leaves="ab"), "/leaves"),
        (change(leaves=[{"name": "a"}, {"name": 3}]), "/leaves/1/name"),
        (change(leaves=[{"name": "a", "u": True}]), "/leaves/0/u"),
        (change(leaves=[{"name": ""}]), "/leaves/0"),
        (change(first={"nom": "c"}), "/first/nom"),
        (change(notes=["on"]), "/notes"),
        (change(notes={"on": 20.1}), "/notes/on"),
        (change(grid=[[1.0], ["2"]]), "/grid/1/0"),
    ],
)
def test_a_wrong_value_is_refused_at_its_place(value: object, at: str):
    with pytest.raises(NotPlain) as caught:
        from_plain(Tree, value)
    assert caught.value.at == at
    assert str(caught.value) == f"{at or '/'}: {caught.value.problem}"


def test_the_place_starts_where_the_caller_says():
    with pytest.raises(NotPlain) as caught:
        from_plain(Leaf, {"name": "a", "colour": "green"}, "/tree")
    assert caught.value.at == "/tree/colour"
    assert caught.value.problem == "unknown key; known are name, u"


@pytest.mark.parametrize("cls", [Unreadable, UnreadableScalar])
def test_a_field_of_a_kind_that_cannot_be_frozen_is_a_fault_of_the_program(cls: type):
    with pytest.raises(TypeError, match="not a type a frozen value may have"):
        from_plain(cls, dict.fromkeys(("either",) if cls is Unreadable else ("raw",), 1))
