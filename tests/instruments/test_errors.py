"""The error tree: parts kept, sentences filled, nothing lost."""

from __future__ import annotations

import pytest

from instruments import errors
from instruments.errors import DomainError, Finding, Invalid, fill

KINDS = ["NotFound", "NotAllowed", "Conflict", "Invalid", "Refused", "Unavailable"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_domain_error_and_no_other_kind(kind: str):
    cls = getattr(errors, kind)
    assert cls.__bases__ == (DomainError,)


def test_the_tree_in_the_module_text_is_the_tree_in_the_code():
    subclasses = [
        cls.__name__ for cls in DomainError.__subclasses__() if cls.__module__ == errors.__name__
    ]
    assert subclasses == KINDS
    drawn = [line.split()[1] for line in errors.__doc__.splitlines() if line.startswith(("├", "└"))]
    assert drawn == KINDS


def test_an_error_keeps_its_parts_and_reads_as_a_sentence():
    finding = Finding("reading-outlier", "Reading {n} lies apart.", facts={"n": 3})
    error = Invalid(
        "unit-unknown",
        "The unit {unit} is not known. Choose one of {known}.",
        at="/points/3",
        clause="JJF 1001",
        facts={"unit": "degQ", "known": "degC, K"},
        findings=(finding,),
    )
    assert str(error) == "The unit degQ is not known. Choose one of degC, K."
    assert error.message == "The unit {unit} is not known. Choose one of {known}."
    assert (error.code, error.at, error.clause) == ("unit-unknown", "/points/3", "JJF 1001")
    assert error.findings == (finding,)
    assert finding.text() == "Reading 3 lies apart."


def test_facts_given_to_an_error_are_its_own():
    facts = {"n": 1}
    error = Invalid("x", "{n}", facts=facts)
    facts["n"] = 2
    assert error.facts == {"n": 1}


def test_a_missing_fact_stays_visible():
    assert fill("Point {point} of {total}.", {"point": 3}) == "Point 3 of {total}."


def test_braces_without_facts_are_left_alone():
    assert fill("A literal {brace} stays.", {}) == "A literal {brace} stays."


def test_a_finding_is_an_error_unless_said_otherwise():
    assert Finding("x", "y").severity == "error"
