"""Judges the measurement function and the lines of the budget of one measurand.

The function is looked at lightly: that it can be read and which names it uses. The language itself
belongs to the engine, which type files never reach.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from instruments.catalogue.lines import Path
from instruments.catalogue.problem import Problem
from instruments.procedure import Component, Evaluate, Measurand

_CONSTANTS = frozenset({"pi"})
_ALLOWED: dict[Evaluate, frozenset[str]] = {
    "A": frozenset({"pooled"}),
    "B": frozenset({"half_width", "relative_half_width", "of", "U", "relative_U", "k", "u", "dof"}),
    "certificate": frozenset({"of"}),
    "resolution": frozenset(),
}
"""Which statements of size each way of evaluation reads; another one would be ignored."""
_SIZES = ("pooled", "half_width", "relative_half_width", "of", "U", "relative_U", "k", "u", "dof")


def function_problems(measurand: Measurand, path: Path) -> Iterator[Problem]:
    """Yield names of the function that nothing declares and inputs that it leaves out."""
    place = (*path, "function")
    names = _names(measurand.function)
    if names is None:
        message = "the function {function} cannot be read. Correct its brackets and signs."
        yield Problem("type-function", place, message, {"function": measurand.function})
        return
    declared = set(measurand.inputs) | {c.input for c in measurand.components}
    behind = {of for name, q in measurand.inputs.items() if name in names for of in q.of}
    for name in sorted(names - declared - _CONSTANTS):
        message = "the function uses {name}, which is no input and has no component. Declare it."
        yield Problem("type-function", place, message, {"name": name})
    for name in measurand.inputs:
        if name not in names | behind:
            message = "the function does not use this input. Use it or take it out."
            yield Problem("type-function", (*path, "inputs", name), message)
    for index, component in enumerate(measurand.components):
        if component.input not in names | set(measurand.inputs):
            message = "the function does not use {name}: the component would have no effect."
            facts = {"name": component.input}
            yield Problem("type-function", (*path, "components", index, "input"), message, facts)


def _names(function: str) -> AbstractSet[str] | None:
    """Return the names of quantities in the function; None when it cannot be read."""
    try:
        tree = ast.parse(function.replace("^", "**"), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    called = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and n not in called}


def component_problems(measurand: Measurand, path: Path) -> Iterator[Problem]:
    """Yield components whose size is missing, doubled, ignored or on the wrong input."""
    for index, component in enumerate(measurand.components):
        place = (*path, "components", index)
        yield from _sizes(component, place)
        yield from _place(component, measurand, place)


def _sizes(component: Component, path: Path) -> Iterator[Problem]:
    given = {name for name in _SIZES if getattr(component, name) is not None}
    for name in sorted(given - _ALLOWED[component.evaluate]):
        message = "evaluate = {evaluate} does not read {name}. Take it out."
        facts = {"evaluate": component.evaluate, "name": name}
        yield Problem("type-component", (*path, name), message, facts)
    if component.evaluate != "B":
        return
    widths = given & {"half_width", "relative_half_width"}
    ways = [bool(widths), "U" in given or "relative_U" in given, "u" in given]
    if ways.count(True) != 1:
        message = "give the size once: half_width (or relative_half_width), U with k, or u."
        yield Problem("type-component", path, message)
    if ("U" in given or "relative_U" in given) != ("k" in given):
        yield Problem("type-component", path, "U and k belong together. Give both.")
    if bool(given & {"relative_half_width", "relative_U"}) != ("of" in given):
        message = "a relative size and of belong together: a fraction of which quantity?"
        yield Problem("type-component", path, message)
    if (component.distribution == "normal") == bool(widths):
        message = (
            "the distribution {distribution} does not fit: a half-width needs bounds, U and u are "
            "normal. Correct the distribution."
        )
        facts = {"distribution": component.distribution}
        yield Problem("type-component", (*path, "distribution"), message, facts)


def _place(component: Component, measurand: Measurand, path: Path) -> Iterator[Problem]:
    entered = measurand.inputs.get(component.input)
    source = entered.source if entered else "additive influence"
    wanted = {
        "A": ("standard", "item", "derived"),
        "resolution": ("item", "additive influence"),
        "certificate": ("additive influence",),
        "B": (
            "standard",
            "item",
            "nominal",
            "condition",
            "rating",
            "derived",
            "additive influence",
        ),
    }[component.evaluate]
    if source not in wanted:
        message = "evaluate = {evaluate} cannot stand on {input} ({source}). Name another input."
        facts = {"evaluate": component.evaluate, "input": component.input, "source": source}
        yield Problem("type-component", (*path, "input"), message, facts)
    if component.of is not None and component.of not in measurand.inputs:
        message = "{of} is no declared input. Name the input that the fraction is taken of."
        yield Problem("type-component", (*path, "of"), message, {"of": component.of})
    readings = measurand.points.readings
    if entered is not None and entered.readings is not None:
        readings = entered.readings
    if component.evaluate == "A" and component.pooled is None and readings < 2:
        message = "one reading has no scatter. Give pooled with its s and dof."
        yield Problem("type-component", path, message)
