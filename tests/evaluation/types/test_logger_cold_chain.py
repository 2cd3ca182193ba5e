"""Cold-chain logger: the worked budget, humidity, the times, limits by requirement and store."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import DecisionRule
from instruments.choosing import limits_for, points_for
from tests.support import inputs as a
from tests.support.typed import read, recorded, standard_of

ID = "logger.cold_chain"
# standard deviation of these ten: 0.03 degC
TEN = [f"{5 + d * 0.045:.3f}" for d in (1, 1, -1, -1, 0, 0, 0, 0, 0, 0)]
UNITS = {"temperature": "degC", "relative_humidity": "%RH", "time": "s"}
U = {"temperature": "0.05", "relative_humidity": "0.8", "time": "0.01"}


def _temperatures(five=TEN):
    rows = {"2": ["2.0"] * 10, "5": five, "8": ["8.1"] * 10}
    return [
        read(ID, "temperature", n, {"t_ref": [n] * 10, "t_ind": ind}, "temperature")
        for n, ind in rows.items()
    ]


def _record(points, **attributes):
    standards = [standard_of(q, unit, U[q], high="90000") for q, unit in UNITS.items()]
    resolution = {"temperature": "0.1", "humidity": "0.1"}
    return recorded(ID, points, standards, resolution, **attributes)


def test_the_worked_budget_at_5_degrees():
    point = evaluate(_record(_temperatures())).points[1]

    assert f"{point.u:.4g}" == "0.06719"
    assert round(point.dof) == 22650
    assert (point.printed.k, f"{point.U:.4g}", point.printed.U) == ("2.00", "0.1344", "0.14")


def test_the_humidity_channel_gives_the_worked_budget_of_a_recorder():
    humid = [
        read(ID, "humidity", n, {"h_ref": [n] * 3, "h_ind": [f"{n}.1"] * 3}, "relative_humidity")
        for n in ("40", "60", "80")
    ]

    points = evaluate(_record([*_temperatures(), *humid])).points

    at60 = next(p for p in points if p.measurand == "humidity" and p.printed.nominal == "60")
    assert (f"{at60.u:.4g}", round(at60.dof), at60.printed.U) == ("0.6144", 14429, "1.3")
    assert at60.printed.error == "0.1"


def test_interval_and_clock():
    times = [
        read(ID, "interval", "300", {"s_ref": ["299.2", "299.4", "299.3"]}, "time"),
        read(ID, "clock", "0", {"s_ref": ["43200"], "s_ind": ["43263"]}, "time"),
    ]

    result = evaluate(_record([*_temperatures(), *times]))

    found = {p.measurand: p for p in result.points[3:]}
    assert found["interval"].error == pytest.approx(0.7)
    assert found["clock"].error == 63
    assert found["clock"].u == pytest.approx((1 / 3 + 0.005**2) ** 0.5)
    assert not [f for f in result.findings if f.at.startswith("/points") and "clock" in f.at]


@pytest.mark.parametrize(
    ("requirement", "store", "points", "limit"),
    [
        ("gsp", "refrigerator", ("2", "5", "8"), "0.5"),
        ("gsp", "freezer", ("-25", "-20", "-15"), "1.0"),
        ("gsp", "deep_freezer", ("-80", "-75", "-70"), None),
        ("who_pqs", "freezer", ("-25", "-20", "-15"), "0.5"),
        ("who_pqs", "deep_freezer", ("-80", "-75", "-70"), None),
        ("en_12830", "deep_freezer", ("-80", "-75", "-70"), "1.0"),
        ("en_12830", "room", ("15", "20", "25"), "1.0"),
    ],
)
def test_points_by_store_and_limits_by_requirement(requirement, store, points, limit):
    definition = a.a_type(ID)
    measurand = definition.measurand("temperature")
    item = {"requirement": requirement, "store": store}

    assert points_for(definition, measurand, item) == points
    for point in map(Decimal, points):
        rows = [r for r in limits_for(definition, measurand, item) if r.covers(point)]
        upper = None if limit is None else Decimal(limit)
        assert [r.at(point)[1] for r in rows] == ([] if upper is None else [upper])


@pytest.mark.parametrize(("ind", "verdict"), [("5.5", "pass"), ("5.6", "fail")])
def test_a_verdict_at_the_limit(ind, verdict):
    record = _record(_temperatures([ind] * 10))

    result = evaluate(replace(record, decision_rule=DecisionRule("simple")))

    assert result.points[1].verdict == verdict
    assert result.unconfirmed_limits == ("GSP",)
