"""The printed code: whose mark it bears, and whether it leads where its laboratory answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime

from calib.certificates.document import CertificateDocument
from calib.ledger.marks import DIGEST_SIZE, NONE, Mark, SignedMark, read_fragment
from calib.ledger.statuses import entry_of
from calib.verifier.evidence import NO_SIGNER, Evidence, standing_step
from calib.verifier.report import (
    Step,
    contradicted,
    established,
    not_established,
    simulated_step,
)

_ADDRESS = re.compile(
    r"https?://([A-Za-z0-9.:\[\]-]{1,253})/(?:[A-Za-z0-9._~-]+/)*c/([A-Za-z0-9_-]{1,128})"
)


STRANGE_CODE = "No laboratory you trust signed this code: it is forged."
SIMULATED = "simulated"
"""Verdict in the mark of a certificate that certifies nothing."""


def mark_steps(text: str, evidence: Evidence) -> tuple[list[Step], dict[str, str]]:
    """Examine what a QR code says: an address with the mark behind its #, or the mark alone.

    Raises Invalid when it holds no mark.
    """
    address, _, fragment = text.partition("#")
    signed = read_fragment(fragment or text)
    mark = signed.mark
    host, token = led_to(address) if fragment else ("", "")
    until = None if mark.until == NONE else mark.until
    whose = mark_step(signed, address if fragment else "", evidence)
    steps = [
        established("file", "It reads as {kind} {number}.", kind=mark.kind, number=mark.number),
        whose,
        *validity_steps(until, evidence.now.date()),
    ]
    if mark.verdict == SIMULATED:
        steps.append(simulated_step())
    if whose.state == "contradicted":
        message = "Whether it stands is not asked of a code that its laboratory did not make so."
        steps.append(not_established("status", message))
    else:
        steps.append(standing_step(evidence, mark.entry))
    if fragment:
        steps.append(_host_step(host, evidence))
    says = {
        "number": mark.number,
        "serial": mark.item,
        "issued_on": mark.issued_on,
        "valid_until": until or "",
        "verdict": mark.verdict,
        "host": host,
        "token": token,
    }
    return steps, says


def led_to(address: str) -> tuple[str, str]:
    """Return the host an address leads to, and the token in it.

    An address that a browser might read otherwise than it looks, ``https:x`` or ``https://a@b/``,
    has no host: the whole of it in quotes stands for one, and is nobody's.
    """
    found = _ADDRESS.fullmatch(address)
    return (found[1], found[2]) if found else (f'"{address[:200]}"', "")


def _host_step(host: str, evidence: Evidence) -> Step:
    """Answer whether a code leads to the installation that is pinned."""
    if evidence.trust is None:
        return not_established("host", "Nothing is pinned that the address could be held to.")
    expected = evidence.trust.host
    if host != expected:
        message = (
            "The code leads to {host}, you pinned {expected}. Do not open it, and believe nothing "
            "it shows. Ask the laboratory by a telephone number you know from elsewhere; if it "
            "really works at {host}, get its trust bundle from it by another way and pin it."
        )
        return contradicted("host", message, host=host, expected=expected)
    return established("host", "The code leads to {host}, which you pinned.", host=host)


def mark_step(signed: SignedMark, address: str, evidence: Evidence) -> Step:
    """Answer which trusted laboratory signed a mark, and whether the address is theirs."""
    trust = evidence.trust
    if trust is None:
        return not_established("mark", NO_SIGNER)
    keys = trust.mark_keys()
    key = signed.signer(keys)
    if key is None:
        return contradicted("mark", STRANGE_CODE)
    day = signed.mark.issued_on
    if not keys[key].held_at(datetime.fromisoformat(f"{day}T12:00:00+00:00")):
        message = "The key of the code was not to be believed on {day}."
        return contradicted("mark", message, day=day)
    host, token = led_to(address) if address else ("", "")
    if signed.mark.origin != trust.origin or (host and host != trust.host):
        message = (
            "The code leads to {host}, but its laboratory answers at {expected}. The page it opens "
            "is not theirs: believe only what is said here, and tell them."
        )
        return contradicted("mark", message, host=host, expected=trust.host)
    if token and entry_of(token) != signed.mark.entry:
        message = (
            "The address of the code was changed: the laboratory signed another one. Do not open "
            "it, and ask the laboratory."
        )
        return contradicted("mark", message)
    if keys[key].was_given_up(evidence.now):
        message = (
            "The key of the code was given up: whoever has it can date a code back. The code alone "
            "shows nothing; bring the file and its proof."
        )
        return not_established("mark", message)
    message = (
        "Signed by laboratory {code}. Compare number, serial number and result with what lies "
        "before you: a genuine code can be copied onto another item."
    )
    return established("mark", message, code=keys[key].lab)


def verdict_of_code(document: CertificateDocument) -> str:
    """Return the word for the result that stands in the code of a certificate."""
    return SIMULATED if document.simulated else document.result.stated


def mark_of(document: CertificateDocument, origin: str, place: int) -> Mark:
    """Return what the code of a certificate says."""
    item = document.item
    pieces = f"{item.pieces[0]} – {item.pieces[-1]}" if item.pieces else ""
    return Mark(
        origin=origin,
        number=document.number,
        kind=document.kind,
        issued_on=document.issued_on,
        until=document.valid_until or NONE,
        verdict=verdict_of_code(document),
        item=item.serial or pieces or NONE,
        place=place,
        payload=bytes.fromhex(document.digest())[:DIGEST_SIZE],
        entry=entry_of(document.token),
    )


def is_mark_of(mark: Mark, document: CertificateDocument) -> bool:
    """Answer whether a mark says of this document what its code says."""
    return mark == mark_of(document, mark.origin, mark.place)


def validity_steps(until: str | None, today: date) -> Iterator[Step]:
    """Answer whether the legal validity lasts; nothing for a document that has none."""
    if until is None:
        return
    if date.fromisoformat(until) < today:
        yield contradicted("validity", "Its legal validity ended on {day}.", day=until)
    else:
        yield established("validity", "It is legally valid until {day}.", day=until)
