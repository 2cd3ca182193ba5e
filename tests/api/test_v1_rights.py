"""What a venue operator may read through the JSON doors, route by route; a new one needs a row."""

from __future__ import annotations

import functools
from typing import cast

import pytest

from api.app import create_app
from api.bootstrap import Wiring
from tests.support import builders, issuing
from tests.support.builders import context_for
from tests.support.door import Door
from tests.support.web import a_sign_in

SEEN, CLOSED, MISSING = 200, 403, 404
OWN = {
    "/approval-rules": CLOSED,
    "/account/acts": SEEN,
    "/audit": CLOSED,
    "/board": SEEN,
    "/calibrations": CLOSED,
    "/calibrations/{calibration_id}": CLOSED,
    "/calibrations/{calibration_id}/draft-input": CLOSED,
    "/calibrations/{calibration_id}/evaluation": CLOSED,
    "/calibrations/{calibration_id}/input": CLOSED,
    "/calibrations/{calibration_id}/marks": CLOSED,
    "/calibrations/{calibration_id}/result": CLOSED,
    "/calibrations/{calibration_id}/signatures": CLOSED,
    "/calibrations/{calibration_id}/standards": CLOSED,
    "/catalogue": CLOSED,
    "/catalogue/{type_id}": CLOSED,
    "/catalogue/{type_id}/differences": CLOSED,
    "/certificates": SEEN,
    "/certificates/{certificate_id}": MISSING,  # none was issued here
    "/certificates/{certificate_id}/audit-pack": CLOSED,
    "/certificates/{certificate_id}/files/{role}": MISSING,
    "/certificates/{certificate_id}/proposals": MISSING,
    "/competence": CLOSED,
    "/customers": SEEN,
    "/customers/{customer_id}": SEEN,
    "/dashboard": CLOSED,
    "/documents": CLOSED,
    "/documents/affected": CLOSED,
    "/documents/comparisons": CLOSED,
    "/documents/comparisons/{matter}": CLOSED,
    "/documents/{number}": CLOSED,
    "/due": SEEN,
    "/instruments": SEEN,
    "/instruments/{instrument_id}": SEEN,
    "/instruments/{instrument_id}/history": SEEN,
    "/instruments/{instrument_id}/transfers": SEEN,
    "/keys": CLOSED,
    "/keys/proposals": CLOSED,
    "/methods": CLOSED,
    "/methods/{method_id}": CLOSED,
    "/methods/{method_id}/changes": CLOSED,
    "/methods/{method_id}/dry-run": CLOSED,
    "/methods/{method_id}/text": CLOSED,
    "/models": CLOSED,
    "/models/{model_id}": SEEN,
    "/orders": SEEN,
    "/orders/{order_id}": SEEN,
    "/overseen-by": CLOSED,
    "/oversight/coverage": CLOSED,
    "/oversight/instruments": CLOSED,
    "/oversight/laboratories": CLOSED,
    "/oversight/problems": CLOSED,
    "/oversight/problems/{problem_id}": CLOSED,
    "/oversight/reports": CLOSED,
    "/oversight/reports/draft": CLOSED,
    "/oversight/reports/{report_id}": CLOSED,
    "/oversight/reports/{report_id}/body": CLOSED,
    "/oversight/reports/{report_id}/rows": CLOSED,
    "/problems": CLOSED,
    "/problems/{problem_id}": CLOSED,
    "/public/certificates/{token}": MISSING,
    "/scope": CLOSED,
    "/sites": SEEN,
    "/sites/{site_id}": SEEN,
    "/standards": CLOSED,
    "/standards/{standard_id}": CLOSED,
    "/types": SEEN,
    "/types/{type_id}": SEEN,
    "/webhooks": CLOSED,
    "/webhooks/{webhook_id}/deliveries": CLOSED,
}
"""The answer to the operator of the customer whose instrument, order and record number 1 are."""
NOT_THEIRS = {path: MISSING for path, answer in OWN.items() if "{" in path and answer == SEEN} | {
    "/types/{type_id}": SEEN
}
"""The answer to the operator of another customer."""


@pytest.fixture(scope="module")
def door(door_for_all: Door) -> Door:
    door = door_for_all
    issuing.opened(door.bench)
    with context_for(door.bench.installation) as ctx:
        builders.a_site(ctx, door.bench.customer_id)
        assert builders.a_customer(ctx, name_en="Other").id == door.bench.customer_id + 1
    return door


def an_operator(door: Door, customer_id: int):
    token = a_sign_in(door.bench.installation, "venue_operator", customer_id=customer_id)
    return door.client(token)


@pytest.fixture(scope="module")
def owner(door: Door):
    return an_operator(door, door.bench.customer_id)


@pytest.fixture(scope="module")
def other(door: Door):
    return an_operator(door, door.bench.customer_id + 1)


@functools.cache
def readable() -> tuple[str, ...]:
    paths = create_app(cast("Wiring", None)).openapi()["paths"]
    return tuple(sorted(path for path, methods in paths.items() if "get" in methods))


def filled(path: str) -> str:
    for name, value in (
        ("{type_id}", issuing.PROBE),
        ("{role}", "pdf"),
        ("{token}", "A" * 22),
    ):
        path = path.replace(name, value)
    return "/".join("1" if part.startswith("{") else part for part in path.split("/"))


def test_every_readable_route_has_a_row():
    assert [path.removeprefix("/api/v1") for path in readable()] == sorted(OWN)


@pytest.mark.parametrize("path", sorted(OWN))
def test_the_operator_of_a_venue_reads_the_own_things(owner, path):
    answer = owner.get("/api/v1" + filled(path))
    assert answer.status_code == OWN[path], answer.text[:300]


@pytest.mark.parametrize("path", sorted(NOT_THEIRS))
def test_the_operator_of_another_venue_finds_nothing(other, path):
    answer = other.get("/api/v1" + filled(path))
    assert answer.status_code == NOT_THEIRS[path], answer.text[:300]


@pytest.mark.parametrize("path", ["instruments", "orders", "certificates", "sites", "due"])
def test_lists_hold_nothing_of_another_venue(other, path):
    assert other.get(f"/api/v1/{path}").json() == []
