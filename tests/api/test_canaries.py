"""Names, mails, tokens and serials are in no line of the log, no figure, no error, no public page.

Two hundred marks are entered where people enter such things; then everything that strangers or the
operator's tools may read is searched for them.
"""

from __future__ import annotations

import dataclasses
import io
import json
import logging

import pytest
from sqlalchemy.exc import IntegrityError

from api.logs import AsJSON, pseudonym, pseudonym_key
from api.settings import Settings
from calib.services.publishing import publish
from instruments.errors import DomainError
from instruments.records.parties import Person
from instruments.services import customers, instruments, signin
from instruments.tenancy import installation_session
from tests.support import issuing
from tests.support.sealed import a_sealed_lab
from tests.support.web import ORIGIN, TestClient, an_application

MARKS = 200


def marks(kind, count=50):
    return [f"{kind}-canary-{number:03d}" for number in range(count)]


@pytest.fixture
def heard():
    """Return what every logger of this process writes as the server writes it."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(AsJSON())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield out
    root.setLevel(before)
    root.removeHandler(handler)


def planted(lab):
    """Enter two hundred marks; return them."""
    bench = lab.bench
    names, mails, serials = marks("NAME"), marks("MAIL"), marks("SERIAL")
    everybody = issuing.everybody(bench)
    with bench.as_(everybody) as ctx:
        for name, mail in zip(names, mails, strict=True):
            customers.create_customer(
                ctx, name_zh=name, name_en=name, kind="other", contact=name,
                email=f"{mail}@example.org",
            )  # fmt: skip
        for serial in serials:
            instruments.register_instrument(
                ctx, model_id=bench.model_id,
                customer_id=bench.customer_id, serial=serial,
            )  # fmt: skip
        tokens = [signin.make_token(ctx, name=f"token {n}") for n in range(50)]
    return [*names, *mails, *serials, *tokens]


def test_there_is_no_mark_in_what_strangers_and_tools_read(tmp_path, heard, monkeypatch):
    lab = a_sealed_lab(tmp_path / "lab")
    found = planted(lab)
    assert len(set(found)) == MARKS
    view = lab.issue(issuing.authorised(lab.bench))
    publish(lab.publisher, lab.clock)
    app = an_application(lab.bench.installation, tmp_path / "data")
    settings = Settings(data=str(tmp_path / "data"), public_url=ORIGIN, metrics_token="figures")
    app.state.wiring = dataclasses.replace(
        app.state.wiring, settings=settings, publisher=lab.publisher, store=lab.store
    )
    client = TestClient(app, base_url=ORIGIN, follow_redirects=False, raise_server_exceptions=False)
    strangers = []

    def ask(path, **more):
        answer = client.get(path, **more)
        strangers.append(f"{path}\n{answer.headers}\n{answer.text}")
        return answer

    for path in ("/livez", "/readyz", f"/c/{view.token}", "/c/unknown", "/log", "/log/checkpoint",
                 "/log/tile/0/000.p/1", "/log/tile/entries/000.p/2", "/status", "/trust.json",
                 "/authenticate", "/sign-in", "/nothing", "/api/v1/instruments",
                 "/api/v1/customers/1", "/instruments/1"):  # fmt: skip
        ask(path)
    ask("/metrics", headers={"Authorization": "Bearer figures"})
    # signed in, with marks in address and body, and failures of every kind
    for token in found[150:160]:
        client.get("/api/v1/instruments", headers={"Authorization": f"Bearer {token}"},
                   params={"text": found[100]})  # fmt: skip
        client.get(f"/c/{token}")
        client.post("/api/v1/customers", headers={"Authorization": f"Bearer {token}"},
                    json={"name_en": found[0], "wrong": found[1]})  # fmt: skip
        client.post("/sign-in", data={"email": f"{found[50]}@example.org", "password": token})

    def broken(*_args, **_more):
        raise IntegrityError(f"INSERT {found[0]}", {"email": found[50]}, ValueError(found[100]))

    monkeypatch.setattr("api.v1.registry.instruments.find_instruments", broken)
    monkeypatch.setattr("api.v1.registry.instruments.get_instrument", broken)
    strangers.extend(
        client.get(path, headers={"Authorization": f"Bearer {found[150]}"}).text
        for path in ("/api/v1/instruments", "/api/v1/instruments/1")
    )
    lines = heard.getvalue()
    assert '"event": "request"' in lines
    public = "\n".join(strangers)
    leaked = [mark for mark in found if mark in lines or mark in public]
    assert not leaked, leaked[:5]
    assert all(json.loads(line) for line in lines.splitlines())


def test_a_failure_is_told_by_kind_and_place_and_never_by_its_words(heard):
    log = logging.getLogger("calib")
    try:
        try:
            raise ValueError("SERIAL-canary")
        except ValueError as problem:
            raise DomainError("x", "NAME-canary", facts={"name": "MAIL-canary"}) from problem
    except DomainError as problem:
        log.error("incident %s", "abc\r\nInjected: line \x1b[2J", exc_info=problem)  # noqa: TRY400
    (line,) = heard.getvalue().splitlines()
    told = json.loads(line)
    assert told["failure"] == ["DomainError", "ValueError"]
    assert any("test_canaries.py" in place for place in told["places"])
    assert "canary" not in line.replace("test_canaries", "")
    assert "\x1b" not in line
    logging.getLogger("other.library").warning("got %s", "MAIL-canary")
    assert "MAIL-canary" not in heard.getvalue()


def test_a_person_has_one_pseudonym_here_and_another_elsewhere(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    here, there = pseudonym_key(tmp_path / "a"), pseudonym_key(tmp_path / "b")
    assert pseudonym_key(tmp_path / "a") == here
    assert (tmp_path / "a" / "log.key").stat().st_mode & 0o077 == 0
    assert pseudonym(here, 7) == pseudonym(here, 7)
    assert len({pseudonym(here, 7), pseudonym(here, 8), pseudonym(there, 7)}) == 3


def test_no_error_of_the_database_holds_what_rows_hold(door):
    def twice():
        with installation_session(door.wired.engine) as session:
            for _ in range(2):
                session.add(
                    Person(
                        email="MAIL-canary@example.org",
                        name="NAME-canary",
                        password_hash=None,
                        language="en",
                        created_at=issuing.NOW,
                    )
                )
            session.flush()

    with pytest.raises(IntegrityError) as refused:
        twice()
    assert "canary" not in str(refused.value)
