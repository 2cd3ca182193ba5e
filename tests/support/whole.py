"""A simulated record of any type, taken the whole way through the services to its certificate."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from calib.adapters.files import DirectoryStore
from calib.evaluation.inputs import CalibrationInput
from calib.services import circumstances, evaluation, issue, planning, readings, review
from calib.simulation.model import Model, Ready, prepare
from calib.simulation.simulate import Simulated, Wanted, simulate
from calib.simulation.tables import COLUMNS, reading_rows
from instruments.context import Context
from instruments.procedure import InstrumentType
from instruments.services import orders, standards
from tests.support import builders, issuing
from tests.support.confirmed import confirm_limits
from tests.support.issuing import Bench

DAY = "2026-03-02"


@dataclass(frozen=True)
class Whole:
    """What came of a record."""

    record_id: int
    simulated: Simulated
    issued: issue.IssuedView
    findings: tuple[str, ...]
    """Code and place of every warning that was accepted."""


def ready_of(definition: InstrumentType, **more: Any) -> Ready:
    """Return the usual model of a type."""
    kind = "calibration" if "calibration" in definition.kinds else definition.kinds[0]
    pieces = 3 if definition.batch else 1
    return prepare(
        Model(definition, **{"kind": kind, "pieces": pieces, "performed_on": DAY} | more)
    )


def as_csv(record: CalibrationInput, stage: str = "") -> bytes:
    """Return the readings as a table, those of one stage if one is named."""
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS)
    table.writeheader()
    table.writerows(row for row in reading_rows(record) if stage in ("", row["stage"]))
    return text.getvalue().encode()


def taken(
    bench: Bench, folder: Path, ready: Ready, *, language: str = "zh+en", number: int = 1,
    wanted: Wanted | None = None,
) -> Whole:  # fmt: skip
    """Register, order, measure, review, authorise and issue one record."""
    definition = ready.model.definition
    wished = wanted or Wanted(grade="good", all_passed=True)
    (simulated,) = simulate(ready, 7, [number], wished)
    with bench.as_(issuing.everybody(bench)) as ctx:
        if ready.frame.limits:
            confirm_limits(ctx, definition)
        register_standards(ctx, ready)
        record = opened(bench, ctx, ready, simulated, language)
    with bench.as_(bench.technician) as ctx:
        findings = measured(ctx, record, simulated.record)
        review.submit(ctx, record, issuing.version_of(ctx, record))
    issuing.approve(bench, record)
    done = issuing.issued(bench, DirectoryStore(folder), record, key=f"k{record}")
    return Whole(record, simulated, done, findings)


def register_standards(ctx: Context, ready: Ready) -> None:
    """Register the standards made up for a model, once."""
    known = {one.code for one in standards.list_standards(ctx)}
    for made in ready.made:
        one = made.standard
        if one.key in known:
            continue
        row = standards.register_standard(
            ctx, code=one.key, name_en=one.name.en, name_zh=one.name.zh, model=one.model,
            serial=one.serial, kind=made.kind, quantity=one.quantity, unit=one.unit,
        )  # fmt: skip
        standards.enter_certificate(
            ctx,
            row.id,
            standards.CertificateEntry(
                number=one.certificate_number,
                issuer=one.issuer,
                calibrated_on=date.fromisoformat(one.calibrated_on),
                valid_until=date.fromisoformat(one.valid_until or DAY),
                values=tuple(
                    standards.CertificateLine(v.indication, v.reference, v.U, v.k)
                    for v in one.values
                ),
                low=one.low,
                high=one.high,
            ),
        )


def opened(bench: Bench, ctx: Context, ready: Ready, simulated: Simulated, language: str) -> int:
    """Open the record of an order for a new instrument of a new model."""
    frame, definition = ready.frame, ready.model.definition
    attributes = dict(frame.item.attributes)
    verification = attributes.pop("verification", None)
    model = builders.a_model(
        ctx,
        bench.catalogue,
        type_id=definition.id,
        attributes=attributes,
        resolution=dict(frame.item.resolution),
        calibration_mode="simulated" if definition.calibration_mode == "required" else None,
    )
    item = builders.an_instrument(
        ctx, bench.catalogue, model_id=model.id, customer_id=bench.customer_id,
        serial=simulated.record.item.serial,
        pieces=len(simulated.record.item.pieces) or 1,
    )  # fmt: skip
    order = builders.an_order(
        ctx,
        bench.catalogue,
        item.id,
        kind=frame.kind,
        decision_rule="regulation" if frame.kind == "verification" else "simple",
        lines=(orders.LineRequest(instrument_id=item.id, verification_kind=verification),),
        language=language,
    )
    record = planning.open_calibration(
        ctx, order.lines[0].id, catalogue=bench.catalogue, simulated=True
    )
    return record.id


def measured(ctx: Context, record: int, simulated: CalibrationInput) -> tuple[str, ...]:
    """Enter everything of a simulated record; return the warnings that had to be accepted."""
    report = readings.import_readings(
        ctx, record, as_csv(simulated), "simulated.csv", dry_run=False
    )
    assert not report.findings, [f.text() for f in report.findings]
    for one in simulated.conditions:
        entry = readings.ConditionEntry(one.quantity, one.when, one.value, one.unit, 0)
        readings.enter_condition(ctx, record, entry)
    stages = {point.stage for point in simulated.points}
    circumstances.set_facts(
        ctx,
        record,
        issuing.version_of(ctx, record),
        performed_on=date.fromisoformat(simulated.performed_on),
        acclimatisation_minutes=simulated.acclimatisation_minutes,
        adjustment="adjusted" if "as_left" in stages else None,
        examinations={
            e.id: {"passed": e.passed, "remark": e.remark, "rejected_pieces": e.rejected_pieces}
            for e in simulated.examinations
        },
    )
    draft = evaluation.evaluate_draft(ctx, record)
    errors = [f.text() for f in draft.findings if f.severity == "error"]
    assert not errors, errors
    accepted = [f"{f.code}@{f.at}" for f in draft.findings if f.severity == "warning"]
    for warning in accepted:
        version = issuing.version_of(ctx, record)
        circumstances.accept_warning(ctx, record, version, warning, "simulated, as it came")
    return tuple(accepted)
