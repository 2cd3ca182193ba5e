"""Curves that are written as expressions: named ones of thermometry and those a user states.

A model gives its value and exact derivatives by parameters and variables; the named ones also
find where to start. This module must not know data of a fit beyond that, nor tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.expression import Expression, parse
from calib.engine.fit_types import Convergence, Fit
from calib.engine.observations import solve
from calib.engine.program import Program, compile_program

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    Start = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
    Hidden = dict[str, Callable[[FloatArray], FloatArray | float]]

C2 = 6.62607015e-34 * 299792458 / 1.380649e-23 * 1e6
"""Second radiation constant h c/k in um K, exact values of the SI (2019)."""
KELVIN = 273.15
COLD = -1.3
"""Points above this do not show the coefficient C: it acts there by less than 1e-9 of R0."""
_FAR = 64


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A curve over one or several variables.

    Attributes
    ----------
    name : str
        For messages.
    expression : Expression
        The curve, in parameters, variables and what is hidden.
    parameters, variables : tuple of str
        Names in the order of all arrays.
    hidden : dict of str to function
        Quantities the expression uses that follow from x, shape (v, n), or are constants.
    start : function or None
        Gives starting values from x, y and the standard uncertainties of y.
    """

    name: str
    expression: Expression
    parameters: tuple[str, ...]
    variables: tuple[str, ...]
    hidden: Hidden
    start: Start | None

    @property
    def _names(self) -> tuple[str, ...]:
        return (*self.parameters, *self.variables, *self.hidden)

    def _program(self) -> Program:
        return compile_program(self.expression, self._names, by=(*self.parameters, *self.variables))

    def _inputs(self, x: FloatArray, c: FloatArray) -> list[FloatArray | float]:
        return [*c.tolist(), *x, *(find(x) for find in self.hidden.values())]

    def value(self, x: FloatArray, c: FloatArray) -> FloatArray:
        """Give the curve at x (v, n): (n,)."""
        found = self._program().values(self._inputs(x, c))
        return np.array(np.broadcast_to(found, x.shape[1:]), dtype=np.float64)

    def slopes(self, x: FloatArray, c: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Give value (n,), derivatives by parameters (n, p) and by x (v, n)."""
        inputs = self._inputs(x, c)
        into = np.empty((len(inputs), x.shape[1]))
        found = self._program().gradients(inputs, into)  # type: ignore[arg-type]
        value = np.array(np.broadcast_to(found, x.shape[1:]), dtype=np.float64)
        p = len(c)
        return value, into[:p].T, into[p : p + len(x)]

    def bends(self, x: FloatArray, c: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Give second derivatives: x x (v, v, n), x parameters (v, n, p), parameters (p, p, n)."""
        p, by = len(c), (*self.parameters, *self.variables)
        values = dict(zip(self._names, self._inputs(x, c), strict=True))
        second = self.expression.derivatives(values, by, order=2)[2]
        items = second if second.ndim == 3 else second[:, :, None]
        full = np.broadcast_to(items, (len(by), len(by), x.shape[1]))
        return full[p:, p:], np.swapaxes(full[p:, :p], 1, 2), full[:p, :p]

    @property
    def is_linear(self) -> bool:
        """Whether the curve is linear in all its parameters together."""
        return _degree(self.expression, self.parameters) <= 1


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ModelFit(Fit):
    """A model with fitted parameters.

    Attributes
    ----------
    model : Model
        The curve.
    x_low, x_high : (v,) array
        Range of the data in each variable.
    convergence : Convergence
        How the minimum was reached.
    """

    model: Model
    x_low: FloatArray
    x_high: FloatArray
    convergence: Convergence


def _degree(expression: Expression, names: Collection[str]) -> int:
    """Degree of an expression in some of its names; `_FAR` where it is no polynomial in them."""
    degrees: list[int] = []
    for op, args, leaf in expression.steps:
        a = [degrees[i] for i in args]
        if op in ("name", "number"):
            d = int(leaf in names)
        elif op in ("neg", "+", "-"):
            d = max(a)
        elif op == "*":
            d = a[0] + a[1]
        elif op == "/" and not a[1]:
            d = a[0]
        else:
            d = _FAR if any(a) else 0
        degrees.append(min(d, _FAR))
    return degrees[-1]


def stated(text: str, parameters: Sequence[str], variables: Sequence[str] = ("x",)) -> Model:
    """Make a model of an expression.

    Parameters
    ----------
    text : str
        In the expression language.
    parameters, variables : sequence of str
        Names that may occur; every parameter must.

    Returns
    -------
    Model
        Without starting values.

    Raises
    ------
    BadExpression
        The text is not in the language.
    DegenerateData
        A parameter does not occur, or a name stands for two things.

    Notes
    -----
    Source: contract of the expression language.
    Checked against: tests/reference/nist_strd_nonlinear.toml.
    Limits: real numbers.
    """
    names = (*parameters, *variables)
    if len(set(names)) != len(names):
        raise DegenerateData("A name stands for a parameter or for a variable, not for both.")
    expression = parse(text, names)
    for name in parameters:
        if name not in expression.names:
            msg = f"The parameter {name!r} does not occur in the function {text[:80]!r}."
            raise DegenerateData(msg, {"name": name})
    return Model("expression", expression, tuple(parameters), tuple(variables), {}, None)


def callendar_van_dusen(*, cold: bool) -> Model:
    """Resistance in ohm of a platinum thermometer over t/degC: R0, A, B and, when cold, C.

    Notes
    -----
    Source: IEC 60751:2022 (form of the equation).
    Checked against: tests/reference/models.toml.
    Limits: C acts below 0 degC only.
    """
    if cold:
        names: tuple[str, ...] = ("R0", "A", "B", "C")
        text = "R0*(1 + A*x + B*x^2 + C*below*(x - 100)*x^3)"
    else:
        names, text = ("R0", "A", "B"), "R0*(1 + A*x + B*x^2)"
    expression = parse(text, (*names, "x", "below"))
    hidden: Hidden = {"below": _below}
    start = partial(_start_platinum, cold=cold)
    return Model("callendar_van_dusen", expression, names, ("x",), hidden, start)


def _below(x: FloatArray) -> FloatArray:
    return np.asarray(x[0] < 0, dtype=np.float64)


def platinum_design(t: FloatArray, *, cold: bool) -> FloatArray:
    """Give the columns to which R0, R0 A, R0 B and R0 C belong, shape (n, 3 or 4)."""
    columns = [np.ones_like(t), t, t * t]
    if cold:
        columns.append(np.where(t < 0, (t - 100) * t**3, 0.0))
    return np.stack(columns, axis=1)


def _start_platinum(x: FloatArray, y: FloatArray, u: FloatArray, *, cold: bool) -> FloatArray:
    c = _linear(platinum_design(x[0], cold=cold), y, u)
    if c[0] == 0:
        raise DegenerateData("The resistance at 0 degC comes out as 0. Check t/degC and R/ohm.")
    return np.concatenate([c[:1], c[1:] / c[0]])


def _linear(columns: FloatArray, y: FloatArray, u: FloatArray) -> FloatArray:
    """Weighted linear least squares with columns brought to equal length."""
    white = columns / u[:, None]
    size = np.linalg.norm(white, axis=0)
    size[size == 0] = 1.0
    return np.asarray(solve(white / size, y / u)[0] / size)


def steinhart_hart() -> Model:
    """Temperature in degC of a thermistor over R/ohm: 1/T = a + b ln R + c (ln R)^3.

    Notes
    -----
    Source: J. S. Steinhart, S. R. Hart, Deep-Sea Research 15 (1968) 497.
    Checked against: tests/reference/models.toml.
    Limits: fitted in t, so u_y is that of t.
    """
    text = f"1/(a + b*log(x) + c*log(x)^3) - {KELVIN}"
    names = ("a", "b", "c")
    return Model("steinhart_hart", parse(text, (*names, "x")), names, ("x",), {}, _start_thermistor)


def _start_thermistor(x: FloatArray, y: FloatArray, u: FloatArray) -> FloatArray:
    T = y + KELVIN
    if not (np.all(x > 0) and np.all(T > 0)):
        raise OutOfRange("Give positive resistances in ohm and t above -273.15 degC.")
    L = np.log(x[0])
    return _linear(np.stack([np.ones_like(L), L, L**3], axis=1), 1 / T, u / T**2)


def sakuma_hattori() -> Model:
    """Signal of a radiation thermometer over T/K: C/(exp(c2/(A T + B)) - 1), A/um, B/(um K).

    Notes
    -----
    Source: F. Sakuma, S. Hattori (1982); c2 from the SI of 2019.
    Checked against: tests/reference/models.toml.
    Limits: positive signals.
    """
    names = ("A", "B", "C")
    expression = parse("C/(exp(c2/(A*x + B)) - 1)", (*names, "x", "c2"))
    hidden: Hidden = {"c2": lambda _: C2}
    return Model("sakuma_hattori", expression, names, ("x",), hidden, _start_radiance)


def _start_radiance(x: FloatArray, y: FloatArray, u: FloatArray) -> FloatArray:
    """Try the exponent at the hottest point; each gives C, and A, B by a straight line."""
    T = x[0]
    if not (np.all(T > 0) and np.all(y > 0)):
        raise OutOfRange("Give temperatures in kelvin and positive signals.")
    top, best, lowest = int(np.argmax(T)), None, np.inf
    with np.errstate(all="ignore"):
        for q in np.geomspace(0.05, 100, 60):
            C = y[top] * np.expm1(q)
            L = np.log1p(C / y)
            w = (L * L * y * (y + C) / (C * u)) ** 2  # weight of c2/L, up to a factor
            mean, line = float(w @ T / w.sum()), C2 / L
            A = float((w * (T - mean)) @ line / ((w * (T - mean)) @ T))
            B = float(w @ line / w.sum()) - A * mean
            off = float(np.sum(((y - C / np.expm1(C2 / (A * T + B))) / u) ** 2))
            if off < lowest:
                best, lowest = np.array([A, B, C]), off
    if best is None:
        raise DegenerateData("No Sakuma-Hattori curve passes near these points. Check T/K and S.")
    return best


NAMED: dict[str, Callable[[FloatArray], Model]] = {
    "callendar_van_dusen": lambda x: callendar_van_dusen(cold=bool(np.any(x < COLD))),
    "steinhart_hart": lambda _: steinhart_hart(),
    "sakuma_hattori": lambda _: sakuma_hattori(),
}
"""Named models, given the x they are to be fitted to."""
