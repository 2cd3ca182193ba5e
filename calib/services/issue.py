"""Issue a certificate so that no crash leaves half of one.

First transaction: the number is taken and everything the certificate will say is frozen with it.
Then the file is rendered from the frozen payload alone, checked, sealed and stored. Second
transaction: file digests, ledger line, state ``issued``. Only then is it acknowledged or shown.
What a crash leaves ``reserved`` is finished by `recover` before anything is served; every step may
be repeated.

An error while committing (a full disk, a lost connection) leaves this module as the database's own
exception: the commit may have happened or not. Whoever runs the process ends it, and the next start
finds out; a retry with the same key gives the same certificate.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from calib.certificates.document import CertificateDocument
from calib.certificates.pdf import MARK, fonts_digest, template_digest
from calib.certificates.signing import Drafted, Linted, pass_lints, render_linted, write_data
from calib.records.calibrations import Calibration, Evaluation
from calib.records.certificates import Certificate, CertificateFile
from calib.services import calibration_views, ledger
from calib.services.amendment import amend, void, withdraw
from calib.services.calibration_views import locked, move, need_move
from calib.services.certificate_rows import (
    certificate_of,
    events_of,
    row_facts,
    set_due,
    state_of,
    supersede,
    told,
    unfinished,
)
from calib.services.competent import need_for_record
from calib.services.idempotency import once
from calib.services.issuing_document import (
    ground_of,
    kind_and_due,
    make_document,
    replaced_certificate,
)
from calib.services.key_views import seal_words
from calib.services.order_work import finish_when_issued
from calib.services.ports import FileStore, Sealer
from calib.services.review import standing_marks, unchanged
from instruments.canonical import digest
from instruments.context import Actor, Context
from instruments.errors import Conflict, DomainError, Finding, Refused
from instruments.records.parties import Lab, Person
from instruments.services.numbers import take_number
from instruments.tenancy import installation_session, lab_session

__all__ = [
    "IssuedView",
    "Recovery",
    "Reservation",
    "amend",
    "finish",
    "issue_certificate",
    "recover",
    "reserve",
    "void",
    "withdraw",
]

log = logging.getLogger("calib.issue")
Clock = Callable[[], datetime]
MakeContext = Callable[[], AbstractContextManager[Context]]
"""Opens a transaction of the person who issues; commits at the end, rolls back on an exception."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """A number that is taken, with everything its certificate will say."""

    certificate_id: int
    number: str
    token: str


@dataclass(frozen=True, slots=True)
class IssuedView:
    """An issued certificate with its files."""

    certificate_id: int
    number: str
    token: str
    files: Mapping[str, str]
    """SHA-256 by role: ``pdf``, ``dcc``, ``input``, ``result``."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was found reserved, and what became of it."""

    numbers: tuple[str, ...]
    """Finished now."""
    findings: tuple[Finding, ...]
    """Still reserved, each with the reason; they block nothing else."""
    certificate_ids: tuple[int, ...]
    """Whose they are, in the same order."""


def reserve(
    ctx: Context, calibration_id: int, version: int, *, idempotency_key: str, public_base: str
) -> Reservation:
    """Take a number for an authorised record and freeze what its certificate will say.

    Raises
    ------
    NotFound, Conflict
    Refused
        An approval is missing or void, or the document does not pass its lints.
    """
    ctx.need("certificate.issue")
    answer = once(
        ctx,
        "certificate:certificate:reserve",
        idempotency_key,
        digest({"calibration_id": calibration_id, "version": version}),
        lambda: _reserve(ctx, calibration_id, version, public_base),
    )
    return Reservation(**answer)


def issue_certificate(  # noqa: PLR0913 -- both transactions and what lies between
    engine: Engine,
    store: FileStore,
    sealer: Sealer,
    make_context: MakeContext,
    calibration_id: int,
    version: int,
    key: str,
    *,
    public_base: str,
    clock: Clock,
) -> IssuedView:
    """Reserve and finish: the whole way from an authorised record to an issued certificate.

    Commits twice. The same key always gives the same certificate.

    Raises
    ------
    NotFound, Conflict, Refused, Unavailable
    """
    with make_context() as ctx:
        reservation = reserve(
            ctx, calibration_id, version, idempotency_key=key, public_base=public_base
        )
        lab_id = ctx.lab_id
    return finish(engine, store, sealer, lab_id, reservation.certificate_id, clock)


def finish(
    engine: Engine,
    store: FileStore,
    sealer: Sealer,
    lab_id: int,
    certificate_id: int,
    clock: Clock,
) -> IssuedView:
    """Make the files of a reserved certificate from its payload and issue it; harmless to repeat.

    Raises
    ------
    NotFound, Conflict, Refused, Unavailable
    """
    with lab_session(engine, lab_id, read_only=True) as session:
        certificate = certificate_of(session, certificate_id)
        if state_of(events_of(session, certificate_id)) != "reserved":
            return _issued(session, certificate)
        kept = session.scalars(
            select(Evaluation).where(Evaluation.id == certificate.evaluation_id)
        ).one()
        number, payload = certificate.number, certificate.payload
        expected = certificate.payload_digest
        input_json, result_json = kept.input_json, kept.result_json
        place = ledger.place_of(session, certificate_id, "reserved")
    linted = _frozen(number, payload, expected)
    dcc = write_data(linted, sealer.seal_data)
    attached = {"input.json": input_json.encode(), "dcc.xml": dcc}
    if mark := sealer.mark(linted, place):
        attached[MARK] = mark.encode()
    sealed = sealer.seal(render_linted(linted, attached))
    contents = (
        ("pdf", sealed.content, "application/pdf"),
        ("dcc", dcc, "application/xml"),
        ("input", input_json.encode(), "application/json"),
        ("result", result_json.encode(), "application/json"),
    )
    files = [(role, store.put(content), len(content), kind) for role, content, kind in contents]
    with lab_session(engine, lab_id) as session:
        certificate = certificate_of(session, certificate_id)
        ctx = _acting(session, certificate, clock())
        row = locked(ctx, certificate.calibration_id)
        if state_of(events_of(session, certificate_id)) == "reserved":
            _issue(ctx, certificate, row, files)
        return _issued(session, certificate)


def recover(engine: Engine, store: FileStore, sealer: Sealer, clock: Clock) -> Recovery:
    """Finish every certificate that a crash or a failure left reserved; call before serving.

    One that cannot be finished is reported and stays reserved; it blocks nothing else.
    """
    numbers: list[str] = []
    findings: dict[int, Finding] = {}
    for lab_id, certificate_id, number in _waiting(engine):
        try:
            finish(engine, store, sealer, lab_id, certificate_id, clock)
            numbers.append(number)
        except DomainError as stop:
            facts = {**stop.facts, "number": number}
            at = f"/certificates/{number}"
            findings[certificate_id] = Finding(
                stop.code, stop.message, "error", at, facts, stop.clause
            )
            log.warning("certificate %s stays reserved: %s", number, stop.code)
        except (SQLAlchemyError, OSError):
            raise  # nobody knows what was committed: the process must end
        except Exception:  # a fault of the program about one certificate must not stop the rest
            findings[certificate_id] = _unfinished(number)
            log.exception("certificate %s stays reserved", number)
    return Recovery(tuple(numbers), tuple(findings.values()), tuple(findings))


def _unfinished(number: str) -> Finding:
    return Finding(
        "certificate-not-finished",
        "Certificate {number} could not be finished because of a fault of the program. It stays "
        "reserved; report the fault, or void the number.",
        at=f"/certificates/{number}",
        facts={"number": number},
    )


def _waiting(engine: Engine) -> list[tuple[int, int, str]]:
    with installation_session(engine, read_only=True) as session:
        rows = session.execute(
            select(Certificate.lab_id, Certificate.id, Certificate.number)
            .where(unfinished())
            .order_by(Certificate.id)
        )
        return [(row.lab_id, row.id, row.number) for row in rows]


def _reserve(
    ctx: Context, calibration_id: int, version: int, public_base: str
) -> Mapping[str, Any]:
    row = locked(ctx, calibration_id, version)
    need_move(row, "reserved")
    stored = unchanged(ctx, calibration_id)
    marks = standing_marks(ctx, calibration_id, stored)
    record = calibration_views.view(ctx, calibration_id)
    need_for_record(ctx, "authorises", record)
    kind, due_on = kind_and_due(record, stored, ground_of(ctx, record))
    document = make_document(
        ctx,
        record,
        stored,
        marks,
        number=take_number(ctx, kind),
        token=secrets.token_urlsafe(16),
        public_base=public_base,
        seal_key=seal_words(ctx),
    )
    pass_lints(Drafted(document))  # what would not pass later must not take a number now
    _need_new(ctx, document.number)
    move(row, "reserved")
    replaced = replaced_certificate(ctx, record)
    certificate = Certificate(
        number=document.number,
        token=document.token,
        kind=kind,
        calibration_id=calibration_id,
        evaluation_id=stored.id,
        instrument_id=record.instrument_id,
        replaces_id=replaced.id if replaced else None,
        payload=document.canonical().decode(),
        payload_digest=document.digest(),
        performed_on=record.performed_on,
        due_on=due_on,
        verdict=stored.result.verdict,
        reserved_by=ctx.actor.person_id,
        reserved_at=ctx.now,
    )
    ctx.session.add(certificate)
    ctx.session.flush()
    told(ctx, certificate, "reserved", row_facts(certificate))
    return {
        "certificate_id": certificate.id,
        "number": certificate.number,
        "token": certificate.token,
    }


def _need_new(ctx: Context, number: str) -> None:
    taken = select(Certificate.id).where(Certificate.number == number)
    if ctx.session.scalar(taken) is not None:
        raise Conflict(
            "number-taken",
            "The number {number} was given before, under another template of the lab. Have a "
            "manager change the template of this series.",
            facts={"number": number},
        )


def _frozen(number: str, payload: str, expected: str) -> Linted:
    """Return the document as it was frozen, linted again; nothing else feeds the rendering."""
    if hashlib.sha256(payload.encode()).hexdigest() != expected:
        raise Refused(
            "payload-damaged",
            "What certificate {number} was to say is no longer what was frozen. It is not "
            "rendered; compare with a backup, then void it.",
            facts={"number": number},
        )
    document = CertificateDocument.from_dict(json.loads(payload))
    made_by = document.provenance
    if (made_by.template_digest, made_by.fonts_digest) != (template_digest(), fonts_digest()):
        raise Conflict(
            "template-changed",
            "Certificate {number} was reserved with other templates or fonts than are installed "
            "now. Finish it with the software that reserved it ({software}), or void it and issue "
            "anew.",
            facts={"number": document.number, "software": made_by.software},
        )
    return pass_lints(Drafted(document))


def _acting(session: Any, certificate: Certificate, now: datetime) -> Context:
    """Return the context of the second transaction: whoever reserved, also when a job finishes."""
    person = session.scalars(select(Person).where(Person.id == certificate.reserved_by)).one()
    lab = session.scalars(select(Lab).where(Lab.id == certificate.lab_id)).one()
    actor = Actor(person.id, person.name, frozenset())
    return Context(session, lab.id, actor, now, ZoneInfo(lab.time_zone), request_id="finish")


def _issue(
    ctx: Context,
    certificate: Certificate,
    row: Calibration,
    files: list[tuple[str, str, int, str]],
) -> None:
    """Write the second transaction: all of it or nothing."""
    ctx.session.add_all(
        CertificateFile(
            certificate_id=certificate.id, role=role, sha256=sha256, size=size, media_type=kind
        )
        for role, sha256, size, kind in files
    )
    move(row, "issued")
    told(
        ctx,
        certificate,
        "issued",
        {"payload": certificate.payload_digest, "files": {f[0]: f[1] for f in files}},
    )
    if certificate.replaces_id is not None:
        supersede(ctx, certificate, row.amendment_reason)
    set_due(ctx, certificate.instrument_id)
    finish_when_issued(ctx, row.order_line_id)


def _issued(session: Any, certificate: Certificate) -> IssuedView:
    if "issued" not in events_of(session, certificate.id):
        raise Conflict(
            "certificate-void",
            "The number {number} was voided and will never name a certificate. Issue anew with a "
            "new key.",
            facts={"number": certificate.number},
        )
    files = session.execute(
        select(CertificateFile.role, CertificateFile.sha256).where(
            CertificateFile.certificate_id == certificate.id
        )
    )
    return IssuedView(
        certificate_id=certificate.id,
        number=certificate.number,
        token=certificate.token,
        files={row.role: row.sha256 for row in files},
    )
