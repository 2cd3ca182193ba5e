"""Builders of records of any type of the catalogue, from readings by measurand, point and input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from calib.evaluation.inputs import (
    CalibrationInput,
    ConditionInput,
    PointInput,
    StandardInput,
    StandardValue,
)
from calib.evaluation.result import PointResult
from instruments.text import LocalizedText
from tests.support import inputs as a

Readings = Mapping[str, Sequence[str]]


def standard_of(quantity: str, unit: str, U: str, **changes: Any) -> StandardInput:
    """Return a standard without correction over a wide range, its key that of the quantity."""
    given = {
        "key": quantity,
        "name": LocalizedText("Measurement standard", "计量标准器"),
        "quantity": quantity,
        "unit": unit,
        "values": (StandardValue("0", "0", U, "2"),),
        "low": "-1000",
        "high": "10000",
    }
    return a.a_standard(**{**given, **changes})


def read(
    type_id: str, measurand: str, nominal: str, readings: Readings, standard: str, visit: str = ""
) -> PointInput:
    """Return a point; what the type reads on a standard names it."""
    inputs = a.a_type(type_id).measurand(measurand).inputs
    return PointInput(
        key=f"{measurand}/as_found/0/{nominal}{visit}",
        measurand=measurand,
        stage="as_found",
        piece=0,
        nominal=nominal,
        readings={
            name: a.some_readings(
                texts, f"{name}-", standard if inputs[name].source == "standard" else None
            )
            for name, texts in readings.items()
        },
    )


def recorded(
    type_id: str,
    points: Sequence[PointInput],
    standards: Sequence[StandardInput],
    resolution: Mapping[str, str],
    *,
    temperature: str = "23.0",
    **attributes: str,
) -> CalibrationInput:
    """Return a complete record; an attribute not given is the first of its variants."""
    definition = a.a_type(type_id)
    known = {name: next(iter(values)) for name, values in definition.variants.items()} | attributes
    record = a.an_input(
        type_id,
        points,
        standards=tuple(standards),
        conditions=(
            ConditionInput("temperature", "degC", temperature),
            ConditionInput("relative_humidity", "%RH", "45"),
            ConditionInput("pressure", "kPa", "101.3"),
        ),
        limits=a.type_limits(definition, known),
        acclimatisation_minutes=definition.acclimatisation_minutes,
    )
    return replace(record, item=replace(record.item, attributes=known, resolution=resolution))


def row(point: PointResult) -> tuple[str, int, str, str, str]:
    """Return uc, nu_eff, k, U and the reported U as a worked table prints them."""
    return (
        f"{point.u:.4g}", round(point.dof or 0), point.printed.k, f"{point.U:.4g}", point.printed.U
    )  # fmt: skip


def steps(middle: float, units: Sequence[float], place: int) -> list[str]:
    """Return readings around a value, from deviations in units of 10^-place."""
    return [f"{middle + unit * 10.0**-place:.{place}f}" for unit in units]
