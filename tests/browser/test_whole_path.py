"""The whole path by hand in a browser, from the registration to the reminder."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from calib.jobs.tasks import make_due_notices, send_mails
from tests.support.builders import NOW
from tests.support.looks import faults_on
from tests.support.served import Served, paste, served, sign_in

pytestmark = pytest.mark.browser
BLOCK = "\n".join("\t".join([point] * 10) for point in ("35.00", "37.00", "41.00"))
SHOWN = "\n".join(
    "\t".join([a, b] * 5) for a, b in (("35.1", "35.0"), ("37.1", "37.0"), ("41.0", "40.9"))
)


@pytest.fixture
def own_site(tmp_path, chromium):
    with served(tmp_path / "site") as running:
        yield running


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def as_somebody(browser: Browser, own_site: Served, complaints: list[str]):
    contexts: list[BrowserContext] = []

    def enter(role: str) -> Page:
        context = browser.new_context(locale="en-GB", viewport={"width": 1360, "height": 900})
        contexts.append(context)
        page = sign_in(context, own_site, role)
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else 0)
        page.on("pageerror", lambda fault: complaints.append(str(fault)))
        return page

    yield enter
    for context in contexts:
        context.close()


def test_from_the_request_to_the_reminder(own_site, browser, as_somebody, complaints) -> None:
    technician = as_somebody("technician")
    _register(technician, own_site)
    _order(technician)
    record = _measure(technician)
    _approve(as_somebody("reviewer"), record, "Mark as reviewed", "Marked as reviewed")
    signatory = as_somebody("signatory")
    _approve(signatory, record, "Authorise", "Authorised")
    token = _issue(signatory, own_site)
    _take_pack(as_somebody("quality_manager"), own_site, signatory.url)
    _look_up(browser, own_site, token)
    technician.goto(f"{own_site.address}/board")
    expect(technician.locator(".board li")).to_have_class("green")
    expect(technician.locator(".board li")).to_contain_text("Passed")
    assert complaints == []
    _be_reminded(own_site)


def _register(page: Page, site: Served) -> None:
    page.goto(f"{site.address}/customers/new")
    page.fill("#name_zh", "火车东站")
    page.fill("#name_en", "East Railway Station")
    page.select_option("#kind", "transport")
    page.fill("#address", "1 Station Square, Hangzhou")
    page.fill("#email", "station@example.org")
    page.click("main form.card button:not(.second)")
    customer = page.url.partition("?")[0]
    page.goto(f"{customer}/sites/new")
    page.fill("#name_en", "Hall 1")
    page.select_option("#venue_type", "railway_station")
    page.get_by_role("button", name="Save").last.click()
    page.goto(f"{site.address}/models/new?type_id=thermometer.infrared_forehead")
    page.fill("#maker", "Haikang")
    page.fill("#model", "HT-820")
    page.fill("#calibration_mode", "hold SCAN and MODE for 3 s")
    page.locator("[id='resolution/temperature']").fill("0.1")
    page.locator(".actions").get_by_role("button", name="Save").click()
    page.goto(f"{site.address}/instruments/new")
    page.select_option("#model_id", label="Haikang HT-820")
    page.fill("#serial", "HT82-100")
    page.select_option("#customer_id", label="East Railway Station")
    page.select_option("#site_id", index=1)
    page.get_by_role("button", name="Register", exact=True).click()
    expect(page.locator("h1")).to_contain_text("HT-820")


def _order(page: Page) -> None:
    page.get_by_role("link", name="Request service").click()
    page.check("input[name=kind][value=calibration]")
    page.check("input[name=decision_rule][value=simple]")
    page.fill("#interval_months", "12")
    page.check("#print_due")
    page.get_by_role("button", name="Request", exact=True).click()
    page.get_by_role("button", name="Accept", exact=True).click()
    page.fill("#condition", "undamaged, complete")
    page.get_by_role("button", name="Receive the ticked ones").click()
    page.get_by_role("button", name=re.compile("^Start")).click()
    expect(page.get_by_role("heading", name="Readings")).to_be_visible()


def _measure(page: Page) -> str:
    page.fill("#acclimatisation_minutes", "30")
    page.locator("[id='condition/temperature/start']").fill("22.8")
    page.locator("[id='condition/relative_humidity/start']").fill("52")
    page.get_by_role("button", name="Save circumstances").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    paste(page.locator("[data-key='temperature/as_found/0/35.0/t_ref/0']"), BLOCK)
    paste(page.locator("[data-key='temperature/as_found/0/35.0/t_ind/0']"), SHOWN)
    live = page.locator("[data-live]")
    expect(live).to_contain_text("3 of 3 points complete")
    expect(live.get_by_text("Pass", exact=True).first).to_be_visible()
    expect(page.locator("[data-save-state]")).to_contain_text("saved at")
    record = page.url.partition("?")[0].partition("#")[0]
    page.get_by_role("button", name="Submit for review").click()
    expect(page.get_by_text("Submitted. A colleague reviews it now.")).to_be_visible()
    return record


def _approve(page: Page, record: str, button: str, said: str) -> None:
    page.goto(record)
    expect(page.locator("table.results")).to_contain_text("35.0")
    page.get_by_role("button", name=button).click()
    expect(page.get_by_text(said).first).to_be_visible()


def _issue(page: Page, site: Served) -> str:
    assert page.request.get(f"{page.url.partition('?')[0]}/preview-1.png").ok
    page.get_by_role("button", name="Issue the certificate").click()
    expect(page.get_by_text("The certificate is issued.")).to_be_visible()
    href = page.get_by_role("link", name="Open the certificate (PDF)").get_attribute("href")
    answer = page.request.get(f"{site.address}{href}")
    content = answer.body()
    assert content.startswith(b"%PDF")
    assert answer.headers["content-disposition"].startswith("inline")
    assert hashlib.sha256(content).hexdigest() in page.locator("dl.files").inner_text()
    opened = page.get_by_role("link", name="What the QR code opens").get_attribute("href")
    assert opened is not None
    return opened.rpartition("/")[2]


def _take_pack(page: Page, site: Served, certificate: str) -> None:
    """Take everything behind the certificate along, and find that told in the trail."""
    page.goto(certificate)
    with page.expect_download() as taken:
        page.get_by_role("link", name="Audit pack").click()
    with zipfile.ZipFile(taken.value.path()) as pack:
        listed = json.loads(pack.read("manifest.json"))["files"]
        sums = {one["path"]: one["sha256"] for one in listed}
        assert sums == {
            name: hashlib.sha256(pack.read(name)).hexdigest()
            for name in pack.namelist()
            if name != "manifest.json"
        }
        assert pack.read("certificate/certificate.pdf").startswith(b"%PDF")
        assert json.loads(pack.read("record/readings.json"))
    page.get_by_role("link", name="What happened here").click()
    told = page.locator("main tbody th[scope=row]")
    expect(told.filter(has_text="Audit pack taken")).to_have_count(1)
    expect(told.filter(has_text="Certificate issued")).to_have_count(1)
    page.locator("details summary").last.click()
    assert faults_on(page, "/lab/audit") == []


def _look_up(browser: Browser, site: Served, token: str) -> None:
    stranger = browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 800})
    page = stranger.new_page()
    page.goto(f"{site.address}/c/{token}")
    expect(page.locator("h1")).to_contain_text("有效")
    expect(page.locator("h1")).to_contain_text("Valid")
    expect(page.locator("main")).to_contain_text("Laboratory HZ")
    assert stranger.cookies() == []
    stranger.close()


def _be_reminded(site: Served) -> None:
    assert site.clock() == NOW
    make_due_notices(site.wired)
    send_mails(site.wired)
    assert site.mails.received == []
    site.clock.pass_days(335)  # 2027-01-31, thirty days before it falls due
    make_due_notices(site.wired)
    send_mails(site.wired)
    assert {mail["To"] for mail in site.mails.received} == {
        "station@example.org",
        "office@lab.example.org",
    }
    told = next(mail for mail in site.mails.received if mail["To"] == "station@example.org")
    words = told.get_body(("plain",))
    assert words is not None
    assert "HT82-100" in words.get_content()
