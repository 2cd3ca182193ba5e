"""What addresses are told: each event once, signed, again after failure, and stopped in the end."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from calib.adapters.factor_key import FactorKey
from calib.adapters.files import DirectoryStore
from calib.adapters.webhooks import PinnedCourier
from calib.records.webhooks import Delivery, Webhook
from calib.records.work import Mail
from calib.services import issue, notices, readings, review, webhook_outbox, webhooks
from calib.services.webhook_outbox import MOST_ATTEMPTS, STOP_AFTER, send_deliveries
from instruments.errors import Conflict, Invalid, NotAllowed, NotFound, Refused, Unavailable
from instruments.records.audit import AuditEvent
from instruments.services.factor_secrets import CLOSED, use_key
from instruments.tenancy import installation_session, lab_session
from tests.support import issuing
from tests.support.builders import NOW, told
from tests.support.due_world import due_world
from tests.support.receivers import a_receiver

DOCS = Path(__file__).parents[2] / "docs" / "operate" / "webhooks.md"
ADDRESS = "https://hooks.example.org/calib"


class Sky:
    """A courier that writes down what it was given, and answers as told."""

    def __init__(self, status=204):
        self.status = status
        self.sent = []

    def send(self, address, body, headers):
        self.sent.append((address, body, dict(headers)))
        if isinstance(self.status, Exception):
            raise self.status
        return self.status


@pytest.fixture
def bench(database_url, tmp_path):
    made = issuing.a_bench(database_url)
    use_key(made.engine, FactorKey(tmp_path / "data"))
    yield made
    made.engine.dispose()


@pytest.fixture
def world(empty_database_url, tmp_path):
    made = due_world(empty_database_url)
    use_key(made.engine, FactorKey(tmp_path / "data"))
    yield made
    made.engine.dispose()


def manager(bench, now=NOW):
    return bench.as_(replace(bench.technician, roles=("manager",)), now=now)


def registered(bench, address=ADDRESS, **more):
    with manager(bench) as ctx:
        return webhooks.register(ctx, address=address, **more)


def rows(engine, kind=Delivery):
    with installation_session(engine) as session:
        found = session.scalars(select(kind).order_by(kind.id)).all()
        session.expunge_all()
    return found


def checker():
    """Return the function that the page gives to receivers."""
    code = re.search(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)[1]
    names = {}
    exec(code, names)  # noqa: S102
    return names["is_genuine"]


def send(bench, sky, now=NOW):
    return send_deliveries(bench.engine, sky, lambda: now, public_url="https://calib.example.org")


def test_issued_amended_and_withdrawn_certificates_are_told_once_each(bench, tmp_path):
    made = registered(bench)
    store = DirectoryStore(tmp_path)
    first = issuing.issued(bench, store, issuing.authorised(bench))
    with bench.as_(bench.signatory) as ctx:
        copy = issue.amend(ctx, first.certificate_id, "Wrong location printed.")
    with bench.as_(bench.technician) as ctx:
        issuing.note_circumstances(ctx, copy.id)
    with bench.as_(bench.signatory) as ctx:
        issue.withdraw(ctx, first.certificate_id, "The bath was wrong.", bench.reviewer.id)
    sky = Sky()
    assert send(bench, sky).sent == 2
    told = [json.loads(body) for _, body, _ in sky.sent]
    assert [one["event"] for one in told] == ["certificate.issued", "certificate.withdrawn"]
    assert {one["certificate"]["number"] for one in told} == {first.number}
    assert told[0]["certificate"]["code"] == first.token
    check = checker()
    for _, body, headers in sky.sent:
        at = NOW.timestamp()
        assert check(made.secret, headers, body, at)
        assert not check(made.secret, headers, body + b" ", at)
        assert not check(made.secret, headers | {"Webhook-Id": "other"}, body, at)
        assert not check(made.secret, headers, body, at + 600)
        assert not check(webhooks.SECRET + "AAAA", headers, body, at)
    assert send(bench, sky).sent == 0
    issue.finish(bench.engine, store, issuing.UnsealedSealer(), bench.lab_id,
                 first.certificate_id, lambda: NOW)  # fmt: skip
    assert len(rows(bench.engine)) == 2


def test_an_amendment_is_told_as_one_with_the_number_it_replaces(bench, tmp_path):
    made = registered(bench, events=("certificate.amended",))
    store = DirectoryStore(tmp_path)
    first = issuing.issued(bench, store, issuing.authorised(bench))
    with bench.as_(bench.signatory) as ctx:
        copy = issue.amend(ctx, first.certificate_id, "Wrong location printed.")
    with bench.as_(bench.technician) as ctx:
        readings.set_facts(
            ctx, copy.id, issuing.version_of(ctx, copy.id), performed_on=NOW.date(), remark="hall 2"
        )
        review.submit(ctx, copy.id, issuing.version_of(ctx, copy.id))
    issuing.approve(bench, copy.id)
    second = issuing.issued(bench, store, copy.id, key="amended")
    sky = Sky()
    assert send(bench, sky).sent == 1
    ((_, body, headers),) = sky.sent
    told = json.loads(body)
    assert (told["event"], told["certificate"]["number"]) == ("certificate.amended", second.number)
    assert told["certificate"]["replaces"] == first.number
    assert headers["Webhook-Id"] == told["id"]
    assert checker()(made.secret, headers, body, NOW.timestamp())
    assert send(bench, sky).sent == 0


def test_an_address_is_told_only_what_it_wants(bench, tmp_path):
    registered(bench, events=("certificate.withdrawn",))
    issuing.issued(bench, DirectoryStore(tmp_path), issuing.authorised(bench))
    assert rows(bench.engine) == []


def test_what_falls_due_is_told_once_for_each_day(world):
    with lab_session(world.engine, world.lab_id) as session:
        webhooks.register(world.context(session), address=ADDRESS)
    world.instrument(world.station, "2026-03-05")
    world.instrument(world.station, "2027-03-05")
    for day in ("2026-03-02", "2026-03-03", "2026-03-20"):
        notices.make_notices(world.on(day).engine, world.clock, public_url="https://calib.example")
    told = [json.loads(row.body) for row in rows(world.engine)]
    assert [one["instrument"]["due_on"] for one in told] == ["2026-03-05"]
    assert told[0]["instrument"]["barcode"]


def a_waiting_one(bench, tmp_path):
    made = registered(bench)
    issuing.issued(bench, DirectoryStore(tmp_path), issuing.authorised(bench))
    return made


@pytest.mark.parametrize("status", [500, 302, 404, Unavailable("x", "y"), RuntimeError("z")])
def test_what_fails_is_tried_again_later_with_the_same_id(bench, tmp_path, status):
    made = a_waiting_one(bench, tmp_path)
    sky = Sky(status)
    assert send(bench, sky).postponed == 1
    assert send(bench, sky).postponed == 0  # it rests for a minute
    sky.status = 200
    later = NOW + timedelta(minutes=1)
    assert send(bench, sky, later).sent == 1
    (_, body, first), (_, again, second) = sky.sent
    assert (body, first["Webhook-Id"]) == (again, second["Webhook-Id"])
    assert first["Webhook-Timestamp"] != second["Webhook-Timestamp"]
    assert checker()(made.secret, second, again, later.timestamp())
    with manager(bench) as ctx:
        (view,) = webhooks.deliveries(ctx, made.id)
        assert (view.state, view.status, view.attempts, view.problem) == ("sent", 200, 2, None)


def test_whoever_fails_again_and_again_is_stopped_and_the_lab_is_told(bench, tmp_path):
    made = a_waiting_one(bench, tmp_path)
    store = DirectoryStore(tmp_path)
    issuing.issued(bench, store, issuing.authorised(bench), key="another-one")
    with bench.as_(bench.signatory) as ctx:
        ctx.session.get_one(issuing.labs.Lab, bench.lab_id).email = "lab@example.org"
        told(ctx.session)
    sky, now = Sky(500), NOW
    for _ in range(60):
        send(bench, sky, now)
        now += timedelta(hours=7)
    assert len(sky.sent) == STOP_AFTER
    (row,) = rows(bench.engine, Webhook)
    assert (row.state, row.failures) == ("stopped", STOP_AFTER)
    (mail,) = rows(bench.engine, Mail)
    assert ADDRESS in mail.body
    assert "https://calib.example.org/lab/webhooks" in mail.body
    acts = [event.act for event in rows(bench.engine, AuditEvent)]
    assert acts.count("webhook:webhook:stop") == 1
    issuing.issued(bench, store, issuing.authorised(bench), key="while-stopped")
    assert send(bench, Sky(), now).sent == 0
    with manager(bench, now) as ctx:
        webhooks.switch(ctx, made.id, "on")
    assert send(bench, Sky(), now).sent == 3


def test_a_message_is_given_up_in_the_end(bench, tmp_path, monkeypatch):
    a_waiting_one(bench, tmp_path)
    monkeypatch.setattr(webhook_outbox, "STOP_AFTER", 1000)
    sky, now = Sky(500), NOW
    for _ in range(40):
        send(bench, sky, now)
        now += timedelta(hours=7)
    assert len(sky.sent) == MOST_ATTEMPTS
    assert [row.state for row in rows(bench.engine)] == ["given_up"]


def test_one_that_fails_keeps_nobody_waiting(bench, tmp_path):
    registered(bench, "https://bad.example.org/")
    registered(bench, "https://good.example.org/")
    store = DirectoryStore(tmp_path)
    for key in ("first-one", "second-one"):
        issuing.issued(bench, store, issuing.authorised(bench), key=key)

    class Half(Sky):
        def send(self, address, body, headers):
            super().send(address, body, headers)
            return 500 if "bad" in address else 200

    sky = Half()
    done = send(bench, sky)
    assert (done.sent, done.postponed) == (2, 1)  # the bad one is asked once in a sweep


def test_a_crash_while_sending_sends_again_after_the_lease(bench, tmp_path):
    a_waiting_one(bench, tmp_path)

    class Killed(BaseException):
        pass

    class Dying:
        def send(self, *_of):
            raise Killed

    with pytest.raises(Killed):
        send(bench, Dying())
    sky = Sky()
    assert send(bench, sky).sent == 0
    assert send(bench, sky, NOW + timedelta(minutes=16)).sent == 1


def test_a_new_secret_signs_at_once_and_the_one_before_for_a_day(bench, tmp_path):
    old = a_waiting_one(bench, tmp_path)
    with manager(bench) as ctx:
        new = webhooks.renew_secret(ctx, old.id)
    assert new.secret != old.secret
    sky, check = Sky(500), checker()
    for after, counts in ((0, True), (23, True), (25, False)):
        now = NOW + timedelta(hours=after)
        send(bench, sky, now)
        _, body, headers = sky.sent[-1]
        assert check(new.secret, headers, body, now.timestamp())
        assert check(old.secret, headers, body, now.timestamp()) == counts


def test_no_secret_is_in_trail_or_lists(bench):
    made = registered(bench)
    with manager(bench) as ctx:
        renewed = webhooks.renew_secret(ctx, made.id)
        shown = repr(webhooks.list_webhooks(ctx)) + repr(webhooks.deliveries(ctx, made.id))
    trail = " ".join(repr(event.facts) for event in rows(bench.engine, AuditEvent))
    for secret in (made.secret, renewed.secret):
        assert secret not in shown + trail


def test_what_waits_for_an_address_that_ends_is_given_up_and_its_secret_forgotten(bench, tmp_path):
    made = a_waiting_one(bench, tmp_path)
    with manager(bench) as ctx:
        webhooks.switch(ctx, made.id, "ended")
        assert webhooks.list_webhooks(ctx) == ()
    assert send(bench, Sky()).sent == 0
    (row,) = rows(bench.engine, Webhook)
    assert row.secret == ""
    with manager(bench) as ctx:
        for act in (webhooks.renew_secret, lambda c, i: webhooks.switch(c, i, "on")):
            with pytest.raises(Conflict):
                act(ctx, made.id)


def test_off_by_hand_keeps_nothing(bench, tmp_path):
    made = registered(bench)
    with manager(bench) as ctx:
        webhooks.switch(ctx, made.id, "off")
        with pytest.raises(Conflict):
            webhooks.switch(ctx, made.id, "off")
        with pytest.raises(Invalid):
            webhooks.switch(ctx, made.id, "stopped")
    issuing.issued(bench, DirectoryStore(tmp_path), issuing.authorised(bench))
    assert rows(bench.engine) == []


def test_registering_is_checked(bench, monkeypatch):
    with manager(bench) as ctx:
        for bad in ("http://example.org/", "https://127.0.0.1/", "https://[::1]/", "x"):
            with pytest.raises((Invalid, Refused)):
                webhooks.register(ctx, address=bad)
        for events in ((), ("certificate.deleted",)):
            with pytest.raises(Invalid):
                webhooks.register(ctx, address=ADDRESS, events=events)
        webhooks.register(ctx, address=ADDRESS)
        with pytest.raises(Conflict):
            webhooks.register(ctx, address=f" {ADDRESS} ")
        monkeypatch.setattr(webhooks, "MOST", 1)
        with pytest.raises(Refused):
            webhooks.register(ctx, address=ADDRESS + "2")
        with pytest.raises(NotFound):
            webhooks.deliveries(ctx, 77)
    with bench.as_(bench.technician) as ctx, pytest.raises(NotAllowed):
        webhooks.register(ctx, address=ADDRESS)


def test_the_real_courier_delivers_what_the_receiver_can_check(bench, tmp_path):
    with a_receiver() as receiver:
        made = registered(bench, receiver.address, loopback=True)
        issuing.issued(bench, DirectoryStore(tmp_path), issuing.authorised(bench))
        assert send(bench, PinnedCourier(loopback=True)).sent == 1
        (first, headers, body), = receiver.heard  # fmt: skip
    named = {name.title(): value for name, value in headers.items()}
    assert first == "POST /hook HTTP/1.1"
    assert headers["content-type"] == "application/json"
    assert checker()(made.secret, named, body, NOW.timestamp())


def test_secrets_lie_closed_and_without_their_key_nothing_is_sent(bench, tmp_path):
    made = a_waiting_one(bench, tmp_path)
    with manager(bench) as ctx:
        renewed = webhooks.renew_secret(ctx, made.id)
    (row,) = rows(bench.engine, Webhook)
    assert row.secret.startswith(CLOSED)
    assert row.old_secret.startswith(CLOSED)
    assert not {made.secret, renewed.secret} & {row.secret, row.old_secret}
    use_key(bench.engine, FactorKey(tmp_path / "another"))
    sky = Sky()
    assert send(bench, sky).postponed == 1
    assert sky.sent == []
    assert "webhook-secret-closed" in repr(rows(bench.engine)[0].last_error)
