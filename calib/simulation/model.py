"""What is simulated, and a model of it made ready: how it reads, and by which standards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Literal, cast

from calib.evaluation.decimals import number
from calib.evaluation.inputs import (
    AgreedLimits,
    CalibrationInput,
    ConditionInput,
    DecisionRule,
    ItemInput,
    StandardInput,
)
from calib.evaluation.series import given_value
from calib.simulation.design import Design, base_design
from calib.simulation.outputs import Group
from calib.simulation.scatter import with_scatter
from calib.simulation.series import on_display
from calib.simulation.standards import Made, make_standards, on_inputs
from calib.simulation.usual import (
    planned_points,
    surroundings,
    usual_attributes,
    usual_resolution,
)
from instruments.choosing import holds, limits_for
from instruments.procedure import InstrumentType, RecordKind

CONDITIONS = ("temperature", "relative_humidity", "pressure")
CONDITION_STEPS = {"temperature": "0.1", "relative_humidity": "1", "pressure": "0.1"}
_CALIBRATED, _VALID = timedelta(days=-120), timedelta(days=245)


@dataclass(frozen=True, slots=True)
class Model:
    """A type and what a model of it is like; what is left empty is taken as usual."""

    definition: InstrumentType
    kind: RecordKind = "calibration"
    attributes: Mapping[str, str] = field(default_factory=dict)
    resolution: Mapping[str, str] = field(default_factory=dict)
    standards: Mapping[str, StandardInput] = field(default_factory=dict)
    """By ``measurand.input``; empty: made up, good enough for the type."""
    points: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By measurand; the rest as usual."""
    limits: Mapping[str, AgreedLimits] = field(default_factory=dict)
    """Where the maker's or the customer's were agreed; else the type's."""
    pieces: int = 1
    """Of a batch."""
    performed_on: str = "2026-03-02"
    maker: str = "Simulated 模拟"
    name: str = "SIM"


@dataclass(frozen=True, slots=True)
class Ready:
    """A model made ready: from here on a record costs little."""

    model: Model
    frame: CalibrationInput
    """A record without readings."""
    designs: tuple[Design, ...]
    made: tuple[Made, ...]
    """Standards made up for it; empty where they were given."""


def prepare(model: Model) -> Ready:
    """Make a model ready.

    Raises
    ------
    Refused
        A given standard does not reach over the points.
    """
    frame = _frame(model)
    designs = _designs(model, frame)
    made: tuple[Made, ...] = ()
    standards = dict(model.standards)
    if not standards:
        day = date.fromisoformat(model.performed_on)
        scaled = [with_scatter(design, frame) for design in designs]
        made = make_standards(
            model.definition, scaled, (day + _CALIBRATED).isoformat(), (day + _VALID).isoformat()
        )
        standards = dict(on_inputs(made))
    used = {standard.key: standard for standard in standards.values()}
    frame = replace(frame, standards=tuple(used.values()))
    return Ready(model, frame, tuple(_ready(d, standards, frame) for d in designs), made)


def _frame(model: Model) -> CalibrationInput:
    definition = model.definition
    verification = None
    if model.kind == "verification" and definition.verification_kinds:
        verification = definition.verification_kinds[0]
    attributes = usual_attributes(definition, model.attributes, verification)
    limits = {
        m.id: AgreedLimits("type", rows)
        for m in definition.measurands
        if (rows := limits_for(definition, m, attributes))
    }
    return CalibrationInput(
        kind=model.kind,
        definition=definition,
        item=ItemInput(
            maker=model.maker,
            model=model.name,
            serial="",
            resolution=usual_resolution(definition, attributes, model.resolution),
            attributes=attributes,
            calibration_mode="simulated" if definition.calibration_mode == "required" else None,
        ),
        performed_on=model.performed_on,
        points=(),
        standards=(),
        conditions=_middle_conditions(definition),
        decision_rule=DecisionRule("regulation" if model.kind == "verification" else "simple"),
        limits={**limits, **model.limits},
        simulated=True,
    )


def _middle_conditions(definition: InstrumentType) -> tuple[ConditionInput, ...]:
    found = []
    for quantity in CONDITIONS:
        unit, low, high = surroundings(definition, quantity)
        text = on_display([[(low + high) / 2]], CONDITION_STEPS[quantity])[0][0]
        found.append(
            ConditionInput(
                cast("Literal['temperature', 'relative_humidity', 'pressure']", quantity),
                unit,
                text,
            )
        )
    return tuple(found)


def given_others(frame: CalibrationInput, group: Group) -> dict[str, float]:
    """Return the conditions and rated values that enter the functions of a group, by input."""
    return {
        name: given_value(frame, user, quantity)
        for user in group.users
        for name, quantity in user.inputs.items()
        if quantity.source in ("condition", "rating")
    }


def _designs(model: Model, frame: CalibrationInput) -> list[Design]:
    definition, attributes = model.definition, frame.item.attributes
    points = {
        **planned_points(definition, attributes),
        **{measurand: tuple(chosen) for measurand, chosen in model.points.items()},
    }
    by_unit: dict[str, tuple[float, ...]] = {}
    for id_, own in points.items():
        unit = definition.measurand(id_).unit
        by_unit[unit] = by_unit.get(unit, ()) + tuple(number(p.partition("#")[0]) for p in own)
    around = {condition.unit: number(condition.value) for condition in frame.conditions}
    found = []
    for measurand in definition.measurands:
        if points.get(measurand.id):
            users = tuple(
                m
                for m in definition.measurands
                if measurand.id in (m.id, m.same_readings_as) and holds(m.when, attributes)
            )
            group = Group(definition, measurand, users, attributes)
            others = given_others(frame, group)
            found.append(
                base_design(group, points[measurand.id], frame.limits, around, by_unit, others)
            )
    return found


def _ready(
    design: Design, standards: Mapping[str, StandardInput], frame: CalibrationInput
) -> Design:
    root = design.group.root.id
    own = {n: standards[f"{root}.{n}"] for n in design.group.read if f"{root}.{n}" in standards}
    group = replace(design.group, standards=own)
    return with_scatter(replace(design, group=group), frame)
