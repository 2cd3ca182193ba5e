"""Forms that no walk fills: each is sent as its page or script sends it, and the act is told."""

from __future__ import annotations

import dataclasses
import re

import pytest
from sqlalchemy import select

from calib.services import issue, lookup, readings
from instruments.records.audit import AuditEvent
from instruments.services import approval_rules, instruments, orders, second_factor
from instruments.tenancy import installation_session
from tests.support import issuing, signing
from tests.support.authenticator import Authenticator
from tests.support.benched import an_authorised, fill, with_address
from tests.support.builders import (
    PASSWORD,
    a_customer,
    a_person,
    a_request,
    an_instrument,
    context_for,
)
from tests.support.side import current, drafts
from tests.support.web import Browser, TestClient, a_sign_in

BASE = "https://calib.example.org"
MAIL = "hu@example.org"


def acts_of(world) -> list[str]:
    with installation_session(world.engine, read_only=True) as session:
        return list(session.scalars(select(AuditEvent.act).order_by(AuditEvent.id)))


@pytest.fixture
def work(world):
    with_address(world)
    return drafts(world, 2)


@pytest.fixture
def technician(app, world):
    return Browser(app, a_sign_in(world, "technician"))


def sent(ids, value="35.04"):
    slot = {
        "measurand": "temperature", "stage": "as_found", "piece": 0, "point": "35.0",
        "input": "t_ref", "place": 0, "value": value, "revision": 0,
    }  # fmt: skip
    return {"records": [{"calibration_id": id_, "entries": [slot]} for id_ in ids]}


def test_readings_side_by_side_are_tried_and_entered(technician, world, work):
    told = len(acts_of(world))
    tried = technician.client.post("/calibrations/side/live", json=sent(work))
    assert set(tried.json()["records"]) == {str(id_) for id_ in work}
    assert current(world, work[0]) == {}
    assert len(acts_of(world)) == told
    done = technician.client.post("/calibrations/side/readings", json=sent(work))
    assert [one["ok"] for one in done.json()["records"].values()] == [True, True]
    assert {tuple(current(world, id_).values()) for id_ in work} == {("35.04",)}
    assert acts_of(world)[told:] == ["calibration:readings:enter"] * 2


def version(world, id_):
    with context_for(world, read_only=True) as ctx:
        return readings.get_calibration(ctx, id_).version


def test_circumstances_side_by_side_are_noted_and_handed_over(technician, world, work):
    with context_for(world) as ctx:
        for id_ in work:
            fill(ctx, id_)
    given = {f"version/{id_}": str(version(world, id_)) for id_ in work}
    noted = technician.post(
        "/calibrations/side/facts", id=[str(id_) for id_ in work], place="site", **given
    )
    assert noted.status == 303, noted.words()
    given = {f"version/{id_}": str(version(world, id_)) for id_ in work}
    done = technician.post("/calibrations/side/submit", id=[str(id_) for id_ in work], **given)
    assert done.location.startswith("/calibrations?state=submitted")
    with context_for(world, read_only=True) as ctx:
        found = [readings.get_calibration(ctx, id_) for id_ in work]
    assert [(one.place, one.state) for one in found] == [("site", "submitted")] * 2
    assert acts_of(world).count("calibration:record:submitted") == 2


def test_an_order_is_finished_and_given_back_by_form(browser, world):
    with context_for(world) as ctx:
        item = an_instrument(ctx, world.catalogue)
        order = orders.request(ctx, a_request(ctx, item.id), catalogue=world.catalogue)
        orders.accept(ctx, order.id, order.version)
        orders.receive(ctx, order.id, order.lines[0].id, "whole")
        seen, line = orders.get_order(ctx, order.id), order.lines[0].id
    assert browser.post(f"/orders/{order.id}/finish", version=seen.version).status == 303
    done = browser.post(f"/orders/{order.id}/give-back", version=seen.version + 1, line=str(line))
    assert done.status == 303
    with context_for(world, read_only=True) as ctx:
        assert orders.get_order(ctx, order.id).state == "returned"
    assert acts_of(world)[-2:] == ["registry:order:finish", "registry:order:give_back"]


def test_an_instrument_passes_to_another_customer_by_form(browser, world):
    with context_for(world) as ctx:
        taker = a_customer(ctx, name_en="West Station").id
        item = an_instrument(ctx, world.catalogue)
    done = browser.post(
        f"/instruments/{item.id}/transfer", version=str(item.version), to_customer_id=str(taker),
        transfer_reason="sold", consent="letter of 2 March",
    )  # fmt: skip
    assert done.location == f"/instruments/{item.id}?done=saved", done.words()
    with context_for(world, read_only=True) as ctx:
        assert instruments.get_instrument(ctx, item.id).customer_id == taker
    assert "registry:instrument:transfer" in acts_of(world)


@pytest.fixture
def reserved(world, work):
    """Return a number that is reserved and whose file was never made."""
    sun = a_person(world.engine, world.lab_id, name="Sun")
    id_ = an_authorised(world, sun)
    with context_for(world, person_id=sun) as ctx:
        seen = issuing.version_of(ctx, id_)
        made = issue.reserve(ctx, id_, seen, idempotency_key="once", public_base=BASE)
    return made.certificate_id


def test_a_reserved_number_is_voided_by_form(app, world, reserved):
    second = a_person(world.engine, world.lab_id, name="Ren")
    signatory = Browser(app, a_sign_in(world, "signatory"))
    done = signatory.post(
        f"/certificates/{reserved}/void", reason="no file", second_person_id=str(second)
    )
    assert done.location == f"/certificates/{reserved}?done=void"
    with context_for(world, read_only=True) as ctx:
        assert lookup.certificate(ctx, reserved).state == "void"
    assert acts_of(world)[-1] == "certificate:certificate:void"


def test_a_colleague_consents_by_form_and_nobody_else(app, world, reserved):
    from tests.api.test_signing import give_passwords

    with context_for(world) as ctx:
        approval_rules.set_rules(ctx, signing.SIGNED)
    ren = a_person(world.engine, world.lab_id, ("reviewer",), name="Ren", email=MAIL)
    signatory = Browser(app, a_sign_in(world, "signatory"))
    proposed = signatory.post(
        f"/certificates/{reserved}/void", reason="no file", second_person_id=str(ren)
    )
    assert proposed.location == f"/certificates/{reserved}?done=proposed"
    give_passwords(world)
    colleague = client_of(app, signed_in(app))
    page = colleague.get(f"/certificates/{reserved}")
    given = {name: page.fields()[name] for name in ("proposal", "challenge")}
    refused = colleague.post(
        f"/certificates/{reserved}/consent", **given, sign_password="guess words"
    )
    assert refused.status in (403, 422)
    assert "guess words" not in refused.text
    done = colleague.post(f"/certificates/{reserved}/consent", **given, sign_password=PASSWORD)
    assert done.location == f"/certificates/{reserved}?done=saved"
    assert {"certificate:end:consent", "certificate:certificate:void"} <= set(acts_of(world)[-2:])


def signed_in(app, origin: str = "http://testserver"):
    client = TestClient(app, base_url=origin, follow_redirects=False)
    client.headers["origin"] = origin
    entered = client.post("/sign-in", data={"email": MAIL, "password": PASSWORD})
    assert entered.status_code == 303, entered.text[:300]
    return client


def client_of(_app, client) -> Browser:
    browser = Browser.__new__(Browser)
    browser.client = client
    return browser


@pytest.fixture
def hu(world):
    return a_person(world.engine, world.lab_id, ("technician",), email=MAIL, password=PASSWORD)


def test_one_sign_in_is_ended_and_the_other_goes_on(app, hu):
    there, here = signed_in(app), client_of(app, signed_in(app))
    assert here.post("/account/prove", proof_password=PASSWORD).status == 303
    page = here.get("/account")
    forms = page.document.xpath("//form/@action[starts-with(., '/account/sessions/')]")
    ids = [found[1] for form in forms if (found := re.search(r"/(\d+)/end$", form))]
    assert len(ids) == 1
    assert here.post(f"/account/sessions/{ids[0]}/end").location == "/account?done=ended"
    assert there.get("/orders").status_code == 303
    assert here.client.get("/orders").status_code == 200


@pytest.fixture
def by_https(app):
    """Serve under an address for which browsers make passkeys."""
    settings = dataclasses.replace(app.state.wiring.settings, public_url=BASE)
    app.state.wiring = dataclasses.replace(app.state.wiring, settings=settings)
    return app


def test_a_passkey_is_made_proves_and_is_removed(by_https, hu, world):
    browser = client_of(by_https, signed_in(by_https, BASE))
    held = Authenticator(BASE)
    assert browser.post("/account/passkeys/begin").status >= 400  # not before one is known
    assert browser.post("/account/prove", proof_password=PASSWORD).status == 303
    asked = browser.client.post("/account/passkeys/begin").text
    made = browser.post("/account/passkeys", passkey_name="desk", response=held.create(asked))
    assert "These recovery codes are shown only now" in made.words()
    again = client_of(by_https, signed_in_by(by_https, held))
    asked = again.client.post("/account/prove/begin").text
    assert again.post("/account/prove", response=held.get(asked)).status == 303
    codes = again.post("/account/factor/codes")
    assert len([c for c in codes.document.xpath("//code/text()") if c.count("-") == 3]) == 8
    assert again.post("/account/passkeys/1/end").location == "/account?done=ended"
    told = acts_of(world)
    assert {"registry:passkey:register", "registry:passkey:remove"} <= set(told)


def signed_in_by(app, held):
    client = TestClient(app, base_url=BASE, follow_redirects=False)
    client.headers["origin"] = BASE
    asked = client.post("/sign-in/passkey/begin").text
    entered = client.post("/sign-in/passkey", data={"response": held.get(asked)})
    assert entered.status_code == 303, entered.text[:300]
    return client


def test_a_lost_second_factor_is_taken_away_by_form(app, world, hu):
    with context_for(world, "technician", person_id=hu) as ctx:
        second_factor.begin(ctx, issuer="Calib")
    manager = Browser(app, a_sign_in(world, "manager"))
    assert manager.post(f"/lab/people/{hu}/factor").location.endswith("done=saved")
    assert acts_of(world)[-1] == "registry:factor:reset"


def test_light_or_dark_is_kept_in_a_cookie_and_told_to_nobody(browser, world):
    before = acts_of(world)
    done = browser.client.post("/theme", data={"theme": "dark", "back": "/orders"})
    assert (done.status_code, done.headers["location"]) == (303, "/orders")
    assert "dark" in done.headers["set-cookie"]
    elsewhere = browser.client.post("/theme", data={"theme": "dark", "back": "//evil.example"})
    assert elsewhere.headers["location"] == "/"
    assert acts_of(world) == before
