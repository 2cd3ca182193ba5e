"""Pressure gauge of a laboratory: points and limits by its range and class, height, hysteresis."""

from __future__ import annotations

import pytest

from calib.evaluation.inputs import StandardValue
from instruments.choosing import points_for
from tests.support import inputs as a
from tests.support.typed import read, recorded, standard_of
from tests.support.verified import results, warnings

ID = "standard.pressure_gauge"
ROWS = (
    ("0", ["0.00", "0.00"]),
    ("8", ["8.00", "8.01"]),
    ("16", ["16.01", "16.02"]),
    ("24", ["24.01", "24.02"]),
    ("32", ["32.01", "32.02"]),
    ("40", ["40.02", "40.02"]),
)


def _record(class_="0.1", **attributes):
    points = [
        read(ID, "pressure", n, {"p_ref": [f"{n}.000"] * 2, "p_ind": shown}, "pressure")
        for n, shown in ROWS
    ]
    standard = standard_of(
        "pressure", "kPa", "0.004", values=(StandardValue("20", "20.002", "0.004", "2"),)
    )
    return recorded(ID, points, [standard], {"pressure": "0.01"}, **{"class": class_}, **attributes)


def test_error_and_budget_by_hand():
    point = results(_record())["pressure", "16"]

    assert point.error == pytest.approx(16.015 - 16.002)
    lines = {line.component: line.contribution for line in point.budget}
    assert lines["p_rep"] == pytest.approx(0.005 / 2**0.5)
    assert lines["d_res"] == pytest.approx(0.005 / 3**0.5)
    assert lines["p_std"] == pytest.approx(0.002)
    assert lines["d_h"] == pytest.approx(0.0118 * 0.02 / 3**0.5)


def test_a_gauge_standing_higher_sees_less_pressure():
    level, higher = (results(_record(**h))["pressure", "24"] for h in ({}, {
        "height_difference": "0.5"
    }))  # fmt: skip
    assert higher.error - level.error == pytest.approx(0.0118 * 0.5)


@pytest.mark.parametrize(
    ("class_", "limit"), [("0.02", "0.008"), ("0.05", "0.02"), ("0.1", "0.04"), ("0.5", "0.2")]
)
def test_limits_are_a_part_of_the_full_scale(class_, limit):
    found = results(_record(class_))
    printed = found["pressure", "8"].printed
    assert (printed.lower, printed.upper) == (f"-{limit}", limit)
    assert found["hysteresis", "8"].printed.upper == limit


def test_hysteresis_is_the_difference_of_both_readings():
    found = results(_record())
    assert found["hysteresis", "16"].error == pytest.approx(0.01)
    assert found["hysteresis", "40"].error == 0


def test_points_follow_the_range_of_the_gauge():
    type_ = a.a_type(ID)
    points = points_for(type_, type_.measurand("pressure"), {"full_scale": "100"})
    assert points == ("0", "20", "40", "60", "80", "100")
    assert warnings(_record()) == set()
