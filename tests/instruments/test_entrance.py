"""The door of the pages: failures slow it down, for accounts that exist and that do not alike."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from instruments.errors import Invalid, NotAllowed
from instruments.records.parties import SignInFailure
from instruments.services import entrance, people, throttle
from instruments.tenancy import installation_session
from tests.support.builders import NOW, PASSWORD, a_lab, a_person, context_for

MAIL = "li@example.org"


@pytest.fixture
def li(place):
    """Return the id of a technician who can sign in."""
    return a_person(place.engine, place.lab_id, ("technician",), email=MAIL, password=PASSWORD)


def enter(place, email=MAIL, password=PASSWORD, origin="192.0.2.1", now=NOW):
    return entrance.enter(
        place.engine,
        email=email,
        password=password,
        lab_code=None,
        origin=origin,
        clock=lambda: now,
    )


def refused(place, **given) -> NotAllowed:
    with pytest.raises(NotAllowed) as caught:
        enter(place, **given)
    return caught.value


@pytest.mark.parametrize("mail", [MAIL, "nobody@example.org"])
def test_after_ten_failures_an_account_rests_whether_it_exists_or_not(place, li, mail):
    for n in range(throttle.MOST_BY_ACCOUNT):
        now, origin = NOW + timedelta(seconds=n), f"192.0.2.{n}"
        assert (
            refused(place, email=mail.upper(), password="wrong", origin=origin, now=now).code
            == "sign-in-failed"
        )
    later = NOW + timedelta(minutes=5)
    paused = refused(place, email=mail, now=later)
    assert (paused.code, paused.facts["minutes"]) == ("sign-in-paused", 10)
    assert "10 minutes" in str(paused)
    if mail == MAIL:
        assert enter(place, now=NOW + timedelta(minutes=16)).person_id == li


def test_an_account_that_was_signed_in_to_begins_anew(place, li):
    for _ in range(2):
        for _ in range(throttle.MOST_BY_ACCOUNT - 1):
            refused(place, password="wrong")
        assert enter(place).person_id == li


def test_who_tries_many_accounts_from_one_place_is_stopped_and_others_are_not(
    place, li, monkeypatch
):
    monkeypatch.setattr(throttle, "MOST_BY_ORIGIN", 3)
    for n in range(3):
        refused(place, email=f"m{n}@example.org", password="wrong", origin="198.51.100.7")
    assert refused(place, origin="198.51.100.7").code == "sign-in-paused"
    assert enter(place, origin="198.51.100.8").person_id == li


def test_what_was_typed_is_not_kept_and_old_failures_are_thrown_away(place, li):
    refused(place, email="my secret password", password="x")
    refused(place, password="wrong", now=NOW + timedelta(hours=1))
    with installation_session(place.engine) as session:
        kept = session.scalars(select(SignInFailure)).all()
        assert len(kept) == 1
        assert "@" not in kept[0].account


def test_a_lab_that_must_be_named_is_no_failure(place, li):
    second = a_lab(place.engine, "SH")
    with context_for(place, lab_id=second) as ctx:
        people.grant(ctx, person_id=li, role="reviewer")
    with pytest.raises(Invalid, match="HZ, SH"):
        enter(place)
    with installation_session(place.engine) as session:
        assert session.scalar(select(func.count(SignInFailure.id))) == 0
