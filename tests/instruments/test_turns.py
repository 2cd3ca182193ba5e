"""Who writes next to a SQLite file: in the order they came, and nobody keeps the turn for ever."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from instruments.db import open_engine
from instruments.turns import Turns

SOON = 10


def waiting(turns: Turns, count: int) -> None:
    """Return when so many wait."""
    while len(turns._waiting) < count:
        threading.Event().wait(0.001)


def test_those_who_wait_are_called_in_the_order_they_came():
    turns, order, threads = Turns(), [], []

    def work(name):
        turns.take(name, SOON)
        order.append(name)
        turns.give(name)

    turns.take("first")
    for count, name in enumerate("abcdefgh", 1):
        threads.append(threading.Thread(target=work, args=(name,)))
        threads[-1].start()
        waiting(turns, count)
    assert order == []
    turns.give("first")
    for thread in threads:
        thread.join(SOON)
    assert order == list("abcdefgh")


def test_who_waited_too_long_goes_on_and_is_called_no_more():
    turns = Turns()
    turns.take("first")
    turns.take("impatient", 0.01)
    turns.give("impatient")  # it never had the turn: nothing changes
    assert turns._holder == "first"
    turns.give("first")
    assert turns._holder is None
    turns.take("next", 0.01)
    turns.take("next", 0.01)  # it has the turn already
    assert turns._holder == "next"
    assert not turns._waiting


@pytest.mark.parametrize("when", ["waiting", "called"])
def test_who_is_interrupted_keeps_no_place_and_no_turn(monkeypatch, when):
    turns = Turns()
    turns.take("first")

    def interrupted(_event, _patience):
        if when == "called":
            turns.give("first")  # its turn came at that very moment
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(threading.Event, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            turns.take("unlucky")
    assert not turns._waiting
    assert turns._holder == ("first" if when == "waiting" else None)


@pytest.fixture
def engine(tmp_path):
    made = open_engine(f"sqlite+pysqlite:///{tmp_path / 'a.db'}")
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE lines (n INTEGER PRIMARY KEY) STRICT"))
    yield made
    made.dispose()


def writes(engine, n):
    """Write a line on a connection of its own."""
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO lines VALUES (:n)"), {"n": n})


@pytest.mark.parametrize("end", ["commit", "rollback", "fault", "closed", "dropped"])
def test_however_a_transaction_ends_the_next_writer_need_not_wait(engine, end):
    connection = engine.connect()
    connection.execute(text("INSERT INTO lines VALUES (1)"))
    other = threading.Thread(target=writes, args=(engine, 2))
    other.start()
    other.join(0.05)
    assert other.is_alive(), "it wrote beside another"
    if end == "commit":
        connection.commit()
    elif end == "rollback":
        connection.rollback()
    elif end == "fault":
        with pytest.raises(OperationalError):
            connection.execute(text("INSERT INTO nowhere VALUES (1)"))
        connection.close()
    elif end == "closed":
        connection.connection.dbapi_connection.close()
    else:
        connection.invalidate()
    other.join(SOON)
    assert not other.is_alive()
    if end == "closed":
        connection.invalidate()
    connection.close()
    with engine.connect() as reader:
        found = list(reader.scalars(text("SELECT n FROM lines ORDER BY n")))
    assert found == ([1, 2] if end == "commit" else [2])


def test_who_may_not_begin_gives_the_turn_back(engine, tmp_path):
    """Another process holds the file: whoever is refused leaves nothing held."""
    elsewhere = open_engine(engine.url.render_as_string())
    with engine.connect() as connection:
        with elsewhere.begin():
            connection.connection.dbapi_connection.execute("PRAGMA busy_timeout=10")
            with pytest.raises(OperationalError, match="locked"):
                connection.execute(text("INSERT INTO lines VALUES (1)"))
        other = threading.Thread(target=writes, args=(engine, 2))  # on another connection
        other.start()
        other.join(SOON)
        assert not other.is_alive()
    elsewhere.dispose()


def test_who_waited_in_vain_for_a_turn_does_not_wait_for_sqlite_again(engine, monkeypatch):
    monkeypatch.setattr(Turns.take, "__defaults__", (0.2,))
    with engine.connect() as first:
        first.execute(text("INSERT INTO lines VALUES (1)"))
        began = time.monotonic()
        with engine.connect() as second:
            with pytest.raises(OperationalError, match="locked"):
                second.execute(text("INSERT INTO lines VALUES (2)"))
            assert time.monotonic() - began < SOON
            again = second.connection.dbapi_connection.execute("PRAGMA busy_timeout").fetchone()
        assert again == (30_000,)


def test_readers_find_a_connection_while_forty_writers_wait(engine):
    threads = [threading.Thread(target=writes, args=(engine, n)) for n in range(2, 42)]
    with engine.connect() as first:
        first.execute(text("INSERT INTO lines VALUES (1)"))
        for thread in threads:
            thread.start()
        while engine.pool.checkedout() < 41:
            threading.Event().wait(0.001)
        with engine.connect().execution_options(read_only=True) as reader:
            assert reader.scalar(text("SELECT count(*) FROM lines")) == 0
        first.commit()
    for thread in threads:
        thread.join(SOON)
    with engine.connect().execution_options(read_only=True) as reader:
        assert reader.scalar(text("SELECT count(*) FROM lines")) == 41
