"""Radiation thermometer: the worked budget, emissivity carried through, the background."""

from __future__ import annotations

import pytest

from calib.engine.temperature.radiation import BlackBody, View, expected_indication
from calib.evaluation.evaluate import evaluate
from tests.support.typed import read, recorded, row, standard_of

ID = "thermometer.radiation"


def _record(rows, *, e_set="0.95", e_src="0.95", temperature="23.0", U="0.6"):
    points = [
        read(
            ID,
            "temperature",
            nominal,
            {"t_ref": reference, "t_ind": shown, "e_set": [e_set], "e_src": [e_src]},
            "temperature",
        )
        for nominal, reference, shown in rows
    ]
    standards = [standard_of("temperature", "degC", U)]
    return recorded(ID, points, standards, {"temperature": "0.1"}, temperature=temperature)


ROWS = (
    ("50", ["50.0"] * 3, ["50.2", "50.1", "50.3"]),
    ("100", ["100.0"] * 3, ["100.1", "100.3", "100.2"]),
    ("500", ["500.0"] * 3, ["501.0", "501.2", "500.9"]),
)


def test_the_worked_budget_at_100_degrees():
    result = evaluate(_record(ROWS))

    assert row(result.points[1]) == ("0.5543", 9559, "2.00", "1.109", "1.2")
    lines = {line.component: line for line in result.points[1].budget}
    assert f"{lines['d_eps'].c:.1f}" == "-60.9"
    assert f"{lines['d_eps'].contribution:.3f}" == "0.352"
    assert f"{abs(lines['d_refl'].c):.4f}" == "0.0305"
    assert lines["t_plate"].c == pytest.approx(-1)


def test_equal_emissivities_compare_with_the_certified_radiance_temperature():
    errors = [p.error for p in evaluate(_record(ROWS)).points]

    assert errors == pytest.approx([0.2, 0.2, 501.0333333 - 500], abs=1e-6)


@pytest.mark.parametrize("t", [-10.0, 50.0, 300.0])
def test_another_setting_of_the_emissivity_is_carried_through(t):
    """Against the engine: a grey source of emissivity 0.93 seen with the setting 0.98."""
    body = BlackBody.of_band(8, 14)
    expected = expected_indication(body, [t + 273.15], View(0.93, 296.15, 0.98)).values[0] - 273.15
    rows = [(n, [n] * 3, [n] * 3) for n in (f"{t:.1f}", "60.0", "80.0")]

    result = evaluate(_record(rows, e_set="0.98", e_src="0.93"))

    assert result.points[0].error == pytest.approx(t - expected, abs=2e-5)


def test_a_blackbody_and_a_setting_of_one_do_not_see_the_surroundings():
    result = evaluate(_record(ROWS, e_set="1.00", e_src="1.00"))

    slopes = [next(b for b in p.budget if b.component == "d_refl").c for p in result.points]
    assert slopes == [0, 0, 0]


def test_emissivities_and_source_are_not_measured_against_the_display_step():
    assert {f.code for f in evaluate(_record(ROWS)).findings if f.severity == "warning"} == set()
    assert evaluate(_record(ROWS)).points[0].s == pytest.approx(0.1)
