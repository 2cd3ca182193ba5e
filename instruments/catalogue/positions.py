"""Inputs read at several positions at once: one entry of the file becomes one input per position.

``positions = ["A", "B"]`` on the input ``t`` declares ``t_A`` and ``t_B``; whatever is derived of
``t`` is derived of both. Works on the raw table, before shapes are checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from instruments.catalogue.lines import Path
from instruments.catalogue.problem import Problem

MOST = 64
_POSITION = re.compile(r"[A-Za-z0-9]{1,8}\Z")


@dataclass(slots=True)
class Spread:
    """The table with an input per position."""

    raw: dict[str, Any]
    problems: list[Problem] = field(default_factory=list)
    origins: dict[Path, Path] = field(default_factory=dict)
    """Where the file holds what became several: the key path of each input of a position."""

    def origin(self, path: Path) -> Path:
        """Return the key path in the file for one in the table."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return (*self.origins[path[:length]], *path[length:])
        return path


def spread(raw: Mapping[str, Any]) -> Spread:
    """Return the table with an input per position, and what is wrong with the positions."""
    out = Spread(dict(raw))
    measurands = raw.get("measurands")
    if not isinstance(measurands, list):
        return out
    families: dict[str, dict[str, list[str]]] = {}
    tables = [
        _members_of(one, ("measurands", index), out, families) if isinstance(one, Mapping) else one
        for index, one in enumerate(measurands)
    ]
    out.raw["measurands"] = [
        _derived_of_all(one, families) if isinstance(one, Mapping) else one for one in tables
    ]
    standards = raw.get("standards")
    if isinstance(standards, list):
        out.raw["standards"] = [_standard(one, families) for one in standards]
    return out


def _names(name: str, positions: object) -> list[str]:
    if type(positions) is int and 2 <= positions <= MOST:
        return [f"{name}_{i + 1}" for i in range(positions)]
    named = positions if isinstance(positions, list) else []
    good = [p for p in named if isinstance(p, str) and _POSITION.match(p)]
    return [f"{name}_{p}" for p in dict.fromkeys(good)]


def _members_of(
    raw: Mapping[str, Any], path: Path, found: Spread, families: dict[str, dict[str, list[str]]]
) -> Mapping[str, Any]:
    """Return the measurand with one input per position."""
    inputs = raw.get("inputs")
    if not isinstance(inputs, Mapping):
        return raw
    own = families.setdefault(str(raw.get("id")), {})
    out: dict[str, Any] = {}
    for name, given in inputs.items():
        if not isinstance(given, Mapping) or "positions" not in given:
            out[name] = given
            continue
        own[name] = _names(name, given["positions"])
        place = (*path, "inputs", name)
        found.problems += _problems(given["positions"], own[name], inputs, place)
        rest = {key: value for key, value in given.items() if key != "positions"}
        for member in own[name]:
            found.origins[*path, "inputs", member] = place
            label = _label(rest.get("label"), member.removeprefix(f"{name}_"))
            out[member] = {**rest, "label": label}
    return {**raw, "inputs": out}


def _derived_of_all(
    raw: Mapping[str, Any], families: Mapping[str, Mapping[str, list[str]]]
) -> Mapping[str, Any]:
    """Let what is derived of the input be derived of all its positions, also of shared ones."""
    inputs = raw.get("inputs")
    if not isinstance(inputs, Mapping):
        return raw
    known = {
        **families.get(str(raw.get("same_readings_as")), {}), **families.get(str(raw.get("id")), {})
    }  # fmt: skip
    out = dict(inputs)
    for name, given in inputs.items():
        if (
            isinstance(given, Mapping)
            and isinstance(given.get("of"), list)
            and given.get("source") == "derived"
        ):
            out[name] = {**given, "of": _flat(given["of"], known)}
    return {**raw, "inputs": out}


def _problems(
    positions: object, family: list[str], inputs: Mapping[str, Any], path: Path
) -> list[Problem]:
    place = (*path, "positions")
    wanted = len(positions) if isinstance(positions, list) else positions
    if not 2 <= len(family) <= MOST or len(family) != wanted:
        message = "got {got}, expected 2 to {most} different short names, or their number."
        facts = {"got": str(positions), "most": MOST}
        return [Problem("type-positions", place, message, facts)]
    message = "the position becomes the input {name}, which is there already. Rename one of them."
    return [
        Problem("type-positions", place, message, {"name": name})
        for name in family
        if name in inputs
    ]


def _standard(raw: Any, families: Mapping[str, Mapping[str, list[str]]]) -> Any:
    """Let a standard that supports an input support it at every position."""
    if not isinstance(raw, Mapping) or not isinstance(raw.get("inputs"), list):
        return raw
    spelled = {
        f"{id_}.{name}": [f"{id_}.{member}" for member in family]
        for id_, own in families.items()
        for name, family in own.items()
    }
    return {**raw, "inputs": _flat(raw["inputs"], spelled)}


def _flat(names: Iterable[Any], families: Mapping[str, list[str]]) -> list[Any]:
    return [
        m for one in names for m in (families.get(one, [one]) if isinstance(one, str) else [one])
    ]


def _label(label: object, position: str) -> object:
    if not isinstance(label, Mapping) or not all(isinstance(v, str) for v in label.values()):
        return label
    words = {"en": f"{label.get('en', '')}, position {position}"}
    words["zh"] = f"{label.get('zh', '')}（位置 {position}）"
    return {key: words.get(key, value) for key, value in label.items()}
