"""A number of another lab takes as long to answer as a number nobody has."""

from __future__ import annotations

import random
import statistics
import time

import pytest

from instruments.services import signin
from tests.support import builders, issuing
from tests.support.builders import context_for

pytestmark = pytest.mark.slow
TIMES, MOST = 200, 0.005
PATHS = ("orders", "instruments", "calibrations", "certificates", "customers")


@pytest.mark.parametrize("kind", PATHS)
def test_foreign_and_missing_take_the_same_time(door_for_all, kind):
    door = door_for_all
    issuing.opened(door.bench)
    lab_id = builders.a_lab(door.bench.engine, kind[:4].upper())
    person_id = builders.a_person(door.bench.engine, lab_id)
    with context_for(door.bench.installation, lab_id=lab_id, person_id=person_id) as ctx:
        client = door.client(signin.make_token(ctx, name="far"))
    taken: dict[str, list[float]] = {"1": [], "987654": []}
    for number in random.Random(7).sample([*taken] * TIMES, k=2 * TIMES):  # noqa: S311
        began = time.process_time()
        answer = client.get(f"/api/v1/{kind}/{number}")
        taken[number].append(time.process_time() - began)
        assert answer.status_code == 404
    foreign, missing = (statistics.median(one) for one in taken.values())
    assert abs(foreign - missing) <= MOST
