"""Who may not, what is not there, what is too large, what breaks: always the same plain answer."""

from __future__ import annotations

import dataclasses
import functools
import logging
from typing import Any, cast

import pytest

from api.app import MAX_REQUEST, create_app
from api.bootstrap import Wiring
from calib.services import review
from instruments.services import signin
from tests.support import builders, issuing
from tests.support.builders import NOW, context_for
from tests.support.door import Door, problem_of, seen

HEADERS = {
    "Content-Security-Policy",
    "X-Content-Type-Options",
    "Referrer-Policy",
    "X-Frame-Options",
    "Cross-Origin-Opener-Policy",
    "Permissions-Policy",
    "Cache-Control",
}
PUBLIC = {"/api/v1/public/certificates/{token}", "/api/v1/authenticate"}


@pytest.fixture(scope="module")
def door(door_for_all: Door) -> Door:
    return door_for_all


@pytest.fixture(scope="module")
def stranger(door: Door) -> str:
    """Return the token of a manager of another lab on the same installation."""
    lab_id = builders.a_lab(door.bench.engine, "FAR")
    person_id = builders.a_person(door.bench.engine, lab_id)
    with context_for(door.bench.installation, lab_id=lab_id, person_id=person_id) as ctx:
        return signin.make_token(ctx, name="far")


@functools.cache
def described() -> dict[str, dict[str, dict]]:
    return create_app(cast("Wiring", None)).openapi()["paths"]


def routes() -> list[tuple[str, str]]:
    return sorted(
        (method.upper(), path) for path, methods in described().items() for method in methods
    )


def filled(path: str, number: int) -> str:
    for name in ("{role}", "{type_id}", "{token}"):
        path = path.replace(name, "pdf")
    parts = [str(number) if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)


@pytest.mark.parametrize(("method", "path"), routes())
def test_nobody_comes_in_without_signing_in(door, method, path):
    if path in PUBLIC:
        return
    answer = door.client().request(method, filled(path, 1))
    problem_of(answer, 401, "sign-in-needed")


@pytest.mark.parametrize("token", ["x", "calib_t_" + "A" * 43, "Bearer", "é"])
def test_a_token_nobody_has_is_no_sign_in(door, token):
    answer = door.client().get(
        "/api/v1/dashboard", headers={"Authorization": f"Bearer {token}".encode()}
    )
    problem_of(answer, 401, "sign-in-needed")


def test_a_token_ends_when_it_expires(door):
    token = door.token(door.bench.technician)
    client = door.client(token)
    assert client.get("/api/v1/dashboard").status_code == 200
    wired = door.app.state.wiring
    later = NOW.replace(year=NOW.year + 1)
    door.app.state.wiring = dataclasses.replace(wired, clock=lambda: later)
    try:
        problem_of(client.get("/api/v1/dashboard"), 401, "sign-in-needed")
    finally:
        door.app.state.wiring = wired


THINGS = (
    "/customers/{id}",
    "/models/{id}",
    "/instruments/{id}",
    "/instruments/{id}/history",
    "/standards/{id}",
    "/orders/{id}",
    "/calibrations/{id}",
    "/calibrations/{id}/standards",
    "/calibrations/{id}/evaluation",
    "/calibrations/{id}/marks",
)


@pytest.mark.parametrize("path", THINGS)
def test_a_thing_of_another_lab_looks_like_one_that_does_not_exist(door, stranger, path):
    issuing.opened(door.bench)  # there is a number 1 of everything
    own = door.as_(door.bench.technician).get("/api/v1" + path.format(id=1))
    assert own.status_code == 200, own.text
    client = door.client(stranger)
    foreign = client.get("/api/v1" + path.format(id=1))
    missing = client.get("/api/v1" + path.format(id=987654))
    assert foreign.status_code == missing.status_code == 404
    assert foreign.text.replace("1", "N") == missing.text.replace("987654", "N").replace("1", "N")


def test_lists_hold_nothing_of_another_lab(door, stranger):
    issuing.opened(door.bench)
    for path in ("customers", "models", "instruments", "standards", "orders", "calibrations"):
        assert door.client(stranger).get(f"/api/v1/{path}").json() == [], path


def test_a_number_larger_than_any_row_is_missing(door):
    client = door.as_(door.bench.technician)
    for number in (2**31, 2**63 - 1, 2**63, 10**40):
        answer = client.get(f"/api/v1/customers/{number}")
        assert answer.status_code == 404, answer.text
    answer = client.get("/api/v1/instruments", params={"customer_id": 10**30})
    assert answer.status_code in (200, 404), answer.text


def test_a_role_that_is_missing_is_named(door):
    record = issuing.submitted(door.bench)
    client = door.as_(door.bench.technician)
    headers = seen(client.get(f"/api/v1/calibrations/{record}"))
    answer = client.post(f"/api/v1/calibrations/{record}/review", json={}, headers=headers)
    found = problem_of(answer, 403, "role-missing")
    assert "reviewer" in found["detail"]


def test_who_measured_may_not_review(door):
    record = issuing.opened(door.bench).id
    with door.bench.as_(door.bench.colleague) as ctx:  # a technician who is a reviewer as well
        issuing.fill(ctx, record)
        review.submit(ctx, record, issuing.version_of(ctx, record))
    client = door.as_(door.bench.colleague)
    headers = seen(client.get(f"/api/v1/calibrations/{record}"))
    answer = client.post(f"/api/v1/calibrations/{record}/review", json={}, headers=headers)
    assert problem_of(answer, 409, "same-person")["clause"]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_of_another_site_changes_nothing(door, site):
    client = door.client()
    client.cookies.set("__Host-calib_session", door.token(door.bench.signatory))
    sent = {"name_en": "Forged"}
    foreign = ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": site}, {"Origin": "null"})
    for headers in foreign:
        answer = client.post("/api/v1/customers", json=sent, headers=headers)
        problem_of(answer, 403, "foreign-origin")
    answer = client.post("/customers/new", data=sent, headers=foreign[0])
    assert answer.status_code == 403
    own = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/api/v1/customers", json={"name_en": "Own"}, headers=own).status_code == 201
    names = [c["name"]["en"] for c in client.get("/api/v1/customers").json()]
    assert "Own" in names
    assert "Forged" not in names


def test_a_request_that_is_too_large_is_refused_before_it_is_read(door):
    client = door.as_(door.bench.technician)
    answer = client.post(
        "/api/v1/instruments/import", content=b"", headers={"Content-Length": str(MAX_REQUEST + 1)}
    )
    found = problem_of(answer, 413, "request-too-large")
    assert str(MAX_REQUEST) in found["detail"]


def test_a_request_that_does_not_say_its_length_is_refused(door):
    client = door.as_(door.bench.technician)
    answer = client.post("/api/v1/customers", content=iter([b"{}"]))
    problem_of(answer, 411, "length-missing")


@pytest.mark.parametrize("length", ["-1", "abc", "1e3", "9" * 40])
def test_a_length_that_is_no_number_is_refused(door, length):
    answer = door.client().get("/livez", headers={"Content-Length": length})
    assert answer.status_code == 413, answer.text


class Broken:
    """A catalogue that fails in a way nobody foresaw."""

    def list(self):
        """Fail with something that must not leave the house."""
        raise RuntimeError("secret /srv/calib/calib.db SELECT * FROM persons")


@pytest.fixture
def broken(door):
    wired = door.app.state.wiring
    door.app.state.wiring = dataclasses.replace(wired, catalogue=cast("Any", Broken()))
    yield
    door.app.state.wiring = wired


def test_an_unforeseen_failure_gives_its_incident_and_nothing_else(door, broken, caplog):
    with caplog.at_level(logging.ERROR):
        answer = door.as_(door.bench.technician).get("/api/v1/types")
    found = problem_of(answer, 500, "incident")
    number = found["detail"].partition("incident ")[2].partition(";")[0]
    assert any(number in record.getMessage() for record in caplog.records)
    for word in ("secret", "SELECT", "Traceback", "RuntimeError", "/srv"):
        assert word not in answer.text
    assert answer.headers.keys() >= {name.lower() for name in HEADERS}


def test_every_answer_carries_the_security_headers(door, broken):
    someone, nobody = door.as_(door.bench.technician), door.client()
    answers = {
        200: someone.get("/api/v1/customers"),
        401: nobody.get("/api/v1/customers"),
        404: someone.get("/api/v1/no-such-thing"),
        405: someone.delete("/api/v1/customers"),
        422: someone.post("/api/v1/customers", json={"x": 1}),
        428: someone.patch("/api/v1/customers/1", json={}),
        500: someone.get("/api/v1/types"),
        303: nobody.get("/instruments"),
    }
    for status, answer in answers.items():
        assert answer.status_code == status, answer.text
        missing = {name for name in HEADERS if name not in answer.headers}
        assert not missing, status
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert "max-age=63072000" in answer.headers["Strict-Transport-Security"]


def test_errors_are_told_in_the_language_asked_for(door):
    answer = door.client().get("/api/v1/dashboard", headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    problem_of(answer, 401, "sign-in-needed")
    english = door.client().get("/api/v1/dashboard", headers={"Accept-Language": "en"})
    assert english.json()["detail"].startswith("You are not signed in")


def test_the_description_names_every_route_with_its_answers(door):
    answer = door.client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    document = answer.json()
    assert document["openapi"].startswith("3.")
    paths = set(document["paths"])
    assert {
        "/api/v1/instruments/import",
        "/api/v1/calibrations/{calibration_id}/readings",
        "/api/v1/calibrations/{calibration_id}/certificate",
        "/api/v1/certificates/{certificate_id}/files/{role}",
        "/api/v1/public/certificates/{token}",
        "/api/v1/due",
        "/api/v1/board",
    } <= paths
    assert len(paths) >= 40
    silent = [
        f"{method} {path}"
        for path, methods in document["paths"].items()
        for method, said in methods.items()
        if not said.get("description")
    ]
    assert not silent


def test_a_table_beyond_the_limits_is_refused_with_the_limit(door):
    rows = b"serial,maker,model,customer\n" + b"a,b,c,d\n" * 200_001
    answer = door.as_(door.bench.technician).post(
        "/api/v1/instruments/import", files={"file": ("many.csv", rows)}
    )
    found = problem_of(answer, 409, "table-too-large")
    assert "200000 rows" in found["detail"]
    assert "Split it" in found["detail"]


@pytest.mark.parametrize(
    ("language", "words"), [("en", "There is no {noun} {id} here."), ("zh-CN", "{noun}")]
)
def test_the_type_of_a_problem_leads_to_its_words(door, language, words):
    with door.as_(door.bench.technician) as client:
        told = client.get("/api/v1/instruments/9999").json()
    place, _, code = told["type"].partition("#")
    page = door.client().get(place, headers={"Accept-Language": language})
    assert page.status_code == 200
    told_there = page.text.partition(f'id="{code}"')[2].partition("</section>")[0]
    assert words in told_there
    assert ("Look it up" in told_there) == (language == "en")
