"""Screening thermograph: the worked budget, with and without reference source, drift, limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import DecisionRule, StandardValue
from tests.support.typed import read, recorded, row, standard_of

ID = "thermograph.screening"
PLACES = "MABCD"
# 15 frames whose standard deviation is 0.08 degC
FIFTEEN = np.array([1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 0]) * 0.08
HOURS = [0.00, 0.02, 0.05, 0.06, 0.05, 0.08, 0.10, 0.11, 0.12]


def _field(middle, frames=FIFTEEN):
    return {
        f"t_{place}": [f"{middle + x:.2f}" for x in frames[3 * i : 3 * i + 3]]
        for i, place in enumerate(PLACES)
    }


def _alone(*more, shift=0.0, frames=FIFTEEN):
    return [
        read(
            ID,
            "temperature",
            t,
            {**_field(float(t) + shift, frames), "t_ref": [f"{t}.00"] * 3},
            "bb",
        )
        for t in ("34", "37", "39")
    ] + list(more)


def _with_source(camera, shift=0.0):
    points = []
    for t in ("34", "37", "39"):
        readings = {
            **_field(float(t) + camera + shift),
            "t_cam": [f"{35 + camera:.2f}"] * 3,
            "t_etrs": ["35.00"] * 3,
            "t_ref": [f"{t}.00"] * 3,
        }
        points.append(read(ID, "temperature_etrs", t, readings, "bb"))
    return points


def _record(points, resolution="0.1", **attributes):
    blackbody = standard_of("temperature", "degC", "0.10", key="bb")
    difference = standard_of("temperature_difference", "K", "0.02", key="dt")
    used = [blackbody, difference] if any(p.measurand == "mrtd" for p in points) else [blackbody]
    measurands = ("temperature", "temperature_etrs", "uniformity", "uniformity_etrs", "drift")
    return recorded(
        ID, points, used, dict.fromkeys(measurands, resolution), temperature="21.0", **attributes
    )


def _found(record, nominal="37"):
    return {p.measurand: p for p in evaluate(record).points if p.printed.nominal == nominal}


def test_the_worked_budget_at_37_degrees():
    point = _found(_record(_alone()))["temperature"]

    assert f"{np.std(FIFTEEN, ddof=1):.2f}" == "0.08"
    assert row(point) == ("0.1212", 16603, "2.00", "0.2424", "0.25")
    lines = {line.component: line for line in point.budget}
    assert f"{lines['t_ind_rep'].contribution:.4f}" == "0.0207"
    assert lines["t_ind_rep"].dof == 14


def test_uniformity_is_the_range_of_the_means_at_the_positions():
    frames = np.repeat([0.0, 0.1, -0.2, 0.3, 0.05], 3)

    point = _found(_record(_alone(frames=frames)))["uniformity"]

    assert point.error == pytest.approx(0.5)
    assert point.u == pytest.approx(np.sqrt(2) * 0.05 / np.sqrt(3))


@pytest.mark.parametrize("camera", [0.0, 0.7, -1.5])
def test_what_the_camera_drifts_cancels_with_a_reference_source(camera):
    record = _record(_with_source(camera, 0.1), configuration="with_etrs")

    point = _found(record)["temperature_etrs"]

    assert point.error == pytest.approx(0.1, abs=1e-9)
    assert point.U > 0.2


def test_the_certificate_of_the_reference_source_corrects_the_result():
    record = _record(_with_source(0.0), configuration="with_etrs")
    etrs = standard_of(
        "temperature", "degC", "0.2", key="etrs", values=(StandardValue("35", "35.3", "0.2", "2"),)
    )
    points = tuple(
        replace(
            point,
            readings={
                **point.readings,
                "t_etrs": tuple(replace(r, standard="etrs") for r in point.readings["t_etrs"]),
            },
        )
        for point in record.points
    )

    point = _found(replace(record, points=points, standards=(*record.standards, etrs)))[
        "temperature_etrs"
    ]

    assert point.error == pytest.approx(0.3, abs=1e-9)
    assert {b.component: b.u for b in point.budget}["t_src"] == pytest.approx(0.1)


def test_drift_is_the_change_over_the_run_less_that_of_the_blackbody():
    hours = {
        "t_ind": [f"{37 + x:.2f}" for x in HOURS],
        "t_ref": ["37.00"] * 8 + ["37.02"],
    }
    record = _record(_alone(read(ID, "drift", "37", hours, "bb")), resolution="0.01")

    found = _found(record)

    assert found["drift"].error == pytest.approx(0.10)
    assert found["stability"].error == pytest.approx(np.std(HOURS, ddof=1))


def test_the_smallest_difference_that_is_seen():
    seen = {"dt_seen": ["0.07", "0.08", "0.06"]}
    record = _record(_alone(read(ID, "mrtd", "0", seen, "dt")))

    point = _found(record, "0")["mrtd"]

    assert point.error == pytest.approx(0.07)
    assert point.u == pytest.approx(np.hypot(0.01 / np.sqrt(3), 0.01))


@pytest.mark.parametrize(("shift", "verdict"), [(0.4, "pass"), (0.41, "fail"), (-0.41, "fail")])
def test_the_verdict_at_the_limit(shift, verdict):
    frames = np.zeros(15)
    record = _record(_alone(shift=shift, frames=frames), resolution="0.01")
    record = replace(record, decision_rule=DecisionRule("simple"))

    assert _found(record)["temperature"].verdict == verdict
