"""Any model by least squares, weighted or not, x taken as exact.

Linear models are solved in one stroke, the others by `descent`. No covariance is ever rescaled
unless asked for, except where no uncertainty of y is given at all. This module must not know
which model it is or what the curve is used for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg

from calib.engine.bases import convert_covariance
from calib.engine.descent import Minimum, descend
from calib.engine.errors import DegenerateData, OutOfRange, SingularFit
from calib.engine.fit_types import Convergence
from calib.engine.leastsquares import scaled
from calib.engine.models import Model, ModelFit
from calib.engine.observations import Observations, read_observations, solve
from calib.engine.quality import judge, leave_one_out
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Residuals:
    """Residuals of a model at its points, whitened where they are weighted."""

    model: Model
    x: FloatArray
    seen: Observations
    weighted: bool

    @property
    def scale(self) -> float:
        return float(np.linalg.norm(self._white(self.seen.y)))

    @property
    def known(self) -> bool:
        return self.seen.known and self.weighted

    def _white(self, a: FloatArray) -> FloatArray:
        return self.seen.white(a) if self.weighted else a

    def at(self, c: FloatArray) -> tuple[FloatArray, FloatArray]:
        value, rows, _ = self.model.slopes(self.x, c)
        return self._white(self.seen.y - value), self._white(rows)

    def only(self, c: FloatArray) -> FloatArray:
        return self._white(self.seen.y - self.model.value(self.x, c))

    def bend(self, c: FloatArray, rest: FloatArray) -> FloatArray:
        pull = self.seen.white_transposed(rest[:, None], weighted=self.weighted)[0]
        return np.asarray(self.model.bends(self.x, c)[2] @ pull)


def read_points(model: Model, x: ArrayLike, y: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Bring x to shape (v, n) and refuse points that make no fit.

    Raises
    ------
    DegenerateData
        Lists of different lengths, or fewer points than parameters.
    """
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    xs = xs[None] if xs.ndim == 1 else xs
    if ys.ndim != 1 or not len(ys) or xs.shape != (len(model.variables), len(ys)):
        msg = f"x must hold one value of {', '.join(model.variables)} for each of {ys.shape} y."
        raise DegenerateData(msg, {"x": str(xs.shape), "y": str(ys.shape)})
    require_finite("a fit", x=xs)
    if len(ys) < len(model.parameters):
        n, p = len(ys), len(model.parameters)
        msg = f"{n} points cannot determine {p} parameters. Measure more points."
        raise DegenerateData(msg, {"n": n, "parameters": p})
    return xs, ys


def _starting_values(
    model: Model, x: FloatArray, seen: Observations, start: ArrayLike | None
) -> FloatArray:
    """Give the starting values stated, or those the model finds.

    Raises
    ------
    DegenerateData
        There are none, or not one for each parameter.
    """
    if start is not None:
        c = np.asarray(start, dtype=np.float64)
        if c.shape != (len(model.parameters),):
            raise DegenerateData("Give one starting value for each parameter.")
        require_finite("a fit", start=c)
        return c
    if model.start is None:
        raise DegenerateData("A function that is not linear in its parameters needs their starts.")
    return model.start(x, seen.y, _spread_of(seen))


def _spread_of(seen: Observations) -> FloatArray:
    """Give the standard uncertainty of each y, 1 where none is known."""
    if seen.whiten is not None:
        return np.asarray(np.sqrt(np.sum(seen.whiten**2, axis=1)))
    return np.ones(len(seen.y)) if seen.u_y is None else seen.u_y


def _linear(problem: _Residuals) -> Minimum:
    """Solve a model that is linear in its parameters."""
    zero = np.zeros(len(problem.model.parameters))
    rest, jacobian = problem.at(zero)
    size = np.linalg.norm(jacobian, axis=0)
    if not np.all(size > 0):
        name = problem.model.parameters[int(np.argmin(size))]
        raise SingularFit(f"No point depends on the parameter {name!r}.", {"name": name})
    c, inverse, q = solve(jacobian / size, rest)
    back = inverse / size[:, None]
    c = c / size
    end = Convergence(0, 0.0, 1.0, "linear")
    return Minimum(c, problem.only(c), back, q, end)


def fit_model(  # noqa: PLR0913  (each option has a name)
    model: Model,
    x: ArrayLike,
    y: ArrayLike,
    start: ArrayLike | None = None,
    *,
    u_y: ArrayLike | None = None,
    cov_y: ArrayLike | None = None,
    scale_by_residuals: bool = False,
    weighted: bool = True,
    u_y_common: float = 0.0,
) -> ModelFit:
    """Fit a model to points whose x is exact.

    Parameters
    ----------
    model : Model
        From `models`.
    x : (n,) or (v, n) array_like
        Values of the variables.
    y : (n,) array_like
        Observations, at least as many as parameters.
    start : (p,) array_like, optional
        Starting values; not needed by named and by linear models.
    u_y, cov_y, scale_by_residuals, weighted, u_y_common
        As in `leastsquares.fit_polynomial`.

    Returns
    -------
    ModelFit
        With the covariance of the linearised model at the solution.

    Raises
    ------
    DegenerateData
        Figures that make no fit.
    OutOfRange
        The model has no finite value at the starting values.
    SingularFit
        The points do not determine the parameters, or `cov_y` is no covariance.
    NotConverged
        No minimum was reached.

    Notes
    -----
    Source: K. Levenberg (1944), D. Marquardt (1963); M. Transtrum, J. Sethna, arXiv:1201.5885.
    Checked against: tests/reference/nist_strd_nonlinear.toml.
    Limits: a minimum, not necessarily the lowest; leave-one-out residuals are linearised.
    """
    xs, ys = read_points(model, x, y)
    if not (math.isfinite(u_y_common) and u_y_common >= 0):
        raise OutOfRange("u_y_common must be finite and not negative.")
    seen = read_observations(ys, u_y, cov_y)
    problem = _Residuals(model, xs, seen, weighted)
    if model.is_linear:
        found = _linear(problem)
    else:
        found = descend(problem, _starting_values(model, xs, seen, start))
    value = model.value(xs, found.parameters)
    white = seen.white(ys - value)
    chi2 = float(white @ white)
    p = len(model.parameters)
    good = judge(seen, chi2, p, known=seen.known, origin=False)
    estimator = found.inverse @ seen.white_transposed(found.q, weighted=weighted)
    plain = weighted or not seen.known
    cov = found.inverse @ found.inverse.T if plain else seen.propagate(estimator)
    type_a = not seen.known or scale_by_residuals
    inner = scaled(cov, good.s) if type_a else cov
    common = estimator @ np.ones(len(ys)) * u_y_common
    nu = good.dof if type_a else math.inf
    outer, parameter_dof, shift = convert_covariance(np.eye(p).tolist(), inner, common, nu)
    return ModelFit(
        names=model.parameters,
        parameters=found.parameters,
        covariance=outer,
        chi2=chi2,
        dof=good.dof,
        s=good.s,
        s_single=good.s_single,
        chi2_critical=good.chi2_critical,
        consistent=good.consistent,
        r_squared=good.r_squared,
        f_statistic=good.f_statistic if _has_constant(problem, found.q) else None,
        aicc=good.aicc,
        residuals=ys - value,
        leave_one_out=leave_one_out(seen, found.q, ys - value, weighted=weighted),
        parameter_dof=parameter_dof,
        common=shift,
        model=model,
        x_low=xs.min(axis=1),
        x_high=xs.max(axis=1),
        convergence=found.convergence,
    )


def _has_constant(problem: _Residuals, q: FloatArray) -> bool:
    """Whether a constant belongs to the curve, so that F about the mean has a meaning."""
    one = problem._white(np.ones(len(q)))  # noqa: SLF001  (of this module)
    rest = one - q @ (q.T @ one)
    return float(linalg.norm(rest)) < 1e-8 * float(linalg.norm(one))
