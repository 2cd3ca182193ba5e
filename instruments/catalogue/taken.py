"""Where a file holds what a measurand took over from another, by ``like`` or shared readings.

Works on the raw table as the file has it; judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from instruments.catalogue.lines import Path


@dataclass(frozen=True, slots=True)
class Taken:
    """The place of the other measurand where it was written."""

    path: Path
    source: str
    """Its id."""
    by: str
    """The key that took it over."""


def taken_over(raw: Mapping[str, Any]) -> dict[Path, Taken]:
    """Return by key path what stands in another measurand only."""
    measurands = raw.get("measurands")
    if not isinstance(measurands, list):
        return {}
    tables = {i: one for i, one in enumerate(measurands) if isinstance(one, Mapping)}
    places = {one.get("id"): i for i, one in tables.items() if isinstance(one.get("id"), str)}
    found: dict[Path, Taken] = {}
    for index, one in tables.items():
        for by in ("like", "same_readings_as"):
            source = one.get(by)
            if by == "same_readings_as" and source is None and "like" in one:
                like = tables.get(places.get(one["like"], -1), {})
                source = like.get(by)
            other = places.get(source) if isinstance(source, str) else None
            if other is not None and other != index:
                for path, theirs in _from(one, tables[other], index, other, by):
                    found.setdefault(path, Taken(theirs, str(source), by))
    return found


def _from(
    one: Mapping[str, Any], other: Mapping[str, Any], index: int, place: int, by: str
) -> Iterator[tuple[Path, Path]]:
    """Yield each key that stands in the other alone, with its place there."""
    keys = [key for key in other if key not in one] if by == "like" else ["points"]
    for key in keys:
        if key in other and key not in one and key != "inputs":
            yield ("measurands", index, key), ("measurands", place, key)
    own, theirs = one.get("inputs", {}), other.get("inputs", {})
    if isinstance(own, Mapping) and isinstance(theirs, Mapping):
        for name in theirs:
            if name not in own:
                yield (
                    ("measurands", index, "inputs", name), ("measurands", place, "inputs", name)
                )  # fmt: skip


def origin_of(path: Path, taken: Mapping[Path, Taken]) -> Taken | None:
    """Return where the file holds what stands at a place; None where it stands there itself."""
    for length in range(len(path), 0, -1):
        known = taken.get(path[:length])
        if known is not None:
            further = origin_of((*known.path, *path[length:]), taken)
            here = (*known.path, *path[length:])
            return Taken(further.path if further else here, known.source, known.by)
    return None
