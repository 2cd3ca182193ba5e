"""The ledger: contiguous, chained, silent to whoever lacks the salt, and honest about damage."""

from __future__ import annotations

import json
import threading

import pytest
from sqlalchemy import select, text

from calib.ledger.chain import leaf_of
from calib.records.certificates import LedgerLeaf
from calib.services import ledger
from instruments.context import Actor, Context
from instruments.tenancy import installation_session, lab_session
from tests.support import builders
from tests.support.builders import NOW, SHANGHAI
from tests.support.ruling import ruling

DROP = {
    "sqlite": ("DROP TRIGGER keep_ledger_leaves_update", "DROP TRIGGER keep_ledger_leaves_delete"),
    "postgresql": ("DROP TRIGGER keep_ledger_leaves ON ledger_leaves",),
}


@pytest.fixture
def world(database_url):
    made = builders.an_installation(database_url)
    yield made
    made.engine.dispose()


def _append(world, lab_id: int, certificate_id: int) -> ledger.Head:
    with lab_session(world.engine, lab_id) as session:
        actor = Actor(world.person_id, "Li Wei", frozenset())
        ctx = Context(session, lab_id, actor, NOW, SHANGHAI)
        return ledger.append(ctx, "issued", certificate_id, {"number": f"N-{certificate_id}"})


def _check(world, kept=None):
    with installation_session(world.engine) as session:
        return ledger.check(session, kept=kept)


def _spoil(world, statement: str) -> None:
    with ruling(world.engine) as connection:
        for words in DROP[world.engine.dialect.name]:
            connection.execute(text(words))
        connection.execute(text(statement))


def test_lines_are_contiguous_and_verify(world):
    heads = [_append(world, world.lab_id, n) for n in range(5)]
    assert [head.size for head in heads] == [1, 2, 3, 4, 5]
    assert _check(world) == ()
    assert all(_check(world, kept=head) == () for head in heads)


def test_a_line_tells_nothing_without_its_salt_and_everything_can_be_remade_with_it(world):
    _append(world, world.lab_id, 7)
    with installation_session(world.engine) as session:
        row = session.execute(select(LedgerLeaf.leaf, LedgerLeaf.salt)).one()
    assert set(json.loads(row.leaf)) == {"commit", "lab", "type", "v"}
    assert "N-7" not in row.leaf
    assert len(row.salt) == 32
    assert leaf_of("issued", row.salt, {"number": "N-7"}) == row.leaf
    assert leaf_of("issued", row.salt, {"number": "N-8"}) != row.leaf


@pytest.mark.parametrize(
    ("statement", "code", "at"),
    [
        ("DELETE FROM ledger_leaves WHERE place = 2", "ledger-gap", "/ledger/2"),
        (
            "UPDATE ledger_leaves SET leaf = replace(leaf, 'issued', 'Issued') WHERE place = 1",
            "ledger-chain-broken",
            "/ledger/1",
        ),
        (
            "UPDATE ledger_leaves SET leaf = 'x' WHERE place = 3",
            "ledger-leaf-unreadable",
            "/ledger/3",
        ),
        (
            (
                "UPDATE ledger_leaves SET head = (SELECT head FROM ledger_leaves WHERE place = 0) "
                "WHERE place = 4"
            ),
            "ledger-chain-broken",
            "/ledger/4",
        ),
    ],
)
def test_the_first_wrong_place_is_named(world, statement, code, at):
    for n in range(5):
        _append(world, world.lab_id, n)
    _spoil(world, statement)
    findings = _check(world)
    assert [(f.code, f.at) for f in findings] == [(code, at)]


def test_a_shortened_or_rewritten_end_shows_against_a_kept_head(world):
    heads = [_append(world, world.lab_id, n) for n in range(4)]
    _spoil(world, "DELETE FROM ledger_leaves WHERE place >= 2")
    assert _check(world) == ()
    assert [f.code for f in _check(world, kept=heads[3])] == ["ledger-shortened"]
    _append(world, world.lab_id, 9)
    assert [f.code for f in _check(world, kept=heads[2])] == ["ledger-rewritten"]


def test_labs_write_into_one_ledger_at_once_without_gaps(world):
    labs = [world.lab_id, builders.a_lab(world.engine, "BJ")]
    faults = []

    def write(lab_id: int) -> None:
        try:
            for n in range(10):
                _append(world, lab_id, n)
        except Exception as fault:  # noqa: BLE001 -- told to the test below
            faults.append(fault)

    threads = [threading.Thread(target=write, args=(lab,)) for lab in labs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []
    assert _check(world) == ()
    with installation_session(world.engine) as session:
        assert ledger.head(session).size == 20
