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
