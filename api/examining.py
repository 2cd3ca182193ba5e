"""Certificates that strangers send, examined with what this installation vouches for and publishes.

What is sent is read, answered and forgotten: nothing of it is stored or logged.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fastapi import Request, UploadFile

from api.bootstrap import Wiring, trust_of
from api.deps import origin_of
from calib.services import public
from calib.services.log import proof_of
from calib.services.statuses import LIST
from instruments.errors import DomainError, Invalid, NotFound
from instruments.tenancy import InstallationSession, installation_session

if TYPE_CHECKING:
    from calib.ledger.trust import TrustBundle
    from calib.verifier.evidence import Evidence
    from calib.verifier.report import Report

PROOF, STATUS = b"c2sp.org/tlog-proof@", b"calib-status/"
MOST_FILES = 6


@dataclass(frozen=True, slots=True)
class Examined:
    """One certificate or code, and what was found."""

    name: str
    report: Report


def examined(
    request: Request, wired: Wiring, files: list[UploadFile], code: str
) -> tuple[Examined, ...]:
    """Examine files and the text of a code, as often and as many as one address may ask for."""
    sent = [(one.filename or "", one.file.read()) for one in files if one.filename]
    if code.strip():
        sent.append(("", code.strip().encode()))
    with request.app.state.turnstile.through(origin_of(request), wired.clock()):
        return examine_sent(sent, wired)


def examine_sent(sent: Sequence[tuple[str, bytes]], wired: Wiring) -> tuple[Examined, ...]:
    """Examine the certificates and codes among named contents; proofs and lists are used for them.

    What is missing is taken from this installation: its bundle, its log, its status list.

    Raises Invalid when there is nothing to examine, or too much.
    """
    from calib.verifier.evidence import Evidence
    from calib.verifier.examine import examine

    proofs = [content for _, content in sent if content.startswith(PROOF)]
    lists = [content for _, content in sent if content.startswith(STATUS)]
    subjects = [(name, content) for name, content in sent if content not in (*proofs, *lists)]
    if not subjects or len(sent) > MOST_FILES:
        raise Invalid(
            "nothing-to-examine",
            "{count} files came, {subjects} of them a certificate or a code. Choose a PDF, an XML "
            "or the text of a code; a proof and a status list may lie beside it, {most} files at "
            "most.",
            facts={"count": len(sent), "subjects": len(subjects), "most": MOST_FILES},
        )
    own = wired.publisher.status_files.read(LIST)
    with installation_session(wired.engine, read_only=True) as session:
        given = Evidence(
            now=wired.clock(),
            trust=_own_trust(wired),
            proof=proofs[0] if len(proofs) == 1 else None,
            status=lists[0] if lists else own,
        )
        evidence = [_with_proof(given, content, wired, session) for _, content in subjects]
    return tuple(
        Examined(name, examine(content, brought))
        for (name, content), brought in zip(subjects, evidence, strict=True)
    )


def _own_trust(wired: Wiring) -> TrustBundle | None:
    """Return what this installation vouches for; None before it has keys."""
    try:
        return trust_of(wired)
    except NotFound:
        return None


def _with_proof(
    evidence: Evidence, content: bytes, wired: Wiring, session: InstallationSession
) -> Evidence:
    """Add the proof of the certificate that the file is, or says it is, where this log holds it."""
    if evidence.proof is not None:
        return evidence
    digest = hashlib.sha256(content).hexdigest()
    token = _token(content)
    found = public.issued_by_digest(session, digest) or public.issued_of(session, token)
    log = wired.publisher.log(wired.clock()) if found else None
    if found is None or log is None:
        return evidence
    try:
        proof = proof_of(log, session, found[0], "issued").text().encode()
    except DomainError:
        return evidence  # issued a moment ago, not yet in the log: the report says what is missing
    return replace(evidence, proof=proof)


def _token(content: bytes) -> str:
    """Return the token that a PDF says it answers to; it is believed by nobody."""
    import pypdfium2  # type: ignore[import-untyped]

    from calib.certificates.reread import read_file

    if not content.startswith(b"%PDF-"):
        return ""
    try:
        attached = read_file(content).attachments.get("certificate.json", b"")
        token = json.loads(attached)["token"]
    except (DomainError, pypdfium2.PdfiumError, ValueError, KeyError, TypeError, RecursionError):
        return ""  # the examination says what is wrong with it
    return token if isinstance(token, str) else ""
