"""Electronic signatures on a record: asked for, made once, void when the content changed.

A challenge names what is signed: the record at its version, the digest of its input and result, the
meaning, the person and the session. The act that is signed consumes it in its own transaction.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from calib.i18n import translate
from calib.records.calibrations import Calibration
from calib.records.signatures import RECORD_MEANINGS, Signature, SignatureChallenge
from calib.services import calibration_views
from calib.services.calibration_views import CalibrationView, locked, need_move
from calib.services.evaluation import EvaluationView
from instruments.canonical import canonical_json
from instruments.context import Context
from instruments.errors import Conflict, NotAllowed, Refused
from instruments.records.instruments import Instrument
from instruments.records.models import InstrumentModel
from instruments.records.parties import Person
from instruments.services import audit
from instruments.services.approval_rules import rules
from instruments.services.fields import choice
from instruments.services.reauthentication import Proof
from instruments.tenancy import installation_session
from instruments.text import LANGUAGES

LIFE = timedelta(minutes=5)
MEANING_OF: Mapping[str, str] = {
    "submitted": "performed",
    "reviewed": "reviewed",
    "authorised": "authorised",
}
"""What somebody says by the mark they make."""
MARK_OF: Mapping[str, str] = {meaning: mark for mark, meaning in MEANING_OF.items()}
ACT_OF: Mapping[str, str] = {
    "performed": "calibration.submit",
    "reviewed": "calibration.review",
    "authorised": "calibration.authorise",
}
CLAUSE = "21 CFR 11.50, 11.70, 11.200"


@dataclass(frozen=True, slots=True)
class ChallengeView:
    """What is to be signed."""

    challenge: str
    calibration_id: int
    version: int
    meaning: str
    summary: Mapping[str, str]
    """In plain words, by language."""
    content_sha256: str
    expires_at: datetime
    signed_sha256: str
    """What a passkey signs, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class SignatureView:
    """A signature as it is shown: name, time with offset, meaning."""

    id: int
    meaning: str
    printed_name: str
    person_id: int
    signed_at: datetime
    signed_local: str
    way: str
    content_sha256: str
    evaluation_id: int
    stands: bool
    """False: void, because the content changed or the record was given back."""


def begin(
    ctx: Context, calibration_id: int, meaning: str, content_digest: str, session_sha256: str
) -> ChallengeView:
    """Keep what the actor is asked to sign and return it.

    Raises
    ------
    NotAllowed, NotFound, Conflict, Invalid
    """
    choice(meaning, RECORD_MEANINGS, "/meaning")
    ctx.need(ACT_OF[meaning])
    row = locked(ctx, calibration_id)
    need_move(row, MARK_OF[meaning])
    made = SignatureChallenge(
        token=secrets.token_urlsafe(32),
        calibration_id=calibration_id,
        version=row.version,
        meaning=meaning,
        content_digest=content_digest,
        person_id=ctx.actor.person_id,
        session_sha256=session_sha256,
        made_at=ctx.now,
        expires_at=ctx.now + LIFE,
    )
    ctx.session.add(made)
    ctx.session.flush()
    facts = {"challenge": made.id, "meaning": meaning, "content": content_digest}
    audit.record(ctx, "calibration:signature:ask", "calibration", calibration_id, facts)
    return _challenge_view(ctx, made)


def open_challenge(ctx: Context, token: str, session_sha256: str) -> ChallengeView:
    """Return what the actor was asked to sign in this session and has not signed yet.

    Raises
    ------
    NotAllowed, Conflict
    """
    return _challenge_view(ctx, _usable(ctx, token, session_sha256))


def bytes_to_sign(engine: Engine, token: str) -> bytes | None:
    """Return what a passkey signs for a challenge; None when there is none."""
    with installation_session(engine, read_only=True) as session:
        found = select(SignatureChallenge).where(SignatureChallenge.token == token)
        row = session.scalars(found).one_or_none()
        return _to_sign(row) if row is not None else None


def confirm(
    ctx: Context, row: Calibration, version: int, stored: EvaluationView, mark: str,
    proof: Proof | None,
) -> None:  # fmt: skip
    """Write the signature that goes with a mark; without a proof only where none is demanded.

    Raises
    ------
    Refused
        The lab demands a signature and there is none.
    NotAllowed, Conflict
        The proof failed, or is for something else.
    """
    if proof is None:
        if rules(ctx).demands_signatures:
            raise Refused(
                "signature-needed",
                "This laboratory has this signed. Ask for a challenge, then send it with password "
                "and code, or with the answer of a passkey.",
                at="/signature",
                clause=CLAUSE,
            )
        return
    proof.need()
    _need_factor(ctx, proof)
    challenge = _usable(ctx, proof.challenge, proof.session_sha256)
    meaning = MEANING_OF[mark]
    fits = (
        proof.person_id == ctx.actor.person_id,
        challenge.calibration_id == row.id,
        challenge.meaning == meaning,
    )
    if not all(fits):
        raise _unknown()
    if challenge.version != version or challenge.content_digest != stored.content_digest:
        raise Conflict(
            "signature-content-changed",
            "What you were shown is no longer what would be signed. Nothing was signed; look at "
            "the record again and begin anew.",
            clause=CLAUSE,
        )
    made = Signature(
        challenge_id=challenge.id,
        calibration_id=row.id,
        evaluation_id=stored.id,
        meaning=meaning,
        content_digest=stored.content_digest,
        person_id=ctx.actor.person_id,
        printed_name=_printed_name(ctx),
        signed_at=ctx.now,
        signed_local=ctx.now.astimezone(ctx.zone).isoformat(timespec="seconds"),
        way=proof.way,
        evidence=dict(proof.evidence),
    )
    ctx.session.add(made)
    ctx.session.flush()
    facts = {
        "signature": made.id,
        "meaning": meaning,
        "way": made.way,
        "content": made.content_digest,
        "evaluation_id": stored.id,
    }
    audit.record(ctx, "calibration:signature:make", "calibration", row.id, facts)


def _need_factor(ctx: Context, proof: Proof) -> None:
    if proof.way == "password" and rules(ctx).demands_second_factor:
        raise Refused(
            "signature-needs-factor",
            "This laboratory has nobody sign with a password alone. Set up an authenticator or a "
            "passkey on the page of your account, then sign.",
            at="/password",
            clause=CLAUSE,
        )


def signature_rows(session: Session, calibration_id: int) -> list[Signature]:
    """Return every signature on a record, oldest first."""
    mine = select(Signature).where(Signature.calibration_id == calibration_id)
    return list(session.scalars(mine.order_by(Signature.id)))


def view_of(row: Signature, *, stands: bool) -> SignatureView:
    """Return the row as it is shown."""
    return SignatureView(
        id=row.id,
        meaning=row.meaning,
        printed_name=row.printed_name,
        person_id=row.person_id,
        signed_at=row.signed_at,
        signed_local=row.signed_local,
        way=row.way,
        content_sha256=row.content_digest,
        evaluation_id=row.evaluation_id,
        stands=stands,
    )


def _usable(ctx: Context, token: str, session_sha256: str) -> SignatureChallenge:
    found = select(SignatureChallenge).where(
        SignatureChallenge.token == token,
        SignatureChallenge.person_id == ctx.actor.person_id,
        SignatureChallenge.session_sha256 == session_sha256,
    )
    row = ctx.session.scalars(found).one_or_none()
    if row is None:
        raise _unknown()
    used = select(Signature.id).where(Signature.challenge_id == row.id)
    if ctx.session.scalar(used) is not None:
        raise Conflict(
            "signature-challenge-used",
            "This was signed already. Load the record again.",
            clause=CLAUSE,
        )
    if ctx.now >= row.expires_at:
        raise NotAllowed(
            "signature-challenge-expired",
            "You were shown this more than {minutes} minutes ago. Nothing was signed; look at the "
            "record again and begin anew.",
            at="/challenge",
            facts={"minutes": LIFE // timedelta(minutes=1)},
            clause=CLAUSE,
        )
    return row


def _unknown() -> NotAllowed:
    return NotAllowed(
        "signature-challenge-unknown",
        "There is no such thing for you to sign in this session. Begin again.",
        at="/challenge",
        clause=CLAUSE,
    )


def _printed_name(ctx: Context) -> str:
    name: str = ctx.session.scalars(
        select(Person.name).where(Person.id == ctx.actor.person_id)
    ).one()
    return name


def _challenge_view(ctx: Context, row: SignatureChallenge) -> ChallengeView:
    record = calibration_views.view(ctx, row.calibration_id)
    return ChallengeView(
        challenge=row.token,
        calibration_id=row.calibration_id,
        version=row.version,
        meaning=row.meaning,
        summary=_summary(ctx, record),
        content_sha256=row.content_digest,
        expires_at=row.expires_at,
        signed_sha256=_to_sign(row).hex(),
    )


def _to_sign(row: SignatureChallenge) -> bytes:
    """Return the SHA-256 of everything the signature is bound to."""
    statement = {
        "v": 1,
        "challenge": row.token,
        "lab": row.lab_id,
        "record": row.calibration_id,
        "version": row.version,
        "meaning": row.meaning,
        "content": row.content_digest,
        "person": row.person_id,
        "session": row.session_sha256,
        "made_at": row.made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    return hashlib.sha256(b"calib-signature/v1\0" + canonical_json(statement)).digest()


def _summary(ctx: Context, record: CalibrationView) -> dict[str, str]:
    serial, maker, model = ctx.session.execute(
        select(Instrument.serial, InstrumentModel.maker, InstrumentModel.model)
        .join(InstrumentModel, InstrumentModel.id == Instrument.model_id)
        .where(Instrument.id == record.instrument_id)
    ).one()
    return {
        language: translate(
            "{type}, {maker} {model}, no. {serial}; order {order}; {kind} of {day}; {count} "
            "readings",
            language,
            type=record.definition.name,
            maker=maker,
            model=model,
            serial=serial or "–",
            order=record.order_number,
            kind=record.kind,
            day=record.performed_on.isoformat() if record.performed_on else "–",
            count=len(record.readings()),
        )
        for language in LANGUAGES
    }
