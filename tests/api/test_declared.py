"""Every route says what it does; an application with one that does not never starts."""

from __future__ import annotations

import pytest
from fastapi import APIRouter, FastAPI

from api.app import create_app
from api.declared import Undeclared, declared
from api.deps import allows
from instruments.policy import ACTIONS


def an_app(*, method: str, acts: list[str]) -> FastAPI:
    router, app = APIRouter(prefix="/inner"), FastAPI(openapi_url=None)
    dependencies = [made for act in acts for made in allows(act)]
    router.add_api_route("/x", lambda: None, methods=[method], dependencies=dependencies)
    app.include_router(router)
    return app


def test_a_route_that_declares_nothing_stops_the_start():
    with pytest.raises(Undeclared, match="/inner/x declares nothing"):
        list(declared(an_app(method="GET", acts=[])))


def test_a_route_that_declares_two_acts_stops_the_start():
    with pytest.raises(Undeclared, match="must declare one act"):
        list(declared(an_app(method="GET", acts=["order.read", "order.form"])))


@pytest.mark.parametrize(
    ("method", "act"), [("GET", "order.accept"), ("POST", "order.read"), ("DELETE", "order.read")]
)
def test_reading_and_writing_share_no_declaration(method, act):
    with pytest.raises(Undeclared, match="reading never writes"):
        list(declared(an_app(method=method, acts=[act])))


def test_an_act_that_is_not_in_the_policy_cannot_be_declared():
    with pytest.raises(KeyError):
        allows("certificate.forge")


def test_what_is_declared_of_the_whole_program_is_in_the_policy_and_used():
    found = list(declared(create_app(None)))
    assert len(found) > 200
    assert ("POST", "/api/v1/calibrations/{calibration_id}/review", "calibration.review") in found
    unused = {name for name in ACTIONS if ACTIONS[name].who in {"public", "anyone"}} - {
        act for _, _, act in found
    }
    assert unused == set()
