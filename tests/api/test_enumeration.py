"""Codes tried at random or in sequence open nothing, and all look alike; who tries many waits."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import re
import secrets
from collections import Counter
from datetime import timedelta

import httpx
import pytest

from api.turnstile import MOST_MISSES, WINDOW
from tests.support import issuing
from tests.support.builders import NOW
from tests.support.door import problem_of
from tests.support.web import ORIGIN, TestClient

WAYS = ("/c/{}", "/api/v1/public/certificates/{}", "/calendar/{}.ics")
UNGUESSED = re.compile(rb"[A-Za-z0-9_-]{22}")  # the code asked for, request ids, nonces


def asked(app, address: str, host: str = "203.0.113.7"):
    client = TestClient(app, base_url=ORIGIN, client=(host, 4000), follow_redirects=False)
    return client.get(address)


@pytest.mark.parametrize("way", WAYS)
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


@pytest.mark.parametrize(
    "tries",
    [
        pytest.param(600, id="some"),
        pytest.param(100_000, marks=pytest.mark.nightly, id="many"),
    ],
)
def test_codes_tried_from_ever_new_addresses_open_nothing_and_look_alike(door, tries):
    view = issuing.issued(door.bench, door.store, issuing.authorised(door.bench))
    head, counted = view.number[:-6], int(view.number[-6:])
    near = [f"{head}{counted + n:06d}" for n in range(50)] + [f"{n:022d}" for n in range(50)]
    near += [view.token[:-1], view.token.swapcase(), view.token + "A", view.token[::-1]]
    assert asked(door.app, WAYS[0].format(view.token)).status_code == 200
    codes = [*near, *(secrets.token_urlsafe(16) for _ in range(tries // len(WAYS) - len(near)))]
    statuses, kinds = Counter(), {way: set() for way in WAYS}

    async def try_all():
        inside = httpx.ASGITransport(door.app)
        async with httpx.AsyncClient(transport=inside, base_url=ORIGIN) as client:
            for n, (code, way) in enumerate(itertools.product(codes, WAYS)):
                inside.client = (f"10.{n // 50 >> 16}.{n // 50 >> 8 & 255}.{n // 50 & 255}", 4000)
                answer = await client.get(way.format(code))
                statuses[answer.status_code] += 1
                said = UNGUESSED.sub(b"", answer.content.replace(code.encode(), b""))
                kinds[way].add((said, answer.headers["content-type"]))

    asyncio.run(try_all())
    assert statuses == {404: len(codes) * len(WAYS)}
    assert {way: len(found) for way, found in kinds.items()} == dict.fromkeys(WAYS, 1)
