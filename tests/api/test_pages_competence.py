"""The page of competence, its JSON door and the laboratory that is founded strict."""

from __future__ import annotations

import dataclasses

import pytest

from instruments.services import approval_rules, competence
from tests.support.builders import a_person, context_for
from tests.support.web import ORIGIN, Browser, TestClient, a_sign_in

V1 = "/api/v1"
WORK = "thermometer.infrared_forehead temperature"


@pytest.fixture
def colleague(world):
    return a_person(world.engine, world.lab_id, ("technician",), name="Wu Tao")


def given(colleague):
    return {
        "person_id": str(colleague),
        "act": "performs",
        "work": WORK,
        "low": "35.0",
        "high": "42.0",
        "starts_on": "2026-01-01",
        "basis": "comparison",
        "evidence": "PT 2026-3",
    }


def test_a_colleague_is_authorised_and_it_is_ended_with_a_reason(browser, world, colleague):
    wrong = browser.send(browser.get("/lab/competence"), **given(colleague) | {"low": "43"})
    assert "Put the smaller value first" in wrong.problem("low")
    assert browser.send(wrong, low="35.0").status == 303
    page = browser.get("/lab/competence")
    assert "35.0 … 42.0 °C" in page.words()
    assert "Comparison" in page.words()
    assert browser.post("/lab/competence/1/end", ends_on="2026-01-31", reason="").status == 422
    assert browser.post("/lab/competence/1/end", ends_on="2026-01-31", reason="left").status == 303
    assert "left" in browser.get("/lab/competence").words()
    with context_for(world) as ctx:
        assert [row.end_reason for row in competence.list_rows(ctx)] == ["left"]


def test_the_rules_are_changed_by_whoever_may(browser, world, app):
    every = dict.fromkeys(("keeps_competence", "demands_signatures", "separates_signatory"), "1")
    assert browser.post("/lab/competence/rules", **every).status == 303
    with context_for(world) as ctx:
        strict = dataclasses.replace(approval_rules.STRICT_RULES, demands_second_factor=False)
        assert approval_rules.rules(ctx) == strict
    assert browser.post("/lab/competence/rules", keeps_competence="1").status == 303
    with context_for(world) as ctx:
        assert not approval_rules.rules(ctx).demands_signatures
    technician = Browser(app, a_sign_in(world, "technician"))
    assert technician.post("/lab/competence/rules", **every).status == 403
    page = technician.get("/lab/competence")
    assert page.status == 200
    assert not page.document.xpath("//form[@action='/lab/competence/rules']//button")


def test_the_json_door_grants_lists_ends_and_sets_the_rules(world, app, colleague):
    client = TestClient(app, base_url=ORIGIN)
    client.headers["Authorization"] = f"Bearer {a_sign_in(world)}"
    body = {
        "person_id": colleague,
        "act": "reviews",
        "type_id": "thermometer.infrared_forehead",
        "starts_on": "2026-01-01",
        "basis": "training",
        "evidence": "course",
    }
    assert client.post(f"{V1}/competence", json=body | {"act": "signs"}).status_code == 422
    made = client.post(f"{V1}/competence", json=body)
    assert made.status_code == 201
    path = f"{V1}/competence/{made.json()['id']}/end"
    assert client.post(path, json={"ends_on": "2026-02-01", "reason": "moved"}).status_code == 204
    (row,) = client.get(f"{V1}/competence").json()
    assert (row["entry"]["act"], row["end_reason"]) == ("reviews", "moved")
    rules = dict.fromkeys(("keeps_competence", "separates_signatory"), True)
    rules |= dict.fromkeys(("demands_signatures", "demands_second_factor"), False)
    assert client.put(f"{V1}/approval-rules", json=rules).json() == rules
    assert client.get(f"{V1}/approval-rules").json() == rules
