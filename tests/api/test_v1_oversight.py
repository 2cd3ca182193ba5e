"""The authority's doors: what stands in its districts, why, the directory, reports as frozen."""

from __future__ import annotations

import hashlib
import json

import pytest
from sqlalchemy import select

from calib.services import weekly
from instruments.records.audit import AuditEvent
from instruments.services import mandates, scope
from instruments.services.instruments import set_status
from instruments.services.scope import ScopeEntry
from instruments.tenancy import installation_session
from tests.support import builders, issuing
from tests.support.builders import NOW, context_for
from tests.support.door import Door, a_door, a_key, problem_of
from tests.support.overseen import Authority, an_authority, client_of, put_in_districts
from tests.support.web import TestClient

WEEK = weekly.week_named(NOW.date())


def at(path: str) -> str:
    return f"/api/v1/oversight{path}"


@pytest.fixture
def door(database_url, tmp_path):
    """Return a lab with a certified instrument in no district, and one in each of two."""
    made = a_door(database_url, tmp_path)
    issuing.issued(made.bench, made.store, issuing.authorised(made.bench))
    put_in_districts(made.bench, "Uptown", "Harbour")
    yield made
    made.bench.engine.dispose()


@pytest.fixture
def everywhere(door) -> TestClient:
    return client_of(door, an_authority(door.bench.installation))


@pytest.fixture
def uptown(door) -> TestClient:
    return client_of(door, an_authority(door.bench.installation, "Uptown", code="UP"))


def test_the_coverage_counts_the_districts_of_the_mandate_and_no_other(everywhere, uptown):
    whole = everywhere.get(at("/coverage")).json()
    assert (whole["districts"], whole["total"]["instruments"]) == ([], 3)
    assert whole["total"]["colours"] == {"red": 2, "yellow": 0, "green": 1}
    assert [one["district"] for one in whole["by_district"]] == ["", "Harbour", "Uptown"]
    part = uptown.get(at("/coverage")).json()
    assert (part["districts"], part["total"]["instruments"]) == (["Uptown"], 1)
    assert [one["venue_type"] for one in part["rows"]] == ["railway_station"]


def test_an_instrument_comes_with_its_colour_and_the_reason_in_the_readers_language(uptown):
    (one,) = uptown.get(at("/instruments")).json()
    assert one["judgement"]["colour"] == "red"
    assert one["judgement"]["code"] == "never-certified"
    assert one["reason"] == (
        "No certificate yet: how well it measures is unknown. Request a calibration."
    )
    assert "lab_id" not in one
    (zh,) = uptown.get(at("/instruments"), headers={"Accept-Language": "zh"}).json()
    assert zh["reason"] != one["reason"]
    assert zh["reason"].endswith("。")


def test_the_facts_stand_in_the_reason(everywhere):
    (one,) = everywhere.get(at("/instruments"), params={"standing": "green"}).json()
    assert one["certificate_number"] in one["reason"]
    assert "{" not in one["reason"]


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({}, 3),
        ({"district": "Uptown"}, 1),
        ({"district": ""}, 1),
        ({"district": "Nowhere"}, 0),
        ({"venue_type": "railway_station"}, 2),
        ({"venue_type": "school"}, 0),
        ({"standing": "red"}, 2),
        ({"standing": "never"}, 2),
        ({"standing": "overdue"}, 0),
        ({"standing": "never", "district": "Harbour"}, 1),
    ],
)
def test_the_list_is_narrowed_as_on_the_page(everywhere, asked, count):
    assert len(everywhere.get(at("/instruments"), params=asked).json()) == count


@pytest.mark.parametrize("standing", ["", "red"])
def test_pages_of_instruments_hold_each_of_them_once(everywhere, standing):
    asked = {"standing": standing} if standing else {}
    whole = [
        one["instrument_id"] for one in everywhere.get(at("/instruments"), params=asked).json()
    ]
    found, after = [], 0
    while True:
        page = everywhere.get(
            at("/instruments"), params={**asked, "limit": 1, "after": after}
        ).json()
        if not page:
            break
        (one,) = page
        after = one["instrument_id"]
        found.append(after)
    assert found == whole == sorted(whole)
    assert len(found) == (2 if standing else 3)


def test_scrapped_ones_leave_no_hole_that_ends_the_list(door, everywhere):
    with context_for(door.bench.installation) as ctx:
        set_status(ctx, 2, "scrapped", "broken")
    found = everywhere.get(at("/instruments"), params={"limit": 1, "after": 1}).json()
    assert [one["instrument_id"] for one in found] == [3]


@pytest.mark.parametrize("asked", [{"standing": "pink"}, {"limit": 501}, {"after": -1}])
def test_what_narrows_to_nothing_known_is_refused(everywhere, asked):
    problem_of(everywhere.get(at("/instruments"), params=asked), 422, "request-invalid")


def test_the_directory_shows_what_a_laboratory_is_accredited_for_today(door, everywhere):
    with context_for(door.bench.installation) as ctx:
        for low, begins in (("0", NOW.date()), ("-40", NOW.date().replace(year=2030))):
            entry = ScopeEntry(issuing.PROBE, "temperature", "x", low, "100", "0.1", begins)
            scope.add_row(ctx, entry, catalogue=door.bench.catalogue)
    (lab,) = everywhere.get(at("/laboratories")).json()
    assert (lab["code"], lab["is_suspended"]) == ("HZ", False)
    assert [line["low"] for line in lab["scope"]] == ["0"]


def test_a_report_is_frozen_once_per_key_and_stays(door, everywhere):
    problem_of(everywhere.post(at("/reports"), json={"week": WEEK}), 400, "idempotency-key-missing")
    key = a_key()
    first = everywhere.post(at("/reports"), json={"week": WEEK}, headers=key)
    assert (first.status_code, first.json()["edition"]) == (201, 1)
    draft = everywhere.get(at("/reports/draft")).json()
    assert (draft["id"], draft["edition"], draft["digest"]) == (None, None, "")
    assert draft["figures"] == first.json()["figures"]
    with context_for(door.bench.installation) as ctx:
        builders.an_instrument(ctx, door.bench.catalogue)
    assert everywhere.post(at("/reports"), json={"week": WEEK}, headers=key).json() == first.json()
    assert everywhere.get(at(f"/reports/{first.json()['id']}")).json() == first.json()
    again = everywhere.post(at("/reports"), json={"week": WEEK}, headers=a_key()).json()
    assert (again["edition"], again["digest"] != first.json()["digest"]) == (2, True)
    other = everywhere.post(at("/reports"), json={"week": "2026-W02"}, headers=key)
    problem_of(other, 422, "idempotency-key-reused")
    listed = everywhere.get(at("/reports")).json()
    assert [one["id"] for one in listed] == [again["id"], first.json()["id"]]
    (older,) = everywhere.get(at("/reports"), params={"before": again["id"]}).json()
    assert older["id"] == first.json()["id"]
    assert len(everywhere.get(at("/reports"), params={"limit": 1}).json()) == 1


def test_the_rows_behind_a_figure_are_those_it_counts(everywhere):
    made = everywhere.post(at("/reports"), json={"week": WEEK}, headers=a_key()).json()
    rows = at(f"/reports/{made['id']}/rows")
    whole = everywhere.get(rows).json()
    assert [one["place"] for one in whole] == list(range(made["rows"]))
    for figure in made["figures"]:
        found = everywhere.get(rows, params={"figure": figure["place"]}).json()
        assert len(found) == figure["rows"], figure["name"]
        assert all(one in whole for one in found)
    red = next(one for one in made["figures"] if one["cut"] == "red")
    asked = {"figure": red["place"], "limit": 1}
    (one,) = everywhere.get(rows, params=asked).json()
    (two,) = everywhere.get(rows, params={**asked, "after": one["place"]}).json()
    assert [row["counted"]["verdict"] for row in (one, two)] == ["red", "red"]
    assert one["place"] < two["place"]
    assert everywhere.get(rows, params={**asked, "after": two["place"]}).json() == []
    problem_of(everywhere.get(rows, params={"figure": 999}), 404, "not-found")


def test_the_body_is_byte_for_byte_that_of_the_digest_and_its_taking_is_told(door):
    authority = an_authority(door.bench.installation)
    client = client_of(door, authority)
    made = client.post(at("/reports"), json={"week": WEEK}, headers=a_key()).json()
    file = client.get(at(f"/reports/{made['id']}/body"))
    assert hashlib.sha256(file.content).hexdigest() == made["digest"]
    assert json.loads(file.content)["week"] == WEEK
    assert f"weekly-{WEEK}-1.json" in file.headers["content-disposition"]
    with authority.context(read_only=True) as ctx:
        acts = ctx.session.scalars(select(AuditEvent.act)).all()
    assert acts.count("access:list:export") == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"week": "2026-10"}, "week-malformed"),
        ({"week": "2031-W01"}, "week-not-begun"),
        ({"week": WEEK, "since": "2030-01-01"}, "since-after-week"),
        ({"week": WEEK, "since": "20260101"}, "request-invalid"),
        ({}, "request-invalid"),
    ],
)
def test_a_week_that_is_none_is_refused(everywhere, body, code):
    problem_of(everywhere.post(at("/reports"), json=body, headers=a_key()), 422, code)
    assert everywhere.get(at("/reports")).json() == []


def test_a_report_of_another_authority_looks_like_a_missing_one(everywhere, uptown):
    made = everywhere.post(at("/reports"), json={"week": WEEK}, headers=a_key()).json()
    assert uptown.get(at("/reports")).json() == []
    for rest in ("", "/rows", "/body"):
        foreign = uptown.get(at(f"/reports/{made['id']}{rest}"))
        missing = uptown.get(at(f"/reports/987654{rest}"))
        problem_of(foreign, 404, "not-found")
        assert foreign.text.replace(str(made["id"]), "N") == missing.text.replace("987654", "N")


GETS = ("/coverage", "/instruments", "/laboratories", "/reports", "/reports/draft", "/problems")


def test_only_an_authority_within_its_mandate_is_let_in(door):
    installation = door.bench.installation
    over = an_authority(installation, code="OVER", ends_on=NOW.date())
    client = client_of(door, over)
    lab = door.as_(issuing.everybody(door.bench))
    for path in GETS:
        assert client.get(at(path)).status_code == 200, path
        problem_of(lab.get(at(path)), 403, "office-missing")
        problem_of(door.client().get(at(path)), 401, "sign-in-needed")
    problem_of(
        lab.post(at("/reports"), json={"week": WEEK}, headers=a_key()), 403, "office-missing"
    )
    with_ended_mandate(door, over)
    for path in GETS:
        assert client.get(at(path)).status_code == 401, path


def with_ended_mandate(door: Door, authority: Authority) -> None:
    with installation_session(door.bench.engine) as session:
        assert mandates.end_mandates(
            session, code="OVER", person_id=authority.person_id, now=NOW
        )  # fmt: skip


def test_a_token_that_only_reads_hands_nothing_in(door):
    client = client_of(door, an_authority(door.bench.installation), "read")
    assert client.get(at("/coverage")).status_code == 200
    answer = client.post(at("/reports"), json={"week": WEEK}, headers=a_key())
    problem_of(answer, 403, "token-limited")
