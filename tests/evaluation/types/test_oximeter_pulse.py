"""Pulse oximeter: the worked budget, repeatability by range, the simulator's two classes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.typed import read, recorded, row, standard_of
from tests.support.verified import results, warnings

ID = "oximeter.pulse"
SIX = ["89", "89", "90", "90", "90", "91"]
# standard deviation of these six: 0.79 %
WORKED = [90 + d * 0.79 / np.std([1, 1, -1, -1, 0.5, -0.5], ddof=1) for d in
          (1, 1, -1, -1, 0.5, -0.5)]  # fmt: skip


def _record(at_90=SIX, at_70=("70",) * 6):
    readings = {"70": at_70, "90": at_90, "100": ["100"] * 6}
    points = [
        read(ID, "saturation", n, {"s_ref": [n], "s_ind": list(texts)}, "ratio")
        for n, texts in readings.items()
    ]
    points += [
        read(ID, "pulse_rate", n, {"r_ref": [n], "r_ind": [shown] * 3}, "frequency")
        for n, shown in (("30", "31"), ("75", "75"), ("200", "198"))
    ]
    standards = [standard_of("ratio", "%", "1"), standard_of("frequency", "/min", "0.1")]
    return recorded(ID, points, standards, {"saturation": "1", "pulse_rate": "1"})


def test_the_worked_budget_at_90_percent():
    point = results(_record([f"{x:.6f}" for x in WORKED]))["saturation", "90"]

    assert row(point) == ("1.235", 1073, "2.00", "2.469", "2.5")
    lines = {line.component: line for line in point.budget}
    assert f"{lines['S_rep'].contribution:.3f}" == "0.323"
    assert lines["S_rep"].dof == 5
    assert lines["S_std"].c == -1


def test_below_75_percent_the_simulator_counts_with_three_percent():
    found = results(_record())

    low = {line.component: line for line in found["saturation", "70"].budget}
    assert (low["S_std"].counted, low["S_std_low"].counted) == (False, True)
    assert low["S_std_low"].u == pytest.approx(3 / 3**0.5)
    high = {line.component: line for line in found["saturation", "90"].budget}
    assert (high["S_std"].counted, high["S_std_low"].counted) == (True, False)


def test_repeatability_is_the_standard_deviation_of_the_same_readings():
    found = results(_record())

    assert found["repeatability", "90"].error == pytest.approx(
        np.std([89, 89, 90, 90, 90, 91], ddof=1)
    )
    assert found["repeatability", "100"].error == 0
    assert found["saturation", "90"].printed.lower is None
    assert warnings(_record()) == set()


@pytest.mark.parametrize(
    ("nominal", "upper"), [("70", "3"), ("90", "2"), ("100", "2")]
)  # fmt: skip
def test_the_limit_of_repeatability_depends_on_the_range(nominal, upper):
    point = results(_record())["repeatability", nominal]
    assert (point.printed.lower, point.printed.upper) == (None, upper)
    assert point.limit_confidence == "V2"


def test_the_limit_of_the_pulse_rate_grows_with_it():
    found = results(_record())
    assert found["pulse_rate", "30"].printed.upper == "2.50"
    assert found["pulse_rate", "200"].printed.lower == "-11.00"
    assert found["pulse_rate", "200"].error == -2
