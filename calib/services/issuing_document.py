"""From an authorised record to the document its certificate will say; reads, writes nothing.

Every value is taken from the stored evaluation or from the registry as it is at this moment: the
document is then frozen, and nothing printed later is read from anywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date
from typing import cast

from sqlalchemy import select

from calib.certificates.document import (
    Amendment,
    CertificateDocument,
    CustomerWords,
    DocumentKind,
    DocumentLanguage,
    ItemWords,
    LabWords,
    PersonRole,
    PersonWords,
    PlaceWords,
    Provenance,
    SealWords,
)
from calib.certificates.drafting import kind_of, measurement_of
from calib.certificates.pdf import fonts_digest, template_digest
from calib.evaluation.floor import within_scope
from calib.records.certificates import Certificate
from calib.reminders import due
from calib.services.calibration_views import CalibrationView
from calib.services.chains import with_chain
from calib.services.document_standing import with_standing
from calib.services.evaluation import SOFTWARE, EvaluationView
from calib.services.review import MarkView, list_signatures, performers
from instruments.context import Context
from instruments.errors import Refused
from instruments.records.instruments import Instrument
from instruments.records.models import InstrumentModel
from instruments.records.orders import Order, OrderLine
from instruments.records.parties import Customer, Lab
from instruments.records.sites import Site
from instruments.text import LocalizedText


@dataclass(frozen=True, slots=True)
class Ground:
    """The rows a certificate speaks of."""

    lab: Lab
    customer: Customer
    order: Order
    line: OrderLine
    instrument: Instrument
    model: InstrumentModel
    site: Site | None


def ground_of(ctx: Context, record: CalibrationView) -> Ground:
    """Return the rows the certificate of a record speaks of; one query."""
    found = ctx.session.execute(
        select(Lab, Customer, Order, OrderLine, Instrument, InstrumentModel, Site)
        .select_from(OrderLine)
        .join(Lab, Lab.id == OrderLine.lab_id)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Customer, Customer.id == Order.customer_id)
        .join(Instrument, Instrument.id == OrderLine.instrument_id)
        .join(InstrumentModel, InstrumentModel.id == Instrument.model_id)
        .outerjoin(Site, Site.id == Instrument.site_id)
        .where(OrderLine.id == record.order_line_id)
    ).one()
    return Ground(*found)


def kind_and_due(
    record: CalibrationView, stored: EvaluationView, ground: Ground
) -> tuple[DocumentKind, date | None]:
    """Return which document the record becomes, and when the registry calls the instrument again.

    Raises
    ------
    Refused
        Nothing was measured, or a verification did not end in pass or fail.
    """
    if not stored.result.points and stored.result.verdict == "not_calibratable":
        raise Refused(
            "nothing-to-certify",
            "The item gives no access to its measurement, so there is nothing to certify. Have the "
            "record given back and close it with this reason.",
        )
    kind = kind_of(stored.input.kind, stored.result.verdict)
    months = record.definition.validity_months
    performed_on = date.fromisoformat(stored.input.performed_on)
    if kind == "verification_certificate" and months is not None:
        return kind, due.valid_until(performed_on, months)
    interval = ground.order.interval_months or ground.instrument.interval_months
    if kind == "calibration_certificate" and interval is not None:
        return kind, due.next_due(performed_on, interval)
    return kind, None


def make_document(
    ctx: Context,
    record: CalibrationView,
    stored: EvaluationView,
    marks: Mapping[str, MarkView],
    *,
    number: str,
    token: str,
    public_base: str,
    seal_key: SealWords | None = None,
) -> CertificateDocument:
    """Return everything the certificate will say; without a key of the seal it bears none.

    Raises
    ------
    Refused
        The record cannot become a certificate, or the laboratory has no address to print.
    """
    ground = ground_of(ctx, record)
    kind, due_on = kind_and_due(record, stored, ground)
    order = ground.order
    is_printed = kind == "calibration_certificate" and order.print_due and due_on is not None
    return CertificateDocument(
        kind=kind,
        language=cast("DocumentLanguage", order.language),
        number=number,
        token=token,
        address=f"{public_base.rstrip('/')}/c/{token}",
        lab=_lab(
            ground.lab,
            is_accredited=within_scope(stored.input, stored.result) and not stored.input.simulated,
        ),
        customer=CustomerWords(
            name=_named(ground.customer),
            address=ground.customer.address,
            contact=_reached(ground.customer),
        ),
        item=_item(record, ground),
        order_number=order.number,
        received_on=_local(ctx, ground),
        performed_from=stored.input.performed_on,
        performed_on=stored.input.performed_on,
        issued_on=ctx.today.isoformat(),
        issued_at=ctx.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        place=_place(record, ground),
        persons=_persons(ctx, record, stored, marks),
        measurement=with_chain(
            ctx,
            ground.lab,
            with_standing(ctx, record.definition, measurement_of(stored.input, stored.result)),
        ),
        result=stored.result,
        provenance=Provenance(
            software=SOFTWARE, template_digest=template_digest(), fonts_digest=fonts_digest()
        ),
        valid_until=due_on.isoformat() if kind == "verification_certificate" and due_on else None,
        next_due_on=due_on.isoformat() if is_printed and due_on else None,
        interval_agreed=is_printed,
        amendment=_amendment(ctx, record),
        deviations=_deviations(record, stored),
        remarks=(record.adjustment,) if record.adjustment else (),
        include_budget=order.include_budget,
        seal="sealed" if seal_key else "unsigned",
        seal_key=seal_key,
        simulated=stored.input.simulated,
    )


def replaced_certificate(ctx: Context, record: CalibrationView) -> Certificate | None:
    """Return the certificate that an amending record will replace."""
    if record.amends_id is None:
        return None
    return ctx.session.scalar(
        select(Certificate)
        .where(Certificate.calibration_id == record.amends_id)
        .order_by(Certificate.id.desc())
        .limit(1)
    )


def _lab(lab: Lab, *, is_accredited: bool) -> LabWords:
    """Return the lab; the accreditation is named only where its scope covers every result."""
    if not (lab.address_en or lab.address_zh):
        raise Refused(
            "lab-address-missing",
            "A certificate names the address of the laboratory, and {lab} has none. "
            "Have a manager enter it.",
            facts={"lab": lab.code},
            clause="ISO/IEC 17025:2017 7.8.2.1 (b)",
        )
    return LabWords(
        name=_named(lab),
        address=LocalizedText(en=lab.address_en, zh=lab.address_zh),
        phone=lab.phone,
        email=lab.email,
        accreditation=lab.accreditation if is_accredited else "",
        authorisation=lab.authorisation,
    )


def _reached(customer: Customer) -> str:
    """Return whom to speak to; without a name or an address there, how to reach the customer."""
    known = customer.contact or customer.address
    return customer.contact if known else customer.phone or customer.email


def _named(party: Lab | Customer | Site) -> LocalizedText:
    return LocalizedText(en=party.name_en, zh=party.name_zh)


def _item(record: CalibrationView, ground: Ground) -> ItemWords:
    instrument, model = ground.instrument, ground.model
    return ItemWords(
        name=record.definition.name,
        maker=model.maker,
        model=model.model,
        serial=instrument.serial,
        asset_number=instrument.asset_number,
        barcode=instrument.barcode,
        calibration_mode=model.calibration_mode or "",
        condition=ground.line.condition,
        quantity=len(record.plan.pieces) or 1,
        pieces=record.plan.pieces,
        customer_supplied=("asset_number",) if instrument.asset_number else (),
    )


def _local(ctx: Context, ground: Ground) -> str:
    received = ground.line.received_at
    return received.astimezone(ctx.zone).date().isoformat() if received else ""


def _place(record: CalibrationView, ground: Ground) -> PlaceWords:
    if record.place == "laboratory":
        lab = ground.lab
        return PlaceWords(
            kind="laboratory", name=_named(lab), address=_address(lab, ground.order.language)
        )
    host = ground.site or ground.customer
    return PlaceWords(
        kind="customer_site", name=_named(host), address=host.address or ground.customer.address
    )


def _address(lab: Lab, language: str) -> str:
    """Return the address in the first language of the certificate, if it was entered in that."""
    if language == "en":
        return lab.address_en or lab.address_zh
    return lab.address_zh or lab.address_en


def _persons(
    ctx: Context, record: CalibrationView, stored: EvaluationView, marks: Mapping[str, MarkView]
) -> tuple[PersonWords, ...]:
    signed = {
        (one.meaning, one.person_id): one for one in list_signatures(ctx, record.id) if one.stands
    }

    def person(role: PersonRole, id_: int, name: str, on: str) -> PersonWords:
        made = signed.get((role, id_))
        if made is None:
            return PersonWords(role=role, name=name, on=on)
        return PersonWords(
            role=role,
            name=made.printed_name,
            on=on,
            signed_at=made.signed_local,
            signed_by=made.way,
        )

    measured = (
        person("performed", id_, name, stored.input.performed_on)
        for id_, name in performers(ctx, record.id).items()
    )
    roles: tuple[PersonRole, ...] = ("reviewed", "authorised")
    answered = (
        person(
            role,
            marks[role].person_id,
            marks[role].person_name,
            marks[role].marked_at.astimezone(ctx.zone).date().isoformat(),
        )
        for role in roles
    )
    return (*measured, *answered)


def _amendment(ctx: Context, record: CalibrationView) -> Amendment | None:
    replaced = replaced_certificate(ctx, record)
    if replaced is None:
        return None
    return Amendment(replaces=replaced.number, reason=record.amendment_reason)


def _deviations(record: CalibrationView, stored: EvaluationView) -> tuple[str, ...]:
    """Return the remark, and why warnings about the method itself were accepted."""
    deviating = {
        f"{finding.code}@{finding.at}"
        for finding in stored.result.findings
        if finding.accepted and "7.8.2.1 (n)" in finding.clause
    }
    said = [w["reason"] for w in record.accepted_warnings if w["warning"] in deviating]
    return tuple(dict.fromkeys([*([record.remark] if record.remark else []), *said]))
