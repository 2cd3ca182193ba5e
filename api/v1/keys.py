"""Signing keys as JSON: see them, propose to end one, consent as the colleague who is named.

Keys are made, certified and followed by another at the machine: `calib keys`.
"""

from __future__ import annotations

from fastapi import APIRouter

from api.deps import Acting, Key, Reading, Writing, allows
from api.instants import instant_of
from api.proving import Proving, answer_of
from api.schemas.work import CompromisedKey, NewConsent, TwoPersons
from api.strict_routes import StrictRoute
from api.v1.answers import once_per_key
from calib.services import key_consents
from calib.services.key_consents import KeyProposalView, KeyStanding

router = APIRouter(tags=["keys"], route_class=StrictRoute)


@router.get("/keys", dependencies=allows("key.read"))
def list_keys(ctx: Reading) -> tuple[KeyStanding, ...]:
    """Return the public side of the keys of the laboratory and of the installation."""
    return key_consents.keys_here(ctx)


@router.get("/keys/proposals", dependencies=allows("key.read"))
def list_proposals(ctx: Reading) -> tuple[KeyProposalView, ...]:
    """Return what waits for a colleague's consent; its token is the challenge."""
    return key_consents.open_proposals(ctx)


@router.post("/keys/{key_id}/retire", status_code=201, dependencies=allows("key.write"))
def retire(key_id: int, body: TwoPersons, key: Key, ctx: Writing) -> KeyProposalView:
    """Propose that a key sign no more; it is done when the colleague consents."""

    def propose() -> dict[str, int]:
        made = key_consents.propose_retirement(ctx, key_id, body.reason, body.second_person_id)
        return {"proposal": made.id}

    sent = {"key": key_id, **body.model_dump()}
    made = once_per_key(ctx, "keys:end:retire", key, sent, propose)
    return key_consents.proposal(ctx, made["proposal"])


@router.post("/keys/{key_id}/compromise", status_code=201, dependencies=allows("key.write"))
def compromise(key_id: int, body: CompromisedKey, key: Key, ctx: Writing) -> KeyProposalView:
    """Propose to give up a key that may be in other hands; it is done when the colleague consents.

    A key that is in other hands for certain is given up at once by `calib keys compromise`.
    """

    def propose() -> dict[str, int]:
        made = key_consents.propose_compromise(
            ctx, key_id, instant_of(body.since), body.reason, body.second_person_id
        )
        return {"proposal": made.id}

    sent = {"key": key_id, **body.model_dump()}
    made = once_per_key(ctx, "keys:end:compromise", key, sent, propose)
    return key_consents.proposal(ctx, made["proposal"])


@router.post("/keys/{key_id}/consent", dependencies=allows("key.consent"))
def consent(key_id: int, body: NewConsent, act: Acting, prover: Proving) -> KeyStanding:
    """Agree, as the colleague who is named, to what was proposed."""
    proof = prover.prove(answer_of(body.signature), key_consents.bytes_to_sign)
    with act() as ctx:
        return key_consents.consent(ctx, key_id, body.proposal_id, proof)
