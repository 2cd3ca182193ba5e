"""Tasks of kind ``fit``: a curve through points, its parameters, predictions and inverse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from calib.engine import predictions
from calib.engine.correlations import correlation_of
from calib.engine.fit_types import PolynomialFit, Prediction
from calib.engine.leastsquares import fit_polynomial
from calib.engine.totalleastsquares import METHODS, fit_polynomial_xy
from calib.evaluation.tasks.reader import (
    Fields,
    TaskRefused,
    finite,
    place,
    read_matrix,
    read_whole,
)

KEYS = (
    "kind", "model", "degree", "x", "y", "u_x", "u_y", "cov_x", "cov_y", "cov_xy",
    "scale_by_residuals", "weighting", "covariance_method", "u_y_common", "predict", "inverse",
    "function", "parameters",
)  # fmt: skip
MODELS = ("line", "proportional", "polynomial")
LATER = ("callendar_van_dusen", "sakuma_hattori", "steinhart_hart", "expression")
_IN_X = ("u_x", "cov_x", "cov_xy", "covariance_method")


def compute_fit(task: Mapping[str, Any]) -> dict[str, Any]:
    """Compute a task of kind ``fit``.

    Raises
    ------
    TaskRefused
        The task cannot be read, or the points do not determine the curve.
    """
    fields = Fields(task, "", KEYS)
    model = fields.word("model", MODELS + LATER)
    if model in LATER:
        raise TaskRefused("not-offered", f"Model {model!r} is not offered yet.", "model")
    for key in ("function", "parameters"):
        if fields.has(key):
            raise TaskRefused("bad-task", f"{key!r} does not go with model {model!r}.", key)
    fit = _fit(fields, model)
    return {"kind": "fit", "model": model, **_describe(fit, fields), **_evaluate(fit, fields)}


def _fit(fields: Fields, model: str) -> PolynomialFit:
    """Read the data and fit."""
    x, y = fields.numbers("x"), fields.numbers("y")
    if fields.has("degree") != (model == "polynomial"):
        word = "needs a" if model == "polynomial" else "takes no"
        raise TaskRefused("bad-task", f"Model {model!r} {word} degree.", "degree")
    if len(x) != len(y):
        raise TaskRefused("bad-task", f"x has {len(x)} values, y has {len(y)}.", "y")
    degree = read_whole(fields.need("degree"), "degree") if model == "polynomial" else 1
    options: dict[str, Any] = {
        "u_y": fields.number_or_list("u_y"),
        "cov_y": _matrix(fields, "cov_y"),
        "scale_by_residuals": fields.flag("scale_by_residuals"),
        "u_y_common": fields.number("u_y_common", 0.0),
        "proportional": model == "proportional",
        "names": {"line": ("a", "b"), "proportional": ("b",)}.get(model),
    }
    weighting = fields.word("weighting", ("none", "uncertainty"), "uncertainty")
    if not any(fields.has(key) for key in _IN_X):
        with place("x"):
            return fit_polynomial(x, y, degree, weighted=weighting != "none", **options)
    if weighting == "none":
        msg = "weighting 'none' does not go with uncertainties of x."
        raise TaskRefused("bad-task", msg, "weighting")
    options |= {key: _matrix(fields, key) for key in ("cov_x", "cov_xy")}
    options["u_x"] = fields.number_or_list("u_x")
    options["covariance_method"] = fields.word("covariance_method", METHODS, METHODS[0])
    with place("x"):
        return fit_polynomial_xy(x, y, degree, **options)


def _matrix(fields: Fields, key: str) -> list[list[float]] | None:
    """Read a matrix whose rows have equal length."""
    if not fields.has(key):
        return None
    rows = read_matrix(fields.get(key), key)
    if {len(row) for row in rows} != {len(rows)}:
        raise TaskRefused("bad-task", f"{key} must be a square matrix.", key)
    return rows


def _describe(fit: PolynomialFit, fields: Fields) -> dict[str, Any]:
    """Parameters and quality of the fit."""
    parameters = {}
    for i, name in enumerate(fit.names):
        value, u = fit.estimate(name)
        parameters[name] = {"value": value, "u": u}
        if fields.has("u_y_common"):
            parameters[name]["dof"] = finite(float(fit.parameter_dof[i]))
    cov = fit.covariance
    return {
        "parameters": parameters,
        "covariance": None if cov is None else cov.tolist(),
        "correlation": None if cov is None else _correlation(fit),
        "chi2": fit.chi2,
        "dof": fit.dof,
        "s": fit.s,
        "chi2_critical": fit.chi2_critical,
        "consistent": fit.consistent,
        "r_squared": fit.r_squared,
        "residuals": fit.residuals.tolist(),
        "leave_one_out": list(fit.leave_one_out),
    }


def _correlation(fit: PolynomialFit) -> dict[str, dict[str, float]]:
    r = correlation_of(np.asarray(fit.covariance))
    return {
        a: {b: float(r[i, j]) for j, b in enumerate(fit.names)} for i, a in enumerate(fit.names)
    }


def _evaluate(fit: PolynomialFit, fields: Fields) -> dict[str, Any]:
    """Predictions and inverse evaluations that were asked for."""
    out: dict[str, Any] = {}
    if fields.has("predict"):
        asked = Fields(fields.get("predict"), "predict", ("x", "u_x"))
        x, u_x = asked.numbers("x", 0), asked.number_or_list("u_x")
        with place("predict"):
            found = predictions.predict(fit, x, 0.0 if u_x is None else u_x)
        out["predictions"] = [
            {"x": xi, "y": yi, "u": u, "u_single": single}
            for xi, yi, u, single in zip(
                found.x.tolist(), found.y.tolist(), _column(found.u, len(x)),
                _column(found.u_single, len(x)), strict=True,
            )
        ]  # fmt: skip
        cov = found.covariance
        out["prediction_covariance"] = None if cov is None else cov.tolist()
    if fields.has("inverse"):
        found = _invert(fit, Fields(fields.get("inverse"), "inverse", ("y", "u_y", "readings")))
        out["inverse"] = [
            {"y": yi, "x": xi, "u": u}
            for yi, xi, u in zip(
                found.y.tolist(), found.x.tolist(), _column(found.u, len(found.x)), strict=True
            )
        ]
    return out


def _column(values: Any, n: int) -> list[float | None]:
    return [None] * n if values is None else [float(v) for v in values]


def _invert(fit: PolynomialFit, asked: Fields) -> Prediction:
    if asked.has("readings"):
        if asked.has("y") or asked.has("u_y"):
            raise TaskRefused("bad-task", "Give readings, or y with u_y, not both.", "inverse")
        readings = read_matrix(asked.get("readings"), "inverse.readings")
        with place("inverse.readings"):
            return predictions.invert_readings(fit, readings)
    y, u_y = asked.numbers("y"), asked.number_or_list("u_y")
    with place("inverse"):
        return predictions.invert(fit, y, 0.0 if u_y is None else u_y)
