"""Bundles that every verifier must let stand: genuine, and standing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from calib.ledger.trust import TrustedKey
from tests.ledger.keys import Key
from tests.vectors.parts import (
    AT,
    HOST,
    LOG,
    MARK,
    ORIGIN,
    PDF,
    SEEN,
    STATUS,
    STRANGER,
    SUBJECT,
    THE_MARK,
    TOKEN,
    TRUST,
    WITNESSES,
    XML,
    Logged,
    Vector,
    asking,
    coded,
    listed,
    policy,
)

OLD_LOG = Key(ORIGIN, seed="old log")
OLD_MARK = Key(f"{HOST}/labs/L1/mark", seed="old mark")
DAY = timedelta(days=1)


def passing() -> Iterator[Vector]:
    """Yield every bundle that passes."""
    yield from _logged()
    yield from _witnessed()
    yield from _statuses()
    yield from _codes()


def _file(name: str, logged: Logged | None = None, **more: Any) -> Vector:
    kind = more.pop("kind", "pdf")
    given = {
        "content": PDF if kind == "pdf" else XML,
        "trust": TRUST.canonical(),
        "proof": (logged or Logged()).content(),
        "status": listed(),
        "verdict": "valid",
        "step": "log",
        "state": "established",
    }
    return Vector(name, kind, **(given | more))


def _code(name: str, content: bytes, **more: Any) -> Vector:
    given = {
        "content": content,
        "trust": TRUST.canonical(),
        "status": listed(),
        "verdict": "valid",
        "step": "mark",
        "state": "established",
    }
    return Vector(name, "code", **(given | more))


def _logged() -> Iterator[Vector]:
    for place, size in ((0, 1), (1, 2), (0, 3), (2, 3), (6, 7), (7, 8), (8, 9), (255, 257)):
        yield _file(f"line-{place}-of-{size}", Logged(place=place, size=size))
    yield _file("xml", kind="xml")
    yield _file("unknown-signature-beside", Logged(keys=(LOG, STRANGER)))
    yield _file("unknown-signature-before", Logged(keys=(STRANGER, LOG)))
    yield _file("unknown-witness-beside", Logged(keys=(LOG, WITNESSES[3])))
    yield _file("signed-twice-by-the-log", Logged(keys=(LOG, LOG)))
    bundle = replace(TRUST, policy=policy(logs=(OLD_LOG, LOG)))
    yield _file("log-key-rotated", Logged(keys=(OLD_LOG,)), trust=bundle.canonical())
    yield _file("subject-with-more", Logged(subject={**SUBJECT, "later": ["é", 1, None, True]}))
    commented = policy("# a comment", "", "  \t").replace("\n", " \n", 1)
    yield _file("policy-with-comments", trust=replace(TRUST, policy=commented).canonical())


def _witnessed() -> Iterator[Vector]:
    def asked(text: str) -> bytes:
        return replace(TRUST, policy=text).canonical()

    one = policy(f"witness w {WITNESSES[0].note_key}", quorum="w")
    yield _file("witness-alone", Logged(keys=(LOG, WITNESSES[0])), trust=asked(one))
    for needed, seen in (("all", 3), ("any", 1), ("2", 2), ("1", 3)):
        keys = (LOG, *WITNESSES[:seen])
        name = f"witnesses-{needed}-of-3"
        yield _file(name, Logged(keys=keys), trust=asked(asking(needed, 3)))
    lines = [f"witness w{n} {w.note_key}" for n, w in enumerate(WITNESSES)]
    groups = ["group left any w0 w1", "group right any w2 w3", "group both all left right"]
    nested = asked(policy(*lines, *groups, quorum="both"))
    yield _file("witnesses-in-groups", Logged(keys=(LOG, *WITNESSES[1:3])), trust=nested)
    ahead = SEEN + 20 * 3600
    name = "witness-clock-a-little-ahead"
    yield _file(name, Logged(keys=(LOG, WITNESSES[0]), at=ahead), trust=asked(one))
    unasked = policy(f"witness w {WITNESSES[0].note_key}")
    yield _file("witness-known-and-not-asked-for", trust=asked(unasked))


def _statuses() -> Iterator[Vector]:
    others = {"a" * 16: "withdrawn", "b" * 16: "superseded", "c" * 16: "void"}
    yield _file("status-names-others", status=listed(others))
    yield _file("status-of-this-second", status=listed(issued=AT))
    late = timedelta(hours=23, minutes=59, seconds=59)
    yield _file("status-in-its-last-second", status=listed(issued=AT - late))
    old = AT - timedelta(days=7) + timedelta(seconds=1)
    long = listed(issued=old, life=timedelta(days=3652))
    yield _file("status-of-ten-years-within-its-week", status=long)
    yield _file("status-unknown-signature-beside", status=listed(keys=(STATUS, STRANGER)))
    ended = TrustedKey(str(STATUS.note_key), valid_to="2026-03-02T08:00:00Z")
    trust = replace(TRUST, statuses=(ended,)).canonical()
    yield _file("status-key-ended-since", trust=trust)


def _codes() -> Iterator[Vector]:
    yield _code("code", coded())
    yield _code("code-of-a-batch", coded(replace(THE_MARK, item="0001 – 0500")))
    yield _code("code-valid-today", coded(replace(THE_MARK, until="2026-03-02")))
    yield _code("code-with-characters-of-four-bytes", coded(replace(THE_MARK, item="𠮷-1 Ω")))
    yield _code("code-without-address", coded(address=""))
    yield _code("code-that-says-fail", coded(replace(THE_MARK, verdict="fail")))
    yield _code("code-under-a-path", coded(address=f"https://{HOST}/institute/calib/c/{TOKEN}"))
    yield _code("code-without-https", coded(address=f"http://{HOST}/c/{TOKEN}"))
    yield _code("code-with-line-end", coded(after=lambda text: f"{text}\r\n"))
    old = TrustedKey(str(OLD_MARK.note_key), "L1", valid_to="2026-03-03T00:00:00Z")
    rotated = replace(TRUST, marks=(old, *TRUST.marks)).canonical()
    yield _code("code-by-a-key-in-its-time", coded(key=OLD_MARK), trust=rotated)
    lost = TrustedKey(str(MARK.note_key), "L1", compromised_at="2026-03-03T00:00:00Z")
    yield _code(
        "code-before-the-compromise", coded(), trust=replace(TRUST, marks=(lost,)).canonical()
    )
    port = "127.0.0.1:8000"
    yield _code(
        "code-to-a-host-with-port",
        coded(address=f"https://{port}/c/{TOKEN}"),
        trust=replace(TRUST, host=port).canonical(),
    )
