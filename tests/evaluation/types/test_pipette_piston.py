"""Piston pipette: the worked budget, Z of water, limits by size, scatter of the deliveries."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import DecisionRule, PointInput
from instruments.choosing import limits_for, points_for
from tests.support import inputs as a
from tests.support.asked import at, decided, found, under
from tests.support.typed import read, recorded, row, standard_of

ID = "pipette.piston"
STANDARDS = (standard_of("mass", "mg", "0.02"), standard_of("temperature", "degC", "0.05"))
TEN = np.array([1, -1] * 5) * np.sqrt(9 / 10)


def z(t: float, pressure: float = 101.325, humidity: float = 55) -> float:
    """Microlitres per milligram: the density of water of Tanaka and of moist air, by hand."""
    water = 999.974950 * (1 - (t - 3.983035) ** 2 * (t + 301.797) / (522528.9 * (t + 69.34881)))
    air = (0.34848 * pressure * 10 - 0.009 * humidity * np.exp(0.061 * t)) / (t + 273.15)
    return 1000 / (water - air) * (1 - air / 8000)


def _point(nominal, masses, water="20.0", evaporated="0"):
    weighed = read(ID, "volume", nominal, {"m": masses, "m_evap": [evaporated]}, "mass")
    warm = read(ID, "volume", nominal, {"t_w": [water]}, "temperature")
    return replace(weighed, readings={**weighed.readings, **warm.readings})


def _delivered(nominal, volume, cv=0.0, *, t=20.0, n=10) -> PointInput:
    """Deliveries of a mean volume, scattering by a part of it."""
    masses = [f"{volume * (1 + cv * x) / z(t):.9f}" for x in np.resize(TEN, n)]
    return _point(nominal, masses, f"{t:.1f}")


def _record(*points, temperature="20.0", size="100", **attributes):
    given = points or [_delivered(n, float(n), 0.0015) for n in ("20", "50", "100")]
    return at(recorded(ID, given, STANDARDS, {}, size=size, **attributes), temperature)


def test_the_worked_budget_at_100_microlitres():
    # at 21.5 °C Z is 1.0032 µL/mg; the body of the pipette is at 20 °C
    points = [_delivered("20", 20), _delivered("50", 50)]
    masses = [f"{(100 + 0.15 * x) / z(21.5):.9f}" for x in TEN]
    record = _record(*points, _point("100", masses, "21.5"))

    point = found(evaluate(record), "volume", "100")

    assert row(point) == ("0.05816", 20, "2.13", "0.1241", "0.13")
    lines = {line.component: line for line in point.budget}
    assert abs(lines["m"].c) == pytest.approx(1.0032, abs=5e-5)
    assert f"{lines['V_rep'].contribution:.4f}" == "0.0474"
    assert lines["V_rep"].dof == 9
    assert abs(lines["T_pip"].c) == pytest.approx(0.024, rel=1e-4)


@pytest.mark.parametrize(("t", "expected"), [("20.0", 1.0029), ("22.0", 1.0033), ("25.0", 1.0040)])
def test_mass_becomes_volume_at_20_degrees(t, expected):
    record = _record(*(_point(n, [n] * 6, t) for n in ("20", "50", "100")), temperature=t)

    point = found(evaluate(record), "volume", "100")

    assert z(float(t)) == pytest.approx(expected, abs=6e-5)
    at_20 = 100 * z(float(t)) * (1 - 2.4e-4 * (float(t) - 20))
    assert point.reference == pytest.approx(at_20)
    assert point.error == pytest.approx(100 - at_20)


def test_what_evaporates_was_delivered():
    points = [_delivered("20", 20), _delivered("50", 50), _point("100", ["99.700"] * 6)]
    dry = found(evaluate(_record(*points)), "volume", "100").reference
    points[2] = _point("100", ["99.700"] * 6, evaporated="0.050")

    assert found(evaluate(_record(*points)), "volume", "100").reference - dry == pytest.approx(
        0.05 * z(20), abs=1e-9
    )


def test_repeatability_is_the_relative_standard_deviation():
    point = found(evaluate(_record()), "repeatability", "100")

    assert point.error == pytest.approx(0.15, rel=1e-5)
    assert (point.printed.lower, point.printed.upper) == (None, "1.0")


@pytest.mark.parametrize(
    ("size", "points", "volume", "repeatability"),
    [
        ("20", ("5", "10", "20"), ("8.0", "4.0", "4.0"), ("3.0", "2.0", "2.0")),
        ("100", ("20", "50", "100"), ("4.0", "3.0", "2.0"), ("2.0", "1.5", "1.0")),
        ("200", ("50", "100", "200"), ("3.0", "2.0", "1.5"), ("1.5", "1.0", "1.0")),
        ("1000", ("100", "500", "1000"), ("2.0", "1.0", "1.0"), ("1.0", "0.5", "0.5")),
        ("5000", ("1000", "2000", "5000"), ("1.5", "1.0", "1.0"), ("0.5", "0.5", "0.5")),
    ],
)
def test_each_size_has_its_points_and_limits(size, points, volume, repeatability):
    definition = a.a_type(ID)
    attributes = {"size": size}
    first, second = definition.measurand("volume"), definition.measurand("repeatability")

    assert points_for(definition, first, attributes) == points
    for text, part, scatter in zip(points, volume, repeatability, strict=True):
        nominal = Decimal(text)
        (limit,) = _covering(definition, first, attributes, nominal)
        assert limit.at(nominal) == (-nominal * Decimal(part) / 100, nominal * Decimal(part) / 100)
        (limit,) = _covering(definition, second, attributes, nominal)
        assert (limit.lower, limit.upper) == (None, scatter)


def _covering(definition, measurand, attributes, nominal):
    return [r for r in limits_for(definition, measurand, attributes) if r.covers(nominal)]


@pytest.mark.parametrize(
    ("delivery", "measurand", "verdict"),
    [
        (_delivered("100", 98.01, 0.001), "volume", "pass"),
        (_delivered("100", 101.99, 0.001), "volume", "pass"),
        (_delivered("100", 102.2, 0.001), "volume", "fail"),
        (_delivered("100", 100, 0.0099), "repeatability", "pass"),
        (_delivered("100", 100, 0.0120), "repeatability", "fail"),
    ],
)
def test_verdicts_at_the_limit(delivery, measurand, verdict):
    record = _record(_delivered("20", 20), _delivered("50", 50), delivery)

    result = evaluate(under(record, rule=DecisionRule("simple")))

    assert decided(result, measurand, "100") == verdict


def test_a_verification_passes_with_both_limits():
    record = under(_record(verification="subsequent"), rule=DecisionRule("regulation"))

    assert evaluate(replace(record, kind="verification")).verdict == "pass"
