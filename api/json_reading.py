"""JSON read strictly, from requests and files: what the reader would have to guess is refused.

The default reader takes NaN, Infinity, 1e400 and the last of duplicate keys: a direct way to a
wrong number.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from instruments.errors import Invalid

MOST_DIGITS = 19
"""More than any id or count here has."""


def read_json(body: bytes) -> Any:
    """Return the value in `body`; raises Invalid for anything that is not plain, finite JSON."""
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_no_duplicates,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
        if b"\\u" in body:  # half of a pair written as an escape is no text
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        return value
    except UnicodeError as problem:
        raise Invalid(
            "json-invalid", "The body is not UTF-8 text. Encode it as UTF-8."
        ) from problem
    except RecursionError as problem:
        raise Invalid(
            "json-invalid", "The body is nested too deeply. No request needs that: send it flatter."
        ) from problem
    except json.JSONDecodeError as problem:
        raise Invalid(
            "json-invalid",
            "The body is not JSON: {problem} at line {line}, column {column}.",
            facts={"problem": problem.msg, "line": problem.lineno, "column": problem.colno},
        ) from problem


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Invalid(
            "json-duplicate-key",
            "The key {key} stands twice in one object; which one counts cannot be told. "
            "Send it once.",
            facts={"key": repr(twice)},
        )
    return members


def _no_constant(name: str) -> NoReturn:
    raise Invalid(
        "number-not-finite",
        "{name} is not a number that can be measured. Send a finite decimal as text.",
        facts={"name": name},
    )


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise Invalid(
            "number-too-long",
            "A whole number has {count} digits, at most {most} are read. Send it as text.",
            facts={"count": len(text), "most": MOST_DIGITS},
        )
    return int(text)


def _finite(text: str) -> float:
    value = float(text)  # house: float -- a number of JSON; readings come as text
    if not math.isfinite(value):
        _no_constant(text)
    return value
