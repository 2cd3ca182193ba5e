from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from calib.engine import descent
from calib.engine.models import stated
from calib.engine.nonlinear import fit_model

X = np.array([0.0, 1, 2, 3, 4, 5])
Y = np.array([5.1, 3.0, 1.8, 1.15, 0.66, 0.42])


@dataclass(frozen=True)
class Line:
    """Residuals of a straight line, whitened or not."""

    known: bool
    scale: float = 1.0

    @property
    def design(self) -> np.ndarray:
        return np.stack([np.ones(6), X], axis=1)

    def at(self, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.only(c), self.design

    def only(self, c: np.ndarray) -> np.ndarray:
        return np.asarray(Y - self.design @ c)

    def bend(self, c: np.ndarray, _rest: np.ndarray) -> np.ndarray:
        return np.zeros((len(c), len(c)))


@pytest.mark.parametrize("known", [True, False])
def test_the_last_step_is_told_in_standard_uncertainties(known: bool) -> None:
    problem, here = Line(known), np.array([4.0, -0.5])
    found, step, size = descent._newton(problem, here, 7, "direct")
    there = np.linalg.lstsq(problem.design, Y)[0]
    assert here + step == pytest.approx(there)
    length = float(np.linalg.norm(problem.design @ (there - here)))
    rest = problem.only(here)
    s = 1.0 if known else np.sqrt(rest @ rest / (6 - 2))
    assert size == pytest.approx(length)
    assert found.convergence.shift == pytest.approx(length / s)
    assert (found.convergence.steps, found.convergence.curvature) == (7, pytest.approx(1))


def test_steps_are_counted_that_were_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descent, "MAX_STEPS", 1)
    assert descent._walk(Line(known=True), np.zeros(2))[1] == 1
    monkeypatch.setattr(descent, "MAX_STEPS", 2)
    assert descent._walk(Line(known=True), np.zeros(2))[1] == 2


def test_the_curvature_told_is_that_of_the_sum_of_squares() -> None:
    fit = fit_model(stated("b1*exp(-b2*x)", ("b1", "b2")), X, Y, (4, 0.4), u_y=0.05)
    a, b = fit.parameters
    e = np.exp(-b * X)
    jacobian = np.stack([e, -a * X * e], axis=1)
    rest = Y - a * e
    mixed, twice = rest @ (-X * e), rest @ (a * X**2 * e)
    normal = jacobian.T @ jacobian
    half = normal - np.array([[0, mixed], [mixed, twice]])
    least = np.linalg.eigvals(np.linalg.solve(normal, half)).real.min()
    assert fit.convergence.curvature == pytest.approx(least, rel=1e-6)
