"""The guides as a test reads them: which words a page must say, and how each page is reached."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

FOLDER = Path(__file__).parents[2] / "docs" / "guides"
LANGUAGES = ("en", "zh")
DESK, PHONE = (1280, 800), (390, 760)
_WORD = re.compile(r"\*\*(?P<word>[^*]+)\*\*|!\[(?P<alt>[^]]*)\]\(pictures/(?P<picture>[^)]+)\)")


@dataclass(frozen=True)
class Step:
    """A picture of a guide, what is said about it, and what of it the page before may say."""

    picture: str
    words: tuple[str, ...]


def guides() -> list[Path]:
    """Return every guide of a role."""
    return sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")


def steps(guide: Path) -> Iterator[Step]:
    """Give the pictures of a guide in order, each with the bold words that stand before it."""
    words: list[str] = []
    for found in _WORD.finditer(guide.read_text("utf-8")):
        if found["word"]:
            words.append(found["word"])
        else:
            yield Step(found["picture"], tuple(words))
            words = []
    assert not words, f"{guide.name}: no picture shows {words}"


@dataclass(frozen=True)
class View:
    """How a page of a picture is reached, by whom, and what of it is shown."""

    role: str
    path: str
    follow: tuple[str, ...] = ()
    """Links to click, one after the other."""
    show: str = ""
    """What is scrolled to; the top of the page if empty."""
    size: tuple[int, int] = DESK
    unfold: str = ""
    """What is opened on the page."""

    def open(self, page: Page, address: str, token: str) -> str:
        """Go there as people do, a public page by its token; return what was said on the way."""
        page.goto(address + self.path.format(token=token))
        passed = ""
        for link in self.follow:
            passed += said(page)
            page.locator(link).first.click()
            page.wait_for_load_state("networkidle")
        page.evaluate("document.fonts.ready")
        if self.unfold:
            page.locator(self.unfold).evaluate_all("all => all.forEach(e => { e.open = true })")
        if self.show:
            page.locator(self.show).first.evaluate("e => e.scrollIntoView({block: 'center'})")
        return passed + said(page)


def said(page: Page) -> str:
    """Return the words a reader sees, in small letters."""
    return " ".join(page.locator("body").inner_text().split()).casefold()


_CERTIFICATE = ("main th a[href^='/certificates/']",)
VIEWS = {
    "technician-today": View("technician", "/"),
    "technician-receive": View("technician", "/", ("#to_receive .rows a",)),
    "technician-start": View("technician", "/", ("#to_measure .rows a",)),
    "technician-bench": View("technician", "/", ("#drafts .rows a",), "#readings"),
    "technician-submit": View("technician", "/", ("#drafts .rows a",), ".side-acts"),
    "reviewer-today": View("reviewer", "/"),
    "reviewer-record": View("reviewer", "/", ("#to_review .rows a",)),
    "reviewer-decide": View(
        "reviewer", "/", ("#to_review .rows a", "section[aria-labelledby='act'] button")
    ),
    "signatory-authorise": View("signatory", "/", ("#to_authorise .rows a",)),
    "signatory-issue": View(
        "signatory", "/", ("#to_issue .rows a",), "section[aria-labelledby='act']"
    ),
    "signatory-certificate": View("signatory", "/certificates?state=issued", _CERTIFICATE),
    "signatory-amend": View(
        "signatory", "/certificates?state=issued", _CERTIFICATE, "details.card",
        unfold="main details.card",
    ),
    "signatory-list": View("signatory", "/certificates"),
    "venue-board": View("station", "/board", size=PHONE),
    "venue-reading": View(
        "station", "/board?colour=green", ("a[href$='/reading']",), size=PHONE
    ),
    "venue-request": View("station", "/board", (".request button",), size=PHONE),
    "venue-certificate": View("", "/c/{token}", size=PHONE),
    "regulator-coverage": View("inspector", "/oversight"),
    "regulator-instruments": View("inspector", "/oversight/instruments"),
    "regulator-problems": View("inspector", "/oversight/problems"),
    "regulator-reports": View("inspector", "/oversight/reports"),
    "regulator-laboratories": View("inspector", "/oversight/laboratories"),
    "operator-keys": View("manager", "/lab/keys"),
}  # fmt: skip
"""Page of each picture, without its language."""
