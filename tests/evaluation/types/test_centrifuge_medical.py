"""Centrifuge: the worked budget, force, stability, timer, chamber of refrigerated ones."""

from __future__ import annotations

import pytest

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import DecisionRule
from instruments.errors import Refused
from tests.support.asked import decided, found, under
from tests.support.typed import read, recorded, row, standard_of

ID = "centrifuge.medical"
STANDARDS = (
    standard_of("rotational_frequency", "r/min", "1"),
    standard_of("time", "s", "0.02"),
    standard_of("temperature", "degC", "0.1"),
)


def _speed(nominal, *reference):
    texts = {"n_ref": list(reference or [nominal] * 3)}
    return read(ID, "speed", nominal, texts, "rotational_frequency")


def _record(*more, top=None, **attributes):
    points = [
        _speed("2000"), _speed("3000"), top or _speed("4000"),
        read(ID, "timer", "600", {"t_ref": ["600.2", "600.4", "600.3"]}, "time"),
        *more,
    ]  # fmt: skip
    return recorded(ID, points, STANDARDS, {"speed": "10", "temperature": "1"}, **attributes)


def test_the_worked_budget_at_4000():
    point = found(evaluate(_record()), "speed", "4000")

    assert row(point) == ("3.559", 1624, "2.00", "7.118", "7.2")
    lines = {line.component: line for line in point.budget}
    assert f"{lines['n_std'].contribution:.3g}" == "1.73"
    assert lines["n_std"].c == -1


@pytest.mark.parametrize(
    ("reference", "verdict"), [("3900", "pass"), ("4100", "pass"), ("3880", "fail")]
)
def test_speed_at_the_limit(reference, verdict):
    record = under(_record(top=_speed("4000", *[reference] * 3)), rule=DecisionRule("simple"))

    assert decided(evaluate(record), "speed", "4000") == verdict
    assert float(found(evaluate(record), "speed", "4000").printed.upper) == 100


def test_force_stability_and_timer():
    speeds = ["4000", "4003", "3999", "4001", "4005", "4000", "3998", "4002", "4000", "4001"]
    more = [
        read(ID, "stability", "4000", {"n_ref": speeds}, "rotational_frequency"),
        read(ID, "rcf", "4000", {"n_ref": ["4000"] * 3}, "rotational_frequency"),
    ]

    result = evaluate(_record(*more, radius="15"))

    assert found(result, "stability", "4000").error == pytest.approx(3.5)
    assert found(result, "rcf", "4000").error == pytest.approx(1.118e-5 * 15 * 4000**2)
    assert found(result, "timer", "600").error == pytest.approx(-0.3)
    assert float(found(result, "timer", "600").printed.upper) == 6


def test_without_the_radius_there_is_no_force():
    more = read(ID, "rcf", "4000", {"n_ref": ["4000"] * 3}, "rotational_frequency")

    with pytest.raises(Refused) as refused:
        evaluate(_record(more))

    assert [f.code for f in refused.value.findings if f.severity == "error"] == ["rating-missing"]


def test_only_a_refrigerated_one_has_a_chamber_temperature():
    chamber = read(ID, "temperature", "4", {"t_ref": ["5.1", "5.0", "5.2"]}, "temperature")

    point = found(evaluate(_record(chamber, cooling="refrigerated")), "temperature", "4")

    assert point.error == pytest.approx(-1.1)
    with pytest.raises(Refused):
        evaluate(_record(chamber))
    with pytest.raises(Refused):
        evaluate(_record(cooling="refrigerated"))
