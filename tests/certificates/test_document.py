"""The document is plain: it goes to bytes and comes back, and nothing strange gets in."""

import json

import pytest

from calib.certificates.document import CertificateDocument
from calib.certificates.drafting import kind_of, measurement_of
from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import ConditionInput
from instruments.errors import Refused
from instruments.plain import NotPlain
from tests.support import inputs
from tests.support.documents import digital_certificate, forehead_certificate, glass_batch


@pytest.mark.parametrize("make", [forehead_certificate, digital_certificate, glass_batch])
def test_a_document_survives_its_canonical_bytes(make):
    document = make()
    read = CertificateDocument.from_dict(json.loads(document.canonical()))
    assert read == document
    assert read.digest() == document.digest()


def test_an_unknown_field_is_refused_with_its_place():
    plain = forehead_certificate().as_dict()
    plain["document"]["lab"]["stamp"] = "x"
    with pytest.raises(NotPlain, match="/document/lab/stamp"):
        CertificateDocument.from_dict(plain)


@pytest.mark.parametrize(
    ("record", "verdict", "kind"),
    [
        ("calibration", "fail", "calibration_certificate"),
        ("calibration", "not_stated", "calibration_certificate"),
        ("check", "pass", "check_record"),
        ("verification", "pass", "verification_certificate"),
        ("verification", "fail", "verification_notice"),
    ],
)
def test_the_kind_follows_record_and_verdict(record, verdict, kind):
    assert kind_of(record, verdict) == kind


@pytest.mark.parametrize("verdict", ["undetermined", "cannot_be_stated", "not_calibratable"])
def test_a_verification_without_a_verdict_concludes_nothing(verdict):
    with pytest.raises(Refused, match="ends in pass or fail"):
        kind_of("verification", verdict)


def test_conditions_are_the_span_of_what_was_observed_as_it_was_entered():
    conditions = tuple(
        ConditionInput("temperature", "degC", value, when)
        for value, when in (("9.80", "start"), ("10.1", "end"))
    )
    record = inputs.forehead(conditions=conditions)
    span = measurement_of(record, evaluate(inputs.forehead())).conditions[0]
    assert (span.low, span.high) == ("9.80", "10.1")


def test_a_verification_names_the_regulation_and_a_calibration_the_specification():
    ids = {}
    for kind in ("calibration", "verification"):
        record = inputs.ear(kind=kind)
        methods = measurement_of(record, evaluate(inputs.ear())).methods
        ids[kind] = [m.id for m in methods if m.role == "method"]
    assert ids["verification"] == ["JJG 1164-2019"]
    assert "JJG 1164-2019" not in ids["calibration"]
