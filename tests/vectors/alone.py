"""Bundles whose content can be read: a DCC that comes alone, and files that are no certificate.

Here the inside counts: a verifier that opens files says the same as one that knows bytes alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.support import dcc_files
from tests.vectors.parts import (
    SUBJECT,
    TOKEN,
    TRUST,
    Logged,
    Vector,
    listed,
    sha256,
)

DCC = (
    dcc_files.document()
    .replace(b"N-1", SUBJECT["number"].encode())
    .replace(b"Institute", b"First")
    .replace(b"<dcc:model>P", b"<dcc:model>P\xe2\x84\x83")
)
PICTURE = b"\xff\xd8\xff\xe0\0\x10JFIF\0 a photo of a paper \xff\xd9"
SCAN = b"%PDF-1.4\n1 0 obj<</Type/XObject/Filter/DCTDecode/Length 2>>stream\n\xff\xd8\nendstream\n"
OF_THE_DCC = Logged({**SUBJECT, "files": {"dcc": sha256(DCC)}})


def alone() -> Iterator[Vector]:
    """Yield every bundle of which the inside is looked at, too."""
    yield _dcc("dcc-alone", "valid", "log", "established")
    for state in ("withdrawn", "superseded"):
        status = listed({TOKEN: state})
        yield _dcc(f"dcc-alone-{state}", state, "status", "contradicted", status=status)
    unsure = ("cannot_tell", "status", "not_established")
    yield _dcc("dcc-alone-without-status", *unsure, status=None)
    yield _dcc("dcc-alone-with-a-list-of-another-log", *unsure, status=listed(origin="x/log"))
    yield _dcc("dcc-alone-without-proof", *unsure, proof=None)
    yield _dcc("dcc-alone-without-trust", *unsure, trust=None)
    one_digit = DCC.replace(b"0.10", b"0.01", 1)
    yield _dcc(
        "dcc-alone-with-a-digit-changed", "invalid", "log", "contradicted", content=one_digit
    )
    other = Logged(SUBJECT).content()
    yield _dcc("dcc-alone-of-another-line", "invalid", "log", "contradicted", proof=other)
    nothing = ("cannot_tell", "status", "not_established")
    for name, content in {
        "picture": PICTURE,
        "scan-of-the-paper": SCAN,
        "web-page": b"<!doctype html><p>Certificate 1</p>",
        "xml-of-another-kind": b"<invoice><number>1</number></invoice>",
    }.items():
        kind = "pdf" if content.startswith(b"%PDF") else "xml"
        given = {"kind": kind, "content": content}
        yield _dcc(f"no-certificate-{name}", *nothing, proof=None, **given)
        yield _dcc(f"no-certificate-{name}-with-a-proof", "invalid", "log", "contradicted", **given)
    for name, content in {
        "letter": b"Dear customer, here is your certificate.\n",
        "nothing": b"",
        "number-alone": b"RD2026-000101",
    }.items():
        given = {"kind": "code", "content": content, "proof": None}
        yield _dcc(f"no-certificate-{name}", "cannot_tell", "file", "not_established", **given)


def _dcc(name: str, verdict: str, step: str, state: str, **more: Any) -> Vector:
    given = {
        "kind": "xml",
        "content": DCC,
        "trust": TRUST.canonical(),
        "proof": OF_THE_DCC.content(),
        "status": listed(),
    }
    return Vector(name, verdict=verdict, step=step, state=state, **(given | more))
