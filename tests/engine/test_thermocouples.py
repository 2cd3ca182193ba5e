"""Thermocouples of the ten letter types."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial.polynomial import polyval

from calib.engine.errors import NotConverged, OutOfRange
from calib.engine.temperature.thermocouple_functions import REFERENCE_FUNCTIONS
from calib.engine.temperature.thermocouples import TYPES, emf, temperature
from tests.engine.published import load, to_print

REFERENCE = load("thermocouples")
B_ALONE = 42.5


def grid(letter: str, n: int = 301) -> np.ndarray:
    pieces = REFERENCE_FUNCTIONS[letter]
    return np.linspace(B_ALONE if letter == "B" else pieces[0].low, pieces[-1].high, n)


def test_ten_types() -> None:
    assert "".join(TYPES) == "ABCEJKNRST"


@pytest.mark.parametrize("table", REFERENCE["table"], ids=lambda t: t["type"])
def test_published_tables(table: dict[str, Any]) -> None:
    found = emf(table["type"], table["t"])
    for E, printed in zip(found.values, table["E"], strict=True):
        assert to_print(E, printed)
    rising = np.array(table["t"]) > -250
    printed = np.array(table["E"], float)[rising]
    back = temperature(table["type"], printed)
    width = 0.5 * 10.0 ** -len(table["E"][0].partition(".")[2])
    off = np.abs(back.values - np.array(table["t"])[rising])
    assert (off <= 1.1 * width * back.sensitivity).all()


@pytest.mark.parametrize("table", REFERENCE["older_table"], ids=lambda t: t["type"])
def test_older_tables(table: dict[str, Any]) -> None:
    assert emf(table["type"], table["t"]).values == pytest.approx(
        table["E"], abs=table["tolerance"]
    )


def test_published_inverse_of_type_a() -> None:
    t = np.linspace(0, 2500, 101)
    back = polyval(emf("A", t).values, REFERENCE["inverse_a"]["c"])
    assert back == pytest.approx(t, abs=REFERENCE["inverse_a"]["tolerance"])


@pytest.mark.parametrize("letter", TYPES)
def test_there_and_back(letter: str) -> None:
    t = grid(letter)
    E = emf(letter, t)
    assert (np.diff(E.values) > 0).all()
    back = temperature(letter, E.values)
    # near -270 degC a rounding of the emf is some 50 nK
    assert back.values == pytest.approx(t, abs=2e-7)
    assert back.values[t > -200] == pytest.approx(t[t > -200], abs=1e-8)
    assert back.sensitivity * E.sensitivity == pytest.approx(np.ones(len(t)), rel=1e-6)
    assert not back.extrapolated.any()


@pytest.mark.parametrize("letter", TYPES)
def test_derivative_against_the_complex_step(letter: str) -> None:
    for piece in REFERENCE_FUNCTIONS[letter]:
        t = np.linspace(piece.low, piece.high, 57)[1:-1]
        z = t + 1e-30j
        E = polyval(z, piece.c)
        if piece.bump:
            a0, a1, a2 = piece.bump
            E = E + a0 * np.exp(a1 * (z - a2) ** 2)
        found = emf(letter, t)
        assert found.values == pytest.approx(E.real, rel=1e-9, abs=1e-11)
        assert found.sensitivity == pytest.approx(E.imag * 1e30, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("letter", TYPES)
def test_pieces_meet(letter: str) -> None:
    """Within 0.2 nV and, but for type N at 0 degC, within 0.1 nV/degC."""
    for lower, upper in pairwise(REFERENCE_FUNCTIONS[letter]):
        assert lower.high == upper.low
        at, above = emf(letter, [lower.high, np.nextafter(lower.high, 9e9)]).values
        assert above == pytest.approx(at, abs=2e-7)
        slopes = emf(letter, [lower.high, np.nextafter(lower.high, 9e9)]).sensitivity
        assert slopes[1] == pytest.approx(slopes[0], abs=3e-4 if letter == "N" else 1e-6)


def test_reference_junction() -> None:
    case = REFERENCE["reference_junction"]
    found = emf("T", [22], case["t"])
    assert found.values == pytest.approx(case["V"], abs=case["tolerance"])
    assert found.sensitivity.shape == found.values.shape


@given(st.floats(-200, 1300), st.floats(-20, 60), st.floats(-20, 60))
def test_reference_junctions_add_in_emf(t: float, a: float, b: float) -> None:
    whole = emf("K", t, b).values
    assert whole == pytest.approx(emf("K", t, a).values + emf("K", a, b).values, abs=1e-12)
    assert temperature("K", whole, b).values == pytest.approx([t], abs=1e-8)


def test_derivative_by_the_reference_junction() -> None:
    forward, back = emf("K", [400, 20], 25), temperature("K", [15.0, 1.0], 25)
    for found, function, x in ((forward, emf, [400, 20]), (back, temperature, [15.0, 1.0])):
        ends = [function("K", x, 25 + s).values for s in (1e-3, -1e-3)]
        assert found.aside["t_ref"] == pytest.approx((ends[0] - ends[1]) / 2e-3, rel=1e-6)


def test_type_a_keeps_its_published_constant() -> None:
    assert emf("A", [0]).values == pytest.approx([7.1564735e-4])
    assert emf("A", [30], 30).values == [0]


def test_deviation_of_a_calibrated_thermocouple() -> None:
    own = [0.001, 2e-5, -1e-8]
    t = np.array([0.0, 100.0, 900.0])
    found = emf("N", t, 20, own)
    extra = polyval(t, own) - polyval(20, own)
    assert found.values == pytest.approx(emf("N", t, 20).values + extra)
    assert temperature("N", found.values, 20, own).values == pytest.approx(t, abs=1e-9)


def test_a_deviation_that_is_no_thermocouple() -> None:
    with pytest.raises((OutOfRange, NotConverged)):
        temperature("N", [1.0], 0, [0, -0.03])


@pytest.mark.parametrize("letter", TYPES)
def test_no_extrapolation(letter: str) -> None:
    pieces = REFERENCE_FUNCTIONS[letter]
    for t in (pieces[0].low - 1, pieces[-1].high + 1, np.nan):
        with pytest.raises(OutOfRange) as caught:
            emf(letter, [100, t])
        assert caught.value.facts["index"] == 1
    for E in (-50, 100, np.inf):
        with pytest.raises(OutOfRange):
            temperature(letter, [E])
    with pytest.raises(OutOfRange):
        emf(letter, [100], 5000)


def test_an_emf_rounded_at_the_end_is_flagged() -> None:
    assert temperature("K", [-6.458, 0]).extrapolated.tolist() == [True, False]


@pytest.mark.parametrize("E", [-0.0025, 0, -0.003])
def test_type_b_below_42_degrees_is_of_two_minds(E: float) -> None:
    with pytest.raises(OutOfRange, match="type B"):
        temperature("B", [E])


def test_unknown_type() -> None:
    with pytest.raises(OutOfRange):
        emf("X", [0])
