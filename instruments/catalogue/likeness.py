"""A measurand that differs from another in a few keys: the file says only those.

``like = "uniformity"`` starts from everything that other measurand says; a key given here takes the
place of its own, inputs one by one. Works on the raw table, before all else; nothing of it is left
in the type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from instruments.catalogue.lines import Path
from instruments.catalogue.problem import Problem


def filled_in(raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the table with every measurand written out, and what is wrong with ``like``."""
    measurands = raw.get("measurands")
    if not isinstance(measurands, list):
        return dict(raw), []
    full = {
        one["id"]: one
        for one in measurands
        if isinstance(one, Mapping) and isinstance(one.get("id"), str) and "like" not in one
    }
    found: list[Problem] = []
    written_out = [
        _one(one, full, ("measurands", index), found)
        if isinstance(one, Mapping) and "like" in one
        else one
        for index, one in enumerate(measurands)
    ]
    if raw.get("schema") == 1:
        message = "like came with format 2. Write schema = 2."
        found += [
            Problem("type-schema-version", ("measurands", index, "like"), message)
            for index, one in enumerate(measurands)
            if isinstance(one, Mapping) and "like" in one
        ]
    return {**raw, "measurands": written_out}, found


def _one(
    one: Mapping[str, Any], full: Mapping[str, Mapping[str, Any]], path: Path, found: list[Problem]
) -> Mapping[str, Any]:
    own = {key: value for key, value in one.items() if key != "like"}
    source = full.get(one["like"]) if isinstance(one["like"], str) else None
    if source is None:
        message = "{got} is no measurand written out in full. Use one of: {known}."
        facts = {"got": str(one["like"]), "known": ", ".join(full) or "none"}
        found.append(Problem("type-like", (*path, "like"), message, facts))
        return own
    theirs, inputs = source.get("inputs", {}), own.get("inputs", {})
    if isinstance(theirs, Mapping) and isinstance(inputs, Mapping):
        own["inputs"] = {**theirs, **inputs}
    return {**source, **own}
