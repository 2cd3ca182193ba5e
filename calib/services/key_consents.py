"""Two persons end a key from the pages: one proposes, the other consents in their own session.

What makes keys needs the passphrase and both persons at the machine: `calib keys` alone does that.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, Select, select

from calib.records.signatures import KeyConsent, KeyProposal
from calib.services.calibration_views import need_reason
from calib.services.key_views import KeyView, State, get_key, list_keys
from calib.services.keys import compromise_key, key_of_lab, need_in_use, need_past, retire_key
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
from instruments.services.reauthentication import Proof
from instruments.tenancy import installation_session

LIFE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class KeyProposalView:
    """What a colleague is asked to agree to."""

    id: int
    token: str
    key_id: int
    key_name: str
    act: str
    """``retire`` or ``compromise``."""
    since: datetime | None
    reason: str
    person_name: str
    second_person_id: int
    second_person_name: str
    proposed_at: datetime
    expires_at: datetime
    signed_sha256: str
    """What a passkey signs to consent: it stands for everything above."""


@dataclass(frozen=True, slots=True)
class KeyStanding:
    """The public side of a key, and how it stands."""

    id: int
    purpose: str
    lab: str
    """Code of the laboratory; empty: of the installation."""
    name: str
    algorithm: str
    public_key: str
    fingerprint: str
    """SHA-256 of its certificate; empty: it bears none."""
    state: State
    valid_from: datetime
    valid_to: datetime
    compromised_at: datetime | None


def keys_here(ctx: Context) -> tuple[KeyStanding, ...]:
    """Return the keys of the lab and of the installation, oldest first.

    Raises NotAllowed.
    """
    ctx.need("key.read")
    return tuple(
        _standing(ctx, key) for key in list_keys(ctx.session) if key.lab_id in (None, ctx.lab_id)
    )


def proposal(ctx: Context, proposal_id: int) -> KeyProposalView:
    """Return a proposal, agreed to or not.

    Raises
    ------
    NotAllowed, Conflict
    """
    ctx.need("key.read")
    row = ctx.session.scalars(select(KeyProposal).where(KeyProposal.id == proposal_id)).first()
    if row is None:
        raise proposal_ended()
    return _view(ctx, row)


def propose_retirement(
    ctx: Context, key_id: int, reason: str, second_person_id: int
) -> KeyProposalView:
    """Propose that a key sign no more.

    Raises
    ------
    NotFound, NotAllowed, Conflict, Invalid, Refused
    """
    return _propose(ctx, key_id, "retire", None, reason, second_person_id)


def propose_compromise(
    ctx: Context, key_id: int, since: datetime, reason: str, second_person_id: int
) -> KeyProposalView:
    """Propose to give up a key that may be in other hands since that instant.

    Raises
    ------
    NotFound, NotAllowed, Conflict, Invalid, Refused
    """
    return _propose(ctx, key_id, "compromise", since, reason, second_person_id)


def consent(ctx: Context, key_id: int, proposal_id: int, proof: Proof | None) -> KeyStanding:
    """Agree to a proposal as the colleague it names; what was proposed is done.

    Raises
    ------
    NotFound, NotAllowed, Conflict, Invalid, Refused
    """
    ctx.need("key.consent")
    key_of_lab(ctx, key_id)
    row = _open(ctx, key_id, proposal_id)
    if proof is None:
        raise consent_not_yours()
    proof.need()
    mine = (row.second_person_id, row.second_person_id, row.token)
    if (ctx.actor.person_id, proof.person_id, proof.challenge) != mine:
        raise consent_not_yours()
    ctx.session.add(
        KeyConsent(
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
    audit.record(ctx, "keys:end:consent", "signing_key", row.key_id, facts)
    first = replace(ctx, actor=actor_today(ctx, row.person_id))
    if row.effective_at is None:
        return _standing(ctx, retire_key(first, row.key_id, row.reason, row.second_person_id))
    since = row.effective_at
    given_up = compromise_key(first, row.key_id, since, row.reason, row.second_person_id)
    return _standing(ctx, given_up)


def open_proposals(ctx: Context) -> tuple[KeyProposalView, ...]:
    """Return what waits for a colleague's consent, oldest first.

    Raises NotAllowed.
    """
    ctx.need("key.read")
    return tuple(_view(ctx, row) for row in ctx.session.scalars(_waiting(ctx)))


def bytes_to_sign(engine: Engine, token: str) -> bytes | None:
    """Return what a passkey signs to consent; None when there is no such proposal."""
    with installation_session(engine, read_only=True) as session:
        found = select(KeyProposal).where(KeyProposal.token == token)
        row = session.scalars(found).one_or_none()
        return _bytes(row) if row is not None else None


def _propose(
    ctx: Context,
    key_id: int,
    act: str,
    since: datetime | None,
    reason: str,
    second_person_id: int,
) -> KeyProposalView:
    ctx.need("key.write")
    key = key_of_lab(ctx, key_id)
    if act == "retire":
        need_in_use(key)
    if since is not None:
        need_past(ctx, since)
    why = need_reason(reason)
    need_second(ctx, second_person_id)
    row = KeyProposal(
        token=secrets.token_urlsafe(32),
        key_id=key.id,
        act=act,
        effective_at=since,
        reason=why,
        person_id=ctx.actor.person_id,
        second_person_id=second_person_id,
        proposed_at=ctx.now,
        expires_at=ctx.now + LIFE,
    )
    ctx.session.add(row)
    ctx.session.flush()
    facts = {"act": act, "reason": why, "key": key.name, "second": second_person_id}
    audit.record(ctx, "keys:end:propose", "signing_key", key.id, facts)
    return _view(ctx, row)


def _standing(ctx: Context, key: KeyView) -> KeyStanding:
    return KeyStanding(
        id=key.id,
        purpose=key.purpose,
        lab=key.lab,
        name=key.name,
        algorithm=key.algorithm,
        public_key=key.public_key,
        fingerprint=key.fingerprint,
        state=key.state(ctx.now),
        valid_from=key.valid_from,
        valid_to=key.valid_to,
        compromised_at=key.compromised_at,
    )


def _bytes(row: KeyProposal) -> bytes:
    since = row.effective_at
    statement = {
        "v": 1,
        "proposal": row.token,
        "lab": row.lab_id,
        "key": row.key_id,
        "act": row.act,
        "since": _written(since) if since is not None else "",
        "reason": row.reason,
        "person": row.person_id,
        "second_person": row.second_person_id,
        "proposed_at": _written(row.proposed_at),
    }
    return hashlib.sha256(b"calib-key-consent/v1\0" + canonical_json(statement)).digest()


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _waiting(ctx: Context) -> Select[KeyProposal]:
    consented = select(KeyConsent.proposal_id)
    return (
        select(KeyProposal)
        .where(KeyProposal.id.not_in(consented), KeyProposal.expires_at > ctx.now)
        .order_by(KeyProposal.id)
    )


def _open(ctx: Context, key_id: int, proposal_id: int) -> KeyProposal:
    found = _waiting(ctx).where(KeyProposal.id == proposal_id, KeyProposal.key_id == key_id)
    row: KeyProposal | None = ctx.session.scalars(found).one_or_none()
    if row is None:
        raise proposal_ended()
    return row


def _view(ctx: Context, row: KeyProposal) -> KeyProposalView:
    return KeyProposalView(
        id=row.id,
        token=row.token,
        key_id=row.key_id,
        key_name=get_key(ctx.session, row.key_id).name,
        act=row.act,
        since=row.effective_at,
        reason=row.reason,
        person_name=name_of(ctx, row.person_id),
        second_person_id=row.second_person_id,
        second_person_name=name_of(ctx, row.second_person_id),
        proposed_at=row.proposed_at,
        expires_at=row.expires_at,
        signed_sha256=_bytes(row).hex(),
    )
