"""Signing on the page and through the JSON door."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from calib.services import readings
from instruments.records.parties import Person
from instruments.services import approval_rules
from instruments.services.secrets import hash_password
from instruments.tenancy import installation_session
from tests.support import signing
from tests.support.benched import a_draft, a_submitted, fill, with_address
from tests.support.builders import PASSWORD, context_for
from tests.support.web import ORIGIN, Browser, TestClient, a_sign_in

V1 = "/api/v1"


@pytest.fixture
def strict(world):
    """Return the lab with signatures demanded and a password for everybody."""
    with_address(world)
    with context_for(world) as ctx:
        approval_rules.set_rules(ctx, signing.SIGNED)
    return world


def give_passwords(world):
    """Give everybody the usual password."""
    with installation_session(world.engine) as session:
        for person in session.scalars(select(Person)):
            person.password_hash = hash_password(PASSWORD)


def test_the_page_asks_once_and_signs(strict, app):
    record = a_draft(strict)
    with context_for(strict) as ctx:
        fill(ctx, record.id)
    browser = Browser(app, a_sign_in(strict, "technician"))
    give_passwords(strict)
    asked = browser.post(f"/calibrations/{record.id}/sign", meaning="performed")
    page = browser.get(asked.location)
    assert "I performed this work" in page.words()
    assert "SHA-256" in page.words()
    wrong = browser.send(page, sign_password="guess")
    assert wrong.status == 422
    assert "The password is wrong" in wrong.problem("sign_password")
    assert "guess" not in wrong.text
    done = browser.send(wrong, sign_password=PASSWORD)
    assert done.location == f"/calibrations/{record.id}?done=submitted"
    shown = browser.get(done.location).words()
    assert "2026-03-02 16:30:00+08:00" in shown
    assert "by password alone" in shown
    assert browser.get(asked.location).path == f"/calibrations/{record.id}"  # used: leads back


def test_a_draft_with_errors_is_told_before_anybody_signs(strict, app):
    record = a_draft(strict)
    browser = Browser(app, a_sign_in(strict, "technician"))
    page = browser.post(f"/calibrations/{record.id}/sign", meaning="performed")
    assert page.status == 422
    assert "date of the work is missing" in page.words()


def test_what_is_noted_stays_in_the_forms_of_a_page_that_refuses_to_sign(strict, app):
    record = a_draft(strict)
    with context_for(strict) as ctx:
        readings.set_facts(ctx, record.id, record.version, remark="probe replaced")
    browser = Browser(app, a_sign_in(strict, "technician"))
    before = browser.get(f"/calibrations/{record.id}").document
    after = browser.post(f"/calibrations/{record.id}/sign", meaning="performed").document
    for name in ("points/temperature", "remark"):
        (was,), (now,) = (shown.xpath(f"//*[@name='{name}']") for shown in (before, after))
        assert (now.get("value"), now.text) == (was.get("value"), was.text)
    assert after.xpath("//*[@name='remark']")[0].text.strip() == "probe replaced"


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "The ambient temperature while"), ("zh", "未填写测量时的环境温度")],
)
def test_what_is_missing_is_named_in_words_and_leads_to_its_field(strict, app, language, said):
    record = a_draft(strict)
    with context_for(strict) as ctx:
        readings.set_facts(ctx, record.id, record.version, performed_on=ctx.today)
    browser = Browser(app, a_sign_in(strict, "technician"))
    browser.post("/language", language=language)
    page = browser.post(f"/calibrations/{record.id}/sign", meaning="performed")
    links = {a.get("href"): a.text_content() for a in page.document.xpath("//*[@role='alert']//a")}
    assert links["#condition/temperature/start"].startswith(said)
    assert links["#acclimatisation_minutes"]
    assert "relative_humidity while" not in page.words()


def test_without_a_challenge_the_page_signs_nothing(strict, app):
    record = a_draft(strict)
    with context_for(strict) as ctx:
        fill(ctx, record.id)
    browser = Browser(app, a_sign_in(strict, "technician"))
    version = browser.get(f"/calibrations/{record.id}").fields()["version"]
    page = browser.post(f"/calibrations/{record.id}/submit", version=version)
    assert page.status == 422
    assert "has this signed" in page.words()


def client_of(app, token):
    client = TestClient(app, base_url=ORIGIN)
    client.headers["Authorization"] = f"Bearer {token}"
    return client


def test_the_json_door_signs_for_the_owner_of_a_token(strict, app):
    with context_for(strict) as ctx:
        approval_rules.set_rules(ctx, issuing_rules(demanded=False))
    id_ = a_submitted(strict)
    with context_for(strict) as ctx:
        approval_rules.set_rules(ctx, issuing_rules(demanded=True))
    client = client_of(app, a_sign_in(strict, "reviewer"))
    give_passwords(strict)
    path = f"{V1}/calibrations/{id_}"
    tag = {"If-Match": client.get(path).headers["ETag"]}
    unsigned = client.post(f"{path}/review", json={}, headers=tag)
    assert unsigned.json()["code"] == "signature-needed"
    asked = client.post(f"{path}/signatures/challenges", json={"meaning": "reviewed"})
    assert asked.status_code == 201
    shown = asked.json()
    assert set(shown["summary"]) == {"en", "zh"}
    assert len(shown["content_sha256"]) == 64
    assert shown["passkey_options"] is None
    answer = {"challenge": shown["challenge"], "password": "guess"}
    wrong = client.post(f"{path}/review", json={"signature": answer}, headers=tag)
    assert (wrong.status_code, wrong.json()["code"]) == (403, "signature-password-wrong")
    other = client_of(app, a_sign_in(strict, "reviewer"))
    give_passwords(strict)
    answer["password"] = PASSWORD
    foreign = other.post(f"{path}/review", json={"signature": answer}, headers=tag)
    assert foreign.json()["code"] == "signature-challenge-unknown"
    done = client.post(f"{path}/review", json={"signature": answer}, headers=tag)
    assert done.json()["state"] == "reviewed"
    (one,) = client.get(f"{path}/signatures").json()
    assert (one["meaning"], one["signed_local"], one["stands"]) == (
        "reviewed",
        "2026-03-02T16:30:00+08:00",
        True,
    )
    assert one["printed_name"]


def issuing_rules(*, demanded):
    return approval_rules.ApprovalRules(
        keeps_competence=False, demands_signatures=demanded, separates_signatory=False
    )


def test_nobody_without_the_role_is_asked_to_sign(strict, app):
    record = a_draft(strict)
    client = client_of(app, a_sign_in(strict, "manager"))
    asked = client.post(
        f"{V1}/calibrations/{record.id}/signatures/challenges", json={"meaning": "performed"}
    )
    assert asked.json()["code"] == "role-missing"
