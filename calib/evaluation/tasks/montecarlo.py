"""Method ``monte_carlo`` of ``propagate`` tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calib.engine.accelerated import GROUPS, run_controlled, run_linearised, run_sobol
from calib.engine.expression import Expression
from calib.engine.implicit import solve_implicit
from calib.engine.montecarlo import (
    MonteCarlo,
    Plan,
    numerical_tolerance,
    prepare,
    run_adaptive,
    run_monte_carlo,
)
from calib.engine.propagation import Propagation, assemble, default_coverage, propagate
from calib.engine.sobol import MOST_PLACES
from calib.engine.streams import GENERATOR, check_seed
from calib.engine.trials import Summary
from calib.evaluation.tasks.inputs import Inputs
from calib.evaluation.tasks.reader import Fields, TaskRefused, place, read_whole

DRAWN = ("trials", "adaptive", "seed", "item", "sampling", "compare")
"""Keys that only this method takes."""
SAMPLINGS = ("random", "sobol", "control_variate", "linearised")
"""Where the trials come from."""
TRIALS = 1_000_000
SEED = 1
DIGITS = 2
SHARE = 0.2
"""Of the tolerance, when the run is there to validate another method (JCGM 101 8.2)."""
_REFUSED = ("k", "coverage", "average")
_RUNS = {"random": run_monte_carlo, "sobol": run_sobol, "control_variate": run_controlled}


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
    plan = _plan(fields, model, inputs)
    found, digits = _run(fields, plan, p)
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
        "item": found.item,
        "sampling": found.sampling,
        "generator": GENERATOR,
        "intervals": "counts" if found.counted else "order_statistics",
        "stable": found.stable,
    }
    if found.sampling == "linearised":
        out |= dict.fromkeys(("seed", "item", "generator"))
        out["intervals"] = "characteristic_function"
    if compare:
        out |= _validate(_by_gum(fields, plan, inputs, p), found, digits)
    return out


def read_start(fields: Fields, model: Mapping[str, Expression]) -> dict[str, float]:
    """Read the starting values of an implicit model, 1 by default."""
    if not fields.has("start"):
        return dict.fromkeys(model, 1.0)
    given = Fields(fields.get("start"), "start", tuple(model))
    return {name: given.number(name, 1.0) for name in model}


def _plan(fields: Fields, model: dict[str, Expression], inputs: Inputs) -> Plan:
    """Check the inputs; an implicit model is solved at the estimates first."""
    start = None
    if fields.flag("implicit"):
        at = {name: e.value for name, e in inputs.estimates.items()}
        with place("function"):
            start, _ = solve_implicit(list(model.values()), read_start(fields, model), at)
    elif fields.has("start"):
        raise TaskRefused("bad-task", "start goes with an implicit model only.", "start")
    variables = inputs.variables
    with place("correlations"):
        return prepare(model, variables, inputs.matrix, start)


def _usual(fields: Fields, plan: Plan, trials: int, p: float) -> str:
    """Sobol points where they can be had: their figures settle to the printed digits."""
    enough = trials // GROUPS >= 100 / (1 - p) and len(plan.places) <= MOST_PLACES
    return "sobol" if enough and not fields.has("adaptive") else "random"


def _run(fields: Fields, plan: Plan, p: float) -> tuple[MonteCarlo, int]:
    """Draw a fixed number of trials, or until the results are stable."""
    trials = _whole(fields, "trials", TRIALS)
    sampling = fields.word("sampling", SAMPLINGS, _usual(fields, plan, trials, p))
    seed, item = (_whole(fields, key, default) for key, default in (("seed", SEED), ("item", 0)))
    for key, number in (("seed", seed), ("item", item)):
        with place(key):
            check_seed(key, number)
    drawn = [key for key in ("trials", "adaptive", "seed", "item") if fields.has(key)]
    if sampling == "linearised":
        if drawn:
            msg = f"{drawn[0]!r} does not go with sampling 'linearised', which draws nothing."
            raise TaskRefused("bad-task", msg, drawn[0])
        with place("sampling"):
            return run_linearised(plan, p=p), DIGITS
    if not fields.has("adaptive"):
        with place("trials" if fields.has("trials") else "function"):
            return _RUNS[sampling](plan, trials=trials, p=p, seed=seed, item=item), DIGITS
    if fields.has("trials"):
        raise TaskRefused("bad-task", "Give trials or adaptive, not both.", "trials")
    if sampling != "random":
        msg = "adaptive goes with sampling 'random' only."
        raise TaskRefused("bad-task", msg, "sampling")
    asked = Fields(fields.get("adaptive"), "adaptive", ("digits",))
    digits = _whole(asked, "digits", DIGITS)
    share = SHARE if fields.flag("compare") else 1.0
    with place("adaptive"):
        found = run_adaptive(plan, digits=digits, p=p, seed=seed, item=item, share=share)
    return found, digits


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
        "standard_error": dict(zip(("value", "u", "low", "high"), found.errors, strict=True)),
    }


def _by_gum(fields: Fields, plan: Plan, inputs: Inputs, p: float) -> Propagation:
    """Propagate the same model by the law of propagation."""
    order = _whole(fields, "order", 1)
    if order not in (1, 2):
        raise TaskRefused("bad-value", "order must be 1 or 2.", "order")
    r, choose = inputs.matrix, default_coverage(p)
    with place("function"):
        if plan.start is None:
            return propagate(
                plan.model, inputs.estimates, r=r, order=order, tied=inputs.tied, choose=choose
            )
        if order == 2:
            raise TaskRefused("bad-task", "order 2 takes no implicit model.", "order")
        at = {name: e.value for name, e in inputs.estimates.items()}
        values, slopes = solve_implicit(list(plan.model.values()), plan.start, at)
        return assemble(values, inputs.estimates, slopes, r=r, tied=inputs.tied, choose=choose)


def _validate(linear: Propagation, found: MonteCarlo, digits: int) -> dict[str, Any]:
    """Compare both ends of each interval with the law of propagation (JCGM 101 clause 8)."""
    rows = {}
    for budget, (name, drawn) in zip(linear.budgets, found.outputs.items(), strict=True):
        low, high = (abs(a - b) for a, b in zip(budget.interval, drawn.interval, strict=True))
        delta = numerical_tolerance(drawn.u, digits)
        rows[name] = {
            "delta": delta, "d_low": low, "d_high": high, "validated": max(low, high) <= delta,
        }  # fmt: skip
    return {"gum_validated": all(r["validated"] for r in rows.values()), "validation": rows}
