"""Blackbody source: the worked budget, the two routes, stability and uniformity."""

from __future__ import annotations

import numpy as np
import pytest

from calib.engine.temperature.radiation import BlackBody, View, expected_indication
from calib.evaluation.evaluate import evaluate
from instruments.errors import Refused
from tests.support.typed import read, recorded, row, standard_of, steps

ID = "source.blackbody"
# standard deviation of these six: 0.010 degC
SIX = [100, 100, -100, -100, 50, -50]


def _point(measurand, nominal, readings):
    return read(ID, measurand, nominal, readings, "temperature")


def _record(points, U="0.05", **attributes):
    return recorded(
        ID,
        points,
        [standard_of("temperature", "degC", U)],
        dict.fromkeys(("radiance", "contact"), "0.01"),
        temperature="20.0",
        **attributes,
    )


def _six(middle):
    scale = 100 / np.std(SIX, ddof=1)
    return [f"{middle + s * scale * 1e-4:.7f}" for s in SIX]


def _three(measurand, name, **more):
    return [
        _point(measurand, n, {name: _six(float(n)), "t_set": [f"{n}.05"], **more})
        for n in ("35", "37", "41")
    ]


def test_the_worked_budget_at_37_degrees():
    result = evaluate(_record(_three("radiance", "t_tr")))

    point = next(p for p in result.points if p.printed.nominal == "37")
    assert row(point) == ("0.03536", 28125, "2.00", "0.07071", "0.071")
    lines = {line.component: line for line in point.budget}
    assert f"{lines['t_tr_rep'].contribution:.5f}" == "0.00408"
    assert lines["t_tr_rep"].dof == 5
    assert point.error == pytest.approx(0.05)


@pytest.mark.parametrize("emissivity", ["0.95", "0.9990", "1"])
def test_the_contact_route_gives_the_radiance_temperature(emissivity):
    points = _three("contact", "t_prt", e_eff=[emissivity])
    record = _record(points, "0.02", route="contact")
    body = BlackBody.of_band(8, 14)

    for point in evaluate(record).points:
        t = float(point.printed.nominal)
        seen = expected_indication(body, [t + 273.15], View(float(emissivity), 293.15)).values[0]
        assert point.error == pytest.approx(t + 0.05 - (seen - 273.15), abs=2e-5)
        assert point.U > 0.03


def test_a_point_of_the_other_route_is_refused():
    points = [*_three("radiance", "t_tr"), *_three("contact", "t_prt", e_eff=["0.999"])]

    with pytest.raises(Refused) as refused:
        evaluate(_record(points))

    assert {f.code for f in refused.value.findings if f.severity == "error"} == {
        "measurand-not-of-item"
    }


def test_stability_and_uniformity_against_numpy():
    rng = np.random.default_rng(7)
    series = [f"{37 + x:.3f}" for x in rng.normal(0, 0.01, 11)]
    field = {
        f"t_{p}": steps(37 + d, [-4, 1, 3], 3)
        for p, d in zip("CUDLR", (0, -0.03, 0.02, 0.01, -0.01), strict=True)
    }
    points = [
        *_three("radiance", "t_tr"),
        _point("stability", "37", {"t_tr": series}),
        _point("uniformity", "37", field),
    ]

    found = {p.measurand: p for p in evaluate(_record(points)).points}

    assert found["stability"].error == pytest.approx(np.ptp(np.array(series, float)) / 2)
    assert found["uniformity"].error == pytest.approx(0.05)
    own = np.std([-0.004, 0.001, 0.003], ddof=1) / np.sqrt(3)
    assert found["uniformity"].u == pytest.approx(np.hypot(own * np.sqrt(2), 0.01 / np.sqrt(3)))
