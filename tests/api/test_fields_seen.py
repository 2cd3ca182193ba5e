"""Nobody outside a lab is shown a field that is not on the list people reviewed."""

from __future__ import annotations

import re

import pytest

from instruments.policy import ACTIONS, BOUND
from tests.house.matrix import routes
from tests.support import fields_seen
from tests.support.fields_seen import JSON, OUTSIDE, OVERSEEN, OVERSEEN_JSON


@pytest.mark.slow
def test_no_field_is_shown_that_was_not_reviewed(tmp_path):
    door = fields_seen.a_filled_door(tmp_path)
    found = fields_seen.seen(door)
    door.bench.engine.dispose()
    more = found - fields_seen.written()
    assert not more, f"review, then python -m tests.support.fields_seen: {sorted(more)}"


def test_the_list_is_of_every_view_that_outsiders_have():
    listed = {path.replace("/1", "/{}") for path in JSON}
    opened = {
        "/".join("{}" if part.startswith("{") else part for part in path.split("/")[3:])
        for method, path, act in routes()
        if method == "GET" and path.startswith("/api/v1/")
        and (ACTIONS[act].roles & BOUND or ACTIONS[act].who == "anyone")
    }  # fmt: skip
    files = {"certificates/{}/files/{}", "certificates/{}/proposals", "types", "types/{}"}
    assert opened - files == listed
    assert set(OUTSIDE) == set(BOUND)


def test_the_list_is_of_every_view_that_a_regulator_has():
    numbered = {re.sub(r"{[a-z_]+}", "1", path) for method, path, act in routes()
                if method == "GET" and ACTIONS[act].office == "regulator"}  # fmt: skip
    files = {"/oversight/reports/1/xlsx", "/api/v1/oversight/reports/1/body"}
    listed = {path.replace("figures/0", "figures/1") for path in OVERSEEN}
    assert numbered - files == listed | {f"/api/v1/{path}" for path in OVERSEEN_JSON}
