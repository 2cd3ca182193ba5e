"""Measurement standards of the lab and the certificates that make them traceable.

A certificate is never changed: a correction is a new edition that names the one it replaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypedDict, Unpack

from sqlalchemy import select

from instruments.context import Context
from instruments.errors import Conflict
from instruments.quantities import QUANTITIES
from instruments.records.standards import (
    MeasurementStandard,
    StandardCertificate,
    StandardCertificateValue,
)
from instruments.services import audit, fields
from instruments.services.certificate_entry import CertificateEntry, CertificateLine, checked_entry
from instruments.services.rows import change, check_version, get_row, not_found
from instruments.tenancy import hold_lab
from instruments.text import LocalizedText

__all__ = ["CertificateEntry", "CertificateLine"]
STATUSES = ("in_service", "out_of_service")


class StandardFields(TypedDict, total=False):
    """What is kept of a standard; code, serial, quantity, unit and one of the names are needed."""

    code: str
    kind: str
    name_en: str
    name_zh: str
    maker: str
    model: str
    serial: str
    quantity: str
    unit: str
    status: str


@dataclass(frozen=True, slots=True)
class StandardCertificateView:
    """A certificate of a standard, with its lines ordered by indication."""

    id: int
    standard_id: int
    number: str
    edition: int
    replaces_id: int | None
    replaced_by_id: int | None
    reason: str
    issuer: str
    calibrated_on: date
    valid_until: date | None
    low: str | None
    high: str | None
    origin: str
    file_sha256: str | None
    entered_at: datetime
    person_id: int | None
    values: tuple[CertificateLine, ...]


@dataclass(frozen=True, slots=True)
class StandardView:
    """A standard with every certificate it had, newest calibration first."""

    id: int
    version: int
    code: str
    kind: str
    name: LocalizedText
    maker: str
    model: str
    serial: str
    quantity: str
    unit: str
    status: str
    certificates: tuple[StandardCertificateView, ...]


def register_standard(ctx: Context, **given: Unpack[StandardFields]) -> StandardView:
    """Register a measurement standard of the lab.

    Raises Conflict when its code is taken, Invalid for unusable fields.
    """
    ctx.need("standard.write")
    values = {"name_en": "", "name_zh": "", "quantity": "", "unit": ""} | _checked(given)
    for name in ("code", "serial"):
        fields.mark(values.get(name, ""), f"/{name}", required=True)
    _check_whole(values)
    hold_lab(ctx.session, ctx.lab_id)
    _need_free_code(ctx, values["code"])
    row = MeasurementStandard(created_at=ctx.now, **values)
    ctx.session.add(row)
    ctx.session.flush()
    audit.record(ctx, "registry:standard:register", "measurement_standard", row.id, values)
    return get_standard(ctx, row.id)


def update_standard(
    ctx: Context, standard_id: int, version: int, **changes: Unpack[StandardFields]
) -> StandardView:
    """Change what is named; the rest stays. Quantity and unit are fixed by the first certificate.

    Raises NotFound, Conflict when it was changed meanwhile or the code is taken, Invalid.
    """
    ctx.need("standard.write")
    row = get_row(ctx, MeasurementStandard, standard_id, "standard")
    check_version(row, version, "standard")
    values = _checked(changes)
    _check_whole({n: getattr(row, n) for n in ("name_en", "name_zh", "quantity", "unit")} | values)
    if any(values.get(n, getattr(row, n)) != getattr(row, n) for n in ("quantity", "unit")):
        _refuse_new_unit(ctx, row)
    if values.get("code", row.code) != row.code:
        hold_lab(ctx.session, ctx.lab_id)
        _need_free_code(ctx, values["code"])
    differences = change(ctx, row, values, "standard")
    audit.record(ctx, "registry:standard:update", "measurement_standard", row.id, differences)
    return get_standard(ctx, row.id)


def get_standard(ctx: Context, standard_id: int) -> StandardView:
    """Return a standard with its certificates and their lines.

    Raises NotFound when the lab has no such standard, NotAllowed for people who are not the lab's
    own.
    """
    ctx.need("standard.read")
    row = get_row(ctx, MeasurementStandard, standard_id, "standard")
    return _view(row, _certificates(ctx, [standard_id]))


def list_standards(ctx: Context) -> tuple[StandardView, ...]:
    """Return every standard of the lab with its certificates, ordered by code.

    Raises NotAllowed for people who are not the lab's own.
    """
    ctx.need("standard.read")
    rows = list(ctx.session.scalars(select(MeasurementStandard).order_by(MeasurementStandard.code)))
    certificates = _certificates(ctx, [row.id for row in rows])
    return tuple(_view(row, certificates) for row in rows)


def enter_certificate(
    ctx: Context,
    standard_id: int,
    entry: CertificateEntry,
    replaces_id: int | None = None,
    reason: str = "",
) -> int:
    """Enter a certificate of a standard and return its id; `replaces_id` makes it a new edition.

    Raises NotFound, Conflict when the number is entered or the old edition is replaced already,
    Invalid carrying a finding for every unusable field and line.
    """
    ctx.need("standard.certificate")
    standard = get_row(ctx, MeasurementStandard, standard_id, "standard")
    entry = checked_entry(entry, today=ctx.today)
    hold_lab(ctx.session, ctx.lab_id)
    edition = _edition(ctx, standard, entry.number, replaces_id)
    said = fields.words(reason, "/reason", required=replaces_id is not None)
    row = StandardCertificate(
        standard_id=standard_id,
        number=entry.number,
        edition=edition,
        replaces_id=replaces_id,
        reason=said,
        issuer=entry.issuer,
        calibrated_on=entry.calibrated_on,
        valid_until=entry.valid_until,
        low=entry.low,
        high=entry.high,
        origin=entry.origin,
        file_sha256=entry.file_sha256,
        entered_at=ctx.now,
        person_id=ctx.actor.person_id,
    )
    ctx.session.add(row)
    ctx.session.flush()
    ctx.session.add_all(
        StandardCertificateValue(
            certificate_id=row.id,
            place=place,
            indication=line.indication,
            reference=line.reference,
            expanded_uncertainty=line.U,
            coverage_factor=line.k,
            dof=line.dof,
        )
        for place, line in enumerate(entry.values, start=1)
    )
    facts = {
        "standard": standard.code,
        "number": entry.number,
        "edition": edition,
        "replaces": replaces_id,
        "reason": said,
        "lines": len(entry.values),
        "file": entry.file_sha256,
    }
    audit.record(ctx, "registry:standard:enter_certificate", "standard_certificate", row.id, facts)
    return row.id


def in_force(
    ctx: Context, standard_ids: Iterable[int], on: date
) -> Mapping[int, StandardCertificateView]:
    """Return, by standard, the certificate that was in force on a day.

    It was calibrated by then, had not run out and is not replaced; the newest calibration wins. A
    standard without one is absent.
    """
    found: dict[int, StandardCertificateView] = {}
    for standard_id, certificates in _certificates(ctx, sorted(set(standard_ids))).items():
        covering = [c for c in certificates if _covers(c, on)]
        if covering:
            found[standard_id] = covering[0]  # newest calibration first
    return found


def _covers(certificate: StandardCertificateView, on: date) -> bool:
    ran_out = certificate.valid_until is not None and certificate.valid_until < on
    return certificate.replaced_by_id is None and certificate.calibrated_on <= on and not ran_out


def _certificates(
    ctx: Context, standard_ids: Sequence[int]
) -> dict[int, list[StandardCertificateView]]:
    rows = list(
        ctx.session.scalars(
            select(StandardCertificate)
            .where(StandardCertificate.standard_id.in_(standard_ids))
            .order_by(
                StandardCertificate.calibrated_on.desc(),
                StandardCertificate.id.desc(),
            )
        )
    )
    lines: dict[int, list[CertificateLine]] = {row.id: [] for row in rows}
    values = (
        select(StandardCertificateValue)
        .join(
            StandardCertificate, StandardCertificate.id == StandardCertificateValue.certificate_id
        )
        .where(StandardCertificate.standard_id.in_(standard_ids))
        .order_by(StandardCertificateValue.certificate_id, StandardCertificateValue.place)
    )
    for value in ctx.session.scalars(values):
        lines[value.certificate_id].append(
            CertificateLine(
                indication=value.indication,
                reference=value.reference,
                U=value.expanded_uncertainty,
                k=value.coverage_factor,
                dof=value.dof,
            )
        )
    replaced = {row.replaces_id: row.id for row in rows if row.replaces_id is not None}
    found: dict[int, list[StandardCertificateView]] = {}
    for row in rows:
        view = _certificate_view(row, replaced.get(row.id), tuple(lines[row.id]))
        found.setdefault(row.standard_id, []).append(view)
    return found


def _edition(
    ctx: Context, standard: MeasurementStandard, number: str, replaces_id: int | None
) -> int:
    known = list(
        ctx.session.scalars(
            select(StandardCertificate).where(StandardCertificate.standard_id == standard.id)
        )
    )
    same = [row for row in known if row.number == number]
    if replaces_id is None:
        if same:
            raise Conflict(
                "certificate-entered",
                "Certificate {number} of standard {code} is entered already. To correct it, enter "
                "a new edition that replaces it, with the reason.",
                at="/number",
                facts={"number": number, "code": standard.code},
            )
        return 1
    if replaces_id not in {row.id for row in known}:
        raise not_found("certificate of this standard", replaces_id, "/replaces_id")
    if any(row.replaces_id == replaces_id for row in known):
        raise Conflict(
            "certificate-replaced",
            "That edition was replaced before. Replace the newest edition instead.",
            at="/replaces_id",
        )
    return max((row.edition for row in same), default=0) + 1


def _checked(given: StandardFields) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in given.items():
        at = f"/{name}"
        text = str(value)
        if name in ("code", "serial"):
            values[name] = fields.mark(text, at, required=True)
        elif name == "status":
            values[name] = fields.choice(text, STATUSES, at)
        else:
            values[name] = fields.words(text, at, limit=200)
    return values


def _check_whole(values: Mapping[str, str]) -> None:
    if not (values["name_en"] or values["name_zh"]):
        fields.words("", "/name_zh", required=True)
    fields.choice(values["quantity"], tuple(QUANTITIES), "/quantity")
    fields.choice(values["unit"], QUANTITIES[values["quantity"]].units, "/unit")


def _refuse_new_unit(ctx: Context, row: MeasurementStandard) -> None:
    entered = select(StandardCertificate.id).where(StandardCertificate.standard_id == row.id)
    if ctx.session.scalars(entered.limit(1)).first() is not None:
        raise Conflict(
            "standard-unit-fixed",
            "Standard {code} has certificates in {unit}; their values would change their meaning. "
            "Register another standard for the other unit.",
            at="/unit",
            facts={"code": row.code, "unit": row.unit},
        )


def _need_free_code(ctx: Context, code: str) -> None:
    same = select(MeasurementStandard.id).where(MeasurementStandard.code == code)
    if ctx.session.scalars(same).first() is not None:
        raise Conflict(
            "standard-code-taken",
            "There is a standard {code}. Choose another number.",
            at="/code",
            facts={"code": code},
        )


def _view(
    row: MeasurementStandard, certificates: Mapping[int, Sequence[StandardCertificateView]]
) -> StandardView:
    return StandardView(
        id=row.id,
        version=row.version,
        code=row.code,
        kind=row.kind,
        name=LocalizedText(row.name_en, row.name_zh),
        maker=row.maker,
        model=row.model,
        serial=row.serial,
        quantity=row.quantity,
        unit=row.unit,
        status=row.status,
        certificates=tuple(certificates.get(row.id, ())),
    )


def _certificate_view(
    row: StandardCertificate, replaced_by: int | None, values: tuple[CertificateLine, ...]
) -> StandardCertificateView:
    return StandardCertificateView(
        id=row.id,
        standard_id=row.standard_id,
        number=row.number,
        edition=row.edition,
        replaces_id=row.replaces_id,
        replaced_by_id=replaced_by,
        reason=row.reason,
        issuer=row.issuer,
        calibrated_on=row.calibrated_on,
        valid_until=row.valid_until,
        low=row.low,
        high=row.high,
        origin=row.origin,
        file_sha256=row.file_sha256,
        entered_at=row.entered_at,
        person_id=row.person_id,
        values=values,
    )
