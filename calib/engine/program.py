"""A measurement function compiled once: value and gradient of one item, or of a whole fleet.

The checked steps of an expression become a flat list of small closures over numbered slots;
no text and no generated code is ever executed. The gradient runs backward through the list.
What is linear in the inputs is differentiated when compiling, so that only the steps that bend
are visited. Plain floats take the functions of `math`, arrays those of NumPy.
This module must not know uncertainties or budgets.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from calib.engine.errors import OutOfRange
from calib.engine.slopes import ARRAYS, FLOATS, Forward, Slots, forward_of, slope_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from calib.engine.expression import Expression
    from calib.engine.grammar import Step

    FloatArray = NDArray[np.float64]

Backward = Callable[[Slots, Slots], None]
Form = dict[int, float]
_CACHED = 256


class Code(NamedTuple):
    """Closures for one kind of number."""

    forward: tuple[Forward, ...]
    backward: tuple[Backward, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A compiled measurement function.

    Attributes
    ----------
    text : str
        As written, for messages.
    names : tuple of str
        Order of the inputs, also those that do not occur.
    tail : tuple of float
        What stands behind the inputs in the slots: constants, and room for results.
    wide : tuple of float64
        The same for arrays: NumPy's own numbers tell an overflow, plain ones do not.
    out : int
        Slot of the result.
    start : tuple
        (slot, derivative) known without running: the linear part of the result.
    floats, arrays : Code
        Closures for plain floats and for arrays.
    """

    text: str
    names: tuple[str, ...]
    tail: tuple[float, ...]
    wide: tuple[np.float64, ...]
    out: int
    start: tuple[tuple[int, float], ...]
    floats: Code
    arrays: Code

    def gradient_of_item(self, x: Sequence[float]) -> tuple[float, list[float]]:
        """Evaluate one item on plain floats.

        Parameters
        ----------
        x : (n,) sequence of float
            Input quantities in the order of `names`.

        Returns
        -------
        tuple
            Value, and derivatives by all of `names`.

        Raises
        ------
        OutOfRange
            The value or a derivative is not finite.

        Notes
        -----
        Source: GUM 5.1.3; backward differentiation.
        Checked against: tests/reference/expressions.toml.
        Limits: double precision.
        """
        v = [*map(float, x), *self.tail]
        try:
            for step in self.floats.forward:
                step(v)
            g = [0.0] * len(v)
            for slot, c in self.start:
                g[slot] = c
            for back in self.floats.backward:
                back(v, g)
        except (ValueError, ArithmeticError) as cause:
            raise self.refusal(cause) from cause
        # one sum tells whether any of the numbers is NaN or infinite
        if (sum(v) + sum(g)) * 0.0 != 0.0 and not all(map(math.isfinite, v + g)):
            raise self.refusal("overflow")
        return v[self.out], g[: len(x)]

    def values(self, x: Sequence[Any]) -> Any:
        """Evaluate arrays that broadcast with each other, without derivatives.

        Raises
        ------
        OutOfRange
            A value is not finite.

        Notes
        -----
        Source: GUM 4.1.4.
        Checked against: tests/reference/expressions.toml.
        Limits: the inputs are not looked at for NaN.
        """
        v = [*x, *self.wide]
        try:
            with np.errstate(all="raise", under="ignore"):
                for step in self.arrays.forward:
                    step(v)
        except ArithmeticError as cause:
            raise self.refusal(cause) from cause
        return v[self.out]

    def gradients(self, x: FloatArray, into: FloatArray) -> Any:
        """Evaluate many items at once.

        Parameters
        ----------
        x : (n, items) array
            Input quantities in the order of `names`, finite.
        into : (n, items) array
            Takes the derivatives.

        Returns
        -------
        (items,) array or float
            Values.

        Raises
        ------
        OutOfRange
            A value or a derivative is not finite at some item.

        Notes
        -----
        Source: GUM 5.1.3; backward differentiation.
        Checked against: tests/reference/expressions.toml.
        Limits: double precision.
        """
        v: Slots = [*x, *self.wide]
        g: Slots = [0.0] * len(v)
        for slot, c in self.start:
            g[slot] = c
        try:
            with np.errstate(all="raise", under="ignore"):
                for step in self.arrays.forward:
                    step(v)
                for back in self.arrays.backward:
                    back(v, g)
        except ArithmeticError as cause:
            raise self.refusal(cause) from cause
        for row, derivative in zip(into, g[: len(x)], strict=True):
            row[...] = derivative
        return v[self.out]

    def refusal(self, cause: object) -> OutOfRange:
        """Word the refusal of a point without finite value or derivative."""
        if isinstance(cause, OutOfRange):
            return cause
        msg = (
            f"The expression {self.text[:80]!r} has no finite value or derivative here"
            f" ({cause}). Check the values of {', '.join(self.names) or 'its numbers'}."
        )
        return OutOfRange(msg, {"expression": self.text[:80]})


def compile_program(
    expression: Expression, names: Sequence[str], by: Sequence[str] | None = None
) -> Program:
    """Compile an expression; the same one is compiled once.

    Parameters
    ----------
    expression : Expression
        A measurement function that has been read.
    names : (n,) sequence of str
        Inputs in the order of the numbers to come, at least those that occur.
    by : sequence of str, optional
        Inputs to differentiate by, default all; derivatives by the others are 0.

    Returns
    -------
    Program
        Value and gradient for one item or many.

    Raises
    ------
    OutOfRange
        An input that occurs is not among `names`.

    Notes
    -----
    Source: backward (adjoint) differentiation.
    Checked against: tests/reference/expressions.toml.
    Limits: first derivatives.

    Examples
    --------
    >>> from calib.engine.expression import parse
    >>> compile_program(parse("x*y + 2*x", ["x", "y"]), ["x", "y"]).gradient_of_item([3.0, 4.0])
    (18.0, [6.0, 3.0])
    """
    for name in expression.names:
        if name not in names:
            msg = f"No value for {name!r} in the expression {expression.text[:80]!r}."
            raise OutOfRange(msg, {"name": name})
    wanted = frozenset(names if by is None else by)
    return _compiled(expression.text, expression.steps, tuple(names), wanted)


@lru_cache(maxsize=_CACHED)
def _compiled(
    text: str, steps: tuple[Step, ...], names: tuple[str, ...], by: frozenset[str]
) -> Program:
    plan = _Plan(names, by)
    for step in steps:
        plan.add(step)
    tail = (*plan.tail, *([0.0] * (plan.size - len(names) - len(plan.tail))))
    out = plan.slots[-1]
    start = tuple(plan.forms[out].items())
    needed = plan.behind(out)
    return Program(
        text, names, tail, tuple(np.array(tail, dtype=np.float64)), out, start,
        Code(*plan.code(needed, FLOATS)), Code(*plan.code(needed, ARRAYS)),
    )  # fmt: skip


class _Plan:
    """Slots, constants and linear forms of a program while it is compiled."""

    def __init__(self, names: tuple[str, ...], by: frozenset[str]) -> None:
        self.names = names
        self.tail: list[float] = []
        self.slots: list[int] = []
        self.constants: dict[int, float] = {}
        self.work: list[tuple[str, tuple[int, ...], int]] = []
        self.forms: dict[int, Form] = {
            i: {i: 1.0} if name in by else {} for i, name in enumerate(names)
        }
        self.size = len(names)

    def add(self, step: Step) -> None:
        """Give one step its slot."""
        op, args, leaf = step
        if op == "name":
            self.slots.append(self.names.index(str(leaf)))
            return
        places = tuple(self.slots[a] for a in args)
        number = float(leaf) if isinstance(leaf, float) else self._fold(op, places)
        slot = self.size
        self.size += 1
        self.slots.append(slot)
        if number is None:
            self.forms[slot] = self._form(op, places, slot)
            self.work.append((op, places, slot))
            self.tail.append(0.0)
        else:
            self.constants[slot] = number
            self.forms[slot] = {}
            self.tail.append(number)

    def _fold(self, op: str, places: tuple[int, ...]) -> float | None:
        """Compute what depends on no input; what has no value is left to be refused later."""
        if not all(p in self.constants for p in places):
            return None
        v: Slots = [self.constants.get(i, 0.0) for i in range(self.size)] + [0.0]
        try:
            with np.errstate(all="raise", under="ignore"):
                forward_of(op, places, self.size, ARRAYS)([np.float64(n) for n in v])
                forward_of(op, places, self.size, FLOATS)(v)
        except (ValueError, ArithmeticError):
            return None
        return float(v[-1]) if math.isfinite(v[-1]) else None

    def _form(self, op: str, places: tuple[int, ...], slot: int) -> Form:
        """Write a result as a linear form of inputs and of results that bend."""
        forms = [self.forms[p] for p in places]
        if not any(forms):
            return {}
        if op == "neg":
            return _scaled(forms[0], -1.0)
        if op in ("+", "-"):
            out = dict(forms[0])
            for i, c in _scaled(forms[1], 1.0 if op == "+" else -1.0).items():
                out[i] = out.get(i, 0.0) + c
            return {i: c for i, c in out.items() if c}
        factors = [self.constants.get(p) for p in places]
        if op == "*" and factors[0] is not None:
            return _scaled(forms[1], factors[0])
        if op == "*" and factors[1] is not None:
            return _scaled(forms[0], factors[1])
        if op == "/" and factors[1] and math.isfinite(1 / factors[1]):
            return _scaled(forms[0], 1 / factors[1])
        return {slot: 1.0}

    def behind(self, out: int) -> list[tuple[str, tuple[int, ...], int]]:
        """Give the steps that bend and that the result depends on, last first."""
        wanted, found = set(self.forms[out]), []
        for op, places, slot in reversed(self.work):
            if slot in wanted and self.forms[slot] == {slot: 1.0}:
                found.append((op, places, slot))
                for p in places:
                    wanted |= self.forms[p].keys()
        return found

    def code(
        self, bent: list[tuple[str, tuple[int, ...], int]], functions: Mapping[str, Any]
    ) -> tuple[tuple[Forward, ...], tuple[Backward, ...]]:
        """Make the closures for one kind of number."""
        forward = tuple(forward_of(op, places, slot, functions) for op, places, slot in self.work)
        filled = set(self.forms[self.slots[-1]])
        backward = []
        for op, places, slot in bent:
            for which, place in enumerate(places):
                form = self.forms[place]
                if form:
                    slope = slope_of(op, which, places, slot, functions)
                    backward.append(_backward(slot, slope, form, filled))
                    filled |= form.keys()
        return forward, tuple(backward)


def _scaled(form: Form, factor: float) -> Form:
    return {i: c * factor for i, c in form.items() if c * factor}


def _backward(k: int, slope: Callable[[Slots], Any], form: Form, filled: set[int]) -> Backward:
    """Make the closure that hands the derivative of slot `k` on to what it depends on."""
    first = tuple(i for i, c in form.items() if c == 1 and i not in filled)
    other = tuple((i, c) for i, c in form.items() if i not in first)

    def single(v: Slots, g: Slots) -> None:
        g[first[0]] = g[k] * slope(v)

    def several(v: Slots, g: Slots) -> None:
        share = g[k] * slope(v)
        for i in first:
            g[i] = share
        for i, c in other:
            g[i] = g[i] + share * c

    return single if len(first) == 1 and not other else several
