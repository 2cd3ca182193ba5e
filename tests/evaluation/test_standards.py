"""The certificate of a standard: interpolation, neighbours, single values, no extrapolation."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import StandardValue
from calib.evaluation.standards import read_certificate
from instruments.errors import Refused
from tests.support import inputs as a

TABLE = (
    StandardValue("0", "0.010", "0.020", "2", "50"),
    StandardValue("50", "49.990", "0.030", "2"),
    StandardValue("100", "100.030", "0.050", "2.5", "8"),
)


def _standard(**changes):
    return a.a_standard(values=TABLE, low=None, high=None, **changes)


def test_the_correction_is_interpolated_between_neighbours():
    found = read_certificate(_standard(), [0, 25, 50, 75, 100])

    assert found.correction == pytest.approx([0.010, 0.0, -0.010, 0.010, 0.030])


def test_the_larger_u_and_the_smaller_dof_of_the_neighbours_hold():
    found = read_certificate(_standard(), [0, 25, 50, 75, 100])

    assert found.u == pytest.approx([0.010, 0.015, 0.015, 0.020, 0.020])
    assert list(found.dof) == [50, 50, math.inf, 8, 8]


@pytest.mark.parametrize("reading", [-0.001, 100.001])
def test_nothing_is_extrapolated(reading):
    with pytest.raises(Refused) as caught:
        read_certificate(_standard(), [50, reading])

    assert caught.value.code == "standard-out-of-range"
    assert str(reading) in str(caught.value)


def test_a_single_value_holds_in_the_range_of_its_certificate():
    standard = a.a_standard(values=(StandardValue("37", "37.020", "0.04", "2"),), low="30",
                            high="45")  # fmt: skip

    found = read_certificate(standard, [30, 37, 45])

    assert found.correction == pytest.approx([0.02, 0.02, 0.02])
    assert list(found.u) == [0.02] * 3
    with pytest.raises(Refused):
        read_certificate(standard, [29.99])


def test_points_may_rest_on_different_standards():
    low = a.a_standard("S-1", values=(StandardValue("0", "0.100", "0.2", "2"),))
    high = a.a_standard("S-2", values=(StandardValue("0", "-0.200", "0.4", "2"),))
    record = a.digital(standards=(low, high))
    texts = ["100.000"] * 4
    record = a.with_series(record, 2, "t_ref", texts, "S-2")

    points = evaluate(record).points

    assert [p.reference for p in points] == [0.11, 50.12, 99.8]
    lines = [next(b for b in p.budget if b.component == "t_std") for p in points]
    assert [line.u for line in lines] == [0.1, 0.1, 0.2]


def test_finite_degrees_of_freedom_of_a_certificate_reach_the_result():
    record = replace(a.digital(), standards=(_standard(),))

    points = evaluate(record).points

    assert points[2].dof is not None
    assert points[2].dof < 50
    assert points[2].k > 2
