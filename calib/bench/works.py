"""The works that `calib bench` measures, each with its known answer.

Models are compiled outside the clock; building the inputs from plain numbers belongs to the work.
The engine is imported when a work is prepared. This module must not know how time is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from calib.bench import budgets, calibrations, certificates, drift, fits, risks
from calib.bench.measure import Run, Work

GROUPS = ("W1", "W2", "W3", "W4", "W5", "W6", "W8")
TRIALS = 1_000_000
FLEET_TRIALS, FLEET_ITEMS = 100_000, 20
"""The fleet of W2 has 10 000 items; 20 of them are drawn, each costs the same."""
SEED = 20200414


def works_of(groups: Sequence[str]) -> Iterator[Work]:
    """Give the works of the groups, in their order."""
    return (work for work in WORKS if work.group in groups)


def _off(found: Any, answer: Any) -> float:
    """Return the largest relative deviation of numbers from their answers."""
    found, answer = np.asarray(found, dtype=np.float64), np.asarray(answer, dtype=np.float64)
    off: float = np.max(np.abs(found - answer) / np.abs(answer)).item()
    return off


# ---------------------------------------------------------------------------------- W1: budgets


def _compiled(model: budgets.Model) -> tuple[Any, Any]:
    from calib.engine.correlations import correlation_matrix, couple
    from calib.engine.expression import parse
    from calib.engine.program import compile_program

    a, b, r = budgets.CORRELATED
    names = model.names
    matrix = correlation_matrix(names, [(names[a], names[b], r)])
    return compile_program(parse(model.text, names), names), couple(matrix)


def _one_budget(model: budgets.Model) -> Run:
    from calib.engine.fleet import propagate_item

    program, coupling = _compiled(model)

    def run() -> object:
        x, u, dof = budgets.numbers(model)
        return propagate_item(program, x, u, dof, coupling, truncate=False)

    return run


def _many_budgets(model: budgets.Model) -> Run:
    from calib.engine.fleet import propagate_fleet

    program, coupling = _compiled(model)
    x, u, dof = budgets.fleet(model)
    first = propagate_fleet(program, x, u, dof, coupling, truncate=False)
    # a fleet is done again and again: the earlier result is written over
    return lambda: propagate_fleet(program, x, u, dof, coupling, truncate=False, into=first)


def _budget_off(model: budgets.Model, found: Any) -> float:
    return _off([found.value, found.u, found.dof, found.U], model.answer)


def _budgets_off(model: budgets.Model, found: Any) -> float:
    """Return the deviation of the last item from that item evaluated alone."""
    from calib.engine.fleet import propagate_item

    program, coupling = _compiled(model)
    x, u, dof = budgets.fleet(model)
    one = propagate_item(
        program, x[:, -1].tolist(), u[:, -1].tolist(), dof[:, 0].tolist(), coupling, truncate=False
    )
    last = [found.value[-1], found.u[-1], found.dof[-1], found.U[-1]]
    return _off(last, [one.value, one.u, one.dof, one.U])


# ----------------------------------------------------------- W2: propagation of distributions


def _plan(model: budgets.Model) -> tuple[Any, dict[str, Any], Any]:
    from calib.engine.correlations import correlation_matrix
    from calib.engine.expression import parse
    from calib.engine.montecarlo import prepare

    a, b, r = budgets.CORRELATED
    matrix = correlation_matrix(model.names, [(model.names[a], model.names[b], r)])
    variables = budgets.variables(model)
    return prepare({"y": parse(model.text, model.names)}, variables, matrix), variables, matrix


def _trials(model: budgets.Model) -> Run:
    from calib.engine.montecarlo import run_monte_carlo

    plan, *_ = _plan(model)
    return lambda: run_monte_carlo(plan, trials=TRIALS, seed=SEED)


def _adaptive(model: budgets.Model) -> Run:
    from calib.engine.montecarlo import run_adaptive

    plan, *_ = _plan(model)
    return lambda: run_adaptive(plan, digits=2, seed=SEED)


def _controlled(model: budgets.Model) -> Run:
    from calib.engine.accelerated import run_controlled

    plan, *_ = _plan(model)
    return lambda: run_controlled(plan, trials=2**15, seed=SEED)


def _drawn_fleet(model: budgets.Model) -> Run:
    from calib.engine.fleet_montecarlo import run_fleet

    plan, variables, r = _plan(model)
    fleet = [(item, variables) for item in range(FLEET_ITEMS)]

    def run() -> object:
        first, *_ = run_fleet(plan.model, fleet, r=r, trials=FLEET_TRIALS, seed=SEED)
        return first

    return run


def _linear_fleet(model: budgets.Model) -> Run:
    from calib.engine.fleet_montecarlo import linearise_fleet

    plan, variables, r = _plan(model)
    x, u, _ = budgets.fleet(model)
    widths = u / u[:, :1]
    return lambda: linearise_fleet(plan.model, variables, x, widths, r=r)["y"]


def _interval_off(model: budgets.Model, found: Any) -> float:
    """Largest deviation of mean, u and both ends, in units of u."""
    y = found.outputs["y"]
    got = np.array([y.value, y.u, *y.interval])
    off: float = (np.max(np.abs(got - np.array(model.drawn))) / model.drawn[1]).item()
    return off


def _linear_off(model: budgets.Model, found: Any) -> float:
    """Return how far the length of the interval is off; the first item has the widths of all."""
    _, about = found
    length = model.drawn[3] - model.drawn[2]
    return _off(about.high[0] - about.low[0], length)


# --------------------------------------------------------------------------------------- W3: fits


def _one_line(n: int) -> Run:
    from calib.engine.linexy import fit_line_xy

    points = [column.tolist() for column in fits.line(n)]
    return lambda: fit_line_xy(*points)


def _pearson() -> Run:
    from calib.engine.linexy import fit_line_xy

    points = [column.tolist() for column in fits.pearson()]
    return lambda: fit_line_xy(*points)


def _many_lines(n: int) -> Run:
    from calib.engine.linebatch import fit_lines_xy

    data = fits.lines(n)
    return lambda: fit_lines_xy(*data)


def _platinum(items: int) -> Run:
    from calib.engine.modelbatch import fit_platinum

    t, resistances, u = fits.resistances(items)
    return lambda: fit_platinum(t, resistances, u)


def _radiance(items: int) -> Run:
    from calib.engine.modelbatch import fit_sakuma_hattori

    t, signals, u = fits.radiances(items)
    return lambda: fit_sakuma_hattori(t, signals, u, fits.START[:2], fits.C2)


def _line_off(answer: tuple[float, float], found: Any) -> float:
    return _off([np.ravel(found.a)[0], np.ravel(found.b)[0]], answer)


def _parameters_off(answer: Sequence[float], found: Any) -> float:
    return _off(found.parameters[:, 0], answer)


def _unscattered(found: Any) -> float:
    """Share of lines that did not converge."""
    off: float = 1 - np.mean(found.converged).item()
    return off


# ------------------------------------------------------------------------------- W4, W6: fleets


def _drift() -> Run:
    from calib.engine.drift import Band, fit_lines

    t, y, u = drift.fleet()
    band = Band(-drift.LIMIT, drift.LIMIT, drift.FACTOR, drift.U0, 0.0, drift.HORIZON)
    return lambda: fit_lines(t, y, u, band)


def _drift_off(found: Any) -> float:
    """Deviation of twenty items from numpy's line and the closed form."""
    answers = [drift.answer(i) for i in range(20)]
    return _off(found.crossing[:20], [min(a, drift.HORIZON) for a in answers])


def _risk(items: int) -> Run:
    from calib.engine.priors import make_prior
    from calib.engine.risk import assess_risks

    p = risks.ONE
    mean, u_test = np.full(items, p.mean), np.full(items, p.u_test)

    def run() -> object:
        prior = make_prior("normal", {"mean": mean, "u": p.u})
        return assess_risks(
            prior, u_test, lower=p.lower, upper=p.upper,
            accept_lower=p.accept_lower, accept_upper=p.accept_upper,
        )  # fmt: skip

    return run


def _risk_off(found: Any) -> float:
    return _off([found.pfa[0], found.pfr[0]], [risks.CONSUMER, risks.PRODUCER])


# ------------------------------------------------------------------------------ W5: certificates


def _stage(name: str) -> Run:
    return certificates.stages()[name]


def _certificate(found: Any) -> float:
    return certificates.otherwise(found)


def _of_certificates() -> tuple[Work, ...]:
    names = (
        "evaluation", "lints", "DCC, compared and sealed", "mark", "pages", "pages read again",
        "seal of the file",
    )  # fmt: skip
    stages = (_work("W5", name, 1, partial(_stage, name), _nothing) for name in names)
    chain = _work("W5", "whole signed chain", 1, lambda: certificates.whole_chain, _certificate)
    short = partial(certificates.whole_chain, budgets=False)
    plain = _work("W5", "whole signed chain, no budgets", 1, lambda: short, _certificate)
    return (*stages, chain, plain)


def _nothing(_: Any) -> float:
    """Nothing to compare: what a stage gives is looked at in the whole chain."""
    return 0.0


# ---------------------------------------------------------------------------------- W8: records


def _calibrations(size: int = calibrations.FLEET) -> Run:
    calibrations.fleet(size)
    return partial(calibrations.evaluate_fleet, size)


def _work(
    group: str, name: str, size: int, prepare: Callable[[], Run], off: Callable[[Any], float]
) -> Work:
    return Work(group, name, size, prepare, off)


def _of_model(letter: str, model: budgets.Model) -> tuple[Work, ...]:
    one, many = partial(_budget_off, model), partial(_budgets_off, model)
    drawn, linear = partial(_interval_off, model), partial(_linear_off, model)
    return (
        _work("W1", f"model {letter}, one", 1, partial(_one_budget, model), one),
        _work("W1", f"model {letter}, fleet", budgets.FLEET, partial(_many_budgets, model), many),
        _work("W2", f"model {letter}, 10^6 trials", TRIALS, partial(_trials, model), drawn),
        _work("W2", f"model {letter}, adaptive to 2 digits", 1, partial(_adaptive, model), drawn),
        _work("W2", f"model {letter}, control variate", 2**15, partial(_controlled, model), drawn),
        _work(
            "W2", f"model {letter}, fleet of 10^5 trials", FLEET_ITEMS,
            partial(_drawn_fleet, model), drawn,
        ),
        _work(
            "W2", f"model {letter}, fleet, exact linear", budgets.FLEET,
            partial(_linear_fleet, model), linear,
        ),
    )  # fmt: skip


_LINE, _SPREAD = (0.05, 1.002), fits.BATCH
WORKS: tuple[Work, ...] = tuple(
    sorted(
        [
            *_of_model("A", budgets.A),
            *_of_model("B", budgets.B),
            *(
                _work("W3", f"York line, n = {n}", 1, partial(_one_line, n),
                      partial(_line_off, _LINE))
                for n in (5, 10, 20)
            ),
            _work("W3", "York line, Pearson", 1, _pearson, partial(_line_off, fits.PEARSON)),
            *(
                _work("W3", f"York lines, n = {n}", _SPREAD, partial(_many_lines, n), _unscattered)
                for n in (5, 10, 20)
            ),
            _work("W3", "platinum, one", 1, partial(_platinum, 1),
                  partial(_parameters_off, fits.PLATINUM)),
            _work("W3", "platinum, fleet", _SPREAD, partial(_platinum, _SPREAD),
                  partial(_parameters_off, fits.PLATINUM)),
            _work("W3", "Sakuma-Hattori, one", 1, partial(_radiance, 1),
                  partial(_parameters_off, fits.SAKUMA_HATTORI)),
            _work("W3", "Sakuma-Hattori, fleet", _SPREAD, partial(_radiance, _SPREAD),
                  partial(_parameters_off, fits.SAKUMA_HATTORI)),
            _work("W4", "drift of a fleet", drift.ITEMS, _drift, _drift_off),
            *_of_certificates(),
            _work("W6", "both risks, one", 1, partial(_risk, 1), _risk_off),
            _work("W6", "both risks, batch", risks.BATCH, partial(_risk, risks.BATCH), _risk_off),
            Work("W8", "fleet of calibrations", calibrations.FLEET, _calibrations,
                 calibrations.otherwise, partial(_calibrations, calibrations.FLEET // 10)),
        ],
        key=lambda work: work.group,
    )
)  # fmt: skip
