"""Thermostatic bath: fluctuation, and gradients that do not see the two thermometers differ."""

from __future__ import annotations

import numpy as np
import pytest

from calib.certificates.pdf import render
from calib.certificates.reread import reread
from calib.evaluation.evaluate import evaluate
from tests.support.documents import a_document
from tests.support.typed import read, recorded, standard_of, steps

ID = "bath.thermostatic"
TWENTY_ONE = steps(50, [0, 3, -2, 5, 1, -4, 2, 0, 1, -1, 4, -3, 2, 1, 0, -2, 3, -1, 0, 2, -6], 3)
WAVE = [2, -1, 0, -1]


def _gradient(measurand, place, offset):
    """Thermometer B shows `offset` too much; place 1 is warmer by `place`."""
    values = {"a_1": 50 + place, "b_2": 50 + offset, "b_1": 50 + place + offset, "a_2": 50}
    texts = {name: steps(value, WAVE, 4) for name, value in values.items()}
    return read(ID, measurand, "50", texts, "temperature")


def _record(offset=0.0, U="0.02"):
    points = [
        read(ID, "temperature", "50", {"t_ref": TWENTY_ONE, "t_ind": ["50.1"] * 3}, "temperature"),
        _gradient("horizontal", 0.006, offset),
        _gradient("vertical", -0.009, offset),
    ]
    resolution = {"temperature": "0.1"}
    standards = [standard_of("temperature", "degC", U)]
    return recorded(ID, points, standards, resolution)


def _found(record):
    return {p.measurand: p for p in evaluate(record).points}


def test_fluctuation_is_half_the_range_in_time():
    found = _found(_record())

    assert found["stability"].error == pytest.approx(np.ptp(np.array(TWENTY_ONE, float)) / 2)
    assert found["stability"].u == pytest.approx(0.001 / np.sqrt(3))


def test_the_controller_is_compared_with_the_mean_of_the_working_zone():
    point = _found(_record())["temperature"]

    series = np.array(TWENTY_ONE, float)
    assert point.error == pytest.approx(50.1 - series.mean())
    parts = (series.std(ddof=1) / np.sqrt(21), 0.05 / np.sqrt(3), 0.01, 0.005 / np.sqrt(3))
    assert point.u == pytest.approx(np.sqrt(np.sum(np.square(parts))))


@pytest.mark.parametrize("offset", [0.0, 0.050, -0.3])
def test_a_difference_between_the_thermometers_cancels(offset):
    found = _found(_record(offset))

    assert found["horizontal"].error == pytest.approx(0.006, abs=1e-9)
    assert found["vertical"].error == pytest.approx(-0.009, abs=1e-9)


def test_certificates_do_not_enter_a_gradient():
    good, poor = (_found(_record(U=U))["vertical"].u for U in ("0.02", "0.5"))

    assert good == poor
    one = np.std(np.array(WAVE) * 1e-4, ddof=1) / 2
    assert good == pytest.approx(np.sqrt(4 * (one / 2) ** 2 + 2 * 0.001**2 / 3))


def test_what_is_no_difference_from_a_reference_is_printed_and_read_again():
    document = a_document(_record())

    assert [f.text() for f in reread(document, render(document, {}), {})] == []
