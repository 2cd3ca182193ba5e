"""Sixteen write and sixteen read at one server: nobody is turned away, nobody waits for long."""

from __future__ import annotations

import os
import sys
import threading
from datetime import UTC, datetime
from time import perf_counter

import httpx
import pytest

from instruments.services import signin
from tests.support import builders, issuing
from tests.support.builders import context_for
from tests.support.program import Program

pytestmark = pytest.mark.slow
WRITERS = READERS = 16
SECONDS = float(os.environ.get("CALIB_FUZZ_SECONDS", "600"))
LONGEST = 2.0
"""Seconds that 99 of 100 writes may take."""


class People:
    """Each at work without a breath, until the end; what went wrong is kept as it was said."""

    def __init__(self, address: httpx.URL, token: str) -> None:
        self.address, self.token = address, token
        self.over = threading.Event()
        self.faults: list[str] = []
        self.writes: list[float] = []
        self.reads: list[float] = []
        self.kept: dict[int, int] = {}

    def write(self, customer: int) -> None:
        """Change one customer again and again, each time the version seen last."""
        path, version = f"/api/v1/customers/{customer}", ""
        with self._client() as client:
            version = client.get(path).headers["ETag"]
            self.kept[customer] = 0
            while not self.over.is_set():
                one_more = {"phone": str(self.kept[customer] + 1)}
                began = perf_counter()
                answer = client.patch(path, json=one_more, headers={"If-Match": version})
                self.writes.append(perf_counter() - began)
                if answer.status_code != 200:
                    self.faults.append(f"{answer.status_code} {answer.text}")
                    return
                version = answer.headers["ETag"]
                self.kept[customer] += 1

    def read(self, customer: int) -> None:
        """Read lists and single records in turn."""
        paths = ("/api/v1/customers", f"/api/v1/customers/{customer}", "/api/v1/instruments")
        with self._client() as client:
            while not self.over.is_set():
                path = paths[len(self.reads) % len(paths)]
                began = perf_counter()
                answer = client.get(path)
                self.reads.append(perf_counter() - began)
                if answer.status_code != 200:
                    self.faults.append(f"{answer.status_code} {path} {answer.text}")
                    return

    def _client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.address, headers=headers, timeout=60)

    def told(self, work, customer: int) -> None:
        """Do the work; a line that is cut is a fault like any other."""
        try:
            work(customer)
        except httpx.HTTPError as problem:
            self.faults.append(repr(problem))


def work_together(people: People, customers: list[int], seconds: float) -> None:
    """Let them all work at once for so long."""
    works = [(people.write, one) for one in customers[:WRITERS]]
    works += [(people.read, one) for one in customers[:READERS]]
    threads = [threading.Thread(target=people.told, args=work) for work in works]
    for thread in threads:
        thread.start()
    people.over.wait(seconds)
    people.over.set()
    for thread in threads:
        thread.join(120)


def centile(times: list[float], share: float) -> float:
    """Return the time that so great a share stays within."""
    return sorted(times)[int(share * (len(times) - 1))]


@pytest.mark.parametrize(
    "seconds", [10, pytest.param(SECONDS, marks=pytest.mark.nightly)], ids=["short", "long"]
)
def test_nobody_is_turned_away_while_all_write_and_read(database_url, tmp_path, seconds):
    bench = issuing.a_bench(database_url)
    who = bench.signatory
    at = {"person_id": who.id, "now": datetime.now(UTC)}  # the server goes by the machine's clock
    with context_for(bench.installation, *who.roles, **at) as ctx:
        token = signin.make_token(ctx, name="client")
        customers = [builders.a_customer(ctx).id for _ in range(WRITERS)]
    program = Program(
        {
            "CALIB_DATA": str(tmp_path),
            "CALIB_DATABASE_URL": database_url,
            "CALIB_PUBLIC_URL": issuing.BASE,
        }
    )
    with program.served() as client:
        people = People(client.base_url, token)
        work_together(people, customers, seconds)
        assert people.faults == []
        client.headers["Authorization"] = f"Bearer {token}"
        last = {id_: client.get(f"/api/v1/customers/{id_}").json()["phone"] for id_ in customers}
    slow = centile(people.writes, 0.99)
    sys.stdout.write(
        f"\n{len(people.writes)} writes, half within {centile(people.writes, 0.5):.2f} s, "
        f"99 of 100 within {slow:.2f} s, the slowest {max(people.writes):.2f} s; "
        f"{len(people.reads)} reads, 99 of 100 within {centile(people.reads, 0.99):.2f} s\n"
    )
    assert min(people.kept.values()) > 0, "somebody never had a turn"
    assert last == {id_: str(count) for id_, count in people.kept.items()}
    assert slow <= LONGEST
    bench.engine.dispose()
