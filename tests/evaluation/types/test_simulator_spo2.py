"""SpO2 simulator: errors of its settings with what the standard's certificate says; the ratio R."""

from __future__ import annotations

from decimal import Decimal

import pytest

from calib.evaluation.inputs import StandardValue
from tests.support.typed import read, recorded, standard_of
from tests.support.verified import results, warnings

ID = "simulator.spo2"
R = {"ac_660": "10.0", "dc_660": "500.0", "ac_940": "20.0", "dc_940": "800.0"}


def _record():
    points = [
        read(ID, "saturation", n, {"s_ref": [shown] * 3 + [f"{float(shown) + 0.1:.1f}"] * 3},
             "ratio")
        for n, shown in (("70", "71.0"), ("90", "90.4"), ("100", "99.5"))
    ]  # fmt: skip
    points += [
        read(ID, "pulse_rate", n, {"r_ref": [shown] * 3}, "frequency")
        for n, shown in (("30", "30.01"), ("120", "120.05"), ("300", "299.50"))
    ]
    readings = {n: [v, v, f"{float(v) + 0.1:.1f}"] for n, v in R.items()}
    points.append(read(ID, "ratio_r", "80", readings, "voltage"))
    standards = [
        standard_of("ratio", "%", "0.6", values=(StandardValue("80", "80.2", "0.6", "2"),)),
        standard_of("frequency", "/min", "0.01"),
        standard_of("voltage", "mV", "0.1"),
    ]
    return recorded(ID, points, standards, {})


def test_the_certificate_of_the_analyser_corrects_and_counts():
    point = results(_record())["saturation", "90"]

    assert point.error == pytest.approx(90 - (90.45 + 0.2))
    lines = {line.component: line.contribution for line in point.budget}
    assert lines["S_std"] == pytest.approx(0.3)
    assert lines["S_rep"] == pytest.approx(0.05 / 5**0.5)
    assert warnings(_record()) == set()


@pytest.mark.parametrize(
    ("measurand", "nominal", "upper"),
    [
        ("saturation", "70", "3"),
        ("saturation", "90", "2"),
        ("saturation", "100", "2"),
        ("pulse_rate", "30", "1.3"),
        ("pulse_rate", "300", "4"),
    ],
)
def test_limits_by_range(measurand, nominal, upper):
    printed = results(_record())[measurand, nominal].printed
    assert (Decimal(printed.lower), Decimal(printed.upper)) == (-Decimal(upper), Decimal(upper))


def test_the_ratio_of_the_channels_and_its_sensitivities():
    point = results(_record())["ratio_r", "80"]
    mean = {name: float(v) + 0.1 / 3 for name, v in R.items()}
    ratio = mean["ac_660"] / mean["dc_660"] / (mean["ac_940"] / mean["dc_940"])

    assert point.error == pytest.approx(ratio)
    lines = {line.component: line for line in point.budget}
    assert lines["ac_660_std"].contribution == pytest.approx(ratio * 0.002 / 3**0.5)
    assert lines["dc_660_std"].c == pytest.approx(-ratio / mean["dc_660"])
