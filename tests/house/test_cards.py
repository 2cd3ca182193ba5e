"""On a phone the rows of a table are cards without a head: each cell says what it holds."""

from __future__ import annotations

import re

import pytest

from tests.house.source import ROOT

TEMPLATES = ROOT / "api" / "templates"
TABLE = re.compile(r'<table class="[^"]*\bstack\b.*?</table>|ui\.table\(.*?endcall', re.DOTALL)
CELL = re.compile(r"<td[^>]*>(?:<span class=\"narrow-only\">|<label class=\"check\">)?")
SAYS = ("data-label", "colspan", "narrow-only", 'class="check"', 'class="break"')
"""The last: of a table within a card."""
SUBTITLES = 2
"""Of a row, that many cells read on from the name of the row and need no label."""


def tables() -> list[tuple[str, str]]:
    """Return every table that becomes cards, with where it stands."""
    found = []
    for path in sorted(TEMPLATES.rglob("*.html")):
        text = path.read_text("utf-8")
        for match in TABLE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append((f"{path.relative_to(TEMPLATES)}:{line}", match.group()))
    return found


@pytest.mark.parametrize(("place", "markup"), tables())
def test_a_cell_of_a_card_says_what_it_holds(place: str, markup: str) -> None:
    bare = [cell for cell in CELL.findall(markup) if not any(say in cell for say in SAYS)]
    assert len(bare) <= SUBTITLES, f"{place}: {len(bare)} cells without data-label"


def test_there_are_such_tables_of_both_kinds() -> None:
    markups = [markup for _, markup in tables()]
    assert any(markup.startswith("<table") for markup in markups)
    assert any(markup.startswith("ui.table") for markup in markups)


def test_a_bare_figure_is_found() -> None:
    row = (
        '<table class="stack"><tr><th>A</th><td>0</td><td class="num">0</td><td>–</td></tr></table>'
    )
    with pytest.raises(AssertionError, match="3 cells"):
        test_a_cell_of_a_card_says_what_it_holds("here", row)
