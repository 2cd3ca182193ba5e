"""Codes that no verifier may let stand: forged, copied, bent, or leading to a cloned site."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from calib.ledger.trust import TrustedKey
from tests.ledger.keys import Key
from tests.vectors.parts import (
    AT,
    FOREIGN_MARK,
    HOST,
    MARK,
    STRANGER,
    THE_MARK,
    TOKEN,
    TRUST,
    Vector,
    coded,
    listed,
    url64,
)

CLONED = Key(f"{HOST}/labs/L1/mark", seed="cloned")


def failing_codes() -> Iterator[Vector]:
    """Yield every bundle of a code that fails."""
    yield from _led_astray()
    yield from _forged()
    yield from _bent()
    yield from _ended()


def _code(name: str, content: bytes, step: str, **more: Any) -> Vector:
    given = {
        "content": content,
        "trust": TRUST.canonical(),
        "status": listed(),
        "verdict": "invalid",
        "step": step,
        "state": "contradicted",
    }
    return Vector(f"code-{name}", "code", **(given | more))


def _led_astray() -> Iterator[Vector]:
    """Yield genuine marks behind addresses that lead elsewhere, or may be read in two ways."""
    addresses = {
        "to-a-look-alike": f"https://1ab.example/c/{TOKEN}",
        "to-a-longer-host": f"https://{HOST}.query.example/c/{TOKEN}",
        "to-a-part-of-the-host": f"https://example/c/{TOKEN}",
        "to-another-port": f"https://{HOST}:8443/c/{TOKEN}",
        "to-cyrillic-letters": f"https://l\u0430b.example/c/{TOKEN}",
        "with-a-name-before-the-host": f"https://{HOST}@query.example/c/{TOKEN}",
        "with-a-backslash": f"https://query.example\\@{HOST}/c/{TOKEN}",
        "without-slashes": f"https:query.example/c/{TOKEN}",
        "to-a-bare-host": HOST,
        "without-a-scheme": f"{HOST}/c/{TOKEN}",
        "with-another-scheme": f"javascript://{HOST}/c/{TOKEN}",
        "with-a-query": f"https://{HOST}/c/{TOKEN}?to=query.example",
        "with-dots-and-slash": f"https://{HOST}//query.example/c/{TOKEN}",
        "to-no-certificate": f"https://{HOST}/",
        "in-capitals": f"https://{HOST.upper()}/c/{TOKEN}",
        "with-a-space": f"https://{HOST} /c/{TOKEN}",
    }
    for name, address in addresses.items():
        yield _code(f"leads-{name}", coded(address=address), "host")


def _forged() -> Iterator[Vector]:
    cloned = coded(key=CLONED, address=f"https://query.example/c/{TOKEN}")
    yield _code("of-a-cloned-site", cloned, "mark")
    yield _code("by-a-key-of-the-same-name", coded(key=CLONED), "mark")
    yield _code("by-a-key-nobody-pinned", coded(key=FOREIGN_MARK), "mark")
    yield _code("by-the-log", coded(key=STRANGER), "mark")
    other_token = coded(address=f"https://{HOST}/c/{TOKEN[:-1]}m")
    yield _code("token-changed", other_token, "mark")
    unlisted = listed({TOKEN: "withdrawn"})
    yield _code("token-changed-since-it-was-withdrawn", other_token, "mark", status=unlisted)
    yield _code("of-another-log", coded(replace(THE_MARK, origin="other.example/log")), "mark")
    for part, other in {
        "number": "N-2", "item": "SN-77121", "verdict": "fail", "issued_on": "2026-03-01",
        "until": "2036-03-02", "kind": "verification_certificate", "place": 3,
        "payload": bytes(16), "entry": url64(bytes(16)),
    }.items():  # fmt: skip
        copied = replace(THE_MARK, **{part: other})  # type: ignore[arg-type]
        yield _code(f"{part.replace('_', '-')}-changed", _resaid(copied), "mark")
    late = TrustedKey(str(MARK.note_key), "L1", valid_from="2026-03-03T00:00:00Z")
    ended = TrustedKey(str(MARK.note_key), "L1", valid_to="2026-03-02T00:00:00Z")
    lost = TrustedKey(str(MARK.note_key), "L1", compromised_at="2026-03-02T00:00:00Z")
    for name, key in (("not-yet-valid", late), ("ended", ended), ("compromised", lost)):
        trust = replace(TRUST, marks=(key,)).canonical()
        yield _code(f"key-{name}", coded(), "mark", trust=trust)
    yield from _given_up()


def _given_up() -> Iterator[Vector]:
    """Yield codes by a key that was given up after the day of issue: nothing is shown by them."""
    since = TrustedKey(str(MARK.note_key), "L1", compromised_at="2026-03-03T00:00:00Z")
    at = AT + timedelta(days=2)
    given = {
        "trust": replace(TRUST, marks=(since,)).canonical(),
        "status": listed(issued=at),
        "at": at,
        "verdict": "cannot_tell",
        "state": "not_established",
    }
    yield _code("key-given-up-since", coded(), "mark", **given)
    before = coded(replace(THE_MARK, issued_on="2025-03-02", until="2026-03-01"))
    yield _code("key-given-up-since-and-expired", before, "mark", **given)
    gone = listed({TOKEN: "withdrawn"}, issued=at)
    yield _code("key-given-up-since-and-withdrawn", coded(), "mark", **given | {"status": gone})
    led = coded(address=f"https://1ab.example/c/{TOKEN}")
    forged = {"verdict": "invalid", "state": "contradicted"}
    yield _code("key-given-up-since-and-led-astray", led, "host", **given | forged)


def _resaid(mark: Any) -> bytes:
    """Return another mark with the signature of the genuine one."""
    genuine = coded().decode()
    start, _, signature = genuine.rpartition(".")
    address = start.partition("#")[0]
    return f"{address}#{url64(mark.text().encode())}.{signature}".encode()


def _bent() -> Iterator[Vector]:
    """Yield codes that hold no mark in its one form."""
    body: dict[str, Callable[[str], str]] = {
        "of-another-version": lambda text: text.replace("mark/1", "mark/2"),
        "with-a-line-more": lambda text: f"{text}more\n",
        "with-a-line-less": lambda text: text.replace("SN-77120\n", ""),
        "with-an-empty-line": lambda text: text.replace("SN-77120\n", "\n"),
        "with-a-day-that-is-none": lambda text: text.replace("2026-03-02", "2026-02-30"),
        "without-a-day": lambda text: text.replace("2026-03-02", "-"),
        "with-a-leading-zero": lambda text: text.replace("\n4\n", "\n04\n"),
        "with-a-carriage-return": lambda text: text.replace("SN-77120\n", "SN-77120\r\n"),
        "with-a-short-digest": lambda text: f"{text.rstrip()[:-4]}\n",
        "of-a-form-without-entry": lambda text: text.rstrip().rpartition("\n")[0] + "\n",
        "with-a-verdict-in-capitals": lambda text: text.replace("pass", "PASS"),
    }
    for name, change in body.items():
        yield _code(name, coded(text=change), "file")
    whole: dict[str, Callable[[str], str]] = {
        "without-a-mark": lambda text: text.partition("#")[0],
        "cut-off": lambda text: text[:-30],
        "with-padding": lambda text: f"{text}=",
        "with-plus-and-slash": lambda text: text.replace("-", "+").replace("_", "/"),
        "with-a-space-inside": lambda text: f"{text[:-9]} {text[-9:]}",
        "too-long": lambda text: text + "A" * 1200,
        "empty": lambda _text: "#",
    }
    for name, change in whole.items():
        yield _code(name, coded(after=change), "file")


def _ended() -> Iterator[Vector]:
    past = coded(replace(THE_MARK, issued_on="2025-03-02", until="2026-03-01"))
    yield _code("expired-yesterday", past, "validity", verdict="expired")
    withdrawn = listed({TOKEN: "withdrawn"})
    yield _code("withdrawn", coded(), "status", verdict="withdrawn", status=withdrawn)
    tried = coded(replace(THE_MARK, verdict="simulated"))
    yield _code("of-simulated-readings", tried, "simulated", verdict="simulated")
    unsure = {"verdict": "cannot_tell", "state": "not_established"}
    yield _code("without-status", coded(), "status", status=None, **unsure)
    yield _code("without-trust", coded(), "mark", trust=None, **unsure)
