"""Each part without which the work cannot be done: red at once, and green again when it is back.

All the while the process says that it lives. And figures are for whoever has the token, alone.
"""

from __future__ import annotations

import dataclasses
import time
from datetime import timedelta

import pytest

from api import readiness, watch
from api.bootstrap import _probe
from api.settings import Settings
from api.watch import Watch
from calib.adapters.signing_files import FileVault
from calib.records.webhooks import Delivery
from calib.records.work import Mail
from calib.services import webhooks
from calib.services.log import grow
from instruments.db import open_engine
from instruments.tenancy import lab_session
from tests.services.test_log import Place, clock
from tests.support.builders import NOW, told
from tests.support.web import a_sign_in

SECONDS = 10


@pytest.fixture(autouse=True)
def asked_each_time(monkeypatch):
    monkeypatch.setattr(watch, "KEPT", -1)


def rewired(door, **changes):
    door.app.state.wiring = dataclasses.replace(door.app.state.wiring, **changes)


def seen(door, part):
    """Return whether a part is well, after looking at how it is told and how fast."""
    began = time.monotonic()
    client = door.client()
    answer = client.get("/readyz")
    assert client.get("/livez").json() == {"status": "alive"}
    assert time.monotonic() - began < SECONDS
    well = answer.json()["checks"].get(part, "ok") == "ok"
    assert answer.status_code == (200 if well else 503), answer.json()
    return well


def test_the_database_goes_down_and_comes_back(door, tmp_path):
    engine = door.wired.engine
    rewired(door, engine=open_engine(f"sqlite+pysqlite:///{tmp_path / 'no' / 'such.db'}"))
    assert not seen(door, "database")
    rewired(door, engine=engine)
    assert seen(door, "database")


def test_the_disk_fills_and_is_freed(door, monkeypatch):
    assert seen(door, "disk")
    with monkeypatch.context() as full:
        full.setattr(readiness, "LEAST_FREE", 2**62)
        assert not seen(door, "disk")
    assert seen(door, "disk")


def test_the_keys_are_locked_and_opened_again(door, tmp_path):
    word = tmp_path / "passphrase"
    word.write_text("four words of bath")
    word.chmod(0o600)
    FileVault(tmp_path / "keys", lambda: b"four words of bath").make("ed25519", "log")
    rewired(door, probe=_probe(Settings(data=str(tmp_path), passphrase_file=str(word))))
    right, wrong = word.read_text(), "some other long words"
    word.write_text(wrong)
    assert not seen(door, "keys")
    word.write_text(right)
    assert seen(door, "keys")


def test_the_signer_process_is_missing(door, tmp_path):
    rewired(door, probe=_probe(Settings(data=str(tmp_path), signer="process")))
    assert not seen(door, "keys")
    rewired(door, probe=lambda: None)
    assert seen(door, "keys")


def test_lines_of_the_ledger_wait_for_a_signed_head(door, tmp_path):
    place = Place(tmp_path / "logged")
    place.append(3)
    grow(place.log, clock)
    publisher = dataclasses.replace(door.wired.publisher, log_files=place.files)
    rewired(door, engine=place.engine, publisher=publisher)
    assert seen(door, "checkpoint")
    place.append(2)
    assert seen(door, "checkpoint")  # they have just come
    rewired(door, watch=Watch(), clock=lambda: NOW + timedelta(minutes=3))
    assert not seen(door, "checkpoint")
    grow(place.log, clock)
    assert seen(door, "checkpoint")
    place.engine.dispose()


def a_mail(door, at):
    with lab_session(door.wired.engine, door.bench.lab_id) as session:
        session.add(
            Mail(
                recipient="somebody@example.org",
                subject="s",
                body="b",
                calendar=None,
                message_id="<1@x>",
                made_at=at,
                next_try_at=at,
            )
        )
        told(session)


def test_a_mail_is_stuck_and_goes_out(door):
    a_mail(door, NOW - timedelta(hours=1))
    assert not seen(door, "outbox")
    with lab_session(door.wired.engine, door.bench.lab_id) as session:
        session.get_one(Mail, 1).state = "sent"
        told(session)
    assert seen(door, "outbox")


def test_a_message_is_stuck_and_an_address_that_is_off_keeps_nobody_waiting(door):
    with door.bench.as_(dataclasses.replace(door.bench.technician, roles=("manager",))) as ctx:
        made = webhooks.register(ctx, address="https://hooks.example.org/")
        ctx.session.add(
            Delivery(
                webhook_id=made.id,
                event_id="x",
                event="instrument.due",
                body="{}",
                made_at=NOW,
                next_try_at=NOW - timedelta(hours=1),
            )
        )
    assert not seen(door, "outbox")
    with door.bench.as_(dataclasses.replace(door.bench.technician, roles=("manager",))) as ctx:
        webhooks.switch(ctx, made.id, "off")
    assert seen(door, "outbox")


@pytest.mark.parametrize("hours", [-2, 2])
def test_the_clock_jumps_and_is_set_right(door, hours):
    rewired(door, watch=Watch())
    assert seen(door, "clock")
    rewired(door, clock=lambda: NOW + timedelta(hours=hours))
    assert not seen(door, "clock")
    rewired(door, clock=lambda: NOW)
    assert seen(door, "clock")


def test_a_clock_that_starts_before_what_happened_is_told(door):
    rewired(door, watch=Watch(), clock=lambda: NOW - timedelta(days=1))
    assert not seen(door, "clock")


def test_figures_are_for_the_token_alone(door):
    token = "a-long-token-of-the-operator"
    for asked in (
        "",
        "Bearer ",
        "Bearer x",
        f"Bearer {token}",
        f"Bearer {a_sign_in(door.bench.installation)}",
    ):
        answer = door.client().get("/metrics", headers={"Authorization": asked})
        assert answer.status_code == 404  # no token is set
    settings = dataclasses.replace(door.wired.settings, metrics_token=token)
    rewired(door, settings=settings)
    assert door.client().get("/metrics").status_code == 404
    assert (
        door.client().get("/metrics", headers={"Authorization": "Bearer é".encode()}).status_code
        == 404
    )
    answer = door.client().get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    lines = dict(line.rsplit(" ", 1) for line in answer.text.splitlines())
    assert lines['calib_ready{part="database"}'] == "1"
    for name in ("outbox_oldest_seconds", "unpublished_lines", "clock_step_seconds",
                 "reserved_certificates", "disk_free_bytes"):  # fmt: skip
        float(lines[f"calib_{name}"])
