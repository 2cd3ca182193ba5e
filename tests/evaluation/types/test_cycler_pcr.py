"""PCR cycler: the worked budget over fifteen wells, uniformity, rates, real-time instruments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import DecisionRule
from instruments.errors import Refused
from tests.support.asked import decided, found, under
from tests.support.typed import read, recorded, row, standard_of

ID = "cycler.pcr"
STANDARDS = (standard_of("temperature", "degC", "0.10"), standard_of("time", "s", "0.02"))
# standard deviation of these ten: 0.03
TEN = np.array([1, -1] * 5) * 0.03 * np.sqrt(9 / 10)
WELLS = np.linspace(-0.3, 0.3, 15)


def _block(nominal, middle, wells=WELLS):
    texts = {
        f"t_{i}": [f"{middle + well + x:.10f}" for x in TEN] for i, well in enumerate(wells, 1)
    }
    return read(ID, "temperature", nominal, texts, "temperature")


def _record(*more, top=None, **attributes):
    points = [_block("30", 30.0), _block("60", 60.0), top or _block("95", 95.0), *more]
    return recorded(ID, points, STANDARDS, {"temperature": "0.1"}, temperature="25.0", **attributes)


def test_the_worked_budget_at_95_degrees():
    point = found(evaluate(_record()), "temperature", "95")

    assert row(point) == ("0.08712", 64009, "2.00", "0.1742", "0.18")
    lines = {line.component: line for line in point.budget}
    assert f"{lines['t_rep'].contribution:.5f}" == "0.00949"
    assert lines["t_rep"].dof == 9


def test_uniformity_is_the_range_of_the_wells():
    point = found(evaluate(_record()), "uniformity", "95")

    assert point.error == pytest.approx(0.6)
    own = 0.03 / np.sqrt(10) * np.sqrt(2)
    assert point.u == pytest.approx(np.sqrt(own**2 + (0.05**2 + 0.10**2) / 3), rel=1e-4)


@pytest.mark.parametrize(
    ("middle", "wells", "measurand", "verdict"),
    [
        (94.5, WELLS, "temperature", "pass"),
        (94.48, WELLS, "temperature", "fail"),
        (95.0, WELLS * 5 / 3, "uniformity", "pass"),
        (95.0, WELLS * 1.7, "uniformity", "fail"),
    ],
)
def test_error_and_uniformity_at_their_limits(middle, wells, measurand, verdict):
    record = under(_record(top=_block("95", middle, wells)), rule=DecisionRule("simple"))

    assert decided(evaluate(record), measurand, "95") == verdict


def test_rates_and_overshoot():
    series = {"t_low": ["50.0"] * 3, "t_high": ["90.0"] * 3}
    more = [
        _rate("heating", series, ["16.0", "15.8", "16.2"]),
        _rate("cooling", series, ["20.0", "19.9", "20.1"]),
        read(ID, "overshoot", "95", {"t_max": ["96.1"] * 3, "t_end": ["95.0"] * 3}, "temperature"),
    ]

    result = evaluate(under(_record(*more), rule=DecisionRule("simple")))

    assert found(result, "heating", "1.5").error == pytest.approx(2.5)
    assert found(result, "cooling", "1.5").error == pytest.approx(2)
    assert decided(result, "cooling", "1.5") == "pass"
    assert found(result, "overshoot", "95").error == pytest.approx(1.1)


def _rate(measurand, series, times):
    point = read(ID, measurand, "1.5", {**series, "dt": times}, "temperature")
    timed = read(ID, measurand, "1.5", {"dt": times}, "time")
    return replace(point, readings={**point.readings, **timed.readings})


def test_real_time_instruments_show_the_scatter_of_samples():
    cycles = [25.1, 25.0, 24.9, 25.2, 25.0, 24.8, 25.1, 25.0, 25.0, 24.9]
    texts = {"ct": [f"{c:.2f}" for c in cycles]}
    sample = read(ID, "sample_repeatability", "25", texts, "temperature")

    point = found(evaluate(_record(sample, detection="real_time")), "sample_repeatability", "25")

    assert point.error == pytest.approx(np.std(cycles, ddof=1) / np.mean(cycles) * 100)
    with pytest.raises(Refused):
        evaluate(_record(sample))


@pytest.mark.parametrize("bend", [0.0, 0.4])
def test_linearity_is_the_correlation_over_five_powers_of_ten(bend):
    levels = np.arange(2, 7)
    cycles = 40 - 3.32 * levels + bend * (levels - 4) ** 2
    texts = {f"ct_{n}": [f"{c:.4f}"] * 3 for n, c in zip(levels, cycles, strict=True)}
    sample = read(ID, "sample_linearity", "1", texts, "temperature")

    point = found(evaluate(_record(sample, detection="real_time")), "sample_linearity", "1")

    assert point.error == pytest.approx(-np.corrcoef(levels, cycles)[0, 1], abs=1e-9)
    assert point.U > 0
