"""Units checked on the steps of a measurement function: what may be added, what a root takes.

Numbers are never converted here. A unit is a factor and the powers of the seven base quantities;
a scale with a zero of its own (degC) is followed through sums, so that a product with it, which
would depend on that zero, is refused. This module must not know names of units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from calib.engine.errors import BadExpression

if TYPE_CHECKING:
    from collections.abc import Mapping

    from calib.engine.expression import Expression

BASE = ("m", "kg", "s", "A", "K", "mol", "cd")
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit, or what a step of an expression comes out in.

    Attributes
    ----------
    symbol : str
        As written; empty for a number without unit.
    factor : float
        Size in coherent SI units.
    powers : tuple of float
        Powers of `BASE`.
    zeros : float
        How many times the zero of its scale is in it: 1 for degC, 0 for a difference.
    number : float or None
        Value of a constant.
    """

    symbol: str = ""
    factor: float = 1.0
    powers: tuple[float, ...] = (0.0,) * len(BASE)
    zeros: float = 0.0
    number: float | None = None

    def __str__(self) -> str:
        return self.symbol or "1"

    def agrees(self, other: Unit) -> bool:
        """Whether both have the same factor and powers; scales may differ in their zero."""
        return self.powers == other.powers and math.isclose(
            self.factor, other.factor, rel_tol=_SAME
        )


ONE = Unit()


def _made(factor: float, powers: tuple[float, ...]) -> Unit:
    """Make a unit that came out of products; a size beyond double precision is an overflow."""
    if not 0 < factor < math.inf:
        raise OverflowError
    return Unit(spelled(factor, powers), factor, powers)


def spelled(factor: float, powers: tuple[float, ...]) -> str:
    """Spell a unit by its base units, as in ``0.001 m2 kg s-3 A-1``.

    Notes
    -----
    Source: SI brochure (9th edition) 5.2.
    Checked against: tests/reference/expressions.toml.
    Limits: none.
    """
    words = [f"{n}{p:g}" if p != 1 else n for n, p in zip(BASE, powers, strict=True) if p]
    return " ".join([f"{factor:.10g}"] * (factor != 1) + words)


def unit_of(expression: Expression, units: Mapping[str, Unit]) -> Unit:
    """Find the unit of a measurement function.

    Parameters
    ----------
    expression : Expression
        A measurement function that has been read.
    units : mapping of str to Unit
        Units of the inputs; those not named are numbers without unit.

    Returns
    -------
    Unit
        What the result comes out in when the numbers are taken as they are.

    Raises
    ------
    BadExpression
        Two quantities are added that cannot be, or a function takes one it cannot.

    Notes
    -----
    Source: SI brochure (9th edition) 5.4.
    Checked against: tests/reference/expressions.toml.
    Limits: a number in the text has no unit; a constant with a unit is an exact input.
    """
    done: list[Unit] = []
    try:
        for op, args, leaf in expression.steps:
            done.append(_step(op, [done[a] for a in args], leaf, units))
    except ArithmeticError as cause:
        msg = "A constant power or factor is too large to follow the units."
        raise BadExpression(msg) from cause
    return done[-1]


def require_unit(name: str, found: Unit, wanted: Unit) -> None:
    """Refuse a result that does not come out in the wanted unit.

    Raises
    ------
    BadExpression
        Another dimension or size, or temperatures of a scale summed up.

    Notes
    -----
    Source: SI brochure (9th edition) 5.4; 2.3.1 (Celsius temperature).
    Checked against: tests/reference/expressions.toml.
    Limits: a result in degC may be a temperature or a difference.
    """
    facts: dict[str, object] = {"output": name, "found": str(found), "wanted": str(wanted)}
    if not found.agrees(wanted):
        msg = f"{name} comes out in {found}, not in {wanted}. State inputs and output to match."
        raise BadExpression(msg, facts)
    if not any(abs(found.zeros - z) < _SAME for z in (0.0, wanted.zeros)):
        msg = (
            f"{name} adds up {found.zeros:g} times the zero of a scale ({found}). Give"
            " corrections and differences of temperature in K."
        )
        raise BadExpression(msg, facts)


def _step(op: str, args: list[Unit], leaf: str | float | None, units: Mapping[str, Unit]) -> Unit:
    if op == "name":
        return units.get(str(leaf), ONE)
    if op == "number":
        return replace(ONE, number=float(str(leaf)))
    if op == "neg":
        (a,) = args
        return replace(a, zeros=-a.zeros, number=None if a.number is None else -a.number)
    if op in ("+", "-"):
        return _sum(op, *args)
    if op in ("*", "/"):
        return _product(op, *args)
    return _function(op, args)


def _function(op: str, args: list[Unit]) -> Unit:
    """Follow a power or a function, none of which takes a scale with a zero of its own."""
    for a in args:
        if a.zeros:
            _refuse_scale(a)
    first, last = args[0], args[-1]
    if op in ("^", "sqrt"):
        return _power(first, last if op == "^" else replace(ONE, number=0.5))
    if op == "abs":
        return replace(first, number=None)
    if op == "atan2" and not first.agrees(last):
        msg = f"atan2 of {first} and {last}: both must be in one unit."
        raise BadExpression(msg, {"units": [str(first), str(last)]})
    if op != "atan2" and not first.agrees(ONE):
        msg = f"{op} takes a number without unit (angles in radians), got {first}."
        raise BadExpression(msg, {"function": op, "unit": str(first)})
    return ONE


def _refuse_scale(a: Unit) -> None:
    msg = (
        f"A product, power or function of a temperature in {a} depends on the zero of its scale."
        " Give it in K, or a difference as a quantity in K."
    )
    raise BadExpression(msg, {"unit": str(a)})


def _sum(op: str, a: Unit, b: Unit) -> Unit:
    if not a.agrees(b):
        msg = (
            f"The expression adds {a} and {b}. Give both in one unit; a number in the text has the"
            " unit 1, so give a constant with a unit as an exact input."
        )
        if op == "-":
            msg = (
                f"The expression subtracts {b} from {a}. Give both in one unit; a number in the"
                " text has the unit 1, so give a constant with a unit as an exact input."
            )
        raise BadExpression(msg, {"units": [str(a), str(b)]})
    sign = 1 if op == "+" else -1
    number = None if a.number is None or b.number is None else a.number + sign * b.number
    zeros = a.zeros + sign * b.zeros
    return replace(a if a.zeros or not b.zeros else b, zeros=zeros, number=number)


def _product(op: str, a: Unit, b: Unit) -> Unit:
    for one, other in ((a, b), (b, a)):
        if one.zeros and (other.number is None or (op == "/" and one is b)):
            _refuse_scale(one)
    sign = 1 if op == "*" else -1
    number = None if a.number is None or b.number is None else a.number * b.number**sign
    # what a number without unit is multiplied with keeps its name and its zeros
    if b.agrees(ONE):
        return replace(
            a, zeros=a.zeros * (b.number or 0.0) ** sign if a.zeros else 0.0, number=number
        )
    if a.agrees(ONE) and op == "*":
        return replace(b, zeros=b.zeros * (a.number or 0.0) if b.zeros else 0.0, number=number)
    powers = tuple(p + sign * q for p, q in zip(a.powers, b.powers, strict=True))
    return _made(a.factor * b.factor**sign, powers)


def _power(base: Unit, exponent: Unit) -> Unit:
    if not exponent.agrees(ONE):
        msg = f"An exponent is a number without unit, got {exponent}."
        raise BadExpression(msg, {"unit": str(exponent)})
    e = exponent.number
    if base.agrees(ONE):
        number = None if base.number is None or e is None or base.number <= 0 else base.number**e
        return replace(ONE, number=number)
    if e is None:
        msg = f"Only a number without unit can have a variable exponent, got {base}."
        raise BadExpression(msg, {"unit": str(base)})
    factor, powers = base.factor**e, tuple(p * e for p in base.powers)
    return _made(factor, powers)
