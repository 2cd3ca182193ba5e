"""A small type file of format 2, made around the inputs, function and components of a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from calib.evaluation.inputs import CalibrationInput, DecisionRule, ItemInput
from instruments.catalogue.schema import TypeFile, read_type
from instruments.procedure import InstrumentType
from tests.support import inputs as a
from tests.support.typed import standard_of

HEAD = """
schema = {schema}
id = "thermometer.small"
version = "1.0.0"
name = {{ en = "Small", zh = "小" }}
kinds = ["calibration", "check"]
environment = []
legal_class = "voluntary"
standards_wanted = {{ en = "Standard", zh = "标准器" }}
{top}
[[documents]]
id = "TH-12"
title = {{ en = "Procedure TH-12", zh = "作业指导书 TH-12" }}
role = "method"
confidence = "BG"
"""
MEASURAND = """
[[measurands]]
id = "{id}"
name = {{ en = "Result", zh = "结果" }}
quantity = "{quantity}"
unit = "{unit}"
output = "{output}"
output_unit = "{output_unit}"
function = "{function}"
{rest}
"""
POINTS = """
[measurands.points]
default = ["0", "50", "100"]
readings = 5
confidence = "BG"
"""


def measurand(
    function: str,
    inputs: str,
    components: str = "",
    *,
    id: str = "temperature",  # noqa: A002
    output: str = "value",
    quantity: str = "temperature",
    unit: str = "degC",
    output_unit: str = "degC",
    points: str = POINTS,
    limits: str = "",
    rest: str = "",
) -> str:
    """Return the text of one measurand; inputs and components one line each, see `lines`."""
    head = MEASURAND.format(
        id=id, quantity=quantity, unit=unit, output=output, output_unit=output_unit,
        function=function, rest=rest,
    )  # fmt: skip
    return head + _inputs(inputs) + points + limits + _components(components)


def _inputs(text: str) -> str:
    """``name: key = value; key = value`` per line."""
    out = ""
    for line in filter(None, map(str.strip, text.splitlines())):
        name, keys = line.split(":", 1)
        out += f"\n[measurands.inputs.{name}]\n"
        out += f'label = {{ en = "{name}", zh = "{name}" }}\n'
        out += "".join(f"{key.strip()}\n" for key in keys.split(";"))
    return out


def _components(text: str) -> str:
    out = ""
    for line in filter(None, map(str.strip, text.splitlines())):
        id_, keys = line.split(":", 1)
        out += f'\n[[measurands.components]]\nid = "{id_}"\n'
        out += f'name = {{ en = "{id_}", zh = "{id_}" }}\nconfidence = "BG"\n'
        out += "".join(f"{key.strip()}\n" for key in keys.split(";"))
    return out


def small_file(*measurands: str, top: str = "", schema: int = 2) -> TypeFile:
    """Return what reading the file gives."""
    return read_type(HEAD.format(schema=schema, top=top) + "".join(measurands), "small.toml")


def small_type(*measurands: str, top: str = "") -> InstrumentType:
    """Return the type; the file must have no findings."""
    read = small_file(*measurands, top=top)
    assert not read.findings, [finding.text() for finding in read.findings]
    assert read.type is not None
    return read.type


def told(*measurands: str, top: str = "", schema: int = 2) -> list[tuple[str, str, str]]:
    """Return code, key and sentence of every finding."""
    found = small_file(*measurands, top=top, schema=schema).findings
    return [(f.code, str(f.facts.get("key")), f.text()) for f in found]


STANDARD = standard_of("temperature", "degC", "0.10")


def record_of(
    definition: InstrumentType,
    points: Sequence[tuple[str, Mapping[str, Sequence[str]]]],
    **changes: Any,
) -> CalibrationInput:
    """Return a record; readings by input, those of standards named."""
    (one,) = [m for m in definition.measurands if not m.same_readings_as]
    made = [
        replace(
            a.a_point(nominal, {}, measurand=one.id),
            readings={
                name: a.some_readings(
                    texts, f"{name}-", "temperature"
                    if one.inputs[name].source == "standard" else None,
                )
                for name, texts in readings.items()
            },
        )
        for nominal, readings in points
    ]  # fmt: skip
    record = CalibrationInput(
        kind="calibration",
        definition=definition,
        item=ItemInput("Maker", "M-1", "0001"),
        performed_on="2026-03-02",
        points=tuple(made),
        standards=(STANDARD,),
        conditions=a.CONDITIONS,
        decision_rule=DecisionRule("none"),
    )
    return replace(record, **changes)
