"""How numbers stand in a line and in a column, found once before the pages are laid out.

A text is told apart into what may not be parted: a number, or values with their unit. A column of
numbers is aligned at the decimal point by what each cell lacks before and after it. Asking every
cell of a table in the template costs more than drawing it. Knows nothing of what a table says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from calib.certificates.blocks import Block
from calib.certificates.wording import RANGE, Words

Set = str | dict[str, Any]
"""A text as it stands, or what of it may not be parted."""
BESIDE = 10
"""Two short words of together so many letters stand beside each other: the row stays one line."""
ONE_COLUMN = 40
"""A text longer than this is no number of a column."""
CJK = "\u2e80"
"""From here on letters are twice as wide as others."""
MEASURED = 3
"""Texts of a column that are measured for its width: the longest ones."""
INDEXED = ("ν_eff", "u_c")
"""Names that are printed with an index."""
_LONG = re.compile(r"[!-,.-~]{22,}")
_NUMBER = re.compile(r"[≤≥<>]?-?\d[^\s]*")
_NO_NUMBER = re.compile(r"^\d{4}-\d\d|[A-Za-z]{2}|\d-")
_QUANTITY = re.compile(
    r"(?:U = |[≤≥] )?-?[\d.]+(?:\(\d+\))?(?: … -?[\d.]+)?(?: \S{1,9})?(?: \(k = .+\))?"
)
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_DECIMAL = re.compile(r"([<>]?)(-?)(\d+)(?:\.(\d+))?([†*]?)")


def set_text(text: str) -> Set:
    """Return a text, or its parts where a number must not break nor leave its unit."""
    if _is_number(text):
        return _number(text)
    if not _QUANTITY.fullmatch(text):
        return text
    sides = text.split(RANGE)
    return {
        "sides": [
            [_number(word) if _is_number(word) else word for word in side.split(" ")]
            for side in sides
        ]
    }


def set_sections(sections: Sequence[Block]) -> dict[str, Any]:
    """Return the sections with their facts and tables set, and what is to be measured for them.

    Columns name by their index what they must be wide enough for: equal heads are measured once.
    """
    measured: list[Block] = []
    done = [
        {**part, "blocks": [_set(block, measured) for block in part["blocks"]]} for part in sections
    ]
    return {"sections": done, "measured": measured}


def rules_needed(words: str) -> dict[str, bool]:
    """Return which rules about letters have something to do in the words of a document."""
    return {
        "long": _LONG.search(words) is not None,
        "symbols": any(symbol in words for symbol in INDEXED),
    }


def _set(block: Block, measured: list[Block]) -> Block:
    if block["block"] == "facts":
        rows = [{**row, "lines": [_all(line) for line in row["lines"]]} for row in block["rows"]]
        return {**block, "rows": rows}
    return _table(block, measured) if block["block"] == "table" else block


def _index(measured: list[Block], kind: str, body: Any) -> int:
    """Return the place of what is to be measured, which is taken up once."""
    one = {"kind": kind, "body": body}
    if one not in measured:
        measured.append(one)
    return measured.index(one)


def _all(words: Words) -> list[Set]:
    return [set_text(text) for text in words]


def _is_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text)) and not _NO_NUMBER.search(text)


def _number(text: str) -> Set:
    if _DIGITS.fullmatch(text):
        return text  # no line is ever parted between a digit, a point and a digit
    digits, *power = text.split("^")
    return {"digits": digits, "power": power[0] if power else ""}


def _table(block: Block, measured: list[Block]) -> Block:
    columns, across = [], []
    for i, head in enumerate(block["columns"]):
        cells = [row["cells"][i] for row in block["rows"]]
        found = [_decimal(cell) for cell in cells]
        column = {**head, **_needs(head, cells, found, measured)}
        columns.append(column)
        across.append(
            [
                _aligned(cell, number, column)
                if number and head["align"] == "right"
                else _cell(cell)
                for cell, number in zip(cells, found, strict=True)
            ]
        )
    rows = [
        {"mark": row["mark"], "cells": cells}
        for row, cells in zip(block["rows"], zip(*across, strict=True), strict=True)
    ]
    return {**block, "columns": columns, "rows": rows}


def _decimal(cell: Words) -> re.Match[str] | None:
    """Return the parts of a number; none of a text in two languages or of any other text."""
    return _DECIMAL.fullmatch(cell[0]) if len(cell) == 1 and len(cell[0]) < ONE_COLUMN else None


def _needs(
    head: Mapping[str, Any],
    cells: Sequence[Words],
    found: Sequence[re.Match[str] | None],
    measured: list[Block],
) -> dict[str, Any]:
    """Return what the numbers of a column need, in digits, and its longest other texts."""
    numbers = [match.groups(default="") for match in found if match]
    others = {cell: None for cell, match in zip(cells, found, strict=True) if match is None}
    longest = sorted(others, key=lambda cell: -len("".join(cell).encode()))[:MEASURED]
    if head["align"] == "left":
        longest = []
    words = _widest(word for label in head["label"] for word in label.split(" "))
    return {
        "words": [_index(measured, "word", word) for word in words],
        "units": [_index(measured, "unit", head["unit"])] if head["unit"] else [],
        "before": max((len(than) + len(whole) for than, _, whole, _, _ in numbers), default=0),
        "sign": any(sign for _, sign, _, _, _ in numbers),
        "after": max((len(digits) for _, _, _, digits, _ in numbers), default=0),
        "mark": max((len(mark) for *_, mark in numbers), default=0),
        "others": [_index(measured, "cell", _cell(cell)) for cell in longest],
        "parted": [
            set_text(side) for cell in longest for text in cell for side in text.split(RANGE)
        ],
    }


def _widest(words: Iterable[str]) -> list[str]:
    """Return those words of a head of which one is the widest: letters differ by less than half."""
    about = {word: sum(2 if letter >= CJK else 1 for letter in word) for word in words}
    return [word for word, width in about.items() if 2 * width >= max(about.values())]


def _aligned(cell: Words, number: re.Match[str], column: Mapping[str, Any]) -> dict[str, Any]:
    """Return a number with the digits and the point that others of its column have after it."""
    _, _, _, after, mark = number.groups()
    return {
        "number": _number(cell[0]),
        "lacks": column["after"] - len(after or "") + column["mark"] - len(mark),
        "point": after is None and column["after"] > 0,
    }


def _cell(words: Words) -> Set | list[Set]:
    if len(words) == 1:
        return set_text(words[0])
    if len(words) == 2 and len("".join(words)) <= BESIDE:
        return {"beside": list(words)}
    return _all(words)
