"""Down to the minimum of a sum of squares, from starting values far or near.

Levenberg-Marquardt steps with scaled columns and geodesic acceleration, then Newton steps to the
last digit. It is told whether a minimum was reached; where the direct way does not arrive the
logarithms of the parameters are tried. This module must not know data or models.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from calib.engine.errors import EngineError, NotConverged, OutOfRange, SingularFit
from calib.engine.fit_types import Convergence
from calib.engine.observations import solve_triangular

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    Point = tuple[FloatArray, FloatArray]

MAX_STEPS = 600
MAX_NEWTON = 40
_SINGULAR = 1e-13
_STILL = 1e-11
_DAMPING = 1e-3
_PROBE = 0.1
_BEND = 0.75
_ENOUGH = 1e-6
_ROUNDING = 1e-13
_FLAT = 1e-9


class Residuals(Protocol):
    """Whitened residuals as a function of the parameters."""

    @property
    def scale(self) -> float:
        """Size of the whitened observations."""

    @property
    def known(self) -> bool:
        """Whether the residuals are in units of stated uncertainties."""

    def at(self, c: FloatArray) -> Point:
        """Give residuals (n,) and the derivatives (n, p) of what is subtracted.

        Raises
        ------
        OutOfRange
            There is no finite value at these parameters.
        """

    def only(self, c: FloatArray) -> FloatArray:
        """Give the residuals alone; raises as `at`."""

    def bend(self, c: FloatArray, rest: FloatArray) -> FloatArray:
        """Give the second derivatives (p, p) of what is subtracted, times the residuals.

        Raises
        ------
        OutOfRange
            The curve has no second derivative at some point.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Minimum:
    """Where the sum of squares is least.

    Attributes
    ----------
    parameters : (p,) array
        There.
    rest : (n,) array
        Whitened residuals.
    inverse, q : (p, p), (n, p) array
        Inverse of R and Q of the QR decomposition of the derivatives.
    convergence : Convergence
        How it was reached.
    """

    parameters: FloatArray
    rest: FloatArray
    inverse: FloatArray
    q: FloatArray
    convergence: Convergence


def descend(problem: Residuals, start: FloatArray) -> Minimum:
    """Go down from `start`.

    Raises
    ------
    OutOfRange
        There is no finite value at the starting values.
    SingularFit
        The data do not determine the parameters.
    NotConverged
        No minimum was reached.
    """
    problem.at(start)
    try:
        return _settle(problem, *_walk(problem, start), "direct")
    except (NotConverged, SingularFit) as refused:
        if np.any(start == 0):
            raise
        cause = refused
    way = _Logarithms(problem, np.sign(start))
    try:
        p, steps = _walk(way, np.log(np.abs(start)))
        return _settle(problem, way.outward(p), steps, "logarithmic")
    except (NotConverged, SingularFit):
        raise cause from None


@dataclass(frozen=True, slots=True, eq=False)
class _Logarithms:
    """The same residuals over the logarithms of the parameters."""

    inner: Residuals
    sign: FloatArray

    def outward(self, p: FloatArray) -> FloatArray:
        with np.errstate(over="ignore"):
            c = self.sign * np.exp(p)
        if not np.all(np.isfinite(c)):
            raise OutOfRange("A parameter grows beyond all numbers.")
        return c

    def at(self, p: FloatArray) -> Point:
        c = self.outward(p)
        rest, jacobian = self.inner.at(c)
        return rest, jacobian * c

    def only(self, p: FloatArray) -> FloatArray:
        return self.inner.only(self.outward(p))


def _length(column: FloatArray) -> FloatArray:
    """Lengths of columns, 1 for a column of zeros."""
    size = np.linalg.norm(column, axis=0)
    return np.where(size > 0, size, 1.0)


def _walk(way: Residuals | _Logarithms, c: FloatArray) -> tuple[FloatArray, int]:
    """Levenberg-Marquardt until the steps are small; the damping follows the gain."""
    rest, jacobian = way.at(c)
    scale, now = _length(jacobian), float(rest @ rest)
    damping, growth, taken = _DAMPING, 2.0, 0
    for _ in range(MAX_STEPS):
        step, gain = _step(way, c, (rest, jacobian), scale, damping)
        moved = float(np.max(np.abs(step) / np.maximum(np.abs(c), 1e-300)))
        new = None if gain is None else _try(way, c + step)
        if new is None or not (after := float(new[0] @ new[0])) <= now:
            if moved < _STILL * 1e-4 or damping > 1e30:
                break
            damping, growth = damping * growth, growth * 2
            continue
        won = (now - after) / gain if gain else 1.0
        c, (rest, jacobian), now = c + step, new, after
        taken += 1
        scale = np.maximum(scale, _length(jacobian))
        damping = max(damping * max(1 / 3, 1 - (2 * won - 1) ** 3), 1e-18)
        growth = 2.0
        if moved < _STILL or now == 0:
            break
    return c, taken


def _try(way: Residuals | _Logarithms, c: FloatArray) -> Point | None:
    """Evaluate, or find that there is no value."""
    try:
        rest, jacobian = way.at(c)
        with np.errstate(over="raise"):
            float(rest @ rest)
    except (OutOfRange, FloatingPointError):
        return None
    return rest, jacobian


def _step(
    way: Residuals | _Logarithms, c: FloatArray, here: Point, scale: FloatArray, damping: float
) -> tuple[FloatArray, float | None]:
    """Damped step with its foreseen gain; no gain where the path bends too much."""
    rest, jacobian = here
    n, p = jacobian.shape
    full = np.vstack([jacobian / scale, math.sqrt(damping) * np.eye(p)])
    q, r = np.linalg.qr(full)
    back = solve_triangular(r, q[:n].T)
    v = np.asarray(back @ rest)
    gain: float | None = float(v @ ((jacobian / scale).T @ rest) + damping * (v @ v))
    step = v / scale
    try:
        probe = way.only(c + _PROBE * step)
    except OutOfRange:
        return step, gain
    bent = 2 / _PROBE * ((rest - probe) / _PROBE - jacobian @ step)
    turn = -np.asarray(back @ bent)
    if 2 * np.linalg.norm(turn) > _BEND * np.linalg.norm(v):
        gain = None
    return (v + turn / 2) / scale, gain


def _settle(problem: Residuals, c: FloatArray, steps: int, path: str) -> Minimum:
    """Newton steps as long as they grow smaller, to the last digit."""
    found, step, size = _newton(problem, c, steps, path)
    for k in range(1, MAX_NEWTON):
        if size == 0:
            break
        try:
            after = _newton(problem, found.parameters + step, steps + k, path)
        except EngineError:
            break
        if not after[2] < size / 2:
            break
        found, step, size = after
    s = math.sqrt(float(found.rest @ found.rest) / max(len(found.rest) - len(c), 1))
    if size > max(_ENOUGH * s, _ROUNDING * problem.scale):
        msg = (
            "The fit does not settle at a minimum from these starting values. Give others nearer"
            " to the result, or a function with fewer parameters."
        )
        raise NotConverged(msg, {"parameters": [float(v) for v in found.parameters]})
    return found


def _bowl(
    problem: Residuals, c: FloatArray, rest: FloatArray, inverse: FloatArray
) -> tuple[FloatArray, float | None]:
    """Second derivatives relative to the linearised problem, and the least curvature.

    Where the curve has no second derivative (x^b at x = 0) the linearised problem stands alone.
    """
    unity = np.eye(len(c))
    try:
        bent = inverse.T @ problem.bend(c, rest) @ inverse
    except OutOfRange:
        return unity, None
    bowl = unity - (bent + bent.T) / 2
    return bowl, float(np.linalg.eigvalsh(bowl)[0])


def _newton(
    problem: Residuals, c: FloatArray, steps: int, path: str
) -> tuple[Minimum, FloatArray, float]:
    """Give all that is known at some parameters, the Newton step from there and its size."""
    rest, jacobian = problem.at(c)
    n, p = jacobian.shape
    scale = _length(jacobian)
    factors = np.linalg.qr(jacobian / scale)
    q, r = np.asarray(factors[0], dtype=np.float64), np.asarray(factors[1])
    d = np.abs(np.diag(r))
    if not np.all(d > _SINGULAR * d.max()):
        raise SingularFit(
            "The points do not determine all parameters. Use more different points, or a"
            " function with fewer parameters.",
            {"parameters": [float(v) for v in c]},
        )
    inverse = solve_triangular(r, np.eye(p)) / scale[:, None]
    bowl, least = _bowl(problem, c, rest, inverse)
    if least is not None and least <= _FLAT:
        raise NotConverged("The sum of squares has no minimum here. Give other starting values.")
    t = np.linalg.solve(bowl, q.T @ rest)
    size = float(np.linalg.norm(t))
    free = n > p and not problem.known
    s = math.sqrt(float(rest @ rest) / (n - p)) if free else float(problem.known)
    found = Minimum(
        parameters=c,
        rest=rest,
        inverse=inverse,
        q=q,
        convergence=Convergence(steps, size / s if s else 0.0, least, path),
    )
    return found, np.asarray(inverse @ t), size
