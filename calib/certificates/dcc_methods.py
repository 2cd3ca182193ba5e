"""How and with what the results of a DCC were obtained: methods, standards, surroundings."""

from __future__ import annotations

from typing import Final

from calib.certificates.dcc_xml import (
    Element,
    Voice,
    contents,
    dcc,
    number,
    quantity,
    same,
    some,
    worded,
)
from calib.certificates.document import CertificateDocument, StandardUsed
from calib.certificates.document import Quantity as Influence
from calib.certificates.sections import UNCERTAINTY
from calib.certificates.wording import CONDITIONS

INFLUENCES: Final[dict[Influence, str]] = {
    "temperature": "basic_temperature",
    "relative_humidity": "basic_humidityRelative",
    "pressure": "calib_pressure",
}
UNHASHED: Final = "analogue"
"""What the good practice of PTB writes where a certificate is referred to without its hash."""


def add_methods(parent: Element, voice: Voice, document: CertificateDocument) -> None:
    """Append the evaluation of uncertainty and every governing document."""
    if not (document.result.points or document.measurement.methods):
        return
    methods = dcc(parent, "usedMethods")
    if document.result.points:
        method = dcc(methods, "usedMethod", kind="basic_uncertainty")
        worded(method, "name", voice.say("Expanded uncertainty"))
        worded(method, "description", voice.say(UNCERTAINTY))
        dcc(method, "norm", "JCGM 100:2008")
        dcc(method, "norm", "JJF 1059.1-2012")
    for one in document.measurement.methods:
        method = dcc(methods, "usedMethod", kind=f"calib_{one.role}")
        worded(method, "name", voice.label(one.title))
        dcc(method, "norm", one.id)


def add_standards(parent: Element, voice: Voice, document: CertificateDocument) -> None:
    """Append each measurement standard with the certificate that ties it to the SI."""
    if not document.measurement.standards:
        return
    equipments = dcc(parent, "measuringEquipments")
    for standard in document.measurement.standards:
        equipment = dcc(equipments, "measuringEquipment", kind="basic_standardUsed")
        worded(equipment, "name", voice.label(standard.name))
        _what_it_can(equipment, standard)
        if standard.certificate_number.strip():
            certificate = dcc(equipment, "certificate")
            worded(certificate, "referral", same(standard.issuer or "—"))
            dcc(certificate, "referralID", standard.certificate_number)
            dcc(certificate, "procedure", UNHASHED)
            dcc(certificate, "value", UNHASHED)
            described = dcc(certificate, "description")
            contents(described, same(standard.calibrated_on), "calib_calibratedOn")
            if standard.valid_until:
                contents(described, same(standard.valid_until), "calib_validUntil")
        some(equipment, "model", standard.model)
        marks = dcc(equipment, "identifications")
        for issuer, value, kind in (
            ("manufacturer", standard.serial, "Serial number"),
            ("calibrationLaboratory", standard.key, "No."),
        ):
            if value.strip():
                mark = dcc(marks, "identification")
                dcc(mark, "issuer", issuer)
                dcc(mark, "value", value)
                worded(mark, "name", voice.say(kind))


def _what_it_can(equipment: Element, standard: StandardUsed) -> None:
    said = (("calib_range", standard.range), ("calib_uncertainty", standard.uncertainty))
    if any(text for _, text in said):
        described = dcc(equipment, "description")
        for kind, text in said:
            contents(described, same(text) if text else (), kind)


def add_conditions(parent: Element, voice: Voice, document: CertificateDocument) -> None:
    """Append what the surroundings were, from the lowest to the highest value seen."""
    measured = document.measurement
    if not measured.conditions and measured.acclimatisation_minutes is None:
        return
    conditions = dcc(parent, "influenceConditions")
    for one in measured.conditions:
        kind = INFLUENCES[one.quantity]
        condition = dcc(conditions, "influenceCondition", kind=kind)
        worded(condition, "name", voice.say(CONDITIONS[one.quantity]))
        data = dcc(condition, "data")
        for end, sentence, text in (
            ("Min", "Lowest value", one.low),
            ("Max", "Highest value", one.high),
        ):
            number(quantity(data, kind + end, voice.say(sentence)), text, one.unit)
    if measured.acclimatisation_minutes is not None:
        condition = dcc(conditions, "influenceCondition", kind="calib_acclimatisation")
        name = voice.say("Acclimatisation")
        worded(condition, "name", name)
        time = quantity(dcc(condition, "data"), "calib_acclimatisation", name)
        number(time, str(measured.acclimatisation_minutes), "min")
