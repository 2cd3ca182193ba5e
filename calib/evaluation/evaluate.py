"""The frozen record into its result: checks, budget, curve, statement; pure and deterministic.

The same input gives the same bytes on every machine: no clock, no database, no environment. What
the engine refuses is put here in terms of point and reading.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable
from dataclasses import replace

from calib.engine.errors import EngineError
from calib.evaluation.budget import Budgets, make_budgets
from calib.evaluation.checks import check_record, not_calibratable
from calib.evaluation.curve import fit_curves
from calib.evaluation.decimals import kept
from calib.evaluation.floor import floor_findings, raise_to_floor, rounding_of
from calib.evaluation.inputs import CalibrationInput, PointInput
from calib.evaluation.places import numbers_of_pieces
from calib.evaluation.printing import Figures, print_point
from calib.evaluation.result import (
    BudgetLine,
    CalibrationResult,
    CurveResult,
    FoundFinding,
    PieceVerdict,
    PointResult,
)
from calib.evaluation.series import Measured, arrange
from calib.evaluation.shared import with_shared
from calib.evaluation.statement import judge, judge_pieces, judge_whole, unconfirmed
from instruments.errors import Finding, Refused
from instruments.procedure import READ, Measurand


def evaluate(calibration_input: CalibrationInput) -> CalibrationResult:
    """Return the result of a frozen record.

    Raises
    ------
    Refused
        ``checks-failed`` with every finding, ``definition-invalid``, ``curve-points-few``,
        or ``not-computable`` naming the point.
    """
    findings = list(check_record(calibration_input))
    if not_calibratable(calibration_input):
        return _without_measurement(calibration_input, findings)
    errors = sum(finding.severity == "error" for finding in findings)
    if errors:
        raise Refused(
            "checks-failed",
            "{errors} errors stand against an evaluation. Correct them and evaluate again.",
            facts={"errors": errors},
            findings=tuple(findings),
        )
    record = with_shared(calibration_input)
    points: list[PointResult] = []
    curves: list[CurveResult] = []
    for measurand in record.definition.measurands:
        measured = arrange(record, measurand)
        if measured.points:
            new_points, new_curves, said = _evaluate_measurand(record, measured)
            points += new_points
            curves += new_curves
            findings += said
    findings += floor_findings(record, points)
    findings += _examinations(record)
    pieces = judge_pieces(record, points)
    return CalibrationResult(
        input_digest=calibration_input.digest(),
        points=tuple(points),
        curves=tuple(curves),
        pieces=pieces,
        verdict=judge_whole(record, pieces),
        unconfirmed_limits=unconfirmed(points),
        findings=_found(record, findings),
    )


def evaluate_points(calibration_input: CalibrationInput) -> tuple[PointResult, ...]:
    """Return what the complete points give so far, whatever stands against the record as a whole.

    For the page beside the entry while a record is still being measured: no curve, no statement on
    the item, and nothing of it is ever stored. A measurand that cannot be computed yet is left out.
    """
    found: list[PointResult] = []
    entered = with_shared(calibration_input)
    for measurand in entered.definition.measurands:
        read = {name for name, quantity in measurand.inputs.items() if quantity.source in READ}
        complete = tuple(
            point
            for point in entered.points
            if point.measurand == measurand.id and all(point.readings.get(n) for n in read)
        )
        if not complete:
            continue
        others = tuple(p for p in entered.points if p.measurand != measurand.id)
        record = replace(entered, points=(*complete, *others))
        with contextlib.suppress(EngineError, Refused):
            measured = arrange(record, measurand)
            budgets = make_budgets(record, measured)
            found += [
                _point(record, measured, budgets, i, point) for i, point in enumerate(complete)
            ]
    return tuple(found)


def _without_measurement(record: CalibrationInput, findings: list[Finding]) -> CalibrationResult:
    pieces = numbers_of_pieces(record)
    return CalibrationResult(
        input_digest=record.digest(),
        points=(),
        curves=(),
        pieces=tuple(PieceVerdict(piece, "not_calibratable") for piece in pieces),
        verdict="not_calibratable",
        unconfirmed_limits=(),
        findings=_found(record, findings),
    )


def _evaluate_measurand(
    record: CalibrationInput, measured: Measured
) -> tuple[list[PointResult], tuple[CurveResult, ...], tuple[Finding, ...]]:
    try:
        budgets = make_budgets(record, measured)
    except EngineError as fault:
        raise _not_computable(record, measured.measurand, fault) from fault
    points = [
        _point(record, measured, budgets, i, point) for i, point in enumerate(measured.points)
    ]
    try:
        curves, said = fit_curves(record, measured, budgets)
    except EngineError as fault:
        raise Refused(
            "curve-not-computable",
            "The curve of {measurand} cannot be fitted: {reason}",
            at=f"/points/{measured.measurand.id}",
            facts={"measurand": measured.measurand.id, "reason": fault.message},
        ) from fault
    return points, curves, said


def _not_computable(record: CalibrationInput, measurand: Measurand, fault: EngineError) -> Refused:
    """Find the point at fault by evaluating one after the other; else the type is."""
    points = [point for point in record.points if point.measurand == measurand.id]
    guilty = [point for point in points if not _is_computable(record, measurand, point)]
    return _refused_point((guilty or points)[0], measurand, fault)


def _is_computable(record: CalibrationInput, measurand: Measurand, point: PointInput) -> bool:
    try:
        make_budgets(record, arrange(replace(record, points=(point,)), measurand))
    except EngineError:
        return False
    return True


def _refused_point(point: PointInput, measurand: Measurand, fault: EngineError) -> Refused:
    readings = "; ".join(
        f"{name} = {', '.join(reading.value for reading in series)}"
        for name, series in point.readings.items()
    )
    return Refused(
        "not-computable",
        "The result at {nominal} {unit} ({stage}, piece {piece}) cannot be computed from"
        " {readings}: {reason}",
        at=f"/points/{point.key}",
        facts={
            "nominal": point.nominal,
            "unit": measurand.unit,
            "stage": point.stage,
            "piece": point.piece,
            "readings": readings or "the nominal value",
            "reason": fault.message,
        },
    )


def _point(
    record: CalibrationInput, measured: Measured, budgets: Budgets, i: int, point: PointInput
) -> PointResult:
    measurand = measured.measurand
    error, u = float(budgets.error[i]), float(budgets.u[i])
    reference, indication = float(budgets.reference[i]), float(budgets.indication[i])
    U, k, raised = raise_to_floor(record, measurand.id, point.nominal, float(budgets.k[i]), u)
    try:
        printed = print_point(
            point.nominal,
            Figures(reference, indication, error, u, U, k),
            rounding_of(record.rounding, raised=raised),
            relative=measurand.output == "relative_error",
        )
    except EngineError as fault:
        raise _refused_point(point, measurand, fault) from fault
    n = int(budgets.item.n[i])
    result = PointResult(
        key=point.key, measurand=measurand.id, stage=point.stage, piece=point.piece,
        reference=kept(reference), indication=kept(indication), error=error,
        u=kept(u), dof=_finite(float(budgets.dof[i])), k=kept(k), U=kept(U), cmc_applied=raised,
        readings=n, s=kept(float(budgets.item.s[i])) if n > 1 else None,
        budget=_lines(measurand, budgets, i),
        printed=printed, verdict="not_stated",
    )  # fmt: skip
    return judge(record, result)


def _lines(measurand: Measurand, budgets: Budgets, i: int) -> tuple[BudgetLine, ...]:
    return tuple(
        BudgetLine(
            component=component.id,
            c=kept(float(budgets.c[j, i])),
            u=kept(float(budgets.u_input[j, i])),
            contribution=kept(float(budgets.contributions[j, i])),
            dof=_finite(float(budgets.dof_input[j, i])),
            percent=kept(float(budgets.percent[j, i])),
            counted=bool(budgets.counted[j, i]),
        )
        for j, component in enumerate(measurand.components)
    )


def _finite(dof: float) -> float | None:
    return kept(dof) if math.isfinite(dof) else None


def _examinations(record: CalibrationInput) -> Iterable[Finding]:
    """Without an agreed rule nothing is stated; a failed examination is told all the same."""
    for examination in record.examinations:
        if not examination.passed and record.decision_rule.id == "none":
            yield Finding(
                "examination-failed",
                "The examination {examination} was not passed ({remark}); no statement of"
                " conformity was agreed, so it stands as an observation.",
                "note",
                f"/examinations/{examination.id}",
                {"examination": examination.id, "remark": examination.remark or "no remark"},
            )


def _found(record: CalibrationInput, findings: Iterable[Finding]) -> tuple[FoundFinding, ...]:
    accepted = set(record.accepted_warnings)
    return tuple(
        FoundFinding(
            code=finding.code,
            severity=finding.severity,
            message=finding.message,
            at=finding.at,
            facts={name: str(value) for name, value in finding.facts.items()},
            clause=finding.clause,
            accepted=finding.severity == "warning" and f"{finding.code}@{finding.at}" in accepted,
        )
        for finding in findings
    )
