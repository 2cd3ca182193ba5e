"""An installation in memory, with two laboratories: what it issues is genuine, what it forges not.

It issues with the parts the program issues with, and no database: an attacker with some of the
keys holds the same tools.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from calib.certificates.dcc_writing import write_dcc
from calib.certificates.document import CertificateDocument, LabWords, Provenance, SealWords
from calib.certificates.pdf import MARK, fonts_digest, render, template_digest
from calib.certificates.pdf_seal import seal_pdf
from calib.certificates.seal_chain import (
    fingerprint,
    make_alone,
    make_root,
    make_seal_certificate,
    pem_of,
)
from calib.certificates.xml_seal import seal_xml
from calib.evaluation.inputs import CalibrationInput
from calib.ledger.chain import leaf_of
from calib.ledger.checkpoints import Checkpoint, InclusionProof
from calib.ledger.marks import Mark, fragment_of
from calib.ledger.merkle import inclusion_proof, leaf_hash, nodes_of, root
from calib.ledger.notes import COSIGNATURE, Note
from calib.ledger.statuses import Entry, StatusList, entry_of
from calib.ledger.trust import TrustBundle, TrustedKey
from calib.verifier.evidence import Evidence
from calib.verifier.marks import mark_of
from instruments.canonical import canonical_json
from instruments.text import LocalizedText
from tests.ledger.keys import Key
from tests.support import inputs
from tests.support.documents import LAB, a_document
from tests.support.seals import ENDS, STARTS, Seal, signing

HOST = "calib.example.org"
ORIGIN = f"{HOST}/log"
NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
DAY = timedelta(days=1)
LOG, STATUS = Key(ORIGIN), Key(f"{ORIGIN}/status")
WITNESS = Key("witness.example", COSIGNATURE)


def a_key(name: str) -> ec.EllipticCurvePrivateKey:
    """Return a P-256 key that is always the same for the name."""
    return ec.derive_private_key(
        int.from_bytes(hashlib.sha256(name.encode()).digest()[:31], "big"), ec.SECP256R1()
    )


def a_root(name: str = f"{HOST} root 1") -> Seal:
    """Return a root of that name, by a key of its own."""
    key = a_key(name)
    made = make_root(name, key.public_key(), STARTS - DAY, ENDS + 7000 * DAY, signing(key))
    return Seal(key, (made,))


def a_seal_under(above: Seal, code: str, organisation: str, seed: str, **more: datetime) -> Seal:
    """Return the seal of a laboratory under a root."""
    key = a_key(seed)
    starts, ends = more.get("starts", STARTS), more.get("ends", ENDS)
    own = make_seal_certificate(
        f"{code} seal 1", organisation, code, key.public_key(), above.root, starts, ends, above.sign
    )
    return Seal(key, (own, above.root))


def a_seal_alone(code: str, seed: str) -> Seal:
    """Return a seal under no root, as previews bear."""
    key = a_key(seed)
    own = make_alone(f"{code} preview", key.public_key(), STARTS, ENDS, signing(key))
    return Seal(key, (own,))


@dataclass(frozen=True)
class Lab:
    """A laboratory with its keys."""

    code: str
    words: LabWords
    seal: Seal
    mark: Key


ROOT = a_root()


def a_lab(code: str, name: LocalizedText, above: Seal = ROOT) -> Lab:
    """Return a laboratory with keys of its own."""
    words = replace(LAB, name=name, accreditation="")
    seal = a_seal_under(above, code, name.en, f"{code} seal of {name.en}")
    return Lab(code, words, seal, Key(f"{HOST}/labs/{code}/mark"))


FIRST = a_lab("RD", LAB.name)
SECOND = a_lab("LK", LocalizedText("Lakeside Institute of Metrology", "湖滨市计量测试研究院"))


def trusted_key(key: Key | x509.Certificate, lab: str = "", **more: str) -> TrustedKey:
    """Return a key as it is pinned."""
    given = {"valid_from": "2026-01-01T00:00:00Z", "valid_to": "2029-01-01T00:00:00Z", **more}
    name = str(key.note_key) if isinstance(key, Key) else fingerprint(key)
    return TrustedKey(name, lab, **given)


TRUST = TrustBundle(
    host=HOST,
    origin=ORIGIN,
    policy=f"log {LOG.note_key}\nwitness w {WITNESS.note_key}\nquorum w\n",
    labs={one.code: (one.words.name,) for one in (FIRST, SECOND)},
    roots=(pem_of(ROOT.chain),),
    seals=tuple(trusted_key(one.seal.chain[0], one.code) for one in (FIRST, SECOND)),
    marks=tuple(trusted_key(one.mark, one.code) for one in (FIRST, SECOND)),
    statuses=(trusted_key(STATUS),),
)


@dataclass(frozen=True)
class Made:
    """A certificate with the files that belong to it."""

    document: CertificateDocument
    attachments: Mapping[str, bytes]
    pages: bytes = field(repr=False)
    """As rendered, before the seal."""
    pdf: bytes = field(repr=False)

    @property
    def dcc(self) -> bytes:
        """Return the sealed XML."""
        return self.attachments["dcc.xml"]

    @property
    def code(self) -> str:
        """Return what the printed code holds."""
        return f"{self.document.address}#{self.attachments[MARK].decode()}"


def a_record(**changes: Any) -> CalibrationInput:
    """Return the readings of a thermometer with probe."""
    return inputs.digital(**changes)


def a_certificate(number: str, lab: Lab = FIRST, **changes: Any) -> CertificateDocument:
    """Return the document of a laboratory, as it is when its number is reserved."""
    token = base64.urlsafe_b64encode(hashlib.sha256(number.encode()).digest()[:16]).decode()[:22]
    certificate = lab.seal.chain[0]
    given = {
        "number": number,
        "token": token,
        "address": f"https://{HOST}/c/{token}",
        "lab": lab.words,
        "seal": "sealed",
        "seal_key": SealWords(f"{lab.code} seal 1", fingerprint(certificate)),
        "provenance": Provenance("calib 0.1.0", template_digest(), fonts_digest()),
        "include_budget": True,
        **changes,
    }
    record = given.pop("record", None) or a_record()
    return a_document(record, **given)


def signed_mark(mark: Mark, key: Key) -> bytes:
    """Return what stands behind the # of a code."""
    return fragment_of(mark, key.line(mark.text())).encode()


def made(
    document: CertificateDocument,
    lab: Lab = FIRST,
    *,
    record: CalibrationInput | None = None,
    xml: Callable[[bytes], bytes] | None = None,
    attach: Mapping[str, bytes | None] | None = None,
) -> Made:
    """Seal, render and seal the document with the keys of a laboratory.

    `xml` changes the DCC before its seal; `attach` replaces attachments, None leaves one out.
    """
    at = datetime.fromisoformat(document.issued_at)
    data = write_dcc(document)
    data = xml(data) if xml else data
    if document.seal == "sealed":
        data = seal_xml(data, lab.seal.chain, at, lab.seal.sign)
    attachments: dict[str, bytes | None] = {
        "input.json": (record or a_record()).canonical(),
        "dcc.xml": data,
        MARK: signed_mark(mark_of(document, ORIGIN, 3), lab.mark),
        **(attach or {}),
    }
    kept = {name: one for name, one in attachments.items() if one is not None}
    pages = render(document, kept)
    pdf = pages
    if document.seal == "sealed":
        pdf = seal_pdf(pages, lab.seal.chain, at, lab.seal.sign)
    return Made(document, kept, pages, pdf)


def subject_of(one: Made, code: str, **changes: Any) -> dict[str, Any]:
    """Return what the log commits to."""
    files = {"pdf": one.pdf, "dcc": one.dcc, "input": one.attachments["input.json"]}
    return {
        "lab": code,
        "number": one.document.number,
        "payload": one.document.digest(),
        "files": {role: hashlib.sha256(content).hexdigest() for role, content in files.items()},
        "status": "issued",
        "predecessor": None,
        "entry": entry_of(one.document.token),
        **changes,
    }


@dataclass
class Book:
    """A log: lines, and proofs of them."""

    origin: str = ORIGIN
    keys: tuple[Key, ...] = (LOG, WITNESS)
    lines: list[bytes] = field(default_factory=lambda: [b"a line before"] * 4)

    def note(self, subject: Mapping[str, Any], salt: str = "11" * 16) -> int:
        """Write a line, and return its place."""
        self.lines.append(leaf_of(subject["status"], salt, subject).encode())
        return len(self.lines) - 1

    def head(self, size: int | None = None) -> tuple[Checkpoint, Any]:
        """Return a head of the log with its nodes."""
        leaves = [leaf_hash(line) for line in self.lines[:size]]
        nodes = nodes_of(leaves)
        return Checkpoint(self.origin, len(leaves), root(len(leaves), nodes)), nodes

    def proof(
        self,
        place: int,
        subject: Mapping[str, Any],
        *,
        salt: str = "11" * 16,
        keys: tuple[Key, ...] | None = None,
        seconds: int = int(NOW.timestamp()) - 3600,
    ) -> InclusionProof:
        """Return the proof of a line."""
        head, nodes = self.head()
        signed = Note(
            head.text(), tuple(key.line(head.text(), seconds) for key in keys or self.keys)
        )
        extra = canonical_json({"salt": salt, "subject": subject})
        return InclusionProof(place, inclusion_proof(place, head.size, nodes), signed, head, extra)


def listed(  # a status list of this installation, or of another
    entries: Mapping[str, str] | None = None,
    *,
    key: Key = STATUS,
    origin: str = ORIGIN,
    issued_at: datetime = NOW - timedelta(hours=1),
    lasts: timedelta = DAY,
    size: int = 9,
) -> bytes:
    """Return a signed status list; `entries` are tokens with what became of them."""
    ended = {
        entry_of(token): Entry(state, issued_at.date())  # type: ignore[arg-type]
        for token, state in (entries or {}).items()
    }
    text = StatusList(origin, issued_at, issued_at + lasts, size, ended).text()
    return str(Note(text, (key.line(text),))).encode()


@dataclass
class World:
    """What was issued, and what a well-equipped verifier holds."""

    book: Book
    first: Made
    second: Made
    foreign: Made
    """Of the second laboratory."""
    withdrawn: Made
    superseded: Made
    places: Mapping[str, int]

    @property
    def status(self) -> bytes:
        """Return the newest list."""
        return listed(
            {
                self.withdrawn.document.token: "withdrawn",
                self.superseded.document.token: "superseded",
            }
        )

    def subject(self, one: Made, **changes: Any) -> dict[str, Any]:
        """Return what the log says of a certificate."""
        code = SECOND.code if one is self.foreign else FIRST.code
        return subject_of(one, code, **changes)

    def proof(self, one: Made, **more: Any) -> InclusionProof:
        """Return the proof of a certificate."""
        return self.book.proof(self.places[one.document.number], self.subject(one), **more)

    def evidence(self, one: Made | None = None, **changes: Any) -> Evidence:
        """Return all there is."""
        proof = self.proof(one).text().encode() if one else None
        return replace(Evidence(NOW, TRUST, proof, self.status), **changes)


def a_world() -> World:
    """Return five genuine certificates in one log."""
    book = Book()
    numbers = ("RD2026-000101", "RD2026-000102", "LK2026-000101", "RD2026-000103", "RD2026-000104")
    labs = (FIRST, FIRST, SECOND, FIRST, FIRST)
    all_made = [
        made(a_certificate(number, lab), lab) for number, lab in zip(numbers, labs, strict=True)
    ]
    places = {
        one.document.number: book.note(subject_of(one, lab.code))
        for one, lab in zip(all_made, labs, strict=True)
    }
    return World(book, *all_made, places)


def plain(document: CertificateDocument) -> dict[str, Any]:
    """Return a document as JSON that can be changed."""
    found: dict[str, Any] = json.loads(document.canonical())
    return found
