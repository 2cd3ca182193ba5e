"""Canonical JSON (RFC 8785) and digests; the same value always gives the same bytes.

Stands here rather than beside the results because type definitions, audit rows and frozen inputs
all need it. Knows nothing of what the values mean.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from json.encoder import encode_basestring
from operator import attrgetter
from typing import Any

from instruments.plain import written_fields


class Written(str):
    """A part whose canonical form is known already; it is taken as it stands."""

    __slots__ = ()


def canonical_json(value: object) -> bytes:
    """Return the RFC 8785 form of `value`: sorted keys, no spaces, shortest numbers, UTF-8.

    A frozen dataclass is written as its plain form is.

    Raises
    ------
    ValueError
        NaN, an infinity, an integer beyond 2**53 or a type JSON does not know.
    """
    return _WRITERS[type(value)](value).encode("utf-8")


def digest(value: object) -> str:
    """Return the SHA-256 of the canonical form, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


_Writer = Callable[[Any], str]


class _Writers(dict[type, _Writer]):
    """What writes values of a type; found once for each."""

    def __missing__(self, kind: type) -> _Writer:
        self[kind] = found = _writer_of(kind)
        return found


def _writer_of(kind: Any) -> _Writer:
    """Return what writes a dataclass, or one of the known kinds by inheritance."""
    fields = written_fields(kind)
    if fields is not None:
        return _writer_of_dataclass(fields)
    for known in (str, int, float):
        if issubclass(kind, known):
            return _WRITERS[known]
    if issubclass(kind, Mapping):
        return _object
    if issubclass(kind, Sequence) and not issubclass(kind, bytes | bytearray | memoryview):
        return _array
    raise ValueError(f"{kind.__name__} has no JSON form")


def _writer_of_dataclass(fields: tuple[tuple[str, tuple[Any, ...]], ...]) -> _Writer:
    # names of Python sort the same by code points and by code units
    known = sorted(fields)
    absent = [at for _, at in known]
    written = [f"{_text(name)}:" for name, _ in known]
    held_by = attrgetter(*(name for name, _ in known)) if len(known) > 1 else _one(known)

    def write(value: object) -> str:
        found = zip(written, held_by(value), strict=True)
        return "{" + ",".join([name + _WRITERS[type(held)](held) for name, held in found]) + "}"

    def write_present(value: object) -> str:
        members = [
            name + _WRITERS[type(held)](held)
            for name, held, at in zip(written, held_by(value), absent, strict=True)
            if not at or held != at[0]
        ]
        return "{" + ",".join(members) + "}"

    return write_present if any(absent) else write


def _one(fields: Sequence[tuple[str, object]]) -> Callable[[object], tuple[object, ...]]:
    return lambda value: tuple(getattr(value, name) for name, _ in fields)


def _object(value: Mapping[object, object]) -> str:
    for key in value:
        if not isinstance(key, str):
            raise ValueError(f"JSON keys are text, got {key!r}")
    keys = sorted(map(str, value))
    if not all(map(str.isascii, keys)):
        # RFC 8785 sorts by UTF-16 code units, which differs from code points beyond the BMP
        keys.sort(key=lambda k: k.encode("utf-16-be"))
    members = [f"{_text(k)}:{_WRITERS[type(value[k])](value[k])}" for k in keys]
    return "{" + ",".join(members) + "}"


def _array(value: Sequence[object]) -> str:
    return "[" + ",".join([_WRITERS[type(item)](item) for item in value]) + "]"


def _integer(value: int) -> str:
    if abs(value) > 2**53:
        raise ValueError(f"integer {value} does not survive JSON; send it as text")
    return str(value)


def _number(value: float) -> str:
    """Return the ECMAScript form of a double (RFC 8785 3.2.2.3)."""
    text = float.__repr__(value)
    if "e" not in text and "n" not in text and value:
        # without an exponent, and no NaN or infinity, the two forms differ in whole numbers only
        return text.removesuffix(".0")
    if not math.isfinite(value):
        raise ValueError(f"{value} has no JSON form")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = float.__repr__(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + ("" if fraction == "0" else fraction)).lstrip("0")
    point = len(whole) + int(exponent or 0)
    if whole == "0":
        point -= len(fraction) - len(digits) + 1
    digits = digits.rstrip("0")
    n = len(digits)
    if 0 < point <= 21:
        if n <= point:
            return sign + digits + "0" * (point - n)
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    tail = f".{digits[1:]}" if n > 1 else ""
    return f"{sign}{digits[0]}{tail}e{'+' if point > 0 else '-'}{abs(point - 1)}"


# json escapes exactly what RFC 8785 asks for once non-ASCII text is left alone
_text = encode_basestring
_WRITERS = _Writers(
    {
        type(None): lambda _: "null",
        bool: lambda value: "true" if value else "false",
        str: _text,
        int: _integer,
        float: _number,
        dict: _object,
        list: _array,
        tuple: _array,
        Written: str,
    }
)
