"""One point under other standard uncertainties, and by trials beside the law of propagation.

For the page that looks into a budget; nothing of it is ever stored or certified. Components that
act behind a published function are drawn through its slope. Knows nothing of pages.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from calib.engine.accelerated import run_sobol
from calib.engine.coverage import coverage_factor
from calib.engine.distributions import standard_uncertainty
from calib.engine.expression import parse
from calib.engine.montecarlo import numerical_tolerance, prepare
from calib.engine.sampling import Variable
from calib.engine.types import Estimate
from calib.evaluation.budget import Budgets, Model, make_budgets, model_of
from calib.evaluation.inputs import CalibrationInput, PointInput
from calib.evaluation.order import in_order
from calib.evaluation.pointresults import by_point, point_result
from calib.evaluation.result import PointResult
from calib.evaluation.series import Measured, arrange
from calib.evaluation.shared import with_shared
from instruments.errors import NotFound
from instruments.procedure import Component, Measurand

Scales = Mapping[str, float]
"""Factors of standard uncertainties, by component; absent: 1."""
TRIALS, SEED, PROBABILITY = 2**17, 1, 0.95


@dataclass(frozen=True, slots=True)
class Estimated:
    """What one way of propagating gives of the error at a point."""

    value: float
    u: float
    low: float
    high: float
    """Ends of the 95 % interval."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The law of propagation beside the propagation of distributions."""

    gum: Estimated
    trials: Estimated
    count: int
    seed: int
    standard_errors: tuple[float, float, float, float]
    """Of mean, u and both ends, due to the finite number of trials."""
    delta: float
    """Numerical tolerance of u (JCGM 101 clause 8.1)."""
    digits: int
    """Significant digits of u that tolerance is for."""
    d_low: float
    d_high: float
    through_slope: tuple[str, ...]
    """Components that were drawn through a slope, for the function is not ours to write out."""

    @property
    def is_validated(self) -> bool:
        """Answer whether both ends agree within the tolerance."""
        return max(self.d_low, self.d_high) <= self.delta


@dataclass(frozen=True, slots=True)
class Examined:
    """A point of a record, arranged to be computed again and again."""

    record: CalibrationInput
    measurand: Measurand
    point: PointInput
    measured: Measured

    def result(self, scales: Scales | None = None) -> PointResult:
        """Return the result at the point, its standard uncertainties multiplied.

        Raises as `evaluate.evaluate` for this point.
        """
        (row,) = by_point(make_budgets(self.measured, scales))
        return point_result(self.record, self.measurand, row, self.point)

    def compared(self, scales: Scales | None = None) -> Comparison:
        """Return both ways of propagating at the point.

        Raises EngineError where a trial has no finite result.
        """
        budgets, model = make_budgets(self.measured, scales), model_of(self.measured)
        text, variables, through = _drawn(self.measurand, budgets, model)
        function = parse(text, tuple(variables))
        plan = prepare({"y": function}, variables, np.eye(len(variables)))
        found = run_sobol(plan, trials=TRIALS, p=PROBABILITY, seed=SEED)
        drawn = found.outputs["y"]
        value, u, dof = (float(a[0]) for a in (budgets.error, budgets.u, budgets.dof))
        half = float(coverage_factor(dof, PROBABILITY)) * u
        digits = self.record.rounding.digits if self.record.rounding.digits in (1, 2) else 2
        low, high = drawn.interval
        return Comparison(
            gum=Estimated(value, u, value - half, value + half),
            trials=Estimated(drawn.value, drawn.u, low, high),
            count=found.trials,
            seed=SEED,
            standard_errors=drawn.errors,
            delta=numerical_tolerance(drawn.u, digits),
            digits=digits,
            d_low=abs(value - half - low),
            d_high=abs(value + half - high),
            through_slope=through,
        )


def examine(record: CalibrationInput, key: str) -> Examined:
    """Return one point of a record, ready to be computed.

    Raises
    ------
    NotFound
        The record has no such point, or it is not complete.
    """
    whole = with_shared(in_order(record))
    point = next((p for p in whole.points if p.key == key), None)
    if point is None:
        raise NotFound(
            "budget-point-unknown",
            "The record has no point {key} here. Choose one of the list.",
            at="/at",
            facts={"key": key},
        )
    measurand = whole.definition.measurand(point.measurand)
    others = tuple(p for p in whole.points if p.measurand != measurand.id)
    alone = replace(whole, points=(point, *others))
    return Examined(whole, measurand, point, arrange([alone], measurand))


def _drawn(
    measurand: Measurand, budgets: Budgets, model: Model
) -> tuple[str, dict[str, Variable], tuple[str, ...]]:
    """Return the function with every component in it, what is drawn, and what goes by its slope."""
    names = model.function.names
    variables = {n: Variable(Estimate(float(model.values[n][0]), 0.0, math.inf)) for n in names}
    added: dict[str, list[str]] = {}
    slopes, through = [], []
    for i, component in enumerate(measurand.components):
        u, dof = float(budgets.u_input[i, 0]), float(budgets.dof_input[i, 0])
        if not u or not budgets.counted[i, 0]:
            continue
        name = _new_name(i, names)
        variables[name] = _variable(component, u, dof)
        if component.input in names:
            added.setdefault(component.input, []).append(name)
        else:
            slopes.append(f"({float(budgets.c[i, 0])!r})*{name}")
            through.append(component.id)
    text = re.sub(
        r"[A-Za-z_]\w*",
        lambda found: (
            f"({'+'.join((found[0], *added[found[0]]))})" if found[0] in added else found[0]
        ),
        measurand.function,
    )
    text = "+".join((f"({text})", *slopes))
    return (f"-({text})" if measurand.output == "correction" else text), variables, tuple(through)


def _new_name(place: int, names: tuple[str, ...]) -> str:
    name = f"e{place}"
    while name in names:
        name = f"e{name}"
    return name


def _variable(component: Component, u: float, dof: float) -> Variable:
    """Return the distribution that stands behind a standard uncertainty (JCGM 101 6.4)."""
    estimate = Estimate(0.0, u, dof)
    is_resolution = component.evaluate == "resolution"
    is_stated = component.evaluate == "B" and component.u is None and component.k is None
    shape = "rectangular" if is_resolution else component.distribution
    if not (is_resolution or is_stated) or shape == "normal":
        return Variable(estimate)
    half_width = u / standard_uncertainty(shape, half_width=1.0)
    return Variable(estimate, shape, {"half_width": half_width})
