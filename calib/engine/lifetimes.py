"""Reliability models: the share still in tolerance against the time since calibration.

Each is a curve of the logarithms of its parameters, so that these stay positive. This module must
not know counts, nor how parameters are found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

# Models work on complex parameters too: their derivatives are complex steps.
Curve = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class Model:
    """A reliability model.

    Attributes
    ----------
    names : tuple of str
        Parameters, all positive.
    curve : callable
        Reliability from logarithms of the parameters and times in units of the longest.
    powers : tuple of int
        Power of the unit of time in each parameter.
    starts : tuple of tuple of float
        Where the climb begins (parameters in that unit).
    """

    names: tuple[str, ...]
    curve: Curve
    powers: tuple[int, ...]
    starts: tuple[tuple[float, ...], ...]


def _exponential(p: Any, t: Any) -> Any:
    return np.exp(-np.exp(p[0]) * t)


def _weibull(p: Any, t: Any) -> Any:
    return np.exp(-np.exp((p[0] + np.log(t)) * np.exp(p[1])))


def _lognormal(p: Any, t: Any) -> Any:
    return special.ndtr(-(p[0] + np.log(t)) * np.exp(-p[1]))


def _random_walk(p: Any, t: Any) -> Any:
    return special.erf(1 / np.sqrt(np.exp(p[0]) + np.exp(p[1]) * t))


def _restricted_walk(p: Any, t: Any) -> Any:
    spread = np.exp(p[0]) + np.exp(p[1]) * (1 - np.exp(-np.exp(p[2]) * t))
    return special.erf(1 / np.sqrt(spread))


def _mixed_exponential(p: Any, t: Any) -> Any:
    return (1 + np.exp(p[0]) * t) ** (-np.exp(p[1]))


def _modified_gamma(p: Any, t: Any) -> Any:
    x = np.exp(p[0]) * t
    return np.exp(-x) * (1 + x + x**2 / 2 + x**3 / 6)


def _mortality_drift(p: Any, t: Any) -> Any:
    return np.exp(-(np.exp(p[0]) * t + np.exp(p[1]) * t**2))


def _warranty(p: Any, t: Any) -> Any:
    return 1 / (1 + np.exp(np.exp(p[0]) * (t - np.exp(p[1]))))


def _drift(p: Any, t: Any) -> Any:
    a, b, c = np.exp(p[0]), np.exp(p[1]), np.exp(p[2])
    return special.ndtr(a + c * t) - special.ndtr(c * t - b)


_ONE = ((0.02,), (0.2,), (1.0,), (4.0,))
_TWO = tuple((a, b) for a in (0.1, 1.0) for b in (0.5, 2.0))
MODELS: dict[str, Model] = {
    "exponential": Model(("a",), _exponential, (-1,), _ONE),
    "weibull": Model(("a", "b"), _weibull, (-1, 0), _TWO),
    "lognormal": Model(("a", "b"), _lognormal, (-1, 0), _TWO),
    "random_walk": Model(("a", "b"), _random_walk, (0, -1), _TWO),
    "restricted_walk": Model(
        ("a", "b", "c"), _restricted_walk, (0, 0, -1), tuple((*s, 2) for s in _TWO)
    ),
    "mixed_exponential": Model(("a", "b"), _mixed_exponential, (-1, 0), _TWO),
    "modified_gamma": Model(("a",), _modified_gamma, (-1,), _ONE),
    "mortality_drift": Model(("a", "b"), _mortality_drift, (-1, -2), _TWO),
    "warranty": Model(
        ("a", "b"), _warranty, (-1, 1), tuple((a, b) for a in (2, 8) for b in (1, 3))
    ),
    "drift": Model(("a", "b", "c"), _drift, (0, 0, -1), ((2, 2, 1), (2, 3, 2), (1, 4, 4))),
}
"""All models by name."""
