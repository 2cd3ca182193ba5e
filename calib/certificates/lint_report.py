"""Lints on what every report must say (ISO/IEC 17025 7.8.2), its dates, kind and texts."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from calib.certificates.document import CertificateDocument
from calib.certificates.fonts import printable_characters
from calib.certificates.lint_rules import ISO17025, VERIFICATIONS, Hit, rule
from instruments.errors import DomainError
from instruments.quantities import QUANTITIES, unit

_TOKEN_CHARACTERS = 22
"""128 random bits in base64url."""


@rule(
    "kind-against-verdict",
    "计量法 检定; " + ISO17025 + "7.8.2.1 (a)",
    "A {kind} does not fit the verdict {verdict}. A passed verification gets a verification "
    "certificate, a failed one a notice; nothing else concludes.",
)
def _kind(document: CertificateDocument) -> Iterator[Hit]:
    verdict = document.result.verdict
    allowed = {"verification_certificate": {"pass"}, "verification_notice": {"fail"}}
    if verdict not in allowed.get(document.kind, {verdict}) or verdict == "not_calibratable":
        yield "/result/verdict", {"kind": document.kind, "verdict": verdict}


@rule(
    "lab-incomplete",
    ISO17025 + "7.8.2.1 (b)",
    "The laboratory needs a name and an address; {part} is missing.",
)
def _lab(document: CertificateDocument) -> Iterator[Hit]:
    for part in ("name", "address"):
        if not getattr(document.lab, part).text("zh").strip():
            yield f"/lab/{part}", {"part": part}


@rule(
    "place-missing",
    ISO17025 + "7.8.2.1 (c)",
    "The place of the work is not named. Enter the room or the site.",
)
def _place(document: CertificateDocument) -> Iterator[Hit]:
    if not document.place.name.text("zh").strip():
        yield "/place/name", {}
    if document.place.kind != "laboratory" and not document.place.address.strip():
        yield "/place/address", {}


@rule(
    "number-or-address",
    ISO17025 + "7.8.2.1 (d)",
    "{part} {got} does not identify the document. The number must not be empty, the address "
    "must be https (http only for a local host) and end with a token of 128 random bits.",
)
def _identity(document: CertificateDocument) -> Iterator[Hit]:
    if not document.number.strip() or document.number != document.number.strip():
        yield "/number", {"part": "number", "got": document.number}
    if len(document.token) < _TOKEN_CHARACTERS:
        yield "/token", {"part": "token", "got": document.token}
    secure = document.address.startswith("https://") or any(
        document.address.startswith(f"http://{host}")
        for host in ("localhost", "127.0.0.1", "[::1]")
    )
    if not secure or not document.address.endswith(f"/c/{document.token}"):
        yield "/address", {"part": "address", "got": document.address}


@rule(
    "customer-incomplete",
    ISO17025 + "7.8.2.1 (e)",
    "The customer needs a name and a way to be reached (address or contact).",
)
def _customer(document: CertificateDocument) -> Iterator[Hit]:
    customer = document.customer
    if not customer.name.text("zh").strip():
        yield "/customer/name", {}
    if not (customer.address.strip() or customer.contact.strip()):
        yield "/customer/address", {}


@rule(
    "method-missing",
    ISO17025 + "7.8.2.1 (f)",
    "No governing document of the method is named. A verification rests on a JJG.",
)
def _method(document: CertificateDocument) -> Iterator[Hit]:
    methods = [m for m in document.measurement.methods if m.role == "method"]
    verifying = document.kind in VERIFICATIONS
    if not methods or (verifying and not any(m.id.startswith("JJG") for m in methods)):
        yield "/measurement/methods", {}


@rule(
    "item-unidentified",
    ISO17025 + "7.8.2.1 (g)",
    "The item is not identified without doubt: {part} is missing.",
)
def _item(document: CertificateDocument) -> Iterator[Hit]:
    item = document.item
    for part in ("maker", "model"):
        if not getattr(item, part).strip():
            yield f"/item/{part}", {"part": part}
    if not (
        item.serial.strip() or item.asset_number.strip() or item.barcode.strip() or item.pieces
    ):
        yield "/item/serial", {"part": "serial"}
    measured = {point.piece for point in document.result.points} - {0}
    if measured and max(measured) > len(item.pieces):
        yield "/item/pieces", {"part": f"piece {max(measured)}"}
    if len(set(item.pieces)) != len(item.pieces) or not all(p.strip() for p in item.pieces):
        yield "/item/pieces", {"part": "a distinct number of each piece"}


@rule(
    "condition-missing",
    ISO17025 + "7.8.2.1 (g)",
    "The condition of the item on receipt is not recorded.",
    "warning",
)
def _condition(document: CertificateDocument) -> Iterator[Hit]:
    if not document.item.condition.strip():
        yield "/item/condition", {}


@rule(
    "dates-out-of-order",
    ISO17025 + "7.8.2.1 (h)(i)(j)",
    "The dates must be ISO dates in the order received, performed, issued; got {got}.",
)
def _dates(document: CertificateDocument) -> Iterator[Hit]:
    texts = [document.performed_from, document.performed_on, document.issued_on]
    if document.received_on or document.place.kind == "laboratory":
        texts.insert(0, document.received_on)  # what is measured on site was never received
    try:
        days = [date.fromisoformat(text) for text in texts]
        instant = datetime.fromisoformat(document.issued_at)
    except ValueError:
        yield "/received_on", {"got": ", ".join([*texts, document.issued_at])}
        return
    if days != sorted(days):
        yield "/performed_on", {"got": ", ".join(texts)}
    # the local date of an instant differs from its UTC date by a day at most
    if instant.tzinfo is None or abs(instant.astimezone(UTC).date() - days[-1]) > timedelta(days=1):
        yield "/issued_at", {"got": f"{document.issued_on}, {document.issued_at}"}


@rule(
    "approvals-out-of-order",
    ISO17025 + "7.8.1.1, 7.8.2.1 (o)",
    "{name} {role} the work on {on}: results are reviewed and authorised after the work "
    "({performed_on}) and before the issue ({issued_on}).",
)
def _approvals(document: CertificateDocument) -> Iterator[Hit]:
    for i, person in enumerate(document.persons):
        least = document.performed_from if person.role == "performed" else document.performed_on
        if person.on and not least <= person.on <= document.issued_on:
            facts = {"name": person.name, "role": person.role, "on": person.on}
            days = {"performed_on": document.performed_on, "issued_on": document.issued_on}
            yield f"/persons/{i}/on", {**facts, **days}


@rule(
    "sampling-missing",
    ISO17025 + "7.8.2.1 (k)",
    "{measured} of {quantity} pieces were measured; say how they were chosen.",
)
def _sampling(document: CertificateDocument) -> Iterator[Hit]:
    measured = {point.piece for point in document.result.points if point.piece}
    # without a measurement a piece fails only by an examination: no sample was drawn then
    seen = measured | {p.piece for p in document.result.pieces if p.verdict == "fail"}
    if measured and len(seen) < document.item.quantity and not document.sampling.strip():
        yield "/sampling", {"measured": len(seen), "quantity": document.item.quantity}


@rule(
    "results-incomplete",
    ISO17025 + "7.8.2.1 (m)",
    "{part}: a result needs points, a measurand with known units and a value.",
)
def _results(document: CertificateDocument) -> Iterator[Hit]:
    failed = all(p.verdict == "fail" for p in document.result.pieces)  # by an examination
    if not document.result.points and not failed:
        yield "/result/points", {"part": "no points"}
    known = {m.id: m for m in document.measurement.measurands}
    for i, point in enumerate(document.result.points):
        if point.measurand not in known:
            yield f"/result/points/{i}", {"part": point.key}
    for measurand in known.values():
        for name in (measurand.unit, measurand.output_unit):
            if not _is_unit(name):
                yield f"/measurement/measurands/{measurand.id}", {"part": name}


@rule(
    "unit-unknown",
    ISO17025 + "7.8.2.1 (m), 7.8.4.1 (b); GB 3100",
    "The {quantity} of the surroundings is stated in {unit}, which is no unit of it.",
)
def _units(document: CertificateDocument) -> Iterator[Hit]:
    for i, condition in enumerate(document.measurement.conditions):
        if condition.unit not in QUANTITIES[condition.quantity].units:
            facts = {"quantity": condition.quantity, "unit": condition.unit}
            yield f"/measurement/conditions/{i}/unit", facts


@rule(
    "deviation-unnamed",
    ISO17025 + "7.8.2.1 (n)",
    "The warning {code} was accepted while measuring, but no deviation says so.",
    "warning",
)
def _deviations(document: CertificateDocument) -> Iterator[Hit]:
    for i, found in enumerate(document.result.findings):
        if found.accepted and not document.deviations:
            yield f"/result/findings/{i}", {"code": found.code}


@rule(
    "persons-incomplete",
    ISO17025 + "7.8.2.1 (o), 7.8.1.1",
    "A certificate names who performed, reviewed and authorised the work; {role} is missing.",
)
def _persons(document: CertificateDocument) -> Iterator[Hit]:
    for role in ("performed", "reviewed", "authorised"):
        if not any(p.role == role and p.name.strip() for p in document.persons):
            yield "/persons", {"role": role}


@rule(
    "same-person",
    ISO17025 + "7.8.1.1",
    "{name} performed the work, and one of the same name {role} it. It must be a second person.",
    "warning",
)
def _second_person(document: CertificateDocument) -> Iterator[Hit]:
    performers = {p.name for p in document.persons if p.role == "performed"}
    for person in document.persons:
        if person.role != "performed" and person.name in performers:
            yield "/persons", {"name": person.name, "role": person.role}


@rule(
    "interval-not-agreed",
    ISO17025 + "7.8.4.3",
    "A next date stands on the document, but no interval was agreed with the customer, or the "
    "kind of document carries its own validity.",
)
def _interval(document: CertificateDocument) -> Iterator[Hit]:
    if document.next_due_on is not None and (
        not document.interval_agreed or document.kind in VERIFICATIONS
    ):
        yield "/next_due_on", {}


@rule(
    "validity-wrong",
    "计量法 检定周期; JJG",
    "{problem}: only a verification certificate has a legal validity, and it must have one "
    "unless the item is verified once only.",
)
def _validity(document: CertificateDocument) -> Iterator[Hit]:
    until = document.valid_until
    if document.kind != "verification_certificate":
        if until is not None:
            yield "/valid_until", {"problem": f"{document.kind} with {until}"}
    elif document.measurement.legal_class == "mandatory_first":
        if until is not None:
            yield "/valid_until", {"problem": "first verification only"}
    elif until is None or until <= document.performed_on:
        yield "/valid_until", {"problem": until or "no date"}


@rule(
    "validity-fence-post",
    "计量法 检定周期; JJG",
    "A verification of {performed_on} with a period of {months} months is valid until {last}, its "
    "last day; the document says {got}.",
)
def _last_day(document: CertificateDocument) -> Iterator[Hit]:
    until, months = document.valid_until, document.measurement.validity_months
    if until is None or months is None or document.kind != "verification_certificate":
        return
    try:
        performed = date.fromisoformat(document.performed_on)
    except ValueError:
        return  # said already
    last = _day_before(performed, months).isoformat()
    if until != last:
        facts = {"performed_on": document.performed_on, "months": months}
        yield "/valid_until", {**facts, "last": last, "got": until}


def _day_before(start: date, months: int) -> date:
    """Return the day before the same day `months` later; the month's last where it has no such."""
    years, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    following = date(years + month // 11, (month + 1) % 12 + 1, 1) - timedelta(days=1)
    return min(following, date(years, month + 1, 1) + timedelta(days=start.day - 2))


@rule(
    "amendment-incomplete",
    ISO17025 + "7.8.8",
    "An amended document names the one it replaces and the reason.",
)
def _amendment(document: CertificateDocument) -> Iterator[Hit]:
    amendment = document.amendment
    if amendment and not (
        amendment.reason.strip() and amendment.replaces.strip() not in {"", document.number}
    ):
        yield "/amendment", {}


@rule(
    "calibration-mode-missing",
    ISO17025 + "7.8.4.1 (b)",
    "The item of a type measured in calibration mode names no mode.",
)
def _mode(document: CertificateDocument) -> Iterator[Hit]:
    if document.measurement.mode_required and not document.item.calibration_mode.strip():
        yield "/item/calibration_mode", {}


@rule(
    "hidden-character",
    ISO17025 + "7.8.1.2",
    "The text at {at} holds the invisible or direction-changing character {character}. "
    "Type it again.",
)
def _hidden(document: CertificateDocument) -> Iterator[Hit]:
    for at, text in _texts(document.as_dict()["document"], ""):
        for character in text:
            if unicodedata.category(character) in {"Cf", "Cc", "Co", "Cs", "Cn", "Zl", "Zp"}:
                yield at, {"at": at, "character": f"U+{ord(character):04X}"}
                break


@rule(
    "unprintable-character",
    "ISO 19005-3; ISO 14289-1",
    "The text at {at} holds {character}, which the fonts of certificates cannot draw.",
)
def _unprintable(document: CertificateDocument) -> Iterator[Hit]:
    for at, text in _texts(document.as_dict()["document"], ""):
        if text.isascii():
            continue
        strange = next((c for c in text if ord(c) not in printable_characters()), None)
        if strange is not None and unicodedata.category(strange)[0] not in "CZ":
            yield at, {"at": at, "character": f"{strange} (U+{ord(strange):04X})"}


def _texts(value: object, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, f"{at}/{key}")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _texts(item, f"{at}/{i}")


def _is_unit(name: str) -> bool:
    try:
        unit(name)
    except DomainError:
        return False
    return True
