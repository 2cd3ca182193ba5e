"""The one window in a real browser: a table, two taps, a label, a word, each as people do it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import segno
from playwright.sync_api import Browser, BrowserContext, Page, expect

from calib.i18n import translate
from instruments.records.instruments import Instrument
from instruments.services import instruments, people
from instruments.tenancy import installation_session
from tests.support import builders
from tests.support.builders import PASSWORD, context_for
from tests.support.looks import DESK, PHONE, Look, a_context, faults_on, in_looks
from tests.support.served import Served

pytestmark = pytest.mark.browser
MAIL = "venue@airport.example.org"
TABLE = "request,label,maker,model,serial,site,points\n"


@pytest.fixture(scope="module")
def venue(site: Served) -> list[instruments.InstrumentView]:
    """Let somebody keep two instruments in a hall, one of them overdue."""
    world = site.world
    with context_for(world) as ctx:
        owner = builders.a_customer(ctx, name_en="Airport", name_zh="机场")
        hall = builders.a_site(ctx, owner.id)
        model = builders.a_model(ctx, world.catalogue, maker="Haikang", model="HT-82")
        items = [
            builders.an_instrument(
                ctx, world.catalogue, model_id=model.id, customer_id=owner.id, site_id=hall.id
            )
            for _ in range(2)
        ]
        ctx.session.get_one(Instrument, items[0].id).due_on = ctx.today.replace(year=2020)
        builders.told(ctx.session)
    with installation_session(world.engine) as session:
        id_ = people.register_person(
            session, email=MAIL, name="Ou", password=PASSWORD, now=site.clock()
        )
    with context_for(world) as ctx:
        people.grant(ctx, person_id=id_, role="venue_operator", customer_id=owner.id)
    return items


LOOKS = in_looks(Look(DESK, "light", "en"), Look(PHONE, "dark", "zh"))


def opened(browser: Browser, site: Served, look: Look) -> tuple[BrowserContext, Page]:
    context = a_context(browser, look)
    page = context.new_page()
    page.goto(f"{site.address}/sign-in")
    page.fill("#email", MAIL)
    page.fill("#password", PASSWORD)
    page.click("form[action='/sign-in'] button")
    page.wait_for_url(f"{site.address}/board")
    return context, page


@LOOKS
def test_a_table_is_understood_and_becomes_an_order(
    browser: Browser, site: Served, venue, look: Look
) -> None:
    context, page = opened(browser, site, look)
    page.goto(f"{site.address}/orders/bulk")
    serial = f"N-{look.language}"
    rows = f"yes,{venue[1].barcode},,,,,\nyes,,Haikang,HT 82,{serial},,35 37 41\n"
    page.check("input[name=decision_rule][value=simple]")
    table = {"name": "list.csv", "mimeType": "text/csv", "buffer": (TABLE + rows).encode()}
    page.set_input_files("#file", table)
    page.click("form[data-drop] button")
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("tbody")).to_contain_text(translate("will be registered", look.language))
    page.locator("form:has(input[name=sure]) button").click()
    page.wait_for_url("**/orders/*?done=requested")
    expect(page.locator("main")).to_contain_text(serial)
    context.close()


_DROP = """(form, names) => {
  const dataTransfer = new DataTransfer();
  for (const name of names) dataTransfer.items.add(new File(["serial\\nN-1\\n"], name));
  form.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}"""


def test_of_two_files_dropped_none_is_taken_and_one_is_read(
    browser: Browser, site: Served, venue
) -> None:
    context, page = opened(browser, site, Look(DESK, "light", "en"))
    page.goto(f"{site.address}/orders/bulk")
    page.check("input[name=decision_rule][value=simple]")
    form, field = page.locator("form[data-drop]"), page.locator("#file")
    form.evaluate(_DROP, ["one.csv", "two.csv"])
    assert field.evaluate("e => e.validationMessage") == "Drop one file: CSV or XLSX."
    assert field.evaluate("e => e.files.length") == 0
    with page.expect_navigation():
        form.evaluate(_DROP, ["one.csv"])
    expect(page.locator("tbody tr")).to_have_count(1)
    context.close()


@LOOKS
def test_an_overdue_instrument_is_requested_in_two_taps(
    browser: Browser, site: Served, venue, look: Look
) -> None:
    with context_for(site.world) as ctx:
        item = builders.an_instrument(
            ctx, site.world.catalogue, model_id=venue[0].model_id, customer_id=venue[0].customer_id
        )
    context, page = opened(browser, site, look)
    taps = 0
    for target in (
        f"a[href='/orders/quick?chosen={item.id}']",
        "form[action='/orders/quick'] button",
    ):
        page.locator(target).last.click()
        taps += 1
        page.wait_for_load_state()
    page.wait_for_url("**/orders/*?done=requested")
    assert taps == 2
    expect(page.locator("main")).to_contain_text(translate("What happens next", look.language))
    context.close()


@LOOKS
def test_a_photo_of_a_label_leads_to_the_instrument(
    browser: Browser, site: Served, venue, look: Look, tmp_path: Path
) -> None:
    def photo(text: str) -> dict[str, object]:
        file = io.BytesIO()
        segno.make(text, error="m", micro=False).save(file, kind="png", scale=6, border=4)
        return {"name": "label.png", "mimeType": "image/png", "buffer": file.getvalue()}

    context, page = opened(browser, site, look)
    page.locator("a[href='/scan']").first.click()
    page.wait_for_url("**/scan")
    own = f"{site.address}/instruments?text={venue[1].barcode}"
    page.set_input_files("[data-photo]", photo(own))
    page.wait_for_url(f"**/instruments/{venue[1].id}")
    page.goto(f"{site.address}/scan")
    page.set_input_files("[data-photo]", photo("https://elsewhere.example/x"))
    page.wait_for_url("**/scan?code=**")
    expect(page.locator(".note")).to_contain_text("elsewhere.example")
    page.fill("#code", venue[1].serial)
    page.click("[data-typed] button")
    page.wait_for_url(f"**/instruments/{venue[1].id}")
    context.close()


def test_a_word_is_told_on_hover_focus_and_tap(browser: Browser, site: Served, venue) -> None:
    context, page = opened(browser, site, Look(DESK, "light", "en"))
    page.goto(f"{site.address}/orders/new")
    word = page.locator(".term").first
    tip = page.locator(".tip").first
    expect(tip).to_be_hidden()
    word.hover()
    expect(tip).to_be_visible()
    tip.hover()  # it can be pointed at
    expect(tip).to_be_visible()
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    word.focus()
    expect(tip).to_be_visible()
    described = word.get_attribute("aria-describedby")
    assert described == tip.get_attribute("id")
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    page.keyboard.press("Enter")
    page.wait_for_url("**/glossary#decision-rule")
    context.close()


@LOOKS
def test_no_page_of_the_window_has_a_fault_a_program_can_find(
    browser: Browser, site: Served, venue, look: Look
) -> None:
    asked = f"/orders/quick?chosen={venue[0].id}&chosen={venue[1].id}"
    paths = (
        "/board",
        "/board?sort=due",
        "/orders/bulk",
        asked,
        "/scan",
        "/scan?code=x",
        "/glossary",
    )
    context, page = opened(browser, site, look)
    said: list[str] = []
    page.on("console", lambda one: said.append(one.text) if one.type == "error" else None)
    page.on("pageerror", lambda fault: said.append(str(fault)))
    for path in paths:
        page.goto(site.address + path)
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        said += faults_on(page, path)
    assert said == []
    context.close()
