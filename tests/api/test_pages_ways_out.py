"""What a page says when something is refused, and the way on that it offers."""

from __future__ import annotations

import pytest

from calib.i18n import translate
from calib.records.work import Mail
from calib.services import outbox, readings
from instruments.errors import Refused
from instruments.services import customers, labs, orders
from tests.support.benched import a_draft, an_authorised, with_address
from tests.support.builders import a_person, context_for, told
from tests.support.web import ORIGIN, Browser, a_sign_in


@pytest.fixture
def world(world):
    with_address(world)
    return world


@pytest.fixture
def unreachable(world):
    """Return an authorised record whose customer cannot be reached."""
    id_ = an_authorised(world, a_person(world.engine, world.lab_id, name="Sun"))
    with context_for(world) as ctx:
        record = readings.get_calibration(ctx, id_)
        customer = orders.get_order(ctx, record.order_id).customer_id
        known = customers.get_customer(ctx, customer)
        customers.update_customer(ctx, customer, known.version, address="")
    return record, customer


def test_a_refused_issue_says_that_nothing_was_issued_and_where_to_go(browser, unreachable):
    record, customer = unreachable
    page = browser.post(f"/calibrations/{record.id}/issue", version=record.version, key="once")
    assert "No certificate was issued and no number was taken" in page.words()
    assert "Nothing was saved yet" not in page.words()
    assert page.document.xpath("//a[@href=$to]", to=f"/customers/{customer}/edit")


def test_a_refused_submission_does_not_speak_of_things_unsaved(browser, world):
    record = a_draft(world)
    page = browser.post(f"/calibrations/{record.id}/submit", version=record.version)
    assert page.status == 422
    assert "Not submitted yet" in page.words()
    assert "Nothing was saved yet" not in page.words()


@pytest.mark.parametrize(
    ("came_from", "back"),
    [
        (f"{ORIGIN}/orders?state=done", "/orders?state=done"),
        ("https://elsewhere.example/orders", ""),
        (f"{ORIGIN}/orders/99999", ""),
        ("", ""),
    ],
)
def test_an_error_page_leads_back_within_this_site_only(browser, came_from, back):
    answer = browser.client.get("/orders/99999", headers={"Referer": came_from})
    assert answer.status_code == 404
    found = [line for line in answer.text.splitlines() if "Back to where you were" in line]
    assert (f'href="{back}"' in found[0]) if back else not found


@pytest.mark.parametrize(("typed", "meant"), [("35,00", "35.00"), ("abc", ""), ("NaN", "")])
def test_only_a_decimal_is_proposed_instead(browser, world, typed, meant):
    record = a_draft(world)
    entry = {
        "measurand": "temperature",
        "stage": "as_found",
        "piece": 0,
        "point": "35.0",
        "input": "t_ref",
        "place": 0,
        "revision": 0,
        "value": typed,
    }
    answer = browser.client.post(f"/calibrations/{record.id}/readings", json={"entries": [entry]})
    assert answer.status_code == 422
    assert answer.json()["findings"][0]["suggestion"] == meant


def test_sentences_show_the_symbol_of_a_unit():
    said = translate("Got {given}.", "en", given="35 degC (start)", unit="degC", code="degC")
    assert said == "Got 35 °C (start)."
    assert translate("{known}", "en", known="degC, K") == "degC, K"


class Unwanted:
    """A mail server that knows nobody of this name."""

    def send(self, *, recipient: str, **_parts: object) -> None:
        """Refuse for good."""
        raise Refused(
            "mail-refused",
            "The mail server {server} refused the mail to {recipient} for good: {answer}. "
            "Correct the address.",
            facts={"server": "mx", "recipient": recipient, "answer": "550 no such user"},
        )


def test_a_refused_mail_is_sent_again_from_the_page_that_tells_of_it(app, browser, world):
    with context_for(world) as ctx:
        mail = Mail(
            recipient="ward@example.org",
            subject="Due",
            body="Due",
            calendar=None,
            message_id="<due@example.org>",
            made_at=ctx.now,
            next_try_at=ctx.now,
        )
        ctx.session.add(mail)
        told(ctx.session)
    outbox.send_waiting(world.engine, Unwanted(), app.state.wiring.clock)
    page = browser.get("/")
    assert "ward@example.org" in page.words()
    path = "/mails/1/send-again"
    assert page.document.xpath("//form[@action=$to]", to=path)
    operator = Browser(app, a_sign_in(world, "venue_operator", customer_id=1))
    assert operator.post(path).status == 403
    done = browser.post(path)
    assert "goes out again" in browser.get(done.location).words()
    assert not browser.get("/").document.xpath("//form[@action=$to]", to=path)
    assert browser.post(path).status == 409
    mailer = app.state.wiring.mailer
    assert outbox.send_waiting(world.engine, mailer, app.state.wiring.clock).sent == 1


def test_an_order_is_neither_finished_nor_cancelled_while_its_item_is_in_work(browser, world):
    record = a_draft(world)
    path = f"/orders/{record.order_id}"
    page = browser.get(path)
    for act in ("finish", "cancel"):
        assert not page.document.xpath("//form[@action=$to]", to=f"{path}/{act}")
    with context_for(world) as ctx:
        readings.close(ctx, record.id, record.version, "display broken")
    page = browser.get(path)
    assert page.document.xpath("//form[@action=$to]", to=f"{path}/finish")


def test_a_manager_corrects_names_and_authorisation_of_the_lab(browser, world):
    shown = browser.get("/lab")
    done = browser.send(shown, name_zh="新名称", authorisation="(2026) 00009")
    assert done.location == "/lab?done=saved"
    with context_for(world, read_only=True) as ctx:
        lab = labs.get_lab(ctx)
    assert (lab.name.zh, lab.authorisation) == ("新名称", "(2026) 00009")
    refused = browser.send(browser.get("/lab"), name_zh="", name_en="")
    assert "A name is missing" in refused.problem("name_zh")
