"""Tasks of kind ``propagate``: measurement functions, input quantities, uncertainty of results."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calib.engine.averaging import average_results
from calib.engine.coverage import (
    check_probability,
    coverage_factor,
    dominant_coverage,
    rounded_coverage_factor,
)
from calib.engine.degrees import RULES
from calib.engine.expression import Expression, parse
from calib.engine.grammar import check_name
from calib.engine.implicit import solve_implicit
from calib.engine.propagation import Propagation, assemble, propagate
from calib.engine.regions import coverage_region
from calib.engine.types import Budget, Coverage
from calib.evaluation.tasks.inputs import Inputs, read_inputs
from calib.evaluation.tasks.montecarlo import DRAWN, compute_monte_carlo, read_start
from calib.evaluation.tasks.reader import Fields, TaskRefused, finite, join, place
from calib.evaluation.tasks.units import check_units

KEYS = (
    "kind", "function", "inputs", "correlations", "method", "order", "coverage_probability", "k",
    "coverage", "simultaneous", "average", "implicit", "start", *DRAWN, "shared",
    "correlated_dof", "unit", "region",
)  # fmt: skip
ONLY_GUM = ("correlated_dof", "region")
COVERAGES = ("t", "dominant", "two_or_t")
MAX_OUTPUTS = 50
Choose = Callable[[NDArray[np.float64], float], Coverage]


def compute_propagate(task: Mapping[str, Any]) -> dict[str, Any]:
    """Compute a task of kind ``propagate``.

    Raises
    ------
    TaskRefused
        The task cannot be read, or the model has no finite result.
    """
    fields = Fields(task, "", KEYS)
    method = fields.word("method", ("gum", "monte_carlo"), "gum")
    if method == "gum":
        for key in DRAWN:
            if fields.has(key):
                raise TaskRefused("bad-task", f"{key!r} goes with method 'monte_carlo' only.", key)
    for key in ONLY_GUM if method != "gum" else ():
        if fields.has(key):
            raise TaskRefused("bad-task", f"{key!r} goes with method 'gum' only.", key)
    inputs = read_inputs(fields)
    model = _read_model(fields, inputs)
    units = check_units(fields, model, inputs.units)
    choose = _read_coverage(fields, inputs)
    if method == "monte_carlo":
        out = compute_monte_carlo(fields, model, inputs)
    else:
        found = _propagate(fields, model, inputs, choose)
        shaped = fields.word("coverage", COVERAGES, "t") == "dominant"
        budgets = zip(found.names, found.budgets, strict=True)
        out = {
            "kind": "propagate",
            "method": "gum",
            "outputs": {n: _output(b, shaped=shaped) for n, b in budgets},
            "correlation": _square(found.names, found.correlation),
            "covariance": _square(found.names, found.covariance),
        }
        if fields.flag("region"):
            out["region"] = _region(fields, found)
    for name, unit in units.items():
        out["outputs"][name]["unit"] = unit
    if inputs.remarks:
        out["remarks"] = inputs.remarks
    return out


def _square(names: Sequence[str], matrix: NDArray[np.float64]) -> dict[str, dict[str, float]]:
    """Write a matrix as a map of maps."""
    return {a: {b: float(matrix[i, j]) for j, b in enumerate(names)} for i, a in enumerate(names)}


def _region(fields: Fields, found: Propagation) -> dict[str, Any]:
    """Joint coverage regions of all outputs (JCGM 102 6.5)."""
    if fields.has("k"):
        msg = "A region follows from coverage_probability, not from k."
        raise TaskRefused("bad-task", msg, "region")
    p = fields.number("coverage_probability", 0.95)
    with place("region"):
        region = coverage_region(found.covariance, p)
    return {
        "coverage_probability": p,
        "ellipse": {
            "k": region.k_ellipse,
            "half_axes": region.axes.tolist(),
            "directions": [
                dict(zip(found.names, row, strict=True)) for row in region.directions.tolist()
            ],
        },
        "rectangle": {
            "k": region.k_box,
            "half_widths": dict(zip(found.names, region.half_widths.tolist(), strict=True)),
        },
    }


def _read_model(fields: Fields, inputs: Inputs) -> dict[str, Expression]:
    """Read the measurement functions."""
    given = fields.need("function")
    texts = {"y": given} if isinstance(given, str) else given
    if not isinstance(texts, Mapping) or not 1 <= len(texts) <= MAX_OUTPUTS:
        msg = f"function must be an expression or an object of 1 to {MAX_OUTPUTS} of them."
        raise TaskRefused("bad-value", msg, "function")
    names = [*inputs.estimates, *(texts if fields.flag("implicit") else ())]
    model = {}
    for output, text in texts.items():
        at = "function" if isinstance(given, str) else join("function", str(output)[:60])
        if not isinstance(text, str):
            raise TaskRefused("bad-value", f"{at} must be an expression.", at)
        with place(at):
            check_name(output)
            if output in inputs.estimates and fields.flag("implicit"):
                raise TaskRefused("bad-value", f"{output!r} is input and output.", at)
            model[output] = parse(text, names)
    return model


def _read_coverage(fields: Fields, inputs: Inputs) -> Choose:
    """Read how the coverage factor is found."""
    policy = fields.word("coverage", COVERAGES, "t")
    given = [k for k in ("coverage_probability", "k") if fields.has(k)]
    if (
        len(given) > 1
        or (policy == "two_or_t" and given)
        or (policy == "dominant" and "k" in given)
    ):
        msg = "Give only one of coverage_probability, k and a coverage that excludes them."
        raise TaskRefused("bad-task", msg, given[-1])
    if fields.has("k"):
        k = fields.number("k")
        if k <= 0:
            raise TaskRefused("bad-number", "k must be positive.", "k")
        return lambda _parts, _dof: Coverage(k, "fixed")
    if policy == "two_or_t":
        return lambda _parts, dof: Coverage(float(rounded_coverage_factor(dof)))
    p = fields.number("coverage_probability", 0.95)
    with place("coverage_probability"):
        check_probability(p)
    flat = inputs.flat

    def choose(parts: NDArray[np.float64], dof: float) -> Coverage:
        if policy == "dominant":
            widths = np.where(flat, np.abs(parts) * math.sqrt(3), np.nan)
            found = dominant_coverage(np.abs(parts), widths, p)
            if found is not None:
                return found
        return Coverage(float(coverage_factor(dof, p)))

    return choose


def _propagate(
    fields: Fields, model: dict[str, Expression], inputs: Inputs, choose: Choose
) -> Propagation:
    """Choose the way through: explicit, implicit, or results averaged."""
    order = fields.number("order", 1)
    if order not in (1, 2):
        raise TaskRefused("bad-value", "order must be 1 or 2.", "order")
    by_results = fields.word("average", ("inputs", "results"), "inputs") == "results"
    implicit = fields.flag("implicit")
    if order == 2 and (implicit or any(c[2] for c in inputs.correlations)):
        msg = "order 2 takes neither correlated inputs nor an implicit model."
        raise TaskRefused("bad-task", msg, "order")
    if fields.has("start") and not implicit:
        raise TaskRefused("bad-task", "start goes with an implicit model only.", "start")
    r, tied = inputs.matrix, inputs.tied
    rule = fields.word("correlated_dof", RULES, RULES[0])
    if by_results:
        if implicit or order == 2 or len(inputs.groups) != 1:
            msg = "average 'results' needs one group in simultaneous and an explicit model."
            raise TaskRefused("bad-task", msg, "average")
        readings = {n: inputs.readings[n] for n in inputs.groups[0]}
        with place("function"):
            return average_results(model, inputs.estimates, readings, r=r, rule=rule, choose=choose)
    with place("function"):
        if implicit:
            values, slopes = solve_implicit(
                list(model.values()),
                read_start(fields, model),
                {n: e.value for n, e in inputs.estimates.items()},
            )
            return assemble(
                values, inputs.estimates, slopes, r=r, tied=tied, rule=rule, choose=choose
            )
        return propagate(
            model, inputs.estimates, r=r, order=int(order), tied=tied, rule=rule, choose=choose
        )


def _output(budget: Budget, *, shaped: bool) -> dict[str, Any]:
    """One output as a document."""
    out: dict[str, Any] = {
        "value": budget.value,
        "u": budget.u,
        "dof": finite(budget.dof),
        "k": budget.k,
        "U": budget.U,
        "interval": list(budget.interval),
        "budget": [
            {
                "input": row.name,
                "c": row.c,
                "u": row.u,
                "contribution": row.contribution,
                "dof": finite(row.dof),
                "percent": row.percent,
            }
            for row in budget.rows
        ],
    }
    if shaped:
        out["coverage"] = {"shape": budget.coverage.shape, "beta": budget.coverage.beta}
    return out
