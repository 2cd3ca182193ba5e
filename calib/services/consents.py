"""Two persons end a certificate, each in a session of their own: one proposes, one consents.

Holds where the laboratory demands signatures; elsewhere the second person is named by the first.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import Engine, Select, select

from calib.records.certificates import Certificate
from calib.records.signatures import EndConsent, EndProposal
from calib.services.amendment import in_state, void, withdraw
from calib.services.calibration_views import need_reason
from calib.services.second_person import (
    actor_today,
    consent_not_yours,
    name_of,
    need_second,
    proposal_ended,
)
from instruments.canonical import canonical_json
from instruments.context import Context
from instruments.services import audit
from instruments.services.approval_rules import rules
from instruments.services.reauthentication import Proof
from instruments.tenancy import installation_session

LIFE = timedelta(days=1)
Act = Literal["withdraw", "void"]
_WANTED = {"withdraw": "issued", "void": "reserved"}


@dataclass(frozen=True, slots=True)
class ProposalView:
    """What a colleague is asked to agree to."""

    id: int
    token: str
    certificate_id: int
    number: str
    act: str
    reason: str
    person_name: str
    second_person_id: int
    second_person_name: str
    proposed_at: datetime
    expires_at: datetime
    signed_sha256: str
    """What a passkey signs to consent: it stands for everything above."""


def end_by_two(
    ctx: Context, act: Act, certificate_id: int, reason: str, second_person_id: int
) -> ProposalView | None:
    """Withdraw or void, or where the colleague has to consent in person, propose it.

    Raises
    ------
    NotFound, NotAllowed, Conflict, Invalid, Refused
    """
    if not rules(ctx).demands_signatures:
        {"withdraw": withdraw, "void": void}[act](ctx, certificate_id, reason, second_person_id)
        return None
    ctx.need(f"certificate.{act}")
    certificate = in_state(ctx, certificate_id, _WANTED[act])
    why = need_reason(reason)
    need_second(ctx, second_person_id)
    row = EndProposal(
        token=secrets.token_urlsafe(32),
        certificate_id=certificate_id,
        act=act,
        reason=why,
        person_id=ctx.actor.person_id,
        second_person_id=second_person_id,
        proposed_at=ctx.now,
        expires_at=ctx.now + LIFE,
    )
    ctx.session.add(row)
    ctx.session.flush()
    facts = {"act": act, "reason": why, "number": certificate.number, "second": second_person_id}
    audit.record(ctx, "certificate:end:propose", "certificate", certificate_id, facts)
    return _view(ctx, row)


def consent(ctx: Context, proposal_id: int, proof: Proof | None) -> None:
    """Agree to a proposal as the colleague it names; what was proposed is done.

    Raises
    ------
    NotFound, NotAllowed, Conflict, Invalid, Refused
    """
    ctx.need("certificate.consent")
    row = _open(ctx, proposal_id)
    if proof is None:
        raise consent_not_yours()
    proof.need()
    mine = (row.second_person_id, row.second_person_id, row.token)
    if (ctx.actor.person_id, proof.person_id, proof.challenge) != mine:
        raise consent_not_yours()
    ctx.session.add(
        EndConsent(
            proposal_id=row.id,
            person_id=ctx.actor.person_id,
            printed_name=name_of(ctx, ctx.actor.person_id),
            consented_at=ctx.now,
            consented_local=ctx.now.astimezone(ctx.zone).isoformat(timespec="seconds"),
            way=proof.way,
            evidence=dict(proof.evidence),
        )
    )
    ctx.session.flush()
    facts = {"act": row.act, "proposal": row.id, "way": proof.way}
    audit.record(ctx, "certificate:end:consent", "certificate", row.certificate_id, facts)
    first = replace(ctx, actor=actor_today(ctx, row.person_id))
    {"withdraw": withdraw, "void": void}[row.act](
        first, row.certificate_id, row.reason, row.second_person_id
    )


def open_proposals(ctx: Context, certificate_id: int) -> tuple[ProposalView, ...]:
    """Return what waits for a colleague's consent.

    Raises
    ------
    NotAllowed
    """
    ctx.need("certificate.read")
    if not ctx.actor.is_staff:
        return ()
    mine = _waiting(ctx).where(EndProposal.certificate_id == certificate_id)
    return tuple(_view(ctx, row) for row in ctx.session.scalars(mine))


def bytes_to_sign(engine: Engine, token: str) -> bytes | None:
    """Return what a passkey signs to consent; None when there is no such proposal."""
    with installation_session(engine, read_only=True) as session:
        row = session.scalars(select(EndProposal).where(EndProposal.token == token)).one_or_none()
        return _signed(row) if row is not None else None


def _signed(row: EndProposal) -> bytes:
    statement = {
        "v": 1,
        "proposal": row.token,
        "lab": row.lab_id,
        "certificate": row.certificate_id,
        "act": row.act,
        "reason": row.reason,
        "person": row.person_id,
        "second_person": row.second_person_id,
        "proposed_at": row.proposed_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    return hashlib.sha256(b"calib-consent/v1\0" + canonical_json(statement)).digest()


def _waiting(ctx: Context) -> Select[EndProposal]:
    consented = select(EndConsent.proposal_id)
    return (
        select(EndProposal)
        .where(EndProposal.id.not_in(consented), EndProposal.expires_at > ctx.now)
        .order_by(EndProposal.id)
    )


def _open(ctx: Context, proposal_id: int) -> EndProposal:
    found = _waiting(ctx).where(EndProposal.id == proposal_id)
    row: EndProposal | None = ctx.session.scalars(found).one_or_none()
    if row is None:
        raise proposal_ended()
    return row


def _view(ctx: Context, row: EndProposal) -> ProposalView:
    number = select(Certificate.number).where(Certificate.id == row.certificate_id)
    return ProposalView(
        id=row.id,
        token=row.token,
        certificate_id=row.certificate_id,
        number=ctx.session.scalars(number).one(),
        act=row.act,
        reason=row.reason,
        person_name=name_of(ctx, row.person_id),
        second_person_id=row.second_person_id,
        second_person_name=name_of(ctx, row.second_person_id),
        proposed_at=row.proposed_at,
        expires_at=row.expires_at,
        signed_sha256=_signed(row).hex(),
    )
