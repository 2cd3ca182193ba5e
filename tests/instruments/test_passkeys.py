"""Passkeys: what they sign lets in once, and only for whom, where and over what it was made."""

from __future__ import annotations

import dataclasses
import secrets

import pytest

from instruments.errors import Conflict, NotAllowed, NotFound, Refused
from instruments.services import passkeys
from instruments.tenancy import installation_session
from tests.support.authenticator import Authenticator
from tests.support.builders import NOW, PASSWORD, a_person, an_installation, context_for

ADDRESS = "https://calib.example.org"
PARTY = passkeys.party_of(ADDRESS)


@pytest.fixture
def world(database_url):
    made = an_installation(database_url)
    yield made
    made.engine.dispose()


@pytest.fixture
def li(world):
    return a_person(world.engine, world.lab_id, ("technician",), password=PASSWORD)


def register(world, person, held=None):
    held = held or Authenticator(ADDRESS)
    challenge = secrets.token_bytes(32)
    with context_for(world, "technician", person_id=person) as ctx:
        options = passkeys.begin_registration(ctx.session, PARTY, person, challenge)
        answer = held.create(options)
        id_ = passkeys.register(ctx, PARTY, name="phone", challenge=challenge, response=answer)
    return held, id_


def asked(world, person, challenge):
    with installation_session(world.engine) as session:
        return passkeys.begin_assertion(session, PARTY, person, challenge)


def verified(world, person, challenge, response, party=PARTY):
    with installation_session(world.engine) as session:
        return passkeys.check_assertion(session, party, person, challenge, response, now=NOW)


def test_a_passkey_signs_for_its_owner_and_the_evidence_stands_alone(world, li):
    held, _ = register(world, li)
    challenge = b"the hash of what is signed......"
    for person in (li, None):
        answer = held.get(asked(world, person, challenge))
        owner, evidence = verified(world, person, challenge, answer)
        assert owner == li
        assert passkeys.check_evidence(evidence, PARTY, challenge) == held.count
    with pytest.raises(Exception, match="challenge"):
        passkeys.check_evidence(evidence, PARTY, b"the hash of something else......")
    forged = dataclasses.replace(evidence, signature=evidence.signature[::-1])
    with pytest.raises(Exception, match="signature"):
        passkeys.check_evidence(forged, PARTY, challenge)


def test_an_answer_is_taken_once_and_a_copy_is_noticed_by_its_count(world, li):
    held, _ = register(world, li)
    challenge = secrets.token_bytes(32)
    answer = held.get(asked(world, li, challenge))
    verified(world, li, challenge, answer)
    with pytest.raises(NotAllowed):
        verified(world, li, challenge, answer)
    held.count = 0
    with pytest.raises(NotAllowed):
        verified(world, li, challenge, held.get(asked(world, li, challenge)))


WRONGLY = {
    "challenge": lambda held, options: held.get(options, challenge="c29tZXRoaW5nIGVsc2UgaGVyZQ"),
    "host": lambda held, options: held.get(options, rpId="evil.example"),
    "origin": lambda held, options: like(held, origin=f"{ADDRESS}.evil.example").get(options),
    "nobody verified": lambda held, options: like(held, verifies=False).get(options),
    "key": lambda held, options: like(held, key=Authenticator(ADDRESS).key).get(options),
    "unknown": lambda _, options: Authenticator(ADDRESS).get(options),
}


def like(held, **changed):
    return dataclasses.replace(held, **changed)


@pytest.mark.parametrize("how", WRONGLY)
def test_what_was_signed_wrongly_is_refused(world, li, how):
    held, _ = register(world, li)
    challenge = secrets.token_bytes(32)
    answer = WRONGLY[how](held, asked(world, li, challenge))
    with pytest.raises(NotAllowed) as stop:
        verified(world, li, challenge, answer)
    assert stop.value.code == "passkey-wrong"


@pytest.mark.parametrize("response", ["", "null", "{}", "[1]", '{"id": 1}', "not json", "\x00"])
def test_what_is_no_answer_is_refused(world, li, response):
    register(world, li)
    with pytest.raises(NotAllowed):
        verified(world, li, secrets.token_bytes(32), response)


def test_somebody_elses_passkey_does_not_answer_for_a_person(world, li):
    held, _ = register(world, li)
    other = a_person(world.engine, world.lab_id, ("technician",), name="Sun")
    challenge = secrets.token_bytes(32)
    with pytest.raises(NotAllowed):
        verified(world, other, challenge, held.get(asked(world, None, challenge)))


def test_several_are_kept_told_and_removed_by_their_owner_alone(world, li):
    _, first = register(world, li)
    held, second = register(world, li)
    other = a_person(world.engine, world.lab_id, ("technician",), name="Sun")
    with pytest.raises(NotFound), context_for(world, "technician", person_id=other) as ctx:
        passkeys.remove(ctx, second)
    with context_for(world, "technician", person_id=li) as ctx:
        assert [one.id for one in passkeys.list_passkeys(ctx)] == [first, second]
        passkeys.remove(ctx, second)
    with context_for(world, "technician", person_id=li) as ctx:
        assert [one.id for one in passkeys.list_passkeys(ctx)] == [first]
    challenge = secrets.token_bytes(32)
    with pytest.raises(NotAllowed):
        verified(world, li, challenge, held.get(asked(world, None, challenge)))


def test_one_is_registered_once_and_not_without_its_person(world, li):
    held, _ = register(world, li)
    with pytest.raises(Conflict):
        register(world, li, held)
    with pytest.raises(NotAllowed):
        register(world, li, Authenticator(ADDRESS, verifies=False))
    with pytest.raises(NotAllowed):
        register(world, li, Authenticator("https://evil.example"))


@pytest.mark.parametrize(
    "address", ["http://calib.example.org", "https://192.0.2.1", "http://127.0.0.1:8000"]
)
def test_where_browsers_make_no_passkeys_it_is_said(address):
    assert not passkeys.has_party(address)
    with pytest.raises(Refused, match="CALIB_PUBLIC_URL"):
        passkeys.party_of(address)


def test_at_the_desk_of_a_developer_they_are_made():
    assert passkeys.party_of("http://localhost:8000/x") == passkeys.Party(
        "localhost", "http://localhost:8000"
    )
