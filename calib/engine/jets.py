"""Truncated Taylor arithmetic: derivatives up to the third order, exactly, on arrays.

A `Jet` is a polynomial in two small quantities e1, e2 with e1^2 = 0 and e2 cut off at a
chosen power. Adding e1 to x_i and e2 to x_j makes the coefficient of e1 e2^2 of the result
f_ijj/2, whatever the function. Leading array axis: coefficients; then any batch axes.
This module must not know where numbers come from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from calib.engine.errors import OutOfRange

if TYPE_CHECKING:
    from collections.abc import Callable

FloatArray: TypeAlias = NDArray[np.float64]


@cache
def _products(e2: int) -> tuple[tuple[int, int, int], ...]:
    """Give (left, right, target) places of all products that survive the truncation."""
    powers = [(a, b) for a in (0, 1) for b in range(e2 + 1)]
    return tuple(
        (i, j, powers.index((p[0] + q[0], p[1] + q[1])))
        for i, p in enumerate(powers)
        for j, q in enumerate(powers)
        if p[0] + q[0] <= 1 and p[1] + q[1] <= e2
    )


@dataclass(frozen=True, slots=True, eq=False)
class Jet:
    """Polynomial in e1 (to the first power) and e2 (to power `e2`).

    Attributes
    ----------
    c : array, first axis 2 (e2 + 1)
        Coefficients of 1, e2, e2^2, ..., e1, e1 e2, e1 e2^2, ...
    e2 : int
        Highest power of e2 kept: 0 gradient, 1 second, 2 third derivatives.
    """

    c: FloatArray
    e2: int

    @property
    def order(self) -> int:
        """Highest total power of the small quantities."""
        return 1 + self.e2

    def __neg__(self) -> Jet:
        return Jet(-self.c, self.e2)

    def plus(self, other: Number) -> Jet:
        """Add a jet or a constant array."""
        if isinstance(other, Jet):
            return Jet(self.c + other.c, self.e2)
        head = self.c[0] + other
        rest = np.broadcast_to(self.c[1:], (len(self.c) - 1, *head.shape))
        return Jet(np.concatenate([head[None], rest]), self.e2)

    def times(self, other: Number) -> Jet:
        """Multiply by a jet or a constant array."""
        if not isinstance(other, Jet):
            return Jet(self.c * other, self.e2)
        out = np.zeros((len(self.c), *np.broadcast_shapes(self.c.shape[1:], other.c.shape[1:])))
        for i, j, k in _products(self.e2):
            out[k] += self.c[i] * other.c[j]
        return Jet(out, self.e2)

    def compose(self, *taylor: FloatArray) -> Jet:
        """Put this jet into a function with derivatives `taylor` (0th, 1st, ...) at ``c[0]``."""
        step = self.c.copy()
        step[0] = 0.0
        small = Jet(step, self.e2)
        out = np.zeros_like(self.c)
        out[0] = taylor[0]
        power = small
        for n in range(1, self.order + 1):
            out = out + power.c * (taylor[n] / math.factorial(n))
            if n < self.order:
                power = power.times(small)
        return Jet(out, self.e2)


Number: TypeAlias = FloatArray | Jet
Derivatives: TypeAlias = tuple[FloatArray, ...]


def _exp(x: FloatArray, _n: int) -> Derivatives:
    e = np.exp(x)
    return e, e, e, e


def _sqrt(x: FloatArray, n: int) -> Derivatives:
    r = np.sqrt(x)
    if not n:
        return (r,)
    return r, 0.5 / r, -0.25 / (r * x), 0.375 / (r * x * x)


def _log(x: FloatArray, n: int) -> Derivatives:
    r = np.log(x)
    return (r, 1 / x, -1 / x**2, 2 / x**3) if n else (r,)


def _log10(x: FloatArray, n: int) -> Derivatives:
    r, q = np.log10(x), 1 / math.log(10)
    return (r, q / x, -q / x**2, 2 * q / x**3) if n else (r,)


def _sin(x: FloatArray, _n: int) -> Derivatives:
    s, c = np.sin(x), np.cos(x)
    return s, c, -s, -c


def _cos(x: FloatArray, _n: int) -> Derivatives:
    s, c = np.sin(x), np.cos(x)
    return c, -s, -c, s


def _tan(x: FloatArray, _n: int) -> Derivatives:
    t = np.tan(x)
    d = 1 + t * t
    return t, d, 2 * t * d, d * (2 + 6 * t * t)


def _asin(x: FloatArray, n: int) -> Derivatives:
    r = np.arcsin(x)
    if not n:
        return (r,)
    q = 1 / ((1 - x) * (1 + x))
    d = np.sqrt(q)
    return r, d, x * q * d, (1 + 2 * x * x) * q * q * d


def _acos(x: FloatArray, n: int) -> Derivatives:
    return (np.arccos(x), *(-d for d in _asin(x, n)[1:]))


def _atan(x: FloatArray, _n: int) -> Derivatives:
    q = 1 / (1 + x * x)
    return np.arctan(x), q, -2 * x * q * q, (6 * x * x - 2) * q**3


def _sinh(x: FloatArray, _n: int) -> Derivatives:
    s, c = np.sinh(x), np.cosh(x)
    return s, c, s, c


def _cosh(x: FloatArray, _n: int) -> Derivatives:
    s, c = np.sinh(x), np.cosh(x)
    return c, s, c, s


def _tanh(x: FloatArray, _n: int) -> Derivatives:
    t = np.tanh(x)
    e = np.exp(-2 * np.abs(x))  # 1 - t^2 without cancellation
    d = 4 * e / ((1 + e) * (1 + e))
    return t, d, -2 * t * d, d * (6 * t * t - 2)


def _abs(x: FloatArray, n: int) -> Derivatives:
    if not n:
        return (np.abs(x),)
    if np.any(x == 0):
        raise OutOfRange("abs has no derivative at 0. Avoid abs, or a value of exactly 0.")
    sign, zero = np.sign(x), np.zeros_like(x)
    return np.abs(x), sign, zero, zero


FUNCTIONS: dict[str, Callable[[Any, int], Derivatives]] = {
    "abs": _abs,
    "acos": _acos,
    "asin": _asin,
    "atan": _atan,
    "cos": _cos,
    "cosh": _cosh,
    "exp": _exp,
    "log": _log,
    "log10": _log10,
    "sin": _sin,
    "sinh": _sinh,
    "sqrt": _sqrt,
    "tan": _tan,
    "tanh": _tanh,
}


def apply(name: str, a: Number) -> Number:
    """Apply the function `name` to a constant array or a jet."""
    if isinstance(a, Jet):
        return a.compose(*FUNCTIONS[name](a.c[0], a.order))
    return FUNCTIONS[name](a, 0)[0]


def add(a: Number, b: Number) -> Number:
    """Add."""
    if isinstance(a, Jet):
        return a.plus(b)
    return b.plus(a) if isinstance(b, Jet) else a + b


def multiply(a: Number, b: Number) -> Number:
    """Multiply."""
    if isinstance(a, Jet):
        return a.times(b)
    return b.times(a) if isinstance(b, Jet) else a * b


def divide(a: Number, b: Number) -> Number:
    """Divide."""
    if isinstance(b, Jet):
        x = b.c[0]
        return multiply(b.compose(1 / x, -1 / x**2, 2 / x**3, -6 / x**4), a)
    return Jet(a.c / b, a.e2) if isinstance(a, Jet) else a / b


def power(a: Number, b: Number) -> Number:
    """Raise to a power; a variable exponent needs a positive base."""
    if isinstance(b, Jet):
        base = a.c[0] if isinstance(a, Jet) else a
        if np.any(base <= 0):
            raise OutOfRange("A power with an uncertain exponent needs a positive base.")
        return apply("exp", multiply(apply("log", a), b))
    if not isinstance(a, Jet):
        return np.power(a, b)
    x, taylor, factor = a.c[0], [np.power(a.c[0], b)], np.ones_like(a.c[0] * b)
    for n in range(a.order):
        factor = factor * (b - n)
        alive = factor != 0
        exponent = np.where(alive, b - n - 1, 0.0)
        taylor.append(np.where(alive, factor * np.power(x, exponent), 0.0))
    return a.compose(*taylor)


def atan2(a: Number, b: Number) -> Number:
    """Angle of the point (b, a), radians."""
    if not isinstance(a, Jet) and not isinstance(b, Jet):
        return np.arctan2(a, b)
    y = a.c[0] if isinstance(a, Jet) else a
    x = b.c[0] if isinstance(b, Jet) else b
    r = np.hypot(x, y)
    if np.any(r == 0):
        raise OutOfRange("atan2 has no derivative at (0, 0).")
    x, y = x / r, y / r
    across = add(multiply(a, x), multiply(b, -y))
    along = add(multiply(a, y), multiply(b, x))
    return add(apply("atan", divide(across, along)), np.arctan2(y, x))
