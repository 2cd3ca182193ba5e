"""The badge of a batch says how many of its pieces pass; a bare "Pass" would hide the others."""

from __future__ import annotations

import pytest

from api.pages.rendering import environment
from api.pages.words import COLOURS, WORDS
from calib.evaluation.evaluate import evaluate
from calib.i18n import translate
from tests.support import inputs as a


def badge(*readings: str, language: str = "en") -> str:
    result = evaluate(a.glass([(text, "41.00") for text in readings]))
    parts = environment().get_template("bench/parts.html").make_module({
        "t": lambda message, **facts: translate(message, language, **facts),
        "word": lambda group, code: WORDS[group][code],
        "colour": lambda group, code: COLOURS[group].get(code, ""),
    })  # fmt: skip
    return str(parts.whole(result)).strip()


@pytest.mark.parametrize(
    ("readings", "colour", "said"),
    [
        (("37.02", "38.00", "37.02", "37.02", "37.02"), "yellow", "4 of 5 pieces pass"),
        (("38.00", "38.00"), "red", "0 of 2 pieces pass"),
        (("37.02", "37.02"), "green", "Pass"),
    ],
)
def test_the_badge_tells_pieces_that_fail(readings, colour, said):
    assert badge(*readings) == f'<span class="badge {colour}">{said}</span>'


def test_it_is_said_in_chinese():
    assert "2 支（件）中 1 支（件）合格" in badge("37.02", "38.00", language="zh")


@pytest.mark.parametrize("page", ["bench/live.html", "bench/record.html", "certificates/show.html"])
def test_every_page_of_a_whole_result_uses_it(page):
    source = environment().loader.get_source(environment(), page)[0]

    assert "p.whole(" in source
    assert "result.verdict)" not in source
