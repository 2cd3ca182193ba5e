"""A log of a million lines: growing by one and proving stay quick."""

from __future__ import annotations

import os
import sqlite3
import statistics
import time

import pytest

from calib.ledger.chain import BEGINNING, chained, leaf_of
from calib.ledger.merkle import includes, leaf_hash
from calib.services.log import grow, proof_of
from instruments.canonical import canonical_json
from instruments.tenancy import installation_session
from tests.services.test_log import NOW, Place, clock

SIZES = [20_000, pytest.param(1_000_000, marks=pytest.mark.nightly)]
ROUNDS = 100


def fill(place: Place, size: int) -> None:
    """Put lines into the ledger as the transactions of certificates do, but all at once."""
    digest, at = BEGINNING, NOW.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def rows():
        nonlocal digest
        for n in range(size):
            salt, subject = f"{n:032x}", {"lab": "L1", "number": f"L1-{n}", "status": "issued"}
            leaf = leaf_of("issued", salt, subject)
            digest = chained(digest, leaf)
            yield n, leaf, salt, canonical_json(subject).decode(), digest, at, 1, n + 1

    place.engine.dispose()
    connection = sqlite3.connect(place.database)
    with connection:
        connection.executemany(
            "INSERT INTO ledger_leaves (place, leaf, salt, subject, head, added_at, lab_id,"
            " certificate_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            rows(),
        )
    connection.close()


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_growing_and_proving_do_not_slow_down(tmp_path, monkeypatch, size):
    """p95 of appending at most 20 ms and of a proof at most 50 ms, in time of the processor."""
    place = Place(tmp_path)
    fill(place, size)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _handle: None)  # the first growth alone
        assert grow(place.log, clock).size == size
    growing, proving = [], []
    for n in range(ROUNDS):
        place.append(1)
        started = time.process_time()
        head = grow(place.log, clock)
        growing.append(time.process_time() - started)
        with installation_session(place.engine, read_only=True) as session:
            started = time.process_time()
            proof = proof_of(place.log, session, 1 + n * 7919 % size, "issued")
            proving.append(time.process_time() - started)
        subject = {"lab": "L1", "number": f"L1-{n * 7919 % size}", "status": "issued"}
        leaf = leaf_hash(leaf_of("issued", f"{n * 7919 % size:032x}", subject).encode())
        assert includes(leaf, proof.place, head.size, proof.path, head.root)
    p95 = [statistics.quantiles(times, n=20)[18] * 1000 for times in (growing, proving)]
    print(f"{size} lines: append p95 {p95[0]:.1f} ms, proof p95 {p95[1]:.1f} ms")  # noqa: T201
    assert p95[0] <= 20
    assert p95[1] <= 50
    place.engine.dispose()
