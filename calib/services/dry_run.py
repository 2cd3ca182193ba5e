"""What past results would be under a changed method: nothing is stored but the evidence.

Each record of the type is computed again from its frozen input with the other definition put in;
limits that came from the type are chosen anew, what was agreed on the order stays. Rows are read in
batches: the number of queries does not depend on the number of records.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import Any, Literal

from sqlalchemy import case, func, select

from calib.evaluation.fleet import evaluate_many
from calib.evaluation.inputs import CalibrationInput
from calib.evaluation.result import CalibrationResult, PointResult
from calib.records.calibrations import Calibration, Evaluation
from calib.records.certificates import Certificate, CertificateEvent
from calib.services.evaluation import SOFTWARE
from calib.services.freezing import agreed_limits
from instruments.canonical import digest
from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.errors import Finding, Refused
from instruments.plain import to_plain
from instruments.procedure import InstrumentType
from instruments.records.instruments import Instrument
from instruments.records.models import InstrumentModel
from instruments.services import methods
from instruments.services.method_views import MethodView, get_method

BATCH = 50
MOST_AT_A_DOOR = 300
"""Somebody waits for the answer: more are compared by ``calib method dry-run``."""
MOST_POINTS = 12
"""Points of one record that are told one by one; the rest is counted."""

Outcome = Literal["same", "changed", "flipped", "not_evaluable"]
OUTCOMES: tuple[Outcome, ...] = ("flipped", "not_evaluable", "changed", "same")


@dataclass(frozen=True, slots=True)
class PointChange:
    """One point that would be printed otherwise, or judged otherwise."""

    key: str
    measurand: str
    nominal: str
    before: str
    """Error and U as printed; empty: the point is new."""
    after: str
    """Empty: the point is gone."""
    limits_before: str
    limits_after: str
    verdict_before: str
    verdict_after: str


@dataclass(frozen=True, slots=True)
class DryRunRow:
    """One record that would give something else."""

    calibration_id: int
    state: str
    simulated: bool
    certificate_id: int | None
    certificate_number: str
    item: str
    """Maker, model and serial."""
    performed_on: date | None
    outcome: Outcome
    verdict_before: str
    verdict_after: str
    points_changed: int
    points: tuple[PointChange, ...]
    """The first of them."""
    findings: tuple[Finding, ...]
    """Why it cannot be evaluated, or what the checks would say that they did not say before."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """What came of it over all records that were compared."""

    type_id: str
    definition: str
    """Digest of the definition that was tried."""
    software: str
    compared: int
    known: int
    """Records of the type with a stored result; those beyond `compared` were not looked at."""
    unevaluated: int
    """Records of the type that have no stored result yet."""
    counts: Mapping[str, int]
    """By outcome."""
    rows: tuple[DryRunRow, ...]
    """Those that differ, what was issued first."""

    def evidence(self) -> dict[str, Any]:
        """Return what is kept with a submission."""
        shown = [to_plain(replace(row, findings=(), performed_on=None)) for row in self.rows]
        return {
            "definition": self.definition,
            "software": self.software,
            "compared": self.compared,
            "known": self.known,
            "unevaluated": self.unevaluated,
            **{outcome: self.counts[outcome] for outcome in OUTCOMES},
            "certificates": [r.certificate_number for r in self.rows if r.outcome == "flipped"][
                :100
            ],
            "rows": digest(shown),
        }


def dry_run(
    ctx: Context,
    definition: InstrumentType,
    *,
    most: int | None = None,
    tell: Callable[[int, int], None] | None = None,
) -> DryRun:
    """Return what the newest results of this type in this lab would be under the definition.

    What was issued comes first, then the newest; `most` bounds how many are compared, `tell` hears
    how many of how many are done.

    Raises NotAllowed for people who are not the lab's own.
    """
    ctx.need("method.read")
    known, unevaluated = _counted(ctx, definition.id)
    counts: dict[str, int] = dict.fromkeys(OUTCOMES, 0)
    rows: list[DryRunRow] = []
    done = 0
    total = known if most is None else min(most, known)
    for row in _compared(ctx, definition, most):
        counts[row.outcome] += 1
        done += 1
        if row.outcome != "same" or row.findings:
            rows.append(row)
        if tell is not None:
            tell(done, total)
    return DryRun(
        type_id=definition.id,
        definition=definition.digest(),
        software=SOFTWARE,
        compared=done,
        known=known,
        unevaluated=unevaluated,
        counts=counts,
        rows=tuple(rows),
    )


def submit(
    ctx: Context,
    method_id: int,
    version: int,
    reason: str,
    catalogue: Catalogue,
    *,
    most: int | None = MOST_AT_A_DOOR,
) -> MethodView:
    """Hand a draft in for approval with what a dry run shows; raises as `methods.submit` does."""
    found = get_method(ctx, method_id)
    evidence: Mapping[str, Any] = {}
    if found.definition is not None and found.version == version:
        evidence = dry_run(ctx, found.definition, most=most).evidence()
    return methods.submit(ctx, method_id, version, reason, evidence, catalogue)


def under(stored: str, definition: InstrumentType) -> CalibrationInput:
    """Return a frozen input with another definition, its limits chosen anew where the type's held.

    The kind of work, what was agreed, readings and standards stay as they were frozen.
    """
    plain = json.loads(stored)
    plain["input"]["definition"] = definition
    frozen = CalibrationInput.from_dict(plain)
    stated = {m: agreed for m, agreed in frozen.limits.items() if agreed.origin != "type"}
    limits = agreed_limits(definition, frozen.item.attributes, stated)
    return replace(frozen, limits=limits)


def _counted(ctx: Context, type_id: str) -> tuple[int, int]:
    """Return how many records of the type have a stored result, and how many have none."""
    evaluated = select(Evaluation.calibration_id)
    count = select(func.count()).select_from(Calibration).where(Calibration.type_id == type_id)
    known = ctx.session.scalar(count.where(Calibration.id.in_(evaluated))) or 0
    every = ctx.session.scalar(count) or 0
    return known, every - known


def _compared(ctx: Context, definition: InstrumentType, most: int | None) -> Iterator[DryRunRow]:
    stored = _stored(ctx, definition.id, most)
    while group := tuple(islice(stored, BATCH)):
        inputs = [under(row.input_json, definition) for row in group]
        for row, now in zip(group, evaluate_many(inputs), strict=True):
            yield _row(row, CalibrationResult.from_dict(json.loads(row.result_json)), now)


def _stored(ctx: Context, type_id: str, most: int | None) -> Iterator[Any]:
    """Yield the newest evaluation of each record of the type, issued ones first."""
    newest = (
        select(func.max(Evaluation.id).label("id"))
        .join(Calibration, Calibration.id == Evaluation.calibration_id)
        .where(Calibration.type_id == type_id)
        .group_by(Evaluation.calibration_id)
        .subquery()
    )
    issued = (
        select(Certificate.calibration_id, func.max(Certificate.id).label("id"))
        .join(CertificateEvent, CertificateEvent.certificate_id == Certificate.id)
        .where(CertificateEvent.event == "issued")
        .group_by(Certificate.calibration_id)
        .subquery()
    )
    statement = (
        select(
            Evaluation.input_json,
            Evaluation.result_json,
            Calibration.id,
            Calibration.state,
            Calibration.simulated,
            Calibration.performed_on,
            Certificate.id.label("certificate_id"),
            Certificate.number,
            Instrument.serial,
            InstrumentModel.maker,
            InstrumentModel.model,
        )
        .join(newest, newest.c.id == Evaluation.id)
        .join(Calibration, Calibration.id == Evaluation.calibration_id)
        .join(Instrument, Instrument.id == Calibration.instrument_id)
        .join(InstrumentModel, InstrumentModel.id == Instrument.model_id)
        .outerjoin(issued, issued.c.calibration_id == Calibration.id)
        .outerjoin(Certificate, Certificate.id == issued.c.id)
        .order_by(case((issued.c.id.is_not(None), 0), else_=1), Evaluation.id.desc())
        .limit(most)
        .execution_options(yield_per=BATCH)
    )
    return iter(ctx.session.execute(statement))


def _row(row: Any, before: CalibrationResult, now: CalibrationResult | Refused) -> DryRunRow:
    told = DryRunRow(
        calibration_id=row.id,
        state=row.state,
        simulated=row.simulated,
        certificate_id=row.certificate_id,
        certificate_number=row.number or "",
        item=" ".join(part for part in (row.maker, row.model, row.serial) if part),
        performed_on=row.performed_on,
        outcome="same",
        verdict_before=before.verdict,
        verdict_after="",
        points_changed=0,
        points=(),
        findings=(),
    )
    if isinstance(now, Refused):
        stop = Finding(now.code, now.message, "error", now.at, now.facts, now.clause)
        errors = tuple(f for f in now.findings if f.severity == "error") or (stop,)
        return replace(told, outcome="not_evaluable", findings=errors)
    points = _points(before.points, now.points)
    has_flipped = now.verdict != before.verdict or _flipped(before, now)
    is_other = bool(points) or before.curves != now.curves
    outcome: Outcome = "flipped" if has_flipped else "changed" if is_other else "same"
    return replace(
        told,
        outcome=outcome,
        verdict_after=now.verdict,
        points_changed=len(points),
        points=tuple(points[:MOST_POINTS]),
        findings=_new_findings(before, now),
    )


def _flipped(before: CalibrationResult, now: CalibrationResult) -> bool:
    """Answer whether the verdict on a piece of a batch became another."""
    then = {piece.piece: piece.verdict for piece in before.pieces}
    return any(then.get(piece.piece) != piece.verdict for piece in now.pieces)


def _new_findings(before: CalibrationResult, now: CalibrationResult) -> tuple[Finding, ...]:
    said = {(found.code, found.at) for found in before.findings}
    return tuple(
        Finding(f.code, f.message, f.severity, f.at, f.facts, f.clause)
        for f in now.findings
        if (f.code, f.at) not in said and f.severity != "note"
    )


def _points(before: Sequence[PointResult], now: Sequence[PointResult]) -> list[PointChange]:
    then = {_key(point): point for point in before}
    found = {_key(point): point for point in now}
    return [
        _change(then.get(key), found.get(key))
        for key in dict.fromkeys([*then, *found])
        if _said(then.get(key)) != _said(found.get(key))
    ]


def _key(point: PointResult) -> tuple[str, str]:
    """Name a point; results that share readings stand at the same place."""
    return point.key, point.measurand


def _said(point: PointResult | None) -> object:
    """Return what of a point a certificate prints."""
    return None if point is None else (point.printed, point.verdict)


def _change(before: PointResult | None, now: PointResult | None) -> PointChange:
    shown = now or before
    assert shown is not None  # noqa: S101 -- a key comes from one of the two
    return PointChange(
        key=shown.key,
        measurand=shown.measurand,
        nominal=shown.printed.nominal,
        before=_figures(before),
        after=_figures(now),
        limits_before=_limits(before),
        limits_after=_limits(now),
        verdict_before=before.verdict if before else "",
        verdict_after=now.verdict if now else "",
    )


def _figures(point: PointResult | None) -> str:
    return f"{point.printed.error} ± {point.printed.U}" if point else ""


def _limits(point: PointResult | None) -> str:
    if point is None or (point.printed.lower is None and point.printed.upper is None):
        return ""
    return f"{point.printed.lower or '−∞'} … {point.printed.upper or '∞'}"
