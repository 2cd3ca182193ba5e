"""Working standard with its bridge: the curve, the triple point, the bridge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import DecisionRule
from tests.support.typed import read, recorded, standard_of

ID = "standard.working_prt"
SIX = ["100.00040", "100.00041", "100.00039", "100.00040", "100.00041", "100.00039"]
STANDARDS = (
    standard_of("temperature", "degC", "0.004"), standard_of("resistance", "ohm", "0.00004"),
)  # fmt: skip


def _triple(texts=SIX):
    return read(ID, "triple_point", "0.01", {"R_ind": texts}, "temperature")


def _record(*points, R_tp="100.0000"):
    resolution = {"temperature": "0.001", "bridge": "0.00001"}
    return recorded(ID, points, STANDARDS, resolution, temperature="20", R_tp=R_tp)


def test_the_drift_at_the_triple_point_is_in_kelvin():
    (point,) = evaluate(_record(_triple())).points

    assert point.error == pytest.approx(0.0004 / 100 / 0.003985)
    s = np.std([float(t) for t in SIX], ddof=1) / 6**0.5
    bridge = 100.0004e-6 / 3**0.5
    wanted = np.hypot(s, bridge) / 100 / 0.003985, 0.0002 / 3**0.5, 0.0005 / 3**0.5
    assert point.u == pytest.approx(np.sqrt(np.sum(np.square(wanted))), rel=1e-6)
    assert point.printed.error == "0.00100"


@pytest.mark.parametrize(("ohms", "verdict"), [("100.00079", "pass"), ("100.00080", "fail")])
def test_two_millikelvin_of_drift_stop_the_standard(ohms, verdict):
    record = replace(_record(_triple([ohms] * 6)), decision_rule=DecisionRule("simple"))

    assert evaluate(record).points[0].verdict == verdict


def test_the_bridge_against_a_resistor():
    point = read(ID, "bridge", "100", {"R_ref": ["100.00002"], "R_ind": SIX}, "resistance")

    result = evaluate(_record(_triple(), point))

    found = next(p for p in result.points if p.measurand == "bridge")
    assert found.error == pytest.approx(0.00038)
    assert {b.component: b.u for b in found.budget}["R_std"] == pytest.approx(0.00002)


def test_corrections_are_fitted_over_the_range():
    def correction(t):
        return 0.002 + 1e-4 * t - 5e-7 * t**2

    points = [
        read(
            ID, "temperature", n,
            {"t_ref": [f"{float(n) + correction(float(n)):.6f}"] * 4, "t_ind": [f"{n}.000"] * 4},
            "temperature",
        )
        for n in ("0", "25", "50", "75", "100")
    ]  # fmt: skip

    (curve,) = evaluate(_record(_triple(), *points)).curves

    assert [p.value for p in curve.parameters] == pytest.approx([0.002, 1e-4, -5e-7], abs=1e-6)
