"""The examination by the server: what it finds, how often it is done, what the browser keeps."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from api import turnstile
from api.app import create_app
from api.bootstrap import trust_of
from api.pages.authenticate import STATIC, script_words
from api.pages.authenticate_words import PAGE_WORDS
from api.turnstile import AT_ONCE, MOST, WINDOW, Turnstile
from calib.services import issue
from calib.verifier import apart
from instruments.errors import DomainError, Unavailable
from tests.support.builders import NOW
from tests.support.door import problem_of
from tests.support.sealed_site import SealedSite, unserved_site
from tests.support.web import ORIGIN, TestClient

SCRIPTS = sorted((STATIC / "authenticate").glob("*.js"))


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[SealedSite]:
    with unserved_site(tmp_path_factory.mktemp("site"), "127.0.0.1:8000") as there:
        yield there


@pytest.fixture(scope="module")
def first(site: SealedSite):
    return site.issued()


@pytest.fixture
def client(site: SealedSite) -> TestClient:
    return TestClient(create_app(site.wired), base_url=ORIGIN, follow_redirects=False)


def sent(client: TestClient, *files: tuple[str, bytes], path: str = "/api/v1/authenticate", **form):
    return client.post(path, files=[("file", one) for one in files] or None, data=form)


def test_the_public_page_offers_the_proof_and_no_file_that_names_the_customer(client, first):
    page = client.get(f"/c/{first.token}").text
    assert f'href="/c/{first.token}/proof" download="{first.number}.tlog-proof"' in page
    assert "证书已列入日志的证明" in page
    assert client.get(f"/c/{first.token}/proof").content.startswith(b"c2sp.org/tlog-proof@v1")
    assert ".xml" not in page
    assert ".pdf" not in page


def test_everything_is_examined_with_what_the_installation_publishes(client, site, first):
    answer = sent(client, ("a.pdf", site.file(first)))
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()
    states = {step["step"]: step["state"] for step in found["steps"]}
    assert (found["verdict"], found["name"]) == ("valid", "a.pdf")
    assert {"seal", "dcc", "text", "rendering", "log", "recomputation", "mark"} <= set(states)
    assert {state for step, state in states.items() if step != "witnesses"} == {"established"}
    assert found["says"]["number"] == first.number


def test_the_page_says_the_same_in_both_languages(client, site, first):
    for language, words in (("zh", "真实、未经改动、现行有效。"), ("en", "Genuine, unchanged")):
        client.cookies.set("language", language)
        answer = sent(client, ("a.pdf", site.file(first)), path="/authenticate")
        assert answer.status_code == 200
        assert words in answer.text
        assert first.number in answer.text
        assert "calibration_certificate" not in answer.text


def test_a_changed_file_is_contradicted_and_the_step_named(client, site, first):
    pdf = site.file(first)
    (found,) = sent(client, ("a.pdf", pdf[:-9] + b"x" + pdf[-8:])).json()
    assert found["verdict"] == "invalid"
    against = [step["step"] for step in found["steps"] if step["state"] == "contradicted"]
    assert against
    detail = [step["detail"] for step in found["steps"] if step["step"] in against]
    assert all(detail)


def test_a_code_is_examined_as_well(client, site, first):
    (found,) = sent(client, code=site.code(first)).json()
    assert found["verdict"] == "valid"
    # of the paper around it nothing is known
    page = sent(client, code=site.code(first), path="/authenticate").text
    assert "The code is genuine, and its certificate stands." in page
    assert "Genuine, unchanged" not in page
    assert "二维码" in found["words"] or "The code is genuine" in found["words"]
    (foreign,) = sent(client, code=site.code(first).replace("127.0.0.1", "127.0.0.2")).json()
    assert foreign["verdict"] == "invalid"


def test_a_digital_certificate_finds_its_proof_by_its_digest(client, site, first):
    dcc = site.file(first, "dcc")
    (found,) = sent(client, ("dcc.xml", dcc)).json()
    assert {s["step"]: s["state"] for s in found["steps"]}["log"] == "established"


def test_a_proof_in_hand_is_the_one_that_counts(client, site, first):
    other = site.issued()
    proof = client.get(f"/c/{other.token}/proof").content
    (found,) = sent(client, ("a.pdf", site.file(first)), ("b.tlog-proof", proof)).json()
    assert found["verdict"] == "invalid"
    own = client.get(f"/c/{first.token}/proof").content
    (found,) = sent(client, ("a.pdf", site.file(first)), ("a.tlog-proof", own)).json()
    assert found["verdict"] == "valid"


@pytest.mark.parametrize("path", ["/api/v1/authenticate", "/authenticate"])
def test_an_old_list_beside_it_hides_no_withdrawal(client, site, path):
    view = site.issued()
    old = client.get("/status/list").content
    bench = site.bench
    with bench.as_(bench.signatory) as ctx:
        issue.withdraw(ctx, view.certificate_id, "standard was wrong", bench.reviewer.id)
    site.clock.now += timedelta(seconds=2)
    site.publish()
    new = client.get("/status/list").content
    assert old != new
    code = ("code.txt", site.code(view).encode())
    for lists in ([old], [new], [old, new], [new, old], [b"calib-status/1\nno list\n"], []):
        answer = sent(client, code, *(("status.txt", one) for one in lists), path=path)
        assert ("withdrawn" in answer.text) is True, lists
        if path.startswith("/api"):
            assert answer.json()[0]["verdict"] == "withdrawn"


@pytest.mark.parametrize("files", [[], [("p", b"c2sp.org/tlog-proof@v1\n")], [("x", b"<a/>")] * 7])
def test_nothing_or_too_much_to_examine_is_refused(client, files):
    problem_of(sent(client, *files), 422, "nothing-to-examine")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 99,
        b"%PDF-1.7\n",
        b"<",
        b"<!DOCTYPE x [<!ENTITY e 'x'>]><x>&e;</x>",
        b"\xff\xfe",
    ],
)
def test_what_is_no_certificate_gets_an_answer_all_the_same(client, content):
    (found,) = sent(client, ("x", content)).json()
    assert found["verdict"] in ("invalid", "cannot_tell")


@pytest.mark.parametrize("path", ["/authenticate", "/api/v1/authenticate"])
def test_a_file_that_costs_too_much_is_told_and_nothing_is_said_of_it(client, monkeypatch, path):
    monkeypatch.setattr(apart, "_COMMAND", ("false",))
    answer = sent(client, ("x.pdf", b"%PDF-1.7\n"), ("x.xml", b"<a/>"), path=path)
    assert answer.status_code == 200
    assert "more time or memory than any certificate" in answer.text
    if path.startswith("/api"):
        assert [one["verdict"] for one in answer.json()] == ["cannot_tell"] * 2


def test_the_bundle_names_the_timestamp_authority(site, tmp_path):
    own = trust_of(site.wired)
    assert own.time_roots == ()
    path = tmp_path / "roots.pem"
    path.write_text("".join(own.roots * 2))
    settings = replace(site.wired.settings, timestamp_roots=str(path))
    wired = replace(site.wired, settings=settings)
    assert trust_of(wired).time_roots == own.roots * 2
    assert replace(trust_of(wired), time_roots=(), made_at="") == replace(own, made_at="")
    path.unlink()
    with pytest.raises(Unavailable) as stop:
        trust_of(wired)
    assert stop.value.code == "timestamp-roots-unreadable"


def test_a_proof_is_handed_out_to_who_knows_the_digest(client, first):
    digest = first.files["pdf"]
    assert client.get(f"/authenticate/proof/{digest}").content.startswith(b"c2sp.org/tlog-proof")
    for unknown in ("0" * 64, digest.upper(), digest[:-1], f"{digest}0"):
        assert client.get(f"/authenticate/proof/{unknown}").status_code == 404


def test_one_address_may_not_ask_without_end(site):
    client = TestClient(create_app(site.wired), base_url=ORIGIN)
    answers = [sent(client, code="#x").status_code for _ in range(MOST + 1)]
    assert answers == [200] * MOST + [429]
    problem_of(sent(client, code="#x"), 429, "examination-paused")
    site.clock.now += WINDOW
    assert sent(client, code="#x").status_code == 200
    site.clock.now -= WINDOW


def test_others_are_not_counted_and_nobody_waits_for_ever(monkeypatch):
    monkeypatch.setattr(turnstile, "PATIENCE", 0)
    gate = Turnstile()
    for _ in range(MOST):
        with gate.through("a", NOW):
            pass
    with gate.through("b", NOW), gate.through("c", NOW):
        assert AT_ONCE == 2
        with pytest.raises(DomainError) as stop, gate.through("d", NOW):
            pass
    assert stop.value.code == "examination-busy"
    with pytest.raises(DomainError) as stop, gate.through("a", NOW):
        pass
    assert stop.value.code == "examination-paused"
    with gate.through("a", NOW + WINDOW + timedelta(seconds=1)):
        pass


def test_only_this_page_may_ask_for_the_camera(client):
    assert "camera=(self)" in client.get("/authenticate").headers["Permissions-Policy"]
    assert "camera=()" in client.get("/sign-in").headers["Permissions-Policy"]
    assert "script-src 'self'" in client.get("/authenticate").headers["Content-Security-Policy"]


def test_what_is_kept_is_served_and_the_worker_may_keep_the_page(client):
    answer = client.get("/authenticate/worker.js")
    assert answer.headers["Service-Worker-Allowed"] == "/authenticate"
    files = json.loads(re.search(r"^const FILES = (.*);$", answer.text, re.MULTILINE)[1])
    assert {f"/static/authenticate/{one.name}" for one in SCRIPTS} <= set(files)
    assert {path: client.get(path).status_code for path in files} == dict.fromkeys(files, 200)
    manifest = client.get("/authenticate/manifest.webmanifest").json()
    assert manifest["start_url"] == manifest["scope"] == "/authenticate"


def test_the_scripts_say_nothing_that_has_no_chinese_words():
    source = "\n".join(one.read_text("utf-8") for one in SCRIPTS)
    sentences = script_words()["sentences"]
    steps = re.findall(r"(?:ablished|contradicted)\(\"\w+\", \"((?:[^\"\\]|\\.)+)\"", source)
    steps += re.findall(r"const message = \"((?:[^\"\\]|\\.)+)\"", source)
    steps += re.findall(r"new Refusal\(\s*\"[\w-]+\",\s*\"((?:[^\"\\]|\\.)+)\"", source)
    steps += re.findall(r"say\(\"((?:[^\"\\]|\\.)+)\"", source)
    assert len(steps) > 60
    assert [one for one in steps if one not in sentences] == []
    assert [one for one in PAGE_WORDS if json.dumps(one, ensure_ascii=False) not in source] == []


def test_the_scripts_are_short_and_take_nothing_from_elsewhere():
    for path in SCRIPTS:
        text = path.read_text("utf-8")
        assert len(text.splitlines()) <= 400, path.name
        imports = re.findall(r"from \"([^\"]+)\"", text)
        assert all((Path(path.parent) / one).exists() for one in imports), path.name
        assert not re.search(
            r"innerHTML|insertAdjacentHTML|\beval\b|document\.write|https?://\w", text
        )
