"""What ends, ends at the next request: a role, a place in the lab, the lab itself."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from sqlalchemy import select

from instruments.errors import Conflict, NotAllowed, Refused
from instruments.records.audit import AuditEvent
from instruments.records.parties import ApiToken, Membership, Person, SignIn
from instruments.services import audit, lifecycle, people, signin
from instruments.tenancy import installation_session
from tests.support import builders
from tests.support.builders import NOW, context_for
from tests.support.door import Door, problem_of

LATER = NOW + timedelta(hours=8)
"""The next day in the lab, while a sign-in still lasts."""


@pytest.fixture
def person(door: Door):
    """Return a technician with a browser and a program, both open."""
    with installation_session(door.bench.engine) as session:
        id_ = people.register_person(
            session, email="leaver@example.org", name="Xu Lan", password="warm bath of water",
            now=NOW,
        )  # fmt: skip
        for role in ("technician", "manager"):
            people.appoint(session, lab_id=1, person_id=id_, role=role, now=NOW)
        token = signin.open_sign_in(session, id_, None, NOW).token
    with context_for(door.bench.installation, "technician", person_id=id_) as ctx:
        program = signin.make_token(ctx, name="logger")
    return id_, token, program


def asks(door: Door, person, path: str = "/api/v1/instruments") -> list[int]:
    _, token, program = person
    browser = door.client()
    browser.cookies.set("__Host-calib_session", token)
    return [one.get(path).status_code for one in (browser, door.client(program))]


def next_day(door: Door) -> None:
    with installation_session(door.bench.engine) as session:
        for row in session.scalars(select(SignIn)):
            row.used_at = LATER  # somebody works on through the night
    door.app.state.wiring = dataclasses.replace(door.wired, clock=lambda: LATER)


def end(door: Door, person_id: int, *roles: str) -> None:
    with context_for(door.bench.installation) as ctx:
        held = ctx.session.scalars(
            select(Membership).where(Membership.person_id == person_id, Membership.role.in_(roles))
        ).all()
        for row in held:
            people.end_role(ctx, row.id, NOW.date())


def test_whoever_left_the_lab_is_out_in_browser_and_program(door, person):
    assert asks(door, person) == [200, 200]
    end(door, person[0], "technician", "manager")
    next_day(door)
    assert asks(door, person) == [401, 401]


def test_a_lowered_role_takes_its_rights_along_at_once(door, person):
    end(door, person[0], "manager")
    assert asks(door, person, "/lab/people") == [200, 200]
    next_day(door)
    assert asks(door, person, "/api/v1/instruments") == [200, 200]
    client = door.client(person[2])
    problem_of(client.post("/api/v1/scope", json={}), 403, "role-missing")


def test_a_closed_account_is_out_in_every_way(door, person):
    with context_for(door.bench.installation) as ctx:
        people.set_active(ctx, person[0], is_active=False)
    assert asks(door, person) == [401, 401]


def test_in_a_suspended_lab_nobody_works_and_what_it_issued_stays_public(door, person):
    engine = door.bench.engine
    with installation_session(engine) as session:
        lifecycle.suspend_lab(session, "HZ", "accreditation withdrawn", NOW)
    assert asks(door, person) == [401, 401]
    with installation_session(engine) as session, pytest.raises(NotAllowed) as caught:
        signin.open_sign_in(session, person[0], None, NOW)
    assert caught.value.code == "no-role-today"
    assert door.client().get("/log/checkpoint").status_code in (200, 404)
    with installation_session(engine) as session:
        with pytest.raises(Conflict):
            lifecycle.suspend_lab(session, "HZ", "again", NOW)
        lifecycle.resume_lab(session, "HZ", "restored", NOW)
    assert asks(door, person) == [401, 401]  # what had ended stays ended
    with installation_session(engine) as session:
        assert signin.open_sign_in(session, person[0], None, NOW).lab_id == 1
        acts = session.scalars(select(AuditEvent.act)).all()
    assert {"registry:lab:suspend", "registry:lab:resume"} <= set(acts)


def test_each_laboratory_is_told_of_an_erasure_what_concerns_it(door, person):
    engine, id_ = door.bench.engine, person[0]
    other = builders.a_lab(engine, "FAR")
    end(door, id_, "technician", "manager")
    gone = (NOW - timedelta(days=1)).date()
    with installation_session(engine) as session:
        for lab_id in (other, 1):
            session.add_all(
                (
                    ApiToken(
                        lab_id=lab_id, person_id=id_, name=f"of {lab_id}", created_at=NOW,
                        token_sha256=f"{lab_id:064d}", expires_at=LATER,
                    ),
                    Membership(
                        lab_id=lab_id, person_id=id_, role="technician", starts_on=gone,
                        ends_on=gone,
                    ),
                )
            )  # fmt: skip
    over = NOW.replace(year=NOW.year + 30)
    with installation_session(engine) as session:
        lifecycle.erase_person(session, id_, "asked by mail", over)
    with installation_session(engine, read_only=True) as session:
        erased = select(AuditEvent).where(AuditEvent.act == "registry:person:erase")
        told = {event.lab_id: event.changes for event in session.scalars(erased)}
        own = {token.id: token.lab_id for token in session.scalars(select(ApiToken))}
        assert [audit.check_chain(session, lab_id) for lab_id in (1, other)] == [(), ()]
    assert set(told) == {1, other}
    for lab_id, changes in told.items():
        tokens = [own[row["id"]] for row in changes if row["table"] == "api_tokens"]
        assert set(tokens) == {lab_id}
        assert [row["id"] for row in changes if row["table"] == "persons"] == [id_]
        assert not [row for row in changes if "lab" in row]


def test_a_name_is_erased_once_its_time_is_over_and_the_trail_still_verifies(door, person):
    engine, id_ = door.bench.engine, person[0]
    with installation_session(engine) as session, pytest.raises(Refused) as held:
        lifecycle.erase_person(session, id_, "asked by mail", NOW)
    assert held.value.code == "erase-role-held"
    end(door, id_, "technician", "manager")
    with installation_session(engine) as session, pytest.raises(Refused) as early:
        lifecycle.erase_person(session, id_, "asked by mail", LATER)
    assert (early.value.code, early.value.facts["years"]) == ("erase-too-early", 10)
    over = NOW.replace(year=NOW.year + 3)
    with installation_session(engine) as session:
        lifecycle.set_retention(session, "HZ", 2, over)
        lifecycle.erase_person(session, id_, "asked by mail", over)
    with installation_session(engine) as session:
        row = session.get_one(Person, id_)
        assert "Xu" not in row.name
        assert (row.email, row.password_hash) == (f"erased-{id_}@invalid", None)
        assert audit.check_chain(session, 1) == ()
        facts = [str(event.facts) for event in session.scalars(select(AuditEvent))]
    assert not any("Xu Lan" in one or "leaver" in one for one in facts)
    assert asks(door, person) == [401, 401]
