"""Calibration records as frozen values, and the only place that reads their rows for use cases.

A record is loaded with a constant number of queries. Changes go through `locked`: the writers of a
lab take turns, so that what was read after it still holds at commit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import select

from calib.records.calibrations import TRANSITIONS, Calibration, Condition, Reading
from instruments.context import Context
from instruments.errors import Conflict, Invalid
from instruments.plain import from_plain, to_plain
from instruments.procedure import InstrumentType
from instruments.records.instruments import Instrument
from instruments.records.models import InstrumentModel
from instruments.records.orders import Order, OrderLine
from instruments.records.parties import Person
from instruments.services.fields import words
from instruments.services.rows import check_version, not_found
from instruments.tenancy import hold_lab

VISIT = re.compile(r"#\d+$")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured and with what."""

    points: Mapping[str, tuple[str, ...]]
    """By measurand: nominal values; a second visit to the same value ends in ``#2``."""
    standards: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """By measurand: ids of the standards' certificates, in order."""
    pieces: tuple[str, ...] = ()
    """Serial or running numbers of a batch; empty for a single item."""
    predict: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By measurand: where the fitted curve is printed; absent: where the type says."""

    def numbers_of_pieces(self) -> range:
        """Return the numbers readings may name: 1, 2 ... of a batch, 0 of a single item."""
        return range(1, len(self.pieces) + 1) if self.pieces else range(1)

    def as_dict(self) -> dict[str, Any]:
        """Return the plain form the row keeps."""
        plain: dict[str, Any] = to_plain(self)
        return plain


@dataclass(frozen=True, slots=True)
class ReadingView:
    """One revision of one reading."""

    id: int
    measurand: str
    stage: str
    piece: int
    point: str
    input: str
    place: int
    revision: int
    value: str | None
    """None: taken back."""
    unit: str
    standard_certificate_id: int | None
    origin: str
    reason: str
    person_id: int
    person_name: str
    entered_at: datetime

    @property
    def slot(self) -> tuple[str, str, int, str, str, int]:
        """Return where in the record the reading stands."""
        return (self.measurand, self.stage, self.piece, self.point, self.input, self.place)


@dataclass(frozen=True, slots=True)
class SlotView:
    """One place for a reading that has been used, with all that ever stood there."""

    current: ReadingView
    history: tuple[ReadingView, ...]
    """Oldest first; ends with `current`."""


@dataclass(frozen=True, slots=True)
class ConditionView:
    """One revision of one influence quantity."""

    id: int
    quantity: str
    moment: str
    revision: int
    value: str | None
    unit: str
    reason: str
    person_id: int
    person_name: str
    entered_at: datetime


@dataclass(frozen=True, slots=True)
class CalibrationView:
    """A record with everything entered so far."""

    id: int
    version: int
    state: str
    kind: str
    definition: InstrumentType
    order_line_id: int
    order_id: int
    order_number: str
    instrument_id: int
    attributes: Mapping[str, str]
    """Variants and rated values of the model, and the kind of verification."""
    plan: Plan
    performed_on: date | None
    place: str
    acclimatisation_minutes: int | None
    examinations: Mapping[str, Any]
    accepted_warnings: tuple[Mapping[str, Any], ...]
    adjustment: str
    remark: str
    closing_reason: str
    amends_id: int | None
    amendment_reason: str
    opened_by: int
    opened_at: datetime
    slots: tuple[SlotView, ...]
    conditions: tuple[ConditionView, ...]
    """In force."""
    past_conditions: tuple[ConditionView, ...]
    """Corrected since."""
    simulated: bool
    """Its readings come from the generator, not from an instrument."""

    def readings(self) -> tuple[ReadingView, ...]:
        """Return the readings in force; those taken back are not among them."""
        return tuple(slot.current for slot in self.slots if slot.current.value is not None)


def locked(ctx: Context, calibration_id: int, version: int | None = None) -> Calibration:
    """Return the row at the version the person saw, safe from other writers until commit.

    Raises
    ------
    NotFound, Conflict
    """
    hold_lab(ctx.session, ctx.lab_id)
    row = ctx.session.scalar(
        select(Calibration)
        .where(Calibration.id == calibration_id)
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise not_found("record", calibration_id)
    if version is not None:
        check_version(row, version, "record")
    return row


def need_draft(row: Calibration) -> None:
    """Refuse a change of a record that is no draft."""
    if row.state != "draft":
        raise Conflict(
            "record-not-draft",
            "The record is {state}; only a draft may be changed. Have it given back first, "
            "or amend the certificate once it is issued.",
            facts={"state": row.state},
        )


def need_reason(reason: str, at: str = "/reason") -> str:
    """Return the reason in plain words.

    Raises
    ------
    Invalid
        There is none.
    """
    if not reason.strip():
        raise Invalid(
            "reason-missing",
            "A reason is missing. Say in a few words why; it stays in the record.",
            at=at,
            clause="ISO/IEC 17025:2017 7.5.2",
        )
    return words(reason, at)


def need_move(row: Calibration, state: str) -> None:
    """Refuse an act that the state of the record does not allow."""
    if state not in TRANSITIONS[row.state]:
        raise Conflict(
            "wrong-state",
            "The record is {state} and cannot become {wanted} from there. Load it again.",
            facts={"state": row.state, "wanted": state},
        )


def move(row: Calibration, state: str) -> None:
    """Take the record to another state along the one table of transitions."""
    need_move(row, state)
    row.state = state


def attributes_of(model: Mapping[str, str], verification: str | None) -> dict[str, str]:
    """Return what of item and order decides points and limits."""
    return {**model, **({"verification": verification} if verification else {})}


def view(ctx: Context, calibration_id: int) -> CalibrationView:
    """Return the record with its readings and their history, in three queries.

    Raises
    ------
    NotAllowed
        The actor is none of the lab's own people.
    NotFound
    """
    ctx.need("calibration.read")
    found = ctx.session.execute(
        select(
            Calibration,
            Order.id,
            Order.number,
            InstrumentModel.attributes,
            OrderLine.verification_kind,
        )
        .join(OrderLine, OrderLine.id == Calibration.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Instrument, Instrument.id == Calibration.instrument_id)
        .join(InstrumentModel, InstrumentModel.id == Instrument.model_id)
        .where(Calibration.id == calibration_id)
    ).one_or_none()
    if found is None:
        raise not_found("record", calibration_id)
    row, order_id, order_number, attributes, verification = found
    now, past = _conditions(ctx, calibration_id)
    return CalibrationView(
        id=row.id,
        version=row.version,
        state=row.state,
        kind=row.kind,
        definition=InstrumentType.from_dict(row.definition),
        order_line_id=row.order_line_id,
        order_id=order_id,
        order_number=order_number,
        instrument_id=row.instrument_id,
        attributes=attributes_of(attributes, verification),
        plan=from_plain(Plan, row.plan),
        performed_on=row.performed_on,
        place=row.place,
        acclimatisation_minutes=row.acclimatisation_minutes,
        examinations=row.examinations,
        accepted_warnings=tuple(row.accepted_warnings),
        adjustment=row.adjustment,
        remark=row.remark,
        closing_reason=row.closing_reason,
        amends_id=row.amends_id,
        amendment_reason=row.amendment_reason,
        opened_by=row.opened_by,
        opened_at=row.opened_at,
        slots=_slots(readings_of(ctx, calibration_id)),
        conditions=now,
        past_conditions=past,
        simulated=row.simulated,
    )


def readings_of(ctx: Context, calibration_id: int) -> tuple[ReadingView, ...]:
    """Return every revision of every reading, slot by slot, oldest first."""
    rows = ctx.session.execute(
        select(Reading, Person.name)
        .join(Person, Person.id == Reading.person_id)
        .where(Reading.calibration_id == calibration_id)
        .order_by(
            Reading.measurand,
            Reading.stage,
            Reading.piece,
            Reading.point,
            Reading.input,
            Reading.place,
            Reading.revision,
        )
    )
    return tuple(reading_view(row, name) for row, name in rows)


def in_force(ctx: Context, calibration_id: int) -> tuple[ReadingView, ...]:
    """Return the newest revision of every reading, without those taken back."""
    newest = {reading.slot: reading for reading in readings_of(ctx, calibration_id)}
    return tuple(reading for reading in newest.values() if reading.value is not None)


def reading_view(row: Reading, person_name: str) -> ReadingView:
    """Return the frozen form of a row."""
    return ReadingView(
        id=row.id,
        measurand=row.measurand,
        stage=row.stage,
        piece=row.piece,
        point=row.point,
        input=row.input,
        place=row.place,
        revision=row.revision,
        value=row.value,
        unit=row.unit,
        standard_certificate_id=row.standard_certificate_id,
        origin=row.origin,
        reason=row.reason,
        person_id=row.person_id,
        person_name=person_name,
        entered_at=row.entered_at,
    )


def condition_view(row: Condition, person_name: str) -> ConditionView:
    """Return the frozen form of a row."""
    return ConditionView(
        id=row.id,
        quantity=row.quantity,
        moment=row.moment,
        revision=row.revision,
        value=row.value,
        unit=row.unit,
        reason=row.reason,
        person_id=row.person_id,
        person_name=person_name,
        entered_at=row.entered_at,
    )


def _slots(readings: Sequence[ReadingView]) -> tuple[SlotView, ...]:
    slots = []
    for _, revisions in groupby(readings, key=lambda reading: reading.slot):
        history = tuple(revisions)
        slots.append(SlotView(current=history[-1], history=history))
    return tuple(slots)


def _conditions(
    ctx: Context, calibration_id: int
) -> tuple[tuple[ConditionView, ...], tuple[ConditionView, ...]]:
    rows = ctx.session.execute(
        select(Condition, Person.name)
        .join(Person, Person.id == Condition.person_id)
        .where(Condition.calibration_id == calibration_id)
        .order_by(Condition.quantity, Condition.moment.desc(), Condition.revision)
    )
    now: dict[tuple[str, str], ConditionView] = {}
    past: list[ConditionView] = []
    for row, name in rows:
        slot = (row.quantity, row.moment)
        if slot in now:
            past.append(now[slot])
        now[slot] = condition_view(row, name)
    return tuple(now.values()), tuple(past)
