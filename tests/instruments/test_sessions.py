"""Whoever is signed in sees where, and ends what is not theirs at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from instruments.errors import NotFound
from instruments.services import sessions, signin
from instruments.tenancy import installation_session
from tests.support.builders import NOW, a_person, an_installation, context_for


@pytest.fixture
def world(database_url):
    made = an_installation(database_url)
    yield made
    made.engine.dispose()


def opened(world, person_id: int, agent: str = "Firefox", now=NOW) -> str:
    with installation_session(world.engine) as session:
        return signin.open_sign_in(session, person_id, "HZ", now, agent).token


def is_valid(world, token: str) -> bool:
    with installation_session(world.engine) as session:
        return signin.resolve(session, token, NOW) is not None


def test_the_own_are_seen_and_known_again(world):
    me, other = world.person_id, a_person(world.engine, world.lab_id)
    here, there = opened(world, me, "Firefox\x07 on Linux"), opened(world, me, "A" * 900)
    opened(world, other, "Somebody else")
    opened(world, me, "old", now=NOW - timedelta(hours=13))
    with context_for(world) as ctx:
        found = sessions.list_sessions(ctx, here)
    assert [one.agent for one in found] == ["A" * 200, "Firefox on Linux", "old"]
    assert [one.is_this for one in found] == [False, True, False]
    assert [one.is_open for one in found] == [True, True, False]
    assert is_valid(world, there)


def test_one_that_nobody_uses_ends_after_an_hour(world):
    token = opened(world, world.person_id)

    def at(minutes: int) -> signin.Identity | None:
        now = NOW + timedelta(minutes=minutes)
        with installation_session(world.engine) as session:
            known = signin.resolve(session, token, now)
            if known is not None and known.is_unnoted:
                signin.note_use(session, token, now)
        return known

    assert at(4).is_unnoted is False
    for minutes in (59, 118, 177):  # used within every hour
        assert at(minutes).is_unnoted
    assert at(178).is_unnoted is False
    with context_for(world) as ctx:
        assert sessions.list_sessions(ctx, token)[0].is_open
    assert at(177 + 60) is None
    late = NOW + timedelta(minutes=177 + 60)
    with context_for(world, now=late) as ctx:
        assert not sessions.list_sessions(ctx, token)[0].is_open


def test_one_that_is_used_ends_after_the_day_all_the_same(world):
    token = opened(world, world.person_id)
    for minutes in range(0, 721, 30):
        now = NOW + timedelta(minutes=minutes)
        with installation_session(world.engine) as session:
            assert (signin.resolve(session, token, now) is not None) == (minutes < 720)
            signin.note_use(session, token, now)


def test_one_that_is_ended_opens_nothing_any_more(world):
    here, there = opened(world, world.person_id), opened(world, world.person_id)
    with context_for(world) as ctx:
        theirs = next(one for one in sessions.list_sessions(ctx, here) if not one.is_this)
        sessions.end_session(ctx, theirs.id)
    assert (is_valid(world, here), is_valid(world, there)) == (True, False)


def test_all_others_are_ended_in_one_go(world):
    tokens = [opened(world, world.person_id) for _ in range(4)]
    with context_for(world) as ctx:
        assert sessions.end_others(ctx, tokens[2]) == 3
    assert [is_valid(world, token) for token in tokens] == [False, False, True, False]


def test_nobody_ends_what_is_anothers(world):
    other = a_person(world.engine, world.lab_id)
    token = opened(world, other)
    with context_for(world, person_id=other) as ctx:
        (theirs,) = sessions.list_sessions(ctx)
    with context_for(world) as ctx, pytest.raises(NotFound):
        sessions.end_session(ctx, theirs.id)
    assert is_valid(world, token)
