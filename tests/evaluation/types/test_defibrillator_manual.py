"""Defibrillator: the worked budget, the larger of two limits, charging and synchronisation."""

from __future__ import annotations

import pytest

from calib.evaluation.evaluate import evaluate
from instruments.errors import Refused
from tests.support.typed import read, recorded, row, standard_of
from tests.support.verified import results, warnings

ID = "defibrillator.manual"
ENERGIES = ("5", "20", "50", "100", "200", "360")
STANDARDS = (
    standard_of("energy", "J", "0.5"),
    standard_of("time", "s", "0.01"),
    standard_of("time", "ms", "0.1", key="ms"),
    standard_of("frequency", "/min", "0.1"),
    standard_of("voltage", "mV", "0.005", key="mV"),
    standard_of("current", "mA", "0.1"),
)


def _points(energies=ENERGIES):
    return [
        *(read(ID, "energy", e, {"e_ref": [f"{float(e):.1f}"] * 3}, "energy") for e in energies),
        read(ID, "charge_time", "360", {"t_ref": ["9.0", "9.1", "9.2"]}, "time"),
    ]


def _record(*more, energies=ENERGIES):
    points = [*_points(energies), *more]
    named = {r.standard for p in points for series in p.readings.values() for r in series}
    standards = [s for s in STANDARDS if s.key in named]
    return recorded(ID, points, standards, {"heart_rate": "1"})


def test_the_worked_budget_at_200_joule():
    point = results(_record())["energy", "200"]

    assert row(point) == ("1.885", 404, "2.00", "3.77", "3.8")
    lines = {line.component: line for line in point.budget}
    assert lines["R_load"].c == pytest.approx(-4)
    assert f"{lines['E_std'].contribution:.4g}" == "1.212"


@pytest.mark.parametrize(
    ("energy", "limit"), [("5", 4), ("20", 4), ("50", 7.5), ("200", 30), ("360", 54)]
)
def test_the_larger_of_four_joule_and_fifteen_percent(energy, limit):
    point = results(_record())["energy", energy]
    assert (float(point.printed.lower), float(point.printed.upper)) == (-limit, limit)
    assert point.limit_confidence == "BG"


def test_charging_and_synchronised_discharge():
    sync = read(ID, "sync_delay", "60", {"t_ref": ["25", "27", "26"]}, "ms")
    found = results(_record(sync))
    assert found["charge_time", "360"].error == pytest.approx(9.1)
    assert found["charge_time", "360"].printed.upper == "15"
    assert found["sync_delay", "60"].error == pytest.approx(26)
    assert found["sync_delay", "60"].printed.upper == "60"


def test_fewer_than_six_energies_are_not_enough():
    with pytest.raises(Refused) as refused:
        evaluate(_record(energies=ENERGIES[:5]))
    assert [f.code for f in refused.value.findings if f.severity == "error"] == ["points-missing"]


def test_pacing_heart_rate_and_trace_where_there_are_such():
    found = results(
        _record(
            read(ID, "pacing_rate", "80", {"x_ref": ["79.5", "79.6", "79.7"]}, "frequency"),
            read(ID, "pacing_width", "20", {"x_ref": ["20.3"] * 3}, "ms"),
            read(ID, "pacing_current", "100", {"x_ref": ["101.0"] * 3}, "current"),
            read(ID, "trace_shift", "360", {"x": ["2.0"]}, "energy"),
            *(
                read(ID, "heart_rate", r, {"r_ind": [r], "r_ref": [r]}, "frequency")
                for r in ("30", "85", "140", "200")
            ),
        )
    )
    assert found["pacing_rate", "80"].error == pytest.approx(0.4)
    assert found["pacing_width", "20"].error == pytest.approx(-0.3)
    assert found["pacing_current", "100"].error == pytest.approx(-1)
    assert found["trace_shift", "360"].error == 2
    assert {p.printed.upper for (m, _), p in found.items() if m.startswith("pacing")} == {None}


def test_the_ecg_part_is_stated_without_limits():
    found = results(
        _record(
            *(
                read(ID, "ecg_voltage", u, {"h": ["10.1"] * 3, "gain": [g], "u_ref": [u]}, "mV")
                for u, g in (("0.5", "20"), ("1", "10"), ("2", "5"))
            ),
            read(ID, "sweep_speed", "25", {"L": ["49.5"] * 3, "t_ref": ["2"]}, "time"),
            *(
                read(ID, "frequency_response", f, {"a_f": ["9.0"], "a_10": ["10.0"]}, "mV")
                for f in ("1", "15", "25")
            ),
        )
    )
    assert found["ecg_voltage", "2"].error == pytest.approx(1)
    assert found["sweep_speed", "25"].error == pytest.approx(-1)
    assert found["frequency_response", "25"].error == pytest.approx(-10)
    ecg = {p.printed.lower for (m, _), p in found.items() if m not in {"energy", "charge_time"}}
    assert ecg == {None}
    assert warnings(_record()) == set()
