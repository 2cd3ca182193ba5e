"""Certificates that strangers send, examined with what this installation vouches for and publishes.

What is sent is read, answered and forgotten: nothing of it is stored or logged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fastapi import Request, UploadFile

from api.bootstrap import Wiring, trust_of
from api.deps import origin_of
from calib.services import public
from calib.services.log import proof_of
from calib.services.statuses import LIST
from calib.verifier.bounds import form_of
from instruments.errors import DomainError, Invalid, NotFound
from instruments.tenancy import InstallationSession, installation_session

if TYPE_CHECKING:
    from calib.ledger.trust import TrustBundle
    from calib.verifier.evidence import Evidence
    from calib.verifier.report import Report

PROOF, STATUS = b"c2sp.org/tlog-proof@", b"calib-status/"
MOST_FILES = 6
Found = tuple[int, str]
"""Id and number of a certificate."""


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

    What is missing is taken from this installation: its bundle and its log. Its own status list
    counts whatever was sent, unless a newer one came.

    Raises Invalid when there is nothing to examine, or too much.
    """
    from calib.verifier.evidence import Evidence, newest_list

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
    now, trust, own = wired.clock(), _own_trust(wired), wired.publisher.status_files.read(LIST)
    given = Evidence(
        now=now,
        trust=trust,
        proof=proofs[0] if len(proofs) == 1 else None,
        status=newest_list([own, *lists] if own is not None else lists, trust, now),
    )
    return tuple(Examined(name, _report(content, given, wired)) for name, content in subjects)


def _report(content: bytes, given: Evidence, wired: Wiring) -> Report:
    from calib.verifier.apart import examine_apart
    from calib.verifier.evidence import with_log

    if given.proof is not None:
        return examine_apart(content, given)
    digest = hashlib.sha256(content).hexdigest()
    brought = _with_proof(given, lambda session: public.issued_by_digest(session, digest), wired)
    report = examine_apart(content, brought)
    token = report.says.get("token", "")
    if brought.proof is not None or not token or form_of(content) != "pdf":
        return report
    # changed since it was issued: the proof of what it says it is shows that
    brought = _with_proof(given, lambda session: public.issued_of(session, token), wired)
    return with_log(report, content, brought) if brought.proof is not None else report


def _own_trust(wired: Wiring) -> TrustBundle | None:
    """Return what this installation vouches for; None before it has keys."""
    try:
        return trust_of(wired)
    except NotFound:
        return None


def _with_proof(
    evidence: Evidence, find: Callable[[InstallationSession], Found | None], wired: Wiring
) -> Evidence:
    """Add the proof of a certificate, where this log holds it."""
    with installation_session(wired.engine, read_only=True) as session:
        found = find(session)
        log = wired.publisher.log(wired.clock()) if found else None
        if found is None or log is None:
            return evidence
        try:
            proof = proof_of(log, session, found[0], "issued").text().encode()
        except DomainError:
            return evidence  # issued a moment ago, not in the log yet: the report says so
    return replace(evidence, proof=proof)
