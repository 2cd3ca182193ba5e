"""Lists of what no longer stands: old, foreign, forged, silent; both verifiers are asked."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from calib.ledger.statuses import entry_of
from calib.verifier import standalone
from calib.verifier.examine import examine
from tests.ledger.keys import Key
from tests.support import forge
from tests.support.forge import DAY, HOST, LOG, NOW, ORIGIN, STATUS, TRUST, WITNESS, listed
from tests.support.refusals import need_refused, step

HOUR = timedelta(hours=1)
STRANGER = Key(f"{ORIGIN}/status", seed="stranger")


def swapped(old: str, new: str):
    """Return the attack on the text of the newest list."""
    return lambda world: world.status.replace(old.encode(), new.encode(), 1)


def without(name: str):
    """Return the attack that takes a line out of the newest list."""

    def attack(world):
        entry = entry_of(getattr(world, name).document.token).encode()
        lines = world.status.split(b"\n")
        return b"\n".join(line for line in lines if not line.startswith(entry))

    return attack


def of_now(content: bytes):
    """Return the attack that shows this list."""
    return lambda world: content


UNBELIEVED = {
    "none": lambda w: None,
    "empty": of_now(b""),
    "words": of_now(b"everything stands\n"),
    "list of yesterday": of_now(listed(issued_at=NOW - 2 * DAY)),
    "list that ended this second": of_now(listed(issued_at=NOW - DAY)),
    "list of tomorrow": of_now(listed(issued_at=NOW + HOUR)),
    "list that ends before it begins": of_now(listed(lasts=-DAY)),
    "list by a stranger": of_now(listed(key=Key("evil/status"))),
    "list by a stranger of that name": of_now(listed(key=STRANGER)),
    "list by the key of the log": of_now(listed(key=LOG)),
    "list by the key of codes": of_now(listed(key=forge.FIRST.mark)),
    "list by the witness": of_now(listed(key=WITNESS)),
    "list of another installation": of_now(
        listed(key=Key("evil.example/log/status"), origin="evil.example/log")
    ),
    "list that names another installation": of_now(listed(origin="evil.example/log")),
    "list that names the host alone": of_now(listed(origin=HOST)),
    "list that names it in large letters": of_now(listed(origin=ORIGIN.upper())),
    "list that names it in Cyrillic": of_now(listed(origin=ORIGIN.replace("a", "а"))),
    "old list with a new end": lambda w: listed(issued_at=NOW - 9 * DAY).replace(
        b"2026-03-02T09:00:00Z", b"2036-03-02T09:00:00Z", 1
    ),
    "old list with a new beginning": lambda w: listed(issued_at=NOW - 9 * DAY).replace(
        b"2026-03-01T09:00:00Z", b"2026-03-10T08:00:00Z", 1
    ),
    "line taken out": without("withdrawn"),
    "line changed": swapped(" superseded ", " void "),
    "size changed": swapped("\n9\n", "\n8\n"),
    "header changed": swapped("status/1", "status/2"),
    "signature of another list": lambda w: (
        listed().rpartition(b"\n\n")[0] + b"\n\n" + w.status.rpartition(b"\n\n")[2]
    ),
    "two lists": lambda w: w.status + w.status,
    "head of the log": lambda w: str(w.proof(w.first).note).encode(),
    "proof": lambda w: w.proof(w.first).text().encode(),
    "certificate": lambda w: w.first.dcc,
    "line ends of another system": lambda w: w.status.replace(b"\n", b"\r\n"),
    "byte order mark": lambda w: b"\xef\xbb\xbf" + w.status,
    "large": lambda w: w.status * 3000,
    "no letters": of_now(bytes(range(256)) * 9),
}


@pytest.mark.parametrize("name", UNBELIEVED)
def test_a_list_that_is_not_to_be_believed_says_nothing(world, name):
    status = UNBELIEVED[name](world)
    for one in (world.first, world.withdrawn):
        evidence = world.evidence(status=status)
        report = need_refused(one.code.encode(), evidence, step("status", "not_established"))
        assert report.verdict == "cannot_tell"
        if status is not None:
            assert _alone(one, status) == 2


def _alone(one, status: bytes, trust=TRUST, now=NOW) -> int:
    """Return what the file that stands alone answers."""
    entry = entry_of(one.document.token)
    try:
        return standalone.check_status(json.loads(trust.canonical()), status, entry, now)[0]
    except (standalone.Wrong, ValueError):
        return 2


@pytest.mark.parametrize("state", ["withdrawn", "superseded", "void"])
@pytest.mark.parametrize("age", [timedelta(), 2 * DAY, 400 * DAY])
def test_what_ended_once_has_ended_however_old_the_list(world, state, age):
    """Nothing that ended ever stands again: an old list that names it is believed in that."""
    one = world.second
    status = listed({one.document.token: state}, issued_at=NOW - HOUR - age)
    trust = replace(TRUST, statuses=(forge.trusted_key(STATUS, valid_from=""),))
    report = need_refused(one.pdf, world.evidence(one, status=status, trust=trust), step("status"))
    assert report.verdict in ("withdrawn", "superseded")
    assert _alone(one, status, trust) == 1


def _keys(**more: str):
    return replace(TRUST, statuses=(forge.trusted_key(STATUS, **more),))


TIMES = {
    "signed before its key": _keys(valid_from="2026-03-11T00:00:00Z"),
    "signed after its key": _keys(valid_to="2026-03-10T07:00:00Z"),
    "signed when its key was known": _keys(compromised_at="2026-03-10T07:00:00Z"),
    "dated back before the key was given up": _keys(compromised_at="2026-03-10T08:30:00Z"),
    "no key": replace(TRUST, statuses=()),
    "another installation": replace(TRUST, origin="evil.example/log"),
}


@pytest.mark.parametrize("name", TIMES)
def test_a_list_out_of_the_life_of_its_key_says_nothing(world, name):
    status = listed(lasts=3650 * DAY)
    evidence = world.evidence(status=status, trust=TIMES[name])
    need_refused(world.withdrawn.code.encode(), evidence, step("status", "not_established"))
    assert _alone(world.withdrawn, status, TIMES[name]) == 2


@pytest.mark.parametrize("name", ["withdrawn", "superseded"])
def test_what_ended_is_told_for_every_form(world, name):
    one = getattr(world, name)
    for content in (one.pdf, one.code.encode(), one.code.partition("#")[2].encode()):
        assert examine(content, world.evidence(one if content == one.pdf else None)).verdict == name


CLOCKS = {
    "a year behind": NOW - 365 * DAY,
    "before the certificate": NOW - 8 * DAY,
    "an hour behind": NOW - 2 * HOUR,
    "a day ahead": NOW + DAY,
    "a hundred years ahead": NOW + 36500 * DAY,
}


@pytest.mark.parametrize("name", CLOCKS)
def test_a_clock_that_was_set_makes_nothing_valid(world, name):
    for one in (world.first, world.withdrawn):
        evidence = world.evidence(one, now=CLOCKS[name])
        report = need_refused(one.pdf, evidence)
        assert report.step("status").state != "established"


def test_trust_of_another_installation_tells_nothing_good(world):
    """A bundle that was mixed from two: each part alone is genuine."""
    other = replace(
        TRUST, origin="evil.example/log", host="evil.example",
        policy=f"log {Key('evil.example/log').note_key}\nquorum none\n",
    )  # fmt: skip
    for trust in (other, replace(TRUST, origin=other.origin), replace(TRUST, policy=other.policy)):
        report = need_refused(world.first.pdf, world.evidence(world.first, trust=trust))
        assert report.step("log").state == "contradicted"
