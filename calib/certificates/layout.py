"""From a document to the pages' content: which facts, sections and sentences, in which order.

What comes out is plain JSON for the template, which adds type and space and no word of its own.
"""

from __future__ import annotations

from typing import Any

import segno

from calib.certificates.blocks import Block
from calib.certificates.document import CertificateDocument
from calib.certificates.sections import sections_of
from calib.certificates.wording import (
    PERFORMED,
    PERFORMED_ON,
    VERDICTS,
    Speaker,
    Words,
    documents_named,
    plain,
)
from calib.i18n import translate

END_MARK = "End of document; nothing follows"
SIMULATED = "SIMULATED READINGS"
NO_CERTIFICATE = "For training and trial; this is no certificate of an instrument."

MASK = 2
"""Mask of the code: what it holds looks like chance, so none is better, and trying all costs more
than the pages."""


def view_of(
    document: CertificateDocument, *, preview: bool = False, mark: str = ""
) -> dict[str, Any]:
    """Return everything the template prints; a preview has no address and no QR code.

    The code holds the address and behind its # the signed `mark`, which no browser sends anywhere.
    """
    speaker = Speaker.of(document.language)
    public = None
    if not preview:
        coded = f"{document.address}#{mark}" if mark else document.address
        public = {
            "qr": segno.make(coded, error="m", mask=MASK).svg_inline(border=0, scale=4),
            "width": 32 if mark else 24,
            "address": document.address,
            "alt": " / ".join(speaker.say("QR code of the address printed beside it")),
            "sentence": speaker.say(
                "Compare this document with what the address shows. If the code opens another "
                "host than the one printed here, do not trust it: ask the laboratory."
            ),
        }
    return {
        "languages": list(speaker.languages),
        "lang": speaker.languages[0],
        "name": " / ".join(speaker.title(document)) + f" {document.number}",
        "title": speaker.title(document),
        "number": document.number,
        "number_label": speaker.say("Certificate no."),
        "head": _head(speaker, document),
        "facts": _first_page(speaker, document),
        "conclusion": _conclusion(speaker, document),
        "persons": _persons(speaker, document),
        "seal": _seal(speaker, document),
        "public": public,
        "sections": sections_of(speaker, document),
        "end": speaker.say(END_MARK),
        "preview": "PREVIEW 预览" if preview else None,
        **({"band": band_of(speaker)} if document.simulated else {}),
    }


def band_of(speaker: Speaker) -> dict[str, Words]:
    """Return what every page says of simulated readings, in both languages whatever the document's.

    Whoever meets one page alone must see it.
    """
    return {
        "loud": tuple(translate(SIMULATED, language) for language in ("en", "zh")),
        "words": speaker.say(NO_CERTIFICATE),
    }


def _seal(speaker: Speaker, document: CertificateDocument) -> dict[str, Any]:
    key = document.seal_key
    if document.seal == "unsigned":
        words = speaker.say("Unsigned: no electronic seal yet")
    elif key is None:
        words = speaker.say("Sealed electronically; check the seal in the file")
    else:
        words = speaker.say(
            "Sealed electronically with {name}, certificate {fingerprint}…; check the seal in the "
            "file",
            name=key.name,
            fingerprint=key.fingerprint[:16],
        )
    return {
        "label": speaker.say("Seal"),
        "words": words,
        "sealed": document.seal == "sealed",
    }


def _head(speaker: Speaker, document: CertificateDocument) -> dict[str, Any]:
    lab = document.lab
    numbers: list[Words] = []
    if lab.accreditation:
        numbers.append(speaker.say("Accreditation no. {number}", number=lab.accreditation))
    if lab.authorisation:
        numbers.append(speaker.say("Authorisation no. {number}", number=lab.authorisation))
    return {
        "name": speaker.label(lab.name),
        "address": speaker.label(lab.address),
        "contact": "  ·  ".join(part for part in (lab.phone, lab.email) if part),
        "numbers": numbers,
    }


def _first_page(speaker: Speaker, document: CertificateDocument) -> list[Block]:
    """Return the rows of the first page: who, what, when."""
    item, customer = document.item, document.customer
    supplied = set(item.customer_supplied)
    rows: list[Block] = []

    def add(label: str, value: Words | str, field: str = "", *, wide: bool = False) -> None:
        words = (value,) if isinstance(value, str) else value
        if not any(words):
            return
        name = speaker.say(label)
        if field in supplied:
            name = (*name[:-1], name[-1] + " *")
        rows.append({"label": name, "words": words, "wide": wide})

    add("Customer", speaker.label(customer.name), wide=True)
    add("Customer address", customer.address, wide=True)
    add("Customer contact", customer.contact, wide=True)
    add("Item", speaker.label(item.name), wide=True)
    add("Manufacturer", item.maker, "maker")
    add("Model and specification", item.model, "model")
    add("Serial number", item.serial, "serial")
    add("Asset number", item.asset_number, "asset_number")
    add("Barcode", item.barcode)
    if item.quantity > 1 or item.pieces:
        add("Quantity", str(item.quantity), "quantity")
    add("Order no.", document.order_number)
    add("Received on", document.received_on)
    span = document.performed_on
    if document.performed_from != document.performed_on:
        span = f"{document.performed_from} … {document.performed_on}"
    add(PERFORMED_ON[document.kind], span)
    add("Issued on", document.issued_on)
    methods = [m for m in document.measurement.methods if m.role == "method"]
    if document.kind in {"calibration_certificate", "check_record"}:
        named = documents_named(document.measurement, [m.id for m in methods])
        add("Method", speaker.label(named), wide=True)
    add("Place", speaker.label(document.place.name), wide=True)
    if document.amendment:
        add("Replaces certificate", document.amendment.replaces, wide=True)
        add("Reason", document.amendment.reason, wide=True)
    return rows


def _conclusion(speaker: Speaker, document: CertificateDocument) -> list[Block]:
    """Return what stands out on the first page: verdict and validity, where the kind has them."""
    rows: list[Block] = []
    if document.kind in {"verification_certificate", "verification_notice"}:
        regulations = [m.id for m in document.measurement.methods if m.role == "method"]
        rows.append(
            {
                "label": speaker.say("Verification regulation"),
                "words": speaker.label(documents_named(document.measurement, regulations)),
            }
        )
        rows.append(
            {
                "label": speaker.say("Conclusion of verification"),
                "words": _verdict(speaker, document),
            }
        )
        if document.valid_until:
            rows.append({"label": speaker.say("Valid until"), "words": plain(document.valid_until)})
        elif document.kind == "verification_certificate":
            rows.append(
                {
                    "label": speaker.say("Validity"),
                    "words": speaker.say("First verification only; no period of validity"),
                }
            )
        else:
            rows.append(
                {
                    "label": speaker.say("Consequence"),
                    "words": speaker.say("The item may not be used for its purpose"),
                }
            )
    elif document.next_due_on and document.interval_agreed:
        rows.append(
            {
                "label": speaker.say("Next calibration (agreed with the customer)"),
                "words": plain(document.next_due_on),
            }
        )
    return rows


def _verdict(speaker: Speaker, document: CertificateDocument) -> Words:
    """Return the verdict; a batch with rejects must not look as if all of it passed."""
    pieces = [p for p in document.result.pieces if p.piece]
    passed = sum(p.verdict == "pass" for p in pieces)
    if passed == len(pieces):
        return speaker.say(VERDICTS[document.result.verdict])
    return speaker.say(
        "{passed} pieces pass, {others} do not and are named in the statement of conformity",
        passed=passed,
        others=len(pieces) - passed,
    )


def _persons(speaker: Speaker, document: CertificateDocument) -> list[Block]:
    labels = {
        "authorised": "Authorised by",
        "reviewed": "Reviewed by",
        "performed": PERFORMED[document.kind],
    }
    return [
        {
            "label": speaker.say(label),
            "name": person.name,
            "under": "  ".join(
                part for part in (person.position, person.signed_words() or person.on) if part
            ),
        }
        for role, label in labels.items()
        for person in document.persons
        if person.role == role
    ]
