"""What a verifier brings along: whom it trusts, proofs, the status list, and the time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from calib.certificates.document import CertificateDocument
from calib.ledger.chain import leaf_of, said_by
from calib.ledger.checkpoints import InclusionProof, read_proof
from calib.ledger.merkle import includes, leaf_hash
from calib.ledger.notes import cosigners, read_note, signers
from calib.ledger.statuses import StatusList, entry_of, read_status
from calib.ledger.trust import TrustBundle
from calib.verifier.report import (
    Report,
    Step,
    contradicted,
    established,
    not_established,
    refused,
    report_of,
    simulated_step,
)
from instruments.errors import DomainError, Refused

AHEAD = timedelta(days=1)
"""How far a witness's clock may be ahead; what it says to have seen later than that counts not."""


STRANGE_HEAD: Final = (
    "The head of the log {origin} is not signed by a key you trust. Whoever made it is not the "
    "installation you pinned."
)
NOTHING_PINNED: Final = (
    "Nothing is pinned: get the trust bundle of the laboratory by a way other than the "
    "certificate, and name it."
)
NO_SIGNER: Final = "Nothing is pinned that could have signed the code."
NOBODY: Final = (NOTHING_PINNED, NO_SIGNER)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything beside the certificate itself."""

    now: datetime
    trust: TrustBundle | None = None
    proof: bytes | None = None
    """Its tlog-proof."""
    status: bytes | None = None
    """The newest signed status list."""


def log_steps(
    evidence: Evidence,
    digests: Mapping[str, str],
    number: str | None,
    document: CertificateDocument | None = None,
    issuer: str = "",
) -> list[Step]:
    """Answer whether exactly these files stand in the log as issued, and who saw it.

    `digests` are SHA-256 of files in hand by their role; `number` and `issuer` what they say of
    themselves, where that is known.
    """
    if evidence.proof is None:
        return [
            not_established(
                "log",
                "There is no proof beside the file. Ask the laboratory for {number}.tlog-proof, or "
                "load it from the address on the certificate.",
                number=number or "<number>",
            )
        ]
    if evidence.trust is None:
        return [_nobody("log")]
    try:
        proof = read_proof(evidence.proof)
        salt, subject = said_by(proof.extra)
        leaf = leaf_hash(leaf_of(subject["status"], salt, subject).encode())
        _need_same(subject, digests, number, document)
        _need_lab(subject, document, issuer, evidence.trust)
        steps = _proved(proof, leaf, evidence.trust, evidence.now)
        if steps[0].state == "established" and subject.get("simulated") is True:
            steps.append(simulated_step())
        return steps
    except DomainError as problem:
        return [refused("log", problem)]


def with_log(report: Report, content: bytes, evidence: Evidence) -> Report:
    """Return a report on a PDF with the steps about the log as they are with this proof."""
    others = [step for step in report.steps if step.id not in ("log", "witnesses")]
    number = report.says.get("number", "")
    logged = log_steps(evidence, {"pdf": sha256(content)}, number)
    return report_of([*others, *logged], report.says)


def _need_same(
    subject: Mapping[str, Any],
    digests: Mapping[str, str],
    number: str | None,
    document: CertificateDocument | None,
) -> None:
    """Refuse a proof of another certificate, another file or another event."""
    files = subject.get("files")
    files = files if isinstance(files, dict) else {}
    pairs = [("status", subject.get("status"), "issued")]
    if number is not None:
        pairs.append(("number", subject.get("number"), number))
    pairs += [(role, files.get(role), digest) for role, digest in digests.items()]
    if document is not None:
        pairs.append(("payload", subject.get("payload"), document.digest()))
        pairs.append(("entry", subject.get("entry"), entry_of(document.token)))
    for part, logged, in_hand in pairs:
        if logged != in_hand:
            raise Refused(
                "proof-of-another",
                "The proof is not of this file: its {part} in the log is {logged}, in hand is "
                "{in_hand}. Either the file was changed, or the proof belongs to another one.",
                facts={"part": part, "logged": str(logged)[:80], "in_hand": in_hand},
            )


def _need_lab(
    subject: Mapping[str, Any],
    document: CertificateDocument | None,
    issuer: str,
    trust: TrustBundle,
) -> None:
    """Refuse a line written in the name of another laboratory than the certificate names."""
    code = str(subject.get("lab", ""))
    names = trust.labs.get(code, ())
    is_other = document is not None and document.lab.name not in names
    if issuer and all(issuer not in (name.en, name.zh) for name in names):
        is_other = True
    if not names or is_other:
        raise Refused(
            "proof-of-another-lab",
            "The line of the log was written in the name of laboratory {code}, which is not the "
            "one the certificate names, or none you pinned.",
            facts={"code": code[:40]},
        )


def _proved(proof: InclusionProof, leaf: bytes, trust: TrustBundle, now: datetime) -> list[Step]:
    policy, head = trust.read_policy(), proof.checkpoint
    by = signers(proof.note, policy.logs)
    if head.origin != trust.origin or not any(one.name == head.origin for one in by):
        return [contradicted("log", STRANGE_HEAD, origin=head.origin)]
    if not includes(leaf, proof.place, head.size, proof.path, head.root):
        message = (
            "Line {place} of the log is not this certificate: the path does not lead to its root."
        )
        return [contradicted("log", message, place=proof.place)]
    found = established(
        "log",
        "Exactly these bytes stand in the log {origin} as line {place} of {size}.",
        origin=head.origin,
        place=proof.place,
        size=head.size,
    )
    return [found, _witnessed(proof, trust, now)]


def _witnessed(proof: InclusionProof, trust: TrustBundle, now: datetime) -> Step:
    policy = trust.read_policy()
    latest = (now + AHEAD).timestamp()
    seen = [
        one for one in cosigners(proof.note, policy.witnesses.values()) if one.seconds <= latest
    ]
    names = ", ".join(one.note_key.name for one in seen)
    if not policy.is_met_by([one.note_key for one in seen]):
        message = (
            "Your policy asks for witnesses, and too few of them cosigned: {names}. Fetch a newer "
            "proof."
        )
        return contradicted("witnesses", message, names=names or "none")
    if not seen:
        message = (
            "No witness is asked for: that the log shows everybody the same is not established."
        )
        return not_established("witnesses", message)
    first = datetime.fromtimestamp(min(one.seconds for one in seen), UTC)
    return established("witnesses", "Cosigned by {names}.", names=names, seen_at=first.isoformat())


def entry_in(proof: bytes | None) -> str | None:
    """Return the name that the status list has for the certificate of a proof; None without one."""
    try:
        entry = said_by(read_proof(proof or b"").extra)[1].get("entry")
    except DomainError:
        return None
    return entry if isinstance(entry, str) else None


def status_by_log(evidence: Evidence, logged: Sequence[Step]) -> Step:
    """Answer whether a file stands of which only its line in the log says under which name."""
    entry = entry_in(evidence.proof)
    if logged[0].state == "established" and entry is not None:
        return standing_step(evidence, entry)
    message = "Under which name its status is kept is known from a proof that stands."
    return not_established("status", message)


def status_step(evidence: Evidence, token: str) -> Step:
    """Answer whether the certificate still stands; a list past its time says nothing."""
    return standing_step(evidence, entry_of(token))


def standing_step(evidence: Evidence, entry: str) -> Step:
    """Answer as `status_step` does, by the name that the list has for the certificate."""
    if evidence.trust is None:
        return _nobody("status")
    if evidence.status is None:
        return not_established(
            "status",
            "There is no status list. Fetch /status/list of {host}, or ask the laboratory.",
            host=evidence.trust.host,
        )
    try:
        note = read_note(evidence.status)
        listed = read_status(note)
        known = evidence.trust.status_keys(listed.issued_at, evidence.now)
        if not signers(note, known) or listed.origin != evidence.trust.origin:
            message = (
                "The status list of {origin} is not signed by a key you trust. Fetch it again."
            )
            return not_established("status", message, origin=listed.origin)
    except DomainError as problem:
        return not_established("status", problem.message, **problem.facts)
    return _standing(listed, evidence.now, entry)


def newest_list(lists: Sequence[bytes], trust: TrustBundle | None, now: datetime) -> bytes | None:
    """Return the status list that counts: of those a trusted key signed the one issued last.

    None of them is such: the first, so that it is told what is wrong with it.
    """
    found = [(listed, one) for one in lists if (listed := _believed(one, trust, now)) is not None]
    if not found:
        return lists[0] if lists else None
    # two of one second: the one that takes more of the log into account
    return max(found, key=lambda pair: (pair[0].issued_at, pair[0].size))[1]


def _believed(content: bytes, trust: TrustBundle | None, now: datetime) -> StatusList | None:
    if trust is None:
        return None
    try:
        note = read_note(content)
        listed = read_status(note)
        known = trust.status_keys(listed.issued_at, now)
        is_signed = signers(note, known) and listed.origin == trust.origin
    except DomainError:
        return None
    return listed if is_signed else None


def _standing(listed: StatusList, now: datetime, entry: str) -> Step:
    ended = listed.entries.get(entry)
    if ended is not None:
        message = "The laboratory says: {state} since {on}."
        return contradicted("status", message, state=ended.state, on=ended.on.isoformat())
    until = listed.ends_at.isoformat()
    if not listed.is_current(now):
        message = (
            "The status list was good until {until}; what happened since is not known. Fetch it "
            "again."
        )
        return not_established("status", message, until=until)
    return established("status", "It stands, by the list that is good until {until}.", until=until)


def _nobody(id_: str) -> Step:
    return not_established(id_, NOTHING_PINNED)


def sha256(content: bytes) -> str:
    """Return the digest by which files are named."""
    return hashlib.sha256(content).hexdigest()
