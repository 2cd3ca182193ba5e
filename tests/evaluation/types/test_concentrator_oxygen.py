"""Oxygen concentrator: oxygen at rated flows, flow at 20 °C, the built-in monitor."""

from __future__ import annotations

import numpy as np
import pytest

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import DecisionRule
from tests.support.asked import at, decided, found, under
from tests.support.typed import read, recorded, standard_of

ID = "concentrator.oxygen"
STANDARDS = (standard_of("ratio", "%", "0.6"), standard_of("volume_flow", "L/min", "0.05"))


def _record(oxygen=("93.1", "93.3", "93.2"), flow="5.00", conditions=("20.0", "55", "101.325")):
    points = [
        read(ID, "oxygen", "1", {"x_ref": ["95.0"] * 3}, "ratio"),
        read(ID, "oxygen", "5", {"x_ref": list(oxygen)}, "ratio"),
        read(ID, "flow", "1", {"q_ref": ["1.00"] * 3}, "volume_flow"),
        read(ID, "flow", "5", {"q_ref": [flow] * 3}, "volume_flow"),
        read(ID, "monitor", "93", {"x_ref": ["93.0"] * 3, "x_ind": ["94"] * 3}, "ratio"),
    ]
    steps = {"flow": "0.5", "monitor": "1"}
    return at(recorded(ID, points, STANDARDS, steps), *conditions)


def test_oxygen_is_found_at_a_flow():
    point = found(evaluate(_record()), "oxygen", "5")

    assert point.error == pytest.approx(93.2)
    own = np.std([93.1, 93.3, 93.2], ddof=1) / np.sqrt(3)
    assert point.u == pytest.approx(np.sqrt(own**2 + (1 + 0.3**2) / 3))
    assert (point.printed.nominal, point.printed.lower, point.printed.upper) == ("5", "90", "96")


@pytest.mark.parametrize(
    ("oxygen", "verdict"), [("90.0", "pass"), ("89.7", "fail"), ("96.0", "pass"), ("96.4", "fail")]
)
def test_oxygen_at_its_limits(oxygen, verdict):
    record = under(_record([oxygen] * 3), rule=DecisionRule("simple"))

    assert decided(evaluate(record), "oxygen", "5") == verdict


def test_flow_is_compared_at_20_degrees_and_standard_pressure():
    point = found(evaluate(_record(conditions=("25.0", "55", "90.0"))), "flow", "5")

    flow = 5 * 90 / 101.325 * 293.15 / 298.15
    assert point.reference == pytest.approx(flow)
    assert point.error == pytest.approx((5 - flow) / flow * 100)


def test_the_monitor_has_no_limit_of_its_own():
    result = evaluate(under(_record(), rule=DecisionRule("simple")))

    assert found(result, "monitor", "93").error == pytest.approx(1)
    assert decided(result, "monitor", "93") == "cannot_be_stated"
