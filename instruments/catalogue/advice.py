"""What to write instead, where a slip in a type file is one that many make.

Works on what the readers of TOML and of shapes complained of; judges nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from instruments.catalogue.lines import Path
from instruments.catalogue.problem import Problem

_PLAIN_SIGNS = {
    "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "＂": '"', "＇": "'", "＝": "=", "，": ",",
    "．": ".", "。": ".", "【": "[", "】": "]", "［": "[", "］": "]", "｛": "{", "｝": "}",
    "＃": "#", "\u3000": " ", "\u00a0": " ",
}  # fmt: skip


def sign_for(line: str) -> tuple[str, str] | None:
    """Return the first sign of a line that is none of TOML, and the one to write instead."""
    return next(((c, _PLAIN_SIGNS[c]) for c in line if c in _PLAIN_SIGNS), None)


def advised(path: Path, value: Any, problem: str, raw: Mapping[str, Any]) -> Problem:
    """Return a fault of shape with what to write instead, as far as that can be told."""
    if isinstance(value, int | float) and problem.endswith("expected str"):
        message = (
            "the number must be text in quotes, or its trailing zeros are lost: got {got}, "
            'write "{got}".'
        )
        return Problem("type-number-not-text", path, message, {"got": value})
    if isinstance(value, str) and problem.endswith("expected bool"):
        message = "got {got}. Write true or false, without quotes."
        return Problem("type-structure", path, message, {"got": f'"{value}"'})
    if isinstance(value, str) and problem.endswith("expected int"):
        message = "got {got}, expected a whole number. Write it without quotes."
        return Problem("type-structure", path, message, {"got": f'"{value}"'})
    if isinstance(value, Mapping) and problem.endswith("expected a list"):
        name = ".".join(str(part) for part in path if not isinstance(part, int))
        message = "there may be several of these: write [[{name}]] with two brackets for each."
        return Problem("type-structure", path, message, {"name": name})
    split = _split_name(path)
    if split and _is_split(raw, path):
        message = 'a name with a point needs quotes: write "{name}" = …, not {name} = ….'
        return Problem("type-structure", path, message, {"name": split})
    message = "{problem}. Correct the key or its value."
    return Problem("type-structure", path, message, {"problem": problem})


def _split_name(path: Path) -> str:
    """Return the name of a variant that its point cut in two; empty where none was cut."""
    if len(path) < 4 or path[0] != "variants":
        return ""
    return f"{path[2]}.{path[3]}" if str(path[2]).isdecimal() else ""


def _is_split(raw: Mapping[str, Any], path: Path) -> bool:
    found: Any = raw
    for part in path[:3]:
        found = found.get(part) if isinstance(found, Mapping) else None
    return isinstance(found, Mapping) and not {"en", "zh"} & set(found)
