from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from calib.engine.errors import DegenerateData, OutOfRange, SingularFit
from calib.engine.modelbatch import ModelFits, fit_platinum, fit_sakuma_hattori
from calib.engine.models import C2, callendar_van_dusen, sakuma_hattori
from calib.engine.nonlinear import fit_model

T = 273.15 + np.array([10.0, 20, 30, 35, 37, 40, 42, 50])
BAND = (9.364, 178.4)


def signals(size: int) -> tuple[Any, Any]:
    S = 1 / np.expm1(C2 / (BAND[0] * T + BAND[1]))
    scatter = np.random.default_rng(1).normal(size=(8, size))
    return S[:, None] * (1 + 1e-4 * scatter), 1e-4 * S


def same(batch: ModelFits, j: int, one: Any) -> None:
    assert batch.names == one.names
    assert batch.parameters[:, j] == pytest.approx(one.parameters, rel=1e-9)
    size = np.sqrt(np.outer(np.diag(one.covariance), np.diag(one.covariance)))
    assert batch.covariance[:, :, j] / size == pytest.approx(one.covariance / size, rel=1e-7)
    assert batch.chi2[j] == pytest.approx(one.chi2, rel=1e-7)
    assert batch.dof == one.dof


def test_radiation_thermometers_one_by_one_and_together() -> None:
    S, u = signals(1500)
    batch = fit_sakuma_hattori(T, S, u, BAND)
    assert batch.converged.all()
    for j in (0, 1023, 1024, 1499):
        same(batch, j, fit_model(sakuma_hattori(), T, S[:, j], u_y=u))
    alone = fit_sakuma_hattori(np.repeat(T[:, None], 3, 1), S[:, 1023:1026], u[:, None], BAND)
    assert np.array_equal(alone.parameters, batch.parameters[:, 1023:1026])


@pytest.mark.parametrize("start", [(9.0, 100.0), (10.0, 300.0)])
def test_the_start_leaves_no_trace(start: tuple[float, float]) -> None:
    S, u = signals(20)
    plain = fit_sakuma_hattori(T, S, u, BAND)
    other = fit_sakuma_hattori(T, S, u, np.repeat(np.array(start)[:, None], 20, 1))
    assert other.parameters == pytest.approx(plain.parameters, rel=1e-9)


def test_units_of_the_wavelength() -> None:
    S, u = signals(5)
    plain = fit_sakuma_hattori(T, S, u, BAND)
    metres = fit_sakuma_hattori(T, S, u, (BAND[0] * 1e-6, BAND[1] * 1e-6), C2 * 1e-6)
    assert metres.parameters[0] == pytest.approx(plain.parameters[0] * 1e-6, rel=1e-9)
    assert metres.parameters[2] == pytest.approx(plain.parameters[2], rel=1e-9)


def test_what_does_not_converge_is_told() -> None:
    S, u = signals(3)
    S[:, 1] = 1.0
    found = fit_sakuma_hattori(T, S, u, BAND)
    assert found.converged.tolist() == [True, False, True]
    assert found.parameters[:, 1].tolist() == [0, 0, 0]


def test_too_few_steps_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calib.engine.modelbatch.MAX_STEPS", 1)
    S, u = signals(2)
    assert not fit_sakuma_hattori(T, S, u, (8.0, 400.0)).converged.any()


def test_platinum_thermometers_by_one_product() -> None:
    t = np.array([-80.0, -40, 0, 50, 100, 150, 200])
    R = 100 * (1 + 3.9083e-3 * t - 5.775e-7 * t**2 - 4.183e-12 * np.where(t < 0, t - 100, 0) * t**3)
    many = R[:, None] + 1e-3 * np.random.default_rng(2).normal(size=(7, 40))
    u = np.linspace(1e-3, 2e-3, 7)
    batch = fit_platinum(t, many, u)
    for j in (0, 39):
        same(batch, j, fit_model(callendar_van_dusen(cold=True), t, many[:, j], u_y=u))
    warm = fit_platinum(t[2:], many[2:], 1e-3)
    same(warm, 7, fit_model(callendar_van_dusen(cold=False), t[2:], many[2:, 7], u_y=1e-3))
    many[:, 3] = 0
    assert np.flatnonzero(~fit_platinum(t, many, u).converged).tolist() == [3]


def test_nearly_parallel_columns_keep_their_digits() -> None:
    near = 300 + np.linspace(0, 4, 8)
    S = 1 / np.expm1(C2 / (BAND[0] * near + BAND[1]))
    noisy = S * (1 + 1e-9 * np.cos(7 * near))
    one = fit_model(sakuma_hattori(), near, noisy, u_y=1e-9 * S)
    found = fit_sakuma_hattori(near, noisy[:, None], 1e-9 * S, BAND)
    assert found.converged.tolist() == [True]
    assert found.covariance[:, :, 0] == pytest.approx(one.covariance, rel=1e-6)


@pytest.mark.parametrize("bad", [-1.0, 0.0, math.nan, math.inf])
@pytest.mark.parametrize("name", ["T", "S", "u_S"])
def test_one_bad_figure_among_good_ones_is_refused(name: str, bad: float) -> None:
    S, u = signals(2)
    data: dict[str, Any] = {"T": T.copy(), "S": S, "u_S": u}
    data[name][3] = bad
    with pytest.raises(OutOfRange, match=f"^{name} must be positive"):
        fit_sakuma_hattori(start=BAND, **data)


BAD: list[tuple[type[Exception], dict[str, Any]]] = [
    (DegenerateData, {"S": np.ones(8)}),
    (DegenerateData, {"S": np.ones((2, 3)), "T": T[:2], "u_S": 1}),
    (DegenerateData, {"S": np.ones((8, 0))}),
    (DegenerateData, {"T": T[:5]}),
    (DegenerateData, {"start": (1.0, 2.0, 3.0)}),
    (OutOfRange, {"T": -T}),
    (OutOfRange, {"u_S": 0}),
    (OutOfRange, {"S": np.full((8, 2), math.nan)}),
    (OutOfRange, {"start": (math.nan, 1.0)}),
    (OutOfRange, {"c2": math.inf}),
]


@pytest.mark.parametrize(("error", "more"), BAD, ids=range(len(BAD)))
def test_signals_that_make_no_fit(error: type[Exception], more: dict[str, Any]) -> None:
    with pytest.raises(error):
        fit_sakuma_hattori(**({"T": T, "S": np.ones((8, 2)), "u_S": 1, "start": BAND} | more))


BAD_R: list[tuple[type[Exception], Any, Any, Any]] = [
    (DegenerateData, [0, 1, 2], np.ones((2, 2)), 1),
    (DegenerateData, [0, 1, 2], np.ones((3, 0)), 1),
    (DegenerateData, [0, 1], np.ones((2, 2)), 1),
    (DegenerateData, [0, 1, 2], np.ones((3, 1)), 0),
    (OutOfRange, [0, 1, math.nan], np.ones((3, 1)), 1),
    (SingularFit, [0, 1, 1], np.ones((3, 1)), 1),
    (SingularFit, [0, 0, 0], np.ones((3, 1)), 1),
]


@pytest.mark.parametrize(("error", "t", "R", "u"), BAD_R, ids=range(len(BAD_R)))
def test_resistances_that_make_no_fit(error: type[Exception], t: Any, R: Any, u: Any) -> None:
    with pytest.raises(error):
        fit_platinum(t, R, u)
