"""Named lints over what a certificate is about to say, each tied to its clause.

They run on the document before a number is drawn, so that nothing is reserved that could not be
issued. Knows nothing of rows, templates or seals; `reread` looks at the finished file.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from calib.certificates.document import CertificateDocument
from calib.certificates.fonts import printable_characters
from instruments.errors import DomainError, Finding, Severity
from instruments.quantities import unit

Hit = tuple[str, Mapping[str, object]]
"""Where in the document (JSON pointer), and the facts of the message."""
Check = Callable[[CertificateDocument], Iterator[Hit]]
ISO17025 = "ISO/IEC 17025:2017 "
_TOKEN_CHARACTERS = 22
"""128 random bits in base64url."""
_VERIFICATIONS = {"verification_certificate", "verification_notice"}


@dataclass(frozen=True, slots=True)
class Lint:
    """One rule: its public code, the clause it stands for, how grave a breach is, the check."""

    code: str
    clause: str
    severity: Severity
    message: str
    check: Check


LINTS: dict[str, Lint] = {}


def _lint(
    code: str, clause: str, message: str, severity: Severity = "error"
) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        LINTS[code] = Lint(code, clause, severity, message, check)
        return check

    return register


def lint(document: CertificateDocument) -> tuple[Finding, ...]:
    """Return everything the document breaks, in the order of the clauses."""
    return tuple(
        Finding(
            code=rule.code, message=rule.message, severity=rule.severity,
            at=at, facts=facts, clause=rule.clause,
        )
        for rule in LINTS.values()
        for at, facts in rule.check(document)
    )  # fmt: skip


@_lint("kind-against-verdict", "计量法 检定; " + ISO17025 + "7.8.2.1 (a)",
       "A {kind} does not fit the verdict {verdict}. A passed verification gets a verification "
       "certificate, a failed one a notice; nothing else concludes.")  # fmt: skip
def _kind(document: CertificateDocument) -> Iterator[Hit]:
    verdict = document.result.verdict
    allowed = {"verification_certificate": {"pass"}, "verification_notice": {"fail"}}
    if verdict not in allowed.get(document.kind, {verdict}) or verdict == "not_calibratable":
        yield "/result/verdict", {"kind": document.kind, "verdict": verdict}


@_lint("lab-incomplete", ISO17025 + "7.8.2.1 (b)",
       "The laboratory needs a name and an address; {part} is missing.")  # fmt: skip
def _lab(document: CertificateDocument) -> Iterator[Hit]:
    for part in ("name", "address"):
        if not getattr(document.lab, part).text("zh").strip():
            yield f"/lab/{part}", {"part": part}


@_lint("place-missing", ISO17025 + "7.8.2.1 (c)",
       "The place of the work is not named. Enter the room or the site.")  # fmt: skip
def _place(document: CertificateDocument) -> Iterator[Hit]:
    if not document.place.name.text("zh").strip():
        yield "/place/name", {}
    elif document.place.kind != "laboratory" and not document.place.address.strip():
        yield "/place/address", {}


@_lint("number-or-address", ISO17025 + "7.8.2.1 (d)",
       "{part} {got} does not identify the document. The number must not be empty, the address must "
       "be https (http only for a local host) and end with a token of 128 random bits.")  # fmt: skip
def _identity(document: CertificateDocument) -> Iterator[Hit]:
    if not document.number.strip() or document.number != document.number.strip():
        yield "/number", {"part": "number", "got": document.number}
    if len(document.token) < _TOKEN_CHARACTERS:
        yield "/token", {"part": "token", "got": document.token}
    secure = document.address.startswith("https://") or any(
        document.address.startswith(f"http://{host}") for host in ("localhost", "127.0.0.1", "[::1]")
    )
    if not secure or not document.address.endswith(f"/c/{document.token}"):
        yield "/address", {"part": "address", "got": document.address}


@_lint("customer-incomplete", ISO17025 + "7.8.2.1 (e)",
       "The customer needs a name and a way to be reached (address or contact).")  # fmt: skip
def _customer(document: CertificateDocument) -> Iterator[Hit]:
    customer = document.customer
    if not customer.name.text("zh").strip():
        yield "/customer/name", {}
    if not (customer.address.strip() or customer.contact.strip()):
        yield "/customer/address", {}


@_lint("method-missing", ISO17025 + "7.8.2.1 (f)",
       "No governing document of the method is named. A verification rests on a JJG.")  # fmt: skip
def _method(document: CertificateDocument) -> Iterator[Hit]:
    methods = [m for m in document.measurement.methods if m.role == "method"]
    if not methods:
        yield "/measurement/methods", {}
    elif document.kind in _VERIFICATIONS and not any(m.id.startswith("JJG") for m in methods):
        yield "/measurement/methods", {}


@_lint("item-unidentified", ISO17025 + "7.8.2.1 (g)",
       "The item is not identified without doubt: {part} is missing.")  # fmt: skip
def _item(document: CertificateDocument) -> Iterator[Hit]:
    item = document.item
    for part in ("maker", "model"):
        if not getattr(item, part).strip():
            yield f"/item/{part}", {"part": part}
    if not (item.serial.strip() or item.asset_number.strip() or item.barcode.strip() or item.pieces):
        yield "/item/serial", {"part": "serial"}
    measured = {point.piece for point in document.result.points} - {0}
    if measured and max(measured) > len(item.pieces):
        yield "/item/pieces", {"part": f"piece {max(measured)}"}
    if len(set(item.pieces)) != len(item.pieces) or not all(p.strip() for p in item.pieces):
        yield "/item/pieces", {"part": "a distinct number of each piece"}


@_lint("condition-missing", ISO17025 + "7.8.2.1 (g)",
       "The condition of the item on receipt is not recorded.", "warning")  # fmt: skip
def _condition(document: CertificateDocument) -> Iterator[Hit]:
    if not document.item.condition.strip():
        yield "/item/condition", {}


@_lint("dates-out-of-order", ISO17025 + "7.8.2.1 (h)(i)(j)",
       "The dates must be ISO dates in the order received, performed, issued; got {got}.")  # fmt: skip
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


@_lint("sampling-missing", ISO17025 + "7.8.2.1 (k)",
       "{measured} of {quantity} pieces were measured; say how they were chosen.")  # fmt: skip
def _sampling(document: CertificateDocument) -> Iterator[Hit]:
    measured = len({point.piece for point in document.result.points if point.piece})
    if measured and measured < document.item.quantity and not document.sampling.strip():
        yield "/sampling", {"measured": measured, "quantity": document.item.quantity}


@_lint("results-incomplete", ISO17025 + "7.8.2.1 (m)",
       "{part}: a result needs points, a measurand with known units and a value.")  # fmt: skip
def _results(document: CertificateDocument) -> Iterator[Hit]:
    if not document.result.points:
        yield "/result/points", {"part": "no points"}
    known = {m.id: m for m in document.measurement.measurands}
    for i, point in enumerate(document.result.points):
        if point.measurand not in known:
            yield f"/result/points/{i}", {"part": point.key}
    for measurand in known.values():
        for name in (measurand.unit, measurand.output_unit):
            if not _is_unit(name):
                yield f"/measurement/measurands/{measurand.id}", {"part": name}


@_lint("deviation-unnamed", ISO17025 + "7.8.2.1 (n)",
       "The warning {code} was accepted while measuring, but no deviation says so.",
       "warning")  # fmt: skip
def _deviations(document: CertificateDocument) -> Iterator[Hit]:
    for i, found in enumerate(document.result.findings):
        if found.accepted and not document.deviations:
            yield f"/result/findings/{i}", {"code": found.code}


@_lint("persons-incomplete", ISO17025 + "7.8.2.1 (o), 7.8.1.1",
       "A certificate names who performed, reviewed and authorised the work; {role} is missing.")  # fmt: skip
def _persons(document: CertificateDocument) -> Iterator[Hit]:
    for role in ("performed", "reviewed", "authorised"):
        if not any(p.role == role and p.name.strip() for p in document.persons):
            yield "/persons", {"role": role}


@_lint("same-person", ISO17025 + "7.8.1.1",
       "{name} performed the work, and one of the same name {role} it. It must be a second person.",
       "warning")  # fmt: skip
def _second_person(document: CertificateDocument) -> Iterator[Hit]:
    performers = {p.name for p in document.persons if p.role == "performed"}
    for person in document.persons:
        if person.role != "performed" and person.name in performers:
            yield "/persons", {"name": person.name, "role": person.role}


@_lint("uncertainty-missing", ISO17025 + "7.8.4.1 (a)",
       "Point {key} has no positive expanded uncertainty with its coverage factor.")  # fmt: skip
def _uncertainty(document: CertificateDocument) -> Iterator[Hit]:
    for i, point in enumerate(document.result.points):
        U, k = _decimal(point.printed.U), _decimal(point.printed.k)  # noqa: N806 -- GUM symbol
        if U is None or k is None or U <= 0 or k <= 0:
            yield f"/result/points/{i}/printed/U", {"key": point.key}


@_lint("printed-differs", ISO17025 + "7.8.1.2",
       "Point {key}: {name} is printed as {printed}, but the computed value is {value}.")  # fmt: skip
def _printed(document: CertificateDocument) -> Iterator[Hit]:
    for i, point in enumerate(document.result.points):
        shown = point.printed
        for name, text, value in (
            ("error", shown.error, point.error),
            ("correction", shown.correction, -point.error),
            ("U", shown.U, point.U),
        ):
            printed = _decimal(text)
            if printed is None or abs(printed - Decimal(repr(value))) > _last_place(printed):
                yield (
                    f"/result/points/{i}/printed/{name}",
                    {"key": point.key, "name": name, "printed": text, "value": repr(value)},
                )


@_lint("rounding-uneven", "JCGM 100:2008 7.2.6; JJF 1059.1-2012 5.3.8",
       "Point {key}: {error} and U = {U} do not end at the same decimal place.")  # fmt: skip
def _rounding(document: CertificateDocument) -> Iterator[Hit]:
    for i, point in enumerate(document.result.points):
        error, U = _decimal(point.printed.error), _decimal(point.printed.U)  # noqa: N806
        if error is None or U is None or _last_place(error) != _last_place(U):
            yield (
                f"/result/points/{i}/printed",
                {"key": point.key, "error": point.printed.error, "U": point.printed.U},
            )


@_lint("conditions-missing", ISO17025 + "7.8.4.1 (b)",
       "No ambient temperature was recorded; it influences every result here.")  # fmt: skip
def _conditions(document: CertificateDocument) -> Iterator[Hit]:
    if not any(c.quantity == "temperature" for c in document.measurement.conditions):
        yield "/measurement/conditions", {}


@_lint("traceability-broken", ISO17025 + "7.8.4.1 (c), 6.5",
       "Standard {key}: {problem}. Results must be traceable through valid certificates.")  # fmt: skip
def _traceability(document: CertificateDocument) -> Iterator[Hit]:
    if not document.measurement.standards:
        yield "/measurement/standards", {"key": "-", "problem": "no standard is named"}
    for i, standard in enumerate(document.measurement.standards):
        problem = ""
        if not (standard.certificate_number.strip() and standard.issuer.strip()):
            problem = "its certificate or its issuer is not named"
        elif standard.calibrated_on > document.performed_on:
            problem = "it was calibrated after the work"
        elif standard.valid_until is not None and standard.valid_until < document.performed_on:
            problem = "its certificate had run out"
        if problem:
            yield f"/measurement/standards/{i}", {"key": standard.key, "problem": problem}


@_lint("before-adjustment-missing", ISO17025 + "7.8.4.1 (d)",
       "Results after adjustment are given without those before. Add them, or say in the "
       "deviations why there are none.")  # fmt: skip
def _before(document: CertificateDocument) -> Iterator[Hit]:
    stages = {point.stage for point in document.result.points}
    if stages == {"as_left"} and not document.deviations:
        yield "/result/points", {}


@_lint("statement-without-rule", ISO17025 + "7.8.4.1 (e), 7.8.6, 7.1.3",
       "{where} carries the verdict {verdict}, but no decision rule was agreed.")  # fmt: skip
def _rule(document: CertificateDocument) -> Iterator[Hit]:
    if document.measurement.rule.id != "none":
        return
    said = [("/result/verdict", document.result.verdict)]
    said += [(f"/result/points/{i}", p.verdict) for i, p in enumerate(document.result.points)]
    for at, verdict in said:
        if verdict not in {"not_stated", "cannot_be_stated"}:
            yield at, {"where": at, "verdict": verdict}


@_lint("limits-unnamed", ISO17025 + "7.8.6.2",
       "Point {key} was judged, but its limits or the document they come from are not named.")  # fmt: skip
def _limits(document: CertificateDocument) -> Iterator[Hit]:
    silent = {"not_stated", "cannot_be_stated"}
    for i, point in enumerate(document.result.points):
        limited = point.printed.lower is not None or point.printed.upper is not None
        if point.verdict not in silent and not (limited and point.limit_document):
            yield f"/result/points/{i}", {"key": point.key}


@_lint("limits-unconfirmed", ISO17025 + "7.8.6",
       "The limits from {document} have not been confirmed against the published document; the "
       "certificate says so in a loud word.", "warning")  # fmt: skip
def _unconfirmed(document: CertificateDocument) -> Iterator[Hit]:
    for i, name in enumerate(document.result.unconfirmed_limits):
        yield f"/result/unconfirmed_limits/{i}", {"document": name}


@_lint("interval-not-agreed", ISO17025 + "7.8.4.3",
       "A next date stands on the document, but no interval was agreed with the customer, or the "
       "kind of document carries its own validity.")  # fmt: skip
def _interval(document: CertificateDocument) -> Iterator[Hit]:
    if document.next_due_on is not None and (
        not document.interval_agreed or document.kind in _VERIFICATIONS
    ):
        yield "/next_due_on", {}


@_lint("validity-wrong", "计量法 检定周期; JJG",
       "{problem}: only a verification certificate has a legal validity, and it must have one "
       "unless the item is verified once only.")  # fmt: skip
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


@_lint("amendment-incomplete", ISO17025 + "7.8.8",
       "An amended document names the one it replaces and the reason.")  # fmt: skip
def _amendment(document: CertificateDocument) -> Iterator[Hit]:
    amendment = document.amendment
    if amendment and not (
        amendment.reason.strip() and amendment.replaces.strip() not in {"", document.number}
    ):
        yield "/amendment", {}


@_lint("calibration-mode-missing", ISO17025 + "7.8.4.1 (b)",
       "The item of a type measured in calibration mode names no mode.")  # fmt: skip
def _mode(document: CertificateDocument) -> Iterator[Hit]:
    if document.measurement.mode_required and not document.item.calibration_mode.strip():
        yield "/item/calibration_mode", {}


@_lint("hidden-character", ISO17025 + "7.8.1.2",
       "The text at {at} holds the invisible or direction-changing character {character}. "
       "Type it again.")  # fmt: skip
def _hidden(document: CertificateDocument) -> Iterator[Hit]:
    for at, text in _texts(document.as_dict()["document"], ""):
        for character in text:
            if unicodedata.category(character) in {"Cf", "Cc", "Co", "Cs", "Cn", "Zl", "Zp"}:
                yield at, {"at": at, "character": f"U+{ord(character):04X}"}
                break


@_lint("unprintable-character", "ISO 19005-3; ISO 14289-1",
       "The text at {at} holds {character}, which the fonts of certificates cannot draw.")  # fmt: skip
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


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _last_place(value: Decimal) -> Decimal:
    return Decimal(1).scaleb(int(value.as_tuple().exponent))
