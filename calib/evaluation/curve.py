"""The curve fitted to the results of one measurand, and what it says elsewhere.

Ordinary least squares: the scatter about the curve is the uncertainty of the fit. What is the same
error at every point (the components marked common) does not show there and is added afterwards.
Outside the points a prediction is marked and must be accepted. Knows no pages.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calib.engine.coverage import rounded_coverage_factor
from calib.engine.fit_types import PolynomialFit
from calib.engine.leastsquares import fit_polynomial
from calib.engine.predictions import predict
from calib.engine.propagation import effective_dof
from calib.evaluation.budget import Budgets
from calib.evaluation.decimals import kept, number
from calib.evaluation.floor import raise_to_floor
from calib.evaluation.inputs import CalibrationInput
from calib.evaluation.places import last_stages
from calib.evaluation.printing import DUST, concise, round_pair, without_dust
from calib.evaluation.result import CurveParameter, CurvePrediction, CurveResult
from calib.evaluation.series import Measured, invalid_definition
from instruments.errors import Finding, Refused
from instruments.procedure import Measurand, Stage

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Group:
    """The points of one stage of one piece."""

    stage: Stage
    piece: int
    at: list[int]


def fit_curves(
    record: CalibrationInput, measured: Measured, budgets: Budgets
) -> tuple[tuple[CurveResult, ...], tuple[Finding, ...]]:
    """Return a curve per stage and piece of one measurand, with what must be said of them.

    Raises
    ------
    Refused
        The last stage of a piece has too few points for the curve of the type.
    EngineError
        The points do not determine the curve.
    """
    spec = measured.measurand.fit
    if spec.kind == "none":
        return (), ()
    last = last_stages(record)
    curves, findings = [], []
    for group in _groups(measured):
        if len(group.at) >= spec.degree + 2:
            curve = _fit(record, measured, budgets, group)
            curves.append(curve)
            findings += _extrapolated(measured.measurand, curve)
            continue
        finding = _too_few(measured.measurand, group)
        if group.stage == last[measured.measurand.id, group.piece]:
            raise Refused(finding.code, finding.message, at=finding.at, facts=finding.facts)
        findings.append(finding)
    return tuple(curves), tuple(findings)


def _groups(measured: Measured) -> list[_Group]:
    groups: dict[tuple[Stage, int], _Group] = {}
    for i, point in enumerate(measured.points):
        key = (point.stage, point.piece)
        groups.setdefault(key, _Group(*key, [])).at.append(i)
    return list(groups.values())


def _too_few(measurand: Measurand, group: _Group) -> Finding:
    return Finding(
        "curve-points-few",
        "The curve of {measurand} ({stage}, piece {piece}) needs {needed} points, got {count}:"
        " no curve is fitted. Measure more points.",
        "note",
        f"/points/{measurand.id}/{group.stage}/{group.piece}",
        {
            "measurand": measurand.id,
            "stage": group.stage,
            "piece": group.piece,
            "needed": measurand.fit.degree + 2,
            "count": len(group.at),
        },
    )


def _extrapolated(measurand: Measurand, curve: CurveResult) -> list[Finding]:
    return [
        Finding(
            "curve-extrapolated",
            "The curve of {measurand} is read at {x} {unit}, outside the points it rests on"
            " ({low} ... {high}). Measure there, or accept the extrapolation.",
            "warning",
            f"/predict/{measurand.id}/{curve.stage}/{curve.piece}/{prediction.x}",
            {
                "measurand": measurand.id,
                "x": prediction.x,
                "unit": measurand.unit,
                "low": curve.low,
                "high": curve.high,
            },
        )
        for prediction in curve.predictions
        if prediction.extrapolated
    ]


def _fit(
    record: CalibrationInput, measured: Measured, budgets: Budgets, group: _Group
) -> CurveResult:
    measurand = measured.measurand
    spec = measurand.fit
    if spec.x not in measured.series:
        raise invalid_definition(measurand, f"its curve runs over {spec.x}, no input")
    x = measured.series[spec.x].mean[group.at]
    y = budgets.output[group.at]
    y = y if (measurand.output == "correction") == (spec.y == "correction") else -y
    names = tuple(f"y{i + 1}" for i in range(spec.degree + 1))
    fit = fit_polynomial(x, y, spec.degree, origin=number(spec.origin), names=names)
    size = max(float(np.abs(x).max()), float(np.abs(y).max()))
    covariance = _covariance(fit, size)
    u = np.sqrt(np.diag(covariance))
    return CurveResult(
        measurand=measurand.id,
        stage=group.stage,
        piece=group.piece,
        x=spec.x,
        y=spec.y,
        origin=spec.origin,
        low=kept(fit.x_low),
        high=kept(fit.x_high),
        parameters=tuple(
            CurveParameter(name, kept(value), kept(ui), concise(float(value), float(ui)))
            for name, value, ui in zip(names, fit.parameters, u, strict=True)
        ),
        correlation=_correlation(covariance, u),
        s=None if fit.s is None else kept(fit.s),
        dof=fit.dof,
        residuals=tuple(float(without_dust(float(r), size)) for r in fit.residuals),
        predictions=_predictions(record, measurand, budgets, group, fit),
    )


def _covariance(fit: PolynomialFit, size: float) -> FloatArray:
    """Covariance of the parameters; residuals that are binary dust count as none."""
    if fit.covariance is None or fit.s is None or fit.s <= size * 10.0**DUST:
        return np.zeros((len(fit.parameters), len(fit.parameters)))
    return fit.covariance


def _correlation(covariance: FloatArray, u: FloatArray) -> tuple[tuple[float, ...], ...]:
    scale = np.outer(u, u)
    matrix = np.where(scale > 0, covariance / np.where(scale > 0, scale, 1.0), np.eye(len(u)))
    np.fill_diagonal(matrix, 1.0)
    return tuple(tuple(kept(r) for r in row) for row in matrix)


def _predictions(
    record: CalibrationInput,
    measurand: Measurand,
    budgets: Budgets,
    group: _Group,
    fit: PolynomialFit,
) -> tuple[CurvePrediction, ...]:
    texts = record.predict.get(measurand.id, measurand.fit.predict)
    if not texts:
        return ()
    common, dof = _common(measurand, budgets, group)
    found = predict(fit, [number(text) for text in texts])
    u_fit = np.zeros(len(texts)) if found.u is None else found.u
    parts = np.vstack([u_fit, np.repeat(common[:, None], len(texts), axis=1)])
    dofs = np.concatenate([[float(max(fit.dof, 1))], dof])[:, None]
    u = np.sqrt(np.sum(parts**2, axis=0))
    k = rounded_coverage_factor(effective_dof(parts, dofs))
    return tuple(
        _prediction(record, measurand, text, fit, tuple(map(float, figures)))
        for text, *figures in zip(texts, found.x, found.y, u_fit, u, k, strict=True)
    )


def _prediction(
    record: CalibrationInput,
    measurand: Measurand,
    text: str,
    fit: PolynomialFit,
    figures: tuple[float, ...],
) -> CurvePrediction:
    x, y, u_fit, u, k = figures
    U, k, _ = raise_to_floor(record, measurand.id, text, k, u)
    printed = round_pair(y, U, max(abs(x), abs(y)), record.rounding)
    return CurvePrediction(
        x=text, y=kept(y), u_fit=kept(u_fit), u=kept(u), k=kept(k), U=kept(U),
        printed=concise(y, u_fit),
        printed_value=printed.value,
        printed_U=printed.U,
        extrapolated=not fit.x_low <= x <= fit.x_high,
    )  # fmt: skip


def _common(measurand: Measurand, budgets: Budgets, group: _Group) -> tuple[FloatArray, FloatArray]:
    """Return common contributions and their dof where together they are largest."""
    rows = [i for i, component in enumerate(measurand.components) if component.common]
    if not rows:
        return np.zeros(0), np.zeros(0)
    here = np.ix_(rows, group.at)
    parts = np.where(budgets.counted[here], budgets.contributions[here], 0.0)
    largest = int(np.argmax(np.sum(parts**2, axis=0)))
    return parts[:, largest], budgets.dof_input[here][:, largest]
