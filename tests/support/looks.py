"""What a program can find wrong with pages in a real browser, at the desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.support.served import Served, sign_in

PHONE, DESK = (360, 740), (1360, 900)
_SMALL = """[...document.querySelectorAll('main button, main a.button, main select,' +
  'main input:not([type=hidden]):not([type=checkbox]):not([type=radio])')]
  .filter(e => { const r = e.getBoundingClientRect(); return r.width > 2 && r.height < 43.5 })
  .map(e => e.outerHTML.slice(0, 80))"""


@dataclass(frozen=True)
class Look:
    """How somebody looks at the pages."""

    size: tuple[int, int]
    scheme: str
    language: str

    def __str__(self) -> str:
        """Name the look in the name of a test."""
        return f"{'desk' if self.size == DESK else 'phone'}-{self.scheme}-{self.language}"


def in_looks(*looks: Look) -> pytest.MarkDecorator:
    """Run a test once for each look: in the light at a desk and in the dark on a phone."""
    given = looks or (Look(DESK, "light", "en"), Look(PHONE, "dark", "zh"))
    return pytest.mark.parametrize("look", given, ids=str)


def a_context(browser: Browser, look: Look) -> BrowserContext:
    """Open a window of this look."""
    return browser.new_context(
        viewport={"width": look.size[0], "height": look.size[1]},
        color_scheme=look.scheme,
        locale="zh-CN" if look.language == "zh" else "en-GB",
        reduced_motion="reduce",  # colours are looked at where they stay
    )


def faults_of(
    browser: Browser,
    site: Served,
    look: Look,
    paths: Iterable[str],
    *,
    role: str = "signatory",
    missing: str = "",
    has_cells: bool = False,
) -> list[str]:
    """Return what is wrong with pages, all details open; the one that is missing answers 404."""
    context = a_context(browser, look)
    page = sign_in(context, site, role)
    faults: list[str] = []

    def note(said: ConsoleMessage) -> None:
        if said.type == "error" and not (missing and page.url.endswith(missing)):
            faults.append(f"{page.url}: {said.text}")

    page.on("console", note)  # of the missing page the browser notes the status itself
    page.on("pageerror", lambda fault: faults.append(f"{page.url}: {fault}"))
    for path in paths:
        answer = page.goto(site.address + path)
        assert answer is not None
        assert answer.status == (404 if path == missing else 200), path
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        faults += faults_on(page, path, has_cells=has_cells)
    context.close()
    return faults


def faults_on(page: Page, name: str, *, has_cells: bool = False) -> list[str]:
    """Return what is wrong with the page as it stands.

    The cells of a grid are reached by keys and may be smaller than a finger.
    """
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    found = [f"{wide} px wider than the screen"] if wide > 0 else []
    if not has_cells:
        found += [f"too small to touch: {html}" for html in page.evaluate(_SMALL)]
    violations = Axe().run(page).response["violations"]
    found += [f"{v['id']} {v['nodes'][0]['html'][:160]}" for v in violations]
    return [f"{name}: {fault}" for fault in found]
