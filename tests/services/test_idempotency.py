"""One key, one effect: retried, raced, reused for something else."""

from __future__ import annotations

import threading

import pytest

from calib.services.idempotency import once
from instruments.errors import Conflict, Invalid
from tests.support import builders


@pytest.fixture
def world(database_url):
    made = builders.an_installation(database_url)
    yield made
    made.engine.dispose()


def test_the_second_time_the_kept_answer_comes_back(world):
    done = []

    def act():
        done.append(1)
        return {"number": f"N-{len(done)}"}

    answers = []
    for _ in range(3):
        with builders.context_for(world) as ctx:
            answers.append(once(ctx, "act", "key-1", "print", act))
    assert answers == [{"number": "N-1"}] * 3
    assert done == [1]


def test_keys_of_other_people_and_acts_are_other_keys(world):
    other = builders.a_person(world.engine, world.lab_id)
    seen = []
    for act, person in (("a", world.person_id), ("b", world.person_id), ("a", other)):
        with builders.context_for(world, person_id=person) as ctx:
            once(ctx, act, "key", "print", lambda: seen.append(1) or {})
    assert len(seen) == 3


def test_a_key_used_for_another_request_is_refused(world):
    with builders.context_for(world) as ctx:
        once(ctx, "act", "key", "one", dict)
    with builders.context_for(world) as ctx, pytest.raises(Conflict) as refusal:
        once(ctx, "act", "key", "two", dict)
    assert refusal.value.code == "idempotency-key-reused"


@pytest.mark.parametrize("key", ["", "a key", "k" * 201, "schlüssel", "a\n"])
def test_a_key_that_is_none_is_refused(world, key):
    with builders.context_for(world) as ctx, pytest.raises(Invalid) as refusal:
        once(ctx, "act", key, "print", dict)
    assert refusal.value.code == "idempotency-key-malformed"


def test_an_effect_that_was_rolled_back_frees_its_key(world):
    with pytest.raises(ZeroDivisionError), builders.context_for(world) as ctx:
        once(ctx, "act", "key", "print", lambda: {"x": 1 // 0})
    with builders.context_for(world) as ctx:
        assert once(ctx, "act", "key", "print", lambda: {"x": 2}) == {"x": 2}


def test_five_senders_of_one_key_at_once_have_one_effect(world):
    done, answers, faults = [], [], []

    def act():
        done.append(1)
        return {"n": len(done)}

    def send() -> None:
        try:
            with builders.context_for(world) as ctx:
                answers.append(once(ctx, "act", "key", "print", act))
        except Exception as fault:  # noqa: BLE001 -- told to the test below
            faults.append(fault)

    threads = [threading.Thread(target=send) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []
    assert answers == [{"n": 1}] * 5
    assert done == [1]
