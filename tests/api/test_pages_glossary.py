"""The glossary: terms as in docs, in both languages; tips that help without a script too."""

from __future__ import annotations

import pytest

from api.glossary import MEANS, TERMS
from tests.house.source import ROOT
from tests.support.web import Browser


def test_every_term_stands_in_the_glossary_of_the_docs():
    page = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    known = {
        tuple(cell.strip() for cell in line.split("|")[1:3])
        for line in page.splitlines()
        if line.startswith("| ")
    }
    assert [t.name for t in TERMS.values() if (t.name.zh, t.name.en) not in known] == []
    assert TERMS.keys() == MEANS.keys()


@pytest.mark.parametrize(
    ("language", "word"), [("zh", "扩展不确定度"), ("en", "expanded uncertainty")]
)
def test_everybody_reads_it_in_both_languages(app, language, word):
    page = Browser(app, language=language).get("/glossary")
    entry = page.document.xpath("//div[@id='U']")[0]
    assert word in entry.xpath("./dt")[0].text_content()
    assert "VIM" in entry.xpath("./dd/small")[0].text
    assert len(page.document.xpath("//dl/div")) == len(TERMS)


def test_a_word_of_a_page_leads_to_its_entry_and_tells_it(browser):
    page = browser.get("/orders/new?customer_id=1")
    word = page.document.xpath("//a[@class='term']")[0]
    assert word.get("href") == "/glossary#decision-rule"
    tip = page.document.xpath("//span[@role='tooltip']")[0]
    assert "hidden" in tip.attrib
    assert MEANS["decision-rule"] in tip.text_content()
