"""Judges the inputs of a measurand: that each stands on something, and how it is derived.

Knows neither the points nor the budget nor limits; those stand in modules of their own.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from instruments.catalogue.lines import Path
from instruments.catalogue.problem import Problem
from instruments.errors import Invalid
from instruments.procedure import READ, InputQuantity, InstrumentType, Measurand
from instruments.quantities import UNITS, parse_decimal

CONDITIONS = {"temperature": "degC", "relative_humidity": "%RH", "pressure": "kPa"}
"""Ambient conditions a function may take, each with one of its units."""
REFERENCES: Mapping[str, tuple[tuple[str, ...], str, str]] = {
    "iec60751_resistance": (("degC",), "ohm", "R0"),
    "iec60751_temperature": (("ohm",), "degC", "R0"),
    "thermocouple_emf": (("degC", "degC"), "mV", "type"),
    "thermocouple_temperature": (("mV", "degC"), "degC", "type"),
    "saturation_pressure": (("degC",), "Pa", ""),
}
"""Published functions an input may be derived by: the units they take and give, and their
parameter; the second argument may be left out. The evaluation computes them."""
LETTERS = tuple("ABCEJKNRST")
"""Types of thermocouple that the reference functions know."""
_DIFFERENCES = (
    "range", "half_range", "standard_deviation", "change", "largest_deviation", "from_first",
)  # fmt: skip


_CONSTANTS = frozenset({"pi"})


def names_in(function: str) -> AbstractSet[str] | None:
    """Return the names of quantities in an expression; None when it cannot be read."""
    try:
        tree = ast.parse(function.replace("^", "**"), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    called = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and n not in called}
    return names - _CONSTANTS


def input_problems(type_: InstrumentType, measurand: Measurand, path: Path) -> Iterator[Problem]:
    """Yield inputs that stand on nothing, or on what is not there."""
    for name, entered in measurand.inputs.items():
        place = (*path, "inputs", name)
        if entered.readings is not None and (entered.readings < 1 or entered.source not in READ):
            message = "readings is a count, one or more, of an input that is read."
            yield Problem("type-not-positive", (*place, "readings"), message)
        if entered.source == "derived":
            yield from _derived(type_, measurand, entered, place)
        elif entered.statistic is not None or _ways(entered) or entered.parameters:
            message = "only a derived input is derived: take statistic, reference and function out."
            yield Problem("type-input", place, message)
        if entered.source in ("condition", "rating"):
            yield from _besides(type_, entered, place)
        elif entered.source != "derived" and entered.of:
            message = "an input that is read, or the point itself, is of nothing. Take of out."
            yield Problem("type-input", (*place, "of"), message)
    yield from _sides(measurand, path)


def _besides(type_: InstrumentType, entered: InputQuantity, path: Path) -> Iterator[Problem]:
    """Yield a condition or rated value that is not there, or in a unit of something else."""
    known = {name: rating.unit for name, rating in type_.ratings.items()}
    if entered.source == "condition":
        known = CONDITIONS
    if len(entered.of) != 1 or entered.of[0] not in known:
        message = "of = {got} names no {source}. Name one of: {known}."
        facts = {
            "got": list(entered.of),
            "source": entered.source,
            "known": ", ".join(known) or "none is declared",
        }
        yield Problem("type-input", (*path, "of"), message, facts)
    elif not _alike(known[entered.of[0]], entered.unit):
        message = "{unit} is no unit of {name}. Use {given} or one that converts to it."
        facts = {"unit": entered.unit, "name": entered.of[0], "given": known[entered.of[0]]}
        yield Problem("type-input", (*path, "unit"), message, facts)


def _alike(one: str, other: str) -> bool:
    """Answer whether two units measure the same; one that is not known is told elsewhere."""
    if one not in UNITS or other not in UNITS:
        return True
    return UNITS[one].dimension == UNITS[other].dimension


def _derived(
    type_: InstrumentType, measurand: Measurand, entered: InputQuantity, path: Path
) -> Iterator[Problem]:
    """Yield what keeps a derived input from one clear way to come about."""
    if _ways(entered) != 1:
        message = "give one way to derive it: a statistic of readings, a reference, or a function."
        yield Problem("type-input", path, message)
        return
    wanted: tuple[str, ...] = READ if entered.statistic else (*READ, "nominal", "condition")
    if entered.function:
        wanted = (*wanted, "rating")
    usable = [n for n, q in measurand.inputs.items() if q.source in wanted]
    wrong = [name for name in entered.of if name not in usable]
    if not entered.of or wrong or len(set(entered.of)) != len(entered.of):
        message = "of = {got}: expected different inputs among {known}."
        facts = {"got": list(entered.of), "known": ", ".join(usable)}
        yield Problem("type-input", (*path, "of"), message, facts)
    elif entered.reference:
        yield from _reference(type_, measurand, entered, path)
    elif entered.function:
        yield from _function(entered, path)
    else:
        yield from _statistic(measurand, entered, path)


def _ways(entered: InputQuantity) -> int:
    """Count the ways by which an input is said to be derived."""
    return sum(map(bool, (entered.statistic, entered.reference, entered.function)))


def _function(entered: InputQuantity, path: Path) -> Iterator[Problem]:
    """Yield an expression that cannot be read, or of other names than it is derived of."""
    names = names_in(entered.function)
    if names is None:
        message = "the function {function} cannot be read. Correct its brackets and signs."
        facts: dict[str, object] = {"function": entered.function}
        yield Problem("type-function", (*path, "function"), message, facts)
    elif names != set(entered.of):
        message = "the function uses {got}, but of = {of}. Let both name the same inputs."
        facts = {"got": ", ".join(sorted(names)), "of": list(entered.of)}
        yield Problem("type-function", (*path, "function"), message, facts)
    if entered.parameters:
        message = "a function has no parameters. Take them out."
        yield Problem("type-input", (*path, "parameters"), message)


def _statistic(measurand: Measurand, entered: InputQuantity, path: Path) -> Iterator[Problem]:
    if entered.over == "readings" and len(entered.of) != 1:
        message = (
            "a statistic over readings (what holds where over is not written) is of one input."
            " Name one; or write over: positions (at each moment over all inputs), means (over the"
            " mean of each) or all (over every reading)."
        )
        yield Problem("type-input", (*path, "over"), message)
    if entered.over != "readings" and len(entered.of) < 2:
        message = "over = {over} needs the inputs of two positions or more."
        yield Problem("type-input", (*path, "over"), message, {"over": entered.over})
    if entered.over != "readings" and entered.statistic == "change":
        message = "a change is one in time, of one input: positions have no first and no last."
        yield Problem("type-input", (*path, "over"), message)
    if entered.parameters:
        message = "a statistic has no parameters. Take them out."
        yield Problem("type-input", (*path, "parameters"), message)
    if entered.over == "readings" and planned_readings(measurand, entered) < 2:
        message = "a statistic of one reading says nothing. Plan two readings or more."
        yield Problem("type-input", path, message)
    units = {measurand.inputs[name].unit for name in entered.of}
    if len(units) != 1 or not _fits(entered, units.pop()):
        message = "its unit {unit} is not that of what it is derived of. Give all the same."
        yield Problem("type-input", (*path, "unit"), message, {"unit": entered.unit})


def planned_readings(measurand: Measurand, entered: InputQuantity) -> int:
    """Return how often an input is read, the scarcest of those it is derived of."""
    behind = [measurand.inputs[n] for n in entered.of if n in measurand.inputs] or [entered]
    return min(one.readings or measurand.points.readings for one in behind)


def _fits(entered: InputQuantity, unit: str) -> bool:
    """Answer whether the unit is that of the readings; a difference of degC may be in K."""
    given = entered.unit
    if given == unit or given not in UNITS or unit not in UNITS:
        return given == unit or entered.unit not in UNITS
    if entered.statistic not in _DIFFERENCES:
        return False
    one, other = UNITS[given], UNITS[unit]
    return (one.dimension, one.factor) == (other.dimension, other.factor)


def _reference(
    type_: InstrumentType, measurand: Measurand, entered: InputQuantity, path: Path
) -> Iterator[Problem]:
    """Yield an unknown function, units it does not take, or parameters it does not have."""
    if entered.reference not in REFERENCES:
        message = "the reference function {got} is not known. Use one of: {known}."
        facts = {"got": entered.reference, "known": ", ".join(REFERENCES)}
        yield Problem("type-input", (*path, "reference"), message, facts)
        return
    takes, gives, parameter = REFERENCES[entered.reference]
    given = [measurand.inputs[name].unit for name in entered.of]
    if [*given, entered.unit] != [*takes[: len(entered.of)], gives]:
        message = "{reference} takes {takes} and gives {gives}. Correct the units or the inputs."
        facts = {"reference": entered.reference, "takes": ", ".join(takes), "gives": gives}
        yield Problem("type-input", (*path, "reference"), message, facts)
    if set(entered.parameters) - {parameter} or (
        parameter == "type" and "type" not in entered.parameters
    ):
        message = "{reference} has the parameters {known}, got {got}. Correct them."
        facts = {
            "reference": entered.reference,
            "known": parameter or "none",
            "got": ", ".join(entered.parameters) or "none",
        }
        yield Problem("type-input", (*path, "parameters"), message, facts)
    for name, text in entered.parameters.items():
        yield from _parameter(type_, name, text, (*path, "parameters", name))


def _parameter(type_: InstrumentType, name: str, text: str, path: Path) -> Iterator[Problem]:
    values: Sequence[str] = [text]
    if text.startswith("@"):
        values = list(type_.variants.get(text[1:], ()))
        if name == "R0" and text[1:] in type_.ratings:
            return
    good = [v for v in values if (v in LETTERS if name == "type" else is_number(v))]
    if not values or len(good) != len(values):
        message = "{got} gives no {name}. Name {known}, or @ and an attribute of the item."
        known = ", ".join(LETTERS) if name == "type" else "a number of ohm"
        yield Problem("type-input", path, message, {"got": text, "name": name, "known": known})


def is_number(text: str) -> bool:
    """Answer whether a text is a decimal above zero."""
    try:
        return parse_decimal(text) > 0
    except Invalid:
        return False


def _sides(measurand: Measurand, path: Path) -> Iterator[Problem]:
    """Yield what leaves the printed reference value or indication open."""
    for key in ("reference", "indication"):
        name = getattr(measurand, key)
        if name and name not in measurand.inputs:
            message = "{name} is no declared input. Name the one to be printed."
            yield Problem("type-input", (*path, key), message, {"name": name})
    if not any(q.source in READ for q in measurand.inputs.values()):
        message = "nothing is read. Declare an input with source = standard or item."
        yield Problem("type-input", (*path, "inputs"), message)
    by_source = {
        source: [n for n, q in measurand.inputs.items() if q.source == source]
        for source in ("standard", "item", "nominal")
    }
    only = {source: names[0] for source, names in by_source.items() if len(names) == 1}
    point = only.get("nominal")
    sides = (
        measurand.reference or only.get("standard") or point,
        measurand.indication or only.get("item") or point,
    )
    if measurand.output != "value" and (None in sides or sides[0] == sides[1]):
        message = "the inputs do not tell one reference and one indication. Name them."
        yield Problem("type-input", path, message)
