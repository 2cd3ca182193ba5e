"""What vectors are made of: keys from fixed seeds, a small log, a status list, a code.

Every part may be made wrong in one respect; what is signed is signed as it stands, so that a
vector fails for its defect and for nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from calib.ledger.chain import leaf_of
from calib.ledger.checkpoints import Checkpoint, InclusionProof
from calib.ledger.marks import Mark, fragment_of
from calib.ledger.merkle import inclusion_proof, leaf_hash, nodes_of, root
from calib.ledger.notes import COSIGNATURE, Note
from calib.ledger.statuses import Entry, StatusList, entry_of
from calib.ledger.trust import TrustBundle, TrustedKey
from instruments.canonical import canonical_json
from instruments.text import LocalizedText
from tests.ledger.keys import Key

AT = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
SEEN = int(AT.timestamp()) - 3600
HOST = "lab.example"
ORIGIN = f"{HOST}/log"
TOKEN = "k3J9vT0bQ2mZxW7n"
LOG, STATUS, MARK = Key(ORIGIN), Key(f"{ORIGIN}/status"), Key(f"{HOST}/labs/L1/mark")
STRANGER, FOREIGN_MARK = Key(ORIGIN, seed="another"), Key("other.example/labs/L1/mark")
WITNESSES = tuple(Key(f"witness-{n}.example", COSIGNATURE) for n in range(4))
PDF = b"%PDF-1.7\n% the bytes of a certificate \xe4\xb8\xad\xe6\x96\x87\n%%EOF\n"
XML = b'<?xml version="1.0" encoding="UTF-8"?>\n<dcc:digitalCalibrationCertificate/>\n'
Kind = Literal["pdf", "xml", "code"]


def sha256(content: bytes) -> str:
    """Return the digest by which files are named."""
    return hashlib.sha256(content).hexdigest()


SUBJECT: Mapping[str, Any] = {
    "lab": "L1",
    "number": "校字 2026-000123",
    "payload": "ab" * 32,
    "files": {"pdf": sha256(PDF), "dcc": sha256(XML)},
    "status": "issued",
    "predecessor": None,
    "entry": entry_of(TOKEN),
}


def policy(*lines: str, quorum: str = "none", logs: Sequence[Key] = (LOG,)) -> str:
    """Return a tlog-policy."""
    own = [f"log {one.note_key}" for one in logs]
    return "".join(f"{line}\n" for line in (*own, *lines, f"quorum {quorum}"))


def asking(needed: str, count: int) -> str:
    """Return a policy that asks for some of the first witnesses."""
    lines = [f"witness w{n} {WITNESSES[n].note_key}" for n in range(count)]
    members = " ".join(f"w{n}" for n in range(count))
    return policy(*lines, f"group all-of-them {needed} {members}", quorum="all-of-them")


TRUST = TrustBundle(
    host=HOST,
    origin=ORIGIN,
    policy=policy(),
    labs={"L1": (LocalizedText(en="First", zh="一"),)},
    marks=(TrustedKey(str(MARK.note_key), "L1"),),
    statuses=(TrustedKey(str(STATUS.note_key)),),
    made_at="2026-03-01T00:00:00Z",
)


@dataclass(frozen=True)
class Vector:
    """One bundle, and what a verifier must say of it."""

    name: str
    kind: Kind
    content: bytes
    verdict: str
    step: str
    """The step that decides; of a vector that passes, the one that shows whose it is."""
    state: str
    trust: bytes | None = None
    proof: bytes | None = None
    status: bytes | None = None
    at: datetime = AT

    def expected(self) -> dict[str, str]:
        """Return what stands in expected.json."""
        at = self.at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"at": at, "verdict": self.verdict, "step": self.step, "state": self.state}

    def files(self) -> dict[str, bytes]:
        """Return the files of the bundle but for what is expected."""
        name = {"pdf": "certificate.pdf", "xml": "certificate.xml", "code": "code.txt"}[self.kind]
        found = {
            name: self.content,
            "trust.json": self.trust,
            "certificate.tlog-proof": self.proof,
            "status.txt": self.status,
        }
        return {file: content for file, content in found.items() if content is not None}


def signed(text: str, *keys: Key, at: int = SEEN) -> bytes:
    """Return a text as a note, signed as it stands."""
    return str(Note(text, tuple(key.line(text, at) for key in keys))).encode()


@dataclass(frozen=True)
class Logged:
    """A line in a log, and the proof of it."""

    subject: Mapping[str, Any] = field(default_factory=lambda: SUBJECT)
    place: int = 5
    size: int = 9
    keys: Sequence[Key] = (LOG,)
    salt: str = "1f" * 16
    origin: str = ORIGIN
    logged: Mapping[str, Any] | None = None
    """What stands in the log at the place, if not the subject."""
    event: str = ""
    """Type of the line there, if not that of the subject."""
    head: Callable[[str], str] = str
    """What becomes of the head before it is signed."""
    after: Callable[[str], str] = str
    """What becomes of the whole proof at last."""
    at: int = SEEN

    def path(self) -> InclusionProof:
        """Return the proof with an unsigned head."""
        leaves = [leaf_hash(f"line {n} of another".encode()) for n in range(self.size)]
        event = self.event or str(self.subject.get("status", "issued"))
        line = leaf_of(event, self.salt.lower(), self.logged or self.subject)
        leaves[self.place] = leaf_hash(line.encode())
        nodes = nodes_of(leaves)
        head = Checkpoint(self.origin, self.size, root(self.size, nodes))
        extra = canonical_json({"salt": self.salt, "subject": self.subject})
        steps = inclusion_proof(self.place, self.size, nodes)
        return InclusionProof(self.place, steps, Note(head.text(), ()), head, extra)

    def content(self) -> bytes:
        """Return the file."""
        proof = self.path()
        note = signed(self.head(proof.checkpoint.text()), *self.keys, at=self.at).decode()
        unsigned = proof.text()
        start = unsigned[: unsigned.index("\n\n") + 2]
        return self.after(start + note).encode()


def listed(
    entries: Mapping[str, str] | None = None,
    *,
    issued: datetime = AT - timedelta(hours=1),
    life: timedelta = timedelta(hours=24),
    keys: Sequence[Key] = (STATUS,),
    origin: str = ORIGIN,
    text: Callable[[str], str] = str,
) -> bytes:
    """Return a status list with the state of certificates by their token."""
    named = {entry_of(token): Entry(one, AT.date()) for token, one in (entries or {}).items()}  # type: ignore[arg-type]
    whole = StatusList(origin, issued, issued + life, 9, named)
    return signed(text(whole.text()), *keys)


THE_MARK = Mark(
    origin=ORIGIN,
    number="校字 2026-000123",
    kind="calibration_certificate",
    issued_on="2026-03-02",
    until="-",
    verdict="pass",
    item="SN-77120",
    place=4,
    payload=bytes.fromhex("ab" * 16),
    entry=entry_of(TOKEN),
)


def coded(
    mark: Mark = THE_MARK,
    *,
    key: Key = MARK,
    address: str = f"https://{HOST}/c/{TOKEN}",
    text: Callable[[str], str] = str,
    after: Callable[[str], str] = str,
) -> bytes:
    """Return what a code says; `text` changes it before it is signed, `after` at last."""
    whole = mark.text()
    line = key.line(text(whole))
    fragment = fragment_of(mark, line)
    if text(whole) != whole:
        body = fragment_of(replace(mark), line).partition(".")[0]
        fragment = fragment.replace(body, url64(text(whole).encode()))
    return after(f"{address}#{fragment}" if address else fragment).encode()


def url64(content: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
