"""Works W1 and W2: one budget, ten thousand of them, and the distributions behind them.

Model A is the error of a thermometer in a blackbody, model B the same through the
Sakuma-Hattori equation. The answers of the law of propagation were computed with 40 digits; those
of the distributions by characteristic functions (A) and from 5 10^7 scrambled Sobol points (B).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

ROOT3 = math.sqrt(3)
CORRELATED = (4, 5, 0.6)
"""Places of the two inputs that are correlated, and how much."""
FLEET = 10_000
Input = tuple[float, float, float, str]
"""Value, standard uncertainty, degrees of freedom, distribution."""


@dataclass(frozen=True, slots=True)
class Model:
    """A measurement function with its inputs and the known answers.

    Attributes
    ----------
    names, text : tuple of str, str
        Inputs and function.
    inputs : tuple of Input
        In the order of the names.
    answer : tuple of float
        y, u, effective degrees of freedom and U.
    drawn : tuple of float
        Mean, standard deviation and both ends of the 95 % interval of the distribution.
    """

    names: tuple[str, ...]
    text: str
    inputs: tuple[Input, ...]
    answer: tuple[float, ...]
    drawn: tuple[float, float, float, float]


def numbers(model: Model) -> tuple[list[float], list[float], list[float]]:
    """Return values, standard uncertainties and degrees of freedom as plain numbers."""
    inputs = model.inputs
    return [x[0] for x in inputs], [x[1] for x in inputs], [x[2] for x in inputs]


def fleet(model: Model, items: int = FLEET) -> tuple[Any, Any, Any]:
    """Return values and uncertainties (inputs, items) and degrees of freedom (inputs, 1)."""
    value, u, dof = (np.array(column) for column in numbers(model))
    i = np.arange(items)
    x = np.repeat(value[:, None], items, axis=1)
    for k, name in enumerate(model.names):
        if name not in ("eps", "sse"):
            x[k] += 0.0005 * ((7 * i + k) % 11)
    return x, u[:, None] * (1 + 0.001 * (i % 97)), dof[:, None]


def variables(model: Model) -> dict[str, Any]:
    """Return the inputs as they are drawn."""
    from calib.engine.sampling import Variable
    from calib.engine.types import Estimate

    out = {}
    for name, (x, u, dof, kind) in zip(model.names, model.inputs, strict=True):
        given: dict[str, float] = {"u": u}
        if kind == "t":
            given = {"scale": u, "dof": dof}
        if kind == "rectangular":
            given = {"half_width": u * ROOT3}
        out[name] = Variable(Estimate(x, u, dof), kind, given)
    return out


_SHARED: tuple[Input, ...] = (
    (37.020, 0.021, 5, "t"), (0.0, 0.05 / ROOT3, math.inf, "rectangular"), (0.0, 0.030, 9, "t"),
    (36.988, 0.004, 9, "t"), (-0.006, 0.005, math.inf, "normal"),
    (0.0, 0.003, math.inf, "normal"), (0.0, 0.006 / ROOT3, math.inf, "rectangular"),
)  # fmt: skip
_NAMES = ("t_ind", "d_res", "d_op", "t_ref", "c_cal", "c_br", "c_drift")
_LAST_A, _LAST_B = ("d_uni", "d_stab", "d_emis"), ("eps", "t_amb", "sse")
_SLOPE, _OFFSET, _C2 = "9.364e-6", "178.4e-6", "0.014387768775"
"""A in m, B in m K of the band 8 um to 14 um, and c2 in m K."""
_AMBIENT = f"1/(exp({_C2}/({_SLOPE}*(t_amb+273.15)+{_OFFSET}))-1)"
_BODY = f"1/(exp({_C2}/({_SLOPE}*(t_ref+c_cal+c_br+c_drift+273.15)+{_OFFSET}))-1)"
_SIGNAL = f"((1-sse)*(eps*{_BODY}+(1-eps)*{_AMBIENT})+sse*{_AMBIENT})"

A = Model(
    names=(*_NAMES, *_LAST_A),
    text="(t_ind+d_res+d_op) - (t_ref+c_cal+c_br+c_drift+d_uni+d_stab+d_emis)",
    inputs=(
        *_SHARED, (0.0, 0.008 / ROOT3, math.inf, "rectangular"), (0.0, 0.004, math.inf, "normal"),
        (0.003, 0.004, 50, "t"),
    ),
    answer=(0.0350000000000036, 0.0480381792605285, 41.3040810815963, 0.0969933853307416),
    drawn=(0.035, 0.0535167975410302, 0.035 - 0.104492307919199, 0.035 + 0.104492307919199),
)  # fmt: skip
B = Model(
    names=(*_NAMES, *_LAST_B),
    text=f"t_ind+d_res+d_op-(({_C2}/log(1/{_SIGNAL}+1)-{_OFFSET})/{_SLOPE}-273.15)",
    inputs=(
        *_SHARED, (0.9990, 0.0005 / ROOT3, math.inf, "rectangular"),
        (23.0, 1.0 / ROOT3, math.inf, "rectangular"),
        (0.002, 0.001 / ROOT3, math.inf, "rectangular"),
    ),
    answer=(0.0774791756559083, 0.0482529995969384, 42.0496456299512, 0.097375089591859),
    drawn=(0.0774754, 0.0537036, -0.027379, 0.182349),
)  # fmt: skip
