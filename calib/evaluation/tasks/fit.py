"""Tasks of kind ``fit``: a curve through points, its parameters, predictions and inverse."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from calib.engine.choice import Choice, choose_degree
from calib.engine.fit_types import PolynomialFit
from calib.engine.leastsquares import fit_polynomial
from calib.engine.models import NAMED, Model, ModelFit, stated
from calib.engine.nonlinear import fit_model
from calib.engine.nonlinear_xy import fit_model_xy
from calib.engine.totalleastsquares import fit_polynomial_xy
from calib.evaluation.tasks.fit_data import Points, read_points, read_starts
from calib.evaluation.tasks.fit_report import describe, evaluate
from calib.evaluation.tasks.reader import Fields, TaskRefused, join, place, read_whole

KEYS = (
    "kind", "model", "degree", "x", "y", "u_x", "u_y", "cov_x", "cov_y", "cov_xy",
    "scale_by_residuals", "weighting", "covariance_method", "u_y_common", "predict", "inverse",
    "function", "parameters", "coverage_probability",
)  # fmt: skip
POLYNOMIALS = ("line", "proportional", "polynomial")
MODELS = (*POLYNOMIALS, *NAMED, "expression")
_NAMES = {"line": ("a", "b"), "proportional": ("b",)}
_REASONS = {
    "lowest-aicc": "it has the lowest AICc",
    "lowest-aicc-of-consistent": "of the degrees that pass the chi-squared test it has the lowest"
    " AICc",
    "none-consistent": "no degree passes the chi-squared test; it has the lowest AICc",
}


def compute_fit(task: Mapping[str, Any]) -> dict[str, Any]:
    """Compute a task of kind ``fit``.

    Raises
    ------
    TaskRefused
        The task cannot be read, or the points do not determine the curve.
    """
    fields = Fields(task, "", KEYS)
    model = fields.word("model", MODELS)
    _check_keys(fields, model)
    if isinstance(fields.get("x"), Mapping) and model != "expression":
        raise TaskRefused("bad-task", f"Model {model!r} is a curve over one plain list x.", "x")
    points = read_points(fields)
    out: dict[str, Any] = {"kind": "fit", "model": model}
    fit: PolynomialFit | ModelFit
    if model not in POLYNOMIALS:
        fit = _fit_model(fields, points, model)
    elif isinstance(fields.get("degree"), Mapping):
        choice = _choose(fields, points)
        fit = choice.fit
        out |= {"degree": choice.degree, "choice": _told(choice)}
    else:
        given = fields.get("degree")
        degree = 1 if given is None else read_whole(given, "degree")
        with place("x"):
            fit = _fit_polynomial(points, model, degree)
    names = points.variables
    return {**out, **describe(fit, names, fields), **evaluate(fit, names, fields)}


def _check_keys(fields: Fields, model: str) -> None:
    """Require the keys that belong to the model and refuse those that do not."""
    if fields.has("degree") != (model == "polynomial"):
        word = "needs a" if model == "polynomial" else "takes no"
        raise TaskRefused("bad-task", f"Model {model!r} {word} degree.", "degree")
    for key in ("function", "parameters"):
        allowed = model == "expression" or (key == "parameters" and model in NAMED)
        if fields.has(key) and not allowed:
            raise TaskRefused("bad-task", f"{key!r} does not go with model {model!r}.", key)


def _fit_polynomial(points: Points, model: str, degree: int) -> PolynomialFit:
    """Fit a polynomial of a known degree."""
    fit = fit_polynomial_xy if points.both else fit_polynomial
    return fit(
        points.x[0], points.y, degree, proportional=model == "proportional",
        names=_NAMES.get(model), **points.options,
    )  # fmt: skip


def _choose(fields: Fields, points: Points) -> Choice:
    """Choose the degree of a polynomial within the limits asked for."""
    asked = Fields(fields.get("degree"), "degree", ("at_least", "at_most"))
    most = read_whole(asked.need("at_most"), "degree.at_most")
    least = read_whole(asked.need("at_least"), "degree.at_least") if asked.has("at_least") else 1
    with place("degree" if not 0 <= least <= most else "x"):
        return choose_degree(partial(_fit_polynomial, points, "polynomial"), least, most)


def _told(choice: Choice) -> dict[str, Any]:
    """Say which degree was chosen among which, and why."""
    return {
        "reason": f"Degree {choice.degree} was chosen: {_REASONS[choice.reason]}.",
        "rule": choice.reason,
        "candidates": [
            {"degree": c.degree, "chi2": c.chi2, "dof": c.dof, "aicc": c.aicc,
             "consistent": c.consistent}
            for c in choice.candidates
        ],
    }  # fmt: skip


def _fit_model(fields: Fields, points: Points, name: str) -> ModelFit:
    """Fit a named model or a stated function."""
    model, start = _stated(fields, points) if name == "expression" else _named(fields, points, name)
    fit = fit_model_xy if points.both else fit_model
    with place("x"):
        return fit(model, points.x, points.y, start, **points.options)


def _stated(fields: Fields, points: Points) -> tuple[Model, list[float] | None]:
    """Read a function and the starting values of its parameters."""
    text = fields.need("function")
    if not isinstance(text, str):
        raise TaskRefused("bad-value", "function must be text.", "function")
    names, starts = read_starts(fields.need("parameters"), "parameters")
    with place("function"):
        model = stated(text, names, points.variables or ("x",))
    if model.is_linear:
        return model, None
    return model, _complete(names, starts)


def _complete(names: tuple[str, ...], starts: list[float | None]) -> list[float]:
    """Require a starting value for each parameter."""
    found = []
    for name, start in zip(names, starts, strict=True):
        if start is None:
            at = join("parameters", name)
            msg = f"{at}: the function is not linear in its parameters, so {name!r} needs a start."
            raise TaskRefused("missing-key", msg, at)
        found.append(start)
    return found


def _named(fields: Fields, points: Points, name: str) -> tuple[Model, list[float] | None]:
    """Give a named model, with starting values where they are stated."""
    model = NAMED[name](np.array(points.x))
    if not fields.has("parameters"):
        return model, None
    names, starts = read_starts(fields.get("parameters"), "parameters")
    if names != model.parameters:
        msg = (
            f"Model {name!r} has the parameters {', '.join(model.parameters)} here, in this order."
        )
        raise TaskRefused("bad-task", msg, "parameters")
    return model, _complete(names, starts)
