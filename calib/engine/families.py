"""Families of distributions in canonical form: densities, tails, and where to cut an integral.

Place 0, scale 1, at most two shape parameters, vectorised over items. Densities take the distances
to both ends of the support, so that a density that is infinite at an end is evaluated without
cancellation. This module must not know what the distributions are of.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray: TypeAlias = NDArray[np.float64]
    Density = Callable[[FloatArray, FloatArray, FloatArray, FloatArray], FloatArray]
    Tail = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
    Figure = Callable[[FloatArray, FloatArray], FloatArray]
    Figures = Callable[[FloatArray, FloatArray], list[FloatArray]]

_STEPS = (-32.0, -16.0, -8.0, -4.0, -2.0, 0.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
#: s^5 at an end whose density goes like distance^(shape - 1).
_SMOOTH = 6.0


@dataclass(frozen=True, slots=True)
class Family:
    """One canonical distribution.

    Attributes
    ----------
    low, high : float
        Ends of the support.
    density : callable
        Of the distances to both ends (the value itself where an end is infinite) and two shapes.
    below, above : callable
        Probabilities on either side of a value, each with full relative precision.
    mean, sd : callable
        Of the shapes; infinite or NaN where the distribution has none.
    marks : callable
        Values between which the density is smooth enough for one quadrature rule.
    kinks : callable
        Values at which the density is not smooth.
    ends : callable
        Power by which the distance to either end must be stretched.
    """

    low: float
    high: float
    density: Density
    below: Tail
    above: Tail
    mean: Figure
    sd: Figure
    marks: Figures
    kinks: Figures = lambda _a, _b: []
    ends: Figures = lambda a, _b: [np.ones_like(a), np.ones_like(a)]


def _power(shape: FloatArray) -> FloatArray:
    return np.maximum(1.0, np.ceil(_SMOOTH / shape))


def _constant(number: float) -> Figure:
    return lambda a, _b: np.full_like(a, number)


def _steps(mean: Figure, sd: Figure) -> Figures:
    return lambda a, b: [mean(a, b) + step * sd(a, b) for step in _STEPS]


# ------------------------------------------------------------------------- triangular on 0 to 1


def _triangular(d: FloatArray, e: FloatArray, c: FloatArray, _b: FloatArray) -> FloatArray:
    rising = d <= c
    return 2 * np.where(rising, d, e) / np.where(rising, np.maximum(c, 1e-300), 1 - c)


def _triangular_below(z: FloatArray, c: FloatArray, _b: FloatArray) -> FloatArray:
    z = np.clip(z, 0, 1)
    rising = z * z / np.maximum(c, 1e-300)
    falling = 1 - (1 - z) ** 2 / np.maximum(1 - c, 1e-300)
    return np.where(z <= c, np.minimum(rising, 1), falling)


def _triangular_above(z: FloatArray, c: FloatArray, b: FloatArray) -> FloatArray:
    return _triangular_below(1 - z, 1 - c, b)


# --------------------------------------------------------------------------------- other shapes


def _gamma(d: FloatArray, _e: FloatArray, k: FloatArray, _b: FloatArray) -> FloatArray:
    return np.exp(special.xlogy(k - 1, d) - d - special.gammaln(k))


def _weibull(d: FloatArray, _e: FloatArray, k: FloatArray, _b: FloatArray) -> FloatArray:
    return k * np.exp(special.xlogy(k - 1, d) - d**k)


def _weibull_mean(k: FloatArray, _b: FloatArray) -> FloatArray:
    return special.gamma(1 + 1 / k)


def _weibull_sd(k: FloatArray, b: FloatArray) -> FloatArray:
    mean = _weibull_mean(k, b)
    return mean * np.sqrt(np.expm1(special.gammaln(1 + 2 / k) - 2 * special.gammaln(1 + 1 / k)))


def _lognormal(d: FloatArray, _e: FloatArray, s: FloatArray, _b: FloatArray) -> FloatArray:
    log = np.log(np.maximum(d, 1e-300))
    return np.exp(-0.5 * (log / s) ** 2 - log) / (s * math.sqrt(2 * math.pi))


def _lognormal_z(z: FloatArray, s: FloatArray) -> FloatArray:
    return np.log(np.maximum(z, 1e-300)) / s


def _lognormal_sd(s: FloatArray, _b: FloatArray) -> FloatArray:
    return np.exp(s * s / 2) * np.sqrt(np.expm1(s * s))


def _beta(d: FloatArray, e: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    return np.exp(special.xlogy(a - 1, d) + special.xlogy(b - 1, e) - special.betaln(a, b))


def _beta_mean(a: FloatArray, b: FloatArray) -> FloatArray:
    return a / (a + b)


def _beta_sd(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.sqrt(a * b / (a + b + 1)) / (a + b)


def _t(z: FloatArray, _e: FloatArray, nu: FloatArray, _b: FloatArray) -> FloatArray:
    top = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2)
    return np.exp(top - (nu + 1) / 2 * np.log1p(z * z / nu)) / np.sqrt(nu * math.pi)


def _t_sd(nu: FloatArray, _b: FloatArray) -> FloatArray:
    return np.where(nu > 2, np.sqrt(nu / np.maximum(nu - 2, 1e-300)), np.inf)


def _doubling(a: FloatArray, _b: FloatArray) -> list[FloatArray]:
    steps = [0.0, 1.0] + [2.0**i for i in range(1, 12)]
    return [np.full_like(a, sign * step) for step in steps for sign in (-1, 1)]


def _ndtr(z: FloatArray) -> FloatArray:
    return np.asarray(special.ndtr(z), dtype=np.float64)


_ZERO, _ONE = _constant(0.0), _constant(1.0)
FAMILIES: dict[str, Family] = {
    "normal": Family(
        -math.inf,
        math.inf,
        lambda z, _e, _a, _b: np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi),
        lambda z, _a, _b: _ndtr(z),
        lambda z, _a, _b: _ndtr(-z),
        _ZERO,
        _ONE,
        _steps(_ZERO, _ONE),
    ),
    "uniform": Family(
        0.0,
        1.0,
        lambda d, _e, _a, _b: np.ones_like(d),
        lambda z, _a, _b: np.clip(z, 0, 1),
        lambda z, _a, _b: np.clip(1 - z, 0, 1),
        _constant(0.5),
        _constant(1 / math.sqrt(12)),
        lambda a, _b: [np.full_like(a, 0.5)],
    ),
    "triangular": Family(
        0.0,
        1.0,
        _triangular,
        _triangular_below,
        _triangular_above,
        lambda c, _b: (1 + c) / 3,
        lambda c, _b: np.sqrt((1 - c + c * c) / 18),
        lambda c, _b: [c],
        kinks=lambda c, _b: [c],
    ),
    "gamma": Family(
        0.0,
        math.inf,
        _gamma,
        lambda z, k, _b: special.gammainc(k, np.maximum(z, 0)),
        lambda z, k, _b: special.gammaincc(k, np.maximum(z, 0)),
        lambda k, _b: k,
        lambda k, _b: np.sqrt(k),
        _steps(lambda k, _b: k, lambda k, _b: np.sqrt(k)),
        ends=lambda k, _b: [_power(k), np.ones_like(k)],
    ),
    "weibull": Family(
        0.0,
        math.inf,
        _weibull,
        lambda z, k, _b: -np.expm1(-(np.maximum(z, 0) ** k)),
        lambda z, k, _b: np.exp(-(np.maximum(z, 0) ** k)),
        _weibull_mean,
        _weibull_sd,
        _steps(_weibull_mean, _weibull_sd),
        ends=lambda k, _b: [_power(k), np.ones_like(k)],
    ),
    "lognormal": Family(
        0.0,
        math.inf,
        _lognormal,
        lambda z, s, _b: _ndtr(_lognormal_z(z, s)),
        lambda z, s, _b: _ndtr(-_lognormal_z(z, s)),
        lambda s, _b: np.exp(s * s / 2),
        _lognormal_sd,
        lambda s, _b: [np.exp(s * i) for i in range(-12, 13)],
    ),
    "beta": Family(
        0.0,
        1.0,
        _beta,
        lambda z, a, b: np.asarray(special.betainc(a, b, np.clip(z, 0, 1)), np.float64),
        lambda z, a, b: np.asarray(special.betaincc(a, b, np.clip(z, 0, 1)), np.float64),
        _beta_mean,
        _beta_sd,
        _steps(_beta_mean, _beta_sd),
        ends=lambda a, b: [_power(a), _power(b)],
    ),
    "t": Family(
        -math.inf,
        math.inf,
        _t,
        lambda z, nu, _b: special.stdtr(nu, z),
        lambda z, nu, _b: special.stdtr(nu, -z),
        lambda nu, _b: np.where(nu > 1, 0.0, np.nan),
        _t_sd,
        _doubling,
    ),
}
