"""The shared vectors: made as the generator makes them, and judged alike by two verifiers.

The third, in JavaScript, is held to the same vectors in a browser.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from calib.verifier.report import NO_CERTIFICATE
from tests.support.vectors import (
    Read,
    by_opening,
    by_python,
    by_standalone,
    exit_of,
    mutations,
    read_vectors,
)
from tests.vectors import make

VECTORS = read_vectors()


def test_the_files_are_what_the_generator_makes():
    kept = {
        path.relative_to(make.FOLDER).as_posix(): path.read_bytes()
        for folder in ("pass", "fail")
        for path in (make.FOLDER / folder).rglob("*")
        if path.is_file()
    }
    assert kept == make.contents(), "run python -m tests.vectors.make"


def test_there_are_enough_of_both():
    passing = [one for one in VECTORS if one.name.startswith("pass/")]
    assert len(passing) >= 30
    assert len(VECTORS) - len(passing) >= 80


@pytest.mark.parametrize("vector", VECTORS, ids=lambda one: one.name)
def test_the_program_says_what_is_expected(vector: Read):
    answer = by_python(vector)
    expected = vector.expected
    assert answer.verdict == expected["verdict"], answer
    assert answer.steps[expected["step"]] == expected["state"], answer


@pytest.mark.parametrize(
    "vector",
    [one for one in VECTORS if one.name.partition("/")[2].startswith(("dcc-", "no-"))],
    ids=lambda one: one.name,
)
def test_who_opens_the_file_says_the_same_as_who_knows_its_bytes_alone(vector: Read):
    """The inside of these can be read, or is plainly none of a certificate."""
    opened = by_opening(vector)
    assert opened.verdict == vector.expected["verdict"], opened
    assert (opened.words == NO_CERTIFICATE) == (
        opened.verdict == "cannot_tell" and "/no-certificate" in vector.name
    ), opened.words


def test_the_file_that_stands_alone_says_the_same(tmp_path: Path):
    codes = {one.name: (by_standalone(one, tmp_path), exit_of(by_python(one))) for one in VECTORS}
    other = {name: both for name, both in codes.items() if both[0] not in (None, *both[1])}
    assert other == {}


def test_both_say_the_same_of_what_was_changed_on_the_way(tmp_path: Path):
    other, stood = {}, []
    for one in mutations(400):
        answer, code = by_python(one), by_standalone(one, tmp_path)
        if code not in exit_of(answer):
            other[one.name] = (code, answer)
        if answer.verdict == "valid" and not _may_stand(one):
            stood.append(one.name)
    assert other == {}
    assert stood == []


def _may_stand(one: Read) -> bool:
    """Answer whether a change may be without effect: in an unknown signature, in white space."""
    return any(words in one.name for words in ("unknown", "witness", "twice", "line-end"))
