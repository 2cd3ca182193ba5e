"""Electronic balance: the worked budget, scatter of the repeatability test, steps of limits."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from calib.evaluation.evaluate import evaluate, evaluate_points
from calib.evaluation.inputs import DecisionRule, StandardValue
from instruments.choosing import limits_for, points_for
from instruments.errors import Refused
from tests.support import inputs as a
from tests.support.asked import decided, found, under
from tests.support.typed import read, recorded, row, standard_of

ID = "balance.electronic"
WEIGHTS = standard_of("mass", "g", "0.00010")
# 220 g, d = 0.1 mg, e = 1 mg, class I
CLASS_I = {"load_maximum": "200", "scale_interval": "0.001", "step": "50"}
SIX = np.array([1, -1, 1, -1, 1, -1]) * np.sqrt(5 / 6) * 1e-4


def _error(load, shown=None):
    return read(ID, "error", load, {"m_ref": [load], "I": [shown or load]}, "mass")


def _six(scatter=SIX, load=100.0):
    texts = {"I": [f"{load + x:.12f}" for x in scatter]}
    return read(ID, "repeatability", "100", texts, "mass")


def _places(**shown):
    middle = dict.fromkeys("C1234", "70.0000") | {k[1:]: text for k, text in shown.items()}
    texts = {f"I_{k}": [text] for k, text in middle.items()}
    return read(ID, "eccentricity", "70", texts, "mass")


def _record(top=None, six=None, places=None, *, rule="none", **attributes):
    points = [
        *(_error(load) for load in ("20", "50", "100", "150")),
        top or _error("200"), six or _six(), places or _places(),
    ]  # fmt: skip
    steps = dict.fromkeys(("error", "repeatability", "eccentricity"), "0.0001")
    record = recorded(ID, points, [WEIGHTS], steps, **{**CLASS_I, **attributes})
    return under(record, rule=DecisionRule(rule))


def test_the_worked_budget_at_200_g():
    point = found(evaluate(_record()), "error", "200")

    in_mg = replace(point, u=point.u * 1e3, U=point.U * 1e3)
    assert row(in_mg) == ("0.1515", 26, "2.10", "0.3184", "0.00032")
    lines = {line.component: line for line in point.budget}
    assert (lines["I_rep"].u, lines["I_rep"].dof) == (pytest.approx(1e-4, rel=1e-5), 5)
    assert lines["m_ref"].c == -1


def test_the_scatter_of_one_weighing_is_that_of_the_repeatability_test():
    twice = evaluate(_record(six=_six(2 * SIX)))

    for point in (p for p in twice.points if p.measurand in ("error", "eccentricity")):
        (line,) = (b for b in point.budget if b.component in ("I_rep", "d_rep"))
        assert (line.u, line.dof) == (pytest.approx(2e-4, rel=1e-5), 5)


def test_without_the_repeatability_test_no_error_is_computed():
    record = _record()
    rest = [p for p in record.points if p.measurand != "repeatability"]

    assert evaluate_points(under(record, rest)) == ()
    with pytest.raises(Refused) as refused:
        evaluate(under(record, rest))
    assert {f.code for f in refused.value.findings if f.severity == "error"} == {"points-missing"}
    assert len(evaluate_points(record)) == 7


def test_one_reading_is_no_repeatability_test():
    once = read(ID, "repeatability", "100", {"I": ["100.0000"]}, "mass")

    with pytest.raises(Refused) as refused:
        evaluate(_record(six=once))

    assert refused.value.code == "repeatability-not-measured"
    assert refused.value.facts == {"measurand": "error", "other": "repeatability"}


def test_after_adjustment_the_scatter_of_that_stage_counts_or_else_the_one_there_is():
    record = _record()
    left = [replace(p, stage="as_left", key=p.key.replace("found", "left")) for p in record.points]
    calm = replace(left[5], readings=_six(SIX / 2).readings)

    def scatter(points):
        result = evaluate(under(record, [*record.points, *points]))
        lines = {p.key: {b.component: b.u for b in p.budget} for p in result.points}
        return lines["error/as_left/0/200"]["I_rep"]

    assert scatter([*left[:5], calm, left[6]]) == pytest.approx(5e-5, rel=1e-5)
    assert scatter([*left[:5]]) == pytest.approx(1e-4, rel=1e-5)


def test_the_weights_count_with_their_certified_mass():
    certified = replace(
        WEIGHTS,
        values=(StandardValue("20", "20.00005", "0.00008", "2"),
                StandardValue("200", "200.00020", "0.00010", "2")),
        low=None, high=None,
    )  # fmt: skip
    record = replace(_record(_error("200", "200.0010")), standards=(certified,))

    assert found(evaluate(record), "error", "200").error == pytest.approx(0.0008)


def test_repeatability_and_eccentricity_against_numpy():
    shown = {"_C": "70.0001", "_1": "70.0004", "_2": "69.9996", "_3": "70.0002", "_4": "70.0001"}
    scatter = [1e-4, -3e-4, 2e-4, 0, 0, 1e-4]

    result = evaluate(_record(six=_six(scatter), places=_places(**shown)))

    assert found(result, "repeatability", "100").error == pytest.approx(np.ptp(scatter))
    assert found(result, "eccentricity", "70").error == pytest.approx(5e-4)
    s = np.std(scatter, ddof=1)
    assert found(result, "eccentricity", "70").u == pytest.approx(np.hypot(s, 5e-5 / np.sqrt(3)))


@pytest.mark.parametrize(
    ("load", "upper"), [("0", "0.0005"), ("50", "0.0005"), ("50.001", "0.001"), ("200", "0.001"),
                        ("201", "0.0015")],
)  # fmt: skip
def test_the_permissible_error_rises_in_steps_of_the_scale_interval(load, upper):
    definition = a.a_type(ID)
    rows = limits_for(definition, definition.measurand("error"), CLASS_I)

    (limit,) = (r for r in rows if r.covers(Decimal(load)))

    assert [str(side) for side in limit.at(Decimal(load))] == [f"-{upper}", upper]


def test_without_its_ratings_a_balance_has_neither_points_nor_limits():
    definition = a.a_type(ID)
    error = definition.measurand("error")

    assert limits_for(definition, error, {"load_maximum": "200"}) == ()
    assert points_for(definition, error, {"load_maximum": "200"}) == (
        "20", "50", "100", "150", "200"
    )  # fmt: skip
    assert points_for(definition, error, {}) == ()


@pytest.mark.parametrize(
    ("changed", "measurand", "nominal", "verdict"),
    [
        ({"top": _error("200", "200.0010")}, "error", "200", "pass"),
        ({"top": _error("200", "199.9989")}, "error", "200", "fail"),
        ({"six": _six([0, 0, 1e-3, 0, 0, 0])}, "repeatability", "100", "pass"),
        ({"six": _six([0, 0, 1.1e-3, 0, 0, 0])}, "repeatability", "100", "fail"),
        ({"places": _places(_3="69.9990")}, "eccentricity", "70", "pass"),
        ({"places": _places(_3="69.9988")}, "eccentricity", "70", "fail"),
    ],
)
def test_verdicts_at_the_limit(changed, measurand, nominal, verdict):
    assert decided(evaluate(_record(**changed, rule="simple")), measurand, nominal) == verdict
