"""Registry, orders and settings in a real browser: nothing a program can find fault with."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from instruments.services import orders
from tests.support import builders
from tests.support.builders import context_for
from tests.support.looks import Look, faults_of, in_looks
from tests.support.served import Served, sign_in

pytestmark = pytest.mark.browser


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
        "/lab/competence",
        "/account",
    )


@in_looks()
def test_no_page_has_a_fault_a_program_can_find(
    browser: Browser, site: Served, paths: tuple[str, ...], look: Look
) -> None:
    assert faults_of(browser, site, look, paths, role="technician") == []


@in_looks()
def test_the_page_of_webhooks_has_no_such_fault(browser: Browser, site: Served, look: Look) -> None:
    """Only whoever keeps the laboratory reads it."""
    assert faults_of(browser, site, look, ["/lab/webhooks"], role="manager") == []


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
