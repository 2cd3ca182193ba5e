"""Every unit of the table has a spelling in a digital certificate, and reads back as itself."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from calib.certificates.dcc_units import OUTSIDE, converted, spelling, unit_of, unit_over_power
from instruments.errors import Invalid
from instruments.quantities import UNITS

# identifiers of the D-SI unit system: SI base and derived units, and those accepted for use with SI
IDENTIFIERS = {
    "metre", "kilogram", "second", "ampere", "kelvin", "mole", "candela", "one", "day", "hour",
    "minute", "degree", "arcminute", "arcsecond", "gram", "radian", "steradian", "hertz", "newton",
    "pascal", "joule", "watt", "coulomb", "volt", "farad", "ohm", "siemens", "weber", "tesla",
    "henry", "degreecelsius", "lumen", "lux", "becquerel", "gray", "sievert", "katal", "litre",
    "hectare", "tonne", "electronvolt", "dalton", "astronomicalunit", "neper", "bel", "decibel",
    "bar", "mmHg", "percent", "ppm",
}  # fmt: skip
PREFIXES = {"micro", "milli", "centi", "deci", "hecto", "kilo", "mega"}
FACTOR = re.compile(r"\\([A-Za-z]+)(?:\\tothe\{-?\d+\})?")
ALONE = {"degreecelsius", "percent", "one", "mmHg", "decibel", "kilogram", "minute", "hour", "day"}


@pytest.mark.parametrize("unit_id", UNITS)
def test_every_unit_is_spelled_as_d_si_allows(unit_id):
    spelled = spelling(unit_id).dsi
    words = FACTOR.findall(spelled)
    assert "".join(m.group(0) for m in FACTOR.finditer(spelled)) == spelled
    for before, word in zip(["", *words], words, strict=False):
        assert word in IDENTIFIERS | PREFIXES
        assert not (before in PREFIXES and word in ALONE)
    assert words[-1] in IDENTIFIERS
    assert not re.search(r"\s", spelled)


@pytest.mark.parametrize("unit_id", UNITS)
def test_every_unit_reads_back_as_itself(unit_id):
    spelled = spelling(unit_id)
    read = unit_of(spelled.outside or spelled.dsi)
    own = UNITS[unit_id]
    assert (read.dimension, read.factor, read.offset) == (own.dimension, own.factor, own.offset)
    assert unit_id in {read.id, "%RH"}


@pytest.mark.parametrize("unit_id", OUTSIDE)
def test_second_list_is_converted_and_not_rounded(unit_id):
    spelled = spelling(unit_id)
    own, first = UNITS[unit_id], unit_of(spelled.dsi)
    value = converted(spelled, unit_id, "20.50", difference=False)
    expected = (
        Decimal("20.50") * own.factor.numerator / own.factor.denominator
        + Decimal(own.offset.numerator) / own.offset.denominator
        - Decimal(first.offset.numerator) / first.offset.denominator
    )
    expected = expected * first.factor.denominator / first.factor.numerator
    assert abs(Decimal(value) - expected) < Decimal("1e-24")


def test_difference_is_scaled_and_never_shifted():
    assert converted(spelling("degF"), "degF", "1.8", difference=True) == "1"
    assert converted(spelling("degF"), "degF", "212", difference=False) == "100"
    assert converted(spelling("cmH2O"), "cmH2O", "0.10", difference=True) == "9.806650"


@pytest.mark.parametrize(
    ("y", "x", "power", "unit"),
    [
        ("degC", "degC", 0, r"\degreecelsius"),
        ("degC", "degC", 1, r"\one"),
        ("degC", "degC", 2, r"\kelvin\tothe{-1}"),
        ("K", "mV", 1, r"\kelvin\milli\volt\tothe{-1}"),
        ("%", "1", 1, r"\percent"),
        ("1", "kPa", 2, r"\kilo\pascal\tothe{-2}"),
        ("cmH2O", "kPa", 1, None),
        ("K", "mL/h", 1, None),
    ],
)
def test_unit_of_a_coefficient(y, x, power, unit):
    assert unit_over_power(y, x, power) == unit


def test_unit_nobody_knows_is_refused():
    with pytest.raises(Invalid) as caught:
        unit_of("furlong")
    assert caught.value.code == "unit-dsi-unknown"
