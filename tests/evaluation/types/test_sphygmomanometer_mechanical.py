"""Mercury and aneroid sphygmomanometers: the zero, the error, the leak in one minute."""

from __future__ import annotations

from decimal import Decimal

import pytest

from calib.evaluation.evaluate import evaluate
from instruments.errors import Refused
from tests.support import inputs as a
from tests.support.typed import read, recorded, row, standard_of
from tests.support.verified import results, verified, warnings

ID = "sphygmomanometer.mechanical"
STEPS = {"indication": "0.5", "zero": "0.5"}


def _record(zero="0.0", shift=0.0, end="217.0", kind="mercury"):
    points = [
        read(ID, "indication", n, {
            "p_ref": [f"{n}.0"] * 2, "p_ind": [f"{float(n) + shift:.1f}"] * 2
        }, "pressure")
        for n in ("50", "100", "150", "200", "250")
    ]  # fmt: skip
    points.append(read(ID, "leak", "220", {"p": ["220.0", end]}, "pressure"))
    if zero is not None:
        readings = {"p_ref": ["0.0"], "p_ind": [zero]}
        points.append(read(ID, "zero", "0", readings, "pressure"))
    return recorded(ID, points, [standard_of("pressure", "mmHg", "0.2")], STEPS, kind=kind)


def test_the_budget_is_that_of_the_worked_example_with_a_finer_scale():
    assert row(results(_record())["indication", "150"]) == ("0.5408", 760, "2.00", "1.082", "1.1")
    assert warnings(_record()) == set()


@pytest.mark.parametrize(
    ("zero", "verdict"),
    [("3.5", "pass"), ("-1.5", "pass"), ("4.0", "fail"), ("-2.0", "fail"), ("0.0", "pass")],
)
def test_the_zero_of_mercury_has_different_limits_up_and_down(zero, verdict):
    found = results(verified(_record(zero)))["zero", "0"]
    assert (found.error, found.verdict) == (float(zero), verdict)


def test_an_aneroid_has_no_zero_of_a_column():
    assert ("zero", "0") not in results(verified(_record(None, kind="aneroid")))
    with pytest.raises(Refused) as refused:
        evaluate(verified(_record("0.0", kind="aneroid")))
    assert {f.code for f in refused.value.findings if f.severity == "error"} == {
        "measurand-not-of-item"
    }


@pytest.mark.parametrize(("shift", "verdict"), [(3.5, "pass"), (-3.5, "pass"), (4.0, "fail")])
def test_the_error_is_judged_at_375_hundredths_of_a_mmhg(shift, verdict):
    found = results(verified(_record(shift=shift), "in_service"))
    assert found["indication", "200"].verdict == verdict


@pytest.mark.parametrize(
    ("kind", "end", "verdict"),
    [
        ("initial", "216.3", "pass"),
        ("initial", "216.2", "fail"),
        ("subsequent", "214.0", "pass"),
        ("subsequent", "213.9", "fail"),
        ("in_service", "214.0", "pass"),
        ("in_service", "213.9", "fail"),
    ],
)
def test_the_leak_in_one_minute_by_kind_of_verification(kind, end, verdict):
    found = results(verified(_record(end=end), kind))["leak", "220"]
    assert found.error == pytest.approx(220 - float(end))
    assert found.verdict == verdict


def test_scales_in_kilopascal_have_the_figures_of_the_document():
    type_ = a.a_type(ID)
    at = {
        m: [row.at(Decimal(0)) for row in type_.measurand(m).limits]
        for m in ("indication_kpa", "zero_kpa", "leak_kpa")
    }
    assert at["indication_kpa"] == [(Decimal("-0.5"), Decimal("0.5"))]
    assert at["zero_kpa"] == [(Decimal("-0.2"), Decimal("0.5"))]
    assert at["leak_kpa"] == [(None, Decimal(upper)) for upper in ("0.5", "0.8", "0.8")]


def test_a_whole_record_in_kilopascal():
    points = [
        read(ID, "indication_kpa", n, {"p_ref": [f"{n}.00"] * 2, "p_ind": [f"{n}.4"] * 2}, "p")
        for n in ("8", "16", "24", "32", "38")
    ]
    points.append(read(ID, "leak_kpa", "29", {"p": ["29.00", "28.45"]}, "p"))
    record = recorded(
        ID, points, [standard_of("pressure", "kPa", "0.02", key="p")],
        {"indication_kpa": "0.1"}, scale="kpa", kind="aneroid",
    )  # fmt: skip

    found = results(verified(record))

    assert found["indication_kpa", "38"].error == pytest.approx(0.4)
    assert found["indication_kpa", "38"].verdict == "pass"
    assert found["leak_kpa", "29"].verdict == "fail"
