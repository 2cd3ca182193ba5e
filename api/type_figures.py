"""One figure of a type by its place in the definition, told apart from its neighbours."""

from __future__ import annotations

from typing import Any

from api.type_plan import between, points_text
from api.type_words import key_words, limit_text, range_text, value_text, when_text
from instruments.catalogue.lines import Path
from instruments.procedure import (
    Component,
    EnvironmentLimit,
    InstrumentType,
    Limit,
    Points,
    Rating,
)
from instruments.quantities import UNITS

SIZES = (
    "half_width", "relative_half_width", "of", "U", "relative_U", "k", "u", "dof", "pooled",
    "scatter_of", "group",
)  # fmt: skip
"""Keys of a component that say how large it is."""


def size_text(component: Component, language: str) -> str:
    """Return how large a line of the budget is."""
    return ", ".join(
        f"{key_words(name, language)} {value_text(getattr(component, name), language)}"
        for name in SIZES
        if getattr(component, name)
    )


def figure_text(type_: InstrumentType, path: Path, language: str) -> str:
    """Return range, class and size of what stands at a place; empty where a name says all."""
    found: Any = type_
    for part in path:
        found = getattr(found, part) if isinstance(part, str) and hasattr(found, part) else (
            found[part]
        )  # fmt: skip
    measurand = type_.measurands[path[1]] if path[0] == "measurands" else None  # type: ignore[index]
    if isinstance(found, Limit) and measurand is not None:
        parts = (
            range_text(type_, measurand, found, language), when_text(type_, found.when, language),
            limit_text(type_, measurand, found, language),
        )  # fmt: skip
        return "  ".join(filter(None, parts))
    if isinstance(found, Points) and measurand is not None:
        return f"{points_text(type_, measurand, language)}; × {found.readings}"
    if isinstance(found, Component):
        return size_text(found, language)
    if isinstance(found, EnvironmentLimit):
        return between(found.low, found.high, UNITS[found.unit].symbol, language)
    if isinstance(found, Rating):
        return f"{found.default} {UNITS[found.unit].symbol}"
    return str(found) if isinstance(found, int) else ""
