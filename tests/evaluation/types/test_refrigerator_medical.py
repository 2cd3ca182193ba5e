"""Medical refrigerator: display, extremes, uniformity and fluctuation from one set of readings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calib.evaluation.evaluate import evaluate, evaluate_points
from calib.evaluation.inputs import DecisionRule, StandardValue
from instruments.choosing import points_for
from instruments.errors import Refused
from tests.support import inputs as a
from tests.support.typed import read, recorded, standard_of

ID = "refrigerator.medical"
POSITIONS = "ABCDEFGHO"
RNG = np.random.default_rng(20)
FIELD = np.round(5 + RNG.normal(0, 0.4, (9, 1)) + RNG.normal(0, 0.1, (9, 16)), 2)
DISPLAY = [f"{t:.1f}" for t in np.round(5.2 + RNG.normal(0, 0.1, 16), 1)]


def _mapping(field=FIELD):
    rows = {f"t_{p}": [f"{t:.2f}" for t in row] for p, row in zip(POSITIONS, field, strict=True)}
    return read(ID, "indication", "5", {"t_ind": DISPLAY, **rows}, "temperature")


def _record(*points, correction="0", **attributes):
    values = (StandardValue("0", correction, "0.10", "2"),)
    standards = (
        standard_of("temperature", "degC", "0.10", values=values),
        standard_of("time", "min", "0.01"),
    )
    return recorded(ID, points, standards, {"indication": "0.1"}, **attributes)


def _by_measurand(result):
    return {point.measurand: point for point in result.points}


def test_all_results_of_one_mapping_against_numpy():
    found = _by_measurand(evaluate(_record(_mapping(), correction="0.05")))

    field = FIELD + 0.05
    display = np.mean([float(t) for t in DISPLAY])
    assert found["indication"].error == pytest.approx(display - field[8].mean())
    assert found["upper"].error == pytest.approx(field.max() - 5)
    assert found["lower"].error == pytest.approx(field.min() - 5)
    moments = np.ptp(field, axis=0)
    assert found["uniformity"].error == pytest.approx(moments.mean())
    assert found["fluctuation"].error == pytest.approx(np.ptp(field[8]) / 2)


def test_their_uncertainties_against_numpy():
    found = _by_measurand(evaluate(_record(_mapping())))

    log, drift, certificate = 0.005 / 3**0.5, 0.05 / 3**0.5, 0.05
    channel = log**2 + drift**2 + certificate**2
    s = FIELD.std(axis=1, ddof=1)
    assert found["upper"].u == pytest.approx(np.sqrt(s.max() ** 2 + channel))
    moments = np.ptp(FIELD, axis=0)
    mean = moments.std(ddof=1) / 4
    assert found["uniformity"].u == pytest.approx(np.sqrt(mean**2 + 2 * channel))
    assert found["fluctuation"].u == pytest.approx(np.sqrt((s[8] ** 2 + log**2) / 2))


def test_the_budget_of_the_display_is_that_of_a_chamber():
    lines = {b.component: b for b in _by_measurand(evaluate(_record(_mapping())))[
        "indication"
    ].budget}  # fmt: skip

    wanted = {"t_std": 0.05, "d_log": 0.00289, "d_drift": 0.0289, "d_disp": 0.0289}
    for name, u in wanted.items():
        assert lines[name].contribution == pytest.approx(u, rel=2e-3)
    assert lines["t_rep"].dof == 15


def test_shared_readings_are_entered_once_and_keep_the_record():
    record = _record(_mapping())

    result = evaluate(record)

    assert result.input_digest == record.digest()
    assert [p.key for p in result.points] == [
        f"{m}/as_found/0/5" for m in ("indication", "upper", "lower", "uniformity", "fluctuation")
    ]
    assert evaluate_points(record) == result.points


def test_a_point_of_a_shared_measurand_is_refused():
    point = replace(_mapping(), key="upper/as_found/0/5", measurand="upper")

    with pytest.raises(Refused) as refused:
        evaluate(_record(_mapping(), point))

    assert "readings-shared" in {f.code for f in refused.value.findings}


def test_a_position_that_misses_a_moment_is_refused():
    mapping = _mapping()
    short = {**mapping.readings, "t_B": mapping.readings["t_B"][:-1]}

    with pytest.raises(Refused) as refused:
        evaluate(_record(replace(mapping, readings=short)))

    (finding,) = [f for f in refused.value.findings if f.code == "positions-unequal"]
    assert finding.at == "/points/indication/as_found/0/5/readings/t_B"
    assert (finding.facts["least"], finding.facts["most"]) == (15, 16)


@pytest.mark.parametrize(
    ("warmest", "verdicts"), [(8.0, ("pass", "pass")), (8.01, ("fail", "pass"))]
)
def test_a_verdict_at_the_end_of_the_range_of_storage(warmest, verdicts):
    field = np.full((9, 16), 5.0)
    field[3] = warmest
    record = replace(_record(_mapping(field)), decision_rule=DecisionRule("simple"))

    found = _by_measurand(evaluate(record))

    assert (found["upper"].verdict, found["lower"].verdict) == verdicts
    assert found["uniformity"].verdict == "cannot_be_stated"


def test_door_opening_and_hold_over():
    warm = {f"t_{p}": [f"{5 + i / 2:.2f}"] for i, p in enumerate(POSITIONS)}
    points = [
        _mapping(),
        read(ID, "door_opening", "5", warm, "temperature"),
        read(ID, "recovery", "5", {"m_ref": ["12"]}, "time"),
        read(ID, "holdover", "5", {"m_ref": ["184"]}, "time"),
    ]

    found = _by_measurand(evaluate(_record(*points)))

    assert found["door_opening"].error == pytest.approx(4.0)
    assert found["door_opening"].u == pytest.approx(np.sqrt((0.005**2 + 0.05**2) / 3 + 0.05**2))
    assert (found["recovery"].error, found["holdover"].error) == (12, 184)
    assert found["holdover"].u == pytest.approx(np.hypot(0.005, 1 / 3**0.5))


def test_points_follow_the_store_and_shared_measurands_have_none():
    definition = a.a_type(ID)
    for store, wanted in {"refrigerator": "5", "freezer": "-20", "deep_freezer": "-75"}.items():
        item = {"store": store}
        assert points_for(definition, definition.measurand("indication"), item) == (wanted,)
        assert points_for(definition, definition.measurand("upper"), item) == ()
