"""The pages of an authority, and of the laboratory it writes to, without JavaScript."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta

import pytest

from calib.services import weekly
from instruments.services import signin
from tests.support import builders, issuing
from tests.support.builders import NOW, context_for
from tests.support.door import Door, a_door
from tests.support.overseen import Authority, an_authority
from tests.support.web import Browser, a_sign_in

WEEK = weekly.week_named(NOW.date())


@pytest.fixture
def door(database_url, tmp_path):
    made = a_door(database_url, tmp_path)
    issuing.issued(made.bench, made.store, issuing.authorised(made.bench))
    yield made
    made.bench.engine.dispose()


@pytest.fixture
def overseer(door) -> Authority:
    return an_authority(door.bench.installation)


def at(door: Door, overseer: Authority, language: str = "en") -> Browser:
    with overseer.context() as ctx:
        token = signin.make_token(ctx, name="browser")
    return Browser(door.app, token, language)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_opens_in_both_languages(door, overseer, language):
    browser = at(door, overseer, language)
    with overseer.context() as ctx:
        report = weekly.hand_in(ctx, WEEK, catalogue=door.bench.catalogue)
    with context_for(door.bench.installation) as ctx:
        builders.an_instrument(ctx, door.bench.catalogue)
        builders.an_instrument(ctx, door.bench.catalogue)
    for path in ("", "/instruments", "/instruments?standing=overdue&district=", "/laboratories",
                 "/problems", "/problems/new", "/problems/new?instrument=1", "/reports",
                 "/reports/draft", f"/reports/{report.id}",
                 f"/reports/{report.id}/figures/0"):  # fmt: skip
        answer = browser.client.get(f"/oversight{path}")
        assert answer.status_code == 200, (path, answer.text[:500])
        assert "None" not in answer.text


def test_the_first_page_leads_to_the_coverage(door, overseer):
    answer = at(door, overseer).client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/oversight")


def test_the_week_is_looked_at_handed_in_and_taken_as_a_workbook(door, overseer):
    browser = at(door, overseer)
    draft = browser.client.get(f"/oversight/reports/draft?week={WEEK}").text
    assert "A draft" in draft
    answer = browser.client.post("/oversight/reports", data={"week": WEEK, "since": ""},
                                 headers={"Origin": "http://testserver"})  # fmt: skip
    assert answer.status_code == 303, answer.text[:300]
    page = browser.client.get(answer.headers["location"]).text
    assert "these figures stay as they are" in page.lower()
    book = browser.client.get("/oversight/reports/1/xlsx")
    with zipfile.ZipFile(io.BytesIO(book.content)) as packed:
        sheets = [name for name in packed.namelist() if name.startswith("xl/worksheets/")]
    assert len(sheets) == 2


def test_a_problem_is_opened_on_the_page_answered_by_the_laboratory_and_closed(door, overseer):
    browser = at(door, overseer)
    lab = Browser(door.app, a_sign_in(door.bench.installation, "quality_manager"))
    same = {"Origin": "http://testserver"}
    until = (NOW + timedelta(days=10)).date().isoformat()
    typed = {"lab_code": "HZ", "kind": "laboratory", "finding": "No scope.", "demand": "Enter it."}
    refused = browser.client.post("/oversight/problems/new", data=typed, headers=same)
    assert refused.status_code == 422
    assert "No scope." in refused.text
    opened = browser.client.post(
        "/oversight/problems/new", data=typed | {"until": until}, headers=same
    )
    assert opened.headers["location"] == "/oversight/problems/1?done=created"
    assert "Enter it." in lab.client.get("/problems/1").text
    answered = lab.client.post(
        "/problems/1/answer", data={"words": "Entered.", "version": "1"}, headers=same
    )
    assert answered.status_code == 303, answer_of(answered)
    assert "Return the answer" in browser.client.get("/oversight/problems/1").text
    returned = browser.client.post(
        "/oversight/problems/1/return", data={"words": "Which scope?", "version": "2"}, headers=same
    )
    assert returned.status_code == 303, answer_of(returned)
    assert "Which scope?" in lab.client.get("/problems/1").text
    again = lab.client.post(
        "/problems/1/answer", data={"words": "Of JJF 1107.", "version": "3"}, headers=same
    )
    assert again.status_code == 303, answer_of(again)
    closed = browser.client.post(
        "/oversight/problems/1/close", data={"words": "Seen.", "version": "4"}, headers=same
    )
    assert closed.status_code == 303
    assert "Closed" in lab.client.get("/problems").text


def answer_of(answer) -> str:
    return answer.text[:400]


def test_nobody_of_the_laboratory_opens_the_pages_of_the_authority(door):
    browser = Browser(door.app, a_sign_in(door.bench.installation))
    assert browser.client.get("/oversight").status_code == 403


def test_who_oversees_opens_no_page_of_a_laboratory(door, overseer):
    browser = at(door, overseer)
    for path in ("/instruments", "/certificates", "/orders", "/customers", "/lab", "/board"):
        assert browser.client.get(path).status_code == 403, path
    with context_for(door.bench.installation) as ctx:
        assert not ctx.may("oversight.read")
