"""Passkeys (WebAuthn): kept, removed, and what they sign checked. Knows no browser and no form.

What is signed stays evidence: whoever has the public key can check it again, without this program.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from instruments.context import Context
from instruments.errors import Conflict, NotAllowed, Refused
from instruments.records.parties import Person
from instruments.records.passkeys import Passkey
from instruments.services import audit, fields
from instruments.services.rows import not_found
from instruments.services.security_notices import tell

MOST = 20
"""Passkeys of one person."""


@dataclass(frozen=True, slots=True)
class Party:
    """Whom a passkey is for: this installation, as the browser knows it."""

    id: str
    """Host name."""
    origin: str
    """Address without path, as the browser writes it into what is signed."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a passkey signed, and what it takes to check it again; bytes as base64url."""

    credential: str
    public_key: str
    authenticator_data: str
    client_data: str
    signature: str


@dataclass(frozen=True, slots=True)
class PasskeyView:
    """A passkey as its owner sees it."""

    id: int
    name: str
    created_at: datetime
    used_at: datetime | None


def party_of(public_url: str) -> Party:
    """Return whom passkeys of the installation at this address are for.

    Raises Refused where browsers make none: at a bare network address, or without https.
    """
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    if _is_number(host) or not (parts.scheme == "https" or host == "localhost"):
        raise Refused(
            "passkeys-need-a-name",
            "Browsers make passkeys only for a host name reached by https, and this installation "
            "is reached at {address}. Have its operator set CALIB_PUBLIC_URL to such an address.",
            facts={"address": public_url},
        )
    return Party(host, f"{parts.scheme}://{parts.netloc}")


def has_party(public_url: str) -> bool:
    """Answer whether browsers make passkeys for the installation at this address."""
    try:
        return bool(party_of(public_url))
    except Refused:
        return False


def begin_registration(session: Session, party: Party, person_id: int, challenge: bytes) -> str:
    """Return what the browser is asked, as JSON, to make a new passkey of a person.

    Raises Refused when the person has as many as one may have.
    """
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers import structs

    held = _of(session, person_id)
    if len(held) >= MOST:
        raise Refused(
            "passkeys-too-many",
            "This account has {most} passkeys. Remove one that is no longer used.",
            facts={"most": MOST},
        )
    person = session.get_one(Person, person_id)
    handle = hashlib.sha256(f"calib/{party.id}/{person_id}".encode()).digest()
    options = generate_registration_options(
        rp_id=party.id,
        rp_name="Calib",
        user_name=person.email,
        user_id=handle,
        user_display_name=person.name,
        challenge=challenge,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.PREFERRED,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            structs.PublicKeyCredentialDescriptor(id=_bytes(one.credential)) for one in held
        ],
    )
    return options_to_json(options)


def register(ctx: Context, party: Party, *, name: str, challenge: bytes, response: str) -> int:
    """Keep the passkey that the actor's browser made in answer to the challenge; return its id.

    Raises NotAllowed when the answer is not right, Conflict when the passkey is known already.
    """
    from webauthn import verify_registration_response
    from webauthn.helpers import bytes_to_base64url
    from webauthn.helpers.exceptions import WebAuthnException

    ctx.need("account.change")
    called = fields.words(name, "/passkey_name", required=True, limit=100)
    try:
        made = verify_registration_response(
            credential=response,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError) as problem:
        raise wrong() from problem
    credential = bytes_to_base64url(made.credential_id)
    if ctx.session.scalar(select(Passkey.id).where(Passkey.credential == credential)) is not None:
        raise Conflict("passkey-known", "This passkey is registered already. Use it as it is.")
    row = Passkey(
        person_id=ctx.actor.person_id,
        name=called,
        credential=credential,
        public_key=bytes_to_base64url(made.credential_public_key),
        sign_count=made.sign_count,
        created_at=ctx.now,
        used_at=None,
    )
    ctx.session.add(row)
    ctx.session.flush()
    tell(ctx.session, row.person_id, "passkey-added", ctx.now)
    facts = {"passkey": row.id, "name": called}
    audit.record(ctx, "registry:passkey:register", "person", row.person_id, facts)
    return row.id


def remove(ctx: Context, passkey_id: int) -> None:
    """Remove a passkey of the actor.

    Raises NotFound when it is none of theirs.
    """
    ctx.need("account.change")
    row = ctx.session.get(Passkey, passkey_id)
    if row is None or row.person_id != ctx.actor.person_id:
        raise not_found("passkey", passkey_id)
    ctx.session.delete(row)
    ctx.session.flush()
    tell(ctx.session, row.person_id, "passkey-removed", ctx.now)
    facts = {"passkey": row.id, "name": row.name}
    audit.record(ctx, "registry:passkey:remove", "person", row.person_id, facts)


def list_passkeys(ctx: Context) -> tuple[PasskeyView, ...]:
    """Return the actor's own passkeys, oldest first."""
    ctx.need("account.read")
    rows = _of(ctx.session, ctx.actor.person_id)
    return tuple(PasskeyView(row.id, row.name, row.created_at, row.used_at) for row in rows)


def has_any(session: Session, person_id: int) -> bool:
    """Answer whether a person has a passkey."""
    return bool(_of(session, person_id))


def begin_assertion(session: Session, party: Party, person_id: int | None, challenge: bytes) -> str:
    """Return what the browser is asked, as JSON, to have a passkey sign the challenge.

    Without a person it is whichever passkey the browser has for this installation. The challenge
    is the caller's: bytes of its own, at least 16 and never the same twice.
    """
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers import structs

    held = _of(session, person_id) if person_id is not None else []
    options = generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        allow_credentials=[
            structs.PublicKeyCredentialDescriptor(id=_bytes(one.credential)) for one in held
        ],
        user_verification=structs.UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def check_assertion(
    session: Session,
    party: Party,
    person_id: int | None,
    challenge: bytes,
    response: str,
    *,
    now: datetime,
) -> tuple[int, Evidence]:
    """Check what a passkey signed and count its use; return whose it is and the evidence.

    The person was verified by the authenticator (by PIN or finger), so that a passkey counts for
    both factors. Whoever calls sees to it that a challenge is taken once.

    Raises NotAllowed when it is not right, or of somebody else than the person named.
    """
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        evidence = _evidence(session, response)
        count = check_evidence(evidence, party, challenge)
    except (WebAuthnException, ValueError, KeyError) as problem:
        raise wrong() from problem
    used = (
        update(Passkey)  # house: bulk -- a count: two at once get one yes, and uses are no change
        .where(
            Passkey.credential == evidence.credential,
            or_(Passkey.sign_count < count, (Passkey.sign_count == 0) & (count == 0)),
        )
        .values(sign_count=count, used_at=now)
    )
    done = session.execute(used, execution_options={"synchronize_session": "fetch"})
    owner = session.scalar(
        select(Passkey.person_id).where(Passkey.credential == evidence.credential)
    )
    is_theirs = owner is not None and person_id in (None, owner)
    if done.rowcount != 1 or owner is None or not is_theirs:  # type: ignore[attr-defined]
        raise wrong()  # a count that went back is a copy of the passkey
    return owner, evidence


def check_evidence(evidence: Evidence, party: Party, challenge: bytes) -> int:
    """Check the signature of a passkey over a challenge; return its count of uses.

    Raises
    ------
    webauthn.helpers.exceptions.WebAuthnException, ValueError
        It is not right, or the authenticator did not verify the person.
    """
    from webauthn import verify_authentication_response

    verified = verify_authentication_response(
        credential={
            "id": evidence.credential,
            "rawId": evidence.credential,
            "type": "public-key",
            "response": {
                "clientDataJSON": evidence.client_data,
                "authenticatorData": evidence.authenticator_data,
                "signature": evidence.signature,
            },
        },
        expected_challenge=challenge,
        expected_rp_id=party.id,
        expected_origin=party.origin,
        credential_public_key=_bytes(evidence.public_key),
        credential_current_sign_count=0,
        require_user_verification=True,
    )
    return verified.new_sign_count


def _evidence(session: Session, response: str) -> Evidence:
    from webauthn.helpers import bytes_to_base64url as text
    from webauthn.helpers import parse_authentication_credential_json

    named = parse_authentication_credential_json(response)
    credential = text(named.raw_id)
    row = session.scalars(select(Passkey).where(Passkey.credential == credential)).one_or_none()
    if row is None:
        raise wrong()
    said = named.response
    return Evidence(
        credential,
        row.public_key,
        text(said.authenticator_data),
        text(said.client_data_json),
        text(said.signature),
    )


def _of(session: Session, person_id: int) -> list[Passkey]:
    mine = select(Passkey).where(Passkey.person_id == person_id).order_by(Passkey.id)
    return list(session.scalars(mine))


def _bytes(text: str) -> bytes:
    from webauthn.helpers import base64url_to_bytes

    return base64url_to_bytes(text)


def _is_number(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def wrong() -> NotAllowed:
    """Return the one answer to whatever is wrong with what a passkey signed."""
    return NotAllowed(
        "passkey-wrong",
        "The passkey was not accepted: it is unknown here, was answered too late, or twice. Try "
        "again, or sign in another way.",
    )
