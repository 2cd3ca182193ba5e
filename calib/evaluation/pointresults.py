"""The budget at one point into its result: floor, printed figures, verdict, refusals in words.

Knows one point at a time; `budget` has computed them all together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from calib.engine.errors import EngineError
from calib.evaluation.budget import Budgets, make_budgets
from calib.evaluation.decimals import kept
from calib.evaluation.floor import raise_to_floor, rounding_of
from calib.evaluation.inputs import CalibrationInput, PointInput
from calib.evaluation.printing import Figures, print_point
from calib.evaluation.result import BudgetLine, PointResult
from calib.evaluation.series import Measured, arrange
from calib.evaluation.statement import state
from instruments.errors import Refused
from instruments.procedure import Measurand

Line = tuple[float, float, float, float, float, bool]
"""c, u, contribution, degrees of freedom, percent, counted."""


class PointBudget(NamedTuple):
    """Value and budget at one point, as plain numbers."""

    error: float
    reference: float
    indication: float
    u: float
    dof: float
    k: float
    n: float
    s: float
    lines: tuple[Line, ...]


def by_point(budgets: Budgets) -> list[PointBudget]:
    """Return the budgets point by point."""
    one = (
        budgets.error, budgets.reference, budgets.indication, budgets.u, budgets.dof, budgets.k,
        budgets.item.n, budgets.item.s,
    )  # fmt: skip
    return list(map(PointBudget, *(column.tolist() for column in one), _lines(budgets)))


def _lines(budgets: Budgets) -> Iterator[tuple[Line, ...]]:
    columns = (
        budgets.c, budgets.u_input, budgets.contributions, budgets.dof_input, budgets.percent,
        budgets.counted,
    )  # fmt: skip
    by_component = zip(*(column.T.tolist() for column in columns), strict=True)
    return (tuple(zip(*figures, strict=True)) for figures in by_component)


def point_result(
    record: CalibrationInput, measurand: Measurand, row: PointBudget, point: PointInput
) -> PointResult:
    """Return the result at one point.

    Raises
    ------
    Refused
        It cannot be printed: U is zero.
    """
    error, u, reference, indication = row.error, row.u, row.reference, row.indication
    U, k, raised = raise_to_floor(record, measurand.id, point.nominal, row.k, u)
    try:
        printed = print_point(
            point.nominal,
            Figures(reference, indication, error, u, U, k),
            rounding_of(record.rounding, raised=raised),
            relative=measurand.output == "relative_error",
        )
    except EngineError as fault:
        raise _refused_point(point, measurand, fault) from fault
    said = state(record, measurand, printed, kept(k))
    limit = said.row
    return PointResult(
        key=point.key, measurand=measurand.id, stage=point.stage, piece=point.piece,
        reference=kept(reference), indication=kept(indication), error=error,
        u=kept(u), dof=_finite(row.dof), k=kept(k), U=kept(U), cmc_applied=raised,
        readings=int(row.n), s=kept(row.s) if row.n > 1 else None,
        budget=_budget(measurand, row),
        printed=replace(printed, lower=said.lower, upper=said.upper) if limit else printed,
        verdict=said.verdict,
        conformance_probability=said.probability,
        limit_origin=said.agreed.origin if said.agreed else None,
        limit_document=limit.document if limit else "",
        limit_confidence=limit.confidence if limit else None,
        limit_confirmed=limit.confirmed if limit else None,
        acceptance=said.acceptance,
    )  # fmt: skip


def _budget(measurand: Measurand, row: PointBudget) -> tuple[BudgetLine, ...]:
    return tuple(
        BudgetLine(component.id, kept(c), kept(u), kept(part), _finite(dof), kept(share), counted)
        for component, (c, u, part, dof, share, counted) in zip(
            measurand.components, row.lines, strict=True
        )
    )


def _finite(dof: float) -> float | None:
    return kept(dof) if math.isfinite(dof) else None


def not_computable(measured: Measured, fault: EngineError) -> Refused:
    """Find the point of a record at fault by evaluating one after the other; else the type is."""
    (record,) = measured.records
    guilty = [p for p in measured.points if not _is_computable(record, measured.measurand, p)]
    return _refused_point((guilty or measured.points)[0], measured.measurand, fault)


def _is_computable(record: CalibrationInput, measurand: Measurand, point: PointInput) -> bool:
    try:
        make_budgets(arrange([replace(record, points=(point,))], measurand))
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
