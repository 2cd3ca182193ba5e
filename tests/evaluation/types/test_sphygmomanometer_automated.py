"""Automated sphygmomanometer: the worked budget, limits by kind of verification, both scales."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.typed import read, recorded, row, standard_of
from tests.support.verified import results, verified, warnings

ID = "sphygmomanometer.automated"
POINTS = ("50", "100", "150", "200", "250")
FIVE = ["150", "152", "151", "149", "151"]


def _point(measurand, nominal, readings):
    return read(ID, measurand, nominal, readings, "pressure")


def _mmhg(shift=0, leak="240.0", seconds="40"):
    """Return a whole record; the instrument shows `shift` more than the standard."""
    points = [
        _point("static", p, {"p_ref": [f"{p}.0"] * 2, "p_ind": [str(int(p) + shift)] * 2})
        for p in POINTS
    ]
    points += [
        _point("repeatability", "150", {"p_ind": FIVE}),
        _point("repeatability", "100", {"p_ind": ["100", "101", "100", "99", "100"]}),
        _point("leak", "250", {"p": ["250.0", leak]}),
        _point("deflation", "150", {"p": ["200.0", "100.0"], "t": [seconds]}),
    ]
    standards = [standard_of("pressure", "mmHg", "0.2")]
    return recorded(ID, points, standards, {"static": "1", "repeatability": "1"})


def test_the_worked_budget_at_150_mmhg():
    point = results(_mmhg())["static", "150"]

    assert row(point) == ("0.5958", 1120, "2.00", "1.192", "1.2")
    assert {line.component: line.c for line in point.budget} == {
        "p_rep": 1, "d_res": 1, "p_std": -1, "d_leak": -1
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "shift", "verdict"),
    [
        ("initial", 3, "pass"),
        ("initial", -3, "pass"),
        ("initial", 4, "fail"),
        ("subsequent", 4, "pass"),
        ("subsequent", -5, "fail"),
        ("in_service", -4, "pass"),
        ("in_service", 5, "fail"),
    ],
)
def test_the_limit_depends_on_the_kind_of_verification(kind, shift, verdict):
    found = results(verified(_mmhg(shift), kind))

    assert {found["static", p].error for p in POINTS} == {float(shift)}
    assert {found["static", p].verdict for p in POINTS} == {verdict}


def test_without_a_kind_of_verification_no_limit_of_the_error_is_taken():
    assert results(_mmhg())["static", "150"].limit_document == ""
    assert warnings(_mmhg()) == set()


def test_repeatability_leak_and_deflation_by_hand():
    found = results(verified(_mmhg()))

    repeatability = found["repeatability", "150"]
    assert repeatability.error == pytest.approx(np.std([150, 152, 151, 149, 151], ddof=1))
    assert found["leak", "250"].error == pytest.approx(2.0)
    assert found["leak", "250"].u == pytest.approx(0.2 / 3**0.5 / 5, rel=1e-6)
    assert found["deflation", "150"].error == pytest.approx(2.5)
    assert {p.verdict for p in found.values()} == {"pass"}


@pytest.mark.parametrize(("end", "verdict"), [("220.0", "pass"), ("219.5", "fail")])
def test_the_leak_is_judged_at_six_mmhg_per_minute(end, verdict):
    assert results(verified(_mmhg(leak=end)))["leak", "250"].verdict == verdict


@pytest.mark.parametrize(
    ("seconds", "verdict"), [("50", "pass"), ("34", "pass"), ("33", "fail"), ("51", "fail")]
)
def test_the_deflation_has_two_limits(seconds, verdict):
    assert results(verified(_mmhg(seconds=seconds)))["deflation", "150"].verdict == verdict


@pytest.mark.parametrize(("kind", "shift", "verdict"), [
    ("initial", "0.4", "pass"), ("initial", "0.5", "fail"), ("subsequent", "0.5", "pass"),
])  # fmt: skip
def test_a_display_in_kilopascal(kind, shift, verdict):
    rows = [("7", 7.0), ("13", 13.0), ("20", 20.0), ("27", 27.0), ("33", 33.0)]
    points = [
        _point("static_kpa", n, {
            "p_ref": [f"{x:.2f}"] * 2, "p_ind": [f"{x + float(shift):.1f}"] * 2
        })
        for n, x in rows
    ]  # fmt: skip
    points += [
        _point("repeatability_kpa", n, {"p_ind": [n] * 4 + [f"{float(n) + 0.1:.1f}"]})
        for n in ("13.3", "20.0")
    ]
    points.append(_point("leak_kpa", "33", {"p": ["33.00", "30.00"]}))
    record = recorded(
        ID, points, [standard_of("pressure", "kPa", "0.02")],
        {"static_kpa": "0.1", "repeatability_kpa": "0.1"}, scale="kpa",
    )  # fmt: skip

    found = results(verified(record, kind))

    assert {found["static_kpa", n].verdict for n, _ in rows} == {verdict}
    assert found["leak_kpa", "33"].error == pytest.approx(0.6)
    assert found["repeatability_kpa", "20.0"].error == pytest.approx(0.1 / 5**0.5)
