"""What a page offers somebody may do: no link and no button leads to a refusal."""

from __future__ import annotations

import functools
import re
from urllib.parse import urlsplit

import pytest

from api.app import create_app
from api.declared import declared
from instruments.policy import BOUND, ROLES, Asker, decide
from tests.support.benched import a_draft, an_authorised, with_address
from tests.support.builders import a_person
from tests.support.web import Browser, a_sign_in

PAGES = (
    "/", "/orders", "/orders/1", "/calibrations", "/calibrations/1", "/calibrations/2",
    "/certificates", "/instruments", "/instruments/1", "/standards", "/standards/1", "/models",
    "/models/1", "/customers", "/customers/1", "/catalogue", "/methods", "/documents", "/board",
    "/lab", "/lab/people", "/lab/numbers", "/lab/scope", "/lab/competence", "/lab/audit",
    "/lab/keys", "/account", "/account/acts",
    "/catalogue/thermometer.infrared_forehead",
)  # fmt: skip


OPEN = "[not(ancestor::fieldset[@disabled])]"


@functools.cache
def acts() -> tuple[tuple[str, re.Pattern[str], str], ...]:
    """Return method, pattern of the path and act of every route, in the order they are matched."""
    found = []
    for method, path, act in declared(create_app(None)):
        parts = re.sub(r"\{[^}:]*:path\}", ".+", path)
        found.append((method, re.compile(re.sub(r"\{[^}]*\}", "[^/]+", parts)), act))
    return tuple(found)


def act_of(method: str, path: str) -> str:
    for known, pattern, act in acts():
        if known == method and pattern.fullmatch(path):
            return act
    raise AssertionError(f"{method} {path} leads nowhere")


def offered(document, path: str):
    """Yield method and path of every link and form of a page."""
    for href in document.xpath("//a/@href"):
        to = urlsplit(href)
        if not to.scheme and to.path and not to.path.startswith("/static/"):
            yield "GET", to.path
    for form in document.xpath("//form"):
        method = (form.get("method") or "get").upper()
        if method == "DIALOG" or not form.xpath(".//button[not(@disabled)]" + OPEN):
            continue
        for action in {form.get("action") or path, *form.xpath(".//@formaction")}:
            yield method, urlsplit(action).path


@pytest.mark.parametrize("role", ROLES)
def test_nothing_is_offered_that_is_refused(world, app, role):
    with_address(world)
    a_draft(world)
    an_authorised(world, a_person(world.engine, world.lab_id, name="Sun"))
    customer = 1 if role in BOUND else None
    browser = Browser(app, a_sign_in(world, role, customer_id=customer))
    asker = Asker(1, frozenset({role}), lab=1, customer=customer)
    dead, seen = [], 0
    for path in PAGES:
        allowed = bool(decide(asker, act_of("GET", path)))
        page = browser.get(path)
        assert (page.status != 403) == allowed, (path, page.status)
        if page.status != 200:
            continue
        for method, to in offered(page.document, page.path):
            seen += 1
            if not decide(asker, act_of(method, to)):
                dead.append(f"{path}: {method} {to}")
    assert seen > 20
    assert not dead, "\n".join(sorted(set(dead)))
