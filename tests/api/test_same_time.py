"""What is hidden takes as long to answer as what is not there: numbers, and accounts."""

from __future__ import annotations

import random
import statistics
import time
from datetime import timedelta

import pytest
from sqlalchemy import event

from instruments.errors import NotAllowed
from instruments.services import entrance, signin
from tests.support import builders, issuing
from tests.support.builders import NOW, context_for

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


LABS = pytest.mark.parametrize("labs", [1, 2])


def tried(world, email, number):
    """Fail to sign in; return the time it took, and how often something was made durable."""
    commits = []
    heard = lambda _connection: commits.append(1)  # noqa: E731
    event.listen(world.engine, "commit", heard)
    began = time.process_time()
    with pytest.raises(NotAllowed) as stop:
        entrance.enter(
            world.engine, email=email, password="wrong", lab_code=None,
            origin=f"192.0.2.{number}", clock=lambda: NOW + timedelta(minutes=number),
        )  # fmt: skip
    took = time.process_time() - began
    event.remove(world.engine, "commit", heard)
    assert stop.value.code == "sign-in-failed"
    return took, len(commits)


@LABS
def test_a_known_and_an_unknown_account_take_the_same_time(database_url, labs):
    world = builders.an_installation(database_url)
    if labs == 2:
        builders.a_lab(world.engine, "FAR")
    emails = [f"known{n}@example.org" for n in range(TIMES // 4)]
    for email in emails:
        builders.a_person(
            world.engine, world.lab_id, ("technician",), email=email, password=builders.PASSWORD
        )
    taken: dict[bool, list[float]] = {True: [], False: []}
    commits: dict[bool, set[int]] = {True: set(), False: set()}
    drawn = random.Random(7).sample([True, False] * (TIMES // 2), k=TIMES)  # noqa: S311
    for number, is_known in enumerate(drawn):
        email = emails[number % len(emails)]
        took, count = tried(world, email if is_known else f"un{email}", number)
        taken[is_known].append(took)
        commits[is_known].add(count)
    world.engine.dispose()
    assert commits[True] == commits[False]
    known, unknown = (statistics.median(one) for one in taken.values())
    assert abs(known - unknown) <= MOST
