"""Every code a user can meet is told in docs/errors.md, with what it means and what to do."""

from __future__ import annotations

from tests.house.codes import CODE, PAGE, TOLD, collect, page, told
from tests.house.source import HOUSES, Source, report, sources


def test_every_code_can_be_read_from_the_source():
    assert not (found := collect(sources(*HOUSES)).unreadable), report(found)


def test_codes_are_lower_case_words():
    found = collect(sources(*HOUSES)).places
    wrong = [f"{code} {places}" for code, places in found.items() if not CODE.fullmatch(code)]
    assert not wrong, report(wrong)


def test_the_page_of_errors_is_what_the_source_says():
    found = collect(sources(*HOUSES))
    assert PAGE.read_text("utf-8") == page(found), "run make docs"
    assert TOLD.read_text("utf-8") == told(found), "run make docs"


def test_every_code_comes_with_a_sentence():
    messages = collect(sources(*HOUSES)).messages
    silent = [code for code, sentences in messages.items() if not sentences]
    assert not silent, report(silent)


def test_the_collector_finds_codes_wherever_they_are_written():
    text = """
class OutOfDate(Refused):
    pass

def _refuse(at, code):
    raise OutOfDate(code, "words", at=at)

def f(x):
    _refuse("/a", "by-position")
    _refuse("/a", code="by-name")
    kind = "first" if x else "second"
    raise Invalid(kind, "words")
    twin, other = "of-two", "words"
    raise Invalid(twin, other)
    raise errors.Conflict("an-attribute" if x else "another", "words")
    yield Finding("a-finding", "words")
    yield Finding(problem.code, "words")
    raise Invalid(TABLE[x], "words")

class Stale(Conflict):
    def __init__(self):
        super().__init__("by-itself", "words")

def g(x):
    raise Invalid(TABLE[x], "words")  # house: code -- from-table, from-elsewhere
"""
    found = collect((Source("calib/x.py", text),))
    assert set(found.places) == {
        "by-itself",
        "by-position",
        "by-name",
        "first",
        "second",
        "of-two",
        "an-attribute",
        "another",
        "a-finding",
        "from-table",
        "from-elsewhere",
    }
    assert found.unreadable == ["calib/x.py:18 TABLE[x]"]


def test_the_collector_finds_the_sentence_beside_the_code():
    text = """
def f(path):
    message = "the first."
    yield Problem("one", path, message)
    message = "the second "\\
        "in two parts."
    yield Problem("two", (*path, "x"), message, {"a": 1})
    raise Invalid("three", "a or b" if path else "c or d", facts={"a": "no sentence"})
"""
    assert collect((Source("calib/x.py", text),)).messages == {
        "one": {"the first."},
        "two": {"the second in two parts."},
        "three": {"a or b", "c or d"},
    }
