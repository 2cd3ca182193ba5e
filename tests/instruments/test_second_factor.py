"""The second factor: each code lets in once, and nobody is let in by half."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from instruments.errors import NotAllowed, NotFound, Refused
from instruments.services import entrance, proof, second_factor, signin, throttle, totp
from instruments.tenancy import installation_session
from tests.support.builders import NOW, PASSWORD, a_person, an_installation, context_for

MAIL = "li@example.org"
STEP = timedelta(seconds=totp.STEP)


@pytest.fixture
def world(database_url):
    made = an_installation(database_url)
    yield made
    made.engine.dispose()


@pytest.fixture
def li(world):
    return a_person(world.engine, world.lab_id, ("technician",), email=MAIL, password=PASSWORD)


def acting(world, person, now=NOW):
    return context_for(world, "technician", person_id=person, now=now)


@pytest.fixture
def secured(world, li):
    """Return the secret of an authenticator that counts, and its recovery codes."""
    with acting(world, li) as ctx:
        begun = second_factor.begin(ctx, issuer="calib.example.org")
    with acting(world, li) as ctx:
        codes = second_factor.confirm(ctx, totp.code_at(begun.secret, totp.step_of(NOW)))
    return begun.secret, codes


def enter(world, code="", now=NOW, password=PASSWORD):
    return entrance.enter(
        world.engine, email=MAIL, password=password, lab_code=None, origin="192.0.2.1",
        clock=lambda: now, code=code,
    )  # fmt: skip


def refused(world, **given) -> str:
    with pytest.raises(NotAllowed) as stop:
        enter(world, **given)
    return stop.value.code


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"),
        (2000000000, "279037"), (20000000000, "353130"),
    ],
)  # fmt: skip
def test_codes_are_those_of_rfc_6238(second, code):
    """Appendix B, SHA-1; of its eight digits the last six."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    now = datetime.fromtimestamp(second, UTC)
    assert totp.code_at(secret, totp.step_of(now)) == code
    assert totp.matching_step(secret, code, now, after=0) == second // 30


def test_the_address_says_whose_and_where():
    assert totp.address("ABC", "li@example.org", "calib.example.org") == (
        "otpauth://totp/calib.example.org%3Ali%40example.org?secret=ABC&issuer=calib.example.org"
    )


def test_one_that_was_only_begun_is_not_asked_for(world, li):
    with acting(world, li) as ctx:
        second_factor.begin(ctx, issuer="x")
    assert enter(world).person_id == li


def test_the_password_alone_opens_nothing(world, secured):
    later = NOW + 5 * STEP
    assert refused(world, now=later) == "second-factor-needed"
    assert refused(world, now=later, code="000000") == "second-factor-wrong"
    good = totp.code_at(secured[0], totp.step_of(later))
    assert refused(world, now=later, code=good, password="wrong") == "sign-in-failed"
    assert enter(world, now=later, code=f" {good[:3]} {good[3:]} ").token


@pytest.mark.parametrize("written", ["{0}{1}", "{0} {1}", " {0}{1}\t", "{0}\u00a0{1}"])
def test_a_code_is_taken_once_however_it_is_written(world, secured, written):
    later = NOW + 5 * STEP
    code = totp.code_at(secured[0], totp.step_of(later))
    assert enter(world, now=later, code=code).token
    for after in (timedelta(0), timedelta(seconds=29)):
        again = written.format(code[:3], code[3:])
        assert refused(world, now=later + after, code=again) == "second-factor-wrong"


def test_a_code_older_than_one_that_was_used_is_not_taken(world, secured):
    later = NOW + 5 * STEP
    step = totp.step_of(later)
    assert enter(world, now=later, code=totp.code_at(secured[0], step)).token
    earlier = totp.code_at(secured[0], step - 1)
    assert refused(world, now=later, code=earlier) == "second-factor-wrong"


@pytest.mark.parametrize(("off", "is_let_in"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_a_clock_may_be_wrong_by_one_step(world, secured, off, is_let_in):
    later = NOW + 5 * STEP
    code = totp.code_at(secured[0], totp.step_of(later) + off)
    if is_let_in:
        assert enter(world, now=later, code=code).token
    else:
        assert refused(world, now=later, code=code) == "second-factor-wrong"


@pytest.mark.parametrize("code", ["١٢٣٤٥٦", "12345", "1234567", "abcdef", "-12345", "1e5000"])
def test_what_is_no_code_is_refused(world, secured, code):
    assert refused(world, code=code, now=NOW + 5 * STEP) == "second-factor-wrong"


def test_a_recovery_code_stands_once(world, secured):
    _, codes = secured
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    assert enter(world, code=codes[0].upper().replace("-", " ")).token
    assert refused(world, code=codes[0]) == "second-factor-wrong"
    assert enter(world, code=codes[1]).token


def test_of_two_at_once_with_one_code_one_is_let_in(world, secured):
    later = NOW + 5 * STEP
    code = totp.code_at(secured[0], totp.step_of(later))
    said: list[str] = []

    def attempt() -> None:
        try:
            said.append("in" if enter(world, now=later, code=code).token else "")
        except NotAllowed as stop:
            said.append(stop.code)

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["in", *["second-factor-wrong"] * 3]


def test_guessing_codes_is_slowed_down_and_forgetting_one_is_not(world, secured):
    for _ in range(throttle.MOST_BY_ACCOUNT + 3):
        assert refused(world) == "second-factor-needed"
    for _ in range(throttle.MOST_BY_ACCOUNT):
        assert refused(world, code="000000") == "second-factor-wrong"
    assert refused(world, code="000000") == "sign-in-paused"


def test_who_wants_to_change_it_shows_password_and_code_together(world, li, secured):
    _, codes = secured
    token = enter(world, code=codes[0]).token
    for password, code in ((PASSWORD, "000000"), ("wrong", codes[1]), (PASSWORD, "")):
        with pytest.raises(NotAllowed):
            prove(world, li, token, password, code)
        with pytest.raises(NotAllowed), acting(world, li) as ctx:
            proof.need(ctx, token)
    prove(world, li, token, PASSWORD, codes[1])
    with acting(world, li) as ctx:
        proof.need(ctx, token)
        second_factor.take_away(ctx)
    assert enter(world).token
    with pytest.raises(NotAllowed), acting(world, li, NOW + proof.LIFE) as ctx:
        proof.need(ctx, token)


def test_a_token_of_a_program_shows_nothing(world, li):
    with acting(world, li) as ctx:
        token = signin.make_token(ctx, name="program")
    with pytest.raises(NotAllowed, match="browser"):
        prove(world, li, token, PASSWORD, "")


def prove(world, person, token, password, code):
    proof.by_password(
        lambda: acting(world, person), token, password=password, code=code, origin="192.0.2.1"
    )


def test_a_second_one_is_not_slipped_in(world, li, secured):
    with pytest.raises(Refused), acting(world, li) as ctx:
        second_factor.begin(ctx, issuer="x")
    with pytest.raises(Refused), acting(world, li) as ctx:
        second_factor.confirm(ctx, "123456")


def test_a_colleague_who_lost_it_is_let_in_by_a_manager_and_signed_out_everywhere(
    world, li, secured
):
    token = enter(world, code=secured[1][0]).token
    with pytest.raises(NotAllowed), acting(world, li) as ctx:
        second_factor.reset(ctx, li)
    with context_for(world) as ctx:
        with pytest.raises(Refused):
            second_factor.reset(ctx, world.person_id)
        with pytest.raises(NotFound):
            second_factor.reset(ctx, 9999)
        second_factor.reset(ctx, li)
    with installation_session(world.engine) as session:
        assert signin.resolve(session, token, NOW) is None
    assert enter(world).token
