"""Safety test of equipment: one-sided limits by class, applied part and cord."""

from __future__ import annotations

import numpy as np
import pytest

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import DecisionRule
from instruments.errors import Refused
from tests.support.asked import decided, found, under
from tests.support.typed import read, recorded, standard_of

ID = "safety_test.medical_equipment"
STANDARDS = (
    standard_of("current", "uA", "1", key="uA"),
    standard_of("current", "mA", "0.02", key="mA"),
    standard_of("resistance", "ohm", "0.004", key="ohm"),
    standard_of("resistance", "Mohm", "0.1", key="Mohm"),
)
UNITS = {"earth_leakage": "mA", "earth_leakage_fault": "mA", "insulation": "Mohm",
         "protective_earth": "ohm"}  # fmt: skip


def _read(measurand, nominal, text):
    symbol = "R" if measurand in ("insulation", "protective_earth") else "I"
    return read(ID, measurand, nominal, {f"{symbol}_ref": [text]}, UNITS.get(measurand, "uA"))


def _record(*points, **attributes):
    given = {p.measurand: p for p in (_read("protective_earth", "0.1", "0.080"), *points)}
    if attributes.get("protection") == "class_ii":
        given.pop("protective_earth")
    record = recorded(ID, list(given.values()), STANDARDS, {}, **attributes)
    return under(record, rule=DecisionRule("simple"))


@pytest.mark.parametrize(
    ("measurand", "nominal", "good", "bad", "attributes"),
    [
        ("earth_leakage", "5", "5.00", "5.20", {}),
        ("earth_leakage_fault", "10", "10.0", "10.4", {}),
        ("touch", "100", "100.0", "104.0", {}),
        ("touch_fault", "500", "500.0", "520.0", {}),
        ("patient", "10", "100.0", "104.0", {"applied_part": "bf"}),
        ("patient", "10", "10.0", "12.0", {"applied_part": "cf"}),
        ("patient_fault", "50", "500.0", "520.0", {"applied_part": "b"}),
        ("patient_fault", "50", "50.0", "53.0", {"applied_part": "cf"}),
        ("equipment", "500", "500.0", "520.0", {}),
        ("equipment", "500", "100.0", "104.0", {"protection": "class_ii"}),
        ("protective_earth", "0.1", "0.100", "0.108", {}),
        ("protective_earth", "0.1", "0.200", "0.212", {"cord": "included"}),
        ("insulation", "2", "2.0", "1.7", {}),
        ("insulation", "2", "7.0", "6.5", {"protection": "class_ii"}),
    ],
)
def test_each_limit_and_just_beyond(measurand, nominal, good, bad, attributes):
    records = [_record(_read(measurand, nominal, text), **attributes) for text in (good, bad)]

    verdicts = [decided(evaluate(record), measurand, nominal) for record in records]

    assert verdicts == ["pass", "fail"]


def test_the_budget_of_a_leakage_current():
    point = found(evaluate(_record(_read("touch", "100", "80.0"))), "touch", "100")

    assert point.error == 80
    parts = [0.5, 0.05 / np.sqrt(3), 0.02 * 80 / np.sqrt(3)]
    assert point.u == pytest.approx(np.linalg.norm(parts))


def test_equipment_of_class_ii_has_no_protective_earth():
    point = _read("protective_earth", "0.1", "0.080")
    record = _record(_read("touch", "100", "20.0"), protection="class_ii")

    assert evaluate(record).verdict == "pass"
    with pytest.raises(Refused):
        evaluate(under(record, [*record.points, point]))
