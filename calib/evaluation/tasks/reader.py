"""Strict reading of a task: every key known, every number a number, every fault with its place.

Knows plain documents only; what the numbers mean stands in the module of each kind.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from calib.engine.errors import (
    BadExpression,
    DegenerateData,
    EngineError,
    NotConverged,
    OutOfRange,
    SingularFit,
)

_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?\Z")
_CODES: dict[type[EngineError], str] = {
    DegenerateData: "degenerate-data",
    SingularFit: "singular-fit",
    NotConverged: "not-converged",
    OutOfRange: "out-of-range",
    BadExpression: "bad-expression",
}
MAX_ITEMS = 100_000
MAX_DIGITS = 400
MAX_WHOLE = 2**63


class TaskRefused(Exception):
    """A task cannot be read or computed: stable code, sentence, dotted place."""

    def __init__(self, code: str, message: str, at: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.at = at


def join(at: str, key: object) -> str:
    """Extend a dotted place by one step."""
    return f"{at}.{key}" if at else str(key)


@contextmanager
def place(at: str) -> Iterator[None]:
    """Give refusals of the engine a code and the place they belong to.

    Raises
    ------
    TaskRefused
        In place of any `EngineError` inside.
    """
    try:
        yield
    except EngineError as cause:
        code = _CODES.get(type(cause), "refused")
        raise TaskRefused(code, cause.message, at) from cause


def read_decimal(value: object, at: str) -> Decimal:
    """Read a finite number, exactly as written.

    Raises
    ------
    TaskRefused
        Not a number, not finite, or outside double precision.
    """
    if isinstance(value, str):
        if len(value) > MAX_DIGITS or not _DECIMAL.match(value):
            hint = " Write a decimal point, not a comma." if "," in value else ""
            msg = f"{at} is no decimal number: {value[:60]!r}.{hint}"
            raise TaskRefused("bad-number", msg, at)
        number = Decimal(value)
    elif isinstance(value, Decimal):
        number = value
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    else:
        msg = f"{at} must be a number or a decimal string, got {_kind(value)}."
        raise TaskRefused("bad-number", msg, at)
    if not number.is_finite() or math.isinf(_float(number)):
        raise TaskRefused("bad-number", f"{at} is not a finite number in double precision.", at)
    if number and _float(number) == 0:
        raise TaskRefused("bad-number", f"{at} is too small for double precision.", at)
    return number


def _float(number: Decimal) -> float:
    """Nearest double; infinity when too large."""
    return float(number) if number.adjusted() < MAX_DIGITS else math.inf


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, (list, tuple)) else "a number"


def read_number(value: object, at: str) -> float:
    """Read a finite number as a double."""
    return float(read_decimal(value, at))


def read_list(value: object, at: str, least: int = 1) -> Sequence[Any]:
    """Read a list of at least `least` items.

    Raises
    ------
    TaskRefused
        Not a list, or too short or too long.
    """
    if not isinstance(value, (list, tuple)):
        raise TaskRefused("bad-value", f"{at} must be a list, got {_kind(value)}.", at)
    if not least <= len(value) <= MAX_ITEMS:
        msg = f"{at} must have {least} to {MAX_ITEMS} items, got {len(value)}."
        raise TaskRefused("bad-value", msg, at)
    return value


def read_numbers(value: object, at: str, least: int = 1) -> list[float]:
    """Read a list of numbers."""
    return [read_number(v, join(at, i)) for i, v in enumerate(read_list(value, at, least))]


def read_matrix(value: object, at: str) -> list[list[float]]:
    """Read a list of lists of numbers."""
    return [read_numbers(v, join(at, i)) for i, v in enumerate(read_list(value, at))]


def read_word(value: object, at: str, allowed: Sequence[str]) -> str:
    """Read one of some words.

    Raises
    ------
    TaskRefused
        Not text, or another word.
    """
    if not isinstance(value, str) or value not in allowed:
        got = repr(value[:60]) if isinstance(value, str) else _kind(value)
        msg = f"{at} must be one of {', '.join(allowed)}; got {got}."
        raise TaskRefused("bad-value", msg, at)
    return value


def read_whole(value: object, at: str) -> int:
    """Read a whole number.

    Raises
    ------
    TaskRefused
        Not a whole number.
    """
    number = read_decimal(value, at)
    if number != number.to_integral_value() or abs(number) > MAX_WHOLE:
        raise TaskRefused("bad-number", f"{at} must be a whole number, got {number}.", at)
    return int(number)


class Fields:
    """An object of a task, of which every key is known by name."""

    def __init__(self, value: object, at: str, allowed: Sequence[str]) -> None:
        if not isinstance(value, Mapping):
            where = at or "A task"
            raise TaskRefused("bad-task", f"{where} must be an object, got {_kind(value)}.", at)
        for key in value:
            if key not in allowed:
                msg = f"Unknown key {str(key)[:60]!r}. Known here are {', '.join(allowed)}."
                raise TaskRefused("unknown-key", msg, join(at, str(key)[:60]))
        self.value = value
        self.at = at

    def place(self, key: str) -> str:
        """Dotted place of a key."""
        return join(self.at, key)

    def has(self, key: str) -> bool:
        """Whether the key is there and not null."""
        return self.value.get(key) is not None

    def get(self, key: str) -> Any:
        """Give the raw value, ``None`` when absent."""
        return self.value.get(key)

    def need(self, key: str) -> Any:
        """Give the raw value of a key that must be there.

        Raises
        ------
        TaskRefused
            The key is missing or null.
        """
        if not self.has(key):
            where = f" in {self.at}" if self.at else ""
            raise TaskRefused("missing-key", f"{key!r} is needed{where}.", self.place(key))
        return self.value[key]

    def number(self, key: str, default: float | None = None) -> float:
        """Read a number, the default when absent."""
        if not self.has(key) and default is not None:
            return default
        return read_number(self.need(key), self.place(key))

    def maybe_decimal(self, key: str) -> Decimal | None:
        """Read an exact number, ``None`` when absent."""
        return read_decimal(self.get(key), self.place(key)) if self.has(key) else None

    def maybe_number(self, key: str) -> float | None:
        """Read a number, ``None`` when absent."""
        return read_number(self.get(key), self.place(key)) if self.has(key) else None

    def numbers(self, key: str, least: int = 1) -> list[float]:
        """Read a list of numbers."""
        return read_numbers(self.need(key), self.place(key), least)

    def number_or_list(self, key: str) -> float | list[float] | None:
        """Read one number or a list of numbers, ``None`` when absent."""
        if not self.has(key):
            return None
        if isinstance(self.get(key), (list, tuple)):
            return self.numbers(key)
        return self.number(key)

    def word(self, key: str, allowed: Sequence[str], default: str | None = None) -> str:
        """Read one of some words."""
        if not self.has(key) and default is not None:
            return default
        return read_word(self.need(key), self.place(key), allowed)

    def flag(self, key: str) -> bool:
        """Read true or false; absent is false.

        Raises
        ------
        TaskRefused
            Anything else.
        """
        value = self.get(key)
        if value is None:
            return False
        if not isinstance(value, bool):
            msg = f"{self.place(key)} must be true or false, got {_kind(value)}."
            raise TaskRefused("bad-value", msg, self.place(key))
        return value


def read_choice(
    task: Mapping[str, Any], key: str, always: Sequence[str], choices: Mapping[str, Sequence[str]]
) -> tuple[str, Fields]:
    """Read the word that decides which further keys a task knows; without it all are known."""
    word = task.get(key)
    chosen = choices.get(word) if isinstance(word, str) else None
    further = [k for keys in choices.values() for k in keys] if chosen is None else chosen
    fields = Fields(task, "", tuple(dict.fromkeys((*always, *further))))
    return fields.word(key, tuple(choices)), fields


def finite(number: float | None) -> float | None:
    """Give a number as JSON has it: what is infinite or undefined is ``None``."""
    return None if number is None or not math.isfinite(number) else float(number)
