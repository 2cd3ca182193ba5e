"""What every thermometer function gives back, and the checks and the iteration they share.

This module must not know any thermometer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calib.engine.errors import NotConverged, OutOfRange
from calib.engine.types import require_finite

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
Slope: TypeAlias = tuple[FloatArray, FloatArray]
"""Values of a function and its derivative."""

ZERO_CELSIUS = 273.15
"""0 degC in kelvin, by definition."""
_STEPS = 60
_ROUNDING = 2e-15
_CLOSE = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Values of a thermometer function with their derivatives.

    Attributes
    ----------
    values : (n,) array
        Values of the function.
    sensitivity : (n,) array
        Derivative of the values with respect to the main argument.
    extrapolated : (n,) array of bool
        Which values lie outside the range the function is stated for.
    aside : mapping of str to (n,) array
        Derivatives with respect to further arguments, by name.
    """

    values: FloatArray
    sensitivity: FloatArray
    extrapolated: BoolArray
    aside: Mapping[str, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_finite("a thermometer", values=self.values, sensitivity=self.sensitivity)
        require_finite("a thermometer", **self.aside)


def vector(name: str, numbers: ArrayLike) -> FloatArray:
    """Give numbers as an array of at least one axis, all of them finite.

    Raises
    ------
    OutOfRange
        NaN or infinity.
    """
    x = np.atleast_1d(np.asarray(numbers, dtype=np.float64))
    require(np.isfinite(x), name, x, "is not a finite number.")
    return x


def require(good: BoolArray, name: str, x: FloatArray, said: str) -> None:
    """Refuse the first number that is not good, naming it and its place.

    Raises
    ------
    OutOfRange
        Any is not good; the facts hold the place as ``index``.
    """
    if not good.all():
        index = int(np.argmin(good))
        value = float(x.flat[index])
        msg = f"{name} = {value:.10g} {said}"
        raise OutOfRange(msg, {"name": name, "index": index, "value": value})


def polynomial(c: Sequence[float], x: FloatArray) -> Slope:
    """Polynomial with coefficients c_0, c_1, ... and its derivative."""
    value, slope = np.full_like(x, c[-1]), np.zeros_like(x)
    for a in reversed(c[:-1]):
        slope = slope * x + value
        value = value * x + a
    return value, slope


def outside(x: FloatArray, low: float, high: float, slack: float = 0.0) -> BoolArray:
    """Tell which numbers lie outside a range by more than a slack."""
    return ~((x >= low - slack) & (x <= high + slack))


def solve(curve: Callable[[FloatArray], Slope], y: FloatArray, start: FloatArray) -> FloatArray:
    """Solve curve(x) = y by Newton's method, to the last digit that rounding leaves.

    Raises
    ------
    NotConverged
        The steps do not become small.
    """
    x, last = start, np.inf
    with np.errstate(all="ignore"):
        for _ in range(_STEPS):
            value, slope = curve(x)
            step = (y - value) / slope
            x = x + step
            size = float(np.max(np.abs(step) / (1 + np.abs(x)), initial=0.0))
            # at the end steps are rounding alone and no longer shrink
            if size <= _ROUNDING or last / 2 <= size < _CLOSE:
                return x
            last = size
    raise NotConverged("The inverse of the curve was not found. Check the coefficients.")
