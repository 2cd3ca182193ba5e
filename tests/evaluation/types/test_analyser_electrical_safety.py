"""Electrical-safety analyser: the worked budget, resistances, limits of the maker."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import AgreedLimits, DecisionRule
from instruments.procedure import Limit
from tests.support.asked import decided, found, under
from tests.support.typed import read, recorded, row, standard_of

ID = "analyser.electrical_safety"
STANDARDS = (
    standard_of("current", "uA", "0.12"),
    standard_of("resistance", "ohm", "0.0004"),
    standard_of("resistance", "Mohm", "0.02", key="high"),
)


def _current(nominal, shown=None):
    texts = {"I_std": [nominal] * 3, "I_ind": shown or [nominal] * 3}
    return read(ID, "leakage", nominal, texts, "current")


def _resistance(measurand, nominal, shown, standard):
    return read(ID, measurand, nominal, {"R_std": [nominal], "R_ind": shown}, standard)


def _record(hundred=None):
    points = [
        _current("10"), _current("100", hundred), _current("5000"),
        _resistance("earth_resistance", "0.1", ["0.102", "0.103", "0.101"], "resistance"),
        _resistance("earth_resistance", "0.2", ["0.201", "0.202", "0.200"], "resistance"),
        *(_resistance("insulation", n, [n] * 3, "high") for n in ("2", "10")),
        _resistance("insulation", "100", ["101.0", "101.0", "101.3"], "high"),
    ]  # fmt: skip
    steps = {"leakage": "0.1", "earth_resistance": "0.001", "insulation": "0.1"}
    return recorded(ID, points, STANDARDS, steps)


def test_the_worked_budget_at_100_microampere():
    point = found(evaluate(_record()), "leakage", "100")

    assert row(point) == ("0.1878", 32238, "2.00", "0.3756", "0.38")
    lines = {line.component: line for line in point.budget}
    assert (lines["I_std"].c, lines["I_std"].contribution) == (-1, 0.06)
    assert f"{lines['d_MD'].contribution:.3g}" == "0.173"


def test_resistances():
    result = evaluate(_record())

    assert found(result, "earth_resistance", "0.1").error == pytest.approx(0.002)
    assert found(result, "insulation", "100").error == pytest.approx(1.1)
    assert all(0 < p.U < 40 for p in result.points)


@pytest.mark.parametrize(("shown", "verdict"), [("102.0", "pass"), ("102.1", "fail")])
def test_limits_are_agreed_as_the_maker_gives_them(shown, verdict):
    """±(1 % + 1 µA), agreed on the order: the type has none."""
    limit = Limit("Manual, p. 7", "V", lower="-1", upper="1", plus_fraction="0.01")
    record = under(_record([shown] * 3), rule=DecisionRule("simple"))

    result = evaluate(replace(record, limits={"leakage": AgreedLimits("maker", (limit,))}))

    assert decided(evaluate(record), "leakage", "100") == "cannot_be_stated"
    assert decided(result, "leakage", "100") == verdict
