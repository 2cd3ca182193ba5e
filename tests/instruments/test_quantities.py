from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.errors import Invalid
from instruments.quantities import (
    QUANTITIES,
    UNITS,
    convert,
    convert_difference,
    decimals,
    parse_decimal,
    unit,
    unit_from_dsi,
)

# ------------------------------------------------------------------------------------------ units


@pytest.mark.parametrize(
    ("value", "from_", "to", "expected"),
    [
        ("20.10", "degC", "K", "293.25"),
        ("0", "K", "degC", "-273.15"),
        ("212", "degF", "degC", "100"),
        ("37.0", "degC", "degF", "98.60"),
        ("-40", "degF", "degC", "-40"),
        ("100", "mmHg", "kPa", "13.3322387415"),
        ("1013.25", "hPa", "Pa", "101325.00"),
        ("1", "bar", "kPa", "100"),
        ("60", "mL/h", "L/min", "0.001"),
        ("1", "L/min", "mL/h", "60000"),
        ("50.0", "%RH", "1", "0.500"),
        ("1.5", "h", "min", "90"),
        ("2.5", "kohm", "ohm", "2500"),
        ("250", "um", "mm", "0.25"),
    ],
)
def test_conversion_is_exact(value, from_, to, expected):
    assert convert(Decimal(value), from_, to) == Decimal(expected)


def test_conversion_keeps_the_trailing_zeros():
    assert str(convert(Decimal("20.10"), "degC", "K")) == "293.25"
    assert str(convert(Decimal("20.100"), "degC", "K")) == "293.250"
    assert str(convert(Decimal("20.10"), "degC", "degC")) == "20.10"
    assert str(convert(Decimal("0.050"), "kPa", "Pa")) == "50.000"


def test_quotient_without_an_end_keeps_34_digits():
    celsius = convert(Decimal(100), "degF", "degC")
    assert abs(Fraction(celsius) - Fraction(340, 9)) < Fraction(1, 10**32)
    assert len(celsius.as_tuple().digits) == 34


def test_difference_has_no_offset():
    assert convert_difference(Decimal("0.10"), "degC", "K") == Decimal("0.10")
    assert convert_difference(Decimal("1.8"), "degF", "degC") == 1
    assert str(convert_difference(Decimal("0.010"), "K", "mK")) == "10.000"


@given(
    st.decimals("-1e6", "1e6", places=4),
    st.sampled_from([(u.id, v.id) for u in UNITS.values() for v in UNITS.values()
                     if u.dimension == v.dimension]),
)  # fmt: skip
def test_there_and_back_is_the_same_value(value, pair):
    there = convert(value, *pair)
    back = convert(there, pair[1], pair[0])
    assert abs(back - value) <= Decimal("1e-20")


def test_conversion_between_quantities_is_refused():
    with pytest.raises(Invalid) as refused:
        convert(Decimal(1), "degC", "kPa", at="/unit")
    assert refused.value.code == "unit-other-quantity"
    assert refused.value.at == "/unit"


def test_unknown_unit_is_refused_with_the_known_ones():
    with pytest.raises(Invalid, match=r"The unit °C is not known.*degC") as refused:
        unit("°C", at="/readings/0")
    assert (refused.value.code, refused.value.at) == ("unit-unknown", "/readings/0")


def test_every_quantity_lists_units_of_one_dimension_with_both_names():
    for quantity in QUANTITIES.values():
        assert len({UNITS[id_].dimension for id_ in quantity.units}) == 1
        assert quantity.name("zh") != quantity.name("en")
    assert {u for q in QUANTITIES.values() for u in q.units} | {"1/K", "1/K2"} == set(UNITS)
    assert UNITS["degC"].symbol == "°C"
    assert UNITS["degC"].name("zh") == "摄氏度"
    assert UNITS["degC"].name("en") == "degree Celsius"


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        (r"\degreecelsius", "degC"),
        (r"\kelvin", "K"),
        (r"\milli\kelvin", "mK"),
        (r"\percent", "%"),
        (r"\one", "1"),
        (r"\ohm", "ohm"),
        (r"\kilogram\metre\tothe{2}\ampere\tothe{-2}\second\tothe{-3}", "ohm"),
        (r"\kilogram\metre\tothe{2}\second\tothe{-3}\ampere\tothe{-2}", "ohm"),
        (r"\metre\per\second", "m/s"),
        (r"\second\tothe{-1}\metre", "m/s"),
        (r"\metre\second\per\second", "m"),
        (r"\kelvin\tothe{-2}", "1/K2"),
        (" \\hecto\\pascal\n", "hPa"),
    ],
)
def test_dsi_is_read_in_any_order(text, id_):
    assert unit_from_dsi(text).id == id_


def test_every_unit_reads_back_from_its_own_dsi():
    spelled = [each for each in UNITS.values() if each.dsi]
    assert {u.id for u in UNITS.values()} - {u.id for u in spelled} == {
        "cmH2O", "r/min", "r/s", "pH"
    }  # fmt: skip
    for each in spelled:
        back = unit_from_dsi(each.dsi)
        assert (back.dimension, back.factor) == (each.dimension, each.factor)


@pytest.mark.parametrize(
    "text",
    ["", "degC", r"\furlong", r"\kilo", r"\metre\per", r"\metre second", r"\kelvin\tothe{x}"],
)
def test_unreadable_dsi_is_refused(text):
    with pytest.raises(Invalid) as refused:
        unit_from_dsi(text, at="/unit")
    assert (refused.value.code, refused.value.at) == ("unit-dsi-unknown", "/unit")


# --------------------------------------------------------------------------------------- decimals


@pytest.mark.parametrize("text", ["20.10", "-0.0", "+36.8", "007.50", "0", "5.1e-3", "1E5"])
def test_plain_decimal_is_read(text):
    assert parse_decimal(text) == Decimal(text)
    assert str(parse_decimal(text)) == str(Decimal(text))


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("36,8", "decimal-comma", "use a point: 36.8"),
        ("1,234", "decimal-comma", "use a point: 1.234. Thousands are not separated"),
        ("1,234.5", "decimal-grouped", "1234.5"),
        ("1,234,567", "decimal-grouped", "1234567"),
        ("1 000", "decimal-grouped", "1000"),
        ("1'000", "decimal-grouped", "1000"),
        (" 36.8", "decimal-grouped", "36.8"),
        ("３６．８", "decimal-fullwidth", "would read 36.8"),
        ("36。8", "decimal-fullwidth", "would read 36.8"),
        ("３６，８", "decimal-fullwidth", "half-width"),
        ("−1.5", "decimal-minus", "-1.5"),
        ("–1.5", "decimal-minus", "-1.5"),
        ("NaN", "decimal-not-finite", "leave the reading out"),
        ("-Infinity", "decimal-not-finite", "leave the reading out"),
        ("sNaN123", "decimal-not-finite", "leave the reading out"),
        ("1e400", "decimal-out-of-range", "exponent"),
        ("1e-31", "decimal-out-of-range", "exponent"),
        ("1" * 41, "decimal-too-long", "40 characters"),
        ("1e" + "9" * 5000, "decimal-too-long", "40 characters"),
        ("", "decimal-empty", "missing"),
        ("  ", "decimal-empty", "missing"),
        (".5", "decimal-malformed", "no decimal"),
        ("5.", "decimal-malformed", "no decimal"),
        ("0x10", "decimal-malformed", "no decimal"),
        ("1_000", "decimal-malformed", "no decimal"),
        ("٣٦", "decimal-malformed", "no decimal"),
        ("36.8 °C", "decimal-malformed", "no decimal"),
        ("--1", "decimal-malformed", "no decimal"),
        (36.8, "decimal-not-text", "float 36.8"),
        (37, "decimal-not-text", "int 37"),
        (True, "decimal-not-text", "bool True"),
        (None, "decimal-not-text", "NoneType"),
        (["1"], "decimal-not-text", "list"),
    ],
)
def test_anything_else_is_refused_and_never_guessed(text, code, words):
    with pytest.raises(Invalid) as refused:
        parse_decimal(text, at="/points/3/readings/2")
    assert refused.value.code == code
    assert words in str(refused.value)
    assert refused.value.at == "/points/3/readings/2"
    assert len(str(refused.value)) < 300


@given(st.text(max_size=60))
def test_only_plain_ascii_decimals_get_through(text):
    try:
        value = parse_decimal(text)
    except Invalid:
        return
    assert value.is_finite()
    assert set(text) <= set("0123456789+-.eE")


@pytest.mark.parametrize(
    ("text", "places"), [("20.10", 2), ("20", 0), ("-0.005", 3), ("5.1e-3", 4), ("2e3", 0)]
)
def test_decimals_counts_what_was_written(text, places):
    assert decimals(text) == places
