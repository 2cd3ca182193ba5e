"""Judges the limits of a measurand: every default point has exactly one for every kind of item.

A gap would leave a certificate without a limit, an overlap would let the order of lines decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import combinations, product

from instruments.catalogue.inputs import is_number
from instruments.catalogue.lines import Path
from instruments.catalogue.problem import Problem
from instruments.choosing import holds
from instruments.limits import BY_ATTRIBUTE, by_attribute
from instruments.procedure import InstrumentType, Limit, Measurand, Rating

VERIFICATION = "verification"
"""The attribute of an order that limits may depend on besides the variants of the type."""


def limit_problems(type_: InstrumentType, measurand: Measurand, path: Path) -> Iterator[Problem]:
    """Yield empty limits, unknown attributes, overlaps and uncovered default points."""
    known = {name: tuple(values) for name, values in type_.variants.items()}
    if type_.verification_kinds:
        known[VERIFICATION] = type_.verification_kinds
    for index, limit in enumerate(measurand.limits):
        place = (*path, "limits", index)
        yield from _one_limit(limit, place, known, type_.ratings)
        yield from _by_attributes(type_, limit, place)
    yield from _attributes(measurand.when, (*path, "when"), known)
    for index, when in enumerate(measurand.without_limits):
        yield from _attributes(when, (*path, "without_limits", index), known)
    yield from _overlaps(measurand, path)
    yield from _gaps(measurand, path, known)


def _one_limit(
    limit: Limit, path: Path, known: Mapping[str, tuple[str, ...]], ratings: Mapping[str, Rating]
) -> Iterator[Problem]:
    if limit.lower is None and limit.upper is None:
        message = "neither lower nor upper is given. Give at least one."
        yield Problem("type-limit-empty", path, message)
    elif limit.lower and limit.upper and not _has_room(limit, limit.lower, limit.upper):
        message = "lower {low} is not below upper {high}. Exchange or correct them."
        facts = {"low": limit.lower, "high": limit.upper}
        yield Problem("type-range", (*path, "lower"), message, facts)
    if limit.start and limit.end and Decimal(limit.start) > Decimal(limit.end):
        message = "start {low} lies above end {high}. Exchange or correct them."
        facts = {"low": limit.start, "high": limit.end}
        yield Problem("type-range", (*path, "start"), message, facts)
    for key in ("of_rating", "plus_rating", "steps_of"):
        name = getattr(limit, key)
        if name and name not in ratings:
            message = "{got} is no rating of the type. Declare it under ratings."
            yield Problem("type-limit", (*path, key), message, {"got": name})
    if bool(limit.plus_rating) != (limit.plus_rating_fraction is not None):
        message = "plus_rating and plus_rating_fraction belong together. Give both."
        yield Problem("type-limit", path, message)
    if limit.plus_from is not None and limit.plus_fraction is None:
        message = "plus_from needs plus_fraction. Add it or take plus_from out."
        yield Problem("type-limit", (*path, "plus_from"), message)
    if limit.of_rating and limit.plus_fraction is None and limit.or_fraction is None:
        message = "of_rating needs plus_fraction or or_fraction. Add one or take of_rating out."
        yield Problem("type-limit", (*path, "of_rating"), message)
    if limit.confirmed is not None:
        message = "a file cannot confirm its own limits. Take the key out; a laboratory confirms."
        yield Problem("type-limit", (*path, "confirmed"), message)
    yield from _attributes(limit.when, (*path, "when"), known)


def _by_attributes(type_: InstrumentType, limit: Limit, path: Path) -> Iterator[Problem]:
    """Yield numbers that no attribute, or one that is no number, is to give."""
    for field in BY_ATTRIBUTE:
        named = by_attribute(getattr(limit, field) or "")
        if named is None:
            continue
        name, factor = named
        got = {"got": name}
        if factor < 0 and field != "lower":
            message = "only lower may be the negative of {got}. Take the minus out."
            yield Problem("type-limit", (*path, field), message, got)
        if name in type_.ratings:
            continue
        values = type_.variants.get(name)
        if values is None:
            message = "{got} is no variant and no rating of the type. Declare it or correct it."
            yield Problem("type-limit", (*path, field), message, got)
        elif other := [value for value in _met(limit, name, values) if not is_number(value)]:
            message = "{got} may be {value}, which is no number. Exclude it by when."
            yield Problem("type-limit", (*path, field), message, {**got, "value": other[0]})


def _met(limit: Limit, name: str, values: Mapping[str, object]) -> Iterable[str]:
    """Return the values of a variant that the condition of the limit leaves."""
    return [limit.when[name]] if name in limit.when else values


def _has_room(limit: Limit, lower: str, upper: str) -> bool:
    """Answer whether something lies between; limits that only grow may start from nothing."""
    if by_attribute(lower) or by_attribute(upper):
        return lower != upper  # how large they are, the item says
    added = (limit.plus_fraction, limit.plus_inverse, limit.plus_rating_fraction)
    grows = any(part is not None for part in added) or (
        limit.or_fraction is not None and limit.choose == "larger"
    )
    low, high = Decimal(lower), Decimal(upper)
    return low < high or (grows and low == high)


def _attributes(
    when: Mapping[str, str], path: Path, known: Mapping[str, tuple[str, ...]]
) -> Iterator[Problem]:
    for name, value in when.items():
        if value not in known.get(name, ()):
            message = "the type has no {name} = {value}; it has {known}. Declare it or correct it."
            spelled = "; ".join(f"{k} = {', '.join(v)}" for k, v in known.items()) or "no variants"
            facts = {"name": name, "value": value, "known": spelled}
            yield Problem("type-variant-unknown", (*path, name), message, facts)


def _overlaps(measurand: Measurand, path: Path) -> Iterator[Problem]:
    for (i, first), (j, second) in combinations(enumerate(measurand.limits), 2):
        both = first.when.keys() & second.when.keys()
        alike = first.steps_of == second.steps_of
        if all(first.when[name] == second.when[name] for name in both) and (
            not alike or _meet(first, second)
        ):
            message = (
                "the range {range} overlaps {other}, the range {other_range}. Let one of them "
                "exclude the end they share, or give them different conditions."
            )
            facts = {
                "range": _spelled(second),
                "other": f"limits[{i}]",
                "other_range": _spelled(first),
            }
            yield Problem("type-limits-overlap", (*path, "limits", j), message, facts)


def _meet(first: Limit, second: Limit) -> bool:
    """Answer whether some nominal value lies in both ranges."""
    return not (_ends_before(first, second) or _ends_before(second, first))


def _ends_before(first: Limit, second: Limit) -> bool:
    if first.end is None or second.start is None:
        return False
    end, start = Decimal(first.end), Decimal(second.start)
    return end < start or (end == start and not (first.end_included and second.start_included))


def _spelled(limit: Limit) -> str:
    """Return the range as an interval, e.g. ``[20, 200)``."""
    opening = "[" if limit.start is not None and limit.start_included else "("
    closing = "]" if limit.end is not None and limit.end_included else ")"
    return f"{opening}{limit.start or '-∞'}, {limit.end or '∞'}{closing}"


def _gaps(
    measurand: Measurand, path: Path, known: Mapping[str, tuple[str, ...]]
) -> Iterator[Problem]:
    """Yield each default point without a limit; a measurand without any limits is allowed."""
    points, exempt = measurand.points, measurand.without_limits
    conditions = [
        *(row.when for row in measurand.limits), *(one.when for one in points.alternatives),
        *exempt, measurand.when,
    ]  # fmt: skip
    used = sorted({name for when in conditions for name in when} & known.keys())
    for values in product(*(known[name] for name in used)) if measurand.limits else ():
        item = dict(zip(used, values, strict=True))
        if any(holds(when, item) for when in exempt) or not holds(measurand.when, item):
            continue
        rows = [row for row in measurand.limits if holds(row.when, item)]
        place, default = _points_of(measurand, item)
        for index, point in enumerate(default):
            if not any(row.steps_of or row.covers(Decimal(point)) for row in rows):
                message = "no limit covers the default point {point}{item}. Add or widen one."
                spelled = ", ".join(f"{k} = {v}" for k, v in item.items())
                facts = {"point": point, "item": f" for {spelled}" if spelled else ""}
                where = (*path, "points", *place, "default", index)
                yield Problem("type-limits-gap", where, message, facts)


def _points_of(measurand: Measurand, item: Mapping[str, str]) -> tuple[Path, tuple[str, ...]]:
    """Return where the usual points of such an item stand, and what they are."""
    for index, choice in enumerate(measurand.points.alternatives):
        if holds(choice.when, item):
            return ("alternatives", index), choice.default
    return (), measurand.points.default
