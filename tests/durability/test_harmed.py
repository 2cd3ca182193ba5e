"""Killed at each system call, lied to by the disk, starved: what was told stands, nothing is half.

strace takes hold of a child that issues one sealed certificate and publishes its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import issuing
from tests.support.crash_check import check_lab
from tests.support.harmed import need_strace, run_issuer
from tests.support.sealed import Sealed, a_sealed_lab

pytestmark = pytest.mark.kill
WRITES = "write,pwrite64,fsync,fdatasync,rename,unlink,ftruncate,mkdir"


@pytest.fixture
def lab(tmp_path) -> Sealed:
    made = a_sealed_lab(tmp_path / "lab")
    yield made
    made.bench.engine.dispose()


def harmed(lab: Sealed, cases: list[dict], records: int = 0, **task) -> list[dict]:
    """Issue a record in each case, and look that all are issued once, as acknowledged."""
    count = records or sum(case.get("count", 1) for case in cases)
    made = issuing.many_authorised(lab.bench, count + 1)
    url = f"sqlite+pysqlite:///{lab.folder / 'calib.db'}"
    ended = run_issuer(lab, url, made, do="harm", cases=cases, **task)
    found = check_lab(lab)
    assert found.faults == []
    assert set(found.states) == {"issued"}
    if len(ended) == len(cases):
        assert found.states["issued"] == count  # each of them, once
    assert all(one["seconds"] < 60 + 5 * one.get("count", 0) for one in ended)
    return ended


def kills(first: int, last: int, step: int) -> list[dict]:
    return [{"inject": f"inject={WRITES}:signal=KILL:when={k}"} for k in range(first, last, step)]


def test_killed_at_some_of_its_system_calls_it_recovers(lab):
    need_strace()
    ended = harmed(lab, kills(1, 140, 7))
    assert sum(one["code"] == -9 for one in ended) >= 10


@pytest.mark.nightly
def test_killed_at_every_system_call_it_recovers(lab):
    """From the first call to the first child that came through: none was left out."""
    need_strace()
    ended = harmed(lab, kills(1, 500, 1), until=True)
    assert [one["code"] for one in ended] == [-9] * (len(ended) - 1) + [0]
    assert 40 < len(ended) < 500


@pytest.mark.parametrize(
    "count", [5, pytest.param(50, marks=pytest.mark.nightly)], ids=["some", "many"]
)
def test_a_disk_that_fails_to_sync_ends_the_writing_and_a_retry_gives_the_same(lab, count):
    need_strace()
    cases = [
        {"inject": f"inject=fsync,fdatasync:error=EIO:when={n}"}
        for n in range(1, 41, 40 // min(count, 40))
    ]
    cases += [
        {"inject": f"inject=pwrite64:error=EIO:when={n}"} for n in range(1, count - len(cases) + 1)
    ]
    ended = harmed(lab, cases)
    stopped = [one for one in ended if one["code"] == 70]
    assert len(stopped) >= count // 4
    assert {one["code"] for one in ended} <= {0, 70}


@pytest.mark.parametrize(
    "count", [20, pytest.param(100, marks=pytest.mark.nightly)], ids=["some", "hundred"]
)
def test_everything_is_synced_before_a_certificate_is_acknowledged(lab, count):
    need_strace()
    trace = lab.folder.parent / "trace"
    calls = "write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,unlink,openat"
    harmed(lab, [{"inject": f"trace={calls}", "trace": str(trace), "count": count}])
    acknowledged, unsynced = unsynced_at_acks(trace.read_text(), lab.folder)
    assert acknowledged == count
    assert unsynced == []


def unsynced_at_acks(trace: str, folder: Path) -> tuple[int, list[str]]:
    """Follow what was written and not synced, and what of it was left at each acknowledgement."""
    dirty: set[str] = set()
    acknowledged, left = 0, []
    for line in whole_calls(trace):
        call = re.match(r"\d+ +(\w+)\((.*)\) += \d", line)
        if call is None:
            continue
        name, words = call[1], call[2]
        opened = re.match(r"\d+<([^>]*)>", words)
        path = opened[1] if opened else ""
        if path == str(folder / "acks"):
            acknowledged += 1
            left += sorted(dirty)
        elif not path.startswith(str(folder)) and opened:
            continue
        elif name in {"write", "pwrite64"}:
            dirty.add(path)
        elif name in {"fsync", "fdatasync"}:
            dirty.discard(path)
        elif name.startswith("rename"):
            old, new = re.findall(r'"([^"]*)"', words)
            if old in dirty:
                dirty.add(f"{new} renamed before it was synced")
            dirty.add(str(Path(new).parent))
        elif name == "unlink":
            gone = re.findall(r'"([^"]*)"', words)[0]
            dirty.discard(gone)
            dirty |= {str(Path(gone).parent)} if gone.startswith(str(folder)) else set()
    return acknowledged, left


def whole_calls(trace: str) -> Iterator[str]:
    """Yield a line for each call when it ended: what another thread interrupted is put together."""
    begun: dict[str, str] = {}
    for line in trace.splitlines():
        pid = line.partition(" ")[0]
        if line.endswith("<unfinished ...>"):
            begun[pid] = line.removesuffix("<unfinished ...>")
        elif resumed := re.match(r"\d+ +<\.\.\. \w+ resumed>(.*)", line):
            yield f"{begun.pop(pid, '').rstrip()}{resumed[1]}"
        else:
            yield line


def test_a_call_that_another_thread_interrupted_is_seen():
    begun = '7 write(3</d/acks>, "x", 1 <unfinished ...>\n8 fsync(4</d/f>) = 0'
    trace = f"{begun}\n7 <... write resumed>) = 1"
    assert unsynced_at_acks(trace, Path("/d")) == (1, [])


def test_what_follows_the_syncs_sees_what_is_missing():
    """The check itself: each step left out is noticed."""
    whole = [
        '1 write(3</d/files/.draft>, "x", 1) = 1',
        "1 fsync(3</d/files/.draft>) = 0",
        '1 rename("/d/files/.draft", "/d/files/name") = 0',
        "1 fsync(4</d/files>) = 0",
        '1 pwrite64(5</d/calib.db-journal>, "x", 1, 0) = 1',
        "1 fdatasync(5</d/calib.db-journal>) = 0",
        '1 pwrite64(6</d/calib.db>, "x", 1, 0) = 1',
        "1 fdatasync(6</d/calib.db>) = 0",
        '1 unlink("/d/calib.db-journal") = 0',
        "1 fdatasync(7</d>) = 0",
        '1 write(8</d/acks>, "told", 4) = 4',
    ]
    assert unsynced_at_acks("\n".join(whole), Path("/d")) == (1, [])
    for left_out in (1, 3, 7, 9):
        lines = whole[:left_out] + whole[left_out + 1 :]
        assert unsynced_at_acks("\n".join(lines), Path("/d"))[1] != []


def starved() -> list[dict]:
    sizes = (4096, 8192, 16384, 40960, 81920, 163840, 327680, 655360)
    cases = [{"limits": {"RLIMIT_FSIZE": size}} for size in sizes]
    cases += [{"limits": {"RLIMIT_NOFILE": n}} for n in (8, 12, 16, 24, 64)]
    return cases + [{"limits": {"RLIMIT_AS": n * 2**20}} for n in (256, 512, 768, 1024, 1536)]


def test_starved_of_space_handles_or_memory_it_fails_whole(lab):
    """Each ends within a minute, by an error or by the end of the process; its retry goes well."""
    ended = harmed(lab, starved())
    assert sum(one["code"] != 0 for one in ended) >= 5
