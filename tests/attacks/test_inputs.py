"""Whatever a stranger sends: a report comes back, soon and in little memory, never an error."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from calib.verifier.evidence import Evidence
from calib.verifier.examine import _results, examine
from calib.verifier.report import NO_CERTIFICATE
from instruments.canonical import canonical_json
from tests.support import bombs
from tests.support.forge import NOW, TRUST
from tests.support.refusals import need_refused

ROOT = Path(__file__).parents[2]
SECONDS, MEGABYTES = 5, 500


@pytest.mark.slow
def test_bombs_are_refused_soon_and_in_little_memory(tmp_path):
    """Each of them, in one process of its own that says what it cost."""
    for name, make in bombs.BOMBS.items():
        (tmp_path / name).write_bytes(make())
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.bombs", str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=300, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    costs = json.loads(done.stdout)
    assert costs.keys() == bombs.BOMBS.keys()
    assert len(costs) >= 30
    refused = ("invalid", "cannot_tell")
    accepted = [name for name, one in costs.items() if one["verdict"] not in refused]
    assert accepted == []
    dear = {
        name: one
        for name, one in costs.items()
        if one["seconds"] > SECONDS or one["megabytes"] > MEGABYTES
    }
    assert dear == {}


MALFORMED = {
    "nothing": b"",
    "one byte": b"%",
    "head of a PDF": b"%PDF-",
    "end of a PDF": b"%PDF-1.7\n%%EOF\n",
    "no letters": bytes(range(256)),
    "half a letter": b"\xe4\xb8",
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(99),
    "archive": b"PK\x03\x04" + bytes(99),
    "JSON": b'{"kind":"certificate"}',
    "XML head": b"<?xml version='1.0'?>",
    "XML of another kind": b"<html><body/></html>",
    "XML cut": b"<a><b",
    "XML with a zero": b"<a>\0</a>",
    "XML of a wrong encoding": b"<?xml version='1.0' encoding='x'?><a/>",
    "address": b"https://calib.example.org/c/x",
    "address with words": b"https://calib.example.org/c/x#y.z",
    "dots": b"." * 99,
    "line ends": b"\n" * 99,
    "text from right to left": "\u202egro.elpmaxe".encode(),
    "object that is none": bombs.pdf({1: b"x"}),
    "catalogue of itself": bombs.pdf({1: b"1 0 R"}),
    "catalogue of numbers": bombs.pdf({1: b"<</Type/Catalog/Pages 7>>"}),
    "no pages": bombs.pdf({1: bombs.CATALOGUE % b"", 2: b"<</Type/Pages/Kids[]/Count 0>>"}),
    "negative pages": bombs.pdf({1: bombs.CATALOGUE % b"", 2: b"<</Type/Pages/Kids[]/Count -9>>"}),
    "page that is none": bombs.pdf({1: bombs.CATALOGUE % b"", **bombs.ONE_PAGE, 3: b"null"}),
    "drawing that breaks off": bombs.drawn(b"BT (a"),
    "drawing of damaged bytes": bombs.drawn(b"x\x9c" + bytes(99), bombs.FLATE),
    "attachment of damaged bytes": bombs.attached(b"x\x9c" + bytes(99), bombs.FLATE),
    "attachment without bytes": bombs.attached(b"", b""),
    "attachment of another name": bombs.attached(b"{}", b"", b"other.json"),
}
TEXTS = (
    b"", b"null", b"[]", b"{}", b"0", b'"x"', b"true", b"NaN", b"1e999", b"-", b"{", b"\xff\xfe",
    b'{"document":null,"kind":"certificate"}', b'{"document":[],"kind":"certificate"}',
    b'{"document":{},"kind":"certificate"}', b'{"kind":"certificate"}', b"[" * 100_000,
    b'{"a":' * 50_000, b"9" * 100_000, b'"\\ud800"', b'{"document":{"kind":{}}}', b"\0",
)  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_certificate_is_said_to_be_none(name):
    report = need_refused(MALFORMED[name], Evidence(NOW, TRUST))
    found = {one.id: one.state for one in report.steps}
    if report.words == NO_CERTIFICATE:
        assert found["file"] == "not_established"
    else:
        assert "contradicted" in (found.get("file"), found.get("seal"))


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_what_is_no_document_is_said_to_be_none(text):
    report = need_refused(bombs.attached(text, b""), Evidence(NOW, TRUST))
    assert report.words == NO_CERTIFICATE or report.step("file").state == "contradicted"


ODD = (
    "", " ", "x", "-1", "1e999", "9" * 400, "\u202e", "\u0000", "2026-13-45", "https://[", "//",
    None, True, -1, 10**30, [], {}, ["x"], {"x": "y"},
)  # fmt: skip


def leaves(plain, path=()):
    """Yield the path of everything in a document."""
    parts = plain.items() if isinstance(plain, dict) else enumerate(plain)
    for key, value in parts:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from leaves(value, (*path, key))


def with_odd(plain, path, value):
    """Return the document as text, with one part replaced."""
    copy = json.loads(json.dumps(plain))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    try:
        return canonical_json(copy)
    except ValueError:  # what has no canonical form is sent all the same
        return json.dumps(copy).encode()


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_odd_values_in_a_document_are_no_error(world, odd):
    """Any part of a document, replaced by what nobody expects there: a report, and not valid."""
    plain = json.loads(world.first.document.canonical())
    draw = random.Random(repr(odd))  # noqa: S311
    paths = [path for path in leaves(plain) if "budget" not in path]
    dates = [("document", name) for name in ("issued_at", "issued_on", "valid_until", "address")]
    for path in (*dates, *draw.sample(paths, 3)):
        content = bombs.attached(with_odd(plain, path, odd), b"")
        report = examine(content, world.evidence(world.first))
        assert report.verdict in ("invalid", "cannot_tell"), path


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_odd_values_in_the_readings_are_no_error(world, odd):
    plain = json.loads(world.first.attachments["input.json"])
    draw = random.Random(repr(odd))  # noqa: S311
    paths = [path for path in leaves(plain) if "definition" not in path]
    for path in draw.sample(paths, 25):
        content = with_odd(plain, path, odd)
        states = {one.id: one.state for one in _results(world.first.document, content)}
        assert states["recomputation"] != "not_established"


def test_odd_proofs_and_lists_are_no_error(world):
    for text in (*TEXTS, *MALFORMED.values(), world.first.pdf, b"\n\n", b"a\n\n\xe2\x80\x94 b c\n"):
        for given in ({"proof": text}, {"status": text}):
            evidence = world.evidence(world.first, **given)
            report = need_refused(world.first.dcc, evidence)
            if "proof" in given:
                assert report.step("log").state == "contradicted"
