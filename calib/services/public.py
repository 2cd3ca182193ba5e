"""What anybody may see of a certificate whose code they hold: what was issued, and does it stand.

Never the customer, never whose instrument it is, nor by whom and as what it was made; results, for
a changed paper is told by them alone (decision 0035). An unknown code and a number that was
reserved but never issued give the same answer: nothing.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import aliased

from calib.certificates.document import CertificateDocument, LabWords, SealWords
from calib.certificates.tables import output_text
from calib.certificates.wording import document_name
from calib.evaluation.result import PointResult
from calib.records.certificates import Certificate, CertificateEvent, CertificateFile
from calib.reminders import due
from calib.services.standing import is_token
from instruments.errors import Unavailable
from instruments.records.parties import Lab
from instruments.tenancy import InstallationSession
from instruments.text import LocalizedText

PublicState = Literal["valid", "superseded", "withdrawn"]
STATE_WORDS: dict[PublicState, str] = {
    "valid": "Issued by this laboratory and not changed since.",
    "superseded": "Replaced on {day} by {successor}. Do not use this one any more.",
    "withdrawn": "Withdrawn on {day}. Do not rely on it.",
}
EXPIRED_WORDS = "The verification was valid until {day}; that day has passed."
SIMULATED_WORDS = (
    "Its readings were simulated for training or trial. It certifies no instrument: do not rely on "
    "it."
)
UNSIGNED_WORDS = (
    "This certificate bears no electronic seal. What this page shows is what the laboratory's own "
    "records hold; compare it with the paper."
)
SEALED_WORDS = (
    "The file bears the electronic seal {name}. The certificate of the seal has the SHA-256 "
    "{fingerprint}; a reader of signed files shows it."
)
VERDICT_WORDS: dict[str, str] = {
    "pass": "Conforms to the limits",
    "pass_of_rest": "Some pieces do not conform; the certificate names them",
    "conditional_pass": "Conforms conditionally: within the guard band",
    "undetermined": "Neither conformity nor non-conformity can be stated",
    "conditional_fail": "Does not conform conditionally: within the guard band",
    "fail": "Does not conform to the limits",
    "cannot_be_stated": "Conformity cannot be stated",
    "not_stated": "No statement of conformity was agreed",
    "not_calibratable": "Not calibratable: no way to its measurement is known",
}
KIND_WORDS: dict[str, str] = {
    "calibration_certificate": "Calibration certificate",
    "verification_certificate": "Verification certificate",
    "verification_notice": "Notice of verification result",
    "check_record": "Check record",
}


@dataclass(frozen=True, slots=True)
class PublicResult:
    """One line of the results table, in the decimal text that was printed."""

    measurand: LocalizedText
    unit: str
    output_unit: str
    stage: str
    piece: int
    nominal: str
    reference: str
    indication: str
    error: str
    correction: str
    output: str
    """Error, correction or value: what the certificate reports."""
    U: str
    k: str
    verdict: str


@dataclass(frozen=True, slots=True)
class PublicCertificate:
    """What the public page of one certificate shows."""

    number: str
    kind: str
    state: PublicState
    state_on: date
    """Local date of the event that made the state."""
    successor: str
    """Number of the certificate that replaces it; empty: none."""
    replaces: str
    """Number of the certificate this one replaced; empty: none."""
    is_expired: bool
    """Its legal validity has passed."""
    lab: LabWords
    item: LocalizedText
    """What kind of instrument it is."""
    serial: str
    """Masked in the middle."""
    quantity: int
    performed_from: str
    performed_on: str
    issued_on: str
    valid_until: str | None
    next_due_on: str | None
    """Only where it was agreed to be printed."""
    verdict: str
    passed_of: tuple[int, int] | None
    """How many pieces of a batch pass of how many, where some do not: the verdict alone lies."""
    unconfirmed_limits: tuple[LocalizedText, ...]
    """Documents whose limits decided and are still to be confirmed at their source."""
    results: tuple[PublicResult, ...]
    is_unsigned: bool
    seal_key: SealWords | None
    is_simulated: bool
    """Its readings come from a generator: it says nothing of any instrument."""

    @property
    def state_words(self) -> str:
        """Return the English sentence of the state, with ``{day}`` and ``{successor}``."""
        return STATE_WORDS[self.state]

    @property
    def verdict_words(self) -> str:
        """Return the English words of the verdict."""
        return VERDICT_WORDS[self.verdict]

    @property
    def kind_words(self) -> str:
        """Return the English words of the kind of document."""
        return KIND_WORDS[self.kind]


def file_digest(session: InstallationSession, token: str) -> str:
    """Return the SHA-256 of the PDF of an issued certificate; empty for every other text.

    The file itself names the customer and is not handed out under a code that stands on a label.
    """
    if not is_token(token):
        return ""
    issued = select(CertificateEvent.certificate_id).where(CertificateEvent.event == "issued")
    found = session.scalar(
        select(CertificateFile.sha256)
        .join(Certificate, Certificate.id == CertificateFile.certificate_id)
        .where(
            Certificate.token == token, CertificateFile.role == "pdf", Certificate.id.in_(issued)
        )
    )
    return found or ""


def issued_of(session: InstallationSession, token: str) -> tuple[int, str] | None:
    """Return id and number of an issued certificate; None for every other text."""
    if not is_token(token):
        return None
    issued = select(CertificateEvent.certificate_id).where(CertificateEvent.event == "issued")
    row = session.execute(
        select(Certificate.id, Certificate.number).where(
            Certificate.token == token, Certificate.id.in_(issued)
        )
    ).one_or_none()
    return (row.id, row.number) if row else None


def issued_by_digest(session: InstallationSession, sha256: str) -> tuple[int, str] | None:
    """Return id and number of the issued certificate one of whose files this is; None otherwise."""
    issued = select(CertificateEvent.certificate_id).where(CertificateEvent.event == "issued")
    row = session.execute(
        select(Certificate.id, Certificate.number)
        .join(CertificateFile, CertificateFile.certificate_id == Certificate.id)
        .where(CertificateFile.sha256 == sha256, Certificate.id.in_(issued))
        .limit(1)
    ).one_or_none()
    return (row.id, row.number) if row else None


def public_certificate(
    session: InstallationSession, token: str, now: datetime
) -> PublicCertificate | None:
    """Return the issued certificate this token opens; None for every other text.

    Raises
    ------
    Unavailable
        What is kept of it is no longer what was issued.
    """
    if not is_token(token):
        return None
    successor = aliased(Certificate)
    rows = session.execute(
        select(
            Certificate.payload,
            Certificate.payload_digest,
            Lab.time_zone,
            CertificateEvent,
            successor.number,
        )
        .join(Lab, Lab.id == Certificate.lab_id)
        .join(CertificateEvent, CertificateEvent.certificate_id == Certificate.id)
        .outerjoin(successor, successor.id == CertificateEvent.successor_id)
        .where(Certificate.token == token)
    ).all()
    events = {row.CertificateEvent.event: row for row in rows}
    if "issued" not in events:
        return None
    payload = rows[0].payload.encode()
    if hashlib.sha256(payload).hexdigest() != rows[0].payload_digest:
        raise Unavailable(
            "certificate-damaged",
            "What is kept of this certificate is no longer what was issued, so nothing of it is "
            "shown. Ask the laboratory.",
        )
    document = CertificateDocument.from_dict(json.loads(payload))
    zone = due.zone_named(rows[0].time_zone)
    state: PublicState = "valid"
    if "withdrawn" in events:
        state = "withdrawn"
    elif "superseded" in events:
        state = "superseded"
    event = events["issued" if state == "valid" else state]
    return _public(
        document,
        state=state,
        state_on=due.local_date(event.CertificateEvent.happened_at, zone),
        successor=event.number or "",
        today=due.local_date(now, zone),
    )


def _public(
    document: CertificateDocument,
    *,
    state: PublicState,
    state_on: date,
    successor: str,
    today: date,
) -> PublicCertificate:
    until = document.valid_until
    return PublicCertificate(
        number=document.number,
        kind=document.kind,
        state=state,
        state_on=state_on,
        successor=successor,
        replaces=document.amendment.replaces if document.amendment else "",
        is_expired=until is not None and due.is_overdue(date.fromisoformat(until), today),
        lab=document.lab,
        item=document.item.name,
        serial=masked(document.item.serial),
        quantity=document.item.quantity,
        performed_from=document.performed_from,
        performed_on=document.performed_on,
        issued_on=document.issued_on,
        valid_until=until,
        next_due_on=document.next_due_on if document.interval_agreed else None,
        verdict=document.result.verdict,
        passed_of=document.result.passed_of,
        unconfirmed_limits=tuple(
            document_name(document.measurement, id_) for id_ in document.result.unconfirmed_limits
        ),
        results=tuple(_line(document, point) for point in document.result.points),
        is_unsigned=document.seal == "unsigned",
        seal_key=document.seal_key,
        is_simulated=document.simulated,
    )


def _line(document: CertificateDocument, point: PointResult) -> PublicResult:
    measurand = document.measurement.measurand(point.measurand)
    printed = point.printed
    return PublicResult(
        measurand=measurand.name,
        unit=measurand.unit,
        output_unit=measurand.output_unit,
        stage=point.stage,
        piece=point.piece,
        nominal=printed.nominal,
        reference=printed.reference,
        indication=printed.indication,
        error=printed.error,
        correction=printed.correction,
        output=output_text(measurand, printed),
        U=printed.U,
        k=printed.k,
        verdict=point.verdict,
    )


def masked(serial: str) -> str:
    """Return the serial with its middle hidden: who holds the item can compare, nobody can guess.

    At most half of the characters are shown.
    """
    shown = len(serial) // 4
    if not serial:
        return ""
    hidden = len(serial) - 2 * shown
    return serial[:shown] + "*" * hidden + serial[len(serial) - shown :]
