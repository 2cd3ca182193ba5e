"""Customers, sites, models, instruments, standards and scope on the wire."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api.schemas.wire import Day, Decimal, Wire, Words


class CustomerChange(Wire):
    """What may be said of a customer; a new one needs a name in some language."""

    name_en: Words = ""
    name_zh: Words = ""
    address: Words = ""
    contact: Words = ""
    phone: Words = ""
    email: Words = ""
    kind: Words = "other"
    is_small_firm: bool = False
    language: Words = "zh"


class SiteChange(Wire):
    """What may be said of a site."""

    name_en: Words = ""
    name_zh: Words = ""
    venue_type: Words = "other"
    district: Words = ""
    address: Words = ""


class NewSite(SiteChange):
    """A new site of a customer."""

    customer_id: int


class ModelChange(Wire):
    """What may be said of a model."""

    type_id: Words = ""
    maker: Words = ""
    model: Words = ""
    use: Words = "clinical"
    calibration_mode: Words | None = None
    calibration_mode_source: Words = ""
    attributes: dict[str, str] = Field(default_factory=dict)
    resolution: dict[str, Decimal] = Field(default_factory=dict)
    maker_limits: dict[str, list[dict[str, Any]]] = Field(default_factory=dict)


class InstrumentChange(Wire):
    """What may be changed of an instrument."""

    customer_id: int = 0
    site_id: int | None = None
    location: Words = ""
    asset_number: Words = ""
    serial: Words = ""
    probe_serial: Words = ""
    pieces: int = 1
    interval_months: int | None = None


class NewInstrument(Wire):
    """A new instrument or lot."""

    model_id: int
    customer_id: int
    serial: Words
    site_id: int | None = None
    location: Words = ""
    asset_number: Words = ""
    probe_serial: Words = ""
    pieces: int = 1
    barcode: Words | None = None
    interval_months: int | None = None


class NewStatus(Wire):
    """A change of status with its reason."""

    status: Words
    reason: Words


class NewTransfer(Wire):
    """An instrument passes to another customer: why, and who agreed for either side."""

    to_customer_id: int
    reason: Words
    consent: Words
    transferred_on: Day | None = None
    site_id: int | None = None
    hands_over: bool = False


class StandardChange(Wire):
    """What may be said of a measurement standard."""

    code: Words = ""
    kind: Words = ""
    name_en: Words = ""
    name_zh: Words = ""
    maker: Words = ""
    model: Words = ""
    serial: Words = ""
    quantity: Words = ""
    unit: Words = ""
    status: Words = "in_service"


class CertificateValue(Wire):
    """One line of a standard's certificate, decimals as text."""

    indication: Decimal
    reference: Decimal
    expanded_uncertainty: Decimal
    coverage_factor: Decimal = "2"
    dof: Decimal | None = None


class NewStandardCertificate(Wire):
    """A standard's certificate typed in, or a corrected edition of one."""

    number: Words
    issuer: Words
    calibrated_on: Day
    values: list[CertificateValue]
    valid_until: Day | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    replaces_id: int | None = None
    reason: Words = ""


class LastDay(Wire):
    """The last day something holds."""

    ends_on: Day


class NewScopeRow(Wire):
    """A row of the accreditation scope (CMC)."""

    type_id: Words
    measurand: Words
    document: Words
    low: Decimal
    high: Decimal
    expanded_uncertainty: Decimal
    fraction: Decimal = "0"
    starts_on: Day
    ends_on: Day | None = None
