import tomllib
from importlib.resources import files

import pytest

from instruments.catalogue.lines import dotted, line_of, locate

TEXT = '''\
# a comment with = and [brackets]
plain = "value"   # [not.a.table]
a.b.c = 1
"quoted key" = 'x'
"caf\\u00e9" = 2
many = """
[[looks.like.a.table]]
key = 1
"""
raw = \'\'\'
"""
\'\'\'

[table]
inline = { one = 1, two = { three = "}" } }
list = [
  "a",  # comment ]
  { x = 1, y = [
  2] },
  [1,
   2],
]
when = 2026-03-02 07:32:00

[[items]]
name = "first"
[[items.parts]]
id = "p"
[[items.parts]]
id = "q"
[items.parts.deep]
z = 1

[[items]]
parts = [{ id = "r" }, { id = "s" }]
[ "sp aced" . x ]
y = 1
'''

EXPECTED = {
    ("plain",): 2,
    ("a", "b", "c"): 3,
    ("quoted key",): 4,
    ("café",): 5,
    ("many",): 6,
    ("raw",): 10,
    ("table",): 14,
    ("table", "inline", "two", "three"): 15,
    ("table", "list", 0): 17,
    ("table", "list", 1, "x"): 18,
    ("table", "list", 1, "y", 0): 19,
    ("table", "list", 2, 0): 20,
    ("table", "list", 2, 1): 21,
    ("table", "when"): 23,
    ("items", 0): 25,
    ("items", 0, "name"): 26,
    ("items", 0, "parts", 0, "id"): 28,
    ("items", 0, "parts", 1): 29,
    ("items", 0, "parts", 1, "id"): 30,
    ("items", 0, "parts", 1, "deep", "z"): 32,
    ("items", 1): 34,
    ("items", 1, "parts", 1, "id"): 35,
    ("sp aced", "x", "y"): 37,
}


def leaves(value, path=()):
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*path, key))
    else:
        yield path, value


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_each_key_is_found_on_its_line(newline):
    text = TEXT.replace("\n", newline)
    lines = locate(text)
    assert {path: lines[path] for path in EXPECTED} == EXPECTED


def test_nothing_is_found_that_is_not_there():
    paths = {path for path, _ in leaves(tomllib.loads(TEXT))}
    lines = locate(TEXT)
    assert paths <= lines.keys()
    prefixes = {path[:n] for path in paths for n in range(1, len(path) + 1)}
    assert lines.keys() <= prefixes


@pytest.mark.parametrize(
    "name", [f.name for f in files("instruments.catalogue.types").iterdir() if ".toml" in f.name]
)
def test_every_value_of_the_shipped_files_stands_on_its_line(name):
    text = (files("instruments.catalogue.types") / name).read_text("utf-8")
    rows = text.splitlines()
    lines = locate(text)
    for path, value in leaves(tomllib.loads(text)):
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        start = rows[lines[path] - 1]
        # a text over several lines begins on its own
        assert shown in start or ('"""' in start and shown.startswith(start.split('"""')[1][:-1]))


def test_a_missing_key_is_given_the_line_of_what_should_hold_it():
    lines = locate(TEXT)
    assert line_of(lines, ("items", 1, "parts", 0, "name")) == 35
    assert line_of(lines, ("nowhere", 3)) == 1


def test_path_is_written_as_a_person_writes_it():
    path = ("measurands", 0, "components", 2, "half_width")
    assert dotted(path) == "measurands[0].components[2].half_width"
    assert dotted(("variants", "sp aced")) == 'variants."sp aced"'
    assert dotted(()) == "the file"


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ('a = """x""""\nb = 1', ("b",), 2),
        ("a = '''x'''''\nb = 1", ("b",), 2),
        ('a = ""\nb = 1', ("b",), 2),
        ('a = """\\"""\n"""\nb = 1', ("b",), 3),
        ("a = []\nb = {}\nc = 1", ("c",), 3),
        ("a = [[], [ ],\n{}]\nc = 1", ("a", 2), 2),
        ("3.14 = 1\nb = 3.14", ("3", "14"), 1),
    ],
)
def test_awkward_values_do_not_derail_the_walk(text, path, line):
    tomllib.loads(text)
    assert locate(text)[path] == line
