"""What the result of a fit says, and reading the curve forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from calib.engine import predictions
from calib.engine.correlations import correlation_of
from calib.engine.coverage import coverage_factor
from calib.engine.fit_types import Fit, PolynomialFit, Prediction
from calib.engine.models import ModelFit
from calib.evaluation.tasks.fit_data import read_uncertainty, read_variables
from calib.evaluation.tasks.reader import Fields, TaskRefused, finite, place, read_matrix

Variables = tuple[str, ...] | None


def describe(fit: PolynomialFit | ModelFit, variables: Variables, fields: Fields) -> dict[str, Any]:
    """Give parameters and quality of a fit."""
    cov = fit.covariance
    out = {
        "parameters": _parameters(fit, fields),
        "covariance": None if cov is None else cov.tolist(),
        "correlation": None if cov is None else _correlation(fit),
        "chi2": fit.chi2,
        "dof": fit.dof,
        "s": fit.s,
        "reduced_chi2": fit.chi2 / fit.dof if fit.dof else None,
        "chi2_critical": fit.chi2_critical,
        "consistent": fit.consistent,
        "r_squared": fit.r_squared,
        "F": fit.f_statistic,
        "aicc": fit.aicc,
        "residuals": fit.residuals.tolist(),
        "leave_one_out": list(fit.leave_one_out),
    }
    if fit.adjusted is not None:
        x = fit.adjusted.x.tolist()
        out["adjusted"] = {
            "x": x[0] if variables is None else dict(zip(variables, x, strict=True)),
            "y": fit.adjusted.y.tolist(),
            "largest": fit.adjusted.largest,
        }
    if isinstance(fit, ModelFit):
        end = fit.convergence
        out["convergence"] = {
            "path": end.path, "steps": end.steps, "shift": end.shift, "curvature": end.curvature,
        }  # fmt: skip
    return out


def _parameters(fit: Fit, fields: Fields) -> dict[str, dict[str, Any]]:
    """Give value and u of each parameter, with the interval where a probability is asked for."""
    p = fields.maybe_number("coverage_probability")
    parameters = {}
    for i, name in enumerate(fit.names):
        value, u = fit.estimate(name)
        dof = float(fit.parameter_dof[i])
        row: dict[str, Any] = {"value": value, "u": u}
        if fields.has("u_y_common") or p is not None:
            row["dof"] = finite(dof)
        if fields.has("u_y_common"):
            row["u_common"] = abs(float(fit.common[i]))
        if p is not None:
            row |= _covered(value, u, dof, p)
        parameters[name] = row
    return parameters


def _covered(value: float, u: float | None, dof: float, p: float) -> dict[str, Any]:
    """Give coverage factor, U, interval and the ratio of value to u."""
    with place("coverage_probability"):
        k = None if u is None else float(coverage_factor(dof, p))
    if u is None or k is None:
        return {"k": None, "U": None, "interval": None, "t": None}
    t = value / u if u else None
    return {"k": k, "U": k * u, "interval": [value - k * u, value + k * u], "t": t}


def _correlation(fit: Fit) -> dict[str, dict[str, float]]:
    r = correlation_of(np.asarray(fit.covariance))
    return {
        a: {b: float(r[i, j]) for j, b in enumerate(fit.names)} for i, a in enumerate(fit.names)
    }


def evaluate(fit: PolynomialFit | ModelFit, variables: Variables, fields: Fields) -> dict[str, Any]:
    """Give the predictions and inverse evaluations that were asked for.

    Raises
    ------
    TaskRefused
        What was asked for cannot be read, or has no answer.
    """
    out: dict[str, Any] = {}
    if fields.has("predict"):
        asked = Fields(fields.get("predict"), "predict", ("x", "u_x"))
        names, x = read_variables(asked, "x")
        _same_variables(names, variables)
        u_x = read_uncertainty(asked, "u_x", names, len(x[0]))
        with place("predict"):
            found = predictions.predict(fit, _rectangle(x), 0.0 if u_x is None else u_x)
        out |= _predicted(found, names, x)
    if fields.has("inverse"):
        found = _invert(fit, Fields(fields.get("inverse"), "inverse", ("y", "u_y", "readings")))
        out["inverse"] = [
            {"y": yi, "x": xi, "u": u, "extrapolated": beyond}
            for yi, xi, u, beyond in zip(
                found.y.tolist(), found.x.tolist(), _column(found.u, len(found.x)),
                found.extrapolated, strict=True,
            )
        ]  # fmt: skip
    return out


def _same_variables(names: Variables, variables: Variables) -> None:
    """Require the variables of the fit, in their order."""
    if names != variables:
        want = "one plain list" if variables is None else f"the variables {', '.join(variables)}"
        raise TaskRefused("bad-task", f"predict.x must be {want}, in this order.", "predict.x")


def _rectangle(x: list[list[float]]) -> list[list[float]]:
    """Require lists of equal length."""
    if len({len(values) for values in x}) != 1:
        raise TaskRefused("bad-task", "predict.x must hold lists of equal length.", "predict.x")
    return x


def _predicted(found: Prediction, names: Variables, x: list[list[float]]) -> dict[str, Any]:
    """Give one row per argument and the covariance between the values."""
    points = list(zip(*x, strict=True))
    n, cov = len(points), found.covariance
    return {
        "predictions": [
            {"x": at[0] if names is None else dict(zip(names, at, strict=True)), "y": y, "u": u,
             "u_single": single, "extrapolated": beyond}
            for at, y, u, single, beyond in zip(
                points, found.y.tolist(), _column(found.u, n), _column(found.u_single, n),
                found.extrapolated, strict=True,
            )
        ],
        "prediction_covariance": None if cov is None else cov.tolist(),
    }  # fmt: skip


def _column(values: Any, n: int) -> list[float | None]:
    return [None] * n if values is None else [float(v) for v in values]


def _invert(fit: PolynomialFit | ModelFit, asked: Fields) -> Prediction:
    if asked.has("readings"):
        if asked.has("y") or asked.has("u_y"):
            raise TaskRefused("bad-task", "Give readings, or y with u_y, not both.", "inverse")
        readings = read_matrix(asked.get("readings"), "inverse.readings")
        with place("inverse.readings"):
            return predictions.invert_readings(fit, readings)
    y, u_y = asked.numbers("y"), asked.number_or_list("u_y")
    with place("inverse"):
        return predictions.invert(fit, y, 0.0 if u_y is None else u_y)
