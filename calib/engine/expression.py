"""The measurement-function language: evaluate and differentiate; no user text becomes code.

Numbers, declared names, ``pi``, ``+ - * /``, ``^`` or ``**`` (the same, right-associative,
``-2^2`` is -4), parentheses and fixed functions with fixed arity. `grammar` reads a text into
a flat list of steps, which is evaluated here on float64 arrays with its derivatives up to the
third order. `program` compiles the same steps for speed.
This module must not know units, budgets or where a text comes from.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from calib.engine import jets
from calib.engine.errors import OutOfRange
from calib.engine.grammar import Step, read

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

LANGUAGE = "calib-expression/1"


def parse(text: str, names: Collection[str]) -> Expression:
    """Read a measurement function.

    Parameters
    ----------
    text : str
        At most 2000 printable ASCII characters.
    names : collection of str
        Names that may occur.

    Returns
    -------
    Expression
        Evaluates values and derivatives.

    Raises
    ------
    BadExpression
        The text is too long, too deep or not in the language; the message says where.

    Notes
    -----
    Source: contract of the expression language; limits from the design of trust, 2.6.
    Checked against: tests/reference/expressions.toml.
    Limits: real numbers only; ``log`` is natural, angles are radians.

    Examples
    --------
    >>> float(parse("-2^2 + x", ["x"]).value({"x": 1.0}))
    -3.0
    """
    return _parsed(text, tuple(names))


@lru_cache(maxsize=256)
def _parsed(text: str, names: tuple[str, ...]) -> Expression:
    steps = read(text, names)
    used = {str(leaf) for op, _, leaf in steps if op == "name"}
    return Expression(text, tuple(n for n in names if n in used), steps)


@dataclass(frozen=True, slots=True)
class Expression:
    """A measurement function that has been read.

    Attributes
    ----------
    text : str
        As written.
    names : tuple of str
        Names that occur, in the order they were declared.
    steps : tuple
        Operations in order of evaluation; equal parts occur once.
    """

    text: str
    names: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical form; spaces and notation do not change it."""
        lines = [LANGUAGE]
        lines += [f"{op} {' '.join(map(str, args))} {leaf!r}" for op, args, leaf in self.steps]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def value(self, values: Mapping[str, ArrayLike]) -> FloatArray:
        """Evaluate on numbers or arrays that broadcast with each other.

        Raises
        ------
        OutOfRange
            A value is missing or not finite, or the result is not finite.

        Notes
        -----
        Source: GUM 4.1.4.
        Checked against: tests/reference/expressions.toml.
        Limits: double precision.
        """
        out = self._run(self._arrays(values))
        return out.c[0] if isinstance(out, jets.Jet) else out

    def gradient(self, values: Mapping[str, ArrayLike]) -> tuple[FloatArray, dict[str, FloatArray]]:
        """Evaluate with all first derivatives.

        Returns
        -------
        tuple
            Value, and derivative by each name of `names`.

        Notes
        -----
        Source: GUM 5.1.3; forward differentiation.
        Checked against: tests/reference/expressions.toml.
        Limits: refuses points where a derivative does not exist.
        """
        value, first, *_ = self.derivatives(values, self.names, order=1)
        return value, dict(zip(self.names, first, strict=True))

    def hessian(
        self, values: Mapping[str, ArrayLike]
    ) -> tuple[FloatArray, dict[str, FloatArray], dict[tuple[str, str], FloatArray]]:
        """Evaluate with first and second derivatives.

        Returns
        -------
        tuple
            Value, derivative by name, second derivative by pair of names.

        Notes
        -----
        Source: GUM 5.1.2, note.
        Checked against: tests/reference/expressions.toml.
        Limits: as `gradient`.
        """
        value, first, second, _ = self.derivatives(values, self.names, order=2)
        pairs = {
            (a, b): second[i, j] for i, a in enumerate(self.names) for j, b in enumerate(self.names)
        }
        return value, dict(zip(self.names, first, strict=True)), pairs

    def derivatives(
        self, values: Mapping[str, ArrayLike], by: Sequence[str], *, order: int
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Evaluate value and derivatives by the names in `by`.

        Parameters
        ----------
        values : mapping
            Numbers or arrays of shape `items` by name.
        by : (n,) sequence of str
            Names to differentiate by, possibly absent from the expression.
        order : int
            1, 2 or 3.

        Returns
        -------
        tuple
            Value (items), f_i (n, items), f_ij (n, n, items), f_ijj (n, n, items);
            what is above `order` is empty.

        Notes
        -----
        Source: truncated Taylor arithmetic.
        Checked against: tests/reference/expressions.toml.
        Limits: n^2 directions at once for order 2 and 3.
        """
        arrays = self._arrays(values)
        shape = np.broadcast_shapes(*(a.shape for a in arrays.values()))
        n, e2 = len(by), order - 1
        batch = (n,) if order == 1 else (n, n)
        first, last = np.eye(n), np.eye(n)
        seeds: dict[str, jets.Number] = dict(arrays)
        for i, name in enumerate(by):
            if name not in self.names:
                continue
            c = np.zeros((2 * (e2 + 1), *batch, *shape))
            c[0] = arrays[name]
            extra = (1,) * len(shape)
            if order == 1:
                c[1] += first[i].reshape(n, *extra)
            else:
                c[e2 + 1] += first[i].reshape(n, 1, *extra)
                c[1] += last[i].reshape(1, n, *extra)
            seeds[name] = jets.Jet(c, e2)
        out = self._run(seeds)
        if not isinstance(out, jets.Jet):
            value = np.broadcast_to(out, shape)
            zeros = np.zeros((n, n, *shape))
            return value, np.zeros((n, *shape)), zeros, zeros
        none = np.zeros(0)
        if order == 1:
            return out.c[0, 0], out.c[1], none, none
        third = 2 * out.c[5] if e2 > 1 else none
        return out.c[0, 0, 0], out.c[e2 + 1][:, 0], out.c[e2 + 2], third

    def _arrays(self, values: Mapping[str, ArrayLike]) -> dict[str, FloatArray]:
        arrays = {}
        for name in self.names:
            if name not in values:
                msg = f"No value for {name!r} in the expression {self.text[:80]!r}."
                raise OutOfRange(msg, {"name": name})
            arrays[name] = np.asarray(values[name], dtype=np.float64)
            if not np.all(np.isfinite(arrays[name])):
                msg = f"The value of {name!r} is not finite."
                raise OutOfRange(msg, {"name": name})
        return arrays

    def _run(self, seeds: Mapping[str, jets.Number]) -> jets.Number:
        done: list[jets.Number] = []
        try:
            with np.errstate(all="raise", under="ignore"):
                for op, args, leaf in self.steps:
                    done.append(_perform(op, [done[a] for a in args], leaf, seeds))
        except FloatingPointError as cause:
            msg = (
                f"The expression {self.text[:80]!r} has no finite value or derivative here"
                f" ({cause}). Check the values of {', '.join(self.names) or 'its numbers'}."
            )
            raise OutOfRange(msg, {"expression": self.text[:80]}) from cause
        return done[-1]


def _perform(
    op: str, args: list[jets.Number], leaf: str | float | None, seeds: Mapping[str, jets.Number]
) -> jets.Number:
    """Carry out one step."""
    if op == "name":
        return seeds[str(leaf)]
    if op == "number":
        return np.asarray(leaf, dtype=np.float64)
    if op == "neg":
        return -args[0]
    if len(args) == 1:
        return jets.apply(op, args[0])
    a, b = args
    if op == "-":
        return jets.add(a, -b)
    table = {"+": jets.add, "*": jets.multiply, "/": jets.divide, "^": jets.power}
    return table.get(op, jets.atan2)(a, b)
