"""Challenges: for one browser and purpose, taken once, within minutes; and signing in by them."""

from __future__ import annotations

import pytest

from instruments.errors import NotAllowed
from instruments.services import accounts, challenges, entrance, passkeys, second_factor, signin
from instruments.tenancy import installation_session
from tests.support.authenticator import Authenticator
from tests.support.builders import NOW, PASSWORD, a_person, an_installation, context_for

ADDRESS = "https://calib.example.org"
PARTY = passkeys.party_of(ADDRESS)
MAIL = "li@example.org"


@pytest.fixture
def world(database_url):
    made = an_installation(database_url)
    yield made
    made.engine.dispose()


@pytest.fixture
def li(world):
    return a_person(world.engine, world.lab_id, ("technician",), email=MAIL, password=PASSWORD)


@pytest.fixture
def held(world, li):
    made = Authenticator(ADDRESS)
    with context_for(world, "technician", person_id=li) as ctx:
        options = passkeys.begin_registration(ctx.session, PARTY, li, b"x" * 32)
        answer = made.create(options)
        passkeys.register(ctx, PARTY, name="key", challenge=b"x" * 32, response=answer)
    return made


def give(world, purpose="sign-in", bound="browser", now=NOW):
    with installation_session(world.engine) as session:
        return challenges.give(session, purpose, bound, person_id=None, origin="192.0.2.1", now=now)


def take(world, purpose="sign-in", bound="browser", now=NOW):
    with installation_session(world.engine) as session:
        return challenges.take(session, purpose, bound, now).challenge


def begin(world, person=None, bound="browser"):
    with installation_session(world.engine) as session:
        return entrance.begin_by_passkey(
            session, PARTY, bound, person_id=person, origin="192.0.2.1", now=NOW
        )


def enter(world, response, purpose="sign-in", bound="browser", now=NOW):
    return entrance.enter_by_passkey(
        world.engine, PARTY, bound, response, purpose=purpose, lab_code=None, clock=lambda: now
    )


def test_one_is_taken_once_by_whom_it_was_given_for_what_it_was_given(world):
    given = give(world)
    for wrong in ({"purpose": "proof"}, {"bound": "other"}, {"now": NOW + challenges.LIFE}):
        with pytest.raises(NotAllowed):
            take(world, **wrong)
        given = give(world)
    assert take(world) == given
    with pytest.raises(NotAllowed):
        take(world)


def test_those_that_were_not_answered_do_not_pile_up(world, monkeypatch):
    monkeypatch.setattr(challenges, "MOST_BY_ORIGIN", 3)
    for number in range(3):
        give(world, bound=str(number))
    with pytest.raises(NotAllowed, match="Too many"):
        give(world, bound="one more")
    assert give(world, bound="one more", now=NOW + challenges.LIFE)


def test_a_passkey_alone_signs_in_once(world, li, held):
    answer = held.get(begin(world))
    assert enter(world, answer).person_id == li
    with pytest.raises(NotAllowed):
        enter(world, answer)
    begin(world)
    with pytest.raises(NotAllowed):  # a new challenge, the old answer
        enter(world, answer)


def test_a_wrong_answer_uses_the_challenge_up(world, held):
    right = held.get(begin(world))
    with pytest.raises(NotAllowed):
        enter(world, "{}")
    with pytest.raises(NotAllowed):
        enter(world, right)


def test_another_browser_does_not_sign_in_by_it_nor_later(world, held):
    with pytest.raises(NotAllowed):
        enter(world, held.get(begin(world)), bound="thief")
    with pytest.raises(NotAllowed):
        enter(world, held.get(begin(world)), now=NOW + challenges.LIFE)


def test_who_has_a_passkey_does_not_get_in_by_the_password_alone(world, li, held):
    offered = []

    def attempt(code="", halfway=None):
        return entrance.enter(
            world.engine, email=MAIL, password=PASSWORD, lab_code=None, origin="192.0.2.1",
            clock=lambda: NOW, code=code, halfway=halfway,
        )  # fmt: skip

    def halfway(session, person):
        offered.append(
            entrance.begin_by_passkey(
                session, PARTY, "browser", person_id=person, origin="192.0.2.1", now=NOW
            )
        )

    with pytest.raises(NotAllowed) as stop:
        attempt(halfway=halfway)
    assert stop.value.code == "second-factor-needed"
    assert enter(world, held.get(offered[0]), purpose="second-factor").person_id == li
    with context_for(world, "technician", person_id=li) as ctx:
        codes = second_factor.make_recovery_codes(ctx)
    assert attempt(codes[0]).token
    with context_for(world, "technician", person_id=li) as ctx:
        passkeys.remove(ctx, passkeys.list_passkeys(ctx)[0].id)
    assert attempt().token


def test_the_second_factor_of_another_does_not_stand_in(world, li, held):
    other = a_person(world.engine, world.lab_id, ("technician",), name="Sun")
    with pytest.raises(NotAllowed):
        enter(world, held.get(begin(world, other)), purpose="second-factor")


def test_a_closed_account_is_not_entered_by_passkey(world, li, held):
    token = enter(world, held.get(begin(world))).token
    with context_for(world) as ctx:
        accounts.set_active(ctx, li, is_active=False)
    with pytest.raises(NotAllowed):
        enter(world, held.get(begin(world)))
    with installation_session(world.engine) as session:
        assert signin.resolve(session, token, NOW) is None
