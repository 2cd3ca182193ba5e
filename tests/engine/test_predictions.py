from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.leastsquares import fit_polynomial
from calib.engine.models import stated
from calib.engine.nonlinear import fit_model
from calib.engine.predictions import invert, invert_readings, predict
from tests.support.lines import fit_line

if TYPE_CHECKING:
    from calib.engine.fit_types import PolynomialFit
    from calib.engine.models import ModelFit

X = np.array([1.0, 2.0, 3.0, 5.0, 8.0, 11.0])
PAIR = ("a", "b")


def line(origin: float = 0.0) -> PolynomialFit:
    return fit_line(X, 3 + 0.5 * X, 0.1, origin=origin)


def powers(degree: int, u: float = 0.1) -> np.ndarray:
    """Covariance of the coefficients of the powers of x, from the normal equations."""
    a = np.vander(X, degree + 1, increasing=True)
    return np.linalg.inv(a.T @ a) * u**2


def parabola() -> PolynomialFit:
    return fit_polynomial(X, X**2, 2, u_y=0.1)


def square() -> ModelFit:
    return fit_model(stated("a*x^2 + b", PAIR), X, X**2 - 4, u_y=0.1)


CURVES = [line, parabola, square]


def test_each_new_x_brings_its_own_uncertainty() -> None:
    fit, at, u_x = parabola(), np.array([2.0, 6.0, 9.0]), np.array([0.0, 0.03, 0.1])
    rows = np.vander(at, 3, increasing=True)
    expected = rows @ powers(2) @ rows.T + np.diag((2 * at * u_x) ** 2)
    found = predict(fit, at, u_x)
    assert found.covariance == pytest.approx(expected, rel=1e-9)
    assert found.u == pytest.approx(np.sqrt(np.diag(expected)), rel=1e-9)
    assert predict(fit, at, [u_x]).u == pytest.approx(found.u)


def test_one_new_observation_scatters_more_than_the_curve() -> None:
    fit = fit_line(X, 3 + 0.5 * X + 0.1 * np.cos(X))
    found = predict(fit, [4.0])
    s = math.sqrt(fit.residuals @ fit.residuals / 4)
    assert found.u_single == pytest.approx(np.hypot(found.u, s))
    assert (found.x.tolist(), found.y[0]) == (
        [4.0],
        pytest.approx(np.polyval(np.polyfit(X, 3 + 0.5 * X + 0.1 * np.cos(X), 1), 4.0)),
    )


def test_of_two_variables_each_has_its_range_and_its_slope() -> None:
    x = np.array([[0.0, 0.0, 1.0, 1.0, 2.0], [10.0, 30.0, 10.0, 30.0, 20.0]])
    fit = fit_model(stated("a*x + b*t", PAIR, ("x", "t")), x, 2 * x[0] - x[1], u_y=0.1)
    at = np.array([[0.0, 2.0, 2.1, 1.0, 1.0], [10.0, 30.0, 20.0, 9.9, 30.1]])
    assert predict(fit, at).extrapolated == (False, False, True, True, True)
    bare = np.square(predict(fit, at).u)
    u = predict(fit, at, [[0.3], [0.4]] * np.ones(5)).u
    assert u == pytest.approx(np.sqrt(bare + (2 * 0.3) ** 2 + 0.4**2))
    assert predict(fit, at, 0.4).u == pytest.approx(np.sqrt(bare + (2 * 0.4) ** 2 + 0.4**2))
    with pytest.raises(OutOfRange, match="2 lists"):
        predict(fit, [1.0])
    with pytest.raises(OutOfRange, match="several"):
        invert(fit, [1.0])


@pytest.mark.parametrize("make", CURVES)
def test_the_ends_of_the_data_are_no_extrapolation(make: object) -> None:
    fit = make()  # type: ignore[operator]
    assert predict(fit, [1, 11, 0.999, 11.001]).extrapolated == (False, False, True, True)
    assert invert(fit, predict(fit, [1.001, 10.999]).y).x == pytest.approx([1.001, 10.999])
    ends = predict(fit, [1, 11]).y
    for off in (ends, np.nextafter(ends, np.inf), np.nextafter(ends, -np.inf)):
        back = invert(fit, off)
        assert back.x == pytest.approx([1, 11], rel=1e-14)
        assert back.extrapolated == (False, False)


def test_covariance_is_given_up_to_its_cap() -> None:
    many = predict(line(), np.linspace(1, 11, 1000))
    assert many.covariance is not None
    assert np.sqrt(np.diag(many.covariance)) == pytest.approx(many.u)
    assert predict(line(), np.linspace(1, 11, 1001)).covariance is None


@pytest.mark.parametrize("bad", [[0.1, math.nan], [0.1, math.inf], [0.1, -0.1], [[0.1], [0.1]]])
def test_a_bad_uncertainty_is_named(bad: list[object]) -> None:
    with pytest.raises(OutOfRange, match="u_x must"):
        predict(line(), [1.0, 2.0], bad)  # type: ignore[arg-type]
    with pytest.raises(OutOfRange, match="u_y must"):
        invert(line(), [4.0, 5.0], bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("origin", [0.0, 100.0])
def test_a_line_is_inverted_far_outside_its_data(origin: float) -> None:
    back = invert(line(origin), [3.0, 5.0, 103.0], [0.0, 0.0, 0.2])
    assert back.x == pytest.approx([0, 4, 200], abs=1e-9)
    assert back.y == pytest.approx([3, 5, 103])
    assert back.extrapolated == (True, False, True)
    rows = np.vander([0.0, 4.0, 200.0], 2, increasing=True)
    own = np.einsum("ij,jk,ik->i", rows, powers(1), rows)
    assert back.u == pytest.approx(np.sqrt(own + np.array([0, 0, 0.04])) / 0.5)


def test_a_proportional_curve_of_one_point_has_an_inverse() -> None:
    for fit in (
        fit_polynomial([4.0], [2.0], proportional=True, u_y=0.1),
        fit_model(stated("a*x", ("a",)), [4.0], [2.0], u_y=0.1),
    ):
        back = invert(fit, [2.0])
        assert back.x == pytest.approx([4])
        assert back.u == pytest.approx([0.2])


@pytest.mark.parametrize("make", [parabola, square])
def test_a_tenth_of_the_range_outside_the_data_and_no_more(make: object) -> None:
    fit = make()  # type: ignore[operator]
    near = predict(fit, [0.01, 0.5, 11.5, 11.99])
    back = invert(fit, near.y)
    assert back.x == pytest.approx([0.01, 0.5, 11.5, 11.99])
    assert back.extrapolated == (True,) * 4
    for far in predict(fit, [12.01, 12.5]).y:
        with pytest.raises(OutOfRange, match=r"^0 arguments"):
            invert(fit, [far])


def test_only_the_roots_inside_count_when_there_are_any() -> None:
    x = np.linspace(-1, 3, 9)  # x^2 = 0.81 at 0.9 inside, and at -0.9 outside when cut
    for keep, count in ((x >= -0.5, 1), (x >= -1, 2)):
        cut = x[keep]
        for fit in (
            fit_polynomial(cut, cut**2, 2, u_y=0.1),
            fit_model(stated("a*x^2 + b", PAIR), cut, cut**2, u_y=0.1),
        ):
            if count == 1:
                assert invert(fit, [0.64]).x == pytest.approx([0.8])
            else:
                with pytest.raises(OutOfRange, match=r"^2 arguments"):
                    invert(fit, [0.64])


def test_roots_close_together_are_both_seen() -> None:
    x = np.linspace(0, 1, 9)
    fit = fit_model(stated("a*(x - 0.5)^2 + b*x", PAIR), x, (x - 0.5) ** 2, u_y=0.1)
    step = 1 / 512
    with pytest.raises(OutOfRange, match=r"^2 arguments"):
        invert(fit, [(0.9 * step) ** 2])


@pytest.mark.parametrize("y", [0.0, 1e-6, -4e-7])
def test_a_falling_model_is_inverted_as_a_rising_one(y: float) -> None:
    rising = fit_model(stated("a*x^2 + b", PAIR), X, X**2 - 4, u_y=0.1)
    falling = fit_model(stated("a*x^2 + b", PAIR), X, 4 - X**2, u_y=0.1)
    there = invert(rising, [y], 0.2)
    assert there.x == pytest.approx([math.sqrt(4 + y)], rel=1e-12)
    assert invert(falling, [-y], 0.2).x == pytest.approx(there.x, rel=1e-13)
    assert invert(falling, [-y], 0.2).u == pytest.approx(there.u)
    assert there.u is not None
    rows = np.array([there.x[0] ** 2, 1.0])
    a = np.stack([X**2, np.ones(6)], axis=1)
    own = rows @ np.linalg.inv(a.T @ a) @ rows * 0.01
    assert there.u[0] == pytest.approx(math.sqrt(own + 0.04) / (2 * there.x[0]))


def test_an_end_missed_by_rounding_is_the_end_beside_a_vertex_too() -> None:
    x = np.linspace(1, 3, 9)
    for fit in (
        fit_polynomial(x, (x - 0.95) ** 2, 2, u_y=0.1),
        fit_model(stated("a*(x - 0.95)^2 + b", PAIR), x, (x - 0.95) ** 2, u_y=0.1),
    ):
        end = predict(fit, [1.0]).y[0]  # again at 0.9, a twentieth of the range outside
        for y in (end - 1e-16, end, end + 1e-16):
            back = invert(fit, [y])
            assert back.x == pytest.approx([1], abs=1e-9)
            assert back.extrapolated == (False,)
        with pytest.raises(OutOfRange, match=r"^2 arguments"):
            invert(fit, [end - 1e-6])


def test_far_from_zero_the_range_is_as_wide_as_it_is() -> None:
    x = 1e6 + np.linspace(0, 1, 9)
    back = invert(fit_polynomial(x, (x - 1e6) * 2, 2, u_y=0.1), [2.002])
    assert back.extrapolated == (True,)
    assert back.x - 1e6 == pytest.approx([1.001], abs=1e-8)
    cube = fit_polynomial(x, (x - 1e6 - 0.5) ** 3, 3, u_y=0.1)
    with pytest.raises(OutOfRange, match="level"):
        invert(cube, [0.0])


def test_without_a_covariance_there_are_values_and_flags_alone() -> None:
    fit = fit_line([1, 3], [1, 2])
    there, back = predict(fit, [2.0, 5.0]), invert(fit, [1.5, 3.0])
    for found in (there, back):
        assert found.x == pytest.approx([2, 5])
        assert found.y == pytest.approx([1.5, 3])
        assert found.u is None
        assert found.extrapolated == (False, True)


def test_a_function_that_ends_beyond_the_data_is_read_on_its_other_side() -> None:
    x = np.array([1.0, 10.0, 40.0, 100.0])
    fit = fit_model(stated("a*log(x) + b", PAIR), x, np.log(x), u_y=0.1)
    back = invert(fit, [math.log(109)])  # a tenth of the range below 1 there is no logarithm
    assert back.x == pytest.approx([109])
    assert back.extrapolated == (True,)


def test_a_pole_is_no_argument() -> None:
    x = np.array([1.0, 2.0, 4.0, 5.1])
    model = stated("a/(x^2 - 2) + b*x", PAIR)
    fit = fit_model(model, x, 1 / (x**2 - 2), u_y=0.1)
    with pytest.raises(OutOfRange, match=r"^0 arguments"):
        invert(fit, [0.0])
    assert invert(fit, [0.5]).x == pytest.approx([2])


@pytest.mark.parametrize("size", [1.0, 1e-6, 1e6])
def test_a_level_place_is_refused_whatever_the_units(size: float) -> None:
    x = np.linspace(1, 3, 9)
    for scale in (size, 1 / size):
        y = scale * (x - 2) ** 3
        where = size * x
        curve = stated(f"a*(x/{size} - 2)^3 + b", PAIR)
        for fit in (
            fit_polynomial(where, y, 3, u_y=scale),
            fit_model(curve, where, y, u_y=scale),
        ):
            with pytest.raises(OutOfRange, match="level at the argument"):
                invert(fit, [scale, 0.0])
            assert invert(fit, [scale]).x == pytest.approx([3 * size])
            assert invert(fit, [scale * 1e-6]).x == pytest.approx([2.01 * size])


def test_a_refusal_tells_its_figures() -> None:
    for ask, name in ((predict, "x of a prediction"), (invert, "y of an inverse evaluation")):
        with pytest.raises(OutOfRange, match=name):
            ask(line(), [1.0, math.inf])
    with pytest.raises(OutOfRange) as two:
        invert(fit_polynomial(X, (X - 6) ** 2, 2, u_y=0.1), [4.0])
    assert two.value.facts == {"y": 4.0, "roots": 2}
    level = fit_line([1, 2, 3], [0, 0, 0], 0.1)
    with pytest.raises(OutOfRange, match="no argument follows"):
        invert(level, [0.0])


def test_readings_are_averaged() -> None:
    fit = fit_line(X, 3 + 0.5 * X + 0.1 * np.cos(X))
    several = invert_readings(fit, [[5.0, 5.2, 5.4], [6.0]])
    s = fit.s_single
    assert s is not None
    expected = invert(fit, [5.2, 6.0], [s / math.sqrt(3), s])
    assert several.x == pytest.approx(expected.x)
    assert several.u == pytest.approx(expected.u)
    for bad in ([], [[1.0], []]):
        with pytest.raises(DegenerateData, match="at least one"):
            invert_readings(fit, bad)
