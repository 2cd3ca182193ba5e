"""Every check has a record that fails it; the clean records pass all of them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from calib.evaluation.checks import check_record
from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import (
    AgreedLimits,
    CalibrationInput,
    ConditionInput,
    DecisionRule,
    ExaminationInput,
    ReadingInput,
    Rounding,
    StandardValue,
)
from instruments.errors import Finding, Refused
from instruments.procedure import InstrumentType, Limit
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
     a.forehead(decision_rule=DecisionRule("guard_rU", "-1"))),
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
     a.with_series(a.digital(), 0, "t_ind", ["7.70", "0.01", "0.01", "0.01"])),
    ("reading-outlier", "warning", f"{P35}/readings/t_ind/t_ind-10",
     a.with_series(a.forehead(), 0, "t_ind", [*["35.0", "35.1"] * 4, "35.0", "36.0"])),
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
    _examined(ExaminationInput("reset", passed=False, rejected_pieces=(1, 3))),
]


@pytest.mark.parametrize("record", PASSING, ids=range(len(PASSING)))
def test_a_record_at_the_edge_of_a_check_passes(record):
    assert _texts(check_record(record)) == []


def test_an_item_reading_may_name_the_standard_beside_it():
    record = a.forehead()
    series = tuple(replace(r, standard="S-1") for r in record.points[0].readings["t_ind"])
    record = a.with_point(record, 0, readings={**record.points[0].readings, "t_ind": series})

    assert check_record(record) == ()


def test_an_item_reading_beside_an_unknown_standard_is_found():
    record = a.forehead()
    series = tuple(replace(r, standard="S-8") for r in record.points[0].readings["t_ind"])
    record = a.with_point(record, 0, readings={**record.points[0].readings, "t_ind": series})

    assert [f.code for f in check_record(record)] == ["standard-unknown"]


def test_an_optional_measurand_may_be_left_out_but_not_half_measured():
    pressure = replace(a.an_analyser("S-2"), quantity="pressure", unit="kPa")
    readings = {"p_ref": ["41.0", "41.2", "41.1"]}
    point = a.a_point("40", readings, measurand="occlusion", standard="S-2")
    record = a.pump()
    both = replace(record, points=(*record.points, point), standards=(*record.standards, pressure))
    half = replace(both, definition=_two_points_of_pressure(both))

    assert check_record(both) == ()
    assert len(evaluate(both).points) == 4
    assert [(f.code, f.at) for f in check_record(half)] == [
        ("points-missing", "/points/occlusion/0")
    ]


def _two_points_of_pressure(record: CalibrationInput) -> InstrumentType:
    flow, occlusion = record.definition.measurands
    occlusion = replace(occlusion, points=replace(occlusion.points, minimum=2))
    return replace(record.definition, measurands=(flow, occlusion))


@pytest.mark.parametrize(
    "text", ["", "NaN", "Infinity", "1e400", "36,8", "３６.8", "0x10", "true", " 36.8", "1_0"]
)
def test_a_text_that_is_no_decimal_is_named_with_its_place(text):
    record = a.with_series(a.forehead(), 1, "t_ind", ["37.0"] * 9 + [text])

    found = [f for f in check_record(record) if f.code.startswith("decimal-")]

    place = "/points/temperature/as_found/0/37.0/readings/t_ind/t_ind-10"
    assert [(f.severity, f.at) for f in found] == [("error", place)]


def test_decimals_are_looked_for_in_every_part_of_the_record():
    record = a.forehead(
        conditions=(ConditionInput("temperature", "degC", "warm"), a.CONDITIONS[1]),
        standards=(a.a_standard(high="hot", values=(StandardValue("37", "37", "?", "2"),)),),
        predict={"temperature": ("x",)},
        decision_rule=DecisionRule("guard_rU", "r"),
        limits=a.customer_limits("low", None),
    )
    record = _item(record, resolution={"temperature": "fine"})

    places = {f.at for f in check_record(record) if f.code.startswith("decimal-")}

    assert places == {
        "/conditions/temperature/start", "/standards/S-1/high", "/standards/S-1/values/0/U",
        "/predict/temperature", "/decision_rule/parameter", "/limits/temperature/rows/0/lower",
        "/item/resolution/temperature",
    }  # fmt: skip


def test_an_error_stops_the_evaluation_and_carries_every_finding():
    record = _standard(valid_until="2026-02-28")
    record = replace(record, acclimatisation_minutes=10)

    with pytest.raises(Refused) as caught:
        evaluate(record)

    assert caught.value.code == "checks-failed"
    codes = {f.code for f in caught.value.findings}
    assert codes == {"standard-out-of-date", "acclimatisation-short"}
    (stale,) = [f for f in caught.value.findings if f.code == "standard-out-of-date"]
    assert stale.text() == (
        "Reference standard S-1 was out of date on 2026-03-02 (valid until 2026-02-28)."
        " Choose another standard or enter its new certificate."
    )


def test_a_warning_stands_in_the_result_accepted_or_not():
    code = "acclimatisation-short@/acclimatisation_minutes"

    open_ = evaluate(a.forehead(acclimatisation_minutes=10)).findings
    closed = evaluate(a.forehead(acclimatisation_minutes=10, accepted_warnings=(code,))).findings

    assert [(f.code, f.accepted) for f in open_] == [("acclimatisation-short", False)]
    assert [(f.code, f.accepted) for f in closed] == [("acclimatisation-short", True)]
    assert open_[0].facts == {"given": "10", "wanted": "30"}


def test_an_outlier_is_flagged_with_its_statistic_and_never_dropped():
    texts = [*["35.0", "35.1"] * 4, "35.0", "36.0"]
    point = evaluate(a.with_series(a.forehead(), 0, "t_ind", texts)).points[0]
    (finding,) = check_record(a.with_series(a.forehead(), 0, "t_ind", texts))

    assert point.readings == 10
    assert point.indication == 35.14
    assert Decimal(str(finding.facts["statistic"])) > Decimal(str(finding.facts["critical"]))


@pytest.mark.parametrize("mode", [None, "", "  "])
def test_an_item_without_known_calibration_mode_is_not_calibratable_and_not_failed(mode):
    record = _item(a.forehead(), calibration_mode=mode)

    result = evaluate(record)

    assert result.verdict == "not_calibratable"
    assert [p.verdict for p in result.pieces] == ["not_calibratable"]
    assert result.points == ()
    assert [(f.code, f.severity) for f in result.findings] == [("not-calibratable", "note")]


def test_a_record_of_an_item_without_mode_needs_no_readings():
    record = replace(_item(a.forehead(), calibration_mode=None), points=(), standards=())

    assert evaluate(record).verdict == "not_calibratable"


def test_pieces_rejected_by_an_examination_need_no_points():
    broken = ExaminationInput("appearance", passed=False, rejected_pieces=(3,))
    record = _points(_examined(broken), 0, 1, 2, 3)

    assert check_record(record) == ()


def test_a_batch_rejected_as_a_whole_needs_no_points():
    record = replace(_examined(ExaminationInput("appearance", passed=False)), points=())

    assert [f.code for f in check_record(record)] == ["standard-unused"]
    assert evaluate(record).verdict == "fail"


def test_a_place_stays_the_same_when_another_point_is_added():
    record = a.with_series(a.digital(), 1, "t_ind", ["50.04", "50.04", "50.04", "50.045"])
    earlier = a.a_point("25", {"t_ref": ["25.00"] * 4, "t_ind": ["25.00"] * 4})
    longer = replace(record, points=(earlier, *record.points))

    assert {f.at for f in check_record(record)} == {f.at for f in check_record(longer)}


def test_reading_ids_are_named_not_counted():
    record = a.forehead()
    series = (*record.points[0].readings["t_ind"][:9], ReadingInput("row-77", "3.5"))
    record = a.with_point(record, 0, readings={**record.points[0].readings, "t_ind": series})

    assert {f.at for f in check_record(record)} == {f"{P35}/readings/t_ind/row-77"}
