"""A digital certificate (DCC) that comes alone, without the PDF it belongs to.

Its seal and its line in the log speak of every byte; under which name its status is kept is known
from that line. Only the element that a seal covers is read where there is one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from calib.certificates.dcc_parsing import parse
from calib.certificates.xml_seal import SealedXML, open_xml
from calib.verifier.evidence import Evidence, log_steps, sha256, status_by_log
from calib.verifier.foreign import of_no_certificate
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
from calib.verifier.seals import held, of_issuer, roots_of, seen_in
from instruments.errors import DomainError, Invalid

if TYPE_CHECKING:
    from calib.certificates.dcc_reading import DCCReading
    from calib.ledger.trust import TrustBundle

_SIMULATED = re.compile(rb"refType\s*=\s*[\"'](?:[^\"']*\s)?calib_simulated[\s\"']")


def examine_dcc(content: bytes, evidence: Evidence) -> Report:
    """Return what can be said of a DCC alone.

    Raises Refused for what is built like an attack.
    """
    from calib.certificates.dcc import read_dcc

    try:
        sealed = _opened(content, evidence.trust)
    except DomainError as problem:
        return _of_a_wrong_seal(content, evidence, problem)
    try:
        reading = read_dcc(content if sealed is None else sealed.element)
    except Invalid as problem:
        if sealed is not None:
            raise
        return of_no_certificate(content, evidence, str(problem))
    logged = log_steps(evidence, {"dcc": sha256(content)}, reading.number, issuer=reading.issuer)
    steps = [
        established("file", "It reads as {kind} {number}.", kind="DCC", number=reading.number),
        _seal(sealed, reading, evidence, logged),
        *logged,
        status_by_log(evidence, logged),
    ]
    is_said = _SIMULATED.search(content if sealed is None else sealed.element) is not None
    if is_said and all(step.id != "simulated" for step in logged):
        steps.append(simulated_step())
    return report_of(steps, _says(reading))


def _opened(content: bytes, trust: TrustBundle | None) -> SealedXML | None:
    """Return what a seal covers; None without a seal, or with no root to hold it to."""
    if trust is None or not trust.roots:
        return None
    try:
        return open_xml(content, roots_of(trust))
    except Invalid as problem:
        if problem.code == "xml-seal-missing":
            return None
        raise


def _of_a_wrong_seal(content: bytes, evidence: Evidence, problem: DomainError) -> Report:
    """Tell a seal that does not fit from a file that is no DCC at all."""
    try:
        parse(content)
    except Invalid as other:
        return of_no_certificate(content, evidence, str(other))
    except DomainError as other:
        return report_of([refused("seal", problem), refused("file", other)])
    return report_of([refused("seal", problem)])


def _seal(
    sealed: SealedXML | None, reading: DCCReading, evidence: Evidence, logged: list[Step]
) -> Step:
    trust = evidence.trust
    if trust is None or not trust.roots:
        return not_established("seal", "You pinned no root to hold a seal to.")
    if sealed is not None:
        step, key = held(sealed.signer, sealed.signed_at, trust, evidence.now, seen_in(logged))
        return of_issuer(step, key, trust, reading.issuer)
    names = [name for key in trust.seals for name in trust.labs.get(key.lab, ())]
    is_sealing = any(reading.issuer in (name.en, name.zh) for name in names)
    if is_sealing and logged[0].state != "established":
        message = (
            "{issuer} seals its certificates, and this DCC bears no seal: it was taken off, or the "
            "file is not theirs. Ask them for the original file."
        )
        return contradicted("seal", message, issuer=reading.issuer)
    message = "The DCC bears no seal: only a proof of the log can show whose it is."
    return not_established("seal", message)


def _says(reading: DCCReading) -> dict[str, str]:
    """Return what a reader compares with the item in hand."""
    item = reading.items[0] if len(reading.items) == 1 else None
    return {
        "number": reading.number,
        "laboratory": reading.issuer,
        "item": item.names.get("en", "") if item else "",
        "maker": item.maker if item else "",
        "model": item.model if item else "",
        "serial": ", ".join(serial for one in reading.items for serial in one.serials),
        "performed_on": reading.calibrated_on.isoformat(),
    }
