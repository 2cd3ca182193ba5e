"""Registry, orders and settings in a real browser: nothing a program can find fault with."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from instruments.services import orders
from tests.support import builders
from tests.support.builders import context_for
from tests.support.served import Served, sign_in

pytestmark = pytest.mark.browser
PHONE, DESK = (360, 740), (1360, 900)
SMALL = """[...document.querySelectorAll('main button, main a.button, main select,' +
  'main input:not([type=hidden]):not([type=checkbox]):not([type=radio])')]
  .filter(e => { const r = e.getBoundingClientRect(); return r.width > 2 && r.height < 43.5 })
  .map(e => e.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def paths(site: Served) -> tuple[str, ...]:
    world = site.world
    with context_for(world) as ctx:
        customer = builders.a_customer(ctx).id
        place = builders.a_site(ctx, customer).id
        item = builders.an_instrument(
            ctx, world.catalogue, customer_id=customer, site_id=place, location="gate 2"
        )
        waiting = orders.request(
            ctx, builders.a_request(ctx, item.id), catalogue=world.catalogue
        ).id
        order = builders.an_order(ctx, world.catalogue, item.id).id
        standard = builders.a_standard(ctx).id
    return (
        "/",
        "/customers",
        "/customers/new",
        f"/customers/{customer}",
        f"/customers/{customer}/edit",
        f"/customers/{customer}/sites/new",
        "/models",
        "/models/new",
        "/models/new?type_id=pump.infusion_syringe",
        f"/models/{item.model_id}",
        "/instruments",
        "/instruments?text=nothing-like-it",
        "/instruments/new",
        f"/instruments/{item.id}",
        f"/instruments/labels?id={item.id}",
        "/instruments/import",
        "/standards",
        "/standards/new",
        f"/standards/{standard}",
        f"/standards/{standard}/certificates/new",
        f"/standards/{standard}/certificates/dcc",
        "/orders",
        "/orders/new",
        f"/orders/new?customer_id={customer}",
        f"/orders/{waiting}",
        f"/orders/{order}",
        "/lab",
        "/lab/people",
        "/lab/numbers",
        "/lab/scope",
        "/account",
    )


@pytest.mark.parametrize(
    ("size", "scheme", "language"),
    [(DESK, "light", "en"), (PHONE, "dark", "zh")],
    ids=["desk-light-en", "phone-dark-zh"],
)
def test_no_page_has_a_fault_a_program_can_find(
    browser: Browser, site: Served, paths: tuple[str, ...], size, scheme, language
) -> None:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        locale="zh-CN" if language == "zh" else "en-GB",
    )
    page = sign_in(context, site, "technician")
    faults: list[str] = []
    page.on("console", lambda m: faults.append(f"{page.url}: {m.text}") if m.type == "error" else 0)
    for path in paths:
        answer = page.goto(site.address + path)
        assert answer is not None
        assert answer.status == 200, path
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            faults.append(f"{path}: {wide} px wider than the screen")
        faults += [f"{path}: too small to touch: {html}" for html in page.evaluate(SMALL)]
        found = Axe().run(page).response["violations"]
        faults += [f"{path}: {v['id']} {v['nodes'][0]['html'][:120]}" for v in found]
    context.close()
    assert faults == []


def test_fields_of_a_line_stay_level_when_one_is_refused(browser: Browser, site: Served) -> None:
    context = browser.new_context(locale="en-GB", viewport={"width": 1360, "height": 900})
    page = sign_in(context, site, "technician")
    page.goto(f"{site.address}/customers/new")
    page.evaluate("document.querySelectorAll('form').forEach(form => { form.noValidate = true; })")
    page.fill("#name_en", "Clinic")
    page.fill("#email", "nonsense")
    page.click("main form.card button:not(.second)")
    page.wait_for_selector("#email[aria-invalid=true]")
    boxes = [page.locator(f"#{name}").bounding_box() for name in ("address", "phone", "email")]
    tops = {round(box["y"]) for box in boxes if box}
    context.close()
    assert len(tops) == 1
