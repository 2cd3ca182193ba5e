"""Tables people hand in, as rows of text: CSV in UTF-8 or GB18030, and XLSX.

Every value stays the text it was. Formulas give the value the workbook shows. Limits stop files
that unfold into something larger than they look. Knows no table of the database.
"""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from instruments.errors import Invalid, Refused
from instruments.services import workbook

MAX_BYTES = 20 * 1024**2
MAX_ROWS = 200_000
MAX_RATIO = 50
"""Unfolded size over packed size; past this a packed file is a bomb."""
_SMALL = 5 * 1024**2
"""Below this unfolded size the ratio does not matter."""
MAX_UNFOLDED = 256 * 1024**2
MAX_ENTRIES = 1000
MAX_MEMORY = 1536 * 1024**2
_MEMORY_PER_BYTE = 20
"""Of addresses, for each byte of a sheet that is as large as it says."""
_SECONDS = 60
_HEADING_ROW = 1


def read_table(content: bytes, filename: str) -> list[dict[str, str]]:
    """Return the rows below the heading row, each by heading; row 2 of the file comes first.

    Rows between others that are empty stay, so that counting on gives the row number in the file.

    Raises Invalid when the file cannot be read, Refused when it is beyond the limits.
    """
    if len(content) > MAX_BYTES:
        raise Refused(
            "table-too-large",
            "The file {file} is larger than {limit} MB. Split it.",
            facts={"file": filename, "limit": MAX_BYTES // 1024**2},
        )
    if content[:4] == b"PK\x03\x04":
        rows = _rows_of_workbook(content, filename)
    elif content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise _unreadable(
            "table-unreadable",
            "The file {file} is an old or a locked Excel file. Save it as XLSX without a password.",
            filename,
        )
    else:
        rows = _rows_of_csv(content, filename)
    while rows and not any(cell.strip() for cell in rows[-1]):
        rows.pop()
    if len(rows) <= _HEADING_ROW:
        raise Invalid(
            "table-empty",
            "The file {file} holds no rows below its headings. Check that the rows are on the "
            "first sheet.",
            facts={"file": filename},
        )
    return _by_heading(rows, filename)


def heading(text: str) -> str:
    """Return a heading as it is compared: without case, width, underscores and spaces."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in plain if not c.isspace() and c not in "_-.*")


def _by_heading(rows: list[list[str]], filename: str) -> list[dict[str, str]]:
    headings = [cell.strip() for cell in rows[0]]
    while headings and not headings[-1]:
        headings.pop()
    counted = Counter(heading(text) for text in headings)
    twice = [text for text in headings if counted[heading(text)] > 1]
    if not headings:
        raise Invalid(
            "table-headings",
            "The first row of {file} holds no headings. Put one above each column.",
            at="/rows/1",
            facts={"file": filename},
        )
    if twice:
        raise Invalid(
            "table-headings",
            "The first row of {file} must hold different headings; {heading} is there more than "
            "once. Rename a column.",
            at="/rows/1",
            facts={"file": filename, "heading": twice[0]},
        )
    width = len(headings)
    table = []
    for number, row in enumerate(rows[1:], start=2):
        if any(cell.strip() for cell in row[width:]):
            raise Invalid(
                "table-ragged",
                "Row {row} of {file} has more cells than there are headings ({width}). "
                "Put text that holds the separator in quotes.",
                at=f"/rows/{number}",
                facts={"row": number, "file": filename, "width": width},
            )
        cells = row[:width] + [""] * (width - len(row))
        table.append(dict(zip(headings, cells, strict=True)))
    return table


def _rows_of_csv(content: bytes, filename: str) -> list[list[str]]:
    text = _decoded(content, filename)
    if "\0" in text:
        raise _unreadable(
            "table-unreadable",
            "The file {file} is neither a workbook nor text. Save it as XLSX or as CSV in UTF-8.",
            filename,
        )
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            rows.append(row)
            if len(rows) > MAX_ROWS + _HEADING_ROW:
                raise _too_many(filename)
    except csv.Error as problem:
        raise Invalid(
            "table-malformed",
            "Line {line} of {file} cannot be read ({problem}). Put text that holds quotes or the "
            "separator in quotes.",
            at=f"/rows/{reader.line_num}",
            facts={"file": filename, "line": reader.line_num, "problem": str(problem)},
        ) from problem
    return rows


def _decoded(content: bytes, filename: str) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings: Sequence[str] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _unreadable(
        "table-unreadable",
        "The file {file} is text neither in UTF-8 nor in GB18030. Save it as XLSX or as CSV in "
        "UTF-8.",
        filename,
    )


def _rows_of_workbook(content: bytes, filename: str) -> list[list[str]]:
    unfolded = _unfolded(content, filename)
    memory = min(workbook.MEMORY + _MEMORY_PER_BYTE * unfolded, MAX_MEMORY)
    rows_at_most = MAX_ROWS + _HEADING_ROW
    script = str(Path(workbook.__file__))
    command = [sys.executable, "-I", script, str(rows_at_most), str(memory)]
    try:
        done = subprocess.run(  # noqa: S603 -- our own script, no shell
            command,
            input=content,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            env={"LANG": "C.UTF-8"},  # nothing of this process is handed on: it holds secrets
            start_new_session=True,
        )
    except subprocess.TimeoutExpired as problem:
        raise _too_heavy(filename) from problem
    if done.returncode != 0:  # killed by its limits
        raise _too_heavy(filename)
    answer = json.loads(done.stdout)
    if answer.get("problem") == "too-large":
        raise _too_many(filename)
    if answer.get("problem") == "locked":
        raise _unreadable(
            "table-unreadable",
            "The file {file} is locked with a password. Save it without one.",
            filename,
        )
    if "rows" not in answer:
        raise _no_workbook(filename)
    rows: list[list[str]] = answer["rows"]
    return rows


def _unfolded(content: bytes, filename: str) -> int:
    """Return the size the directory tells, by which the child is given memory; bombs are refused.

    A directory that says less than is true gets the child less memory, and ended.
    """
    if content.count(b"PK\x01\x02") > 4 * MAX_ENTRIES:  # before anything is made of each
        raise _unfolds(filename)
    try:
        entries = zipfile.ZipFile(io.BytesIO(content)).infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as problem:
        raise _no_workbook(filename) from problem
    unfolded = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_ENTRIES:
        raise _unfolds(filename)
    if unfolded > MAX_UNFOLDED or (unfolded > _SMALL and unfolded > MAX_RATIO * len(content)):
        raise _unfolds(filename)
    return unfolded


def _too_many(filename: str) -> Refused:
    return Refused(
        "table-too-large",
        "The sheet in {file} is larger than {limit} rows. Split it, and delete empty columns.",
        facts={"file": filename, "limit": MAX_ROWS},
    )


def _too_heavy(filename: str) -> Refused:
    return Refused(
        "table-too-large",
        "The file {file} takes more memory or time than is allowed. Split it.",
        facts={"file": filename},
    )


def _unfolds(filename: str) -> Refused:
    return Refused(
        "table-too-large",
        "The file {file} unfolds into more than {limit} times its size. Save it anew as CSV.",
        facts={"file": filename, "limit": MAX_RATIO},
    )


def _no_workbook(filename: str) -> Invalid:
    return Invalid(
        "table-unreadable",
        "The file {file} is no workbook. Save it as XLSX or as CSV in UTF-8.",
        facts={"file": filename},
    )


def _unreadable(code: str, message: str, filename: str) -> Invalid:
    return Invalid(code, message, facts={"file": filename})
