"""Radiation thermometry."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from calib.engine.errors import OutOfRange
from calib.engine.temperature.radiation import (
    SI,
    BlackBody,
    Constants,
    View,
    expected_indication,
    source_temperature,
)
from tests.engine.published import load, to_print

REFERENCE = load("radiation")
BAND = BlackBody.of_band(8, 14)
T = np.linspace(200, 3000, 81)
BODIES = [
    BAND,
    BlackBody.at_wavelength(0.65e-6),
    BlackBody.at_wavelength(10e-6),
    BlackBody.at_wavenumber(1e5),
    BlackBody.sakuma_hattori(3.9, 60, 2.5),
]


def test_second_radiation_constant() -> None:
    assert to_print(1e6 * SI.second, "14387.768775")
    assert Constants(c2=0.014388).second == 0.014388


def test_published_brightness_temperatures() -> None:
    case = REFERENCE["brightness"]
    body = BlackBody.at_wavenumber(case["wavenumber"], Constants(**case["constants"]))
    for found, printed in zip(body.temperature(case["L"]).values, case["T"], strict=True):
        assert found == pytest.approx(float(printed), rel=1e-9)


def test_published_radiance() -> None:
    case = REFERENCE["radiance"]
    found = BlackBody.at_wavelength(case["wavelength"]).signal(case["T"]).values
    assert found == pytest.approx([case["L"]], rel=case["relative"])


def test_wavelength_and_wavenumber_are_one_radiance() -> None:
    """L_wavelength d(wavelength) = L_wavenumber d(wavenumber)."""
    w = 4e-6
    by_length, by_number = BlackBody.at_wavelength(w), BlackBody.at_wavenumber(1 / w)
    assert by_length.signal(T).values * w**2 == pytest.approx(by_number.signal(T).values)


@pytest.mark.parametrize("body", BODIES)
def test_there_and_back(body: BlackBody) -> None:
    S = body.signal(T)
    back = body.temperature(S.values)
    assert back.values == pytest.approx(T, rel=1e-12)
    assert back.sensitivity * S.sensitivity == pytest.approx(np.ones(len(T)), rel=1e-10)
    z = T + 1e-30j
    expected = body.P / (np.exp(body.q / (body.a * z + body.b)) - 1)
    assert S.values == pytest.approx(expected.real, rel=1e-12)
    assert S.sensitivity == pytest.approx(expected.imag * 1e30, rel=1e-12)


def test_long_waves_follow_rayleigh_and_jeans() -> None:
    w, x = 1.0, 300.0
    found = BlackBody.at_wavelength(w).signal(x).values
    assert found == pytest.approx([2 * SI.c * SI.k * x / w**4], rel=1e-4)


def test_band_coefficients_and_sensitivities() -> None:
    case = REFERENCE["band"]
    assert (BAND.a, BAND.b) == pytest.approx((case["A"], case["B"]), rel=1e-10)
    found = expected_indication(BAND, np.array(case["t"]) + 273.15, View(1, 296.15))
    assert found.values - 273.15 == pytest.approx(case["t"])
    assert found.aside["emissivity"] == pytest.approx(case["by_emissivity"], rel=1e-7)


@pytest.mark.parametrize("name", ["deficit_of_a_plate", "deficit_of_skin"])
def test_radiance_temperature_of_grey_surfaces(name: str) -> None:
    case = REFERENCE["band"][name]
    view = View(case["emissivity"], case["surroundings"] + 273.15)
    found = expected_indication(BAND, case["t"] + 273.15, view).values[0]
    assert case["t"] + 273.15 - found == pytest.approx(case["value"], abs=1e-8)


def test_band_against_the_integral_of_plancks_law() -> None:
    """The two-point difference of the equation from the exact band, anchored at 37 degC."""
    case = REFERENCE["band"]["against_the_exact_band"]
    x, w = np.polynomial.legendre.leggauss(60)
    waves = (11 + 3 * x) * 1e-6

    def exact(t: float) -> float:
        return sum(
            float(v * BlackBody.at_wavelength(float(wave)).signal(t + 273.15).values[0])
            for wave, v in zip(waves, w, strict=True)
        )

    scale = BAND.signal(case["anchor"] + 273.15).values[0] / exact(case["anchor"])
    for t, off in zip(case["t"], case["value"], strict=True):
        found = BAND.temperature(scale * exact(t)).values[0] - 273.15 - t
        assert found == pytest.approx(off, rel=1e-5)


FULL = {"emissivity": 0.9, "background": 290.0, "setting": 0.97, "reflected": 300.0,
        "size_of_source": 0.98}  # fmt: skip


@pytest.mark.parametrize("function", [expected_indication, source_temperature])
def test_derivatives_against_differences(function: Any) -> None:
    x = np.array([280.0, 310.0, 500.0])
    found = function(BAND, x, View(**FULL))
    ends = [function(BAND, x + s, View(**FULL)).values for s in (1e-3, -1e-3)]
    assert found.sensitivity == pytest.approx((ends[0] - ends[1]) / 2e-3, rel=1e-6)
    for name, at in FULL.items():
        step = 1e-5 * at
        ends = [function(BAND, x, View(**FULL | {name: at + s})).values for s in (step, -step)]
        expected = (ends[0] - ends[1]) / (2 * step)
        assert found.aside[name] == pytest.approx(expected, rel=1e-5), name


@given(
    st.floats(250, 1500), st.floats(0.3, 1), st.floats(250, 320), st.floats(0.3, 1),
    st.floats(250, 320),
)  # fmt: skip
def test_indication_and_source_are_inverse(
    x: float, e: float, around: float, setting: float, taken: float
) -> None:
    view = View(e, around, setting, taken)
    taken_for, reflected = (1 - setting) * BAND.signal(taken).values, BAND.signal(around).values
    assume(e * BAND.signal(x).values + (1 - e) * reflected > 1.01 * taken_for)
    shown = expected_indication(BAND, x, view).values
    assert source_temperature(BAND, shown, view).values == pytest.approx([x], rel=1e-9)


def test_an_instrument_set_right_shows_the_source() -> None:
    for view in (View(0.8, 296.15, 0.8), View(0.8, 296.15, 0.8, 296.15), View(1, 250)):
        assert expected_indication(BAND, [280, 400], view).values == pytest.approx([280, 400])
    at_background = expected_indication(BAND, 296.15, View(0.5, 296.15)).values
    assert at_background == pytest.approx([296.15])


def test_one_number_or_one_for_each() -> None:
    view = View([0.9, 0.8], [290, 300], [1, 0.95], None, [1, 0.99])
    both = expected_indication(BAND, [310, 320], view)
    single = expected_indication(BAND, [320], View(0.8, 300, 0.95, None, 0.99))
    assert both.values[1] == single.values[0]
    one = expected_indication(BAND, 310, View([0.9, 0.8], 290))
    assert one.values.shape == one.sensitivity.shape == one.aside["background"].shape == (2,)


@pytest.mark.parametrize(
    ("name", "bad"),
    [("emissivity", 0), ("emissivity", 1.01), ("setting", 0), ("setting", 1.3),
     ("size_of_source", 1.1), ("emissivity", np.nan)],
)  # fmt: skip
def test_impossible_views(name: str, bad: float) -> None:
    with pytest.raises(OutOfRange) as caught:
        View(**FULL | {name: [0.9, bad]})
    assert caught.value.facts["name"] == name


def test_signals_of_no_temperature() -> None:
    with pytest.raises(OutOfRange):
        expected_indication(BAND, 200, View(0.5, 200, 0.5, 600))
    with pytest.raises(OutOfRange):
        source_temperature(BAND, 200, View(0.2, 600, 1, 200))
    for bad in (0, -1, np.nan):
        with pytest.raises(OutOfRange):
            BAND.temperature([1, bad])
        with pytest.raises(OutOfRange):
            BAND.signal([300, bad])
    with pytest.raises(OutOfRange, match="less than that of any"):
        BAND.temperature([1e-300])
    with pytest.raises(OutOfRange, match="leaves no signal"):
        BlackBody.at_wavelength(0.65e-6).signal([1])


@pytest.mark.parametrize(
    "make",
    [
        lambda: BlackBody.at_wavelength(0),
        lambda: BlackBody.at_wavenumber(-1),
        lambda: BlackBody.of_band(14, 8),
        lambda: BlackBody.sakuma_hattori(-1, 0),
        lambda: BlackBody.sakuma_hattori(1, np.nan),
        lambda: Constants(h=0),
        lambda: Constants(c2=-1),
    ],
    ids=range(7),
)
def test_models_of_nothing(make: Any) -> None:
    with pytest.raises(OutOfRange):
        make()
