# ruff: noqa: E501 -- payloads as they are
"""Pages and errors under attack: texts stay texts, other sites change nothing, nothing leaks.

Every payload is entered where people enter texts; then each page is parsed, not searched: a text
that became an element, an attribute or a script shows in the tree.
"""

from __future__ import annotations

import itertools
import re

import pytest
from lxml import html
from sqlalchemy import func, select

from api.declared import declared
from calib.i18n import translate
from instruments.records.audit import AuditEvent
from instruments.services import customers
from instruments.tenancy import installation_session
from tests.support import issuing
from tests.support.hostile_texts import TEMPLATES, XSS, running
from tests.support.web import ORIGIN, Browser, TestClient, a_sign_in

pytestmark = pytest.mark.slow
COMPUTED = ("1337", "191191191191191191191", "root:x:", "<class ", "uid=")


def test_there_are_enough_payloads():
    assert len(set(XSS)) >= 60
    assert len(set(TEMPLATES)) >= 40


def planted(door, payloads):
    """Enter each payload as text of a customer; the lab bears one too."""
    with door.bench.as_(issuing.everybody(door.bench)) as ctx:
        made = []
        for number, text in enumerate(payloads):
            view = customers.create_customer(
                ctx, name_en=text, name_zh=text, address=text, contact=text, phone="1",
                email=f"x{number}@example.org", kind="other",
            )  # fmt: skip
            made.append((view.id, text))
    return made


PATHS = ("/customers", "/today", "/orders", "/orders/new", "/instruments", "/instruments/new")


def policy_of(response):
    return response.headers["content-security-policy"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_sixty_scripts_in_every_text_run_on_no_page(door, language):
    made = planted(door, XSS)
    browser = Browser(door.app, a_sign_in(door.bench.installation), language)
    pages = [*PATHS, *(f"/customers/{id_}" for id_, _ in made)]
    shown = 0
    for path in pages:
        response = browser.client.get(path, follow_redirects=True)
        if response.status_code != 200:
            continue
        shown += 1
        document = html.fromstring(response.text)
        found = list(running(document))
        assert not found, (path, found)
        assert "unsafe" not in policy_of(response)
        assert "script-src 'self'" in policy_of(response)
    assert shown > len(made)
    for id_, text in made[:60]:
        words = browser.client.get(f"/customers/{id_}").text
        assert " ".join(text.split()) in " ".join(html.fromstring(words).text_content().split())


def test_what_is_typed_and_refused_is_shown_as_text(door):
    browser = Browser(door.app, a_sign_in(door.bench.installation))
    for text in XSS:
        for path, fields in (("/sign-in", {"email": text, "password": text}),
                             ("/lab/webhooks", {"address": text, "events": text})):  # fmt: skip
            page = browser.client.post(path, data=fields)
            assert not list(running(html.fromstring(page.text))), (path, text)
        for path in (f"/authenticate?code={text}", f"/instruments?text={text}", f"/nothing/{text}"):
            page = browser.client.get(ORIGIN + path, follow_redirects=True)
            if page.text.lstrip().startswith("<"):
                assert not list(running(html.fromstring(page.text))), (path, text)


def test_forty_templates_in_texts_are_never_computed(door):
    made = planted(door, TEMPLATES)
    browser = Browser(door.app, a_sign_in(door.bench.installation))
    for id_, text in made:
        page = browser.client.get(f"/customers/{id_}")
        words = html.fromstring(page.text).text_content()
        assert " ".join(text.split()) in " ".join(words.split())
        assert not [one for one in COMPUTED if one in words.replace(text, "")], text


def test_forty_templates_in_a_sentence_stay_what_they_are():
    for text, language in itertools.product(TEMPLATES, ("en", "zh")):
        said = translate("There is no {noun} {id} here. Look it up in the list.", language,
                         noun="customer", id=text)  # fmt: skip
        assert text in said
        assert not [one for one in COMPUTED if one in said.replace(text, "")]


def acts(engine):
    """Return how many acts were done; what was refused is told too, and is none."""
    done = select(func.count()).select_from(AuditEvent).where(~AuditEvent.act.like("access:%"))
    with installation_session(engine, read_only=True) as session:
        return session.scalar(done)


FOREIGN = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://testserver.evil.example"},
    {"Origin": "http://testserver:81"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example", "Content-Type": "text/plain"},
    {"Origin": "https://evil.example", "Content-Type": "application/x-www-form-urlencoded"},
)


def test_no_route_that_writes_takes_anything_from_another_site(door):
    browser = Browser(door.app, a_sign_in(door.bench.installation))
    routes = [(m, p, act) for m, p, act in declared(door.app) if m not in ("GET", "HEAD")]
    before = acts(door.wired.engine)
    asked = 0
    for (method, path, act), headers in itertools.product(routes, FOREIGN):
        if act.startswith("public.") and act != "public.sign_in":
            continue
        answer = browser.client.request(
            method, re.sub(r"{[^}]*}", "1", path), headers=headers, content=b'{"a": "b"}'
        )
        assert answer.status_code >= 400, (method, path, headers, answer.status_code)
        asked += 1
    assert asked > 300
    assert acts(door.wired.engine) == before


def test_json_as_text_from_a_form_is_not_read(door):
    browser = Browser(door.app, a_sign_in(door.bench.installation))
    before = acts(door.wired.engine)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        answer = browser.client.post(
            "/api/v1/customers", headers={"Content-Type": kind, "Origin": ORIGIN},
            content=b'{"name_en": "x", "name_zh": "x", "kind": "other"}',
        )  # fmt: skip
        assert answer.status_code in (415, 422), (kind, answer.text)
    assert acts(door.wired.engine) == before


HEADERS = ("content-security-policy", "x-content-type-options", "referrer-policy",
           "x-frame-options", "cross-origin-opener-policy", "permissions-policy", "cache-control")  # fmt: skip
TELLING = re.compile(
    r"Traceback|File \"|sqlalchemy|sqlite3|psycopg|SELECT |INSERT |/(?:dev|home|root|tmp)/"
    r"|site-packages|\.py\b|line \d+, in "
)


def test_a_thousand_failures_tell_nothing_and_bear_every_header(door):
    routes = list(declared(door.app))
    clients = [
        TestClient(door.app, base_url=ORIGIN, follow_redirects=False, raise_server_exceptions=False)
        for _ in range(2)
    ]
    clients[1].headers["Authorization"] = f"Bearer {a_sign_in(door.bench.installation)}"
    odd = ("999999999999999999999", "0", "-1", "%00", "a'b", "..%2f..%2fetc", "x" * 300, "名")
    asked = failed = 0
    for turn, (client, (method, path, _)) in enumerate(itertools.product(clients * 4, routes)):
        if asked >= 1400:
            break
        value = odd[turn % len(odd)]
        answer = client.request(
            method, re.sub(r"{[^}]*}", value, path), params={"q": value, "limit": value},
            content=b'{"a": [}' if turn % 2 else b"\xff\xfe", headers={"Content-Type": "application/json"},
        )  # fmt: skip
        asked += 1
        if answer.status_code < 400:
            continue
        failed += 1
        text = answer.text.replace(value, "")
        assert not TELLING.search(text), (method, path, value, TELLING.search(text))
        missing = [name for name in HEADERS if name not in answer.headers]
        assert not missing, (method, path, missing)
    assert failed >= 1000
