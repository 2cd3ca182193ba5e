"""Addresses that are told, behind the three doors: their secret once, their deliveries to see."""

from __future__ import annotations

import pytest

from calib.services.webhook_outbox import send_deliveries
from tests.support import issuing
from tests.support.builders import NOW
from tests.support.door import problem_of
from tests.support.web import Browser, a_sign_in

ADDRESS = "https://hooks.example.org/calib"
EVENTS = ["certificate.issued", "instrument.due"]


@pytest.fixture
def manager(door):
    return door.client(a_sign_in(door.bench.installation, "manager"))


def test_a_program_registers_switches_renews_and_looks(door, manager):
    made = manager.post("/api/v1/webhooks", json={"address": ADDRESS, "events": EVENTS})
    assert made.status_code == 201
    secret = made.json()["secret"]
    listed = manager.get("/api/v1/webhooks")
    assert [one["address"] for one in listed.json()] == [ADDRESS]
    assert listed.json()[0]["events"] == EVENTS
    assert secret not in listed.text
    at = f"/api/v1/webhooks/{made.json()['id']}"
    assert manager.post(f"{at}/secret").json()["secret"] != secret
    issuing.issued(door.bench, door.store, issuing.authorised(door.bench))
    assert [one["state"] for one in manager.get(f"{at}/deliveries").json()] == ["waiting"]
    assert manager.post(f"{at}/state", json={"state": "off"}).json()["state"] == "off"
    assert manager.post(f"{at}/state", json={"state": "ended"}).json()["state"] == "ended"
    assert manager.get("/api/v1/webhooks").json() == []


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org/",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/",
        "https://[::1]/",
    ],
)
def test_an_address_inside_is_not_registered(manager, address):
    answer = manager.post("/api/v1/webhooks", json={"address": address, "events": EVENTS})
    assert answer.status_code in (409, 422)
    assert answer.json()["at"] == "/address"
    assert manager.get("/api/v1/webhooks").json() == []


def test_technicians_and_other_labs_see_none(door, manager):
    made = manager.post("/api/v1/webhooks", json={"address": ADDRESS, "events": EVENTS}).json()
    technician = door.as_(door.bench.technician)
    problem_of(technician.get("/api/v1/webhooks"), 403, "role-missing")
    problem_of(manager.get(f"/api/v1/webhooks/{made['id'] + 1}/deliveries"), 404, "not-found")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_shows_the_secret_once_and_what_became_of_messages(door, language):
    browser = Browser(door.app, a_sign_in(door.bench.installation, "manager"), language)
    made = browser.post("/lab/webhooks", address=ADDRESS, events=EVENTS)
    (secret,) = made.document.xpath("//code[@class='break']/text()")
    assert secret.startswith("whsec_")
    issuing.issued(door.bench, door.store, issuing.authorised(door.bench))

    class Broken:
        def send(self, *_of):
            return 503

    send_deliveries(door.bench.engine, Broken(), lambda: NOW)
    page = browser.get("/lab/webhooks")
    assert secret not in page.text
    assert ADDRESS in page.words()
    (link,) = page.document.xpath("//th/a/@href")
    seen = browser.get(link).words()
    assert "certificate.issued:1" in seen
    assert "503" in seen
    assert browser.post(f"{link}/secret").status == 200
    assert browser.post(f"{link}/state", state="off").location == "/lab/webhooks?done=saved"
    again = browser.post(f"{link}/state", state="off")
    assert again.status == 422
    refused = browser.post("/lab/webhooks", address="https://10.0.0.1/", events=EVENTS)
    assert refused.status == 422
    assert refused.problem("address")


def test_commands_do_the_same(calib, door_at_terminal):
    token = a_sign_in(door_at_terminal.bench.installation, "manager")
    made = calib.asked("webhook", "add", ADDRESS, "--event", "instrument.due", "--token", token)
    assert made["secret"].startswith("whsec_")
    (row,) = calib.asked("webhook", "list", "--token", token)
    assert (row["address"], row["events"]) == (ADDRESS, ["instrument.due"])
    renewed = calib.asked("webhook", "secret", row["id"], "--token", token)
    assert renewed["secret"] != made["secret"]
    assert calib.asked("webhook", "deliveries", row["id"], "--token", token) == []
    assert (
        calib.asked("webhook", "switch", row["id"], "ended", "--token", token)["state"] == "ended"
    )
    assert calib("webhook", "add", "http://10.0.0.1/", "--token", token) == 1
