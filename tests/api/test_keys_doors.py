"""Ending a key on its page and through the JSON doors: never by one session alone."""

from __future__ import annotations

import pytest

from calib.adapters.signing_files import FileVault
from calib.services import keys
from instruments.services import signin
from tests.api.test_signing import client_of, give_passwords
from tests.support import builders
from tests.support.builders import PASSWORD, context_for
from tests.support.door import a_key
from tests.support.keyed import HOUSE, PASSPHRASE
from tests.support.web import Browser, a_sign_in

V1 = "/api/v1/keys"


@pytest.fixture
def second(world):
    """Return a colleague who may consent."""
    return builders.a_person(world.engine, world.lab_id, ("reviewer",), name="Ren")


@pytest.fixture
def key(world, second, tmp_path):
    vault = FileVault(tmp_path / "keys", lambda: PASSPHRASE)
    with context_for(world, "manager") as ctx:
        return keys.make_key(ctx, vault, HOUSE, "mark", second)


def token_of(world, person_id):
    with context_for(world, "reviewer", person_id=person_id) as ctx:
        return signin.make_token(ctx, name="colleague")


def test_the_page_proposes_and_the_colleague_consents(world, app, key, second):
    boss = Browser(app, a_sign_in(world, "manager"))
    page = boss.get("/lab/keys")
    assert "Codes on certificatesin use" in page.words()
    done = boss.post(f"/lab/keys/{key.id}/retire", reason="new one", second_person_id=str(second))
    assert done.location == "/lab/keys?done=proposed"
    assert "in use" in boss.get("/lab/keys").words()
    assert "Waits for Ren" in boss.get("/lab/keys").words()
    colleague = Browser(app, token_of(world, second))
    give_passwords(world)
    page = colleague.get("/lab/keys")
    fields = page.fields()
    wrong = colleague.post(
        f"/lab/keys/{key.id}/consent",
        proposal=fields["proposal"], challenge=fields["challenge"], sign_password="guess",
    )  # fmt: skip
    assert wrong.status in (403, 422)
    assert "guess" not in wrong.text
    done = colleague.post(
        f"/lab/keys/{key.id}/consent",
        proposal=fields["proposal"], challenge=fields["challenge"], sign_password=PASSWORD,
    )  # fmt: skip
    assert done.location == "/lab/keys?done=saved"
    assert "Codes on certificatessigns no more" in colleague.get("/lab/keys").words()


def test_the_page_proposes_to_give_a_key_up_and_it_stays_until_the_consent(world, app, key, second):
    boss = Browser(app, a_sign_in(world, "manager"))
    done = boss.post(
        f"/lab/keys/{key.id}/compromise",
        reason="stolen", since="2026-03-01T08:00", second_person_id=str(second),
    )  # fmt: skip
    assert done.location == "/lab/keys?done=proposed"
    words = boss.get("/lab/keys").words()
    assert "Codes on certificatesin use" in words
    assert "stolen" in words


def proposed_twice(world, app, key, second):
    """Propose two ways to end a key; return the page of the colleague who is asked both times."""
    boss = Browser(app, a_sign_in(world, "manager"))
    named = {"second_person_id": str(second)}
    boss.post(f"/lab/keys/{key.id}/retire", reason="new one", **named)
    since = "2026-03-01T08:00"
    boss.post(f"/lab/keys/{key.id}/compromise", reason="stolen", since=since, **named)
    give_passwords(world)
    colleague = Browser(app, token_of(world, second))
    return colleague, colleague.get("/lab/keys")


def untied(page):
    """Return the ids that stand twice, and the labels that name no field of their own form."""
    ids = page.document.xpath("//main//@id")
    tied = {one: one.for_element for one in page.document.xpath("//main//label")}
    astray = [
        label.get("for")
        for label, field in tied.items()
        if field is None or field not in label.xpath("ancestor::form[1]//*")
    ]
    return [one for one in ids if ids.count(one) > 1] + astray


def test_two_proposals_at_once_have_fields_of_their_own(world, app, key, second):
    colleague, page = proposed_twice(world, app, key, second)
    assert untied(page) == []
    passwords = page.document.xpath("//input[@name='sign_password']")
    assert [one.label.text_content().strip() for one in passwords] == ["Password", "Password"]
    given = page.fields()
    assert given["proposal"] == page.document.xpath("//input[@name='proposal']/@value")[-1]
    wrong = colleague.post(f"/lab/keys/{key.id}/consent", **given | {"sign_password": "guess"})
    assert wrong.status == 422
    of_first, of_second = wrong.document.xpath("//input[@name='sign_password']")
    assert of_first.get("aria-invalid") is None
    assert of_second.get("aria-invalid") == "true"
    (link,) = wrong.document.xpath("//div[@role='alert']//a/@href")
    assert link == f"#{of_second.get('id')}"
    assert "The password is wrong" in wrong.problem(of_second.get("id"))
    done = colleague.post(f"/lab/keys/{key.id}/consent", **given | {"sign_password": PASSWORD})
    assert done.location == "/lab/keys?done=saved"


def test_what_was_typed_to_propose_stays_beside_what_was_wrong(world, app, key):
    boss = Browser(app, a_sign_in(world, "manager"))
    wrong = boss.post(
        f"/lab/keys/{key.id}/compromise",
        reason="stolen", since="2026-03-01T08:00", second_person_id="",
    )  # fmt: skip
    assert wrong.status == 422
    assert untied(wrong) == []
    (link,) = wrong.document.xpath("//div[@role='alert']//a/@href")
    field = wrong.document.get_element_by_id(link[1:])
    form = next(field.iterancestors("form"))
    assert form.get("action") == f"/lab/keys/{key.id}/compromise"
    assert "open" in next(form.iterancestors("details")).attrib
    assert dict(form.form_values())["reason"] == "stolen"
    assert dict(form.form_values())["since"] == "2026-03-01T08:00"
    other = wrong.document.xpath("//form[@action=$to]", to=f"/lab/keys/{key.id}/retire")[0]
    assert dict(other.form_values())["reason"] == ""


def test_the_json_doors_take_nobodys_word_for_a_colleague(world, app, key, second):
    boss = client_of(app, a_sign_in(world, "manager"))
    body = {"reason": "stolen", "second_person_id": second, "since": "2026-03-01T08:00:00Z"}
    unread = boss.post(
        f"{V1}/{key.id}/compromise", json=body | {"since": "yesterday"}, headers=a_key()
    )
    assert unread.json()["code"] == "instant-malformed"
    header = a_key()
    made = boss.post(f"{V1}/{key.id}/compromise", json=body, headers=header)
    again = boss.post(f"{V1}/{key.id}/compromise", json=body, headers=header)
    assert (made.status_code, again.json()) == (201, made.json())
    assert boss.get(V1).json()[0]["state"] == "usable"
    signature = {"challenge": made.json()["token"], "password": PASSWORD}
    consent = {"proposal_id": made.json()["id"], "signature": signature}
    give_passwords(world)
    alone = boss.post(f"{V1}/{key.id}/consent", json=consent)
    assert alone.status_code == 403
    colleague = client_of(app, token_of(world, second))
    give_passwords(world)
    done = colleague.post(f"{V1}/{key.id}/consent", json=consent)
    assert (done.status_code, done.json()["state"]) == (200, "compromised")
    assert colleague.get(f"{V1}/proposals").json() == []
