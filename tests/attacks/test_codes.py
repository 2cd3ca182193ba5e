"""Printed codes: forged, copied, leading elsewhere, looking alike; both verifiers are asked."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from calib.ledger.marks import Mark, read_fragment
from calib.ledger.statuses import entry_of
from calib.verifier import standalone
from calib.verifier.examine import examine
from calib.verifier.marks import mark_of
from tests.ledger.keys import Key
from tests.support import forge
from tests.support.forge import FIRST, HOST, NOW, ORIGIN, SECOND, TRUST
from tests.support.refusals import need_refused, step

STRANGER = Key(FIRST.mark.note_key.name, seed="stranger")


def parts(world):
    """Return address and fragment of the genuine code."""
    address, _, fragment = world.first.code.partition("#")
    return address, fragment


def led(address: str):
    """Return the attack with another address before the genuine mark; {token} stands for it."""
    return lambda w: f"{address.format(token=w.first.document.token)}#{parts(w)[1]}"


def said(key=FIRST.mark, **changes):
    """Return the attack with another mark, signed by a key."""

    def attack(world):
        mark = replace(mark_of(world.first.document, ORIGIN, 3), **changes)
        return f"{parts(world)[0]}#{forge.signed_mark(mark, key).decode()}"

    return attack


def written(old: str, new: str):
    """Return the attack that changes the text under the genuine signature."""

    def attack(world):
        address, fragment = parts(world)
        body, _, tail = fragment.partition(".")
        text = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()
        assert old in text, old
        return f"{address}#{encoded(text.replace(old, new, 1).encode())}.{tail}"

    return attack


def encoded(content: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def tail(edit):
    """Return the attack that changes key number and signature."""

    def attack(world):
        address, fragment = parts(world)
        body, _, end = fragment.partition(".")
        return f"{address}#{body}.{edit(end)}"

    return attack


def _bent(place):
    def edit(end):
        content = bytearray(base64.urlsafe_b64decode(end + "=" * (-len(end) % 4)))
        content[place] ^= 1
        return encoded(bytes(content))

    return edit


def _of_another_signature(world):
    address, fragment = parts(world)
    other = world.second.code.partition("#")[2].partition(".")[2]
    return f"{address}#{fragment.partition('.')[0]}.{other}"


def _other_token(world):
    return f"https://{HOST}/c/{world.second.document.token}#{parts(world)[1]}"


ELSEWHERE = {
    "another host": "https://evil.example/c/{token}",
    "host with a word before": f"https://evil{HOST}/c/{{token}}",
    "host with a word behind": f"https://{HOST}.evil.example/c/{{token}}",
    "host as the name of a user": f"https://{HOST}@evil.example/c/{{token}}",
    "host as user and word": f"https://{HOST}:443@evil.example/c/{{token}}",
    "user before the host": f"https://evil@{HOST}/c/{{token}}",
    "host as a path": f"https://evil.example/{HOST}/c/{{token}}",
    "host behind a question": f"https://evil.example/?{HOST}/c/{{token}}",
    "question before the code": f"https://{HOST}/?x=/c/{{token}}",
    "backslash": f"https://evil.example\\@{HOST}/c/{{token}}",
    "backslash behind": f"https://{HOST}\\evil.example/c/{{token}}",
    "two strokes fewer": f"https:{HOST}/c/{{token}}",
    "one stroke fewer": f"https:/{HOST}/c/{{token}}",
    "three strokes": f"https:///{HOST}/c/{{token}}",
    "no scheme": f"//{HOST}/c/{{token}}",
    "another scheme": f"javascript://{HOST}/c/{{token}}",
    "data": f"data:text/html,{HOST}/c/{{token}}",
    "file": f"file://{HOST}/c/{{token}}",
    "another port": f"https://{HOST}:8443/c/{{token}}",
    "usual port named": f"https://{HOST}:443/c/{{token}}",
    "dot behind": f"https://{HOST}./c/{{token}}",
    "large letters": f"https://{HOST.upper()}/c/{{token}}",
    "Cyrillic": f"https://{HOST.replace('a', 'а')}/c/{{token}}",
    "Punycode": "https://xn--clib-53d.example.org/c/{token}",
    "full width": f"https://{HOST.replace('c', 'ｃ', 1)}/c/{{token}}",
    "space of no width": "https://calib\u200b.example.org/c/{token}",
    "written from right to left": f"https://\u202e{HOST}/c/{{token}}",
    "percent": f"https://{HOST.replace('c', '%63', 1)}/c/{{token}}",
    "stop of another script": f"https://{HOST.replace('.', '。', 1)}/c/{{token}}",
    "tab": "https://calib\t.example.org/c/{token}",
    "line end": f"https://{HOST}\n.evil.example/c/{{token}}",
    "path above": f"https://{HOST}/../evil/c/{{token}}/x",
    "another path": f"https://{HOST}/d/{{token}}",
    "percent in the token": f"https://{HOST}/c/%20{{token}}",
    "question behind the token": f"https://{HOST}/c/{{token}}?next=https://evil.example",
    "no token": f"https://{HOST}/c/",
    "words before": f"genuine: https://{HOST}/c/{{token}}",
    "numbers of the net": "https://192.0.2.1/c/{token}",
}
FORGED = {
    "another number": said(STRANGER, number="RD2026-000999"),
    "the same, by a stranger of that name": said(STRANGER),
    "by the key of the log": said(forge.LOG),
    "by the key of lists": said(forge.STATUS),
    "by the witness": said(Key(FIRST.mark.note_key.name, seed="w")),
    "of another log": said(origin="evil.example/log"),
    "of a log with a dot": said(origin=f"{ORIGIN}."),
    "number changed": written("RD2026-000101", "RD2026-000102"),
    "number in full width": written("000101", "00010１"),
    "number with a space of no width": written("RD2026-", "RD2026-\u200b"),
    "serial number changed": written("\n3\n", "\n4\n"),
    "day changed": written("2026-03-03", "2026-03-04"),
    "verdict changed": written("not_stated", "pass"),
    "kind changed": written("calibration_certificate", "verification_certificate"),
    "validity given": written("\n-\n", "\n2036-01-01\n"),
    "header changed": written("calib-mark/1", "calib-mark/2"),
    "line more": written("calib-mark/1", "calib-mark/1\nx"),
    "line fewer": written("calib-mark/1\n", ""),
    "zero before the place": written("\n3\n", "\n03\n"),
    "key number changed": tail(_bent(0)),
    "signature changed": tail(_bent(40)),
    "signature cut": tail(lambda end: end[:-4]),
    "signature longer": tail(lambda end: end + "AAAA"),
    "signature empty": tail(lambda end: ""),
    "signature padded": tail(lambda end: end + "=="),
    "signature in the other alphabet": tail(lambda end: end + "+"),
    "signature of another code": _of_another_signature,
    "no dot": lambda w: parts(w)[0] + "#" + parts(w)[1].replace(".", ""),
    "no mark": lambda w: parts(w)[0],
    "fragment empty": lambda w: parts(w)[0] + "#",
    "fragment of words": lambda w: parts(w)[0] + "#genuine",
    "fragment behind a fragment": lambda w: parts(w)[0] + "#x#" + parts(w)[1],
    "fragment twice": lambda w: w.first.code + "#" + parts(w)[1],
    "fragment very long": lambda w: w.first.code + "A" * 10**6,
    "token of another": _other_token,
    "nothing": lambda w: "",
    "zero inside": lambda w: w.first.code[:20] + "\0" + w.first.code[20:],
}  # fmt: skip


def need_refused_by_both(world, code: str, *expected):
    """Show a code to both verifiers."""
    report = need_refused(code.encode(), world.evidence(), *expected)
    with pytest.raises((standalone.Wrong, ValueError, LookupError)):
        standalone.check_mark(json.loads(TRUST.canonical()), code, NOW)
    return report


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_genuine_mark_behind_another_address_is_told(world, name):
    need_refused_by_both(world, led(ELSEWHERE[name])(world))


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_code_is_told(world, name):
    report = need_refused_by_both(world, FORGED[name](world))
    # of nothing nothing is said
    refused = "not_established" if name == "nothing" else "contradicted"
    failed = {one.id for one in report.steps if one.state == refused}
    assert failed & {"mark", "host", "file"}, report.as_dict()


def test_a_copied_code_is_genuine_and_says_what_to_compare(world):
    """Nobody can see from a code what it sticks on: it must say so, and of which item it is."""
    report = examine(world.first.code.encode(), world.evidence())
    mark = report.step("mark")
    assert mark.state == "established"
    assert "a genuine code can be copied onto another item" in mark.text()
    assert report.says["serial"] == world.first.document.item.serial
    assert report.says["number"] == world.first.document.number
    words, _ = standalone.check_mark(json.loads(TRUST.canonical()), world.first.code, NOW)
    assert "compare that with what lies before you" in words
    assert world.first.document.item.serial in words


ENDED = {"withdrawn": "withdrawn", "superseded": "superseded"}


@pytest.mark.parametrize("name", ENDED)
@pytest.mark.parametrize("disguise", ["as it is", "token of another", "mark alone"])
def test_the_code_of_what_ended_is_never_valid(world, name, disguise):
    code = getattr(world, name).code
    if disguise == "token of another":
        code = code.replace(getattr(world, name).document.token, world.first.document.token)
    if disguise == "mark alone":
        code = code.partition("#")[2]
    failed = "mark" if disguise == "token of another" else "status"
    report = need_refused(code.encode(), world.evidence(), step(failed))
    expected = "invalid" if disguise == "token of another" else ENDED[name]
    assert report.verdict == expected


def _mark_key(**more: str):
    marks = (forge.trusted_key(FIRST.mark, "RD", **more), *TRUST.marks[1:])
    return replace(TRUST, marks=marks)


TIMES = {
    "signed before its key": _mark_key(valid_from="2026-03-04T00:00:00Z"),
    "signed after its key": _mark_key(valid_to="2026-03-02T00:00:00Z"),
    "signed when its key was known": _mark_key(compromised_at="2026-03-03T00:00:00Z"),
    "dated back before the key was given up": _mark_key(compromised_at="2026-03-05T00:00:00Z"),
    "no key": replace(TRUST, marks=()),
    "key of another laboratory alone": replace(TRUST, marks=TRUST.marks[1:]),
}


@pytest.mark.parametrize("name", TIMES)
def test_a_code_out_of_the_life_of_its_key_is_told(world, name):
    report = need_refused(world.first.code.encode(), world.evidence(trust=TIMES[name]))
    assert report.step("mark").state != "established"
    with pytest.raises(standalone.Wrong):
        standalone.check_mark(json.loads(TIMES[name].canonical()), world.first.code, NOW)


def test_a_code_says_whose_it_is(world):
    """The other laboratory signs what it likes: its own name stands beside it."""
    mark = replace(mark_of(world.first.document, ORIGIN, 3), number="RD2026-000999")
    code = f"{parts(world)[0]}#{forge.signed_mark(mark, SECOND.mark).decode()}"
    report = examine(code.encode(), world.evidence())
    assert "Signed by laboratory LK" in report.step("mark").text()


def test_a_code_past_its_legal_validity_is_told(world):
    code = said(until="2026-03-09")(world)
    report = need_refused(code.encode(), world.evidence(), step("validity"))
    assert report.verdict == "expired"
    evidence = world.evidence(now=NOW - timedelta(days=3))
    assert examine(code.encode(), evidence).verdict != "valid"  # no list was there yet


def test_a_mark_has_one_form(world):
    """No second text for the same mark: what was read is what is signed."""
    found = read_fragment(parts(world)[1]).mark
    assert isinstance(found, Mark)
    assert found.entry == entry_of(world.first.document.token)
    assert re.fullmatch(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", parts(world)[1])
