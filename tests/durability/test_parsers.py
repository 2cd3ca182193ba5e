"""Everything that reads what strangers send: bent bytes end in a refusal, soon, and in little room.

Whole samples of each format are bent by a generator with a fixed seed. A parser may accept, or
raise an error of the domain; anything else, or a second of thought, is a fault. How many seconds
each is tried at night is CALIB_FUZZ_SECONDS.
"""

from __future__ import annotations

import json
import os
import random
import resource
import time
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from calib.certificates.dcc import read_dcc
from calib.certificates.reread import read_file
from calib.ledger.checkpoints import read_checkpoint, read_proof
from calib.ledger.marks import read_fragment
from calib.ledger.notes import read_note, read_note_key
from calib.ledger.policies import read_policy
from calib.ledger.statuses import read_status
from calib.ledger.trust import read_trust
from calib.ledger.witnessing import read_request
from instruments.errors import DomainError
from tests.support.sealed import a_sealed_lab

ROOM = 512 * 1024
"""Kilobytes that all parsers together may add."""
SOME = 1.2
MANY = float(os.environ.get("CALIB_FUZZ_SECONDS", "600"))
POLICY = b"""\
log calib.example.org/log+0a8cc33b+AbabababababababababababababababababababababababA=
witness w1 witness.example/w+d6c4d0a0+BGRk https://witness.example
group g any w1
quorum g
"""
REQUEST = b"old 3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
WORDS = (
    b"\n", b"\n\n", b"\r\n", b"\0", b"\xff", b"-1", b"0", b"00", b"9" * 30, b"1e9",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"<a/>", b"&lt;", b"[" * 2000, b"{}", b"null", b"=", b"+",
    b"\xe2\x80\x94 ", b"NaN", b"-" * 200, b" " * 100, "\u202e\u0661".encode(),
)  # fmt: skip


def _trust(content: bytes) -> object:
    try:
        plain = json.loads(content)
    except (ValueError, RecursionError):
        return None  # not ours to read
    return read_trust(plain) if isinstance(plain, dict) else None


PARSERS: dict[str, Callable[[bytes], object]] = {
    "note": read_note,
    "checkpoint": lambda content: read_checkpoint(read_note(content)),
    "proof": read_proof,
    "request": read_request,
    "policy": lambda content: read_policy(content.decode("latin-1")),
    "key": lambda content: read_note_key(content.decode("latin-1")),
    "mark": lambda content: read_fragment(content.decode("latin-1")),
    "status": lambda content: read_status(read_note(content)),
    "trust": _trust,
    "dcc": read_dcc,
}


@pytest.fixture(scope="module")
def samples(tmp_path_factory) -> dict[str, bytes]:
    """Return a whole sample of each format, as the program itself writes it."""
    lab = a_sealed_lab(tmp_path_factory.mktemp("samples"))
    view = lab.issued()
    trust = lab.trust()
    head = lab.checkpoint()
    found = {
        "note": head,
        "checkpoint": head,
        "proof": lab.proof(view),
        "request": REQUEST + head,
        "policy": POLICY,
        "key": trust.policy.split("\n")[0].split(" ")[1].encode(),
        "mark": read_file(lab.file(view)).attachments["mark.txt"],
        "status": lab.publisher.status_files.read("list") or b"",
        "trust": trust.canonical(),
        "dcc": lab.file(view, "dcc"),
    }
    lab.bench.engine.dispose()
    return found


def bent(sample: bytes, rng: random.Random) -> bytes:
    """Return the sample with one to four changes."""
    content = bytearray(sample)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(content) + 1)
        end = min(len(content), at + rng.choice((1, 2, 8, 60, 500)))
        act = rng.randrange(6)
        if act == 0 and at < len(content):
            content[at] ^= 1 << rng.randrange(8)
        elif act == 1:
            del content[at:end]
        elif act == 2:
            content[at:at] = content[at:end] * rng.choice((1, 2, 50))
        elif act == 3:
            content[at:end] = rng.choice(WORDS)
        elif act == 4:
            content[at:at] = rng.choice(WORDS)
        else:
            del content[at:]
    return bytes(content)


def tried(parse: Callable[[bytes], object], sample: bytes, rng: Any, seconds: float) -> list[str]:
    """Return what a parser did that it must not."""
    faults: list[str] = []
    count, ends = 0, time.monotonic() + seconds
    while time.monotonic() < ends and len(faults) < 5:
        content = bent(sample, rng)
        started = time.process_time()
        try:
            parse(content)
        except DomainError as stop:
            assert stop.code  # noqa: PT017 -- any of them will do
        except Exception as problem:  # noqa: BLE001 -- this is what is looked for
            faults.append(f"{type(problem).__name__}: {problem} for {content[:300]!r}")
        if time.process_time() - started > 1:
            faults.append(f"{time.process_time() - started:.1f} s for {content[:300]!r}")
        count += 1
    assert count > 20 or faults
    return faults


@pytest.mark.parametrize(
    "seconds", [SOME, pytest.param(MANY, marks=pytest.mark.nightly)], ids=["some", "long"]
)
@pytest.mark.parametrize("name", PARSERS)
def test_bent_bytes_end_in_a_refusal(samples, name, seconds):
    rng = random.Random(zlib.crc32(name.encode()))  # noqa: S311
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    PARSERS[name](samples[name]) if name != "policy" else None
    assert tried(PARSERS[name], samples[name], rng, seconds) == []
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < ROOM


def test_a_parser_that_breaks_is_noticed():
    """The check itself: an error of another kind and a long thought are both told."""

    def breaks(content: bytes) -> None:
        raise KeyError(content[0])

    assert "KeyError" in tried(breaks, b"sample", random.Random(1), 2)[0]  # noqa: S311
