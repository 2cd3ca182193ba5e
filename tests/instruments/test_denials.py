"""What was refused is told: singly at first, then counted, so that nobody can flood the trail."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from instruments.errors import NotAllowed
from instruments.records.audit import AuditEvent, RefusalCount
from instruments.services import audit, denials, entrance
from instruments.tenancy import installation_session
from tests.support.builders import NOW, a_lab, a_person


def told(place, act="access:"):
    with installation_session(place.engine, read_only=True) as session:
        found = select(AuditEvent).where(AuditEvent.act.startswith(act)).order_by(AuditEvent.place)
        return [(row.act, row.person_id, row.facts) for row in session.scalars(found)]


def refuse(place, times=1, now=NOW, **more):
    given = {"code": "role-missing", "asked": "scope.write", "origin": "192.0.2.1"} | more
    for _ in range(times):
        denials.tell(place.engine, place.lab_id, denials.Denial(denials.REQUEST, **given), now)


def test_a_refusal_says_who_asked_for_what_and_why_not(place):
    refuse(place, person_id=place.person_id, via="token:3", request_id="r1")
    ((act, person, facts),) = told(place)
    assert (act, person) == (denials.REQUEST, place.person_id)
    assert facts == {"asked": "scope.write", "code": "role-missing", "origin": "192.0.2.1"}
    with installation_session(place.engine, read_only=True) as session:
        row = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
        assert (row.via, row.request_id) == ("token:3", "r1")
        assert audit.check_chain(session, place.lab_id) == ()


def test_after_ten_the_rest_of_an_asker_is_one_row_with_its_count(place):
    refuse(place, 45, person_id=place.person_id)
    assert len(told(place)) == denials.MOST
    refuse(place, 1, person_id=999)  # another asker is heard
    assert len(told(place)) == denials.MOST + 1
    later = NOW + denials.WINDOW
    refuse(place, 1, now=later, person_id=place.person_id)
    acts = told(place)
    assert acts[-2][0] == "access:request:refuse_more"
    assert (acts[-2][1], acts[-2][2]["count"]) == (place.person_id, 35)
    assert acts[-1][0] == denials.REQUEST


def test_the_sweep_tells_what_was_counted_only_and_forgets_it(place):
    refuse(place, 13, person_id=place.person_id)
    denials.sweep(place.engine, NOW + timedelta(minutes=9))
    assert len(told(place)) == denials.MOST
    denials.sweep(place.engine, NOW + denials.WINDOW)
    denials.sweep(place.engine, NOW + denials.WINDOW)
    assert told(place)[-1][2]["count"] == 3
    assert len(told(place)) == denials.MOST + 1
    with installation_session(place.engine, read_only=True) as session:
        assert session.scalars(select(RefusalCount)).all() == []


def test_strangers_together_fill_no_more_than_their_share(place):
    for n in range(denials.MOST_OF_STRANGERS + 40):
        refuse(place, origin=f"192.0.2.{n}")
    assert len(told(place)) == denials.MOST_OF_STRANGERS
    with installation_session(place.engine, read_only=True) as session:
        askers = session.scalars(select(RefusalCount.asker)).all()
    assert len(askers) == denials.MOST_OF_STRANGERS + 1
    denials.sweep(place.engine, NOW + denials.WINDOW)
    assert told(place)[-1][2]["count"] == 40


def enter(place, email, lab=None):
    with pytest.raises(NotAllowed) as stop:
        entrance.enter(
            place.engine, email=email, password="wrong", lab_code=lab, origin="192.0.2.9",
            clock=lambda: NOW,
        )  # fmt: skip
    return stop.value.code


def test_a_refused_sign_in_tells_the_account_by_its_digest_alone(place):
    typed = "my secret pass phrase"
    assert enter(place, typed) == "sign-in-failed"
    ((act, person, facts),) = told(place)
    assert (act, person, facts["code"]) == (denials.SIGN_IN, None, "sign-in-failed")
    assert typed not in repr(facts)
    assert len(facts["account"]) == 64


def test_a_refused_sign_in_is_told_to_the_labs_of_the_person_alone(place):
    other = a_lab(place.engine, "SH")
    a_person(place.engine, other, ("technician",), name="Guo")
    with installation_session(place.engine, read_only=True) as session:
        from instruments.records.parties import Person

        email = session.scalars(select(Person.email).where(Person.name == "Guo")).one()
    enter(place, email)
    enter(place, "nobody@example.org")  # nobody's: of two labs it is neither's
    enter(place, "nobody@example.org", lab="HZ")
    with installation_session(place.engine, read_only=True) as session:
        rows = session.scalars(
            select(AuditEvent.lab_id).where(AuditEvent.act == denials.SIGN_IN)
        ).all()
    assert sorted(rows) == sorted([other, place.lab_id])
