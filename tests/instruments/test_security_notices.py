"""Whoever's account is secured otherwise than before is told by mail, or nothing was changed."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from calib.services.letters import send_letters
from instruments.errors import Conflict, NotAllowed
from instruments.records.links import PURPOSES, Letter
from instruments.records.parties import Person
from instruments.services import identities, passkeys, second_factor, signin, totp
from instruments.services.identities import Answer
from instruments.services.security_notices import NOTICES, tell
from instruments.tenancy import installation_session
from tests.instruments.test_letters import Postbox
from tests.instruments.test_passkeys import register
from tests.support.builders import NOW, PASSWORD, a_person, an_installation, context_for

MAIL = "li@example.org"


@pytest.fixture
def world(database_url):
    made = an_installation(database_url)
    yield made
    made.engine.dispose()


@pytest.fixture
def li(world):
    return a_person(world.engine, world.lab_id, ("technician",), email=MAIL, password=PASSWORD)


def waiting(world):
    with installation_session(world.engine, read_only=True) as session:
        found = select(Letter.purpose).where(Letter.address == MAIL).order_by(Letter.id)
        return list(session.scalars(found))


def as_li(world, li):
    return context_for(world, "technician", person_id=li)


def with_authenticator(world, li):
    with as_li(world, li) as ctx:
        begun = second_factor.begin(ctx, issuer="Calib")
        second_factor.confirm(ctx, totp.code_at(begun.secret, totp.step_of(NOW)))


def test_an_authenticator_that_comes_and_goes_is_told(world, li):
    with as_li(world, li) as ctx:
        second_factor.begin(ctx, issuer="Calib")
        second_factor.take_away(ctx)
    assert waiting(world) == [], "one that only began opens nothing"
    with_authenticator(world, li)
    with as_li(world, li) as ctx:
        second_factor.make_recovery_codes(ctx)
        second_factor.take_away(ctx)
    assert waiting(world) == ["authenticator-added", "recovery-codes", "authenticator-removed"]


def test_a_password_that_was_changed_is_told_and_one_that_was_not_is_not(world, li):
    with as_li(world, li) as ctx, pytest.raises(NotAllowed):
        signin.change_password(ctx, old="guess", new="four words of bath")
    assert waiting(world) == []
    with as_li(world, li) as ctx:
        signin.change_password(ctx, old=PASSWORD, new="four words of bath")
    assert waiting(world) == ["password"]


def test_an_identity_that_is_connected_and_disconnected_is_told(world, li):
    with as_li(world, li) as ctx:
        identities.link(ctx, Answer("https://id.example.org", "li", MAIL, has_factor=False))
        identities.unlink(ctx)
    assert waiting(world) == ["identity-added", "identity-removed"]


def test_a_passkey_that_comes_and_goes_is_told(world, li):
    _, id_ = register(world, li)
    with as_li(world, li) as ctx:
        passkeys.remove(ctx, id_)
    assert waiting(world) == ["passkey-added", "passkey-removed"]


def test_what_was_refused_is_not_told(world, li):
    held = Answer("https://id.example.org", "li", MAIL, has_factor=False)
    with as_li(world, li) as ctx:
        identities.link(ctx, held)
    with pytest.raises(Conflict), as_li(world, li) as ctx:
        identities.link(ctx, held)
    assert waiting(world) == ["identity-added"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_notice_has_words_in_both_languages(world, li, language):
    with installation_session(world.engine) as session:
        session.get_one(Person, li).language = language
        for notice in NOTICES:
            tell(session, li, notice, NOW)
    box = Postbox()
    assert send_letters(world.engine, box, lambda: NOW, "https://calib.example.org") == len(NOTICES)
    assert set(NOTICES) == set(PURPOSES[2:])
    for _, subject, body in box.mails:
        assert "calib.example.org" in body
        assert "{" not in subject + body
        is_chinese = any("\u4e00" <= c <= "\u9fff" for c in subject)
        assert is_chinese == (language == "zh"), subject
    dated = [body for _, _, body in box.mails if "2026-03-02 08:30 UTC" in body]
    assert len(dated) == len(NOTICES) - 2
