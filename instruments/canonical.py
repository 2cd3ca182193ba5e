"""Canonical JSON (RFC 8785) and digests; the same value always gives the same bytes.

Stands here rather than beside the results because type definitions, audit rows and frozen inputs
all need it. Knows nothing of what the values mean.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any


class Written(str):
    """A part whose canonical form is known already; it is taken as it stands."""

    __slots__ = ()


def canonical_json(value: object) -> bytes:
    """Return the RFC 8785 form of `value`: sorted keys, no spaces, shortest numbers, UTF-8.

    Raises
    ------
    ValueError
        NaN, an infinity, an integer beyond 2**53 or a type JSON does not know.
    """
    return _write(value).encode("utf-8")


def digest(value: object) -> str:
    """Return the SHA-256 of the canonical form, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def _write(value: object) -> str:
    writer = _WRITERS.get(type(value))
    return _of_other_kind(value) if writer is None else writer(value)


def _of_other_kind(value: object) -> str:
    """Write what is one of the known kinds by inheritance only."""
    for kind in (str, int, float):
        if isinstance(value, kind):
            return _WRITERS[kind](value)
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return _array(value)
    raise ValueError(f"{type(value).__name__} has no JSON form")


def _object(value: Mapping[object, object]) -> str:
    for key in value:
        if not isinstance(key, str):
            raise ValueError(f"JSON keys are text, got {key!r}")
    keys = sorted(map(str, value))
    if not all(map(str.isascii, keys)):
        # RFC 8785 sorts by UTF-16 code units, which differs from code points beyond the BMP
        keys.sort(key=lambda k: k.encode("utf-16-be"))
    return "{" + ",".join([f"{_text(k)}:{_write(value[k])}" for k in keys]) + "}"


def _array(value: Sequence[object]) -> str:
    return "[" + ",".join(map(_write, value)) + "]"


def _integer(value: int) -> str:
    if abs(value) > 2**53:
        raise ValueError(f"integer {value} does not survive JSON; send it as text")
    return str(value)


def _number(value: float) -> str:
    """Return the ECMAScript form of a double (RFC 8785 3.2.2.3)."""
    if not math.isfinite(value):
        raise ValueError(f"{value} has no JSON form")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
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
_WRITERS: dict[type, Callable[[Any], str]] = {
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
