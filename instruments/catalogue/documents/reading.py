"""Reads the files of a register of governing documents strictly: format, keys, kinds of value.

Every problem names the file, the line and the key path, as in type files. What the facts mean
together is judged in `meaning`.
"""

from __future__ import annotations

import functools
import importlib.resources
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from instruments.catalogue.documents.meaning import problems
from instruments.catalogue.documents.merging import contradictions
from instruments.catalogue.documents.values import Register, RegisterFile
from instruments.catalogue.lines import locate
from instruments.catalogue.problem import Problem
from instruments.catalogue.schema import languages, no_toml, path_of, placed
from instruments.errors import Finding, Invalid
from instruments.plain import NotPlain, from_plain
from instruments.procedure import InstrumentType

SCHEMA = 1
OWN_FILES = "instruments.catalogue.documents.files"
"""The package of the register that comes with the program."""


@dataclass
class _Read:
    """What came out of one file."""

    name: str
    text: str
    file: RegisterFile | None = None
    problems: list[Problem] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read_register(
    files: Mapping[str, str], types: Iterable[InstrumentType]
) -> tuple[Register, tuple[Finding, ...]]:
    """Return the register that the texts (by name) define and all that is wrong with it.

    It is to be used only without findings. `types` are those whose facts it must not repeat.
    """
    read = [_read_file(name, text) for name, text in files.items()]
    offered = [(one.name, one.file) for one in read if one.file is not None]
    if len(offered) == len(read):  # what refers to an unreadable file cannot be judged
        for name, problem in problems(offered, tuple(types)):
            next(one for one in read if one.name == name).problems.append(problem)
    findings = [finding for one in read for finding in _found(one)]
    register = _together([file for _, file in offered])
    return register, tuple(findings)


@functools.cache
def own_files() -> Mapping[str, str]:
    """Return the texts of the register that comes with the program, by name."""
    folder = importlib.resources.files(OWN_FILES)
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return {f"documents/{file.name}": file.read_text("utf-8") for file in files}


def load_register() -> Register:
    """Return the register that comes with the program; it is judged beside types by `check`.

    Raises
    ------
    Invalid
        A file cannot be read; `findings` holds every problem.
    """
    read = [_read_file(name, text) for name, text in own_files().items()]
    findings = tuple(finding for one in read for finding in _found(one))
    if findings:
        raise Invalid(
            "document-files-broken",
            "The register of governing documents cannot be read ({count} findings). First: {first}",
            facts={"count": len(findings), "first": findings[0]},
            findings=findings,
        )
    return _together([one.file for one in read if one.file is not None])


def check(types: Iterable[InstrumentType]) -> tuple[Finding, ...]:
    """Return all that is wrong with the register beside these types, and among the types."""
    given = tuple(types)
    return (*read_register(own_files(), given)[1], *contradictions(given))


def _together(parts: Sequence[RegisterFile]) -> Register:
    return Register(
        documents=tuple(d for part in parts for d in part.documents),
        differences=tuple(d for part in parts for d in part.differences),
        comparisons=tuple(c for part in parts for c in part.comparisons),
    )


def _read_file(name: str, text: str) -> _Read:
    one = _Read(name, text)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        one.findings.append(no_toml(str(problem), text, name))
        return one
    if raw.get("schema") != SCHEMA or isinstance(raw.get("schema"), bool):
        message = "got {got}, this program reads format {known}. Write schema = {known}."
        facts = {"got": repr(raw.get("schema", "no format")), "known": SCHEMA}
        one.problems.append(Problem("document-schema-version", ("schema",), message, facts))
        return one
    try:
        one.file = from_plain(RegisterFile, raw)
    except (NotPlain, ValueError) as problem:
        one.problems.append(_structure(problem, raw))
        return one
    one.problems += languages(one.file)
    return one


def _structure(problem: Exception, raw: Mapping[str, Any]) -> Problem:
    at, said = getattr(problem, "at", ""), getattr(problem, "problem", str(problem))
    path, value = path_of(at, raw)
    if isinstance(value, int | float) and said.endswith("expected str"):
        message = (
            "the number must be text in quotes, or its trailing zeros are lost: got {got}, "
            'write "{got}".'
        )
        return Problem("document-number-not-text", path, message, {"got": value})
    message = "{problem}. Correct the key or its value."
    return Problem("document-structure", path, message, {"problem": said})


def _found(one: _Read) -> Iterator[Finding]:
    lines = locate(one.text) if one.problems else {}
    yield from one.findings
    yield from (placed(problem, one.name, lines) for problem in one.problems)
