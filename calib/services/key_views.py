"""Signing keys as they stand: which may sign now, what verifiers pin of them.

Reads only; sees the public side of keys and no back-end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, cast

from cryptography import x509
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from calib.certificates.document import SealWords
from calib.certificates.seal_chain import fingerprint, organisation_of, pem_of, read_chain
from calib.ledger.policies import read_policy
from calib.ledger.trust import TrustBundle, TrustedKey
from calib.records.certificates import Certificate, LedgerLeaf
from calib.records.keys import SigningKey, SigningKeyEvent
from calib.services.ports import Algorithm
from instruments.context import Context
from instruments.errors import NotFound
from instruments.records.parties import Lab
from instruments.text import LocalizedText

Purpose = Literal["root", "seal", "mark", "log", "status", "preview"]
State = Literal["usable", "uncertified", "early", "rotated", "expired", "retired", "compromised"]
NO_WITNESSES = "quorum none\n"
X509: tuple[Purpose, ...] = ("root", "seal", "preview")
"""Purposes whose keys bear certificates; the others sign notes."""


@dataclass(frozen=True, slots=True)
class KeyView:
    """The public side of a key, and what became of it."""

    id: int
    purpose: Purpose
    lab: str
    """Code of the laboratory; empty: of the installation."""
    lab_id: int | None
    name: str
    algorithm: Algorithm
    public_key: str
    """A vkey, or PEM."""
    chains: tuple[str, ...]
    """Each time it was certified: certificates as PEM, that of the key first."""
    reference: str
    valid_from: datetime
    valid_to: datetime
    successor_id: int | None
    retired_at: datetime | None
    compromised_at: datetime | None

    @property
    def chain(self) -> str:
        """Return the newest chain; empty: the key is not certified."""
        return self.chains[-1] if self.chains else ""

    @property
    def fingerprint(self) -> str:
        """Return the SHA-256 of its newest certificate in hexadecimal; empty: there is none."""
        return fingerprint(self.certificates()[0]) if self.chains else ""

    def state(self, now: datetime) -> State:
        """Return how the key stands at this instant."""
        if self.compromised_at is not None:
            return "compromised"
        if self.retired_at is not None and self.retired_at <= now:
            return "retired"
        if now >= self.valid_to:
            return "expired"
        if now < self.valid_from:
            return "early"
        if self.purpose in X509 and not self.chain:
            return "uncertified"
        return "rotated" if self.successor_id else "usable"

    def may_sign(self, now: datetime) -> bool:
        """Answer whether the key may sign: one that was followed by another may finish its work."""
        return self.state(now) in ("usable", "rotated")

    def certificates(self, certificate_digest: str = "") -> tuple[x509.Certificate, ...]:
        """Return the newest chain, or the one whose first certificate has this SHA-256."""
        for chain in map(read_chain, reversed(self.chains)):
            if certificate_digest in ("", fingerprint(chain[0])):
                return chain
        return ()

    def ends_at(self) -> datetime:
        """Return from when on nothing by this key is believed, were it not compromised."""
        return min(self.valid_to, self.retired_at or self.valid_to)


def list_keys(session: Session) -> tuple[KeyView, ...]:
    """Return every key of the installation, oldest first."""
    return _views(session, session.scalars(select(SigningKey).order_by(SigningKey.id)).all())


def get_key(session: Session, key_id: int) -> KeyView:
    """Return one key.

    Raises
    ------
    NotFound
    """
    rows = session.scalars(select(SigningKey).where(SigningKey.id == key_id)).all()
    if not rows:
        raise NotFound(
            "key-not-found",
            "There is no signing key {id}. See calib keys list.",
            facts={"id": key_id},
        )
    return _views(session, rows)[0]


def usable_key(
    session: Session, purpose: Purpose, now: datetime, lab_id: int | None = None
) -> KeyView | None:
    """Return the newest key that may sign for the purpose; None: there is none."""
    rows = session.scalars(
        select(SigningKey).where(SigningKey.purpose == purpose, SigningKey.lab_id == lab_id)
    ).all()
    usable = [key for key in _views(session, rows) if key.may_sign(now)]
    return max(usable, key=lambda key: key.id, default=None)


def seal_words(ctx: Context) -> SealWords | None:
    """Return what a certificate reserved now will be sealed with; None: it bears no seal."""
    key = usable_key(ctx.session, "seal", ctx.now, ctx.lab_id)
    return SealWords(name=key.name, fingerprint=key.fingerprint) if key else None


def mark_keys(session: Session, token: str, now: datetime) -> tuple[KeyView, KeyView] | None:
    """Return the key that signs the code of a certificate, and that of the log it names."""
    lab_id = session.scalar(select(Certificate.lab_id).where(Certificate.token == token))
    mark = usable_key(session, "mark", now, lab_id) if lab_id is not None else None
    log = usable_key(session, "log", now)
    return (mark, log) if mark is not None and log is not None else None


def key_of_certificate(session: Session, certificate_digest: str) -> KeyView | None:
    """Return the key whose certificate has this SHA-256."""
    keys = (key for key in list_keys(session) if key.purpose in ("seal", "preview"))
    return next((key for key in keys if key.certificates(certificate_digest)), None)


def trust_bundle(
    session: Session, *, host: str, origin: str, now: datetime, policy: str = ""
) -> TrustBundle:
    """Return what verifiers pin of this installation; keys for previews are never in it.

    `policy` is the tlog-policy with the witnesses; keys of the log it does not name are added.

    Raises
    ------
    NotFound
        There is no key of a log.
    """
    keys = [key for key in list_keys(session) if key.purpose != "preview"]
    named = _own_policy((key for key in keys if key.purpose == "log"), policy)
    if not named:
        raise NotFound(
            "trust-not-there",
            "This installation has no keys yet, so there is nothing to pin. Make them with calib "
            "keys new all.",
        )
    read_policy(named)
    return TrustBundle(
        host=host,
        origin=origin,
        policy=named,
        labs=_labs(session, keys),
        roots=_roots(keys),
        seals=_trusted(session, (key for key in keys if key.purpose == "seal" and key.chain)),
        marks=_trusted(session, (key for key in keys if key.purpose == "mark")),
        statuses=_trusted(session, (key for key in keys if key.purpose == "status")),
        made_at=written(now),
    )


def written(at: datetime) -> str:
    """Return a UTC instant as it stands in what is handed over."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _own_policy(keys: Iterable[KeyView], policy: str) -> str:
    own = [key.public_key for key in keys]
    logs = "".join(f"log {key}\n" for key in own if key not in policy)
    return f"{logs}{policy or NO_WITNESSES}" if own else ""


def _roots(keys: Sequence[KeyView]) -> tuple[str, ...]:
    """Return the roots; of a key certified elsewhere its own certificate stands for the root.

    Who certifies everybody, and not this installation alone, is not to be trusted with its seals.
    """
    own = [key.certificates()[0] for key in keys if key.purpose == "root" and key.chain]
    known = {fingerprint(root) for root in own}
    chains = [read_chain(one) for key in keys if key.purpose == "seal" for one in key.chains]
    alone = [chain[0] for chain in chains if fingerprint(chain[-1]) not in known]
    return tuple(pem_of([one]) for one in (*own, *alone))


def _trusted(session: Session, keys: Iterable[KeyView]) -> tuple[TrustedKey, ...]:
    return tuple(
        TrustedKey(
            key=named,
            lab=key.lab,
            valid_from=written(key.valid_from),
            valid_to=written(key.ends_at()),
            compromised_at=written(key.compromised_at) if key.compromised_at else "",
            compromised_size=_lines_before(session, key.compromised_at)
            if key.compromised_at
            else "",
        )
        for key in keys
        for named in ([fingerprint(read_chain(c)[0]) for c in key.chains] or [key.public_key])
    )


def _lines_before(session: Session, at: datetime) -> str:
    """Count the lines of the ledger that were there before a key was in other hands."""
    counted = select(func.count(LedgerLeaf.place)).where(LedgerLeaf.added_at < at)
    return str(session.scalar(counted) or 0)


def _labs(session: Session, keys: Sequence[KeyView]) -> dict[str, tuple[LocalizedText, ...]]:
    """Return the names of each laboratory, and after them those its seals were made out to."""
    ids = {key.lab_id for key in keys if key.lab_id is not None}
    found = {}
    for row in session.scalars(select(Lab).where(Lab.id.in_(ids)).order_by(Lab.code)):
        certificates = [
            read_chain(one)[0] for key in keys if key.lab_id == row.id for one in key.chains
        ]
        named = dict.fromkeys(map(organisation_of, certificates))
        earlier = [one for one in named if one and one not in (row.name_en, row.name_zh)]
        now = LocalizedText(en=row.name_en, zh=row.name_zh)
        found[row.code] = (now, *(LocalizedText(en=one, zh=one) for one in earlier))
    return found


def _views(session: Session, rows: Sequence[SigningKey]) -> tuple[KeyView, ...]:
    events = session.scalars(
        select(SigningKeyEvent)
        .where(SigningKeyEvent.key_id.in_([row.id for row in rows]))
        .order_by(SigningKeyEvent.id)
    ).all()
    codes = {id_: code for id_, code in session.execute(select(Lab.id, Lab.code))}  # noqa: C416
    return tuple(
        _view(row, codes, [event for event in events if event.key_id == row.id]) for row in rows
    )


def _view(row: SigningKey, codes: dict[int, str], events: Sequence[SigningKeyEvent]) -> KeyView:
    last = {event.event: event for event in events}
    compromised = [event.effective_at for event in events if event.event == "compromised"]
    return KeyView(
        id=row.id,
        purpose=cast("Purpose", row.purpose),
        lab=codes[row.lab_id] if row.lab_id is not None else "",
        lab_id=row.lab_id,
        name=row.name,
        algorithm=cast("Algorithm", row.algorithm),
        public_key=row.public_key,
        chains=tuple(event.chain for event in events if event.event == "certified"),
        reference=row.reference,
        valid_from=row.starts_at,
        valid_to=row.ends_at,
        successor_id=last["rotated"].successor_id if "rotated" in last else None,
        retired_at=last["retired"].effective_at if "retired" in last else None,
        compromised_at=min(compromised, default=None),
    )
