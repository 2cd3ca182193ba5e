"""CertificateDocument: everything a certificate says, so that rendering needs nothing else.

The values are frozen before a number is printed; its canonical bytes are stored, hashed and
attached to the file. Knows nothing of rows, sessions, templates or seals.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from calib.evaluation.inputs import CMCRow, DecisionRule
from calib.evaluation.result import CalibrationResult
from instruments.canonical import canonical_json
from instruments.confirmed import Confirmed
from instruments.plain import from_plain, later, to_plain
from instruments.procedure import Confidence, DocumentRole, LegalClass, Output, Stage
from instruments.text import LocalizedText

DOCUMENT_FORMAT = 1
"""Version of this form; rises when a field changes its meaning, never when one is added with a
default."""

DocumentKind = Literal[
    "calibration_certificate", "verification_certificate", "verification_notice", "check_record"
]
"""校准证书, 检定证书, 检定结果通知书, 核查记录."""
DocumentLanguage = Literal["zh", "en", "zh+en"]
PersonRole = Literal["performed", "reviewed", "authorised"]
PlaceKind = Literal["laboratory", "customer_site", "other_site"]
SealState = Literal["unsigned", "sealed"]
Quantity = Literal["temperature", "relative_humidity", "pressure"]


@dataclass(frozen=True, slots=True)
class LabWords:
    """The laboratory as the head of the certificate names it."""

    name: LocalizedText
    address: LocalizedText
    phone: str = ""
    email: str = ""
    accreditation: str = ""
    """Accreditation number as granted, e.g. ``CNAS L0000``; empty: none claimed, because the lab
    has none or because a result lies outside its scope."""
    authorisation: str = ""
    """Number of the legal authorisation (授权证书) and of the examined measurement standard."""
    country: str = later("CN")
    """Two letters of ISO 3166-1, as a digital certificate must name it."""


@dataclass(frozen=True, slots=True)
class CustomerWords:
    """Who ordered the work (委托单位)."""

    name: LocalizedText
    address: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class ItemWords:
    """The item, identified without doubt (7.8.2.1 g)."""

    name: LocalizedText
    maker: str
    model: str
    serial: str
    """Empty only for a batch, whose pieces are then named in `pieces`."""
    asset_number: str = ""
    """The owner's number (管理编号)."""
    barcode: str = ""
    """The lab's own mark."""
    calibration_mode: str = ""
    """How the unadjusted mode was reached; empty: the item has none."""
    condition: str = ""
    """Condition on receipt."""
    quantity: int = 1
    pieces: tuple[str, ...] = ()
    """Serial or running numbers of a batch; piece 1 is the first."""
    customer_supplied: tuple[str, ...] = ()
    """Fields of this record the customer supplied, e.g. ``asset_number`` (7.8.2.2)."""


@dataclass(frozen=True, slots=True)
class PlaceWords:
    """Where the work was done (7.8.2.1 c)."""

    kind: PlaceKind
    name: LocalizedText
    address: str = ""


@dataclass(frozen=True, slots=True)
class PersonWords:
    """A person who answers for the certificate."""

    role: PersonRole
    name: str
    position: str = ""
    on: str = ""
    """ISO date of the act; empty: not printed."""
    signed_at: str = later("")
    """When the act was signed, in the lab's zone with its offset; empty: it bears no signature."""
    signed_by: str = later("")
    """How the person proved who they are: ``password``, ``password+code`` or ``passkey``."""

    def signed_words(self) -> str:
        """Return the time of the signature as it is printed: ``2026-03-02 16:30:00 +08:00``."""
        day, _, time = self.signed_at.partition("T")
        return f"{day} {time[:8]} {time[8:]}" if time else ""


@dataclass(frozen=True, slots=True)
class MethodDocument:
    """A governing document with its edition."""

    id: str
    title: LocalizedText
    role: DocumentRole
    confidence: Confidence
    is_outdated: bool = later(default=False)
    """Out of force on the day of issue."""
    ends_on: str | None = later(None)
    """Its last day, where that is known."""
    replaced_by: str = later("")


@dataclass(frozen=True, slots=True)
class StandardUsed:
    """A measurement standard and the certificate that ties it to the SI."""

    key: str
    name: LocalizedText
    model: str
    serial: str
    certificate_number: str
    issuer: str
    calibrated_on: str
    valid_until: str | None
    range: str = ""
    """Range of its certificate with unit, as text."""
    uncertainty: str = ""
    """U of its certificate, from the smallest to the largest, with unit and k, as text."""


@dataclass(frozen=True, slots=True)
class ChainLink:
    """What a certificate of the laboratory itself rested on: the next step towards the SI."""

    of: str
    """Number of the laboratory's own certificate."""
    certificate_number: str
    issuer: str


@dataclass(frozen=True, slots=True)
class ConditionRange:
    """An influence quantity over the time of the work; low and high may be equal."""

    quantity: Quantity
    unit: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class ComponentWords:
    """The name of one line of the uncertainty budget."""

    id: str
    name: LocalizedText


@dataclass(frozen=True, slots=True)
class MeasurandWords:
    """What is needed of the type definition to print one measurand."""

    id: str
    name: LocalizedText
    unit: str
    output: Output
    output_unit: str
    function: str
    components: tuple[ComponentWords, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class ExaminationOutcome:
    """The outcome of a qualitative part."""

    id: str
    name: LocalizedText
    document: str
    confidence: Confidence
    passed: bool
    remark: str = ""
    rejected_pieces: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class LimitSource:
    """Where the limits of one measurand come from, once per source."""

    measurand: str
    origin: Literal["type", "maker", "customer"]
    document: str
    confidence: Confidence
    clause: str = ""
    confirmed: Confirmed | None = later(None)
    """Who of the lab compared a BG limit with its document."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured, how and with what; made from the frozen input by `measurement_of`."""

    type_id: str
    type_version: str
    definition_digest: str
    legal_class: LegalClass
    methods: tuple[MethodDocument, ...]
    measurands: tuple[MeasurandWords, ...]
    standards: tuple[StandardUsed, ...]
    conditions: tuple[ConditionRange, ...]
    rule: DecisionRule
    limits: tuple[LimitSource, ...] = ()
    examinations: tuple[ExaminationOutcome, ...] = ()
    acclimatisation_minutes: int | None = None
    stages: tuple[Stage, ...] = ("as_found",)
    """Stages measured, in order."""
    mode_required: bool = False
    """The type is measured in calibration mode, which must then be named."""
    scope: tuple[CMCRow, ...] = later(())
    """Rows of the accredited scope on the day of the work, of what was measured."""
    chain: tuple[ChainLink, ...] = later(())
    """Where standards were calibrated by the laboratory itself: what those certificates rest on."""
    validity_months: int | None = later(None)
    """Period of validity that the regulation gives a verification."""

    def measurand(self, id_: str) -> MeasurandWords:
        """Return the words of one measurand; KeyError when there are none."""
        for measurand in self.measurands:
            if measurand.id == id_:
                return measurand
        raise KeyError(id_)


@dataclass(frozen=True, slots=True)
class Amendment:
    """The certificate this one replaces, and why (7.8.8)."""

    replaces: str
    reason: str


@dataclass(frozen=True, slots=True)
class SealWords:
    """The key the certificate is sealed with, chosen when its number was reserved."""

    name: str
    fingerprint: str
    """SHA-256 of its certificate in hexadecimal."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What made the file; with it the bytes can be made again."""

    software: str
    """Name and version, e.g. ``calib 0.1.0``."""
    template_digest: str = ""
    """SHA-256 over templates and words, from `calib.certificates.pdf.template_digest`."""
    fonts_digest: str = ""
    """SHA-256 over the font files, from `calib.certificates.pdf.fonts_digest`."""


@dataclass(frozen=True)
class CertificateDocument:
    """All that one certificate says, in plain frozen values."""

    kind: DocumentKind
    language: DocumentLanguage
    number: str
    token: str
    address: str
    """The full public address, printed in clear beside its QR code."""
    lab: LabWords
    customer: CustomerWords
    item: ItemWords
    order_number: str
    received_on: str
    performed_from: str
    performed_on: str
    """ISO dates; equal to `performed_from` when the work took one day."""
    issued_on: str
    """ISO date in the lab's zone."""
    issued_at: str
    """UTC instant of issue, ``2026-03-02T08:15:00Z``; the time stamp inside the file."""
    place: PlaceWords
    persons: tuple[PersonWords, ...]
    measurement: Measurement
    result: CalibrationResult
    provenance: Provenance
    traceability: LocalizedText | None = None
    """The lab's own statement of traceability; None: the usual words."""
    valid_until: str | None = None
    """Legal validity of a verification; never on a calibration certificate."""
    next_due_on: str | None = None
    """Printed only with `interval_agreed` (7.8.4.3)."""
    interval_agreed: bool = False
    amendment: Amendment | None = None
    deviations: tuple[str, ...] = ()
    """Additions to, deviations or exclusions from the method (7.8.2.1 n)."""
    remarks: tuple[str, ...] = ()
    opinions: tuple[str, ...] = ()
    """Opinions and interpretations, printed marked as such (7.8.7)."""
    external_results: tuple[str, ...] = ()
    """Results of external providers, printed marked as such (7.8.2.1 p)."""
    sampling: str = ""
    include_budget: bool = False
    seal: SealState = "unsigned"
    format: int = DOCUMENT_FORMAT
    simulated: bool = later(default=False)
    """Its readings come from a generator: it certifies no instrument, and every page says so."""
    seal_key: SealWords | None = later(None)

    def as_dict(self) -> dict[str, Any]:
        """Return the plain form that is stored and attached to the file."""
        return {"kind": "certificate", "document": to_plain(self)}

    def canonical(self) -> bytes:
        """Return the bytes that are stored, hashed and attached."""
        return self._canonical

    @functools.cached_property
    def _canonical(self) -> bytes:
        # asked for a dozen times on the way to a file; no slots, so that it can be kept
        return canonical_json(self.as_dict())

    def digest(self) -> str:
        """Return the SHA-256 of `canonical`."""
        return hashlib.sha256(self._canonical).hexdigest()

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> CertificateDocument:
        """Read back what `as_dict` wrote; NotPlain names what is wrong."""
        return from_plain(cls, plain["document"], "/document")
