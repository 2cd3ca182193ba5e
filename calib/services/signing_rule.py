"""What a key signs, decided apart from the application that asks: the rule of the signer.

It looks into the database itself and believes nothing it is told. For a certificate: the number is
reserved, the frozen payload is unharmed, a reviewer and a signatory stand behind it who measured
nothing, and the XML is the one that follows from the payload. For the log and the status list: the
text moves forward. Every use and every refusal is written into a journal before it is answered; the
same question gets the same answer.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from calib.certificates.document import CertificateDocument
from calib.certificates.seal_forms import is_seal_of, is_seal_of_pdf
from calib.ledger.checkpoints import Checkpoint, read_checkpoint
from calib.ledger.marks import DIGEST_SIZE, read_mark
from calib.ledger.notes import Note
from calib.ledger.statuses import entry_of, read_status
from calib.records.calibrations import Calibration, Condition, Evaluation, Reading, ReviewMark
from calib.records.certificates import Certificate, CertificateEvent
from calib.records.signatures import Signature
from calib.services.certificate_rows import state_of
from calib.services.key_views import KeyView, get_key
from calib.services.ports import Form, Journal, SigningRequest, Vault
from calib.verifier.marks import verdict_of_code
from instruments.canonical import digest
from instruments.errors import DomainError, Refused, Unavailable
from instruments.records.parties import Lab
from instruments.services.humans import humans_of
from instruments.tenancy import installation_session

_PURPOSES: dict[Form, str] = {
    "xml": "seal", "pdf": "seal", "mark": "mark", "log": "log", "status": "status",
    "preview": "preview",
}  # fmt: skip
_MEANING_OF = {"submitted": "performed", "reviewed": "reviewed", "authorised": "authorised"}
"""What is signed with a mark; said here again, as the signer believes the application nothing."""
MOST = 3
"""Different contents signed in one form for one certificate: a repeat after a crash may differ,
because a back-end draws its signatures by chance and a time stamp tells another time."""
RATE = 1200
"""Signatures a minute."""
LARGEST = 4 * 1024 * 1024


@dataclass
class _Used:
    """What the journal says of earlier uses; grows with it."""

    lines: int = 0
    answers: dict[tuple[int, str, str, str], bytes] = field(default_factory=dict)
    """Signature by key, form, token and digest of the content."""
    contents: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Origin of a log → size and root that were signed last."""
    lists: dict[str, str] = field(default_factory=dict)
    """Origin → when the status list was made that was signed last."""

    def learn(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Take in the lines that are new."""
        for line in lines[self.lines :]:
            if line["outcome"] == "signed":
                self._signed(line)
        self.lines = len(lines)

    def _signed(self, line: Mapping[str, Any]) -> None:
        answer = (line["key"], line["form"], line["token"], line["digest"])
        self.answers[answer] = base64.b64decode(line["signature"])
        self.contents[line["token"], line["form"]].add(line["digest"])
        if line["form"] == "log":
            self.heads[line["origin"]] = (line["size"], line["root"])
        if line["form"] == "status":
            self.lists[line["origin"]] = line["made_at"]


class RuledSigner:
    """Signs by the rule, with keys of a vault, on behalf of a database it only reads."""

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        journal: Journal,
        clock: Callable[[], datetime],
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep what is needed; nothing is opened before the first request."""
        self._engine = engine
        self._vault = vault
        self._journal = journal
        self._clock = clock
        self._ticks = ticks
        self._used = _Used()
        self._recent: deque[float] = deque(maxlen=RATE)

    def sign(self, request: SigningRequest) -> bytes:
        """Return the signature; a content that was signed before gets the same again.

        Raises
        ------
        Refused
            The rule says no.
        Unavailable
            The key is locked or missing, or too much was asked within a minute.
        NotFound
            There is no such key.
        """
        self._need_patience()
        content = hashlib.sha256(request.content).hexdigest()
        with self._journal.held() as lines:
            self._used.learn(lines)
            known = self._used.answers.get((request.key_id, request.form, request.token, content))
            if known is not None:
                return known
            line = {
                "at": self._clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "key": request.key_id,
                "form": request.form,
                "token": request.token,
                "digest": content,
            }
            try:
                key, more = self._decided(request)
                signature = self._vault.sign(key.reference, key.algorithm, request.content)
            except DomainError as stop:
                self._journal.append({**line, "outcome": "refused", "code": stop.code})
                raise
            signed = base64.b64encode(signature).decode()
            self._journal.append({**line, "outcome": "signed", "signature": signed, **more})
            return signature

    def _need_patience(self) -> None:
        now = self._ticks()
        if len(self._recent) == RATE and now - self._recent[0] < 60:
            raise Unavailable(
                "signer-busy",
                "More than {rate} signatures were asked for within a minute. Wait; if nobody is "
                "issuing that many certificates, find out who asks.",
                facts={"rate": RATE},
            )
        self._recent.append(now)

    def _decided(self, request: SigningRequest) -> tuple[KeyView, dict[str, Any]]:
        """Return the key to sign with and what the journal keeps; raise when the rule says no."""
        if len(request.content) > LARGEST:
            raise _other_form()
        with installation_session(self._engine, read_only=True) as session:
            key = get_key(session, request.key_id)
            now = self._clock()
            if not key.may_sign(now):
                raise Refused(
                    "signing-key-ended",
                    "The key {name} is {state} and signs nothing. See calib keys list.",
                    facts={"name": key.name, "state": key.state(now)},
                )
            if key.purpose != _PURPOSES.get(request.form):
                raise _other_key(key)
            if request.form in ("xml", "pdf", "mark"):
                self._need_certificate(session, request, key)
                return key, {}
        if request.form == "log":
            return key, self._head(request, key)
        if request.form == "status":
            return key, self._list(request, key)
        return key, {}

    def _need_certificate(self, session: Session, request: SigningRequest, key: KeyView) -> None:
        certificate = session.execute(
            select(
                Certificate.id, Certificate.lab_id, Certificate.number, Certificate.payload,
                Certificate.payload_digest, Certificate.calibration_id, Certificate.evaluation_id,
            ).where(Certificate.token == request.token)
        ).one_or_none()  # fmt: skip
        if certificate is None or not _is_reserved(session, certificate.id):
            raise Refused(
                "signing-not-reserved",
                "The signer signs for reserved numbers only, and this is none. Nothing was signed; "
                "find out who asked.",
            )
        if key.lab_id != certificate.lab_id:
            raise _other_key(key)
        if hashlib.sha256(certificate.payload.encode()).hexdigest() != certificate.payload_digest:
            raise Refused(
                "signing-payload-changed",
                "What certificate {number} was to say is no longer what was frozen. Nothing was "
                "signed; compare with a backup, then void it.",
                facts={"number": certificate.number},
            )
        _need_approvals(
            session, certificate.number, certificate.calibration_id, certificate.evaluation_id
        )
        if not _fits(request, *_document(certificate.payload), key):
            raise _other_form()
        contents = self._used.contents[request.token, request.form]
        if len(contents) >= MOST:
            raise Refused(
                "signing-limit",
                "Certificate {number} was signed {most} times in different forms already. Nothing "
                "was signed; find out why, then void it.",
                facts={"number": certificate.number, "most": MOST},
            )

    def _head(self, request: SigningRequest, key: KeyView) -> dict[str, Any]:
        try:
            head = read_checkpoint(Note(request.content.decode(), ()))
        except (DomainError, UnicodeDecodeError):
            raise _other_form() from None
        if head.origin != key.name or head.text().encode() != request.content:
            raise _other_form()
        self._need_forward(head)
        root = base64.b64encode(head.root).decode()
        return {"origin": head.origin, "size": head.size, "root": root}

    def _need_forward(self, head: Checkpoint) -> None:
        size, root = self._used.heads.get(head.origin, (0, ""))
        is_same = head.size == size and base64.b64encode(head.root).decode() == root
        if head.size < size or (head.size == size and root and not is_same):
            raise Refused(
                "signing-would-fork",
                "A head of the log with {signed} lines was signed before, this one has {size}: the "
                "log would be told in two ways. Nothing was signed; restore a newer backup.",
                facts={"signed": size, "size": head.size},
            )

    def _list(self, request: SigningRequest, key: KeyView) -> dict[str, Any]:
        try:
            found = read_status(Note(request.content.decode(), ()))
        except (DomainError, UnicodeDecodeError):
            raise _other_form() from None
        made_at = found.issued_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        if f"{found.origin}/status" != key.name:
            raise _other_form()
        if made_at <= self._used.lists.get(found.origin, ""):
            raise Refused(
                "signing-status-old",
                "A status list made at {made_at} is not newer than the one signed last. Nothing "
                "was signed; check the clock.",
                facts={"made_at": made_at},
            )
        return {"origin": found.origin, "made_at": made_at}


@functools.lru_cache(maxsize=4)
def _document(payload: str) -> tuple[CertificateDocument, str]:
    """Return the document of a payload and its digest: each certificate is signed three times."""
    document = CertificateDocument.from_dict(json.loads(payload))
    return document, document.digest()


def _fits(
    request: SigningRequest, document: CertificateDocument, payload_digest: str, key: KeyView
) -> bool:
    """Answer whether the content is what this document may be signed as."""
    if document.token != request.token:
        return False
    if request.form == "xml":
        return is_seal_of(document, request.content, payload_digest)
    if request.form == "pdf":
        named = document.seal_key.fingerprint if document.seal_key else ""
        return bool(key.certificates(named)) and is_seal_of_pdf(request.content, named)
    try:
        mark = read_mark(request.content)
    except DomainError:
        return False
    start = bytes.fromhex(payload_digest)[:DIGEST_SIZE]
    entry = entry_of(document.token)
    return (mark.number, mark.payload, mark.entry) == (document.number, start, entry) and (
        mark.verdict == verdict_of_code(document) and mark.issued_on == document.issued_on
    )


def _is_reserved(session: Session, certificate_id: int) -> bool:
    happened = select(CertificateEvent.event).where(
        CertificateEvent.certificate_id == certificate_id
    )
    return state_of(dict.fromkeys(session.scalars(happened))) == "reserved"


def _need_approvals(session: Session, number: str, calibration_id: int, evaluation_id: int) -> None:
    """Make sure that two marks stand on exactly what is certified, of people who measured nothing.

    Asked of the rows themselves: what the application thinks of them plays no part.
    """
    kept = session.execute(
        select(Evaluation.input_json, Evaluation.result_json).where(Evaluation.id == evaluation_id)
    ).one()
    texts = {"input": kept.input_json, "result": kept.result_json}
    content = digest({name: hashlib.sha256(t.encode()).hexdigest() for name, t in texts.items()})
    marks = session.execute(
        select(
            ReviewMark.act, ReviewMark.person_id, ReviewMark.evaluation_id,
            ReviewMark.content_digest,
        )
        .where(ReviewMark.calibration_id == calibration_id)
        .order_by(ReviewMark.id)
    ).all()  # fmt: skip
    last = max((i for i, mark in enumerate(marks) if mark.act == "returned"), default=-1)
    standing = {
        mark.act: mark.person_id
        for mark in marks[last + 1 :]
        if (mark.evaluation_id, mark.content_digest) == (evaluation_id, content)
    }
    measured = _measured(session, calibration_id)
    missing = {"submitted", "reviewed", "authorised"} - set(standing)
    humans = humans_of(session, measured | set(standing.values()))
    both = {humans[standing[act]] for act in ("reviewed", "authorised") if act in standing}
    hands = {humans[id_] for id_ in measured | {standing.get("submitted", 0)} if id_ in humans}
    unsigned = _unsigned(session, calibration_id, evaluation_id, content, standing)
    if missing or both & hands or unsigned:
        raise Refused(
            "signing-approval-missing",
            "No reviewer and signatory who measured nothing, with their signatures where there "
            "must be some, stand behind certificate {number} as it was frozen. Nothing was "
            "signed; find out how its number was reserved.",
            facts={"number": number},
            clause="ISO/IEC 17025:2017 7.8.1",
        )


def _unsigned(
    session: Session,
    calibration_id: int,
    evaluation_id: int,
    content: str,
    standing: Mapping[str, int],
) -> set[str]:
    """Return the marks that should be signed and are not.

    Signed must be what the lab has signed, and every mark of a record that bears any signature.
    """
    made = session.execute(
        select(
            Signature.meaning, Signature.person_id, Signature.evaluation_id,
            Signature.content_digest,
        ).where(Signature.calibration_id == calibration_id)
    ).all()  # fmt: skip
    lab = select(Lab.demands_signatures).join(Calibration, Calibration.lab_id == Lab.id)
    if not made and not session.scalar(lab.where(Calibration.id == calibration_id)):
        return set()
    signed = {
        (one.meaning, one.person_id)
        for one in made
        if (one.evaluation_id, one.content_digest) == (evaluation_id, content)
    }
    return {act for act, person in standing.items() if (_MEANING_OF[act], person) not in signed}


def _measured(session: Session, calibration_id: int) -> set[int]:
    entered = select(Reading.person_id).where(Reading.calibration_id == calibration_id)
    observed = select(Condition.person_id).where(Condition.calibration_id == calibration_id)
    return set(session.scalars(entered.union(observed)))


def _other_key(key: KeyView) -> Refused:
    return Refused(
        "signing-key-wrong",
        "The key {name} is for {purpose} of {owner} and signs nothing else. Nothing was signed; "
        "find out who asked.",
        facts={"name": key.name, "purpose": key.purpose, "owner": key.lab or "the installation"},
    )


def _other_form() -> Refused:
    return Refused(
        "signing-other-content",
        "What was to be signed is not what may be signed here. Nothing was signed; find out who "
        "asked.",
    )
