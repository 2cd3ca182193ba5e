"""Labels: three colours told apart without colour, and no date nobody agreed to."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from calib.certificates.labels import Label, render_labels
from calib.certificates.reread import read_file
from instruments.errors import Refused
from instruments.text import LocalizedText

MADE_AT = datetime(2026, 3, 3, tzinfo=UTC)
GREEN = Label(
    colour="green",
    lab=LocalizedText("Riverside Institute", "滨江市计量院"),
    number="RD2026-000123",
    serial="A0815-77",
    performed_on="2026-03-02",
    by="陈晨",
    address="https://calib.example.org/c/k3Jr0Zq9TtW5mX2bYc7LdA",
    until="2027-03-01",
    until_because="legal",
)
YELLOW = replace(GREEN, colour="yellow", limited_to="35.0 °C … 39.0 °C")
RED = replace(GREEN, colour="red", until=None, until_because=None)


def test_each_colour_says_its_word_and_bears_its_own_sign():
    texts = [
        read_file(render_labels([la], MADE_AT, sheet="single")).text for la in (GREEN, YELLOW, RED)
    ]
    for text, word, sign in zip(
        texts, ("合格证", "准用证", "停用证"), ("✓", "!", "×"), strict=True
    ):
        assert word in text
        assert sign in text
        assert "RD2026-000123" in text
    assert "2027-03-01" in texts[0]
    assert "35.0 °C" in texts[1]
    assert "2027" not in texts[2]


@pytest.mark.parametrize(("count", "pages"), [(1, 1), (24, 1), (25, 2)])
def test_a_sheet_holds_twenty_four(count, pages):
    assert len(read_file(render_labels([GREEN] * count, MADE_AT)).pages) == pages


def test_single_labels_come_one_per_page():
    assert len(read_file(render_labels([GREEN, RED], MADE_AT, sheet="single")).pages) == 2


def test_the_same_labels_are_the_same_bytes():
    assert render_labels([GREEN, RED], MADE_AT) == render_labels([GREEN, RED], MADE_AT)


@pytest.mark.parametrize(
    ("label", "code"),
    [
        (replace(GREEN, until_because=None), "label-date-not-agreed"),
        (replace(GREEN, colour="red"), "label-date-not-agreed"),
        (replace(GREEN, colour="yellow"), "label-limit-missing"),
        (replace(GREEN, limited_to="37 °C"), "label-limit-missing"),
    ],
)
def test_a_label_that_would_mislead_is_refused(label, code):
    with pytest.raises(Refused) as stop:
        render_labels([GREEN, label], MADE_AT)
    assert stop.value.code == code
    assert stop.value.at.startswith("/labels/1/")


def test_no_labels_is_said():
    with pytest.raises(Refused, match="no label"):
        render_labels([], MADE_AT)
