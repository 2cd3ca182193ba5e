"""The figures of the shipped types, typed here a second time from the sources they name."""

from decimal import Decimal
from math import inf, sqrt

import pytest

from calib.engine.expression import parse
from instruments.catalogue.loader import load_catalogue
from instruments.procedure import InstrumentType, Limit

IDS = (
    "pump.infusion_syringe",
    "thermometer.digital_probe",
    "thermometer.glass_clinical",
    "thermometer.infrared_ear",
    "thermometer.infrared_forehead",
    "thermometer.medical_electronic",
)


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue()


def mpe(type_, nominal, measurand="temperature", **item):
    """Return (lower, upper, confidence) of the only limit at a point."""
    rows = [
        row
        for row in type_.measurand(measurand).limits
        if row.covers(Decimal(nominal)) and all(item[k] == v for k, v in row.when.items())
    ]
    assert len(rows) == 1
    lower, upper = rows[0].at(Decimal(nominal))
    return str(lower), str(upper), rows[0].confidence


def environment(type_):
    return {e.quantity: (e.low, e.high, e.confidence) for e in type_.environment}


def schedule(type_, measurand="temperature"):
    points = type_.measurand(measurand).points
    return points.default, points.readings, points.confidence


def test_the_six_types_are_there(catalogue):
    assert {*IDS} <= {t.id for t in catalogue.list()}


def test_forehead(catalogue):
    type_ = catalogue.get("thermometer.infrared_forehead")
    assert type_.name.zh == "红外额温计"
    assert mpe(type_, "37.0") == ("-0.3", "0.3", "V2")
    assert schedule(type_) == (("35.0", "37.0", "41.0"), 10, "BG")
    assert environment(type_) == {
        "temperature": ("20", "26", "V2"),
        "relative_humidity": ("40", "70", "V2"),
    }
    assert type_.calibration_mode == "required"
    assert type_.acclimatisation_minutes == 30
    assert type_.legal_class == "voluntary"
    assert "verification" not in type_.kinds
    assert (type_.interval_months, type_.interval_confidence) == (12, "BG")


def test_ear(catalogue):
    type_ = catalogue.get("thermometer.infrared_ear")
    assert type_.name.zh == "红外耳温计"
    assert mpe(type_, "35") == mpe(type_, "42") == ("-0.2", "0.2", "V2")
    assert not any(row.covers(Decimal("42.1")) for row in type_.measurands[0].limits)
    assert schedule(type_) == (("35.0", "37.0", "41.0"), 10, "BG")
    assert environment(type_) == {
        "temperature": ("21", "25", "V2"),
        "relative_humidity": ("30", "70", "V2"),
    }
    assert type_.calibration_mode == "required"
    assert type_.acclimatisation_minutes == 30
    assert type_.legal_class == "mandatory_periodic"
    assert type_.validity_months == 12


@pytest.mark.parametrize(
    ("nominal", "limit", "confidence"),
    [
        ("35.0", "0.3", "BG"),
        ("35.2", "0.3", "BG"),
        ("35.3", "0.2", "BG"),
        ("36.9", "0.2", "BG"),
        ("36.99", "0.2", "BG"),
        ("37.0", "0.1", "V2"),
        ("39.0", "0.1", "V2"),
        ("39.1", "0.2", "BG"),
        ("41.0", "0.2", "BG"),
        ("41.1", "0.3", "BG"),
    ],
)
def test_electronic_has_five_zones(catalogue, nominal, limit, confidence):
    type_ = catalogue.get("thermometer.medical_electronic")
    assert mpe(type_, nominal) == (f"-{limit}", limit, confidence)


def test_electronic(catalogue):
    type_ = catalogue.get("thermometer.medical_electronic")
    assert type_.name.zh == "医用电子体温计"
    assert schedule(type_) == (("35.0", "37.0", "39.0", "41.0"), 3, "BG")
    assert environment(type_) == {
        "temperature": ("15", "35", "BG"),
        "relative_humidity": (None, "80", "BG"),
    }
    assert type_.legal_class == "mandatory_periodic"
    assert type_.verification_kinds == ("initial", "subsequent", "in_service")
    assert type_.validity_months == 12


def test_glass(catalogue):
    type_ = catalogue.get("thermometer.glass_clinical")
    assert type_.name.zh == "玻璃体温计"
    assert mpe(type_, "37") == mpe(type_, "41") == ("-0.15", "0.10", "V2")
    assert schedule(type_) == (("37", "41"), 1, "BG")
    assert type_.batch
    assert type_.kinds == ("verification",)
    assert (type_.legal_class, type_.verification_kinds) == ("mandatory_first", ("initial",))
    assert type_.validity_months is None
    assert type_.interval_months is None
    assert [e.id for e in type_.examinations] == ["appearance", "retention", "reset"]


def test_digital(catalogue):
    type_ = catalogue.get("thermometer.digital_probe")
    measurand = type_.measurands[0]
    assert type_.name.zh == "数字温度计"
    assert measurand.limits == ()
    assert (measurand.fit.kind, measurand.fit.degree, measurand.fit.y) == (
        "polynomial",
        1,
        "correction",
    )
    assert (measurand.fit.x, measurand.fit.origin) == ("t_ind", "20")
    assert (measurand.points.minimum, measurand.points.readings) == (3, 4)
    assert environment(type_) == {"temperature": ("15", "25", "BG")}
    assert type_.stages == ("as_found", "as_left")
    assert type_.calibration_mode == "none"


@pytest.mark.parametrize(
    ("pump", "nominal", "limit"),
    [
        ("syringe", "5", "6"),
        ("syringe", "19.9", "6"),
        ("syringe", "20", "5"),
        ("syringe", "200", "5"),
        ("syringe", "200.1", "6"),
        ("syringe", "1000", "6"),
        ("infusion", "5", "8"),
        ("infusion", "20", "6"),
        ("infusion", "200", "6"),
        ("infusion", "1000", "8"),
    ],
)
def test_pump_flow_limits(catalogue, pump, nominal, limit):
    type_ = catalogue.get("pump.infusion_syringe")
    assert mpe(type_, nominal, "flow", pump=pump) == (f"-{limit}", limit, "V2")


@pytest.mark.parametrize(
    ("setting", "limit"), [("10", "13.33"), ("44.4", "13.33"), ("44.5", "13.350"), ("80", "24.00")]
)
def test_pump_alarm_has_the_larger_of_two_limits(catalogue, setting, limit):
    type_ = catalogue.get("pump.infusion_syringe")
    lower, upper, confidence = mpe(type_, setting, "occlusion")
    assert (Decimal(lower), Decimal(upper)) == (-Decimal(limit), Decimal(limit))
    assert confidence == "V2"
    assert type_.measurand("occlusion").optional


def test_pump(catalogue):
    type_ = catalogue.get("pump.infusion_syringe")
    assert {k: v.zh for k, v in type_.variants["pump"].items()} == {
        "syringe": "注射泵",
        "infusion": "输液泵",
    }
    assert schedule(type_, "flow") == (("5", "25", "100", "1000"), 3, "BG")
    assert environment(type_) == {
        "temperature": ("15", "30", "V2"),
        "relative_humidity": (None, "80", "V2"),
    }
    assert not type_.measurand("flow").optional


# ------------------------------------------------------------------------------- published budgets

DIVISOR = {"rectangular": sqrt(3)}


def budget(measurand, values, *, s, n, resolution="0", certificate=None):
    """Return (uc, nu_eff) of a type's budget by hand: root sum of squares, Welch-Satterthwaite."""
    names = [*measurand.inputs, *(c.input for c in measurand.components)]
    function = parse(measurand.function, tuple(dict.fromkeys(names)))
    _, slopes = function.gradient({name: values.get(name, 0.0) for name in names})
    squares, quarters = 0.0, 0.0
    for c in measurand.components:
        dof = inf
        if c.evaluate == "A":
            pooled = c.pooled if c.pooled and n < c.pooled.below else None
            recorded = pooled and float(pooled.s) * (25.0 if pooled.relative else 1.0)
            u = float(recorded or s) / sqrt(n)
            dof = float(pooled.dof) if pooled else n - 1
        elif c.evaluate == "resolution":
            u = float(resolution) / 2 / sqrt(3)
        elif c.evaluate == "certificate":
            u = float(certificate) / 2
        else:
            share = float(c.relative_half_width or 0) * abs(values[c.of]) if c.of else 0
            u = (float(c.half_width or 0) + share) / DIVISOR[c.distribution]
        ui = abs(float(slopes[c.input])) * u
        squares += ui**2
        quarters += ui**4 / dof
    return sqrt(squares), squares**2 / quarters


@pytest.mark.parametrize(
    ("id_", "measurand", "values", "typical", "uc", "nu_eff"),
    [
        ("thermometer.infrared_ear", "temperature", {"t_ref": 37.0, "t_ind": 37.0},
         {"s": 0.08, "n": 10, "resolution": "0.1", "certificate": "0.01"}, "0.04945", 131),
        ("thermometer.infrared_forehead", "temperature", {"t_ref": 37.0, "t_ind": 37.0},
         {"s": 0.07, "n": 10, "resolution": "0.1", "certificate": "0.10"}, "0.08321", 1797),
        ("thermometer.medical_electronic", "temperature", {"t_ref": 37.0, "t_ind": 37.0},
         {"s": 0.9, "n": 3, "resolution": "0.01", "certificate": "0.010"}, "0.02021", 50),
        ("thermometer.glass_clinical", "temperature", {"t_ref": 37.0, "t_ind": 37.0},
         {"s": 0.9, "n": 1, "certificate": "0.02"}, "0.02309", 107),
        ("thermometer.digital_probe", "temperature", {"t_ref": 100.0, "t_ind": 100.0},
         {"s": 0.006, "n": 4, "resolution": "0.01", "certificate": "0.012"}, "0.01133", 610),
        ("pump.infusion_syringe", "flow", {"q_set": 25.0, "q_ref": 25.0},
         {"s": 0.9, "n": 3}, "0.7047", 308),
    ],
)  # fmt: skip
def test_typical_inputs_give_the_published_budget(
    catalogue, id_, measurand, values, typical, uc, nu_eff
):
    got, dof = budget(catalogue.get(id_).measurand(measurand), values, **typical)
    assert f"{got:.{len(uc) - 2}f}" == uc
    assert round(dof) == nu_eff


# ------------------------------------------------------------------------------------- every type


@pytest.mark.parametrize("id_", IDS)
def test_type_survives_its_frozen_form(catalogue, id_):
    type_ = catalogue.get(id_)
    back = InstrumentType.from_dict(type_.as_dict())
    assert back == type_
    assert back.digest() == type_.digest()


def numbers(value, path=()):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from numbers(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from numbers(item, (*path, index))
    elif isinstance(value, str) and value.lstrip("-").replace(".", "", 1).isdigit():
        yield path


@pytest.mark.parametrize("id_", IDS)
def test_digest_changes_with_every_number(catalogue, id_):
    type_ = catalogue.get(id_)
    places = list(numbers(type_.as_dict()))
    assert len(places) > 10
    digests = {type_.digest()}
    for *path, last in places:
        plain = type_.as_dict()
        part = plain
        for key in path:
            part = part[key]
        part[last] += "1"
        digests.add(InstrumentType.from_dict(plain).digest())
    assert len(digests) == len(places) + 1


def test_one_sided_limit_leaves_the_other_side_open():
    limit = Limit(document="d", confidence="BG", upper="5", plus_fraction="0.01")
    assert limit.at(Decimal(200)) == (None, Decimal("7.00"))
