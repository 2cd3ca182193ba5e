"""From what a person typed or a passkey answered to the proof that a signature needs.

Runs before the transaction of the act is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Engine

from api.bootstrap import Wiring
from api.deps import WhoIs, Wired, origin_of, secret_of, wiring
from api.schemas.work import SignatureAnswer
from calib.services import signatures
from calib.services.consents import ProposalView
from calib.services.key_consents import KeyProposalView
from instruments.context import Context
from instruments.services import passkeys, reauthentication
from instruments.services.passkeys import Party
from instruments.services.reauthentication import Answer, Asker, Proof
from instruments.services.secrets import token_hash

Proposal = ProposalView | KeyProposalView
ToSign = Callable[[Engine, str], bytes | None]
"""Returns what a passkey signs, by the token of what was shown."""


@dataclass(frozen=True, slots=True)
class Prover:
    """Proves who somebody is, within the session a request belongs to."""

    wired: Wiring
    asker: Asker

    @property
    def session(self) -> str:
        """Return the SHA-256 of the secret of the session."""
        return self.asker.session_sha256

    def prove(
        self, answer: Answer | None, to_sign: ToSign = signatures.bytes_to_sign
    ) -> Proof | None:
        """Return the proof, with its fault; None where nothing was answered."""
        if answer is None or not answer.challenge:
            return None
        signed = to_sign(self.wired.engine, answer.challenge)
        return reauthentication.prove(
            self.wired.engine, self.asker, answer, signed, self.wired.clock
        )

    def passkey_options(self, ctx: Context, signed: bytes) -> str:
        """Return what the browser is asked to have a passkey sign; empty: there is none."""
        party = self.asker.party
        if party is None or not passkeys.has_any(ctx.session, self.asker.person_id):
            return ""
        return passkeys.begin_assertion(ctx.session, party, self.asker.person_id, signed)


def party_or_none(public_url: str) -> Party | None:
    """Return whom passkeys are for, None where browsers make none."""
    return passkeys.party_of(public_url) if passkeys.has_party(public_url) else None


def passkey_options(
    request: Request, ctx: Context, proposals: Sequence[Proposal]
) -> dict[int, str]:
    """Return what a passkey of the actor is asked, by the proposals that wait for their consent."""
    person = ctx.actor.person_id
    mine = [one for one in proposals if one.second_person_id == person]
    party = party_or_none(wiring(request).settings.public_url)
    if not mine or party is None or not passkeys.has_any(ctx.session, person):
        return {}
    signed = {one.id: bytes.fromhex(one.signed_sha256) for one in mine}
    return {
        id_: passkeys.begin_assertion(ctx.session, party, person, content)
        for id_, content in signed.items()
    }


def prover(request: Request, wired: Wired, who: WhoIs) -> Prover:
    """Return what proves who stands behind a request."""
    secret, _ = secret_of(request)
    return Prover(
        wired,
        Asker(
            who.person_id,
            token_hash(secret),
            origin_of(request),
            party_or_none(wired.settings.public_url),
        ),
    )


Proving = Annotated[Prover, Depends(prover)]


def answer_of(sent: SignatureAnswer | None) -> Answer | None:
    """Return what was sent as JSON to sign with."""
    if sent is None:
        return None
    return Answer(sent.challenge, sent.password, sent.code, sent.passkey)
