"""The test bench itself: no network, no server left behind, a clock that stands still."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, inspect, text

from tests.conftest import NetworkUsed

ROOT = Path(__file__).parents[2]
_CHILD = """
from tests.support.postgres import Postgres
server = Postgres()
print(server.pid, server.folder, flush=True)
input()
"""


def test_a_connection_to_elsewhere_is_refused():
    with socket.socket() as s, pytest.raises(NetworkUsed):
        s.connect(("192.0.2.1", 80))
    with socket.socket() as s, pytest.raises(NetworkUsed):
        s.connect_ex(("example.org", 80))


def test_a_connection_to_loopback_is_allowed():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as s,
    ):
        assert s.getpeername() == server.getsockname()


def test_time_zone_is_neutral():
    assert time.timezone == 0
    assert os.environ["LC_ALL"] == "C.UTF-8"


def test_random_numbers_are_the_same_in_every_run(rng):
    assert rng.integers(10**6, size=3).tolist() == [325992, 352221, 421514]


def test_an_empty_database_is_empty(empty_database_url):
    engine = create_engine(empty_database_url)
    assert inspect(engine).get_table_names() == []
    engine.dispose()


def test_a_database_has_its_tables_and_no_rows(database_url):
    engine = create_engine(database_url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM labs")) == 0
    engine.dispose()


@pytest.mark.pg
def test_a_database_copies_its_template(postgres):
    template = postgres.create()
    engine = create_engine(postgres.url(template))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE kept (id INTEGER)"))
    engine.dispose()
    copy = postgres.create(template)
    engine = create_engine(postgres.url(copy))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM kept")) == 0
    engine.dispose()
    postgres.drop(copy)
    postgres.drop(template)


@pytest.mark.pg
@pytest.mark.kill
def test_a_killed_test_process_leaves_no_server():
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            _CHILD,
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    pid, folder = child.stdout.readline().split()
    assert psutil.pid_exists(int(pid))
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=20)  # the guardian holds the other end of this pipe until it is done
    assert not Path(folder).exists()
    assert not psutil.pid_exists(int(pid)) or psutil.Process(int(pid)).status() == "zombie"
