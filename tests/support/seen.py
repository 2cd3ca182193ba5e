"""What a page shows to eyes and fingers: letters that do not fit, small targets, foreign words.

Knows no page: everything is measured in the browser or read from the text that was sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

from lxml import html
from playwright.sync_api import Page

from calib.i18n import catalogue

_OVERFLOWING = """() => {
  const scrolls = (e) => {
    for (let at = e; at && at !== document.documentElement; at = at.parentElement) {
      if (['auto', 'scroll'].includes(getComputedStyle(at).overflowX)) return true;
    }
    return false;
  };
  const apart = 'svg, select, .visually-hidden, .skip, .at-work > .rooms';
  const found = [];
  for (const e of document.querySelectorAll('body *')) {
    if (!e.checkVisibility() || e.closest(apart)) continue;
    const hasText = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!hasText || scrolls(e)) continue;
    const box = e.getBoundingClientRect();
    const own = e.clientWidth ? e.scrollWidth - e.clientWidth : 0;
    const out = box.right - innerWidth;
    if (own > 1 || out > 1 || box.left < -1) {
      found.push(`${Math.round(Math.max(own, out))} px: ${e.outerHTML.slice(0, 120)}`);
    }
  }
  return found;
}"""
_TARGETS = """(least) => [...document.querySelectorAll(
    'button, a[href], summary, select, textarea, label.check, label.option, ' +
    'input:not([type=hidden]):not([type=checkbox]):not([type=radio]):not([type=file])')]
  .filter((e) => e.checkVisibility() && !e.closest('.visually-hidden, .skip, .entry-grid'))
  .filter((e) => {
    const r = e.getBoundingClientRect();
    if (r.width < 2 || r.height < 2) return false;
    const isInText = e.tagName === 'A' && getComputedStyle(e).display === 'inline';
    if (isInText) return false;
    const isPressed = e.matches('button, a.button, select, textarea, input, summary');
    return isPressed ? r.height < least - .5 : Math.min(r.width, r.height) < 23.5;
  })
  .map((e) => `${Math.round(e.getBoundingClientRect().height)} px: ${e.outerHTML.slice(0, 99)}`)"""
_SHIFTED = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
  }).observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done(sum), 50);
})"""
_HEADS = """() => [...document.querySelectorAll('h1, h2, h3, h4')]
  .filter((e) => e.checkVisibility()).map((e) => Number(e.tagName[1]))"""
_HIDDEN = """() => [...document.querySelectorAll('[hidden]')]
  .filter((e) => e.checkVisibility()).map((e) => e.outerHTML.slice(0, 99))"""
FINGER, POINTER = 44, 24
"""Least height of what is pressed, on a phone and at a desk."""
STEADY = 0.03
"""Most a page may shift while it is laid out; from 0.1 on people notice."""
_CJK = re.compile(r"[\u4e00-\u9fff]")
_MAY_BE = {"en": _CJK, "zh": re.compile(r"[A-Za-z]{2,} [A-Za-z]")}
"""What a sentence of the other language has at least."""
_TOLD = ("placeholder", "aria-label", "title", "alt")


def faults_seen(page: Page, *, finger: bool) -> Iterator[str]:
    """Yield what does not fit, is too small, moves, or stands in no order."""
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if wide > 0:
        yield f"{wide} px wider than the screen"
    yield from (f"overflow {one}" for one in page.evaluate(_OVERFLOWING))
    small = page.evaluate(_TARGETS, FINGER if finger else POINTER)
    yield from (f"too small to touch, {one}" for one in small)
    yield from (f"hidden, yet seen: {one}" for one in page.evaluate(_HIDDEN))
    shifted = page.evaluate(_SHIFTED)
    if shifted > STEADY:
        yield f"shifts by {shifted:.3f} while it is laid out"
    levels = page.evaluate(_HEADS)
    if levels.count(1) != 1:
        yield f"{levels.count(1)} headings of the first level"
    yield from (
        f"heading {level} after {before}"
        for before, level in pairwise(levels)
        if level > before + 1
    )


def untranslated(text: str, language: str) -> list[str]:
    """Return the sentences of the program that a page says in the other language."""
    whole, patterns = _foreign(language)
    return [
        said
        for said in _said(text)
        if _MAY_BE[language].search(said)
        and (said in whole or any(pattern.fullmatch(said) for pattern in patterns))
    ]


def _said(text: str) -> Iterator[str]:
    """Yield what a page says, but for what it marks as being in a language of its own."""
    page = html.fromstring(text)
    for other in page.xpath("//*[@lang and not(self::html)] | //script | //style | //template"):
        other.drop_tree()
    for node in page.xpath("//text()"):
        if said := " ".join(node.split()):
            yield said
    for name in _TOLD:
        yield from (" ".join(value.split()) for value in page.xpath(f"//@{name}"))


@cache
def _foreign(language: str) -> tuple[set[str], list[re.Pattern[str]]]:
    """Return the sentences of the other language: whole ones, and patterns of those with places.

    A word that is the same in both, a name or a sign, is no sentence of the other language.
    """
    whole, patterns = set(), []
    for english, chinese in catalogue("zh").items():
        said = english if language == "zh" else chinese
        is_telling = " " in english if language == "zh" else bool(_CJK.search(chinese))
        if english == chinese or not is_telling:
            continue
        if "{" not in said:
            whole.add(" ".join(said.split()))
        elif len(re.sub(r"\{\w+\}", "", said)) > 12:
            parts = (re.escape(part) for part in re.split(r"\{\w+\}", said))
            patterns.append(re.compile(".+?".join(parts)))
    return whole, patterns
