"""Labels in two languages and their fallback."""

from __future__ import annotations

import pytest

from instruments.text import LANGUAGES, LocalizedText


def test_each_language_gets_its_words():
    label = LocalizedText(en="bath", zh="恒温槽")
    assert [label.text(language) for language in LANGUAGES] == ["bath", "恒温槽"]


@pytest.mark.parametrize("label", [LocalizedText(en="bath"), LocalizedText(zh="恒温槽")])
def test_missing_words_fall_back_to_the_other_language(label: LocalizedText):
    assert label.text("en") == label.text("zh") != ""


def test_an_unknown_language_reads_english():
    assert LocalizedText(en="bath", zh="恒温槽").text("de") == "bath"


def test_a_label_without_words_is_refused():
    with pytest.raises(ValueError, match="at least one language"):
        LocalizedText()


def test_round_trip():
    label = LocalizedText(en="bath", zh="恒温槽")
    assert LocalizedText.from_dict(label.as_dict()) == label
    assert LocalizedText.from_dict({"zh": "恒温槽"}) == LocalizedText(zh="恒温槽")
