"""The curve fitted to the results of one measurand, and what it says elsewhere.

Ordinary least squares: the scatter about the curve is the uncertainty of the fit. What is the same
error at every point (the components marked common) does not show there and is added afterwards.
Outside the points a prediction is marked and must be accepted. Knows no pages.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calib.engine.coverage import rounded_coverage_factor
from calib.engine.degrees import effective_dof
from calib.engine.fit_types import PolynomialFit
from calib.engine.leastsquares import fit_polynomial
from calib.engine.predictions import predict
from calib.evaluation.budget import Budgets
from calib.evaluation.decimals import DUST, kept, number, without_dust
from calib.evaluation.floor import raise_to_floor, rounding_of
from calib.evaluation.inputs import CalibrationInput
from calib.evaluation.places import last_stages
from calib.evaluation.printing import concise, round_pair
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
    record: CalibrationInput, measured: Measured, budgets: Budgets, own: range
) -> tuple[tuple[CurveResult, ...], tuple[Finding, ...]]:
    """Return a curve per stage and piece of one measurand, with what must be said of them.

    `own` are the places of the record among the points.

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
    for group in _groups(measured, own):
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


def _groups(measured: Measured, own: range) -> list[_Group]:
    groups: dict[tuple[Stage, int], _Group] = {}
    for i in own:
        point = measured.points[i]
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
    y = budgets.error[group.at] * (-1 if spec.y == "correction" else 1)
    names = tuple(f"y{i + 1}" for i in range(spec.degree + 1))
    size = float(np.abs(y).max())
    fit = _settled(fit_polynomial(x, y, spec.degree, origin=number(spec.origin), names=names), size)
    u = np.sqrt(np.diag(np.asarray(fit.covariance)))
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
            _parameter(name, float(value), float(ui), size / (fit.x_high - fit.x_low) ** i)
            for i, (name, value, ui) in enumerate(zip(names, fit.parameters, u, strict=True))
        ),
        correlation=_correlation(np.asarray(fit.covariance), u),
        s=None if fit.s is None else kept(fit.s),
        dof=fit.dof,
        residuals=tuple(float(without_dust(float(r), size)) for r in fit.residuals),
        predictions=_predictions(record, measurand, budgets, group, fit),
    )


def _parameter(name: str, value: float, u: float, scale: float) -> CurveParameter:
    return CurveParameter(
        name, float(without_dust(value, scale)), kept(u), concise(value, u, scale)
    )


def _settled(fit: PolynomialFit, size: float) -> PolynomialFit:
    """Return the fit; a scatter that is binary dust counts as none."""
    if fit.s is not None and fit.s > size * 10.0**DUST:
        return fit
    none = np.zeros((len(fit.parameters), len(fit.parameters)))
    rest = np.zeros(len(fit.residuals))
    return replace(fit, s=0.0, covariance=none, basis_covariance=none, residuals=rest)


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
    u_fit = np.asarray(found.u)
    parts = np.vstack([u_fit, np.repeat(common[:, None], len(texts), axis=1)])
    dofs = np.concatenate([[float(fit.dof)], dof])[:, None]
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
    U, k, raised = raise_to_floor(record, measurand.id, text, k, u)
    printed = round_pair(y, U, rounding_of(record.rounding, raised=raised))
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
