"""Builders of frozen calibration inputs: one clean record per type, changed by the test."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from calib.evaluation.inputs import (
    AgreedLimits,
    CalibrationInput,
    ConditionInput,
    DecisionRule,
    ExaminationInput,
    ItemInput,
    PointInput,
    ReadingInput,
    StandardInput,
    StandardValue,
)
from instruments.catalogue.loader import load_catalogue
from instruments.choosing import limits_for
from instruments.procedure import InstrumentType, Limit, Stage
from instruments.text import LocalizedText

DIGITAL = "thermometer.digital_probe"
EAR = "thermometer.infrared_ear"
ELECTRONIC = "thermometer.medical_electronic"
FOREHEAD = "thermometer.infrared_forehead"
GLASS = "thermometer.glass_clinical"
PUMP = "pump.infusion_syringe"

CONDITIONS = (
    ConditionInput("temperature", "degC", "23.1"),
    ConditionInput("relative_humidity", "%RH", "48"),
)


@functools.cache
def a_type(id_: str) -> InstrumentType:
    """Return a type of the catalogue."""
    return load_catalogue().get(id_)


def a_standard(key: str = "S-1", **changes: Any) -> StandardInput:
    """Return a thermometer standard without correction, U = 0.010 with k = 2, -40 to 330 degC."""
    standard = StandardInput(
        key=key,
        name=LocalizedText("Standard thermometer", "标准温度计"),
        model="T-100",
        serial="4711",
        quantity="temperature",
        unit="degC",
        certificate_number="C-2025-17",
        issuer="Upper laboratory",
        calibrated_on="2025-09-01",
        valid_until="2026-08-31",
        values=(StandardValue("37", "37", "0.010", "2"),),
        low="-40",
        high="330",
    )
    return replace(standard, **changes)


def an_analyser(key: str = "S-1", **changes: Any) -> StandardInput:
    """Return a pump analyser for flow."""
    return a_standard(
        key,
        name=LocalizedText("Pump analyser", "泵分析仪"),
        quantity="volume_flow",
        unit="mL/h",
        values=(StandardValue("100", "100", "0.5", "2"),),
        low="0.5",
        high="1200",
        **changes,
    )


def some_readings(
    texts: Sequence[str], prefix: str, standard: str | None = None
) -> tuple[ReadingInput, ...]:
    """Return readings with running ids."""
    return tuple(ReadingInput(f"{prefix}{i}", t, standard) for i, t in enumerate(texts, 1))


def a_point(
    nominal: str,
    readings: Mapping[str, Sequence[str]],
    *,
    measurand: str = "temperature",
    stage: Stage = "as_found",
    piece: int = 0,
    standard: str = "S-1",
    visit: str = "",
) -> PointInput:
    """Return a point; inputs named ..._ref are read on the standard."""
    key = f"{measurand}/{stage}/{piece}/{nominal}{visit}"
    return PointInput(
        key=key,
        measurand=measurand,
        stage=stage,
        piece=piece,
        nominal=nominal,
        readings={
            name: some_readings(texts, f"{name}-", standard if name.endswith("_ref") else None)
            for name, texts in readings.items()
        },
    )


def type_limits(
    definition: InstrumentType, attributes: Mapping[str, str]
) -> dict[str, AgreedLimits]:
    """Return the limits of the type for these attributes, frozen as services do."""
    found: dict[str, AgreedLimits] = {}
    for measurand in definition.measurands:
        rows = limits_for(definition, measurand, attributes)
        if rows:
            found[measurand.id] = AgreedLimits("type", rows)
    return found


def customer_limits(lower: str | None, upper: str | None) -> dict[str, AgreedLimits]:
    """Return limits agreed with a customer for temperature."""
    row = Limit("Order 17", "V", lower, upper)
    return {"temperature": AgreedLimits("customer", (row,))}


def an_input(type_id: str, points: Sequence[PointInput], **changes: Any) -> CalibrationInput:
    """Return a complete record of the type around some points."""
    definition = a_type(type_id)
    attributes: dict[str, str] = {name: min(vs) for name, vs in definition.variants.items()}
    record = CalibrationInput(
        kind=definition.kinds[0],
        definition=definition,
        item=ItemInput(
            maker="Maker",
            model="M-1",
            serial="0001",
            resolution={"temperature": "0.1"},
            attributes=attributes,
            calibration_mode="hold SET, press POWER" if definition.calibration_mode == "required"
            else None,
        ),
        performed_on="2026-03-02",
        points=tuple(points),
        standards=(a_standard(),),
        conditions=CONDITIONS,
        decision_rule=DecisionRule("none"),
        limits=type_limits(definition, attributes),
        acclimatisation_minutes=30,
        examinations=tuple(ExaminationInput(e.id, passed=True) for e in definition.examinations),
    )  # fmt: skip
    return replace(record, **changes)


def _ten(value: str, other: str) -> list[str]:
    return [value] * 6 + [other] * 4


def forehead(**changes: Any) -> CalibrationInput:
    """Return a clean record of a forehead thermometer."""
    points = [
        a_point("35.0", {"t_ref": ["35.00"] * 10, "t_ind": _ten("35.1", "35.0")}),
        a_point("37.0", {"t_ref": ["37.00"] * 10, "t_ind": _ten("37.0", "37.1")}),
        a_point("41.0", {"t_ref": ["41.00"] * 10, "t_ind": _ten("40.9", "41.0")}),
    ]
    return an_input(FOREHEAD, points, **changes)


def ear(**changes: Any) -> CalibrationInput:
    """Return a clean record of an ear thermometer."""
    points = [
        a_point(t, {"t_ref": [f"{t}0"] * 10, "t_ind": _ten(t, f"{t[:-1]}1")})
        for t in ("35.0", "37.0", "41.0")
    ]
    return an_input(EAR, points, **changes)


def electronic(**changes: Any) -> CalibrationInput:
    """Return a clean record of a contact thermometer, display of 0.01 degC."""
    points = [
        a_point(t, {"t_ref": [f"{t}02"] * 3, "t_ind": [f"{t}1", f"{t}2", f"{t}2"]})
        for t in ("35.0", "37.0", "39.0", "41.0")
    ]
    record = an_input(ELECTRONIC, points)
    item = replace(record.item, resolution={"temperature": "0.01"})
    return replace(record, item=item, **changes)


def glass(readings: Sequence[Sequence[str]] = (("37.02", "41.00"),), **changes: Any) -> (
    CalibrationInput
):  # fmt: skip
    """Return the verification of a batch; one row of readings at 37 and 41 degC per piece."""
    points = [
        a_point(nominal, {"t_ref": [f"{nominal}.00"], "t_ind": [text]}, piece=piece)
        for piece, row in enumerate(readings, 1)
        for nominal, text in zip(("37", "41"), row, strict=True)
    ]
    record = an_input(GLASS, points, decision_rule=DecisionRule("regulation"))
    item = replace(
        record.item,
        resolution={},
        attributes={"verification": "initial"},
        pieces=tuple(f"P{i}" for i in range(1, len(readings) + 1)),
    )
    return replace(record, item=item, **changes)


def digital(
    rows: Sequence[tuple[str, str, str]] = (
        ("0", "0.010", "0.01"),
        ("50", "50.020", "50.04"),
        ("100", "100.000", "100.05"),
    ),
    resolution: str = "0.01",
    **changes: Any,
) -> CalibrationInput:
    """Return a record of a thermometer with probe from rows of (nominal, reference, indication)."""
    points = [
        a_point(nominal, {"t_ref": [reference] * 4, "t_ind": [indication] * 4})
        for nominal, reference, indication in rows
    ]
    record = an_input(DIGITAL, points)
    item = replace(record.item, resolution={"temperature": resolution})
    return replace(record, item=item, **changes)


def pump(pump: str = "syringe", **changes: Any) -> CalibrationInput:
    """Return a clean record of a pump, flow only."""
    rows = {
        "5": ["5.1", "5.0", "5.1"],
        "25": ["25.3", "25.1", "25.2"],
        "100": ["101.0", "101.1", "101.2"],
    }
    points = [a_point(q, {"q_ref": texts}, measurand="flow") for q, texts in rows.items()]
    record = an_input(PUMP, points, standards=(an_analyser(),))
    attributes = {"pump": pump}
    return replace(
        record,
        item=replace(record.item, resolution={}, attributes=attributes),
        limits=type_limits(record.definition, attributes),
        **changes,
    )


def with_point(record: CalibrationInput, index: int, **changes: Any) -> CalibrationInput:
    """Return the record with one point changed."""
    points = list(record.points)
    points[index] = replace(points[index], **changes)
    return replace(record, points=tuple(points))


def with_series(
    record: CalibrationInput, index: int, name: str, texts: Sequence[str], standard: str = "S-1"
) -> CalibrationInput:
    """Return the record with one series of readings changed."""
    named = standard if name.endswith("_ref") else None
    readings = {**record.points[index].readings, name: some_readings(texts, f"{name}-", named)}
    return with_point(record, index, readings=readings)
