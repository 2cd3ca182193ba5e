"""Every check has a record that fails it; the clean records pass all of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calib.evaluation.checks import check_record
from calib.evaluation.inputs import (
    AgreedLimits,
    CalibrationInput,
    ConditionInput,
    DecisionRule,
    ExaminationInput,
    Rounding,
    StandardValue,
)
from instruments.errors import Finding
from instruments.procedure import Limit
from tests.support import inputs as a


def _item(record: CalibrationInput, **changes) -> CalibrationInput:
    return replace(record, item=replace(record.item, **changes))


def _measurand(record: CalibrationInput, **changes) -> CalibrationInput:
    first, *rest = record.definition.measurands
    measurands = (replace(first, **changes), *rest)
    return replace(record, definition=replace(record.definition, measurands=measurands))


def _pooled(record: CalibrationInput, pooled) -> CalibrationInput:
    components = record.definition.measurands[0].components
    changed = tuple(replace(c, pooled=pooled) if c.evaluate == "A" else c for c in components)
    return _measurand(record, components=changed)


def _verified(**changes) -> CalibrationInput:
    """Return the verification of an ear thermometer, complete."""
    record = _item(a.ear(), attributes={"verification": "initial"})
    rule = DecisionRule("regulation")
    return replace(record, kind="verification", decision_rule=rule, **changes)


def _wrong_limit(low: str) -> CalibrationInput:
    twice = (Limit("A", "V", low, "0.3"), Limit("B", "V", "-0.2", "0.3"))
    return a.forehead(limits={"temperature": AgreedLimits("customer", twice)})


def _standard(**changes) -> CalibrationInput:
    return a.forehead(standards=(a.a_standard(**changes),))


def _batch(**changes) -> CalibrationInput:
    return a.glass([("37.02", "41.00")] * 3, **changes)


def _examined(*found: ExaminationInput) -> CalibrationInput:
    record = _batch()
    rest = tuple(e for e in record.examinations if e.id not in {f.id for f in found})
    return replace(record, examinations=(*rest, *found))


def _points(record: CalibrationInput, *keep: int) -> CalibrationInput:
    return replace(record, points=tuple(record.points[i] for i in keep))


def _as_left_too_few() -> CalibrationInput:
    record = a.digital()
    left = replace(record.points[0], stage="as_left", key="temperature/as_left/0/0")
    return replace(record, points=(*record.points, left))


def _mixed() -> CalibrationInput:
    record = a.forehead(standards=(a.a_standard(), a.a_standard("S-2")))
    series = record.points[0].readings["t_ref"]
    mixed = (replace(series[0], standard="S-2"), *series[1:])
    return a.with_point(record, 0, readings={**record.points[0].readings, "t_ref": mixed})


def _unnamed() -> CalibrationInput:
    record = a.forehead()
    readings = dict(record.points[0].readings)
    readings["t_ref"] = tuple(replace(r, standard=None) for r in readings["t_ref"])
    return a.with_point(record, 0, readings=readings)


P35 = "/points/temperature/as_found/0/35.0"
TEN = ["35.0"] * 9
FAILING = [
    # code, severity, place, record
    ("kind-not-allowed", "error", "/kind", a.forehead(kind="verification")),
    (
        "verification-kind-missing", "error", "/item/attributes/verification",
        _item(_verified(), attributes={}),
    ),
    ("rule-not-for-kind", "error", "/decision_rule/id",
     a.forehead(decision_rule=DecisionRule("regulation"))),
    ("rule-not-for-kind", "error", "/decision_rule/id",
     replace(_verified(), decision_rule=DecisionRule("simple"))),
    ("rule-parameter", "error", "/decision_rule/parameter",
     a.forehead(decision_rule=DecisionRule("guard_rU"))),
    ("rule-parameter", "error", "/decision_rule/parameter",
     a.forehead(decision_rule=DecisionRule("probability"))),
    ("rule-parameter", "error", "/decision_rule/parameter",
     a.forehead(decision_rule=DecisionRule("simple", "0.83"))),
    ("rule-parameter-range", "error", "/decision_rule/parameter",
     a.forehead(decision_rule=DecisionRule("probability", "1.2"))),
    ("rule-parameter-range", "error", "/decision_rule/parameter",
     a.forehead(decision_rule=DecisionRule("guard_rU", "-1.1"))),
    ("rounding-invalid", "error", "/rounding/digits", a.forehead(rounding=Rounding(digits=3))),
    ("variant-missing", "error", "/item/attributes/pump", _item(a.pump(), attributes={})),
    ("variant-missing", "error", "/item/attributes/pump",
     _item(a.pump(), attributes={"pump": "bicycle"})),
    ("date-invalid", "error", "/performed_on", a.forehead(performed_on="2026-02-30")),
    ("date-invalid", "error", "/performed_on", a.forehead(performed_on="20260302")),
    ("date-invalid", "error", "/standards/S-1/valid_until", _standard(valid_until="soon")),
    ("acclimatisation-missing", "error", "/acclimatisation_minutes",
     a.forehead(acclimatisation_minutes=None)),
    ("acclimatisation-short", "warning", "/acclimatisation_minutes",
     a.forehead(acclimatisation_minutes=29)),
    ("environment-missing", "error", "/conditions/relative_humidity",
     a.forehead(conditions=a.CONDITIONS[:1])),
    ("environment-unit", "error", "/conditions/temperature",
     a.forehead(conditions=(ConditionInput("temperature", "K", "296"), a.CONDITIONS[1]))),
    ("environment-out-of-range", "warning", "/conditions/temperature/end",
     a.forehead(conditions=(
         *a.CONDITIONS, ConditionInput("temperature", "degC", "26.1", "end")))),
    ("environment-out-of-range", "warning", "/conditions/temperature/start",
     a.forehead(conditions=(ConditionInput("temperature", "degC", "19.9"), a.CONDITIONS[1]))),
    ("examination-missing", "error", "/examinations/reset",
     replace(_batch(), examinations=_batch().examinations[:2])),
    ("examination-missing", "warning", "/examinations/reset",
     replace(_batch(), kind="check", examinations=_batch().examinations[:2])),
    ("examination-unknown", "error", "/examinations/smell",
     _examined(ExaminationInput("smell", passed=True))),
    ("examination-contradicted", "error", "/examinations/reset",
     _examined(ExaminationInput("reset", passed=True, rejected_pieces=(1,)))),
    ("examination-contradicted", "error", "/examinations/reset",
     _examined(ExaminationInput("reset", passed=False, rejected_pieces=(4,)))),
    ("limits-not-usable", "error", "/limits/temperature",
     _verified(limits=a.customer_limits("-0.3", "0.3"))),
    ("limits-not-usable", "error", "/limits/humidity",
     a.forehead(limits={"humidity": a.customer_limits("-1", "1")["temperature"]})),
    ("limits-ambiguous", "error", P35, _wrong_limit("-0.3")),
    ("limits-missing", "error", P35, _verified(limits={})),
    ("point-duplicate", "error", P35, _points(a.forehead(), 0, 0, 1, 2)),
    ("measurand-unknown", "error", P35, a.with_point(a.forehead(), 0, measurand="humidity")),
    ("points-missing", "error", "/points/temperature/0", _points(a.forehead(), 0, 1)),
    ("points-missing", "error", "/points/temperature/0", _as_left_too_few()),
    ("points-missing", "error", "/points/temperature/3", _points(_batch(), 0, 1, 2, 3)),
    ("points-missing", "error", "/points/flow/0", replace(a.pump(), points=())),
    ("stage-not-allowed", "error", P35, a.with_point(a.forehead(), 0, stage="as_left")),
    ("piece-unknown", "error", P35, a.with_point(a.forehead(), 0, piece=1)),
    ("piece-unknown", "error", "/points/temperature/as_found/1/37",
     a.with_point(_batch(), 0, piece=4)),
    ("piece-unknown", "error", "/points/temperature/as_found/1/37",
     replace(_batch(), definition=replace(_batch().definition, batch=False))),
    ("point-out-of-range", "error", P35, a.with_point(a.forehead(), 0, nominal="33.9")),
    ("point-out-of-range", "error", P35, a.with_point(a.forehead(), 0, nominal="42.1")),
    ("input-unknown", "error", f"{P35}/readings/t_cold",
     a.with_series(a.forehead(), 0, "t_cold", ["20"])),
    ("input-unknown", "error", "/points/flow/as_found/0/25/readings/q_set",
     a.with_series(a.pump(), 1, "q_set", ["25"])),
    ("readings-missing", "error", f"{P35}/readings/t_ind",
     a.with_series(a.forehead(), 0, "t_ind", [])),
    ("readings-few", "warning", f"{P35}/readings/t_ind",
     a.with_series(a.forehead(), 0, "t_ind", TEN)),
    ("reading-off-resolution", "warning", f"{P35}/readings/t_ind/t_ind-10",
     a.with_series(a.forehead(), 0, "t_ind", [*TEN, "35.05"])),
    ("reading-implausible", "warning", f"{P35}/readings/t_ind/t_ind-10",
     a.with_series(a.forehead(), 0, "t_ind", [*TEN, "3.5"])),
    ("reading-implausible", "warning", f"{P35}/readings/t_ref/t_ref-10",
     a.with_series(a.forehead(), 0, "t_ref", ["35.00"] * 9 + ["3.500"])),
    ("reading-implausible", "warning", "/points/temperature/as_found/0/0/readings/t_ind/t_ind-1",
     a.with_series(a.digital(), 0, "t_ind", ["9.70", "0.01", "0.01", "0.01"])),
    ("reading-outlier", "warning", f"{P35}/readings/t_ind/t_ind-10",
     a.with_series(a.forehead(), 0, "t_ind", [*["35.0", "35.1"] * 4, "35.0", "36.0"])),
    ("reading-off-resolution", "warning", f"{P35}/readings/t_ind/t_ind-1",
     a.with_series(a.forehead(), 0, "t_ind", ["99999999999999999999999999999.05"] * 10)),
    ("reading-outlier", "warning", f"{P35}/readings/t_ref/t_ref-10",
     a.with_series(a.forehead(), 0, "t_ref", ["35.00"] * 9 + ["35.02"])),
    ("repeatability-unknown", "warning", f"{P35}/readings/t_ind",
     a.with_series(a.forehead(), 0, "t_ind", ["35.0"])),
    ("scatter-above-record", "warning", f"{P35}/readings/t_ind",
     a.with_series(a.electronic(), 0, "t_ind", ["34.90", "35.00", "35.10"])),
    ("standard-out-of-date", "error", "/standards/S-1", _standard(valid_until="2026-03-01")),
    ("standard-not-yet-calibrated", "error", "/standards/S-1",
     _standard(calibrated_on="2026-03-03")),
    ("standard-unused", "note", "/standards/S-9",
     a.forehead(standards=(a.a_standard(), a.a_standard("S-9")))),
    ("standard-unknown", "error", f"{P35}/readings/t_ref",
     a.with_series(a.forehead(), 0, "t_ref", ["35.00"] * 10, "S-7")),
    ("standard-unknown", "error", f"{P35}/readings/t_ref", _unnamed()),
    ("standards-mixed", "error", f"{P35}/readings/t_ref", _mixed()),
    ("standard-wrong-quantity", "error", f"{P35}/readings/t_ref",
     _standard(quantity="relative_humidity", unit="%RH")),
    ("standard-wrong-quantity", "error", f"{P35}/readings/t_ref", _standard(unit="K")),
    ("standard-out-of-range", "error", f"{P35}/readings/t_ref/t_ref-1", _standard(low="35.01")),
    ("standard-out-of-range", "error", "/points/temperature/as_found/0/41.0/readings/t_ref/t_ref-1",
     _standard(high="40.99")),
    ("certificate-invalid", "error", "/standards/S-1/values", _standard(values=())),
    ("certificate-invalid", "error", "/standards/S-1/values", _standard(low=None)),
    ("certificate-invalid", "error", "/standards/S-1/values", _standard(low="38")),
    ("certificate-invalid", "error", "/standards/S-1/values", _standard(
        values=(StandardValue("37", "37", "0.1", "2"), StandardValue("37", "38", "0.1", "2")))),
    ("certificate-invalid", "error", "/standards/S-1/values", _standard(
        values=(StandardValue("37", "37", "-0.1", "2"),))),
    ("certificate-invalid", "error", "/standards/S-1/values", _standard(
        values=(StandardValue("37", "37", "0.1", "0"),))),
    ("certificate-invalid", "error", "/standards/S-1/values", _standard(
        values=(StandardValue("37", "37", "0.1", "2", "0"),))),
    ("resolution-missing", "error", "/item/resolution/temperature", _item(a.ear(), resolution={})),
    ("resolution-missing", "error", "/item/resolution/temperature",
     _item(a.ear(), resolution={"temperature": "0"})),
]  # fmt: skip


def _texts(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.text() for finding in findings]


@pytest.mark.parametrize(
    "build", [a.forehead, a.ear, a.electronic, a.glass, a.digital, a.pump, _verified, _batch]
)
def test_a_clean_record_has_no_findings(build):
    assert _texts(check_record(build())) == []


@pytest.mark.parametrize(
    ("code", "severity", "at", "record"),
    FAILING,
    ids=[f"{i}-{row[0]}" for i, row in enumerate(FAILING)],
)
def test_a_check_finds_what_it_is_named_for(code, severity, at, record):
    found = [f for f in check_record(record) if f.code == code]

    assert [(f.severity, f.at) for f in found][:1] == [(severity, at)]
    assert "{" not in found[0].text(), "every placeholder of the message has its fact"


PASSING = [
    # at the very edge each check still passes
    a.forehead(acclimatisation_minutes=30),
    a.forehead(conditions=(ConditionInput("temperature", "degC", "26"), a.CONDITIONS[1])),
    a.forehead(conditions=(ConditionInput("temperature", "degC", "20.0"), a.CONDITIONS[1])),
    _standard(valid_until="2026-03-02", calibrated_on="2026-03-02"),
    _standard(valid_until=None),
    _standard(low="35", high="41.00"),
    _standard(values=(StandardValue("30", "30", "0.1", "2"), StandardValue("41", "41", "0", "2"))),
    a.with_series(a.digital(), 0, "t_ind", ["7.50", "7.50", "7.50", "7.50"]),
    a.with_series(a.forehead(), 0, "t_ind", ["35.0"] * 9 + ["35.1"]),
    _wrong_limit("-0.2"),
    a.forehead(limits={}),
    a.forehead(decision_rule=DecisionRule("probability", "0.95")),
    # what an order may agree on can be evaluated
    a.forehead(decision_rule=DecisionRule("probability", "0.5")),
    a.forehead(decision_rule=DecisionRule("guard_rU", "-1")),
    a.forehead(decision_rule=DecisionRule("guard_rU", "3")),
    _examined(ExaminationInput("reset", passed=False, rejected_pieces=(1, 3))),
]


@pytest.mark.parametrize("record", PASSING, ids=range(len(PASSING)))
def test_a_record_at_the_edge_of_a_check_passes(record):
    assert _texts(check_record(record)) == []
