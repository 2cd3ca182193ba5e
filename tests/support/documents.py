"""Builders of certificate documents from real evaluations of frozen inputs."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

from calib.certificates.document import (
    CertificateDocument,
    CustomerWords,
    ItemWords,
    LabWords,
    PersonWords,
    PlaceWords,
    Provenance,
)
from calib.certificates.drafting import kind_of, measurement_of
from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import CalibrationInput, CMCRow, DecisionRule
from calib.evaluation.result import CalibrationResult
from instruments.text import LocalizedText
from tests.support import inputs

TOKEN = "k3Jr0Zq9TtW5mX2bYc7LdA"

LAB = LabWords(
    name=LocalizedText("Riverside Institute of Metrology", "滨江市计量测试研究院"),
    address=LocalizedText("12 Gauge Road, Binjiang", "滨江市衡器路12号"),
    phone="+86 571 0000 0000",
    email="lab@example.org",
    accreditation="CNAS L00000",
    authorisation="(2024) 法计 00001",
)
PERSONS = (
    PersonWords("performed", "陈晨", "校准员", "2026-03-02"),
    PersonWords("reviewed", "李磊", "核验员", "2026-03-03"),
    PersonWords("authorised", "赵敏", "授权签字人", "2026-03-03"),
)


def a_scope(result: CalibrationResult) -> tuple[CMCRow, ...]:
    """Return a scope that covers every result, with capabilities far below their uncertainty."""
    places = [(point.measurand, point.printed.nominal) for point in result.points]
    places += [(curve.measurand, p.x) for curve in result.curves for p in curve.predictions]
    return tuple(CMCRow(*place, place[1], "0.000001") for place in dict.fromkeys(places))


def a_document(
    record: CalibrationInput, result: CalibrationResult | None = None, **changes: Any
) -> CertificateDocument:
    """Return a complete document of the record, evaluated unless its result is given."""
    result = result or evaluate(record)
    kind = kind_of(record.kind, result.verdict)
    definition, item = record.definition, record.item
    document = CertificateDocument(
        kind=kind,
        language="zh+en",
        number="RD2026-000123",
        token=TOKEN,
        address=f"https://calib.example.org/c/{TOKEN}",
        lab=LAB,
        customer=CustomerWords(
            name=LocalizedText("Binjiang East Railway Station", "滨江东站"),
            address="滨江市站前大道1号",
            contact="王芳 0571-00000001",
        ),
        item=ItemWords(
            name=definition.name,
            maker=item.maker,
            model=item.model,
            serial="" if item.pieces else item.serial,
            asset_number="ZC-0815",
            barcode="RD-00042",
            calibration_mode=item.calibration_mode or "",
            condition="外观完好, complete",
            quantity=len(item.pieces) or 1,
            pieces=item.pieces,
            customer_supplied=("asset_number",),
        ),
        order_number="WT2026-0042",
        received_on="2026-02-27",
        performed_from=record.performed_on,
        performed_on=record.performed_on,
        issued_on="2026-03-03",
        issued_at="2026-03-03T02:15:00Z",
        place=PlaceWords(
            kind="laboratory",
            name=LocalizedText("Temperature laboratory, room 204", "温度实验室 204"),
            address="滨江市衡器路12号",
        ),
        persons=PERSONS,
        measurement=replace(measurement_of(record, result), scope=a_scope(result)),
        result=result,
        provenance=Provenance("calib 0.1.0", "a" * 64, "b" * 64),
        valid_until="2027-03-01"
        if kind == "verification_certificate" and definition.validity_months
        else None,
    )
    return replace(document, **changes)


@functools.cache
def forehead_certificate(language: str = "zh+en", rule: str = "jjf1094") -> CertificateDocument:
    """Return the calibration certificate of a forehead thermometer with a statement."""
    record = inputs.forehead(decision_rule=DecisionRule(rule))  # type: ignore[arg-type]
    return a_document(record, language=language)


@functools.cache
def digital_certificate(language: str = "zh+en") -> CertificateDocument:
    """Return the calibration certificate of a thermometer with probe: a curve and a budget."""
    return a_document(inputs.digital(), language=language, include_budget=True)


@functools.cache
def ear_verification(language: str = "zh+en", shift: str = "0") -> CertificateDocument:
    """Return a verification that passed, or one that failed where `shift` moves a point."""
    record = inputs.ear(kind="verification", decision_rule=DecisionRule("regulation"))
    attributes = {**record.item.attributes, "verification": "subsequent"}
    record = replace(record, item=replace(record.item, attributes=attributes))
    if shift != "0":
        record = inputs.with_series(record, 1, "t_ind", ["37.9"] * 10)
    return a_document(record, language=language)


@functools.cache
def glass_batch(
    pieces: int = 12, rejected: int = 2, language: str = "zh+en"
) -> CertificateDocument:
    """Return the first verification of a batch with some pieces beyond the limits."""
    good, bad = ("37.02", "41.00"), ("37.30", "41.00")
    readings = [bad if i < rejected else good for i in range(pieces)]
    return a_document(inputs.glass(readings), language=language)
