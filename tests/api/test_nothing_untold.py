"""Every form of every page is sent as a person would fill it: none is answered by a fault.

An act that writes and tells the trail nothing is undone and answered 500; so is whatever else the
program did not expect. Where every form leads is found by following links, not by a list.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from urllib.parse import urlsplit

import pytest

from api.declared import declared
from instruments.policy import STAFF
from instruments.services import orders
from tests.api.test_matrix import filled, numbers_for
from tests.durability.test_audited import unaudited, watched
from tests.house.matrix import routes
from tests.support import builders, issuing
from tests.support.builders import PASSWORD
from tests.support.described import body_of, described, example, richer
from tests.support.door import a_key
from tests.support.matrix_world import a_matrix_world
from tests.support.posted import posts_to
from tests.support.sent_elsewhere import SENT_BY
from tests.support.web import ORIGIN, Browser, Page

pytestmark = pytest.mark.slow
NEW = "four words of bath"
MAIL = "everybody@example.org"
MOST = 5
"""Pages of one kind that are opened."""
TYPED = {
    "date": "2026-03-02", "datetime-local": "2026-03-01T08:00", "email": "new@example.org",
    "number": "1", "url": "https://example.org/other", "password": NEW, "tel": "1",
}  # fmt: skip
NAMED = {
    "old": PASSWORD, "proof_password": PASSWORD, "code": "123456", "serial": "NEW-1",
    "U": "0.1", "low": "0", "high": "50", "k": "2",
    "points": "0", "country": "CN", "time_zone": "Asia/Shanghai", "interval_months": "12",
}  # fmt: skip
ELSEWHERE = {route for tests in SENT_BY.values() for some in tests.values() for route in some}
AWAY = {"/sign-out", "/account/sessions/end-others"}
"""They end what the walk walks with."""


def orders_of(bench):
    """Leave an order requested, one accepted and one received."""
    with bench.as_(issuing.everybody(bench)) as ctx:
        for steps in range(3):
            item = builders.an_instrument(
                ctx, bench.catalogue, model_id=bench.model_id, customer_id=bench.customer_id
            )
            asked = builders.a_request(ctx, item.id, customer_id=bench.customer_id)
            found = orders.request(ctx, asked, catalogue=bench.catalogue)
            if steps:
                found = orders.accept(ctx, found.id, found.version)
            if steps > 1:
                orders.receive(ctx, found.id, found.lines[0].id, "whole")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Return a lab with one of everything, and records and methods in other states beside it."""
    made = a_matrix_world(tmp_path_factory.mktemp("told"))
    bench = made.door.bench
    made.of["draft"] = made.of["own"] | {"calibration_id": issuing.opened(bench).id}
    for state in (issuing.filled, issuing.submitted, issuing.authorised):
        made.of[state.__name__] = made.of["own"] | {"calibration_id": state(bench)}
    orders_of(bench)
    builders.a_person(
        bench.engine, bench.lab_id, tuple(sorted(STAFF)), email=MAIL, password=PASSWORD
    )
    browser = Browser(made.door.app)
    browser.client.headers["origin"] = ORIGIN
    entered = browser.client.post("/sign-in", data={"email": MAIL, "password": PASSWORD})
    name, _, rest = entered.headers["set-cookie"].partition("=")
    browser.client.cookies.clear()  # it is for https alone, and nobody listens here
    browser.client.cookies.set(name, rest.partition(";")[0])
    assert browser.post("/account/prove", proof_password=PASSWORD).status == 303
    browser.post("/account/tokens", name="program", days="90")
    made.clients["everybody"] = browser.client
    made.mine["everybody"] = {}
    made.keep()
    yield made
    made.door.bench.engine.dispose()


def kinds(app):
    """Return pattern and name of every address of pages, in the order they are matched."""
    found = []
    for method, path, _act in declared(app):
        pattern = re.sub(r"\{[^}]*\}", "[^/]+", re.sub(r"\{[^}:]*:path\}", ".+", path))
        found.append((method, re.compile(pattern), path))
    return found


def kind_of(known, method, path):
    return next((name for m, pattern, name in known if m == method and pattern.fullmatch(path)), "")


def pages_of(client, known):
    """Yield the pages that links lead to, a few of each kind."""
    waiting, opened, met = deque(["/"]), Counter(), {"/"}
    while waiting:
        address = waiting.popleft()
        answer = client.get(address)
        assert answer.status_code < 500, address
        if answer.status_code in (302, 303):
            links = [answer.headers["location"]]
        elif "text/html" in answer.headers.get("content-type", ""):
            page = Page(answer)
            yield address, page
            links = page.document.xpath("//a/@href")
        else:
            continue
        for href in links:
            to = urlsplit(href)
            kind = kind_of(known, "GET", to.path)
            if to.netloc or not kind or href in met or opened[kind] >= MOST:
                continue
            met.add(href)
            opened[kind] += 1
            waiting.append(href.split("#")[0])


def value_of(field, *, full):
    """Return what a person types into a field; None where it is left as it is."""
    name, kind = field.get("name"), field.get("type", "text")
    if field.tag == "select":
        chosen = field.xpath("./option[@selected]/@value") or [""]
        others = [one for one in field.xpath("./option/@value") if one]
        wanted = full or field.get("required") is not None
        if full and others:
            return others[-1]
        return chosen[0] or (others[0] if others and wanted else "")
    held = field.text or "" if field.tag == "textarea" else field.get("value", "")
    if held or not (full or field.get("required") is not None):
        return held
    number = "1" if field.get("inputmode") in ("decimal", "numeric") else f"words {name}"
    return NAMED.get(name) or TYPED.get(kind) or number


def sendings(page, address):
    """Yield where each form of a page goes and what is sent, sparingly and in full."""
    for form in page.document.xpath("//main//form[@method='post']"):
        buttons = form.xpath(".//button[not(@type='button')]") or [None]
        for button in buttons:
            for full in (False, True):
                fields = {}
                for field in form.xpath(".//input[@name] | .//select[@name] | .//textarea[@name]"):
                    kind = field.get("type", "text") if field.tag == "input" else field.tag
                    if kind in ("file", "submit") or field.get("disabled") is not None:
                        continue
                    if kind in ("checkbox", "radio"):
                        if full or field.get("checked") is not None:
                            fields[field.get("name")] = field.get("value", "on")
                        continue
                    fields[field.get("name")] = value_of(field, full=full)
                action = form.get("action") or urlsplit(address).path
                if button is not None:
                    action = button.get("formaction") or action
                    if button.get("name"):
                        fields[button.get("name")] = button.get("value", "")
                yield urlsplit(action).path, fields


def is_done(answer):
    """Answer whether what a form asked for was done: some pages show a secret after it."""
    return answer.status_code == 303 or (
        answer.status_code == 200 and not Page(answer).document.xpath("//*[@class='problem']")
    )


def test_every_form_that_links_lead_to_is_sent_and_none_meets_a_fault(world):
    client = world.clients["everybody"]
    known = kinds(world.door.app)
    done, faults, sent = Counter(), [], Counter()
    for address, page in list(pages_of(client, known)):
        for path, fields in sendings(page, address):
            kind = kind_of(known, "POST", path)
            what = (kind, tuple(sorted(fields.items())) if "{" not in kind else path)
            if kind in AWAY or sent[what] >= 2:  # sparingly and in full
                continue
            sent[what] += 1
            answer = client.post(path, data=fields)
            if answer.status_code >= 500:
                faults.append((path, fields, answer.text[:300]))
            if is_done(answer):
                done[kind] += 1
                world.put_back()
    assert not faults, faults
    forms = {path for method, path, _ in routes() if method == "POST" and "/api/" not in path}
    missing = forms - set(done) - ELSEWHERE
    assert not missing, "\n".join(sorted(missing))


def test_what_no_walk_sends_is_sent_by_the_test_that_is_named():
    untrue = [
        f"{file}::{test} sends nothing to {route}"
        for file, tests in SENT_BY.items()
        for test, some in tests.items()
        for route in some
        if not posts_to(f"{file}::{test}", route)
    ]
    assert not untrue, "\n".join(untrue)
    forms = {path for method, path, _ in routes() if method == "POST" and "/api/" not in path}
    assert not ELSEWHERE - forms, "no such form any more"
    once = "api/test_signing.py::test_the_page_asks_once_and_signs"
    assert not posts_to(once, "/orders/{order_id}/finish")  # the check itself
    assert not posts_to("api/test_signing.py::test_nothing", "/calibrations/{id}/sign")


def whoever_may(world, path):
    return world.clients["regulator" if path.startswith("/api/v1/oversight/") else "everybody"]


def test_no_json_door_that_writes_meets_a_fault(world):
    faults = []
    for method, path, _act in routes():
        if method == "GET" or not path.startswith("/api/"):
            continue
        client = whoever_may(world, path)
        operation = described()["paths"][path][method.lower()]
        numbers = numbers_for(world, "everybody", "own")
        schema = body_of(operation)
        body = example(schema) if schema else None
        if isinstance(body, dict):
            body |= {name: number for name, number in numbers.items() if name in body}
            body |= {"second_person_id": numbers["person_id"]} if "second_person_id" in body else {}
        for version in range(1, 4):
            headers = {**a_key(), "If-Match": f'"{version}"'}
            answer = client.request(method, filled(path, numbers), json=body, headers=headers)
            if answer.status_code >= 500:
                faults.append((method, path, answer.text[:300]))
            if answer.status_code < 300:
                world.put_back()
    assert not faults, faults


IN_STATE = {"submit": "filled", "review": "submitted", "authorise": "submitted"}
"""In which state a record is for an act that no draft allows."""
TAKEN = 68
"""Fields that came with a body that was taken; the others are refused by what they mean."""


def tried(client, method, path, body):
    """Send a body, with the version that is in force where one is asked for."""
    for version in range(1, 6):
        headers = {**a_key(), "If-Match": f'"{version}"'}
        answer = client.request(method, path, json=body, headers=headers)
        if answer.status_code != 412:
            break
    return answer


def test_every_field_of_every_json_door_is_sent_and_what_changes_is_told(world):
    faults, untold, taken, left = [], [], set(), set()
    for method, path, _act in routes():
        if method == "GET" or not path.startswith("/api/"):
            continue
        client = whoever_may(world, path)
        schema = body_of(described()["paths"][path][method.lower()])
        if not schema:
            continue
        numbers = numbers_for(world, "everybody", IN_STATE.get(path.rpartition("/")[2], "own"))
        if "/calibrations/{" in path and path.rpartition("/")[2] not in IN_STATE:
            numbers = numbers_for(world, "everybody", "draft")
        for body in richer(schema, numbers):
            with watched(world.door.bench.engine) as done:
                answer = tried(client, method, filled(path, numbers), body)
            fields = {(method, path, name) for name in body} if isinstance(body, dict) else set()
            if answer.status_code >= 500:
                faults.append((method, path, body, answer.text[:300]))
            untold += [(method, path, body, tables) for tables in unaudited(done)]
            (taken if answer.status_code < 300 else left).update(fields)
            if any(done):
                world.put_back()
    assert not faults, faults
    assert not untold, untold
    assert len(taken) >= TAKEN, "\n".join(map(str, sorted(left - taken)))
