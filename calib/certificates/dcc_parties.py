"""The administrative part of a DCC: software, dates, item, laboratory, persons, customer."""

from __future__ import annotations

from typing import Final

from calib.certificates.dcc_statements import add_statements
from calib.certificates.dcc_xml import (
    Element,
    Texts,
    Voice,
    contents,
    dcc,
    same,
    some,
    worded,
)
from calib.certificates.document import CertificateDocument, ItemWords, PersonRole, PlaceKind
from calib.certificates.wording import PERFORMED

LOCATIONS: Final[dict[PlaceKind, str]] = {
    "laboratory": "laboratory",
    "customer_site": "customer",
    "other_site": "other",
}
ROLES: Final[tuple[PersonRole, ...]] = ("authorised", "reviewed", "performed")


def add_administrative(
    root: Element, voice: Voice, document: CertificateDocument, digest: str
) -> None:
    """Append everything a DCC says beside its results."""
    admin = dcc(root, "administrativeData")
    name, _, release = document.provenance.software.rpartition(" ")
    software = dcc(dcc(admin, "dccSoftware"), "software")
    worded(software, "name", same(name or release))
    dcc(software, "release", release)
    _core(admin, voice, document)
    _items(admin, voice, document)
    _laboratory(admin, voice, document)
    _persons(admin, voice, document)
    _contact(
        dcc(admin, "customer"),
        voice.label(document.customer.name),
        same(document.customer.address or document.customer.contact),
        description=document.customer.contact if document.customer.address else "",
    )
    add_statements(admin, voice, document, digest)


def _core(admin: Element, voice: Voice, document: CertificateDocument) -> None:
    core = dcc(admin, "coreData")
    dcc(core, "countryCodeISO3166_1", document.lab.country)
    for name in ("usedLangCodeISO639_1", "mandatoryLangCodeISO639_1"):
        for language in voice.speaker.languages:
            dcc(core, name, language)
    dcc(core, "uniqueIdentifier", document.number)
    marks = dcc(core, "identifications")
    mark(marks, "calibrationLaboratory", document.order_number, voice.say("Order no."))
    address = voice.say("Public address")
    mark(marks, "calibrationLaboratory", document.address, address, "calib_address")
    if not len(marks):
        core.remove(marks)
    some(core, "receiptDate", document.received_on)
    dcc(core, "beginPerformanceDate", document.performed_from)
    dcc(core, "endPerformanceDate", document.performed_on)
    dcc(core, "performanceLocation", LOCATIONS[document.place.kind])
    dcc(core, "issueDate", document.issued_on)
    if document.amendment:
        replaced = dcc(core, "reportAmendedSubstituted")
        dcc(replaced, "typeOfChange", "substituted")
        dcc(replaced, "replacedUniqueIdentifier", document.amendment.replaces)


def mark(parent: Element, issuer: str, value: str, name: Texts, kind: str = "") -> None:
    """Append an identification unless there is none."""
    if value.strip():
        identification = dcc(parent, "identification", kind=kind)
        dcc(identification, "issuer", issuer)
        dcc(identification, "value", value)
        worded(identification, "name", name)


def _items(admin: Element, voice: Voice, document: CertificateDocument) -> None:
    """Append the item, or one item per piece of a batch with what is common above them."""
    items, words = dcc(admin, "items"), document.item
    if not words.pieces:
        item = dcc(items, "item")
        item.set("id", piece_id(0))
        worded(item, "name", voice.label(words.name))
        _condition(item, words)
        _maker(item, words)
        some(item, "model", words.model)
        marks = dcc(item, "identifications")
        mark(
            marks, "manufacturer", words.serial, voice.say("Serial number"), _from(words, "serial")
        )
        _marks(marks, voice, words)
        if not len(marks):
            mark(marks, "calibrationLaboratory", document.number, voice.say("Certificate no."))
        return
    worded(items, "name", voice.label(words.name))
    _condition(items, words)
    _maker(items, words)
    marks = dcc(items, "identifications")
    _marks(marks, voice, words)
    if not len(marks):
        items.remove(marks)
    for number, piece in enumerate(words.pieces, 1):
        item = dcc(items, "item")
        item.set("id", piece_id(number))
        worded(item, "name", voice.label(words.name))
        some(item, "model", words.model)
        mark(dcc(item, "identifications"), "manufacturer", piece, voice.say("Piece"))


def piece_id(piece: int) -> str:
    """Return the id of a piece of a batch within the file; piece 0 is the item itself."""
    return f"piece-{piece}" if piece else "item"


def _condition(parent: Element, words: ItemWords) -> None:
    """Append the condition on receipt, and how the calibration mode was reached."""
    said = (
        (words.condition, "calib_condition"),
        (words.calibration_mode, "calib_calibrationMode"),
    )
    if not any(text.strip() for text, _ in said):
        return
    described = dcc(parent, "description")
    for text, kind in said:
        if text.strip():
            contents(described, same(text), kind)


def _maker(parent: Element, words: ItemWords) -> None:
    if words.maker.strip():
        maker = dcc(parent, "manufacturer", kind=_from(words, "maker"))
        worded(maker, "name", same(words.maker))


def _marks(parent: Element, voice: Voice, words: ItemWords) -> None:
    kind = _from(words, "asset_number")
    mark(parent, "customer", words.asset_number, voice.say("Asset number"), kind)
    mark(parent, "calibrationLaboratory", words.barcode, voice.say("Barcode"))


def _from(words: ItemWords, field: str) -> str:
    return "calib_suppliedByCustomer" if field in words.customer_supplied else ""


def _laboratory(admin: Element, voice: Voice, document: CertificateDocument) -> None:
    lab = document.lab
    laboratory = dcc(admin, "calibrationLaboratory")
    some(laboratory, "calibrationLaboratoryCode", lab.accreditation)
    contact = dcc(laboratory, "contact")
    _contact(
        contact,
        voice.label(lab.name),
        voice.label(lab.address),
        email=lab.email,
        phone=lab.phone,
        country=lab.country,
    )
    dcc(laboratory, "cryptElectronicSeal", "true" if document.seal == "sealed" else "false")


def _contact(
    contact: Element,
    name: Texts,
    address: Texts,
    *,
    email: str = "",
    phone: str = "",
    country: str = "",
    description: str = "",
) -> None:
    worded(contact, "name", name)
    some(contact, "eMail", email)
    some(contact, "phone", phone)
    location = dcc(contact, "location")
    some(location, "countryCode", country)
    further = worded(location, "further", address)
    contents(further, same(description) if description else (), "calib_contact")


def _persons(admin: Element, voice: Voice, document: CertificateDocument) -> None:
    """Append who answers for the certificate; whoever authorised it is its main signer."""
    persons = dcc(admin, "respPersons")
    labels = {
        "authorised": "Authorised by",
        "reviewed": "Reviewed by",
        "performed": PERFORMED[document.kind],
    }
    for role in ROLES:
        for person in document.persons:
            if person.role != role:
                continue
            element = dcc(persons, "respPerson", kind=f"calib_{role}")
            worded(dcc(element, "person"), "name", same(person.name))
            described = worded(element, "description", voice.say(labels[role]))
            for text, kind in (
                (person.position, "calib_position"),
                (person.on, "calib_date"),
                (person.signed_at, "calib_signedAt"),
                (person.signed_by, "calib_signedBy"),
            ):
                contents(described, same(text) if text else (), kind)
            dcc(element, "role", role)
            dcc(element, "mainSigner", "true" if role == "authorised" else "false")
