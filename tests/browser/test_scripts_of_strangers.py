"""Texts that would be scripts, on pages in a real browser: none of them begins."""

from __future__ import annotations

import pytest

from instruments.services import customers
from tests.support.builders import context_for
from tests.support.hostile_texts import CALL, XSS
from tests.support.served import sign_in

pytestmark = pytest.mark.browser


def test_no_text_of_a_customer_runs(browser, site):
    ids = []
    with context_for(site.world) as ctx:
        for text in XSS:
            made = customers.create_customer(
                ctx, name_en=text, name_zh=text, address=text, contact=text, kind="other"
            )
            ids.append(made.id)
    context = browser.new_context()
    context.add_init_script("window.alert = () => { window.ran = true; }")
    page = sign_in(context, site, "technician")
    opened: list[str] = []
    page.on("dialog", lambda dialog: (opened.append(dialog.message), dialog.dismiss()))
    for path in ("/customers", *(f"/customers/{id_}" for id_ in ids[::6])):
        page.goto(site.address + path)
        page.mouse.move(200, 200)
        assert CALL in page.content()
        assert page.evaluate("window.ran") is None, path
    assert opened == []
    context.close()
