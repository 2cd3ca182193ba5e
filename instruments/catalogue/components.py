"""Judges the measurement function and the lines of the budget of one measurand.

The function is looked at lightly: that it can be read and which names it uses. The language itself
belongs to the engine, which type files never reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from instruments.catalogue.inputs import is_number, names_in, planned_readings
from instruments.catalogue.lines import Path
from instruments.catalogue.problem import Problem
from instruments.catalogue.sharing import used_by_others
from instruments.procedure import (
    READ,
    Component,
    Evaluate,
    InputQuantity,
    InstrumentType,
    Measurand,
)

_ALLOWED: dict[Evaluate, frozenset[str]] = {
    "A": frozenset({"pooled", "scatter_of"}),
    "B": frozenset({"half_width", "relative_half_width", "of", "U", "relative_U", "k", "u", "dof"}),
    "certificate": frozenset({"of"}),
    "resolution": frozenset(),
}
"""Which statements of size each way of evaluation reads; another one would be ignored."""
_SIZES = (
    "pooled", "scatter_of", "half_width", "relative_half_width", "of", "U", "relative_U", "k", "u",
    "dof",
)  # fmt: skip


def function_problems(type_: InstrumentType, measurand: Measurand, path: Path) -> Iterator[Problem]:
    """Yield names of the function that nothing declares and inputs that it leaves out."""
    place = (*path, "function")
    names = names_in(measurand.function)
    if names is None:
        message = "the function {function} cannot be read. Correct its brackets and signs."
        yield Problem("type-function", place, message, {"function": measurand.function})
        return
    declared = set(measurand.inputs) | {c.input for c in measurand.components}
    # a size may be a fraction of an input that the function itself does not use
    used = names | {c.of for c in measurand.components if c.of}
    derived = [q for n, q in measurand.inputs.items() if n in used and q.source == "derived"]
    behind = {of for quantity in derived for of in quantity.of}
    # a slope leads through a function to its arguments, not through a statistic
    felt = names | {
        of
        for name, quantity in measurand.inputs.items()
        if name in names and quantity.source == "derived" and not quantity.statistic
        for of in quantity.of
    }
    for name in sorted(names - declared):
        message = "the function uses {name}, which is no input and has no component. Declare it."
        yield Problem("type-function", place, message, {"name": name})
    for name in measurand.inputs:
        if name not in used | behind | used_by_others(type_, measurand):
            message = "the function does not use this input. Use it or take it out."
            yield Problem("type-function", (*path, "inputs", name), message)
    for index, component in enumerate(measurand.components):
        if component.input not in felt:
            message = "the function does not use {name}: the component would have no effect."
            facts = {"name": component.input}
            yield Problem("type-function", (*path, "components", index, "input"), message, facts)


def component_problems(
    type_: InstrumentType, measurand: Measurand, path: Path
) -> Iterator[Problem]:
    """Yield components whose size is missing, doubled, ignored or on the wrong input."""
    for index, component in enumerate(measurand.components):
        place = (*path, "components", index)
        yield from _range(component, place)
        yield from _sizes(component, place)
        yield from _place(component, measurand, place)
        yield from _of(type_, component, measurand, (*place, "of"))
        if component.scatter_of:
            yield from _elsewhere(type_, component, measurand, place)
        if component.evaluate == "certificate":
            yield from _certificate(component, measurand, place)


def _range(component: Component, path: Path) -> Iterator[Problem]:
    low, high = component.start, component.end
    if low is not None and high is not None and Decimal(low) >= Decimal(high):
        message = "start {low} is not below end {high}. Exchange or correct them."
        yield Problem("type-range", (*path, "start"), message, {"low": low, "high": high})


def _sizes(component: Component, path: Path) -> Iterator[Problem]:
    given = {name for name in _SIZES if getattr(component, name) not in (None, "")}
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
    wanted: dict[Evaluate, tuple[str, ...]] = {
        "A": (source,) if component.scatter_of else ("standard", "item", "derived"),
        "resolution": ("item", "additive influence"),
        "certificate": ("standard", "additive influence"),
        "B": (source,),
    }
    if source not in wanted[component.evaluate]:
        message = "evaluate = {evaluate} cannot stand on {input} ({source}). Name another input."
        facts = {"evaluate": component.evaluate, "input": component.input, "source": source}
        yield Problem("type-component", (*path, "input"), message, facts)
    elif entered is not None and component.evaluate == "A" and not component.scatter_of:
        yield from _scatter(component, measurand, entered, path)
    elif component.evaluate == "resolution" and entered and entered.unit != measurand.unit:
        message = "the resolution of the item is known in {unit}; {input} is read in {other}."
        facts = {"unit": measurand.unit, "input": component.input, "other": entered.unit}
        yield Problem("type-component", (*path, "input"), message, facts)


def _scatter(
    component: Component, measurand: Measurand, entered: InputQuantity, path: Path
) -> Iterator[Problem]:
    """Yield a scatter that cannot be seen in the readings."""
    if entered.reference or entered.function:
        message = "{input} is no reading. Name the reading behind it: its scatter comes through."
        yield Problem("type-component", (*path, "input"), message, {"input": component.input})
    elif entered.statistic and component.pooled is not None:
        message = "the scatter of a statistic is that of its readings. Take pooled out."
        yield Problem("type-component", (*path, "pooled"), message)
    elif component.pooled is None and planned_readings(measurand, entered) < 2:
        message = "one reading has no scatter. Give pooled with its s and dof."
        yield Problem("type-component", path, message)


def _elsewhere(
    type_: InstrumentType, component: Component, measurand: Measurand, path: Path
) -> Iterator[Problem]:
    """Yield a scatter that no other measurand shows, or shows in another unit."""
    entered = measurand.inputs.get(component.input)
    unit = measurand.unit if entered is None else entered.unit
    known = [
        f"{m.id}.{name}"
        for m in type_.measurands
        for name, quantity in m.inputs.items()
        if m is not measurand and not m.same_readings_as and quantity.source in READ
        if quantity.unit == unit and planned_readings(m, quantity) > 1
    ]
    if component.scatter_of not in known:
        message = "{got} is no series of readings in {unit} of another measurand. Name: {known}."
        facts = {
            "got": component.scatter_of, "unit": unit, "known": ", ".join(known) or "there is none",
        }  # fmt: skip
        yield Problem("type-component", (*path, "scatter_of"), message, facts)
    if component.pooled is not None:
        message = "give the scatter once: pooled or scatter_of."
        yield Problem("type-component", path, message)


def _of(
    type_: InstrumentType, component: Component, measurand: Measurand, path: Path
) -> Iterator[Problem]:
    of = component.of
    if of is None:
        return
    if of.startswith("@") and component.evaluate == "B":
        values = type_.variants.get(of[1:], {})
        if of[1:] not in type_.ratings and not (values and all(map(is_number, values))):
            message = "{of} is no rated value of the type and no variant of numbers. Correct it."
            yield Problem("type-component", path, message, {"of": of})
    elif of not in measurand.inputs:
        message = "{of} is no declared input. Name the input that the fraction is taken of."
        yield Problem("type-component", path, message, {"of": of})


def _certificate(component: Component, measurand: Measurand, path: Path) -> Iterator[Problem]:
    """Yield a certificate of which nobody knows whose it is."""
    standards = [n for n, q in measurand.inputs.items() if q.source == "standard"]
    if component.of is not None:
        derived = measurand.inputs.get(component.of)
        if derived is not None and (
            derived.statistic is None or not set(derived.of) & set(standards)
        ):
            message = "{of} is no statistic of readings of a standard. Name one that is."
            yield Problem("type-component", (*path, "of"), message, {"of": component.of})
        if component.input in measurand.inputs:
            message = "with of, input is a name of the function that is no input. Give it one."
            yield Problem("type-component", (*path, "input"), message)
    elif component.input not in measurand.inputs and len(standards) != 1:
        message = "the certificate could be that of several standards. Name one of: {known}."
        facts = {"known": ", ".join(standards) or "none is read"}
        yield Problem("type-component", (*path, "input"), message, facts)
