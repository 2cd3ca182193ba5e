"""Whether the key of a seal was to be believed, and whose it is.

The time in a seal is the claim of whoever holds the key. The log and its witnesses show that the
certificate was there: a key that was given up later then still stands for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from cryptography.x509 import Certificate

from calib.certificates.document import CertificateDocument
from calib.certificates.seal_chain import fingerprint, read_chain
from calib.certificates.seal_life import believed
from calib.ledger.trust import TrustBundle, TrustedKey
from calib.verifier.report import Step, contradicted, established, not_established

if TYPE_CHECKING:
    from calib.certificates.pdf_seal_reading import SealedPDF

STRANGE_SEAL = "The seal stands under a trusted root, but its key {key} is none you pinned."


@dataclass(frozen=True, slots=True)
class Seen:
    """What others than the holder of a key show of when a certificate was there."""

    place: int | None = None
    """Its line in the log; None: not established."""
    at: datetime | None = None
    """When a witness or a timestamp authority first saw it."""

    def not_after(self, at: datetime | None) -> Seen:
        """Return the same with an earlier time, if this is one."""
        known = [one for one in (self.at, at) if one is not None]
        return Seen(self.place, min(known, default=None))


def seen_in(steps: Sequence[Step]) -> Seen:
    """Return what the steps about the log established."""
    facts = {step.id: step.facts for step in steps if step.state == "established"}
    place, at = facts.get("log", {}).get("place"), facts.get("witnesses", {}).get("seen_at")
    return Seen(
        place if isinstance(place, int) else None,
        datetime.fromisoformat(at) if isinstance(at, str) else None,
    )


def roots_of(trust: TrustBundle) -> list[Certificate]:
    """Return the certificates under which seals must stand."""
    return [one for pem in trust.roots for one in read_chain(pem)]


def time_roots_of(trust: TrustBundle) -> list[Certificate]:
    """Return the certificates under which time stamps must stand."""
    return [one for pem in trust.time_roots for one in read_chain(pem)]


def timestamp_steps(sealed: SealedPDF) -> list[Step]:
    """Answer whether an authority that is pinned saw the seal; nothing where there is no stamp."""
    if not sealed.stamped_by:
        return []
    if sealed.stamped_at is None:
        message = (
            "A time stamp of {authority} is on the seal, but you pinned no root that it stands "
            "under: when the seal was there is not established by it."
        )
        return [not_established("timestamp", message, authority=sealed.stamped_by)]
    message = "The timestamp authority {authority}, which you pinned, saw the seal at {at}."
    at = sealed.stamped_at.isoformat()
    return [established("timestamp", message, authority=sealed.stamped_by, at=at)]


def held(
    signer: Certificate, at: datetime, trust: TrustBundle, now: datetime, seen: Seen
) -> tuple[Step, TrustedKey | None]:
    """Answer whether a pinned key set a seal while it was to be believed."""
    mark = fingerprint(signer)
    key = next((one for one in trust.seals if one.key == mark), None)
    if key is None:
        return contradicted("seal", STRANGE_SEAL, key=mark[:16]), None
    answer = believed(key, at, now, seen.at)
    before = key.was_logged_before(seen.place) and _only_given_up(key, at)
    if answer == "contradicted" and not before:
        message = (
            "The key of the seal was not to be believed on {at}: out of its time, or compromised."
        )
        return contradicted("seal", message, at=at.isoformat()), key
    if answer == "not_established" and seen.place is None:
        message = (
            "The key of the seal is over or was given up, and nobody else shows that the seal of "
            "{at} was there before. Bring the proof of the log."
        )
        return not_established("seal", message, at=at.isoformat()), key
    message = "Sealed by laboratory {code} at {at}, and not changed since."
    return established("seal", message, code=key.lab, at=at.isoformat()), key


def _only_given_up(key: TrustedKey, at: datetime) -> bool:
    """Answer whether nothing but the compromise, found later, speaks against the key."""
    return TrustedKey(key.key, key.lab, key.valid_from, key.valid_to).held_at(at)


def of_document(
    step: Step, key: TrustedKey | None, trust: TrustBundle, document: CertificateDocument
) -> Step:
    """Hold the key of a seal to the laboratory and the time that the certificate names."""
    if step.state == "contradicted" or key is None:
        return step
    if document.lab.name not in trust.labs.get(key.lab, ()):
        message = "The seal is that of laboratory {code}, but the certificate names {named}."
        return contradicted("seal", message, code=key.lab, named=document.lab.name.en)
    at = str(step.facts["at"])
    if at.replace("+00:00", "Z") != document.issued_at:
        message = "The seal says {at}, the certificate {issued}."
        return contradicted("seal", message, at=at, issued=document.issued_at)
    return step


def of_issuer(step: Step, key: TrustedKey | None, trust: TrustBundle, named: str) -> Step:
    """Hold the key of a seal to the laboratory that a digital certificate names."""
    if step.state == "contradicted" or key is None:
        return step
    if not any(named in (name.en, name.zh) for name in trust.labs.get(key.lab, ())):
        message = "The seal is that of laboratory {code}, but the certificate names {named}."
        return contradicted("seal", message, code=key.lab, named=named)
    return step
