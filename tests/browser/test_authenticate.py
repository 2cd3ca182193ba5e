"""The page for authenticating in a real browser: without a network, against clones, on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from calib.services import issue
from tests.support.looks import DESK, PHONE, Look, a_context, faults_on, in_looks
from tests.support.sealed_site import SealedSite, sealed_site

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def genuine(tmp_path_factory, chromium: str) -> Iterator[SealedSite]:
    with sealed_site(tmp_path_factory.mktemp("genuine")) as running:
        yield running


@pytest.fixture(scope="module")
def cloned(tmp_path_factory, chromium: str) -> Iterator[SealedSite]:
    """Serve the same look under another name, with keys of its own."""
    with sealed_site(tmp_path_factory.mktemp("cloned"), "localhost") as running:
        yield running


@pytest.fixture(scope="module")
def first(genuine: SealedSite) -> issue.IssuedView:
    return genuine.issued()


@dataclass
class Phone:
    """A browser that opened the page once."""

    context: BrowserContext
    page: Page
    sent: list[str]
    """Requests that carried anything."""

    def choose(self, name: str, content: bytes, kind: str = "application/pdf") -> None:
        """Choose a file."""
        self.page.set_input_files(
            "#file", [{"name": name, "mimeType": kind, "buffer": content}], timeout=5000
        )

    def scan(self, picture: bytes) -> None:
        """Choose a photo of a code."""
        self.choose("photo.png", picture, "image/png")

    def says(self, verdict: str) -> None:
        """Wait for the verdict."""
        expect(self.page.locator("[data-verdict]")).to_have_attribute("data-verdict", verdict)

    def step(self, id_: str, state: str) -> None:
        """Look at the state of a step."""
        expect(self.page.locator(f"[data-step={id_}]")).to_have_class(state)


@pytest.fixture
def phone(browser: Browser, genuine: SealedSite, first) -> Iterator[Phone]:
    context = browser.new_context(
        locale="en-GB", viewport={"width": PHONE[0], "height": PHONE[1]}, has_touch=True
    )
    yield opened(context, genuine)
    context.close()


def opened(context: BrowserContext, site: SealedSite) -> Phone:
    context.clock.set_fixed_time(site.clock())
    page = context.new_page()
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.url) if one.method != "GET" else None)
    page.goto(f"{site.address}/authenticate")
    expect(page.locator("[data-kept=yes]")).to_be_visible()
    expect(page.locator("[data-pin]")).to_have_count(1)
    return Phone(context, page, sent)


def test_a_code_is_scanned_from_a_rendered_certificate_without_a_network(phone, genuine, first):
    phone.context.set_offline(True)
    phone.page.goto(f"{genuine.address}/authenticate")
    phone.scan(genuine.picture(first))
    phone.says("valid")
    for step in ("mark", "host", "status"):
        phone.step(step, "established")
    assert first.number in phone.page.locator(".compare").inner_text()
    assert phone.sent == []


def test_without_a_network_an_old_list_says_nothing(phone, genuine, first):
    phone.context.set_offline(True)
    phone.context.clock.set_fixed_time(genuine.clock() + timedelta(days=2))
    phone.page.goto(f"{genuine.address}/authenticate")
    expect(phone.page.locator("[data-stale]")).to_be_visible()
    phone.scan(genuine.picture(first))
    phone.says("cannot_tell")
    phone.step("mark", "established")
    phone.step("status", "not_established")


def test_a_code_of_a_cloned_site_is_warned_of(phone, cloned):
    copy = cloned.issued()
    phone.context.set_offline(True)
    phone.scan(cloned.picture(copy))
    phone.says("invalid")
    phone.step("mark", "contradicted")
    phone.step("host", "contradicted")
    warned = phone.page.locator("[data-step=host]").inner_text()
    assert cloned.host in warned
    assert "telephone" in warned
    assert phone.page.locator("[data-result] .sign.green").count() == 0


def test_a_genuine_mark_behind_the_address_of_a_clone_is_warned_of(phone, genuine, cloned, first):
    copied = genuine.code(first).replace(genuine.host, cloned.host)
    phone.page.get_by_text("Type or paste").click()
    phone.page.fill("#code", copied)
    phone.page.click("[data-check]")
    phone.says("invalid")
    phone.step("host", "contradicted")
    phone.page.fill("#code", genuine.code(first))
    phone.page.click("[data-check]")
    phone.says("valid")


def test_a_clone_that_hands_out_the_genuine_bundle_is_told(browser, genuine, cloned):
    context = browser.new_context(locale="en-GB")
    bundle = context.request.get(f"{genuine.address}/.well-known/calib-trust").body()
    context.route("**/.well-known/calib-trust", lambda route: route.fulfill(body=bundle))
    page = context.new_page()
    page.goto(f"{cloned.address}/authenticate")
    expect(page.get_by_role("alert")).to_contain_text(f"came from {cloned.host}")
    expect(page.locator("[data-pin]")).to_have_count(0)
    context.close()


def test_another_bundle_is_never_taken_silently(phone, genuine, cloned):
    known = phone.page.locator("[data-pin] .fingerprint").inner_text()
    bundle = phone.context.request.get(f"{cloned.address}/.well-known/calib-trust").body()
    phone.context.route("**/.well-known/calib-trust", lambda route: route.fulfill(body=bundle))
    phone.choose("trust.json", bundle, "application/json")
    offered = phone.page.locator("[data-offer]")
    expect(offered).to_contain_text(cloned.host)
    expect(phone.page.locator("[data-pin]")).to_have_count(1)
    assert phone.page.locator("[data-pin] .fingerprint").inner_text() == known
    offered.get_by_role("button", name="Trust it from now on").click()
    expect(phone.page.locator("[data-pin]")).to_have_count(2)
    copy = cloned.issued()
    phone.choose("status.txt", cloned.wired.publisher.status_files.read("list") or b"")
    phone.scan(cloned.picture(copy))
    phone.says("valid")


def test_a_fingerprint_is_compared(phone):
    shown = phone.page.locator("[data-pin] .fingerprint").inner_text()
    field = phone.page.locator("[data-pin] input")
    answer = phone.page.locator("[data-pin] [role=status]")
    field.fill(shown.upper())
    expect(answer).to_contain_text("The same")
    field.fill(shown[:20])
    expect(answer).to_contain_text("of 64")
    field.fill("ff" + shown[2:] if shown[:2] != "ff" else "00" + shown[2:])
    expect(answer).to_contain_text("Not the same")


def test_a_file_is_checked_where_it_is_and_sent_by_one_button_alone(phone, genuine, first):
    pdf = genuine.file(first)
    phone.choose("certificate.pdf", pdf)
    phone.says("valid")
    phone.step("log", "established")
    phone.choose("certificate.pdf", pdf[:-5] + b"x" + pdf[-4:])
    phone.says("cannot_tell")
    phone.choose("dcc.xml", genuine.file(first, "dcc"), "text/xml")
    phone.step("log", "established")
    assert phone.sent == []
    phone.choose("certificate.pdf", pdf)
    phone.says("valid")
    phone.page.click("[data-send]")
    expect(phone.page.locator("h1")).to_contain_text("What this server found")
    expect(phone.page.locator(".checks > li.established")).not_to_have_count(0)
    assert "computed again" in phone.page.locator(".checks").inner_text()
    assert [url.rpartition("/")[2] for url in phone.sent] == ["authenticate"]


def test_a_proof_of_another_certificate_is_refused(phone, genuine, first):
    other = genuine.issued()
    proof = phone.context.request.get(f"{genuine.address}/c/{other.token}/proof").body()
    files = [
        {"name": "certificate.pdf", "mimeType": "application/pdf", "buffer": genuine.file(first)},
        {"name": "other.tlog-proof", "mimeType": "text/plain", "buffer": proof},
    ]
    phone.page.set_input_files("#file", files)
    phone.says("invalid")
    phone.step("log", "contradicted")


def test_a_withdrawn_certificate_is_told_once_the_list_is_loaded(phone, genuine):
    view = genuine.issued()
    phone.scan(genuine.picture(view))
    phone.says("valid")
    bench = genuine.bench
    with bench.as_(bench.signatory) as ctx:
        issue.withdraw(ctx, view.certificate_id, "standard was wrong", bench.reviewer.id)
    genuine.clock.now += timedelta(seconds=2)
    genuine.publish()
    phone.context.clock.set_fixed_time(genuine.clock())
    phone.page.click("[data-renew]")
    phone.scan(genuine.picture(view))
    phone.says("withdrawn")


def test_the_page_behind_the_code_shows_what_the_code_says_and_leads_on(phone, genuine, first):
    phone.page.goto(genuine.code(first))
    own = phone.page.locator("[data-own-code]")
    expect(own).to_contain_text(first.number)
    own.get_by_role("link").click()
    phone.says("valid")
    phone.page.goto(f"{genuine.address}/c/{first.token}")
    expect(phone.page.locator("[data-own-code]")).to_contain_text("no signed mark")


def test_what_is_no_code_is_said_to_be_none(phone):
    from tests.support.sealed_site import picture_of

    blank = picture_of(_blank(), 1)
    phone.scan(blank)
    expect(phone.page.locator("[data-told]")).to_contain_text("No code was found")
    phone.choose("x.txt", b"nothing of ours", "text/plain")
    phone.says("cannot_tell")
    phone.choose("trust.json", b'{"format": "calib-trust/1"}', "application/json")
    expect(phone.page.locator("[data-told]")).to_contain_text("no trust bundle")


def _blank() -> bytes:
    import io

    import pypdfium2

    document = pypdfium2.PdfDocument.new()
    document.new_page(300, 300)
    file = io.BytesIO()
    document.save(file)
    document.close()
    return file.getvalue()


@in_looks(Look(DESK, "light", "en"), Look(PHONE, "dark", "zh"), Look(PHONE, "light", "en"))
def test_the_pages_have_no_fault_a_program_can_find(
    browser: Browser, genuine: SealedSite, cloned: SealedSite, first, look: Look
) -> None:
    context = a_context(browser, look)
    faults: list[str] = []
    visitor = opened(context, genuine)
    page = visitor.page
    page.on("console", lambda m: faults.append(f"{page.url}: {m.text}") if m.type == "error" else 0)
    page.on("pageerror", lambda problem: faults.append(str(problem)))
    faults += faults_on(page, "empty")
    visitor.scan(genuine.picture(first))
    visitor.says("valid")
    faults += faults_on(page, "valid")
    visitor.scan(cloned.picture(cloned.issued()))
    visitor.says("invalid")
    faults += faults_on(page, "cloned")
    visitor.choose("certificate.pdf", genuine.file(first))
    visitor.says("valid")
    page.click("[data-send]")
    expect(page.locator(".checks").first).to_be_visible()
    faults += faults_on(page, "examined")
    page.goto(genuine.code(first))
    expect(page.locator("[data-own-code] h2")).to_be_visible()
    faults += faults_on(page, "public")
    context.close()
    assert faults == []
