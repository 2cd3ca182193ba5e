"""Passwords chosen by a link in a mail: by whom, how often, how long, and what strangers learn."""

from __future__ import annotations

import os
import re
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, select

from calib.services.letters import send_letters
from instruments.errors import Invalid, NotAllowed, Refused, Unavailable
from instruments.records.audit import AuditEvent
from instruments.records.links import AccountLink, Letter
from instruments.records.parties import ApiToken, Person
from instruments.services import accounts, links, people, second_factor, secrets, signin, totp
from instruments.tenancy import installation_session
from tests.support.builders import NOW, PASSWORD, a_lab, a_person, an_installation, context_for

MAIL = "li@example.org"
NEW = "four words of bath"
HOUR = timedelta(hours=1)


class Postbox:
    """A mail server in memory; it may fail."""

    def __init__(self):
        self.mails, self.fault = [], None

    def send(self, *, recipient, subject, body, message_id, calendar):
        if self.fault:
            raise self.fault
        self.mails.append((recipient, subject, body))


@pytest.fixture
def world(database_url):
    made = an_installation(database_url)
    yield made
    made.engine.dispose()


@pytest.fixture
def li(world):
    return a_person(world.engine, world.lab_id, ("technician",), email=MAIL, password=PASSWORD)


@pytest.fixture
def box():
    return Postbox()


def ask(world, address=MAIL, now=NOW, origin="192.0.2.1"):
    with installation_session(world.engine) as session:
        links.ask(session, "reset", address, origin=origin, now=now)


def deliver(world, box, now=NOW):
    send_letters(world.engine, box, lambda: now, "https://calib.example.org")
    return [found[1] for m in box.mails if (found := re.search(r"token=(\S+)", m[2]))]


def choose(world, token, password=NEW, now=NOW):
    with installation_session(world.engine) as session:
        links.choose_password(session, token, password, now=now)


def enter(world, password, now=NOW):
    with installation_session(world.engine) as session:
        return signin.sign_in(session, MAIL, password, None, now)


def test_a_link_sets_the_password_once_and_ends_every_sign_in(world, li, box):
    before = enter(world, PASSWORD).token
    ask(world)
    (token,) = deliver(world, box)
    with pytest.raises(Invalid):
        choose(world, token, "short")
    choose(world, token)
    with installation_session(world.engine) as session:
        assert signin.resolve(session, before, NOW) is None
    assert enter(world, NEW).person_id == li
    with pytest.raises(NotAllowed):
        enter(world, PASSWORD)
    with pytest.raises(NotAllowed):
        choose(world, token, "another four words")
    deliver(world, box)
    assert [mail[0] for mail in box.mails] == [MAIL, MAIL]  # the second says that it was changed
    with context_for(world) as ctx:
        acts = set(ctx.session.scalars(select(AuditEvent.act).where(AuditEvent.object_id == li)))
    assert {"registry:person:send_link", "registry:person:choose_password"} <= acts


def test_each_lab_is_told_of_the_tokens_that_ended_there_and_of_no_others(world, li, box):
    far = a_lab(world.engine, "FAR")
    with installation_session(world.engine) as session:
        people.appoint(session, lab_id=far, person_id=li, role="technician", now=NOW)
    for lab_id in (world.lab_id, far):
        with context_for(world, "technician", person_id=li, lab_id=lab_id) as ctx:
            signin.make_token(ctx, name=f"program {lab_id}")
    ask(world)
    (token,) = deliver(world, box)
    choose(world, token)
    for lab_id in (world.lab_id, far):
        with context_for(world, lab_id=lab_id) as ctx:
            found = select(AuditEvent.changes).where(
                AuditEvent.act == "registry:person:choose_password", AuditEvent.lab_id == lab_id
            )
            told = [one for one in ctx.session.scalars(found).one() if one["table"] == "api_tokens"]
            own = select(ApiToken).where(ApiToken.lab_id == lab_id)
            assert [one["id"] for one in told] == [ctx.session.scalars(own).one().id]
            assert told[0]["fields"]["ended_at"][0] is None


def test_recovery_codes_that_are_replaced_are_told_without_their_digests(world, li):
    with context_for(world, "technician", person_id=li) as ctx:
        second_factor.make_recovery_codes(ctx)
        second_factor.make_recovery_codes(ctx)
        rows = select(AuditEvent.changes).where(AuditEvent.act == "registry:factor:recovery_codes")
        *_, last = ctx.session.scalars(rows.order_by(AuditEvent.place)).all()
    gone = [one["gone"] for one in last if "gone" in one]
    assert len(gone) == second_factor.RECOVERY_CODES
    assert {one["code_sha256"] for one in gone} == {"\u2026"}


def test_the_token_stands_in_the_mail_alone(world, li, box):
    ask(world)
    (token,) = deliver(world, box)
    with installation_session(world.engine) as session:
        row = session.scalars(select(AccountLink)).one()
        assert row.token_sha256 == secrets.token_hash(token)
        assert session.scalar(select(func.count()).select_from(Letter)) == 0


@pytest.mark.parametrize("address", ["nobody@example.org", "", "x" * 5000, "a\x00b", MAIL.upper()])
def test_every_address_is_answered_by_the_same_one_row(world, li, box, address):
    ask(world, address)
    with installation_session(world.engine) as session:
        assert session.scalar(select(func.count()).select_from(Letter)) == 1
    assert len(deliver(world, box)) == (address == MAIL.upper())


def test_a_link_ends_after_an_hour_and_another_ones_use(world, li, box):
    ask(world)
    ask(world)
    first, second = deliver(world, box)
    with pytest.raises(NotAllowed):
        choose(world, first, now=NOW + HOUR)
    choose(world, first, now=NOW + HOUR - timedelta(seconds=1))
    with pytest.raises(NotAllowed):
        choose(world, second)


def test_nobody_is_flooded_and_nobody_floods(world, li, box, monkeypatch):
    for _ in range(links.MOST_BY_PERSON + 3):
        ask(world)
    assert len(deliver(world, box)) == links.MOST_BY_PERSON
    monkeypatch.setattr(links, "MOST_BY_ORIGIN", 2)
    for _ in range(5):
        ask(world, "nobody@example.org")
    with installation_session(world.engine) as session:
        assert session.scalar(select(func.count()).select_from(Letter)) == 2


def test_what_the_server_did_not_take_goes_out_later_with_another_link(world, li, box):
    ask(world)
    box.fault = Unavailable("mail-down", "Down.")
    assert deliver(world, box) == []
    box.fault = None
    assert deliver(world, box) == []  # still leased
    assert len(deliver(world, box, NOW + links.LEASE)) == 1
    ask(world, now=NOW + HOUR)
    box.fault = Refused("mail-refused", "No such mailbox.")
    deliver(world, box, NOW + HOUR)
    with installation_session(world.engine) as session:
        assert session.scalar(select(func.count()).select_from(Letter)) == 0


def test_a_closed_account_gets_no_link_and_one_it_has_opens_nothing(world, li, box):
    ask(world)
    (token,) = deliver(world, box)
    with context_for(world) as ctx:
        accounts.set_active(ctx, li, is_active=False)
    with pytest.raises(NotAllowed):
        choose(world, token)
    ask(world)
    assert len(deliver(world, box)) == 1


def test_who_is_invited_chooses_the_first_password(world, box):
    with context_for(world) as ctx:
        people.admit(ctx, email="Sun@example.org", role="technician", name="Sun", language="zh")
    (token,) = deliver(world, box)
    assert "邀请" in box.mails[0][1]
    choose(world, token, now=NOW + timedelta(days=6))
    with installation_session(world.engine) as session:
        assert signin.sign_in(session, "sun@example.org", NEW, None, NOW).token


def test_the_second_factor_stays_and_its_owner_is_told_when_it_is_taken(world, li, box):
    with context_for(world, "technician", person_id=li) as ctx:
        begun = second_factor.begin(ctx, issuer="x")
        second_factor.confirm(ctx, totp.code_at(begun.secret, totp.step_of(NOW)))
    ask(world)
    choose(world, deliver(world, box)[0])
    with installation_session(world.engine) as session:
        assert second_factor.is_asked_for(session, li)
    with context_for(world) as ctx:
        second_factor.reset(ctx, li)
    deliver(world, box)
    assert "factor" in box.mails[-1][1] or "因素" in box.mails[-1][1]


class Resets(RuleBasedStateMachine):
    """Asking, mails, links and time in every order: no password changes without a fresh link."""

    def __init__(self):
        super().__init__()
        self.world = an_installation("sqlite+pysqlite://")
        for name in ("a", "b"):
            a_person(
                self.world.engine, self.world.lab_id, ("technician",),
                email=f"{name}@example.org", name=name, password=PASSWORD,
            )  # fmt: skip
        self.box, self.now, self.seen = Postbox(), NOW, 0
        self.fresh: dict[str, tuple[str, object]] = {}
        self.tokens: list[str] = ["", "calib_l_x"]
        self.hashes = self.read()

    def teardown(self):
        self.world.engine.dispose()

    def read(self):
        with installation_session(self.world.engine, read_only=True) as session:
            rows = session.execute(select(Person.email, Person.password_hash))
            return {row[0]: row[1] for row in rows}

    @rule(name=st.sampled_from(["a", "b", "c"]))
    def ask(self, name):
        ask(self.world, f"{name}@example.org", self.now)

    @rule()
    def deliver(self):
        deliver(self.world, self.box, self.now)
        for address, _, body in self.box.mails[self.seen :]:
            if found := re.search(r"token=(\S+)", body):
                self.tokens.append(found[1])
                self.fresh[found[1]] = (address, self.now + HOUR)
        self.seen = len(self.box.mails)

    @rule(minutes=st.sampled_from([1, 20, 61]))
    def wait(self, minutes):
        self.now += timedelta(minutes=minutes)

    @precondition(lambda self: self.tokens)
    @rule(number=st.integers(0, 50), good=st.booleans(), spoilt=st.booleans())
    def use(self, number, good, spoilt):
        token = self.tokens[number % len(self.tokens)]
        owner, until = self.fresh.get(token, (None, self.now))
        may = owner is not None and self.now < until and good and not spoilt
        try:
            choose(self.world, token + ("x" if spoilt else ""), NEW if good else "weak", self.now)
            assert may, "a password changed without a fresh link"
        except (NotAllowed, Invalid):
            assert not may, "a fresh link was refused"
        after = self.read()
        changed = {mail for mail in after if after[mail] != self.hashes[mail]}
        assert changed == ({owner} if may else set())
        if may:
            self.fresh = {t: v for t, v in self.fresh.items() if v[0] != owner}
        self.hashes = after


@pytest.fixture
def quick_hash(monkeypatch):
    """Hash passwords fast: what is tried here is the order of things, not the hash."""
    made = iter(range(10**9))
    monkeypatch.setattr(links, "hash_password", lambda p: _weak(p) or f"hash {next(made)}")


def _weak(password):
    if len(password) < secrets.MIN_PASSWORD:
        raise Invalid("password-weak", "Weak.")


def fuzz(count):
    machine = settings(max_examples=count, stateful_step_count=25, deadline=None)
    run_state_machine_as_test(Resets, settings=machine)


def test_no_order_of_things_changes_a_password_without_a_fresh_link(quick_hash):
    fuzz(8)


@pytest.mark.nightly
def test_nor_do_five_thousand_orders(quick_hash):
    fuzz(int(os.environ.get("CALIB_RESETS", "5000")))
