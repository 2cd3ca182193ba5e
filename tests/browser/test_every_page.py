"""Every page, found by following links: nothing a program can find fault with, in any look."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from itertools import groupby

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from calib.i18n import translate
from tests.house.source import ROOT
from tests.support.every_page import STRANGER, Door, Found, World, a_world, explore
from tests.support.looks import DESK, PHONE, Look, a_context, in_looks
from tests.support.seen import faults_seen, untranslated

pytestmark = pytest.mark.browser
APART = {
    "/sign-in/provider/back": "asked by an identity provider; test_pages_provider",
    "/password": "opened by a link in a mail; test_pages_password",
    "/calibrations/{calibration_id}/sign/{challenge}": "where work is signed; test_signing",
    "/documents/affected.csv": "of documents that certificates rest on; test_pages_documents",
    "/documents/affected.xlsx": "as the one before",
    "/calibrations/{calibration_id}/live": "asked by the script of the bench; test_grid",
    "/calibrations/{calibration_id}/budget/live": "asked by a script; test_figures_look",
    "/orders/quick": "of instruments that are due; test_window",
    "/certificates/print.pdf": "of ticked certificates; test_pages_printing",
    "/certificates/originals.zip": "as the one before",
    "/calibrations/side": "opened by a form for the ticked records; test_side, test_pages_look",
    "/calibrations/side/live": "asked by the script of that page; test_side",
}
"""Routes that no link of this world leads to, and where they are looked at instead."""
PICTURES = ROOT / "build" / "pages"
TALLEST = 8000
FOR_PROGRAMS = (
    "/livez", "/readyz", "/metrics", "/log/", "/status/", "/.well-known/", "/static/",
    "/authenticate/", "/calendar/", "/calibrations/offline.js",
    "/calibrations/{calibration_id}/preview-",
)  # fmt: skip
"""Beginnings of addresses that no link of a page names."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with a_world(tmp_path_factory.mktemp("every") / "world") as running:
        yield running


@pytest.fixture(scope="module")
def found(world: World) -> Found:
    return explore(world)


def test_something_leads_to_every_page(world: World, found: Found) -> None:
    reached = {door.route for door in found.doors} | found.files
    left = [
        path
        for _, path in world.routes()
        if path not in reached and path not in APART and not path.startswith(FOR_PROGRAMS)
    ]
    assert not left, left


def test_no_link_leads_nowhere(found: Found) -> None:
    assert found.broken == []
    assert len(found.doors) > 80


def test_a_foreign_sentence_is_found_and_a_name_is_none() -> None:
    page = "<html lang='{}'><p>{}</p><p lang='en'>Skip to content</p><p>Haikang HT-82</p></html>"
    assert untranslated(page.format("zh-CN", "Skip to content"), "zh") == ["Skip to content"]
    assert untranslated(page.format("zh-CN", "and 7 more"), "zh") == []  # too short to be sure of
    assert untranslated(page.format("en", "临江火车东站"), "en") == []
    assert untranslated(page.format("en", translate("Skip to content", "zh")), "en") != []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_speaks_one_language(world: World, found: Found, language: str) -> None:
    foreign = []
    for role, doors in _by_role(found.doors):
        with world.client(role, language) as client:
            for door in doors:
                said = untranslated(client.get(door.path).text, language)
                foreign += [f"{door.path}: {sentence}" for sentence in said]
    assert foreign == []


@in_looks(
    Look(DESK, "light", "en"), Look(DESK, "dark", "zh"),
    Look(PHONE, "light", "en"), Look(PHONE, "dark", "zh"),
)  # fmt: skip
def test_no_page_has_a_fault_a_program_can_find(
    browser: Browser, world: World, found: Found, look: Look
) -> None:
    faults: list[str] = []
    shutil.rmtree(PICTURES / str(look), ignore_errors=True)

    def note(said: ConsoleMessage) -> None:
        if said.type == "error":
            faults.append(f"console: {said.text}")

    for role, doors in _by_role(found.doors):
        context = a_context(browser, look)
        _sign_in(context, world, role, look.language)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda fault: faults.append(str(fault)))  # noqa: B023 -- one list
        for door in doors:
            answer = page.goto(world.address + door.path)
            assert answer is not None
            _draw(page, door, look)
            faults += [f"{door.path} as {role or 'stranger'}: {f}" for f in _faults(page, look)]
        context.close()
    assert faults == []


def test_the_menu_of_a_phone_opens_without_a_script(browser: Browser, world: World) -> None:
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, java_script_enabled=False, locale="en-GB"
    )
    _sign_in(context, world, "manager", "en")
    page = context.new_page()
    page.goto(world.address)
    assert not page.locator(".menu-sheet").is_visible()
    page.click(".menu > summary")
    page.click(".menu-sheet >> text=Standards")
    page.wait_for_url("**/standards")
    assert page.locator(".menu-sheet [aria-current]").count() == 1
    context.close()


def test_light_or_dark_is_chosen_without_a_script_and_kept(browser: Browser, world: World) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-GB", color_scheme="light")
    page = context.new_page()
    page.goto(f"{world.address}/sign-in")
    assert page.locator("html[data-theme]").count() == 0
    page.click("text=Dark")
    page.wait_for_url("**/sign-in")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.locator("button[value=dark]").get_attribute("aria-pressed") == "true"
    page.click("text=As the system")
    page.wait_for_url("**/sign-in")
    assert page.locator("html[data-theme]").count() == 0
    context.close()


def _by_role(doors: Iterable[Door]) -> Iterator[tuple[str, list[Door]]]:
    for role, mine in groupby(sorted(doors, key=lambda d: d.role), key=lambda d: d.role):
        yield role, list(mine)


def _sign_in(context: BrowserContext, world: World, role: str, language: str) -> None:
    """Let a window have the session of somebody: the form is looked at elsewhere."""
    cookies = {"calib_language": language}
    if role != STRANGER:
        with world.client(role, language) as client:
            cookies["calib_session"] = client.cookies["calib_session"]
        # the client is closed; its session lives on
    context.add_cookies([{"name": k, "value": v, "url": world.address} for k, v in cookies.items()])


def _draw(page: Page, door: Door, look: Look) -> None:
    """Keep a picture of a page for people to look at; of a very long one its beginning."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", door.path).strip("-")[:80] or "first"
    place = PICTURES / str(look) / f"{door.role or 'stranger'}-{words}.jpg"
    height = page.evaluate("document.documentElement.scrollHeight")
    part = {"x": 0, "y": 0, "width": look.size[0], "height": min(height, TALLEST)}
    page.screenshot(path=place, full_page=True, clip=part, type="jpeg", quality=70)


def _faults(page: Page, look: Look) -> Iterator[str]:
    """Yield what is wrong with a page as it stands, in its own light and in the other."""
    yield from faults_seen(page, finger=look.size == PHONE)
    page.evaluate("document.querySelectorAll('main details').forEach(d => { d.open = true; })")
    for violation in Axe().run(page).response["violations"]:
        yield f"{violation['id']} {violation['nodes'][0]['html'][:160]}"
    page.emulate_media(color_scheme="dark" if look.scheme == "light" else "light")
    for violation in (
        Axe().run(page, options={"runOnly": ["color-contrast"]}).response["violations"]
    ):
        yield f"in the other light: {violation['nodes'][0]['html'][:160]}"
    page.emulate_media(color_scheme=look.scheme)
