"""Bundles of files that no verifier may let stand, each with one defect of its own."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from calib.ledger.trust import TrustBundle, TrustedKey
from tests.ledger.keys import Key
from tests.vectors.parts import (
    AT,
    FOREIGN_MARK,
    LOG,
    PDF,
    SEEN,
    STATUS,
    STRANGER,
    SUBJECT,
    TOKEN,
    TRUST,
    WITNESSES,
    XML,
    Logged,
    Vector,
    asking,
    listed,
    policy,
)

Change = Callable[[str], str]


def failing_files() -> Iterator[Vector]:
    """Yield every bundle of a file that fails."""
    yield from _other_lines()
    yield from _simulated()
    yield from _bent_proofs()
    yield from _wrong_heads()
    yield from _too_few_witnesses()
    yield from _unsure_statuses()
    yield from _bundles()


def _file(name: str, step: str, logged: Logged | None = None, **more: Any) -> Vector:
    kind = more.pop("kind", "pdf")
    given = {
        "content": PDF if kind == "pdf" else XML,
        "trust": TRUST.canonical(),
        "proof": (logged or Logged()).content(),
        "status": listed(),
        "verdict": "invalid",
        "step": step,
        "state": "contradicted",
    }
    return Vector(name, kind, **(given | more))


def _unsure(name: str, step: str, **more: Any) -> Vector:
    return _file(name, step, **({"verdict": "cannot_tell", "state": "not_established"} | more))


def changed(**parts: Any) -> dict[str, Any]:
    """Return the subject with other parts."""
    return {**SUBJECT, **parts}


def _other_lines() -> Iterator[Vector]:
    """Yield proofs of another file, number, laboratory or event."""
    yield _file("file-with-a-byte-more", "log", content=PDF + b"\n")
    yield _file("file-of-another-certificate", "log", content=PDF.replace(b"bytes", b"words"))
    yield _file("xml-with-the-proof-of-a-pdf-alone", "log", Logged(changed(
        files={"pdf": SUBJECT["files"]["pdf"]})), kind="xml")  # fmt: skip
    yield _file("number-changed-in-the-proof", "log", Logged(changed(number="N-2"), logged=SUBJECT))
    yield _file("payload-changed-in-the-proof", "log", Logged(
        changed(payload="cd" * 32), logged=SUBJECT))  # fmt: skip
    yield _file("lab-changed-in-the-proof", "log", Logged(changed(lab="L2"), logged=SUBJECT),
                trust=_with_second_lab())  # fmt: skip
    yield _file("lab-nobody-pinned", "log", Logged(changed(lab="L2")))
    yield _file("lab-missing", "log", Logged({k: v for k, v in SUBJECT.items() if k != "lab"}))
    for event in ("reserved", "withdrawn", "superseded", "void"):
        yield _file(f"event-{event}", "log", Logged(changed(status=event)))
    yield _file("event-withdrawn-said-to-be-issued", "log", Logged(event="withdrawn"))
    yield _file("files-missing", "log", Logged(changed(files={})))
    yield _file("salt-of-another-line", "log", Logged(after=_extra("1f1f", "1f2f")))
    yield _file("salt-in-capitals", "log", Logged(salt="1F" * 16))


def _with_second_lab() -> bytes:
    names = {**TRUST.labs, "L2": TRUST.labs["L1"]}
    return replace(TRUST, labs=names).canonical()


def _extra(old: str, new: str) -> Change:
    """Change the text behind the word extra."""

    def change(text: str) -> str:
        line = text.split("\n")[1]
        plain = base64.b64decode(line.removeprefix("extra ")).decode()
        bent = base64.b64encode(plain.replace(old, new, 1).encode()).decode()
        return text.replace(line, f"extra {bent}")

    return change


def _swap(old: str, new: str) -> Change:
    return lambda text: text.replace(old, new, 1)


def _line(number: int, change: Change) -> Change:
    def on(text: str) -> str:
        lines = text.split("\n")
        lines[number] = change(lines[number])
        return "\n".join(lines)

    return on


def _without(number: int) -> Change:
    return lambda text: "\n".join(x for n, x in enumerate(text.split("\n")) if n != number)


def _simulated() -> Iterator[Vector]:
    """Yield certificates of simulated readings: unchanged, logged, and certifying nothing."""
    logged = Logged(changed(simulated=True))
    for kind in ("pdf", "xml"):
        yield _file(f"simulated-{kind}", "simulated", logged, kind=kind, verdict="simulated")
    gone = {"status": listed({TOKEN: "withdrawn"}), "verdict": "simulated"}
    yield _file("simulated-and-withdrawn", "simulated", logged, **gone)
    yield _file("simulated-without-status", "simulated", logged, verdict="simulated", status=None)
    hidden = Logged(logged=changed(simulated=True))
    yield _file("simulated-taken-out-of-the-proof", "log", hidden)


def _bent_proofs() -> Iterator[Vector]:
    """Yield proofs whose text or path is wrong."""
    changes: dict[str, Change] = {
        "proof-header-of-another-version": _swap("@v1", "@v2"),
        "proof-without-extra": _without(1),
        "proof-without-index": _without(2),
        "proof-index-negative": _swap("index 5", "index -5"),
        "proof-index-with-leading-zero": _swap("index 5", "index 05"),
        "proof-index-with-plus": _swap("index 5", "index +5"),
        "proof-index-of-the-neighbour": _swap("index 5", "index 4"),
        "proof-index-behind-the-end": _swap("index 5", "index 9"),
        "proof-index-too-large": _swap("index 5", "index 99999999999999999999"),
        "proof-with-carriage-returns": lambda text: text.replace("\n", "\r\n"),
        "proof-path-bent": _line(3, lambda line: "A" + line[1:] if line[0] != "A" else "B" + line),
        "proof-path-too-short": _without(3),
        "proof-path-too-long": _line(3, lambda line: f"{line}\n{line}"),
        "proof-path-swapped": lambda text: _swapped(text, 3, 4),
        "proof-path-step-short": _line(3, lambda _line: "AAAA"),
        "proof-path-base64-loose": _line(3, lambda line: line.removesuffix("=")),
        "proof-path-base64-not-canonical": _line(3, _loose),
        "proof-extra-not-canonical": _extra('{"salt"', '{ "salt"'),
        "proof-extra-with-more": _extra('{"salt"', '{"more":1,"salt"'),
        "proof-extra-no-json": _extra("{", "["),
        "proof-cut-off": lambda text: text[: len(text) // 2],
        "proof-empty": lambda _text: "",
        "proof-signature-line-damaged": _swap("— ", "- "),
        "proof-without-signature": lambda text: text[: text.index("— ")],
        "proof-blank-line-missing": _swap("\n\n", "\n"),
    }
    for name, change in changes.items():
        yield _file(name, "log", Logged(after=change))
    yield _unsure("proof-missing", "log", proof=None)
    other = Logged(changed(number="N-2", files={"pdf": "00" * 32}), place=2)
    yield _file("proof-of-another-certificate", "log", other)


def _swapped(text: str, first: int, second: int) -> str:
    lines = text.split("\n")
    lines[first], lines[second] = lines[second], lines[first]
    return "\n".join(lines)


def _loose(line: str) -> str:
    """Return a second base64 of the same bytes: unused bits at the end set."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return line[:-2] + letters[letters.index(line[-2]) + 1] + line[-1]


def _wrong_heads() -> Iterator[Vector]:
    """Yield heads of a log that are not signed, or not in the one form."""
    foreign = "other.example/log"
    yield _file("head-of-another-log", "log", Logged(origin=foreign, keys=(Key(foreign),)))
    yield _file("head-of-another-log-signed-by-this", "log", Logged(origin=foreign))
    yield _file("head-signed-by-a-stranger-of-the-same-name", "log", Logged(keys=(STRANGER,)))
    yield _file("head-signed-by-a-witness-alone", "log", Logged(keys=(WITNESSES[0],)))
    yield _file("head-known-signature-failing", "log", Logged(after=_forged))
    yield _file("head-known-signature-failing-beside-a-good-one", "log", Logged(
        keys=(LOG, LOG), after=_forged))  # fmt: skip
    yield _file("head-size-changed-after-signing", "log", Logged(after=_swap("\n9\n", "\n10\n")))
    signed: dict[str, Change] = {
        "head-size-missing": _without(1),
        "head-size-with-leading-zero": _swap("\n9\n", "\n09\n"),
        "head-size-negative": _swap("\n9\n", "\n-9\n"),
        "head-size-no-number": _swap("\n9\n", "\nnine\n"),
        "head-size-smaller-than-the-place": _swap("\n9\n", "\n5\n"),
        "head-root-missing": _without(2),
        "head-root-short": _line(2, lambda _line: "AAAA"),
        "head-root-of-another-tree": _line(2, lambda line: "A" * 43 + line[-1]),
        "head-with-extension-line": lambda text: f"{text}more\n",
        "head-with-control-character": _swap("\n9\n", "\n9\t\n"),
        "head-with-carriage-return": _swap("\n9\n", "\r\n9\n"),
    }
    for name, change in signed.items():
        yield _file(name, "log", Logged(head=change))


def _forged(text: str) -> str:
    """Flip a bit in the last signature, its name and number left as they are."""
    start, _, last = text.rstrip("\n").rpartition(" ")
    content = bytearray(base64.b64decode(last))
    content[-1] ^= 1
    return f"{start} {base64.b64encode(content).decode()}\n"


def _too_few_witnesses() -> Iterator[Vector]:
    def asked(text: str) -> bytes:
        return replace(TRUST, policy=text).canonical()

    one = policy(f"witness w {WITNESSES[0].note_key}", quorum="w")
    cases = {
        "witness-missing": (one, (LOG,)),
        "witness-of-another-key": (one, (LOG, WITNESSES[1])),
        "witness-one-of-two-missing": (asking("2", 3), (LOG, WITNESSES[0])),
        "witness-one-of-all-missing": (asking("all", 3), (LOG, *WITNESSES[:2])),
        "witness-twice-the-same": (asking("2", 3), (LOG, WITNESSES[0], WITNESSES[0])),
    }
    for name, (text, keys) in cases.items():
        yield _file(name, "witnesses", Logged(keys=keys), trust=asked(text))
    future = Logged(keys=(LOG, WITNESSES[0]), at=SEEN + 3 * 86400)
    yield _file("witness-timestamp-in-the-future", "witnesses", future, trust=asked(one))
    forged = Logged(keys=(LOG, WITNESSES[0]), after=_forged)
    yield _file("witness-signature-failing", "log", forged, trust=asked(one))


def _unsure_statuses() -> Iterator[Vector]:
    """Yield status lists that end a certificate, or that say nothing."""
    for state in ("withdrawn", "superseded", "void"):
        verdict = "withdrawn" if state == "withdrawn" else "superseded"
        content = listed({TOKEN: state})
        yield _file(f"status-{state}", "status", status=content, verdict=verdict)
    old = listed({TOKEN: "withdrawn"}, issued=AT - timedelta(days=400))
    yield _file("status-withdrawn-in-a-stale-list", "status", status=old, verdict="withdrawn")
    late = TrustedKey(str(STATUS.note_key), valid_from="2026-03-02T08:00:00Z")
    lost = TrustedKey(str(STATUS.note_key), compromised_at="2026-03-01T00:00:00Z")
    since = TrustedKey(str(STATUS.note_key), compromised_at="2026-03-02T08:00:00Z")
    other = {TOKEN: "withdrawn", "b" * 16: "void"}
    years, week = timedelta(days=3652), timedelta(days=7)
    unsure: dict[str, dict[str, Any]] = {
        "missing": {"status": None},
        "stale": {"status": listed(issued=AT - timedelta(hours=25))},
        "stale-since-this-second": {"status": listed(issued=AT - timedelta(hours=24))},
        "of-ten-years-a-week-old": {"status": listed(issued=AT - week, life=years)},
        "of-ten-years-a-year-old": {"status": listed(issued=AT - 52 * week, life=years)},
        "of-the-future": {"status": listed(issued=AT + timedelta(seconds=1))},
        "signed-by-another-key": {"status": listed(keys=(STRANGER,))},
        "signed-by-the-log": {"status": listed(keys=(LOG,))},
        "of-another-log": {"status": listed(origin="other.example/log")},
        "key-not-yet-valid": {"trust": replace(TRUST, statuses=(late,)).canonical()},
        "key-compromised": {"trust": replace(TRUST, statuses=(lost,)).canonical()},
        "key-given-up-since": {"trust": replace(TRUST, statuses=(since,)).canonical()},
        "keys-missing": {"trust": replace(TRUST, statuses=()).canonical()},
        "of-another-version": {"status": listed(text=_swap("status/1", "status/2"))},
        "size-with-leading-zero": {"status": listed(text=_swap("\n9\n", "\n09\n"))},
        "instant-loose": {"status": listed(text=_swap("T07:30:00Z", "T7:30:00Z"))},
        "entry-removed-after-signing": {"status": _without_entry(listed(other))},
        "entries-not-sorted": {"status": listed(other, text=lambda t: _swapped(t, 5, 6))},
        "entry-twice": {"status": listed(other, text=_line(5, lambda line: f"{line}\n{line}"))},
        "with-carriage-returns": {"status": listed(text=lambda t: t.replace("\n", "\r\n"))},
        "empty": {"status": b""},
    }  # fmt: skip
    for name, more in unsure.items():
        yield _unsure(f"status-{name}", "status", **more)


def _without_entry(content: bytes) -> bytes:
    lines = content.decode().split("\n")
    return "\n".join([*lines[:5], *lines[6:]]).encode()


def _bundles() -> Iterator[Vector]:
    """Yield trust bundles that cannot be used: nothing may be believed with them."""
    w = WITNESSES[0].note_key
    plain = json.loads(TRUST.canonical())
    texts = {
        "policy-without-quorum": plain["policy"].replace("quorum none\n", ""),
        "policy-with-two-quorums": f"{plain['policy']}quorum none\n",
        "policy-with-unknown-word": f"trust everybody\n{plain['policy']}",
        "policy-quorum-of-nobody": policy(quorum="nobody"),
        "policy-with-carriage-returns": plain["policy"].replace("\n", "\r\n"),
        "policy-witness-with-key-of-a-log": policy(f"witness w {LOG.note_key}", quorum="w"),
        "policy-group-asks-for-more-than-it-has": policy(
            f"witness w {w}", "group g 2 w", quorum="g"
        ),
        "policy-without-log": "quorum none\n",
        "policy-key-number-wrong": _bad_number(plain["policy"]),
        "policy-of-another-log": policy(logs=(Key("other.example/log"),)),
    }
    for name, text in texts.items():
        yield _refused(name, replace(TRUST, policy=text))
    foreign = replace(TRUST, origin="other.example/log")
    yield _refused("trust-names-another-log", foreign)
    bad = TrustedKey(_bad_number(f"log {FOREIGN_MARK.note_key}").removeprefix("log "))
    yield _refused("trust-status-key-number-wrong", replace(TRUST, statuses=(bad,)))
    yield _unsure("trust-missing", "log", trust=None)


def _refused(name: str, trust: TrustBundle) -> Vector:
    more = {"verdict": "cannot_tell", "step": "trust", "state": "contradicted"}
    return _file(name, **more, trust=trust.canonical())


def _bad_number(text: str) -> str:
    name, number, body = text.split("+", 2)
    return f"{name}+{int(number, 16) ^ 1:08x}+{body}"
