"""Codes that open nothing are asked for sixty times from one address, then not for a while."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from api.turnstile import MOST_MISSES, WINDOW
from tests.support.builders import NOW
from tests.support.door import problem_of
from tests.support.web import ORIGIN, TestClient


def asked(app, address: str, host: str = "203.0.113.7"):
    client = TestClient(app, base_url=ORIGIN, client=(host, 4000), follow_redirects=False)
    return client.get(address)


@pytest.mark.parametrize("way", ["/c/{}", "/api/v1/public/certificates/{}", "/calendar/{}.ics"])
def test_who_tries_codes_is_told_to_wait(app, way):
    for n in range(MOST_MISSES):
        assert asked(app, way.format(f"{n:032d}")).status_code == 404
    assert asked(app, way.format("one-more")).status_code == 429
    assert asked(app, "/c/another").status_code == 429
    found = problem_of(asked(app, "/api/v1/public/certificates/x"), 429, "codes-paused")
    assert str(MOST_MISSES) in found["detail"]
    assert asked(app, "/livez").status_code == 200
    assert asked(app, way.format("from-elsewhere"), "203.0.113.8").status_code == 404
    wired, later = app.state.wiring, NOW + WINDOW + timedelta(seconds=1)
    app.state.wiring = dataclasses.replace(wired, clock=lambda: later)
    assert asked(app, way.format("later")).status_code == 404
