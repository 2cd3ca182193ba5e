"""Enter readings and conditions: every value a new revision, none ever overwritten.

Who enters a value says which revision was seen; when another came in between, the entry is refused
and the other's name, time and value are told. A correction always says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeVar

from calib.records.calibrations import Condition, Reading
from calib.services import calibration_views
from calib.services.calibration_lists import list_calibrations
from calib.services.calibration_views import (
    CalibrationView,
    ConditionView,
    Plan,
    ReadingView,
    locked,
    need_draft,
    need_reason,
)
from calib.services.circumstances import accept_warning, close, set_facts
from calib.services.competent import need_for_values
from calib.services.planning import PlanChange, open_calibration, plan
from calib.services.reading_desk import Desk, desk_of, standard_of
from calib.services.reading_entry import ReadingEntry, check_entry, each_once
from calib.services.reading_table import read_rows, says_simulated
from calib.services.supporting import (
    supporting,
)
from instruments.context import Context
from instruments.errors import Conflict, DomainError, Finding, Invalid
from instruments.plain import from_plain
from instruments.procedure import InstrumentType
from instruments.quantities import parse_decimal
from instruments.services import audit
from instruments.services.fields import choice, few
from instruments.services.importing import ImportReport, read_table

__all__ = [
    "ConditionEntry",
    "PlanChange",
    "ReadingEntry",
    "accept_warning",
    "close",
    "enter",
    "enter_condition",
    "get_calibration",
    "import_readings",
    "list_calibrations",
    "open_calibration",
    "plan",
    "read_file",
    "set_facts",
    "supporting",
]

CONDITION_UNITS = {
    "temperature": ("degC",),
    "relative_humidity": ("%RH",),
    "pressure": ("kPa", "hPa", "Pa"),
}
MOST_ENTRIES = 20_000
"""Values of one request; a table of more is imported in parts."""
Origin = Literal["typed", "imported"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ConditionEntry:
    """One observed influence quantity."""

    quantity: str
    moment: str
    """``start`` or ``end`` of the work."""
    value: str | None
    unit: str
    revision: int
    reason: str = ""


def get_calibration(ctx: Context, calibration_id: int) -> CalibrationView:
    """Return a record with everything entered so far.

    Raises
    ------
    NotFound
    """
    return calibration_views.view(ctx, calibration_id)


def enter(
    ctx: Context, calibration_id: int, entries: Sequence[ReadingEntry]
) -> tuple[ReadingView, ...]:
    """Enter values into a draft, all or none; returns what is now in force at each place.

    Raises
    ------
    NotFound
    Conflict
        The record is no draft, or another value came in between.
    Invalid
        Values that cannot be read; every one of them comes along as a finding.
    """
    few(entries, "/entries", MOST_ENTRIES)
    places = [f"/entries/{i}" for i in range(len(entries))]
    return _enter(ctx, calibration_id, list(zip(places, entries, strict=True)), "typed")


def import_readings(
    ctx: Context,
    calibration_id: int,
    content: bytes,
    filename: str,
    *,
    dry_run: bool,
    stage: str = "as_found",
) -> ImportReport:
    """Enter the readings of a table, all or none; a dry run only says what would happen.

    Raises
    ------
    NotFound, Conflict, Invalid
    """
    rows = read_table(content, filename)
    record = calibration_views.view(ctx, calibration_id)
    entries, findings = read_rows(rows, record.definition, record.plan, stage)
    if not dry_run and not findings and any(map(says_simulated, rows)):
        set_facts(ctx, calibration_id, record.version, simulated=True)
    emptied = {
        slot.current.slot: slot.current.revision
        for slot in record.slots
        if slot.current.value is None
    }
    entries = [
        (at, replace(entry, revision=emptied.get(entry.slot, 0), reason=f"imported: {filename}"))
        for at, entry in entries
    ]
    try:
        with ctx.session.begin_nested() as attempt:
            _enter(ctx, calibration_id, entries, "imported")
            if dry_run or findings:
                attempt.rollback()
    except (Invalid, Conflict) as problem:
        findings += problem.findings or (_as_finding(problem),)
    created = 0 if dry_run or findings else len(entries)
    filled = sum(any(cell.strip() for cell in row.values()) for row in rows)
    return ImportReport(rows=filled, created=created, findings=tuple(findings))


def read_file(
    ctx: Context, calibration_id: int, content: bytes, filename: str, *, stage: str = "as_found"
) -> tuple[ReadingEntry, ...]:
    """Return what of a table can be read, as it would be entered; stores nothing.

    Raises
    ------
    NotFound, Invalid
    """
    record = calibration_views.view(ctx, calibration_id)
    entries, _ = read_rows(read_table(content, filename), record.definition, record.plan, stage)
    return tuple(entry for _, entry in entries)


def enter_condition(ctx: Context, calibration_id: int, entry: ConditionEntry) -> ConditionView:
    """Enter an influence quantity into a draft; a correction is a new revision with a reason.

    Raises
    ------
    NotFound, Conflict, Invalid
    """
    ctx.need("calibration.enter")
    row = locked(ctx, calibration_id)
    need_draft(row)
    need_for_values(ctx, InstrumentType.from_dict(row.definition), ())
    choice(entry.quantity, tuple(CONDITION_UNITS), "/quantity")
    choice(entry.moment, ("start", "end"), "/moment")
    choice(entry.unit, CONDITION_UNITS[entry.quantity], "/unit")
    if entry.value is not None:
        parse_decimal(entry.value, at="/value")
    record = calibration_views.view(ctx, calibration_id)
    before = next(
        (c for c in record.conditions if (c.quantity, c.moment) == (entry.quantity, entry.moment)),
        None,
    )
    if before is not None and (before.value, before.unit) == (entry.value, entry.unit):
        return before
    _still(before, entry.revision, "/revision")
    observed = Condition(
        calibration_id=calibration_id,
        quantity=entry.quantity,
        moment=entry.moment,
        revision=entry.revision + 1,
        value=entry.value,
        unit=entry.unit,
        reason=need_reason(entry.reason) if before is not None else "",
        person_id=ctx.actor.person_id,
        entered_at=ctx.now,
    )
    ctx.session.add(observed)
    ctx.session.flush()
    audit.record(
        ctx,
        "calibration:condition:enter",
        "calibration",
        calibration_id,
        {
            "quantity": observed.quantity,
            "moment": observed.moment,
            "before": before.value if before else None,
            "after": observed.value,
            "reason": observed.reason,
        },
    )
    return calibration_views.condition_view(observed, ctx.actor.name)


# ---------------------------------------------------------------------------------------- entering


def _enter(
    ctx: Context, calibration_id: int, entries: Sequence[tuple[str, ReadingEntry]], origin: Origin
) -> tuple[ReadingView, ...]:
    ctx.need("calibration.enter")
    row = locked(ctx, calibration_id)
    need_draft(row)
    desk = desk_of(
        ctx,
        InstrumentType.from_dict(row.definition),
        from_plain(Plan, row.plan),
        [entry for _, entry in entries],
        calibration_views.readings_of(ctx, calibration_id),
    )
    each_once(entries)
    rows = _all_or_none([partial(_row, desk, entry, at) for at, entry in entries])
    need_for_values(ctx, desk.definition, ((e.measurand, e.point) for _, e in entries))
    for new in rows:
        if new is not None:
            new.calibration_id, new.origin = calibration_id, origin
            new.person_id, new.entered_at = ctx.actor.person_id, ctx.now
            ctx.session.add(new)
    ctx.session.flush()
    written = [new for new in rows if new is not None]
    if written:
        audit.record(
            ctx,
            "calibration:readings:enter",
            "calibration",
            calibration_id,
            {"origin": origin, "readings": [_said(desk, new) for new in written]},
        )
    return tuple(
        desk.current[entry.slot]
        if new is None
        else calibration_views.reading_view(new, ctx.actor.name)
        for new, (_, entry) in zip(rows, entries, strict=True)
    )


def _row(desk: Desk, entry: ReadingEntry, at: str) -> Reading | None:
    """Return the new revision, None when it would repeat what stands: a page that saves twice."""
    quantity = check_entry(desk.definition, desk.plan, entry, at)
    standard = standard_of(desk, entry, quantity, at)
    before = desk.current.get(entry.slot)
    if before is not None and before.value == entry.value:
        given = entry.standard_certificate_id
        if given is None or given == before.standard_certificate_id:
            return None
    _still(before, entry.revision, f"{at}/revision", entry)
    if before is None and entry.value is None:
        raise Invalid(
            "reading-empty",
            "There is no reading {number} of {input} at {point} to take back. Enter a value.",
            at=f"{at}/value",
            facts={"number": entry.place + 1, "input": entry.input, "point": entry.point},
        )
    return Reading(
        measurand=entry.measurand,
        stage=entry.stage,
        piece=entry.piece,
        point=entry.point,
        input=entry.input,
        place=entry.place,
        revision=entry.revision + 1,
        value=entry.value,
        unit=quantity.unit,
        standard_certificate_id=standard,
        reason=need_reason(entry.reason, f"{at}/reason") if before is not None else "",
    )


def _still(
    before: ReadingView | ConditionView | None,
    seen: int,
    at: str,
    entry: ReadingEntry | None = None,
) -> None:
    """Refuse to write over a value that was not seen."""
    stands = before.revision if before is not None else 0
    if seen == stands:
        return
    if before is None:
        raise Invalid(
            "revision-unknown",
            "Revision {seen} does not exist: nothing was entered there yet. Load the record again.",
            at=at,
            facts={"seen": seen},
        )
    raise Conflict(
        "reading-changed-meanwhile",
        "{name} entered {value} {unit} for {what} at {when}, after you opened the record "
        "(revision {stands}, you saw {seen}). Load it again; enter a correction with a reason "
        "if yours is right.",
        at=at,
        facts={
            "name": before.person_name,
            "value": before.value if before.value is not None else "nothing",
            "unit": before.unit,
            "what": f"{entry.input} {entry.place + 1} @ {entry.point}" if entry else "it",
            "when": before.entered_at.isoformat(timespec="seconds"),
            "stands": stands,
            "seen": seen,
        },
    )


def _all_or_none(checks: Sequence[Callable[[], T]]) -> list[T]:
    """Return what every check gives, or raise the first problem with all of them as findings."""
    found: list[T] = []
    problems: list[DomainError] = []
    for check in checks:
        try:
            found.append(check())
        except DomainError as problem:
            problems.append(problem)
    if problems:
        first = problems[0]
        first.findings = tuple(_as_finding(problem) for problem in problems)
        raise first
    return found


def _as_finding(stop: DomainError) -> Finding:
    return Finding(stop.code, stop.message, "error", stop.at, stop.facts, stop.clause)


def _said(desk: Desk, new: Reading) -> Mapping[str, object]:
    slot = (new.measurand, new.stage, new.piece, new.point, new.input, new.place)
    before = desk.current.get(slot)
    return {
        "place": "/".join(str(part) for part in slot),
        "revision": new.revision,
        "before": before.value if before else None,
        "after": new.value,
        "reason": new.reason,
    }
