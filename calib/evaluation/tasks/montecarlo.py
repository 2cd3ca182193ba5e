"""Method ``monte_carlo`` of ``propagate`` tasks."""

from __future__ import annotations

from typing import Any

from calib.engine.expression import Expression
from calib.engine.montecarlo import (
    MonteCarlo,
    Summary,
    numerical_tolerance,
    run_adaptive,
    run_monte_carlo,
)
from calib.engine.propagation import default_coverage, propagate
from calib.evaluation.tasks.inputs import Inputs
from calib.evaluation.tasks.reader import Fields, TaskRefused, place, read_whole

DRAWN = ("trials", "adaptive", "seed", "compare")
"""Keys that only this method takes."""
TRIALS = 1_000_000
SEED = 1
DIGITS = 2
_REFUSED = ("k", "coverage", "average", "implicit", "start")


def compute_monte_carlo(
    fields: Fields, model: dict[str, Expression], inputs: Inputs
) -> dict[str, Any]:
    """Compute a ``propagate`` task by the Monte Carlo method.

    Raises
    ------
    TaskRefused
        A key does not go with the method, or a trial has no finite result.
    """
    for key in _REFUSED:
        if fields.has(key):
            raise TaskRefused("bad-task", f"{key!r} does not go with method 'monte_carlo'.", key)
    compare = fields.flag("compare")
    if fields.has("order") and not compare:
        raise TaskRefused("bad-task", "order goes with method 'gum', or with compare.", "order")
    p = fields.number("coverage_probability", 0.95)
    found, digits = _run(fields, model, inputs, p)
    out: dict[str, Any] = {
        "kind": "propagate",
        "method": "monte_carlo",
        "outputs": {name: _output(s) for name, s in found.outputs.items()},
        "correlation": {
            a: {b: float(found.correlation[i, j]) for j, b in enumerate(model)}
            for i, a in enumerate(model)
        },
        "trials": found.trials,
        "seed": found.seed,
        "stable": found.stable,
    }
    if compare:
        out["gum_validated"] = _validate(fields, model, inputs, found, p, digits)
    return out


def _run(
    fields: Fields, model: dict[str, Expression], inputs: Inputs, p: float
) -> tuple[MonteCarlo, int]:
    """Draw a fixed number of trials, or until the results are stable."""
    seed = _whole(fields, "seed", SEED)
    variables, r = inputs.variables, inputs.matrix
    if not fields.has("adaptive"):
        trials = _whole(fields, "trials", TRIALS)
        with place("trials" if fields.has("trials") else "function"):
            found = run_monte_carlo(model, variables, r=r, trials=trials, p=p, seed=seed)
        return found, DIGITS
    if fields.has("trials"):
        raise TaskRefused("bad-task", "Give trials or adaptive, not both.", "trials")
    asked = Fields(fields.get("adaptive"), "adaptive", ("digits",))
    digits = _whole(asked, "digits", DIGITS)
    with place("adaptive"):
        return run_adaptive(model, variables, r=r, digits=digits, p=p, seed=seed), digits


def _whole(fields: Fields, key: str, default: int) -> int:
    if not fields.has(key):
        return default
    return read_whole(fields.get(key), fields.place(key))


def _output(found: Summary) -> dict[str, Any]:
    return {
        "value": found.value,
        "u": found.u,
        "dof": None,
        "k": found.U / found.u if found.u > 0 else None,
        "U": found.U,
        "interval": list(found.interval),
        "shortest": list(found.shortest),
    }


def _validate(
    fields: Fields,
    model: dict[str, Expression],
    inputs: Inputs,
    found: MonteCarlo,
    p: float,
    digits: int,
) -> bool:
    """Compare both ends of each interval with the law of propagation (JCGM 101 clause 8)."""
    order = _whole(fields, "order", 1)
    with place("function"):
        linear = propagate(
            model, inputs.estimates, r=inputs.matrix, order=order, tied=inputs.tied,
            choose=default_coverage(p),
        )  # fmt: skip
    for budget, drawn in zip(linear.budgets, found.outputs.values(), strict=True):
        delta = numerical_tolerance(drawn.u, digits)
        ends = zip(budget.interval, drawn.interval, strict=True)
        if any(abs(a - b) > delta for a, b in ends):
            return False
    return True
