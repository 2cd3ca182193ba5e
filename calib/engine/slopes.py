"""What each operation of the language does, and how it changes with each of its arguments.

Closures over numbered slots, for plain floats and for arrays alike; only the table of
functions differs. This module must not know programs or inputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from calib.engine.errors import OutOfRange

Slots = list[Any]
Forward = Callable[[Slots], None]
Slope = Callable[[Slots], Any]
_LN10 = math.log(10)


def _sign(x: float) -> float:
    if x == 0:
        raise OutOfRange("abs has no derivative at 0. Avoid abs, or a value of exactly 0.")
    return math.copysign(1.0, x)


def _signs(x: Any) -> Any:
    if np.any(x == 0):
        raise OutOfRange("abs has no derivative at 0. Avoid abs, or a value of exactly 0.")
    return np.sign(x)


def _lowered(x: float, b: float) -> float:
    """Slope of x^b by x; 0 for b = 0, also at x = 0."""
    return b * math.pow(x, b - 1) if b else 0.0


def _lowered_all(x: Any, b: Any) -> Any:
    return b * np.power(x, np.where(b == 0, 0.0, b - 1))


def _exponent(x: float, power: float) -> float:
    """Slope of x^b by b."""
    if x <= 0:
        raise OutOfRange("A power with an uncertain exponent needs a positive base.")
    return power * math.log(x)


def _exponents(x: Any, power: Any) -> Any:
    if np.any(x <= 0):
        raise OutOfRange("A power with an uncertain exponent needs a positive base.")
    return power * np.log(x)


def _turn(along: Any, r: Any) -> Any:
    """Slope of an angle by one coordinate; `along` is the other one."""
    if np.any(r == 0):
        raise OutOfRange("atan2 has no derivative at (0, 0).")
    return along / r / r


FLOATS: Mapping[str, Any] = MappingProxyType({
    **{name: getattr(math, name) for name in (
        "acos", "asin", "atan", "atan2", "cos", "cosh", "exp", "hypot", "log", "log10", "sin",
        "sinh", "sqrt", "tan", "tanh",
    )},
    "abs": abs, "^": math.pow, "sign": _sign, "lowered": _lowered, "exponent": _exponent,
})  # fmt: skip
"""Functions on plain floats."""
ARRAYS: Mapping[str, Any] = MappingProxyType({
    **{name: getattr(np, name) for name in (
        "cos", "cosh", "exp", "hypot", "log", "log10", "sin", "sinh", "sqrt", "tan", "tanh",
    )},
    "acos": np.arccos, "asin": np.arcsin, "atan": np.arctan, "atan2": np.arctan2,
    "abs": np.abs, "^": np.power, "sign": _signs, "lowered": _lowered_all, "exponent": _exponents,
})  # fmt: skip
"""Functions on arrays."""


def forward_of(op: str, places: tuple[int, ...], k: int, functions: Mapping[str, Any]) -> Forward:
    """Make the closure that fills slot `k` with the result of one operation."""
    a, b = places[0], places[-1]

    def negate(v: Slots) -> None:
        v[k] = -v[a]

    def plus(v: Slots) -> None:
        v[k] = v[a] + v[b]

    def minus(v: Slots) -> None:
        v[k] = v[a] - v[b]

    def times(v: Slots) -> None:
        v[k] = v[a] * v[b]

    def divide(v: Slots) -> None:
        v[k] = v[a] / v[b]

    table: dict[str, Forward] = {
        "neg": negate, "+": plus, "-": minus, "*": times, "/": divide,
    }  # fmt: skip
    if op in table:
        return table[op]
    f = functions[op]

    def one(v: Slots) -> None:
        v[k] = f(v[a])

    def two(v: Slots) -> None:
        v[k] = f(v[a], v[b])

    return one if len(places) == 1 else two


def slope_of(
    op: str, which: int, places: tuple[int, ...], k: int, functions: Mapping[str, Any]
) -> Slope:
    """Make the closure of d(result)/d(argument `which`) of one operation.

    Parameters
    ----------
    op : str
        Operation or function of the language that bends.
    which : int
        Argument, from 0.
    places : tuple of int
        Slots of the arguments.
    k : int
        Slot of the result.
    functions : mapping
        `FLOATS` or `ARRAYS`.

    Returns
    -------
    callable
        From slots to the slope there.

    Notes
    -----
    Source: rules of differentiation.
    Checked against: tests/reference/expressions.toml.
    Limits: refuses points where no derivative exists.
    """
    if len(places) == 1:
        return _of_function(op, places[0], k, functions)
    a, b = places
    if op == "*":
        other = places[1 - which]
        return lambda v: v[other]
    if op == "/":
        return (lambda v: -v[k] / v[b]) if which else (lambda v: 1.0 / v[b])
    if op == "^":
        f = functions["exponent" if which else "lowered"]
        return (lambda v: f(v[a], v[k])) if which else (lambda v: f(v[a], v[b]))
    hypot = functions["hypot"]
    if which:
        return lambda v: -_turn(v[a], hypot(v[a], v[b]))
    return lambda v: _turn(v[b], hypot(v[a], v[b]))


def _of_function(op: str, a: int, k: int, functions: Mapping[str, Any]) -> Slope:
    """Slopes of the functions of one argument, many of them by their own value."""
    exp, sqrt = functions["exp"], functions["sqrt"]
    cos, sin, sign = functions["cos"], functions["sin"], functions["sign"]
    cosh, sinh = functions["cosh"], functions["sinh"]

    def bell(v: Slots) -> Any:
        e = exp(-2.0 * abs(v[a]))
        return 4.0 * e / ((1.0 + e) * (1.0 + e))

    table: dict[str, Slope] = {
        "exp": lambda v: v[k],
        "sqrt": lambda v: 0.5 / v[k],
        "log": lambda v: 1.0 / v[a],
        "log10": lambda v: 1.0 / (v[a] * _LN10),
        "sin": lambda v: cos(v[a]),
        "cos": lambda v: -sin(v[a]),
        "tan": lambda v: 1.0 + v[k] * v[k],
        "asin": lambda v: 1.0 / sqrt((1.0 - v[a]) * (1.0 + v[a])),
        "acos": lambda v: -1.0 / sqrt((1.0 - v[a]) * (1.0 + v[a])),
        "atan": lambda v: 1.0 / (1.0 + v[a] * v[a]),
        "sinh": lambda v: cosh(v[a]),
        "cosh": lambda v: sinh(v[a]),
        "tanh": bell,
        "abs": lambda v: sign(v[a]),
    }
    return table[op]
