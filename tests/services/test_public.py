"""What anybody may see of a certificate by its code, and what never."""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager
from datetime import date, timedelta

import pytest

from calib.i18n import translate
from calib.services.public import (
    EXPIRED_WORDS,
    KIND_WORDS,
    STATE_WORDS,
    UNSIGNED_WORDS,
    VERDICT_WORDS,
    masked,
    public_certificate,
)
from instruments.catalogue.loader import load_catalogue
from instruments.tenancy import installation_session, lab_session
from tests.support.certified import an_event, certified
from tests.support.documents import ear_verification, forehead_certificate

CATALOGUE = load_catalogue()
TOKEN = "k3Jr0Zq9TtW5mX2bYc7LdA"


@contextmanager
def ctx_of(world):
    with lab_session(world.engine, world.lab_id) as session:
        yield world.context(session)


def issue(world, number, document, **more):
    id_ = world.instrument(world.station, None)
    with ctx_of(world) as ctx:
        return certified(world, ctx, CATALOGUE, id_, number, document=document, **more)


def ask(world, token=TOKEN, now=None):
    with installation_session(world.engine, read_only=True) as session:
        return public_certificate(session, token, now or world.now)


def test_an_issued_certificate_shows_what_was_issued(world):
    document = forehead_certificate()
    issue(world, "HZ-1", document, token=TOKEN)
    shown = ask(world)
    assert (shown.number, shown.kind, shown.state) == ("HZ-1", "calibration_certificate", "valid")
    assert shown.lab == document.lab
    assert shown.item == document.item.name
    assert shown.verdict == document.result.verdict
    assert [line.error for line in shown.results] == [
        point.printed.error for point in document.result.points
    ]
    assert [(line.U, line.k) for line in shown.results] == [
        (point.printed.U, point.printed.k) for point in document.result.points
    ]
    assert shown.is_unsigned
    assert not shown.is_expired
    assert shown.state_on == date(2026, 3, 3)


def test_nothing_of_the_customer_nor_of_the_make_is_shown(world):
    document = forehead_certificate()
    item = dataclasses.replace(document.item, serial="SN-20200042", maker="Makers & Co")
    document = dataclasses.replace(document, item=item)
    issue(world, "HZ-1", document, token=TOKEN)
    text = repr(dataclasses.asdict(ask(world)))
    for secret in (
        document.customer.name.en,
        document.customer.name.zh,
        document.customer.address,
        document.customer.contact,
        document.item.asset_number,
        document.item.barcode,
        document.item.maker,
        document.item.model,
        document.order_number,
        document.item.serial,
    ):
        assert secret
        assert secret not in text


@pytest.mark.parametrize(
    ("serial", "shown"),
    [
        ("", ""),
        ("7", "*"),
        ("123", "***"),
        ("1234", "1**4"),
        ("SN-20200042", "SN*******42"),
        ("编号二〇二〇零四二一", "编号******二一"),
    ],
)
def test_at_most_half_of_a_serial_is_shown(serial, shown):
    assert masked(serial) == shown
    assert len(shown.replace("*", "")) * 2 <= max(len(serial), 0)


@pytest.mark.parametrize("events", [(), ("void",)])
def test_a_number_that_was_never_issued_opens_nothing(world, events):
    issue(world, "HZ-1", forehead_certificate(), token=TOKEN, events=events)
    assert ask(world) is None


@pytest.mark.parametrize(
    "token", ["", "HZ-1", "A" * 22, "a" * 5000, "k3Jr0Zq9TtW5mX2bYc7Ld\x00", "'; DROP TABLE x; --"]
)
def test_every_other_text_opens_nothing(world, token):
    issue(world, "HZ-1", forehead_certificate(), token=TOKEN)
    assert ask(world, token) is None


def test_a_replaced_certificate_names_its_successor(world):
    first = issue(world, "HZ-1", forehead_certificate(), token=TOKEN)
    second = issue(world, "HZ-2", forehead_certificate(), replaces_id=first)
    with ctx_of(world) as ctx:
        an_event(ctx, first, "superseded", ctx.now + timedelta(days=9), second)
    shown = ask(world)
    assert (shown.state, shown.successor) == ("superseded", "HZ-2")
    assert shown.state_on == date(2026, 3, 11)
    words = translate(shown.state_words, "en", day=shown.state_on, successor=shown.successor)
    assert words == "Replaced on 2026-03-11 by HZ-2. Do not use this one any more."
    with ctx_of(world) as ctx:
        an_event(ctx, first, "withdrawn", ctx.now + timedelta(days=10))
    assert ask(world).state == "withdrawn"


def test_a_withdrawn_certificate_says_so_without_the_reason(world):
    issue(world, "HZ-1", forehead_certificate(), token=TOKEN, events=("issued", "withdrawn"))
    shown = ask(world)
    assert shown.state == "withdrawn"
    assert "typing error" not in repr(shown)


def test_the_last_valid_day_of_a_verification_is_valid(world):
    document = dataclasses.replace(ear_verification(), valid_until="2026-03-02")
    issue(world, "HZ-1", document, token=TOKEN, kind="verification_certificate")
    assert not ask(world).is_expired
    # 15:59 UTC is the last minute of 2 March in Shanghai
    assert not ask(world, now=world.on("2026-03-02", "15:59").now).is_expired
    assert ask(world, now=world.on("2026-03-02", "16:00").now).is_expired


def test_a_due_date_is_shown_only_where_it_was_agreed(world):
    document = dataclasses.replace(forehead_certificate(), next_due_on="2027-03-02")
    issue(world, "HZ-1", dataclasses.replace(document, interval_agreed=False), token=TOKEN)
    agreed = dataclasses.replace(document, interval_agreed=True)
    issue(world, "HZ-2", agreed, token=TOKEN[::-1])
    assert ask(world).next_due_on is None
    assert ask(world, TOKEN[::-1]).next_due_on == "2027-03-02"


def test_every_word_of_the_page_has_both_languages():
    words = [
        EXPIRED_WORDS,
        UNSIGNED_WORDS,
        *STATE_WORDS.values(),
        *VERDICT_WORDS.values(),
        *KIND_WORDS.values(),
    ]
    assert [word for word in words if translate(word, "zh") == word] == []


def test_every_verdict_has_words():
    from typing import get_args

    from calib.evaluation.result import Verdict

    assert set(VERDICT_WORDS) == {*get_args(Verdict), "pass_of_rest"}
