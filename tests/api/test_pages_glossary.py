"""The glossary: terms as in docs, in both languages; tips that help without a script too."""

from __future__ import annotations

import re

import pytest

from api.glossary import MEANS, TERMS, told
from tests.house.source import ROOT
from tests.support.web import Browser, a_sign_in


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


def test_every_term_is_told_where_somebody_meets_it():
    pages = [p for p in (ROOT / "api" / "templates").rglob("*.html") if p.name != "design.html"]
    written = "".join(page.read_text("utf-8") for page in pages)
    used = set(re.findall(r'ui\.term\("([^"]+)"', written))
    assert used == TERMS.keys()


def test_a_word_of_a_page_leads_to_its_entry_and_tells_it(browser):
    page = browser.get("/orders/new?customer_id=1")
    word = page.document.xpath("//a[@class='term']")[0]
    assert word.get("href") == "/glossary#decision-rule"
    tip = page.document.xpath("//span[@role='tooltip']")[0]
    assert "hidden" in tip.attrib
    assert MEANS["decision-rule"] in tip.text_content()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("path", "code", "heading"),
    [("/catalogue/{type}", "mpe", "h3"), ("/standards/1/traceability", "traceability", "h1")],
)
def test_a_heading_that_names_a_term_tells_it_once(app, world, language, path, code, heading):
    type_id = world.catalogue.list()[0].id
    page = Browser(app, a_sign_in(world), language).get(path.format(type=type_id))
    (word,) = page.document.xpath("//a[@class='term'][@href=$to]", to=f"/glossary#{code}")
    assert next(word.iterancestors(heading)) is not None
    tip = word.getnext()
    assert tip.get("role") == "tooltip"
    assert "hidden" in tip.attrib
    assert told(code, language)["means"] in tip.text_content()
    assert TERMS[code].name.zh in tip.text_content()
    assert TERMS[code].name.en in tip.text_content()
