"""Distributions of what is tested, before the test.

A distribution is told by parameters as a person states them and keeps a canonical family with
place and scale. This module must not know limits, tests or risks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from calib.engine.errors import OutOfRange
from calib.engine.families import FAMILIES, Family
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray: TypeAlias = NDArray[np.float64]

_LEAST_SHAPE, _LARGEST_SHAPE = 0.2, 1e5
#: What each distribution is told by; names of `PRIORS` are those a process may have.
PRIORS: dict[str, tuple[str, ...]] = {
    "normal": ("mean", "u"),
    "uniform": ("low", "high"),
    "triangular": ("low", "mode", "high"),
    "arcsine": ("low", "high"),
    "t": ("mean", "scale", "dof"),
    "gamma": ("shape", "scale", "low"),
    "exponential": ("mean", "low"),
    "weibull": ("shape", "scale", "low"),
    "lognormal": ("median", "sigma", "low"),
    "beta": ("alpha", "beta", "low", "high"),
}
#: Where the support starts and ends unless said otherwise.
DEFAULTS: dict[str, dict[str, float]] = {
    "gamma": {"low": 0.0},
    "exponential": {"low": 0.0},
    "weibull": {"low": 0.0},
    "lognormal": {"low": 0.0},
    "beta": {"low": 0.0, "high": 1.0},
}


@dataclass(frozen=True, slots=True)
class Prior:
    """Distribution of the true values of one or many items, before the test.

    Attributes
    ----------
    family : str
        Key of the canonical family.
    place, scale : (n,) array
        Value = place + scale times the canonical value, unit of the values.
    a, b : (n,) array
        Shape parameters of the family, no unit.
    """

    family: str
    place: FloatArray
    scale: FloatArray
    a: FloatArray
    b: FloatArray

    @property
    def shape(self) -> Family:
        """The canonical family."""
        return FAMILIES[self.family]

    @property
    def mean(self) -> FloatArray:
        """Mean, NaN where there is none."""
        return self.place + self.scale * self.shape.mean(self.a, self.b)

    @property
    def sd(self) -> FloatArray:
        """Standard deviation, infinite where there is none."""
        return self.scale * self.shape.sd(self.a, self.b)

    def below(self, x: FloatArray) -> FloatArray:
        """Probability of a value below x."""
        return self.shape.below((x - self.place) / self.scale, self.a, self.b)

    def above(self, x: FloatArray) -> FloatArray:
        """Probability of a value above x."""
        return self.shape.above((x - self.place) / self.scale, self.a, self.b)

    def between(self, low: FloatArray, high: FloatArray) -> FloatArray:
        """Probability of a value between two others, from the smaller tails."""
        upper = self.above(low) < 0.5
        down = self.below(high) - self.below(low)
        up = self.above(low) - self.above(high)
        return np.where(low < high, np.maximum(np.where(upper, up, down), 0.0), 0.0)

    def take(self, chosen: NDArray[np.intp] | NDArray[np.bool_] | slice) -> Prior:
        """Give the prior of some of the items."""
        parts = (self.place, self.scale, self.a, self.b)
        return Prior(self.family, *(part[chosen] for part in parts))

    def spread_out(self, n: int) -> Prior:
        """Give the prior of n items, the same for each where it was of one."""
        parts = (self.place, self.scale, self.a, self.b)
        return Prior(self.family, *(np.broadcast_to(part, (n,)) for part in parts))


def make_prior(name: str, parameters: Mapping[str, ArrayLike]) -> Prior:
    """Make the distribution of a process from its parameters.

    Parameters
    ----------
    name : str
        One of `PRIORS`.
    parameters : mapping of str to float or (n,) array_like
        As listed in `PRIORS`, `low` and `high` of half-open and beta distributions optional.

    Returns
    -------
    Prior
        For one or many items.

    Raises
    ------
    OutOfRange
        Unknown name, missing, additional or impossible parameters.

    Notes
    -----
    Source: JCGM 106:2012 7 and annex B; definitions of the distributions.
    Checked against: tests/reference/risk.toml.
    Limits: shape parameters from 0.2 to 1e5.
    """
    given = _arrays(name, parameters)
    place, scale, a, b = _canonical(name, given)
    if not np.all(scale > 0):
        msg = f"The {name} distribution of the process needs a positive width."
        raise OutOfRange(msg, {"distribution": name})
    family = {"arcsine": "beta", "exponential": "gamma"}.get(name, name)
    parts = np.broadcast_arrays(place, scale, a, b)
    return Prior(family, *(np.asarray(part, dtype=np.float64) for part in parts))


def _arrays(name: str, parameters: Mapping[str, ArrayLike]) -> dict[str, FloatArray]:
    """Refuse unknown names and parameters; give arrays."""
    if name not in PRIORS:
        msg = f"Unknown distribution {name!r} of a process. Known are {', '.join(PRIORS)}."
        raise OutOfRange(msg, {"distribution": name})
    filled = {**DEFAULTS.get(name, {}), **parameters}
    if set(filled) != set(PRIORS[name]):
        wanted, got = ", ".join(PRIORS[name]), ", ".join(filled)
        msg = f"A {name} process is told by {wanted}; got {got or 'nothing'}."
        raise OutOfRange(msg, {"distribution": name})
    given = {key: np.atleast_1d(np.asarray(v, dtype=np.float64)) for key, v in filled.items()}
    require_finite(f"a {name} process", **given)
    for key in {"shape", "alpha", "beta", "dof", "sigma"} & set(given):
        least = 1.0 if key == "dof" else 1e-6 if key == "sigma" else _LEAST_SHAPE
        most = 10.0 if key == "sigma" else _LARGEST_SHAPE
        if np.any(given[key] < least) or np.any(given[key] > most):
            msg = f"{key} of a {name} process must be between {least:g} and {most:g}."
            raise OutOfRange(msg, {"distribution": name, "parameter": key})
    return given


def _canonical(name: str, p: Mapping[str, FloatArray]) -> tuple[FloatArray, ...]:
    """Give place, scale and shapes."""
    none = np.ones(1)
    if name == "normal":
        return p["mean"], p["u"], none, none
    if name == "t":
        return p["mean"], p["scale"], p["dof"], none
    if name == "lognormal":
        return p["low"], p["median"], p["sigma"], none
    if name == "exponential":
        return p["low"], p["mean"] - p["low"], none, none
    if name in ("gamma", "weibull"):
        return p["low"], p["scale"], p["shape"], none
    width = p["high"] - p["low"]
    if name == "beta":
        return p["low"], width, p["alpha"], p["beta"]
    if name == "arcsine":
        return p["low"], width, none / 2, none / 2
    if name == "uniform":
        return p["low"], width, none, none
    share = (p["mode"] - p["low"]) / np.where(width > 0, width, 1)
    if np.any(share < 0) or np.any(share > 1):
        msg = "The mode of a triangular process must lie between low and high."
        raise OutOfRange(msg, {"distribution": name})
    return p["low"], width, share, none
