"""``calib simulate``: readings as instruments would give them, for training, trial and tests."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from api.commands.acting import Token
from api.commands.terminal import pairs, progress
from api.commands.type_named import known_types, named_type
from api.usage import WrongUsage
from instruments.plain import to_plain
from instruments.quantities import parse_decimal

if TYPE_CHECKING:
    from calib.evaluation.inputs import CalibrationInput
    from calib.simulation.model import Model
    from calib.simulation.simulate import Simulated, Wanted
    from instruments.procedure import InstrumentType, RecordKind

_AT_ONCE = 64
"""Records drawn together: fast, and little memory."""
_MADE = datetime(2000, 1, 1)  # noqa: DTZ001 -- the day a workbook says it was made; none is meant


class As(StrEnum):
    """Forms of the output."""

    INPUTS = "inputs"
    CSV = "csv"
    XLSX = "xlsx"


class Kind(StrEnum):
    """Kinds of record."""

    CALIBRATION = "calibration"
    VERIFICATION = "verification"
    CHECK = "check"


Type = Annotated[
    str, typer.Argument(help="Id of a type, id@version, id@draft with a token, or a file.")
]
Attributes = Annotated[
    list[str] | None, typer.Option(help="name=value of the model; repeat for more.")
]
Blunders = Annotated[float, typer.Option(min=0, max=1, help="Share of readings written wrongly.")]
Answers = Annotated[
    Path | None, typer.Option(help="File for what only the simulator knows: faults, blunders.")
]
Out = Annotated[Path | None, typer.Option(help="File to write; standard output if absent.")]


def simulate(
    type_id: Type = "",
    *,
    token: Token = "",
    every: Annotated[bool, typer.Option("--all", help="All types in turn.")] = False,
    count: Annotated[int, typer.Option(min=1, max=1_000_000, help="Records.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same readings.")] = 0,
    kind: Annotated[Kind | None, typer.Option(help="Kind of record.")] = None,
    attributes: Attributes = None,
    pieces: Annotated[int, typer.Option(min=1, max=1000, help="Pieces of a batch.")] = 5,
    adjusted: Annotated[bool, typer.Option("--adjusted", help="As found and as left.")] = False,
    blunders: Blunders = 0.0,
    as_: Annotated[As, typer.Option("--as", help="Form of the output.")] = As.INPUTS,
    out: Out = None,
    answers: Answers = None,
) -> None:
    """Simulate records of a type, or of all: frozen inputs as JSON lines, or one as a sheet.

    Every record is marked as simulated, and so is whatever a sheet is imported into.
    """
    from calib.simulation.model import Model
    from calib.simulation.simulate import Wanted

    if bool(type_id) == every:
        raise WrongUsage("simulate-what", "Name an instrument type, or ask for --all.")
    if as_ is not As.INPUTS and (every or count > 1):
        raise WrongUsage(
            "simulate-one-sheet",
            "A sheet holds the readings of one record. Ask for --count 1 of one type, or for"
            " --as inputs.",
        )
    given = pairs(attributes or [], "--attributes")
    models = [
        Model(type_, _kind(type_, kind), _known_attributes(type_, given), pieces=pieces)
        for type_ in _types(type_id, token)
    ]
    wanted = Wanted(blunders=blunders, adjusted=adjusted)
    with ExitStack() as held:
        write = held.enter_context(_opened(out)) if out else sys.stdout.buffer
        told = held.enter_context(_opened(answers)) if answers else None
        show = held.enter_context(progress(shown=out is not None and count > _AT_ONCE))
        for done, one in enumerate(_records(models, seed, count, wanted), start=1):
            write.write(_written(one.record, as_))
            if told is not None:
                told.write(json.dumps(_known(one), ensure_ascii=False).encode() + b"\n")
            show(one.record.definition.id, done / count)
        write.flush()


def _types(named: str, token: str) -> tuple[InstrumentType, ...]:
    return (named_type(named, token).type,) if named else known_types(token).list()


def _kind(type_: InstrumentType, kind: Kind | None) -> RecordKind:
    """Return the kind asked for, or the first the type has.

    Raises
    ------
    WrongUsage
        The type has no such kind.
    """
    if kind is None:
        return type_.kinds[0]
    found = next((known for known in type_.kinds if known == kind.value), None)
    if found is None:
        raise WrongUsage(
            "kind-not-allowed",
            "The type {type} has no {kind} (it has: {known}). Choose another kind of record.",
            facts={"type": type_.id, "kind": kind.value, "known": ", ".join(type_.kinds)},
        )
    return found


def _known_attributes(type_: InstrumentType, given: Mapping[str, str]) -> Mapping[str, str]:
    """Return the attributes, each a variant or a rated value of the type.

    Raises
    ------
    WrongUsage
    """
    for name, value in given.items():
        values = type_.variants.get(name)
        if name in type_.ratings:
            parse_decimal(value, at=f"/attributes/{name}")
        elif name != "verification" and (values is None or value not in values):
            known = [f"{n}={'|'.join(vs)}" for n, vs in type_.variants.items()]
            known += [f"{n}=..." for n in type_.ratings]
            raise WrongUsage(
                "simulate-attribute",
                "{type} has no {name}={value}. It has: {known}.",
                facts={
                    "type": type_.id, "name": name, "value": value,
                    "known": ", ".join(known) or "none",
                },
            )  # fmt: skip
    return given


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("wb")
    except OSError as problem:
        raise WrongUsage(
            "simulate-unwritable",
            "The file {path} cannot be written: {problem}. Name another.",
            facts={"path": str(path), "problem": problem.strerror or str(problem)},
        ) from problem


def _records(models: list[Model], seed: int, count: int, wanted: Wanted) -> Iterator[Simulated]:
    """Yield `count` records spread evenly over the models, model after model."""
    from calib.simulation.model import prepare
    from calib.simulation.simulate import simulate as draw

    for place, model in enumerate(models):
        numbers = range(len(range(place, count, len(models))))
        if not numbers:
            break
        ready = prepare(model)
        for start in range(0, len(numbers), _AT_ONCE):
            yield from draw(ready, seed, numbers[start : start + _AT_ONCE], wanted)


def _written(record: CalibrationInput, as_: As) -> bytes:
    if as_ is As.INPUTS:
        return record.canonical() + b"\n"
    return _as_csv(record) if as_ is As.CSV else _as_xlsx(record)


def _as_csv(record: CalibrationInput) -> bytes:
    from calib.simulation.tables import COLUMNS, reading_rows

    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS)
    table.writeheader()
    table.writerows(reading_rows(record))
    return text.getvalue().encode()


def _as_xlsx(record: CalibrationInput) -> bytes:
    """Return a workbook whose cells are all text: a number would lose its trailing zeros."""
    import xlsxwriter  # type: ignore[import-untyped]

    from calib.simulation.tables import COLUMNS, reading_rows

    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        book.set_properties({"created": _MADE})
        sheet = book.add_worksheet("simulated 模拟")
        for row, cells in enumerate(
            (dict(zip(COLUMNS, COLUMNS, strict=True)), *reading_rows(record))
        ):
            for column, name in enumerate(COLUMNS):
                sheet.write_string(row, column, cells[name])
    return made.getvalue()


def _known(one: Simulated) -> Mapping[str, object]:
    return {
        "type": one.record.definition.id,
        "serial": one.record.item.serial,
        "character": to_plain(one.character),
        "blunders": to_plain(one.blunders),
    }
