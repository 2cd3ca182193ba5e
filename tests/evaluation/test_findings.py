"""How findings are told: places, texts, accepted warnings, what stops and what does not."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest

from calib.evaluation.checks import check_record
from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import (
    CalibrationInput,
    ConditionInput,
    DecisionRule,
    ExaminationInput,
    ReadingInput,
    StandardValue,
)
from instruments.errors import Refused
from instruments.procedure import InstrumentType
from tests.support import inputs as a

P35 = "/points/temperature/as_found/0/35.0"


def _item(record: CalibrationInput, **changes) -> CalibrationInput:
    return replace(record, item=replace(record.item, **changes))


def _batch_with(found: ExaminationInput) -> CalibrationInput:
    record = a.glass([("37.02", "41.00")] * 3)
    rest = tuple(e for e in record.examinations if e.id != found.id)
    return replace(record, examinations=(*rest, found))


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
    counts = Counter(p.measurand for p in evaluate(both).points)
    assert counts == {"flow": 3, "repeatability": 3, "occlusion": 1}
    assert [(f.code, f.at) for f in check_record(half)] == [
        ("points-missing", "/points/occlusion/0")
    ]


def _two_points_of_pressure(record: CalibrationInput) -> InstrumentType:
    *others, occlusion = record.definition.measurands
    occlusion = replace(occlusion, points=replace(occlusion.points, minimum=2))
    return replace(record.definition, measurands=(*others, occlusion))


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
    stale = a.a_standard(valid_until="2026-02-28")
    record = a.forehead(standards=(stale,), acclimatisation_minutes=10)

    with pytest.raises(Refused) as caught:
        evaluate(record)

    assert caught.value.code == "checks-failed"
    codes = {f.code for f in caught.value.findings}
    assert codes == {"standard-out-of-date", "acclimatisation-short"}
    (told,) = [f for f in caught.value.findings if f.code == "standard-out-of-date"]
    assert told.text() == (
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
    record = _batch_with(broken)
    record = replace(record, points=record.points[:4])

    assert check_record(record) == ()


def test_a_batch_rejected_as_a_whole_needs_no_points():
    record = replace(_batch_with(ExaminationInput("appearance", passed=False)), points=())

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


def test_only_a_warning_can_be_accepted():
    unused = a.a_standard("S-9")
    record = a.forehead(
        standards=(a.a_standard(), unused), accepted_warnings=("standard-unused@/standards/S-9",)
    )

    (note,) = evaluate(record).findings

    assert (note.code, note.severity, note.accepted) == ("standard-unused", "note", False)
