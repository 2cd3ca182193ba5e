"""Thermohygrometer: both worked budgets, hysteresis from one set of readings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calib.evaluation.evaluate import evaluate
from instruments.errors import Refused
from tests.support.typed import read, recorded, row, standard_of

ID = "hygrometer.digital"
RISING = ("60.1", "60.3", "60.2")
FALLING = ("61.0", "61.2", "61.1")


def _record(**changes):
    points = [
        read(ID, "temperature", t, {"t_ref": [f"{t}.02"] * 3, "t_ind": [f"{t}.1"] * 3}, "t")
        for t in ("15", "20", "30")
    ]
    for h, shift in (("40", -20), ("60", 0), ("80", 20)):
        texts = {
            "h_ref": ["60.00", "60.10", "60.20"],
            "h_ind": RISING,
            "h_ref_down": ["60.40", "60.40", "60.40"],
            "h_ind_down": FALLING,
        }
        moved = {n: [f"{float(x) + shift:.2f}" for x in xs] for n, xs in texts.items()}
        points.append(read(ID, "humidity", h, moved, "h"))
    standards = (
        standard_of("temperature", "degC", "0.06", key="t"),
        standard_of("relative_humidity", "%RH", "0.8", key="h"),
    )
    resolution = {"temperature": "0.1", "humidity": "0.1"}
    return recorded(ID, points, standards, resolution, temperature="20.0", **changes)


def _at(measurand, nominal):
    found = evaluate(_record()).points
    return next(p for p in found if (p.measurand, p.printed.nominal) == (measurand, nominal))


@pytest.mark.parametrize(
    ("measurand", "nominal", "printed"),
    [
        ("temperature", "20", ("0.1134", 33110, "2.00", "0.2269", "0.23")),
        ("humidity", "60", ("0.6144", 14429, "2.00", "1.229", "1.3")),
        ("humidity_falling", "60", ("0.6144", 14429, "2.00", "1.229", "1.3")),
    ],
)
def test_the_worked_budgets(measurand, nominal, printed):
    assert row(_at(measurand, nominal)) == printed


def test_errors_rising_and_falling_and_their_difference():
    rising, falling = _at("humidity", "60"), _at("humidity_falling", "60")

    assert rising.error == pytest.approx(60.2 - 60.1)
    assert falling.error == pytest.approx(61.1 - 60.4)
    assert _at("hysteresis", "60").error == pytest.approx(falling.error - rising.error)


def test_the_standard_does_not_enter_the_hysteresis():
    point = _at("hysteresis", "60")

    parts = (0.2 / np.sqrt(3), 0.05 / np.sqrt(3), 0.5 / np.sqrt(3))
    assert point.u == pytest.approx(np.sqrt(2 * np.sum(np.square(parts))))
    assert {line.component for line in point.budget}.isdisjoint({"h_std", "d_unif"})


def test_nothing_is_remarked_on_a_clean_record():
    assert [f.code for f in evaluate(_record()).findings if f.severity != "note"] == []


def test_without_the_resolution_of_what_is_read_the_place_to_enter_it_is_named():
    record = _record()
    record = replace(record, item=replace(record.item, resolution={"temperature": "0.1"}))

    with pytest.raises(Refused) as refused:
        evaluate(record)

    assert {f.at for f in refused.value.findings if f.code == "resolution-missing"} == {
        "/item/resolution/humidity"
    }
