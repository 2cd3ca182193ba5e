"""Marks that deceive the eye are refused with the character named."""

from __future__ import annotations

import pytest

from instruments.errors import Invalid
from instruments.services import fields


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("AB\u202e12", "U+202E"),
        ("AB\u200b12", "U+200B"),
        ("AB\ufeff12", "U+FEFF"),
        ("AB\u00ad12", "U+00AD"),
        ("\u0410B12", "U+0410"),  # Cyrillic A beside Latin B
        ("A\u039212", "U+0392"),  # Greek B beside Latin A
        ("\u0421\u041d12", "U+0421"),  # Cyrillic only, but it reads CH12
        ("AB\uff11\uff12", "U+FF11"),
        ("\uff21B", "U+FF21"),
        ("A\u00a0B", "U+00A0"),
        ("A\u0661", "U+0661"),
        ("A\U0001d7d9", "U+1D7D9"),
        ("A\tB", "U+0009"),
        ("A\nB", "U+000A"),
        ("A\x00B", "U+0000"),
        ("\u2164-12", "U+2164"),
    ],
)
def test_look_alike_is_refused_by_name(typed, code):
    with pytest.raises(Invalid) as caught:
        fields.mark(typed, "/serial")
    assert caught.value.code == "text-deceptive"
    assert caught.value.facts["code"] == code
    assert caught.value.at == "/serial"
    assert code in str(caught.value)


@pytest.mark.parametrize("typed", ["SN-001/2", "A B", "沪A-12", "№ 12 Б", "Я-7", "0042"])
def test_honest_mark_is_kept(typed):
    assert fields.mark(f"  {typed} ", "/serial") == typed


def test_composed_and_decomposed_letters_are_the_same_mark():
    assert fields.mark("Ge\u0301-1", "/serial") == fields.mark("G\u00e9-1", "/serial")


def test_empty_mark_is_refused_where_one_is_needed():
    assert fields.mark(" \t ".strip("\t"), "/asset_number") == ""
    with pytest.raises(Invalid) as caught:
        fields.mark("   ", "/serial", required=True)
    assert caught.value.code == "field-empty"


def test_too_long_mark_is_refused():
    with pytest.raises(Invalid, match="81 characters"):
        fields.mark("x" * 81, "/serial")


def test_words_keep_line_breaks_and_refuse_hidden_controls():
    assert fields.words(" two\nlines ", "/remark") == "two\nlines"
    with pytest.raises(Invalid, match=r"U\+202E"):
        fields.words("safe\u202e", "/remark")


@pytest.mark.parametrize("typed", ["a", "a@b", "a@@b.c", "a b@c.de", "@b.de", "a@b.de,c@d.ef"])
def test_mail_address_must_look_like_one(typed):
    with pytest.raises(Invalid) as caught:
        fields.email(typed, "/email")
    assert caught.value.code == "email-malformed"


def test_mail_address_is_kept_in_lower_case():
    assert fields.email(" Li@Example.ORG ", "/email") == "li@example.org"
    assert fields.email("", "/email") == ""
