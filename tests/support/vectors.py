"""The shared vectors, read as anybody reads them, and what the verifiers of the house say of them.

An answer is the verdict with every step's state; the stand-alone file knows exit codes alone.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from calib.ledger.chain import said_by
from calib.ledger.checkpoints import read_proof
from calib.ledger.trust import TrustBundle, read_trust
from calib.verifier import standalone
from calib.verifier.bounds import form_of
from calib.verifier.evidence import Evidence, log_steps, sha256, status_by_log
from calib.verifier.examine import examine
from calib.verifier.report import EXIT, Report, Step, verdict_of
from instruments.errors import DomainError, Invalid

FOLDER = Path(__file__).parent.parent / "vectors"
CERTIFICATES = ("certificate.pdf", "certificate.xml", "code.txt")
PARTS = (*CERTIFICATES, "certificate.tlog-proof", "status.txt")
"""Files of which a bit may be turned; whoever turns one in what is pinned is trusted anyway."""


@dataclass(frozen=True)
class Read:
    """A vector from the disk."""

    name: str
    files: Mapping[str, bytes]
    expected: Mapping[str, str]

    @property
    def content(self) -> bytes:
        """Return the certificate or the code."""
        return next(self.files[name] for name in CERTIFICATES if name in self.files)

    @property
    def is_code(self) -> bool:
        """Answer whether it is a code."""
        return "code.txt" in self.files

    @property
    def at(self) -> datetime:
        """Return the instant at which it is looked at."""
        return datetime.strptime(self.expected["at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


@dataclass(frozen=True)
class Answer:
    """What a verifier said."""

    verdict: str
    steps: Mapping[str, str]
    messages: Mapping[str, str]


def read_vectors() -> list[Read]:
    """Return all of them in the order of their names."""
    return [_read(path.parent) for path in sorted(FOLDER.glob("*/*/expected.json"))]


def _read(folder: Path) -> Read:
    files = {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "expected.json"}
    expected = json.loads((folder / "expected.json").read_bytes())
    return Read(f"{folder.parent.name}/{folder.name}", files, expected)


def mutations(count: int) -> Iterator[Read]:
    """Yield vectors that pass with one bit turned, or a byte cut, doubled or made a line end."""
    chance = random.Random(20260302)  # noqa: S311 -- the same every time
    good = [one for one in read_vectors() if one.name.startswith("pass/")]
    for number in range(count):
        vector = chance.choice(good)
        part = chance.choice([name for name in PARTS if name in vector.files])
        content = vector.files[part]
        place = chance.randrange(len(content))
        bent = bytes([content[place] ^ 1 << chance.randrange(8)])
        new = chance.choice((bent, bent, bent, b"", content[place : place + 1] * 2, b"\n"))
        changed = content[:place] + new + content[place + 1 :]
        if changed == content:
            continue
        name = f"{vector.name} {part} {number} at {place}"
        yield replace(vector, name=name, files={**vector.files, part: changed})


def by_python(vector: Read) -> Answer:
    """Return what the program says; of a file what its proof alone shows, without opening it."""
    try:
        trust = _trust(vector)
    except DomainError as problem:
        return Answer("cannot_tell", {"trust": "contradicted"}, {"trust": problem.message})
    proof, status = vector.files.get("certificate.tlog-proof"), vector.files.get("status.txt")
    evidence = Evidence(vector.at, trust, proof, status)
    if form_of(vector.content) == "code":
        steps = list(examine(vector.content, evidence).steps)
    else:
        steps = _of_file(vector.content, evidence)
    states = {step.id: step.state for step in steps}
    return Answer(verdict_of(steps), states, {step.id: step.message for step in steps})


def by_opening(vector: Read) -> Report:
    """Return what the program says when it opens the file."""
    proof, status = vector.files.get("certificate.tlog-proof"), vector.files.get("status.txt")
    return examine(vector.content, Evidence(vector.at, _trust(vector), proof, status))


def _trust(vector: Read) -> TrustBundle | None:
    content = vector.files.get("trust.json")
    if content is None:
        return None
    try:
        return read_trust(json.loads(content))
    except ValueError as problem:
        raise Invalid("trust-unreadable", str(problem)) from problem


def _of_file(content: bytes, evidence: Evidence) -> list[Step]:
    role = "pdf" if content.startswith(b"%PDF-") else "dcc"
    steps = log_steps(evidence, {role: sha256(content)}, _number(evidence))
    return [*steps, status_by_log(evidence, steps)]


def _number(evidence: Evidence) -> str:
    try:
        number = said_by(read_proof(evidence.proof or b"").extra)[1].get("number")
    except DomainError:
        return ""
    return number if isinstance(number, str) else ""


def by_standalone(vector: Read, folder: Path) -> int | None:
    """Return the exit code of the stand-alone file; None when there is nothing it could be run on.

    `folder` is where the files are written, as they would lie somewhere.
    """
    if "trust.json" not in vector.files:
        return None
    for name in (*PARTS, "trust.json"):
        (folder / name).unlink(missing_ok=True)
        if name in vector.files:
            (folder / name).write_bytes(vector.files[name])
    given = [str(folder / name) for name in ("trust.json", *CERTIFICATES) if name in vector.files]
    if "status.txt" in vector.files:
        given += ["--status", str(folder / "status.txt")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(standalone, "write_line", lambda *_words: None)
        return standalone.main([*given, "--at", vector.expected["at"]])


def exit_of(answer: Answer) -> tuple[int, ...]:
    """Return the exit codes that agree with an answer."""
    if answer.steps.get("trust") == "contradicted":
        return (1, 2)  # what is pinned is not worth the name: whatever is said, it is not 0
    return (EXIT[answer.verdict],)  # type: ignore[index]
