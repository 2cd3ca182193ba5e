"""Reads the text of one type file strictly: format version, keys, kinds of value, languages.

Every problem names the file, the line and the key path. What the values mean together is judged
in `meaning`; where files are found is known to `loader`.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace

from instruments.catalogue.advice import advised, sign_for
from instruments.catalogue.likeness import filled_in
from instruments.catalogue.lines import Path, dotted, line_of, locate
from instruments.catalogue.meaning import problems
from instruments.catalogue.positions import Spread, spread
from instruments.catalogue.problem import Problem
from instruments.catalogue.sharing import take_over
from instruments.catalogue.taken import Taken, origin_of, taken_over
from instruments.errors import Finding
from instruments.plain import NotPlain, default_of, is_later
from instruments.procedure import InstrumentType
from instruments.text import LocalizedText

SCHEMA = 2
"""The newest format this program reads; files of format 1 are read as well."""
READABLE = (1, SCHEMA)

_SYNTAX_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class TypeFile:
    """What came out of one file: a type, or the findings that say why there is none."""

    file: str
    type: InstrumentType | None
    findings: tuple[Finding, ...] = ()
    text: str = ""


@functools.lru_cache(maxsize=256)
def read_type(text: str, file: str) -> TypeFile:
    """Return the type that `text` defines, or every problem found in it."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        return TypeFile(file, None, (no_toml(str(problem), text, file),), text)
    except (RecursionError, ValueError):  # nested a thousand times, a number of 5000 digits
        return TypeFile(file, None, (_beyond_reading(file),), text)
    taken = taken_over(raw)
    raw, unlike = filled_in(raw)
    table = spread(raw)
    table.problems += unlike
    table.raw = take_over(table.raw)
    found, defined = _structure(table)
    if defined is not None:
        found += [*languages(defined), *problems(defined, table.raw)]
    # what is wrong with an input is the same at each of its positions, and told once
    told = {(p.code, table.origin(p.path), p.message, str(p.facts)): p for p in found}
    lines = locate(text) if told else {}
    findings = tuple(
        placed(replace(problem, path=place[1]), file, lines, taken)
        for place, problem in told.items()
    )
    return TypeFile(file, defined if not findings else None, findings, text)


def _beyond_reading(file: str) -> Finding:
    return Finding(
        "type-syntax",
        "{file} is nested too deeply or holds a number that is too long. No type needs that: "
        "correct the text.",
        facts={"file": file},
    )


def no_toml(problem: str, text: str, file: str) -> Finding:
    """Return the finding for a text that tomllib refused with these words."""
    match = _SYNTAX_PLACE.search(problem)
    line, column = (match[1], match[2]) if match else (None, None)
    end = text.split("\n")
    facts: dict[str, object] = {
        "file": file,
        "line": int(line or len(end)),
        "column": int(column or len(end[-1]) + 1),
        "problem": problem[: match.start()] if match else problem,
    }
    at = end[int(line) - 1] if line and int(line) <= len(end) else ""
    message = "{file}, line {line}, column {column}: this is no TOML: {problem}. Correct the line."
    if sign := sign_for(at):
        message = (
            "{file}, line {line}, column {column}: this is no TOML: {problem}. The line holds the"
            " sign {sign}: write {plain}."
        )
        facts |= {"sign": sign[0], "plain": sign[1]}
    elif at.lstrip().startswith("[") and "overwrite" in problem:
        message = (
            "{file}, line {line}, column {column}: this is no TOML: {problem}. What may stand"
            " several times is written [[…]] with two brackets each time: here and before."
        )
    return Finding("type-syntax", message, facts=facts)


def placed(
    problem: Problem, file: str, lines: dict[Path, int], taken: Mapping[Path, Taken] | None = None
) -> Finding:
    """Return the problem as a finding that names file, line and key.

    What a measurand took over from another is shown where that other holds it.
    """
    origin = origin_of(problem.path, taken or {})
    message = "{file}, line {line}, {key}: {problem}"
    if origin is not None:
        message = "{file}, line {line}, {key} (taken over from {source} by {by}): {problem}"
    facts = {} if origin is None else {"source": origin.source, "by": origin.by}
    return Finding(
        problem.code,
        message,
        at="".join(f"/{part}" for part in problem.path),
        facts={
            "file": file,
            **facts,
            "line": line_of(lines, origin.path if origin else problem.path),
            "key": dotted(problem.path),
            "problem": Finding(problem.code, problem.message, facts=problem.facts),
        },
    )


def _structure(table: Spread) -> tuple[list[Problem], InstrumentType | None]:
    raw = table.raw
    schema = raw.get("schema")
    if type(schema) is not int or schema not in READABLE:
        message = "got {got}, this program reads format {known}. Write schema = {known}."
        facts = {"got": "no format" if schema is None else repr(schema), "known": SCHEMA}
        return [Problem("type-schema-version", ("schema",), message, facts)], None
    wrong = list(table.problems)
    if schema < SCHEMA:
        wrong += [_later((*path, "positions")) for path in dict.fromkeys(table.origins.values())]
    if wrong:
        return wrong, None
    try:
        defined = InstrumentType.from_dict(raw)
        return (list(_too_new(defined)) if schema < SCHEMA else []), defined
    except NotPlain as problem:
        path, value = path_of(problem.at, raw)
        return [advised(path, value, problem.problem, raw)], None


def _later(path: Path) -> Problem:
    message = "{key} came with format {known}. Write schema = {known}."
    return Problem("type-schema-version", path, message, {"key": path[-1], "known": SCHEMA})


def _too_new(value: object, path: Path = ()) -> Iterator[Problem]:
    """Yield every key that the older format of the file does not have."""
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _too_new(item, (*path, index))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _too_new(item, (*path, key))
    elif is_dataclass(value):
        for field in fields(value):
            given = getattr(value, field.name)
            if is_later(field) and given != default_of(field):
                yield _later((*path, field.name))
            yield from _too_new(given, (*path, field.name))


def path_of(pointer: str, raw: object) -> tuple[Path, object]:
    """Return the key path of a JSON pointer, list indexes as numbers, and what stands there."""
    path: Path = ()
    value = raw
    for part in pointer.split("/")[1:]:
        # a quoted key may hold a slash, so that what looks like an index is none
        if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            path, value = (*path, int(part)), value[int(part)]
        else:
            path = (*path, part)
            value = value.get(part) if isinstance(value, Mapping) else None
    return path, value


def languages(value: object, path: Path = ()) -> Iterator[Problem]:
    """Yield every label that lacks English or Chinese words."""
    if isinstance(value, LocalizedText):
        for language, words in value.as_dict().items():
            if not words.strip():
                message = "the words in {language} are missing. Both en and zh are needed."
                yield Problem("type-language", path, message, {"language": language})
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from languages(item, (*path, key))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from languages(item, (*path, index))
    elif is_dataclass(value):
        for field in fields(value):
            yield from languages(getattr(value, field.name), (*path, field.name))
