from __future__ import annotations

import math

import pytest

from calib.engine.curves import CalibrationCurve
from calib.engine.errors import DegenerateData, EngineError, OutOfRange
from calib.engine.leastsquares import fit_line
from calib.engine.predictions import invert, predict
from tests.engine.published import load

H3 = load("gum_h3")


def curve(u_additional: float = 0.0) -> CalibrationCurve:
    fit = fit_line(H3["data"]["t"], H3["data"]["b"], origin=20)
    return CalibrationCurve.from_fit(fit, u_additional)


def test_correction_inside_and_outside() -> None:
    found = curve().correct([24, 30, 21.521])
    assert found.inside.tolist() == [True, False, True]
    full = H3["recomputed"]["b30"]
    assert found.correction[1] == pytest.approx(full["value"])
    assert found.u[1] == pytest.approx(full["u"])


def test_additional_uncertainty_and_that_of_the_indication() -> None:
    plain = curve().correct([24]).u[0]
    assert curve(0.01).correct([24]).u[0] == pytest.approx(math.hypot(plain, 0.01))
    b = curve().fit.parameters[1]
    assert curve().correct([24], 2.0).u[0] == pytest.approx(math.hypot(plain, 2 * b))


def test_band_covers_the_range() -> None:
    band = curve().band(11)
    assert band.inside.all()
    assert (band.indication[0], band.indication[-1]) == (21.521, 26.511)
    finer = CalibrationCurve(curve().fit, 21.521, 26.511).band()
    assert len(finer.u) == 101
    assert finer.u[::10] == pytest.approx(band.u)


def test_no_curve() -> None:
    fit = curve().fit
    with pytest.raises(OutOfRange):
        CalibrationCurve(fit, 3, 3)
    with pytest.raises(OutOfRange):
        CalibrationCurve(fit, 0, 1, -1)
    with pytest.raises(DegenerateData):
        CalibrationCurve.from_fit(fit_line([0, 1], [0, 1]))


def test_without_its_uncertainty_a_reading_is_exact() -> None:
    fit = fit_line([0.0, 1.0, 2.0, 3.0], [0.1, 1.1, 1.9, 3.1], 0.1)
    assert invert(fit, [1.5]).u == pytest.approx(invert(fit, [1.5], 0.0).u)
    assert predict(fit, [1.5]).u == pytest.approx(predict(fit, [1.5], 0.0).u)


@pytest.mark.parametrize("bad", [[0.1, float("nan")], [0.1, -0.1], [0.1, 0.1, 0.1]])
def test_one_bad_uncertainty_among_good_ones_is_refused(bad: list[float]) -> None:
    fit = fit_line([0.0, 1.0, 2.0, 3.0], [0.1, 1.1, 1.9, 3.1], 0.1)
    with pytest.raises(EngineError):
        invert(fit, [1.5, 2.0], bad)
    with pytest.raises(EngineError):
        predict(fit, [1.5, 2.0], bad)
