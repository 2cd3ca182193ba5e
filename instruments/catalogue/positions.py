"""Inputs read at several positions at once: one entry of the file becomes one input per position.

``positions = ["A", "B"]`` on the input ``t`` declares ``t_A`` and ``t_B``; whatever is derived of
``t`` is derived of both. Works on the raw table, before shapes are checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from instruments.catalogue.lines import Path
from instruments.catalogue.problem import Problem

MOST = 64
_POSITION = re.compile(r"[A-Za-z0-9]{1,8}\Z")


def spread(raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the table with an input per position, and what is wrong with the positions."""
    found: list[Problem] = []
    measurands = raw.get("measurands")
    if not isinstance(measurands, list):
        return dict(raw), found
    spread_out = [
        _measurand(one, ("measurands", index), found) if isinstance(one, Mapping) else one
        for index, one in enumerate(measurands)
    ]
    return {**raw, "measurands": spread_out}, found


def _measurand(raw: Mapping[str, Any], path: Path, found: list[Problem]) -> Mapping[str, Any]:
    inputs = raw.get("inputs")
    if not isinstance(inputs, Mapping):
        return raw
    families: dict[str, list[str]] = {}
    out: dict[str, Any] = {}
    for name, given in inputs.items():
        if not isinstance(given, Mapping) or "positions" not in given:
            out[name] = given
            continue
        place = (*path, "inputs", name, "positions")
        positions = _positions(given["positions"], place, found)
        families[name] = [f"{name}_{position}" for position in positions]
        rest = {key: value for key, value in given.items() if key != "positions"}
        for member, position in zip(families[name], positions, strict=True):
            out[member] = {**rest, "label": _label(rest.get("label"), position)}
    for name, given in out.items():
        if isinstance(given, Mapping) and isinstance(given.get("of"), list):
            members = [m for one in given["of"] for m in families.get(one, [one])]
            out[name] = {**given, "of": members}
    return {**raw, "inputs": out}


def _positions(given: object, path: Path, found: list[Problem]) -> list[str]:
    """Names of positions; a list of different short words, or their number."""
    if type(given) is int and 2 <= given <= MOST:
        return [str(i + 1) for i in range(given)]
    named = given if isinstance(given, list) else []
    good = [p for p in named if isinstance(p, str) and _POSITION.match(p)]
    if len(good) < 2 or len(set(good)) != len(named) or len(good) > MOST:
        message = "got {got}, expected 2 to {most} different short names, or their number."
        found.append(Problem("type-positions", path, message, {"got": str(given), "most": MOST}))
    return list(dict.fromkeys(good))


def _label(label: object, position: str) -> object:
    if not isinstance(label, Mapping) or not all(isinstance(v, str) for v in label.values()):
        return label
    words = {"en": f"{label.get('en', '')}, position {position}"}
    words["zh"] = f"{label.get('zh', '')}（位置 {position}）"
    return {key: words.get(key, value) for key, value in label.items()}
