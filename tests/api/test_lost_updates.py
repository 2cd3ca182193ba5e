"""Many at once at the JSON door: no change is lost in silence, and a keyed act happens once."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from instruments.db import open_engine
from instruments.records.instruments import Instrument
from instruments.tenancy import installation_session
from tests.support import issuing
from tests.support.builders import NOW
from tests.support.door import a_door, problem_of, seen
from tests.support.web import Browser

pytestmark = pytest.mark.slow
EDITORS, EDITS = 8, 150
SENDERS = 5


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    made = a_door(f"sqlite+pysqlite:///{folder / 'calib.db'}", folder)
    yield made
    made.wired.engine.dispose()


def test_of_many_edits_at_once_none_is_lost_in_silence(door):
    """Each editor writes one more than it read: the last count is that of the edits that held."""
    path = f"/api/v1/customers/{door.bench.customer_id}"
    tokens = [door.token(door.bench.signatory) for _ in range(EDITORS)]
    client = door.client(tokens[0])
    started = client.patch(path, json={"phone": "0"}, headers=seen(client.get(path)))
    began = int(started.headers["ETag"].strip('"'))

    def edit(token):
        client, codes, answer = door.client(token), Counter(), None
        for _ in range(EDITS):
            if answer is None:
                answer = client.get(path)
            one_more = {"phone": str(int(answer.json()["phone"]) + 1)}
            saved = client.patch(path, json=one_more, headers={"If-Match": answer.headers["ETag"]})
            codes[saved.status_code] += 1
            answer = saved if saved.status_code == 200 else None
        return codes

    with ThreadPoolExecutor(EDITORS) as pool:
        codes = sum(pool.map(edit, tokens), Counter())
    assert set(codes) <= {200, 412}, codes
    assert codes.total() == EDITORS * EDITS
    last = door.client(tokens[0]).get(path)
    assert int(last.json()["phone"]) == codes[200]
    assert int(last.headers["ETag"].strip('"')) == began + codes[200]


def test_an_edit_on_no_version_or_an_old_one_is_refused_at_every_record(door):
    client = door.as_(door.bench.signatory)
    record = issuing.opened(door.bench)
    standard = f"/api/v1/standards/{door.bench.standard.id}"
    for method, path, body in (
        ("patch", f"/api/v1/customers/{door.bench.customer_id}", {"phone": "x"}),
        ("patch", f"/api/v1/models/{door.bench.model_id}", {"maker": "x"}),
        ("patch", standard, {"maker": "x"}),
        ("patch", f"/api/v1/calibrations/{record.id}/facts", {"remark": "x"}),
        ("put", f"/api/v1/calibrations/{record.id}/plan", {"points": {"temperature": ["1"]}}),
        ("post", f"/api/v1/calibrations/{record.id}/close", {"reason": "x"}),
    ):
        before = client.get(
            path.removesuffix("/facts").removesuffix("/plan").removesuffix("/close")
        )
        send = getattr(client, method)
        problem_of(send(path, json=body), 428, "if-match-missing")
        problem_of(send(path, json=body, headers={"If-Match": '"999"'}), 412, "changed-meanwhile")
        after = client.get(path.removesuffix("/facts").removesuffix("/plan").removesuffix("/close"))
        assert after.json() == before.json()


def test_a_form_on_an_old_version_is_shown_again_and_saves_nothing(door):
    path = f"/customers/{door.bench.customer_id}/edit"
    browser = Browser(door.app, door.token(door.bench.signatory))
    first, second = browser.get(path), browser.get(path)
    assert browser.send(first, phone="first").status == 303
    shown = browser.send(second, phone="second")
    assert shown.status == 422
    assert "first" in shown.text
    client = door.as_(door.bench.signatory)
    assert (
        client.get(path.replace("/edit", "").replace("/cust", "/api/v1/cust")).json()["phone"]
        == "first"
    )


def counted(door):
    with installation_session(door.wired.engine, read_only=True) as session:
        return session.scalar(select(func.count()).select_from(Instrument))


@pytest.mark.parametrize("keys", [100, pytest.param(1000, marks=pytest.mark.nightly)])
def test_a_key_is_one_effect_however_often_whatever_restarts_and_a_day_later(door, keys):
    run = f"run{keys}"
    path = "/api/v1/instruments/import?dry_run=false"
    client = door.as_(door.bench.signatory)
    model = client.get(f"/api/v1/models/{door.bench.model_id}").json()
    owner = client.get(f"/api/v1/customers/{door.bench.customer_id}").json()["name"]["en"]
    token = door.token(door.bench.signatory)

    def send(number, serial=None):
        named = serial or f"{run}-{number}"
        table = f"serial,maker,model,customer\n{named},{model['maker']},{model['model']},{owner}\n"
        return door.client(token).post(
            path,
            files={"file": ("a.csv", table.encode())},
            headers={"Idempotency-Key": f"{run}-key-{number:05d}"},
        )

    before = counted(door)
    asked = [number for number in range(keys) for _ in range(SENDERS)]
    with ThreadPoolExecutor(SENDERS) as pool:
        answers = list(pool.map(send, asked))
    assert {answer.status_code for answer in answers} == {200}, answers[0].text
    assert counted(door) == before + keys
    for _, group in itertools.groupby(zip(asked, answers, strict=True), key=lambda pair: pair[0]):
        assert len({answer.text for _, answer in group}) == 1
    first = {number: answer.text for number, answer in zip(asked, answers, strict=True)}
    wired = door.wired
    wired.engine.dispose()
    restarted = open_engine(str(wired.engine.url))
    later = dataclasses.replace(wired, engine=restarted, clock=lambda: NOW + timedelta(hours=25))
    door.app.state.wiring = later
    again = {number: send(number) for number in range(0, keys, 5)}
    assert {number: answer.text for number, answer in again.items()} == {
        number: first[number] for number in again
    }
    for number in range(0, keys, 20):
        problem_of(send(number, "other"), 422, "idempotency-key-reused")
    assert counted(door) == before + keys


@pytest.mark.parametrize("key", ["", "short", "x" * 201, "tab\there", None])
def test_an_act_without_a_usable_key_is_refused(door, key):
    headers = {} if key is None else {"Idempotency-Key": key}
    before = counted(door)
    answer = door.as_(door.bench.signatory).post(
        "/api/v1/instruments/import?dry_run=false",
        files={"file": ("a.csv", b"serial,maker,model,customer\nx,y,z,w\n")},
        headers=headers,
    )
    problem_of(answer, 400, "idempotency-key-missing")
    assert counted(door) == before
