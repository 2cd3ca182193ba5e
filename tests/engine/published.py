"""Reading the published numbers of tests/reference."""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path
from typing import Any

REFERENCE = Path(__file__).parents[1] / "reference"


@functools.cache
def load(name: str) -> dict[str, Any]:
    return tomllib.loads((REFERENCE / f"{name}.toml").read_text(encoding="utf-8"))


def agrees(found: float, expected: dict[str, Any]) -> bool:
    return abs(found - expected["value"]) <= expected["tolerance"]


def to_print(found: float, printed: str) -> bool:
    """Whether a number agrees with a printed one to its last digit."""
    places = len(printed.partition(".")[2])
    return abs(found - float(printed)) <= 0.5 * 10.0**-places * (1 + 1e-9)


def good(result: dict[str, Any]) -> dict[str, Any]:
    assert "error" not in result, result
    return result
