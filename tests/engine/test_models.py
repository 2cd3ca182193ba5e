from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import curve_fit

from calib.engine.errors import DegenerateData, OutOfRange, SingularFit
from calib.engine.models import (
    C2,
    NAMED,
    callendar_van_dusen,
    platinum_design,
    sakuma_hattori,
    stated,
    steinhart_hart,
)
from calib.engine.nonlinear import fit_model
from calib.engine.nonlinear_xy import fit_model_xy
from calib.engine.predictions import invert, predict
from tests.engine.published import agrees, load

DATA = load("models")


def test_platinum_certificate() -> None:
    data = DATA["platinum"]
    model = NAMED["callendar_van_dusen"](np.array([data["t"]]))
    fit = fit_model(model, data["t"], data["R"])
    assert fit.names == ("R0", "A", "B")  # a millikelvin below 0 shows no C
    for i, name in enumerate(fit.names):
        assert agrees(fit.parameters[i], data[name])


def test_platinum_from_its_own_table() -> None:
    data = DATA["iec60751"]
    t, R = np.array(data["t"]), data["R"]
    fit = fit_model(NAMED["callendar_van_dusen"](t[None]), t, R, u_y=5e-5)
    exact = (100, data["A"], data["B"], data["C"])
    for found, expected, u in zip(
        fit.parameters, exact, np.sqrt(np.diag(fit.covariance)), strict=True
    ):
        assert abs(found - expected) < 3 * u
        assert u < 1e-3 * abs(expected)
    back = invert(fit, [18.5201, 390.4811])
    assert back.x == pytest.approx([-200, 850], abs=1e-3)
    assert predict(fit, [-220]).extrapolated == (True,)


def test_platinum_is_linear_in_other_coefficients() -> None:
    t = np.array([-80.0, -40, 0, 50, 100, 150, 200])
    R = 100 * (1 + 3.9e-3 * t - 6e-7 * t**2) + np.array([1, -2, 1, 0, 2, -1, 0]) * 1e-3
    u = np.linspace(1e-3, 2e-3, 7)
    fit = fit_model(callendar_van_dusen(cold=True), t, R, u_y=u)
    a = np.stack([np.ones(7), t, t * t, np.where(t < 0, (t - 100) * t**3, 0)], axis=1)
    size = np.linalg.norm(a, axis=0)
    c = np.linalg.lstsq(a / size / u[:, None], R / u)[0] / size
    assert fit.parameters == pytest.approx([c[0], *(c[1:] / c[0])], rel=1e-10)
    s = a / size / u[:, None]
    inner = np.linalg.inv(s.T @ s) / np.outer(size, size)
    j = np.diag([1, 1 / c[0], 1 / c[0], 1 / c[0]])
    j[1:, 0] = -c[1:] / c[0] ** 2
    assert fit.covariance == pytest.approx(j @ inner @ j.T, rel=1e-8)
    assert fit.f_statistic is not None
    both = fit_model_xy(callendar_van_dusen(cold=True), t, R, u_x=0.001, u_y=u)
    steep = fit_model(callendar_van_dusen(cold=True), t, R, u_y=np.hypot(u, 0.39 * 0.001))
    assert both.parameters == pytest.approx(steep.parameters, rel=1e-3)


def test_thermistor_through_three_points() -> None:
    data = DATA["thermistor"]
    fit = fit_model(steinhart_hart(), data["R"], data["t"])
    assert fit.residuals == pytest.approx([0, 0, 0], abs=1e-9)
    there = predict(fit, data["others"]["R"]).y
    assert there == pytest.approx(data["others"]["t"], abs=data["others"]["tolerance"])
    back = invert(fit, there)
    assert back.x == pytest.approx(data["others"]["R"], rel=1e-10)
    a, b, c = fit.parameters
    L = math.log(19549)
    assert 1 / (a + b * L + c * L**3) - 273.15 == pytest.approx(there[0], abs=1e-9)


def test_thermistor_over_determined() -> None:
    R = np.array([32128.0, 19549, 12262, 9814, 7908, 3542])
    t = np.array([0.0, 10, 20, 25, 30, 50]) + np.array([2, -1, 0, 1, -2, 1]) * 1e-3
    fit = fit_model(steinhart_hart(), R, t, u_y=0.002)
    j = fit.model.slopes(R[None], fit.parameters)[1]
    assert (j / np.linalg.norm(j, axis=0)).T @ fit.residuals == pytest.approx([0] * 3, abs=1e-10)
    assert fit.consistent is True


def band(T: np.ndarray, A: float, B: float, C: float) -> np.ndarray:
    return C / np.expm1(C2 / (A * T + B))


def test_radiation_thermometer() -> None:
    data = DATA["radiation"]
    assert pytest.approx(data["c2"], rel=1e-11) == C2
    T = 273.15 + np.array([10.0, 20, 30, 35, 37, 40, 42, 50])
    S = band(T, data["A"], data["B"], 2.5)
    exact = fit_model(sakuma_hattori(), T, S, u_y=1e-4 * S)
    assert exact.parameters == pytest.approx([data["A"], data["B"], 2.5], rel=1e-9)
    noisy = S * (1 + 1e-4 * np.array([1, -1, 0, 2, -2, 1, 0, -1]))
    fit = fit_model(sakuma_hattori(), T, noisy, u_y=1e-4 * S)
    other, cov = curve_fit(
        band, T, noisy, [9, 150, 2], sigma=1e-4 * S, absolute_sigma=True, ftol=1e-15, xtol=1e-15,
        gtol=1e-15,
    )  # fmt: skip
    assert fit.parameters == pytest.approx(other, rel=1e-6)
    assert fit.covariance == pytest.approx(cov, rel=1e-3)
    full = fit_model(sakuma_hattori(), T, noisy, cov_y=np.diag((1e-4 * S) ** 2))
    assert full.parameters == pytest.approx(fit.parameters, rel=1e-9)
    back = invert(fit, S[3:4], 1e-4 * S[3])
    assert back.x == pytest.approx(T[3:4], abs=0.01)
    both = fit_model_xy(sakuma_hattori(), T, noisy, u_x=0.005, u_y=1e-4 * S)
    assert both.covariance[0, 0] > fit.covariance[0, 0]


@pytest.mark.parametrize(("A", "B", "C", "low", "high"), [
    (0.65, 2.0, 1e6, 1200.0, 2800.0), (10.0, 300.0, 0.02, 230.0, 800.0), (3.9, 0.0, 5.0, 300, 900)
])  # fmt: skip
def test_starting_values_are_found_for_any_band(
    A: float, B: float, C: float, low: float, high: float
) -> None:
    T = np.linspace(low, high, 6)
    S = band(T, A, B, C)
    fit = fit_model(sakuma_hattori(), T, S, u_y=1e-4 * S)
    assert fit.parameters[0] == pytest.approx(A, rel=1e-6)
    assert fit.model.value(T[None], fit.parameters) == pytest.approx(S, rel=1e-9)


def test_points_no_thermometer_has() -> None:
    with pytest.raises(DegenerateData, match="0 degC"):
        fit_model(callendar_van_dusen(cold=False), [0, 1, 2, 3], [0, 0, 0, 0])
    with pytest.raises(SingularFit):
        fit_model(callendar_van_dusen(cold=True), [-1, 1, 2, -1], [99, 101, 102, 99])
    for R, t in (([1, -1, 2], [0, 1, 2]), ([1, 2, 3], [0, -300, 2])):
        with pytest.raises(OutOfRange):
            fit_model(steinhart_hart(), R, t)
    for T, S in (([0, 1, 2], [1, 2, 3]), ([300, 310, 320], [1, 0, 2])):
        with pytest.raises(OutOfRange):
            fit_model(sakuma_hattori(), T, S)
    with pytest.raises((DegenerateData, SingularFit)):
        fit_model(sakuma_hattori(), [300, 300, 300], [1, 2, 3])
    with pytest.raises(DegenerateData, match="No Sakuma"):
        fit_model(sakuma_hattori(), [300, 310, 320], [1e200, 2e200, 3e200], u_y=1e-150)


def test_the_coefficient_c_acts_below_zero_only() -> None:
    t = np.array([-2.0, -1.0, 0.0, 0.5, 3.0])
    design = platinum_design(t, cold=True)
    assert design[:, :3].tolist() == np.vander(t, 3, increasing=True).tolist()
    assert design[:, 3].tolist() == [-102 * -8, -101 * -1, 0, 0, 0]
    assert platinum_design(t, cold=False).shape == (5, 3)


@pytest.mark.parametrize(("text", "linear"), [
    ("a*sin(x) + b*x^2 - 3", True), ("(a + b*x)/exp(x)", True), ("-(a - b)*2", True),
    ("a*b*x", False), ("a*x/b", False), ("exp(a*x) + b", False), ("a^2 + b", False),
])  # fmt: skip
def test_what_is_linear_in_its_parameters(text: str, *, linear: bool) -> None:
    assert stated(text, ("a", "b")).is_linear is linear


@pytest.mark.parametrize(("A", "B", "C", "low", "high"), [
    (0.65, 2.0, 1e6, 1200.0, 2800.0), (10.0, 300.0, 0.02, 230.0, 800.0),
    (3.9, 0.0, 5.0, 300, 900), (9.364, 178.4, 2.5, 283, 323),
])  # fmt: skip
def test_the_start_of_a_radiation_thermometer_is_near(
    A: float, B: float, C: float, low: float, high: float
) -> None:
    T = np.linspace(low, high, 6)
    S, model = band(T, A, B, C), sakuma_hattori()
    c = model.start(T[None], S, 1e-4 * S)  # type: ignore[misc]
    assert c[0] == pytest.approx(A, rel=0.08)
    assert model.value(T[None], c) == pytest.approx(S, rel=0.04)


def test_the_start_of_a_thermistor_weighs_the_uncertainties_of_t() -> None:
    R = np.array([[32128.0, 19549, 9814, 7908, 3542]])
    t, u = np.array([0.0, 10, 25.1, 30, 50]), np.array([1.0, 2.0, 0.1, 5.0, 1.0])
    L, T = np.log(R[0]), t + 273.15
    a = np.stack([np.ones(5), L, L**3], axis=1) * (T**2 / u)[:, None]
    expected = np.linalg.lstsq(a, T / u)[0]
    assert steinhart_hart().start(R, t, u) == pytest.approx(expected, rel=1e-6)  # type: ignore[misc]
