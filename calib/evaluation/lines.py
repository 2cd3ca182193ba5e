"""Frozen inputs as lines of JSON into results as lines of JSON, each answered in its place.

What is wrong with a line is said with its file and number; the other lines go on. Knows no
processes and opens no files.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from calib.evaluation.definitions import Shelf
from calib.evaluation.fleet import evaluate_window
from calib.evaluation.frozen import read_frozen
from calib.evaluation.inputs import CalibrationInput
from calib.evaluation.tasks.dispatch import load
from calib.evaluation.tasks.reader import TaskRefused
from instruments.canonical import canonical_json
from instruments.errors import DomainError, Invalid, Refused

LONGEST = 2**23
"""Bytes a line may have; a frozen input has some twenty thousand."""
LINES, BYTES = 256, 2**24
"""As many lines or bytes make one part: large enough to share work, small enough to be held."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line that is not empty, or why it cannot be had."""

    file: str
    number: int
    content: bytes
    refusal: Invalid | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """The answers to some lines in their order, ready to be written."""

    content: bytes = b""
    verdicts: Counter[str] = field(default_factory=Counter)
    """Records by verdict; ``refused`` counts those without one, ``pass_of_rest`` the batches of
    which the rest passes while pieces do not."""
    pieces: Counter[str] = field(default_factory=Counter)
    """Pieces of batches by verdict."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Refused lines by code; one refused for several reasons counts for each."""


def read_lines(name: str, file: BinaryIO) -> Iterator[Line]:
    """Yield the lines of an open file that hold anything; a file that breaks off says so."""
    number = 0
    while True:
        number += 1
        try:
            content = file.readline(LONGEST + 1)
            whole = len(content) <= LONGEST
            while len(content) > LONGEST and not content.endswith(b"\n"):
                content = file.readline(LONGEST + 1)
        except (OSError, EOFError, zlib.error) as problem:
            yield Line(name, number, b"", _broken_file(problem))
            return
        if not whole:
            yield Line(name, number, b"", _too_long())
        elif content.strip():
            yield Line(name, number, content)
        if not content:
            return


def parts_of(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Yield the lines in parts of bounded size."""
    part: list[Line] = []
    size = 0
    for line in lines:
        part.append(line)
        size += len(line.content)
        if len(part) >= LINES or size >= BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def answer_lines(lines: list[Line]) -> Answered:
    """Return the results of some lines, and for each that has none a refusal with its place."""
    answers: dict[int, DomainError | TaskRefused | bytes] = {}
    records: dict[int, tuple[CalibrationInput, str]] = {}
    told = Answered()
    for i, line in enumerate(lines):
        try:
            records[i] = _read(line)
        except (DomainError, TaskRefused) as refusal:
            answers[i] = refusal.with_traceback(None)
    found = evaluate_window(
        [record for record, _ in records.values()], [digest for _, digest in records.values()]
    )
    for i, answer in zip(records, found, strict=True):
        if isinstance(answer, Refused):
            answers[i] = answer
        else:
            answers[i] = answer.canonical()
            is_rest = answer.verdict == "pass" and answer.passed_of is not None
            told.verdicts["pass_of_rest" if is_rest else answer.verdict] += 1
            told.pieces.update(piece.verdict for piece in answer.pieces if piece.piece)
    written = []
    for i, line in enumerate(lines):
        one = answers[i]
        if not isinstance(one, bytes):
            told.verdicts["refused"] += 1
            told.reasons.update(_codes(one))
            one = canonical_json(_refusal(line, one))
        written.append(one + b"\n")
    return replace(told, content=b"".join(written))


_SHELF = Shelf()


def _read(line: Line) -> tuple[CalibrationInput, str]:
    """Return the frozen input of a line, and its digest."""
    if line.refusal is not None:
        raise line.refusal
    content = line.content.strip()
    stored = _as_stored(content)
    if stored is None:
        # not as it was stored: the strict reader takes no key twice
        record, content = read_frozen(_strictly(content))
    else:
        record = stored
    return record, hashlib.sha256(content).hexdigest()


def _as_stored(content: bytes) -> CalibrationInput | None:
    """Return the input of which these are the canonical bytes; None when there is none."""
    try:
        known = _SHELF.take_out(content)
        plain = json.loads((known[0] if known else content).decode())
        if known and plain["input"]["definition"] is None:
            plain["input"]["definition"] = known[1]
        record, canonical = read_frozen(plain)
    except (DomainError, LookupError, RecursionError, TypeError, ValueError):
        return None
    if canonical != content:
        return None
    if known is None:
        _SHELF.put(record.definition)
    return record


def _strictly(content: bytes) -> Mapping[str, Any]:
    try:
        task = load(content.decode())
    except UnicodeDecodeError as problem:
        raise TaskRefused("bad-json", f"This is not UTF-8 text: {problem}.", "") from problem
    if not isinstance(task, Mapping) or task.get("kind") != "calibration":
        raise Invalid(
            "line-no-input",
            "The line is JSON but no frozen input: expected an object of kind calibration. Hand"
            " in one frozen input per line, as it was stored.",
        )
    return task


def _codes(refusal: DomainError | TaskRefused) -> set[str]:
    """Return why there is no result: the errors found, or the refusal itself."""
    findings = refusal.findings if isinstance(refusal, DomainError) else ()
    return {f.code for f in findings if f.severity == "error"} or {refusal.code}


def _refusal(line: Line, refusal: DomainError | TaskRefused) -> dict[str, object]:
    findings = refusal.findings if isinstance(refusal, DomainError) else ()
    told = [
        {"code": f.code, "severity": f.severity, "at": f.at, "message": f.text()} for f in findings
    ]
    error = {
        "code": refusal.code, "message": str(refusal), "at": refusal.at,
        "file": line.file, "line": line.number, "findings": told,
    }  # fmt: skip
    return {"error": _without_lone_surrogates(error)}


def _without_lone_surrogates(value: Any) -> Any:
    """Return the value with what UTF-8 cannot hold made visible."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {name: _without_lone_surrogates(held) for name, held in value.items()}
    if isinstance(value, list):
        return [_without_lone_surrogates(held) for held in value]
    return value


def _too_long() -> Invalid:
    return Invalid(
        "line-too-long",
        "The line has more than {most} bytes; a frozen input has some twenty thousand. Write one"
        " input per line.",
        facts={"most": LONGEST},
    )


def _broken_file(problem: Exception) -> Invalid:
    return Invalid(
        "file-broken",
        "The file breaks off here ({problem}); what stands behind was not read. Copy it again.",
        facts={"problem": str(problem) or type(problem).__name__},
    )
