"""Accounts, roles by period, sign-ins and tokens."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from instruments.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from instruments.records.parties import ApiToken, Person, SignIn
from instruments.services import labs, people, secrets, signin
from instruments.tenancy import installation_session
from tests.support.builders import NOW, PASSWORD, a_customer, a_lab, a_person, context_for

MAIL = "li@example.org"


@pytest.fixture
def li(place):
    """Return the id of a technician who can sign in."""
    return a_person(place.engine, place.lab_id, ("technician",), email=MAIL, password=PASSWORD)


def sign_in(place, mail=MAIL, password=PASSWORD, lab_code=None, now=NOW):
    with installation_session(place.engine) as session:
        return people.sign_in(session, mail, password, lab_code, now)


def resolve(place, token, now=NOW):
    with installation_session(place.engine) as session:
        return people.resolve(session, token, now)


def test_signed_in_person_is_resolved_with_todays_roles(place, li):
    signed = sign_in(place, " LI@example.org ")
    identity = resolve(place, signed.token)
    assert identity is not None
    assert (identity.person_id, identity.lab_id, identity.lab_code) == (li, place.lab_id, "HZ")
    assert identity.roles == {"technician"}
    assert identity.lab_zone.key == "Asia/Shanghai"
    assert identity.actor().is_staff


@pytest.mark.parametrize(
    ("mail", "password"), [(MAIL, "wrong password"), ("nobody@example.org", PASSWORD), ("", "")]
)
def test_wrong_mail_and_wrong_password_look_alike(place, li, mail, password):
    with pytest.raises(NotAllowed) as caught:
        sign_in(place, mail, password)
    assert caught.value.code == "sign-in-failed"
    assert str(caught.value).startswith("The mail address or the password is wrong.")


def test_unknown_mail_costs_a_hash_as_well(place, li, monkeypatch):
    asked = []
    verify = type(secrets._hasher()).verify
    monkeypatch.setattr(
        type(secrets._hasher()),
        "verify",
        lambda self, *a: asked.append(a) or verify(self, *a),
    )
    for mail in (MAIL, "nobody@example.org"):
        with pytest.raises(NotAllowed):
            sign_in(place, mail, "wrong password")
    assert len(asked) == 2
    assert all(kept.startswith("$argon2id$") for _, kept in asked)


def test_only_hashes_are_kept(place, li):
    token = sign_in(place).token
    with installation_session(place.engine) as session:
        person = session.get(Person, li)
        assert person is not None
        assert person.password_hash is not None
        assert person.password_hash.startswith("$argon2id$")
        kept = session.scalars(select(SignIn.token_sha256)).one()
    assert token not in kept
    assert len(token) >= 40
    assert len(kept) == 64


def used(place, token, at):
    with installation_session(place.engine) as session:
        signin.note_use(session, token, at)


def test_sign_in_runs_out_and_can_be_ended(place, li):
    token = sign_in(place).token
    assert resolve(place, token, NOW + timedelta(hours=12)) is None
    used(place, token, NOW + timedelta(hours=10.5))
    assert resolve(place, token, NOW + timedelta(hours=12)) is None
    assert resolve(place, token, NOW + timedelta(hours=11)) is not None
    with installation_session(place.engine) as session:
        people.end_sign_in(session, token, NOW)
    assert resolve(place, token) is None


@pytest.mark.parametrize(
    "token", ["", "calib_s_", "calib_t_guess", "Bearer x", "calib_s_" + "A" * 43]
)
def test_unknown_token_is_nobody(place, li, token):
    assert resolve(place, token) is None


def test_role_that_ended_ends_at_once_in_the_labs_zone(place, li):
    token = sign_in(place).token
    with context_for(place) as ctx:
        held = next(p for p in people.list_people(ctx) if p.id == li).memberships[0]
        people.end_role(ctx, held.id, date(2026, 3, 2))
    # 2026-03-02 15:59 UTC is still that day in Shanghai, a minute later it is not
    used(place, token, datetime(2026, 3, 2, 15, 30, tzinfo=UTC))
    assert resolve(place, token, datetime(2026, 3, 2, 15, 59, tzinfo=UTC)) is not None
    assert resolve(place, token, datetime(2026, 3, 2, 16, 0, tzinfo=UTC)) is None
    with pytest.raises(NotAllowed) as caught:
        sign_in(place, now=datetime(2026, 3, 3, 8, tzinfo=UTC))
    assert caught.value.code == "no-role-today"


def test_closed_account_is_nobody(place, li):
    token = sign_in(place).token
    with context_for(place) as ctx:
        people.set_active(ctx, li, is_active=False)
    assert resolve(place, token) is None
    with pytest.raises(NotAllowed):
        sign_in(place)
    with context_for(place) as ctx:
        people.set_active(ctx, li, is_active=True)
    assert resolve(place, token) is None
    assert resolve(place, sign_in(place).token) is not None


def test_person_of_two_labs_names_one(place, li):
    other = a_lab(place.engine, "SH")
    with installation_session(place.engine) as session:
        people.appoint(session, lab_id=other, person_id=li, role="reviewer", now=NOW)
        assert [lab.code for lab in people.labs_of(session, li)] == ["HZ", "SH"]
    with pytest.raises(Invalid, match="HZ, SH"):
        sign_in(place)
    identity = resolve(place, sign_in(place, lab_code="SH").token)
    assert identity is not None
    assert (identity.lab_id, identity.roles) == (other, {"reviewer"})
    with pytest.raises(NotAllowed):
        sign_in(place, lab_code="GZ")


def test_api_token_is_shown_once_and_can_be_ended(place, li):
    with context_for(place, "technician", person_id=li) as ctx:
        token = people.make_token(ctx, name="bench script", days=30)
    identity = resolve(place, token)
    assert identity is not None
    assert identity.person_id == li
    assert resolve(place, token, NOW + timedelta(days=30)) is None
    with installation_session(place.engine) as session:
        token_id = session.scalars(select(ApiToken.id)).one()
    stranger = a_person(place.engine, place.lab_id, ("technician",))
    with context_for(place, "technician", person_id=stranger) as ctx, pytest.raises(NotFound):
        people.end_token(ctx, token_id)
    with context_for(place, "technician", person_id=li) as ctx:
        people.end_token(ctx, token_id)
    assert resolve(place, token) is None


def test_changed_password_ends_every_sign_in(place, li):
    token = sign_in(place).token
    with context_for(place, "technician", person_id=li) as ctx:
        with pytest.raises(NotAllowed):
            people.change_password(ctx, old="wrong", new="a new long password")
        people.change_password(ctx, old=PASSWORD, new="a new long password")
    assert resolve(place, token) is None
    assert resolve(place, sign_in(place, password="a new long password").token) is not None


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaa", "x" * 201])
def test_weak_password_is_refused(place, password):
    with pytest.raises(Invalid) as caught:
        a_person(place.engine, place.lab_id, ("technician",), password=password)
    assert caught.value.code == "password-weak"


def test_account_without_a_password_cannot_be_signed_in_to(place):
    a_person(place.engine, place.lab_id, ("technician",), email=MAIL, password=None)
    with pytest.raises(NotAllowed):
        sign_in(place, password="")


def test_mail_address_has_one_account(place, li):
    with pytest.raises(Conflict, match=MAIL):
        a_person(place.engine, place.lab_id, email="LI@example.org")


def test_venue_operator_belongs_to_a_customer_and_others_do_not(place):
    person = a_person(place.engine, place.lab_id, ("technician",))
    with context_for(place) as ctx:
        customer = a_customer(ctx)
        with pytest.raises(Invalid):
            people.grant(ctx, person_id=person, role="venue_operator")
        with pytest.raises(Invalid):
            people.grant(ctx, person_id=person, role="reviewer", customer_id=customer.id)
        with pytest.raises(Invalid):
            people.grant(ctx, person_id=person, role="director")
        with pytest.raises(NotFound):
            people.grant(ctx, person_id=person, role="venue_operator", customer_id=99)


def test_operator_acts_for_their_customer_unless_they_are_staff(place):
    operator = a_person(place.engine, a_lab(place.engine, "SH"), email=MAIL, password=PASSWORD)
    with context_for(place) as ctx:
        customer = a_customer(ctx)
        people.grant(ctx, person_id=operator, role="venue_operator", customer_id=customer.id)
    identity = resolve(place, sign_in(place, lab_code="HZ").token)
    assert identity is not None
    assert (identity.customer_id, identity.actor().is_staff) == (customer.id, False)
    with context_for(place) as ctx:
        people.grant(ctx, person_id=operator, role="technician")
    identity = resolve(place, sign_in(place, lab_code="HZ").token)
    assert identity is not None
    assert (identity.customer_id, identity.actor().is_staff) == (None, True)


def test_role_is_not_held_twice_at_a_time(place, li):
    with context_for(place) as ctx:
        with pytest.raises(Conflict):
            people.grant(ctx, person_id=li, role="technician", starts_on=date(2026, 6, 1))
        held = next(p for p in people.list_people(ctx) if p.id == li).memberships[0]
        people.end_role(ctx, held.id, date(2026, 5, 31))
        assert people.grant(ctx, person_id=li, role="technician", starts_on=date(2026, 6, 1))


def test_only_a_manager_grants_roles_and_closes_accounts(place, li):
    with context_for(place, "technician", "reviewer", "signatory") as ctx:
        with pytest.raises(NotAllowed, match="manager"):
            people.grant(ctx, person_id=li, role="manager")
        with pytest.raises(NotAllowed):
            people.set_active(ctx, li, is_active=False)


def test_manager_of_one_lab_cannot_close_an_account_of_another(place):
    stranger = a_person(place.engine, a_lab(place.engine, "SH"))
    with context_for(place) as ctx, pytest.raises(NotFound):
        people.set_active(ctx, stranger, is_active=False)


@pytest.mark.parametrize("code", ["", "h", "hz", "H-Z", "杭州", "ABCDEFGHI"])
def test_lab_code_must_fit_into_numbers(place, code):
    with pytest.raises(Invalid) as caught:
        a_lab(place.engine, code)
    assert caught.value.code == "lab-code-malformed"


def test_lab_is_made_once_and_changed_by_its_manager(place):
    with pytest.raises(Conflict):
        a_lab(place.engine, "HZ")
    with context_for(place) as ctx:
        view = labs.update_lab(
            ctx, accreditation="CNAS L0000", rounding={"mode": "ceil", "digits": 1}
        )
        assert (view.accreditation, view.rounding_mode, view.rounding_digits) == (
            "CNAS L0000",
            "ceil",
            1,
        )
        assert labs.get_lab(ctx) == view
        with pytest.raises(Invalid):
            labs.update_lab(ctx, rounding={"mode": "down", "digits": 2})
        with pytest.raises(Invalid):
            labs.update_lab(ctx, time_zone="Asia/Atlantis")
    with context_for(place, "signatory") as ctx, pytest.raises(NotAllowed):
        labs.update_lab(ctx, phone="1")


def test_token_life_is_bounded(place, li):
    with context_for(place, person_id=li) as ctx, pytest.raises(Invalid):
        signin.make_token(ctx, name="for ever", days=3650)


def test_account_of_several_labs_is_nobodys_to_close(place, li):
    second = a_lab(place.engine, "SH")
    with context_for(place, lab_id=second) as ctx:
        people.grant(ctx, person_id=li, role="reviewer")
    with context_for(place, lab_id=second) as ctx, pytest.raises(Refused) as caught:
        people.set_active(ctx, li, is_active=False)
    assert caught.value.code == "account-of-several-labs"
    with context_for(place, lab_id=second) as ctx:
        held = next(person for person in people.list_people(ctx) if person.id == li)
        people.end_role(ctx, held.memberships[0].id, ctx.today)
    with context_for(place, now=NOW + timedelta(days=1)) as ctx:
        people.set_active(ctx, li, is_active=False)
        assert not ctx.session.get_one(Person, li).is_active


def test_whoever_has_an_account_in_another_lab_is_given_a_role(place, li):
    second = a_lab(place.engine, "SH")
    given = {"email": " LI@example.org", "role": "signatory"}
    with context_for(place, lab_id=second) as ctx:
        people.admit(ctx, **given)
    assert resolve(place, sign_in(place, lab_code="SH").token).roles == {"signatory"}
    with context_for(place, "technician") as ctx, pytest.raises(NotAllowed):
        people.admit(ctx, **given)


def test_a_lab_always_keeps_a_manager(place):
    first, second = (a_person(place.engine, place.lab_id, ("manager",)) for _ in range(2))
    with context_for(place, person_id=first) as ctx:
        held = {
            p.id: p.memberships[0].id for p in people.list_people(ctx) if p.id in (first, second)
        }
        others = [
            m.id
            for p in people.list_people(ctx)
            for m in p.memberships
            if m.role == "manager" and p.id not in held
        ]
        for membership_id in (*others, held[second]):
            people.end_role(ctx, membership_id, NOW.date())
        with pytest.raises(Refused) as caught:
            people.end_role(ctx, held[first], NOW.date())
        assert caught.value.code == "last-manager"
        with pytest.raises(Refused) as caught:
            people.set_active(ctx, first, is_active=False)
        assert caught.value.code == "own-account"


def test_a_manager_whose_account_is_closed_does_not_count(place):
    first, second = (a_person(place.engine, place.lab_id, ("manager",)) for _ in range(2))
    with context_for(place, person_id=first) as ctx:
        managers = {
            m.id: p.id
            for p in people.list_people(ctx)
            for m in p.memberships
            if m.role == "manager"
        }
        people.set_active(ctx, second, is_active=False)
        own = next(m for m, p in managers.items() if p == first)
        for membership_id, person_id in managers.items():
            if person_id not in (first, second):
                people.end_role(ctx, membership_id, NOW.date())
        with pytest.raises(Refused):
            people.end_role(ctx, own, NOW.date())
