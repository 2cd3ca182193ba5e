"""Make, certify, rotate, retire and give up signing keys, each time by two persons.

A key is made where it will stay; only its public side comes here. Every act leaves an event, a line
in the ledger and an audit row in one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from sqlalchemy import func, select

from calib.certificates import seal_chain
from calib.ledger.notes import ED25519, NoteKey
from calib.records.keys import SigningKey, SigningKeyEvent
from calib.services import ledger
from calib.services.calibration_views import need_reason
from calib.services.key_views import X509, KeyView, Purpose, get_key, usable_key, written
from calib.services.ports import Algorithm, Vault
from calib.services.second_person import need_second
from instruments.context import Context
from instruments.errors import Conflict, Invalid, Refused
from instruments.records.parties import Lab
from instruments.services import audit

YEARS: dict[Purpose, int] = {
    "root": 20, "seal": 3, "mark": 10, "log": 20, "status": 10, "preview": 3,
}  # fmt: skip
"""How long a key of each purpose may sign."""
NEEDED: tuple[Purpose, ...] = ("root", "log", "status", "seal", "mark")
"""What an installation needs, the root first: it certifies the seal."""
_OF_A_LAB = ("seal", "mark")


@dataclass(frozen=True, slots=True)
class House:
    """What the installation is called in the names of its keys."""

    host: str
    origin: str
    """Name of its log."""


def make_key(
    ctx: Context, vault: Vault, house: House, purpose: Purpose, second_person_id: int
) -> KeyView:
    """Make a key; a seal is certified by the root of the installation where there is one.

    Raises
    ------
    NotAllowed, Unavailable
    Conflict
        There is a root, a log or a status key already: rotate it.
    Refused
        The second person may not be it.
    """
    ctx.need("key.write")
    need_second(ctx, second_person_id)
    lab_id = ctx.lab_id if purpose in _OF_A_LAB else None
    if purpose != "preview" and usable_key(ctx.session, purpose, ctx.now, lab_id) is not None:
        raise Conflict(
            "key-there-already",
            "There is a key for {purpose} that may sign. Rotate it with calib keys rotate.",
            facts={"purpose": purpose},
        )
    return _made(ctx, vault, house, purpose, second_person_id)


def make_missing(
    ctx: Context, vault: Vault, house: House, second_person_id: int
) -> tuple[KeyView, ...]:
    """Make every key that the installation and the lab need and do not have.

    Raises
    ------
    NotAllowed, Refused, Unavailable
    """
    ctx.need("key.write")
    need_second(ctx, second_person_id)
    missing = [
        purpose
        for purpose in NEEDED
        if usable_key(ctx.session, purpose, ctx.now, ctx.lab_id if purpose in _OF_A_LAB else None)
        is None
    ]
    return tuple(_made(ctx, vault, house, purpose, second_person_id) for purpose in missing)


def rotate_key(
    ctx: Context, vault: Vault, house: House, key_id: int, second_person_id: int
) -> KeyView:
    """Make the successor of a key; the old one finishes what was begun with it, until retired.

    Raises
    ------
    NotFound, NotAllowed, Conflict, Refused, Unavailable
    """
    old = _own(ctx, key_id, second_person_id)
    if not old.may_sign(ctx.now) or old.successor_id is not None or old.purpose == "log":
        raise Conflict(
            "key-not-rotatable",
            "The key {name} ({id}) is followed by another, no longer signs, or is that of the log, "
            "whose name it is for life. Make a new key; for a log, begin one under another name.",
            facts={"name": old.name, "id": old.id},
        )
    new = _made(ctx, vault, house, old.purpose, second_person_id)
    _happened(ctx, old, "rotated", second_person_id, successor_id=new.id)
    return new


def retire_key(ctx: Context, key_id: int, reason: str, second_person_id: int) -> KeyView:
    """Let a key sign no more; what it signed before stays good.

    Raises
    ------
    NotFound, NotAllowed, Conflict, Invalid, Refused
    """
    key = _own(ctx, key_id, second_person_id)
    need_in_use(key)
    _happened(ctx, key, "retired", second_person_id, reason=need_reason(reason))
    return get_key(ctx.session, key.id)


def compromise_key(
    ctx: Context, key_id: int, since: datetime, reason: str, second_person_id: int
) -> KeyView:
    """Give a key up that may be in other hands: from `since` on nothing by it is believed.

    Raises
    ------
    NotFound, NotAllowed, Refused
    Invalid
        The instant lies in the future.
    """
    key = _own(ctx, key_id, second_person_id)
    need_past(ctx, since)
    why = need_reason(reason)
    _happened(ctx, key, "compromised", second_person_id, reason=why, effective_at=since)
    return get_key(ctx.session, key.id)


def need_in_use(key: KeyView) -> None:
    """Raise Conflict for a key that is retired or given up."""
    if key.retired_at is not None or key.compromised_at is not None:
        raise Conflict(
            "key-ended",
            "The key {name} ({id}) is retired or given up already. Choose one that is in use: "
            "calib keys list shows them.",
            facts={"name": key.name, "id": key.id},
        )


def need_past(ctx: Context, since: datetime) -> None:
    """Raise Invalid for an instant that is still to come."""
    if since > ctx.now:
        raise Invalid(
            "compromise-in-future",
            "A key cannot be given up from {since} on, which is still to come. Give the earliest "
            "time at which it may have been in other hands.",
            at="/since",
            facts={"since": written(since)},
        )


def request_certificate(ctx: Context, vault: Vault, key_id: int) -> bytes:
    """Return the signing request (PEM) of a seal key, for an authority elsewhere.

    Raises
    ------
    NotFound, NotAllowed, Unavailable
    Refused
        The key bears no certificate by its purpose.
    """
    ctx.need("key.write")
    key = key_of_lab(ctx, key_id)
    _need_seal(key)
    lab = ctx.session.get_one(Lab, ctx.lab_id)

    def sign(content: bytes) -> bytes:
        return vault.sign(key.reference, key.algorithm, content)

    public_key = _p256(key.public_key)
    return seal_chain.make_request(key.name, lab.name_en or lab.name_zh, lab.code, public_key, sign)


def import_certificate(ctx: Context, key_id: int, pem: str, second_person_id: int) -> KeyView:
    """Take the certificate an authority elsewhere gave to a seal key, with those above it.

    Raises
    ------
    NotFound, NotAllowed, Invalid
    Refused
        It is of another key, does not lead to its last certificate, or is not valid now.
    """
    key = _own(ctx, key_id, second_person_id)
    _need_seal(key)
    chain = seal_chain.read_chain(pem)
    leaf_key = chain[0].public_key()
    if not isinstance(leaf_key, ec.EllipticCurvePublicKey) or (
        seal_chain.spki(leaf_key) != seal_chain.spki(_p256(key.public_key))
    ):
        raise Refused(
            "certificate-of-other-key",
            "The first certificate is not of the key {name} ({id}). Send the one made from its "
            "request, followed by those above it.",
            facts={"name": key.name, "id": key.id},
        )
    seal_chain.trusted(chain, chain[-1:], ctx.now)
    _happened(ctx, key, "certified", second_person_id, chain=seal_chain.pem_of(chain))
    return get_key(ctx.session, key.id)


def _made(
    ctx: Context, vault: Vault, house: House, purpose: Purpose, second_person_id: int
) -> KeyView:
    algorithm: Algorithm = "ecdsa-p256" if purpose in X509 else "ed25519"
    lab = ctx.session.get_one(Lab, ctx.lab_id) if purpose in _OF_A_LAB else None
    name = _name(ctx, house, purpose, lab)
    reference, public = vault.make(algorithm, f"{purpose}-{lab.code}" if lab else purpose)
    starts = ctx.now.replace(microsecond=0)
    row = SigningKey(
        purpose=purpose,
        lab_id=lab.id if lab else None,
        name=name,
        algorithm=algorithm,
        public_key=_public_text(name, algorithm, public),
        reference=reference,
        starts_at=starts,
        ends_at=starts + timedelta(days=365 * YEARS[purpose]),
    )
    ctx.session.add(row)
    ctx.session.flush()
    key = get_key(ctx.session, row.id)
    _happened(ctx, key, "made", second_person_id)
    chain = _certified_here(ctx, vault, key, lab)
    if chain:
        _happened(ctx, key, "certified", second_person_id, chain=chain)
    return get_key(ctx.session, row.id)


def _certified_here(ctx: Context, vault: Vault, key: KeyView, lab: Lab | None) -> str:
    """Return the chain that the installation itself gives a key; empty: it gives none."""
    root = usable_key(ctx.session, "root", ctx.now)
    if key.purpose not in X509 or (key.purpose == "seal" and root is None):
        return ""
    by = root if root is not None and key.purpose == "seal" else key

    def sign(content: bytes) -> bytes:
        return vault.sign(by.reference, by.algorithm, content)

    public_key, starts, ends = _p256(key.public_key), key.valid_from, key.valid_to
    if key.purpose == "root":
        return seal_chain.pem_of([seal_chain.make_root(key.name, public_key, starts, ends, sign)])
    if lab is None:
        return seal_chain.pem_of([seal_chain.make_alone(key.name, public_key, starts, ends, sign)])
    above = by.certificates()[0]
    organisation = lab.name_en or lab.name_zh
    own = seal_chain.make_seal_certificate(
        key.name, organisation, lab.code, public_key, above, starts, ends, sign
    )
    return seal_chain.pem_of([own, above])


def _name(ctx: Context, house: House, purpose: Purpose, lab: Lab | None) -> str:
    made = select(func.count()).select_from(SigningKey).where(SigningKey.purpose == purpose)
    number = 1 + (
        ctx.session.scalar(made.where(SigningKey.lab_id == (lab.id if lab else None))) or 0
    )
    names: dict[Purpose, str] = {
        "root": f"{house.host} root {number}",
        "seal": f"{lab.code if lab else ''} seal {number}",
        "mark": f"{house.host}/labs/{lab.code if lab else ''}/mark",
        "log": house.origin,
        "status": f"{house.origin}/status",
        "preview": f"PREVIEW {number}, no certificate",
    }
    return names[purpose]


def _public_text(name: str, algorithm: Algorithm, public: bytes) -> str:
    key = load_der_public_key(public)
    if algorithm == "ed25519":
        raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return str(NoteKey(name, ED25519, raw))
    pem = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(*pem).decode()


def _p256(pem: str) -> ec.EllipticCurvePublicKey:
    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise TypeError("a key that bears certificates is a P-256 key")
    return key


def _own(ctx: Context, key_id: int, second_person_id: int) -> KeyView:
    """Return a key the actor may decide over, together with the second person."""
    ctx.need("key.write")
    need_second(ctx, second_person_id)
    return key_of_lab(ctx, key_id)


def key_of_lab(ctx: Context, key_id: int) -> KeyView:
    """Return a key of the lab or of the installation; NotFound for one of another lab."""
    key = get_key(ctx.session, key_id)
    if key.lab_id not in (None, ctx.lab_id):
        return get_key(ctx.session, -1)  # of another lab: as if there were none
    return key


def _need_seal(key: KeyView) -> None:
    if key.purpose != "seal":
        raise Refused(
            "key-without-certificate",
            "The key {name} ({id}) is for {purpose}; only seals are certified elsewhere.",
            facts={"name": key.name, "id": key.id, "purpose": key.purpose},
        )


def _happened(ctx: Context, key: KeyView, event: str, second_person_id: int, **more: Any) -> None:
    """Write the event, its line in the ledger and its audit row."""
    row = SigningKeyEvent(
        key_id=key.id,
        event=event,
        person_id=ctx.actor.person_id,
        second_person_id=second_person_id,
        happened_at=ctx.now,
        **{"effective_at": ctx.now, **more},
    )
    ctx.session.add(row)
    ctx.session.flush()
    facts = {
        "key": key.public_key,
        "purpose": key.purpose,
        "lab": key.lab,
        "event": event,
        "effective_at": written(row.effective_at),
        "valid_from": written(key.valid_from),
        "valid_to": written(key.valid_to),
        "certificates": [
            seal_chain.fingerprint(one)
            for one in (seal_chain.read_chain(row.chain) if row.chain else ())
        ],
    }
    ledger.append(ctx, "key", 0, facts)
    audit.record(
        ctx,
        f"keys:key:{event}",
        "signing_key",
        key.id,
        facts | {"reason": row.reason, "second_person_id": second_person_id},
    )
