"""Judges what the values of a type file mean together: names, numbers, units, documents, ranges.

Works on values that already have the right shape; knows no file and no line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

from instruments import procedure
from instruments.catalogue.components import component_problems, function_problems
from instruments.catalogue.inputs import input_problems
from instruments.catalogue.limits import limit_problems
from instruments.catalogue.lines import Path
from instruments.catalogue.pointplan import point_problems
from instruments.catalogue.problem import Problem, is_date
from instruments.catalogue.sharing import sharing_problems
from instruments.confirmed import Confirmed
from instruments.errors import Invalid
from instruments.limits import BY_ATTRIBUTE, by_attribute
from instruments.procedure import InstrumentType, Measurand
from instruments.quantities import QUANTITIES, UNITS, parse_decimal

_ID = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_VERSION = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", re.ASCII)
_NUMBERS: Mapping[type, tuple[str, ...]] = {
    procedure.EnvironmentLimit: ("low", "high"),
    procedure.Points: ("default", "low", "high", "fractions", "step"),
    procedure.PointChoice: ("default", "step"),
    procedure.Rating: ("default",),
    procedure.FitSpec: ("origin", "predict"),
    procedure.Limit: (
        "lower",
        "upper",
        "plus_fraction",
        "plus_from",
        "plus_inverse",
        "plus_rating_fraction",
        "or_fraction",
        "start",
        "end",
    ),
    procedure.Component: (
        "half_width",
        "relative_half_width",
        "U",
        "relative_U",
        "k",
        "u",
        "dof",
        "start",
        "end",
    ),
    procedure.Pooled: ("s", "dof"),
}
"""Which texts are decimals."""
_POSITIVE = frozenset(
    [
        "half_width",
        "relative_half_width",
        "U",
        "relative_U",
        "k",
        "u",
        "dof",
        "s",
        "plus_fraction",
        "plus_inverse",
        "plus_rating_fraction",
        "or_fraction",
        "step",
    ]
)


def problems(type_: InstrumentType, raw: Mapping[str, Any]) -> list[Problem]:
    """Return everything that is wrong; `raw` tells what was written from what was filled in."""
    found = [*_identity(type_), *_numbers(type_), *_uniqueness(type_), *_units(type_)]
    if any(problem.code.startswith("decimal-") for problem in found):
        return found  # ranges cannot be compared before their ends can be read
    found += [
        *_documents(type_, raw),
        *_sources(type_),
        *_dates(type_),
        *_environment(type_),
        *_law(type_),
    ]
    for index, measurand in enumerate(type_.measurands):
        path: Path = ("measurands", index)
        found += point_problems(type_, measurand, path)
        found += input_problems(type_, measurand, path)
        found += sharing_problems(type_, measurand, path)
        found += function_problems(type_, measurand, path)
        found += component_problems(type_, measurand, path)
        found += limit_problems(type_, measurand, path)
        found += _fit(measurand, path)
    return found


def _parts(value: object, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every dataclass in the type with its key path, outermost first."""
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _parts(item, (*path, index))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _parts(item, (*path, key))
    elif is_dataclass(value):
        yield path, value
        for field in fields(value):
            yield from _parts(getattr(value, field.name), (*path, field.name))


def _identity(type_: InstrumentType) -> Iterator[Problem]:
    if not _ID.fullmatch(type_.id):
        message = "got {id}, expected lower-case words joined by points, e.g. thermometer.probe."
        yield Problem("type-id", ("id",), message, {"id": type_.id})
    if not _VERSION.fullmatch(type_.version):
        message = "got {version}, expected three numbers, e.g. 1.0.0."
        yield Problem("type-version", ("version",), message, {"version": type_.version})
    for name in ("kinds", "documents", "measurands", "stages"):
        if not getattr(type_, name):
            yield Problem("type-empty", (name,), "the list is empty. Give at least one.")
    if type_.documents and not any(document.role == "method" for document in type_.documents):
        message = (
            "none has the role method, and a certificate names its method. Give one this role."
        )
        yield Problem("type-method", ("documents",), message)


def _numbers(type_: InstrumentType) -> Iterator[Problem]:
    for path, part in _parts(type_):
        for name in _NUMBERS.get(type(part), ()):
            value = getattr(part, name)
            if isinstance(value, tuple):
                for index, item in enumerate(value):
                    yield from _number(item, name, (*path, name, index))
            elif _is_by_attribute(part, name):
                continue
            elif value is not None and (value or not _may_be_empty(part, name)):
                yield from _number(value, name, (*path, name))


def _may_be_empty(part: object, name: str) -> bool:
    return name == "step" and isinstance(part, procedure.Points | procedure.PointChoice)


def _is_by_attribute(part: object, name: str) -> bool:
    """Answer whether an attribute of the item gives this number; which, the limits judge."""
    named = isinstance(part, procedure.Limit) and name in BY_ATTRIBUTE
    return named and by_attribute(getattr(part, name) or "") is not None


def _number(text: str, name: str, path: Path) -> Iterator[Problem]:
    try:
        value = parse_decimal(text)
    except Invalid as problem:
        yield Problem(problem.code, path, problem.message, problem.facts)
        return
    if name in _POSITIVE and value <= 0:
        message = "got {got}, expected a number above zero. Correct it or take the key out."
        yield Problem("type-not-positive", path, message, {"got": text})


def _uniqueness(type_: InstrumentType) -> Iterator[Problem]:
    yield from _twice([d.id for d in type_.documents], ("documents",), "id")
    yield from _twice([m.id for m in type_.measurands], ("measurands",), "id")
    yield from _twice([e.id for e in type_.examinations], ("examinations",), "id")
    yield from _twice([s.id for s in type_.standards], ("standards",), "id")
    for name in ("kinds", "stages", "verification_kinds"):
        yield from _twice(getattr(type_, name), (name,))
    for index, measurand in enumerate(type_.measurands):
        path: Path = ("measurands", index)
        yield from _twice([c.id for c in measurand.components], (*path, "components"), "id")
        yield from _twice(measurand.points.default, (*path, "points", "default"))


def _twice(ids: Iterable[str], path: Path, key: str | None = None) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, id_ in enumerate(ids):
        if id_ in seen:
            place = (*path, index, key) if key else (*path, index)
            message = "{id} occurs twice. Give each its own name."
            yield Problem("type-duplicate", place, message, {"id": id_})
        seen.add(id_)


def _units(type_: InstrumentType) -> Iterator[Problem]:
    for index, limit in enumerate(type_.environment):
        yield from _unit(limit.quantity, limit.unit, ("environment", index, "unit"))
    for index, measurand in enumerate(type_.measurands):
        path: Path = ("measurands", index)
        if measurand.quantity not in QUANTITIES:
            yield _unknown_quantity(measurand.quantity, (*path, "quantity"))
            continue
        yield from _unit(measurand.quantity, measurand.unit, (*path, "unit"))
        yield from _units_of(measurand, path)
    for name, rating in type_.ratings.items():
        yield from _any_unit(rating.unit, ("ratings", name, "unit"))
    for index, standard in enumerate(type_.standards):
        if standard.quantity not in QUANTITIES:
            yield _unknown_quantity(standard.quantity, ("standards", index, "quantity"))
        yield from _supported(type_, standard, ("standards", index, "inputs"))


def _supported(
    type_: InstrumentType, standard: procedure.StandardWanted, path: Path
) -> Iterator[Problem]:
    """Yield inputs that nobody reads on such a standard."""
    read = {
        f"{m.id}.{name}": quantity.quantity or m.quantity
        for m in type_.measurands
        for name, quantity in m.inputs.items()
        if quantity.source == "standard"
    }
    for name in standard.inputs:
        if read.get(name) != standard.quantity:
            message = "{got} is not read on a standard of {quantity}. Name one of: {known}."
            facts = {"got": name, "quantity": standard.quantity, "known": ", ".join(read)}
            yield Problem("type-standard", path, message, facts)


def _units_of(measurand: Measurand, path: Path) -> Iterator[Problem]:
    if measurand.output == "relative_error":
        yield from _unit("ratio", measurand.output_unit, (*path, "output_unit"))
    elif measurand.output == "value":
        yield from _any_unit(measurand.output_unit, (*path, "output_unit"))
    else:
        yield from _unit(measurand.quantity, measurand.output_unit, (*path, "output_unit"))
    for name, entered in measurand.inputs.items():
        if entered.quantity and entered.quantity not in QUANTITIES:
            yield _unknown_quantity(entered.quantity, (*path, "inputs", name, "quantity"))
        elif entered.quantity or entered.source == "standard":
            quantity = entered.quantity or measurand.quantity
            yield from _unit(quantity, entered.unit, (*path, "inputs", name, "unit"))
        else:
            yield from _any_unit(entered.unit, (*path, "inputs", name, "unit"))


def _unknown_quantity(quantity: str, path: Path) -> Problem:
    message = "the quantity {quantity} is not known. Use one of: {known}."
    facts = {"quantity": quantity, "known": ", ".join(QUANTITIES)}
    return Problem("quantity-unknown", path, message, facts)


def _any_unit(unit: str, path: Path) -> Iterator[Problem]:
    if unit not in UNITS:
        message = "the unit {unit} is not known. Use one of: {known}."
        yield Problem("unit-unknown", path, message, {"unit": unit, "known": ", ".join(UNITS)})


def _unit(quantity: str, unit: str, path: Path) -> Iterator[Problem]:
    if unit not in QUANTITIES[quantity].units:
        message = "{unit} is no unit of {quantity}. Use one of: {known}."
        known = ", ".join(QUANTITIES[quantity].units)
        facts = {"unit": unit, "quantity": quantity, "known": known}
        yield Problem("unit-unknown", path, message, facts)


def _dates(type_: InstrumentType) -> Iterator[Problem]:
    for index, document in enumerate(type_.documents):
        for name in ("issued_on", "in_force_on"):
            given = getattr(document, name)
            if given is not None and not is_date(given):
                message = "{given} is not a date. Write it as 2026-03-02."
                yield Problem("type-date", ("documents", index, name), message, {"given": given})


def _documents(type_: InstrumentType, raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield references to undeclared documents and verified figures without a source."""
    sources = {document.id: document.source for document in type_.documents}
    for path, part in _parts(type_):
        if isinstance(part, procedure.Component) and "confidence" not in _written(raw, path):
            message = "the confidence is missing. Write V, V2 or BG."
            yield Problem("type-confidence", path, message)
        if isinstance(part, procedure.GoverningDocument | procedure.Component):
            if part.confidence != "BG" and not part.source:
                message = "confidence {confidence} needs the source the figure was read in."
                yield Problem("type-source", path, message, {"confidence": part.confidence})
            continue
        document = getattr(part, "document", None)
        if not isinstance(document, str) or isinstance(part, Confirmed):
            continue  # that a file says it was confirmed is refused as such
        # a habit of the laboratory may stand without a document, a limit never
        optional = part.confidence == "BG" and not isinstance(part, procedure.Limit)
        if document not in sources and (document or not optional):
            message = "[{document}] is not among the documents. Add it there or correct the name."
            yield Problem(
                "type-document-unknown", (*path, "document"), message, {"document": document}
            )
        elif part.confidence != "BG" and not sources[document]:
            message = "confidence {confidence} needs a document with a source; {document} has none."
            facts = {"confidence": part.confidence, "document": document}
            yield Problem("type-source", (*path, "confidence"), message, facts)


def _sources(type_: InstrumentType) -> Iterator[Problem]:
    """Yield figures of the type itself that are verified, while no document has a source."""
    if any(document.source for document in type_.documents):
        return
    for name, given in (
        ("interval", type_.interval_months),
        ("validity", type_.validity_months),
        ("acclimatisation", type_.acclimatisation_minutes),
    ):
        confidence = getattr(type_, f"{name}_confidence")
        if given and confidence != "BG":
            message = (
                "confidence {confidence} needs a document with a source, and no document of the "
                "type has one. Write BG, or where the figure was read."
            )
            place = (f"{name}_confidence",)
            yield Problem("type-source", place, message, {"confidence": confidence})


def _written(raw: Any, path: Path) -> Any:
    """Return what the file holds at `path`, before defaults were filled in."""
    for part in path:
        raw = raw[part]
    return raw


def _environment(type_: InstrumentType) -> Iterator[Problem]:
    for index, limit in enumerate(type_.environment):
        path: Path = ("environment", index)
        if limit.low is None and limit.high is None:
            message = "neither low nor high is given. Give at least one."
            yield Problem("type-limit-empty", path, message)
        yield from _range(limit.low, limit.high, path)


def _range(low: str | None, high: str | None, path: Path) -> Iterator[Problem]:
    if low is not None and high is not None and Decimal(low) > Decimal(high):
        message = "low {low} lies above high {high}. Exchange or correct them."
        yield Problem("type-range", (*path, "low"), message, {"low": low, "high": high})


def _law(type_: InstrumentType) -> Iterator[Problem]:
    verified = "verification" in type_.kinds
    if verified != bool(type_.verification_kinds):
        message = "kinds and verification_kinds disagree. Name both verification and its kinds."
        yield Problem("type-law", ("verification_kinds",), message)
    if type_.legal_class != "voluntary" and not verified:
        message = "{legal_class} needs the kind verification. Add it to kinds."
        yield Problem("type-law", ("legal_class",), message, {"legal_class": type_.legal_class})
    if type_.legal_class == "mandatory_first" and type_.validity_months is not None:
        message = "an instrument verified once only has no validity. Take validity_months out."
        yield Problem("type-law", ("validity_months",), message)
    for name in ("validity_months", "interval_months"):
        months = getattr(type_, name)
        if months is not None and months < 1:
            message = "got {got}, expected a number above zero. Correct it or take the key out."
            yield Problem("type-not-positive", (name,), message, {"got": months})


def _fit(measurand: Measurand, path: Path) -> Iterator[Problem]:
    fit = measurand.fit
    if fit.kind == "none":
        return
    path = (*path, "fit")
    if fit.x not in measurand.inputs:
        message = "{x} is no declared input. Name the input the curve runs over."
        yield Problem("type-fit", (*path, "x"), message, {"x": fit.x})
    if fit.degree < 1:
        yield Problem("type-fit", (*path, "degree"), "the degree is one or more.")
    if measurand.points.minimum < fit.degree + 2:
        message = "a curve of degree {degree} needs minimum = {needed} points or more."
        needed = {"degree": fit.degree, "needed": fit.degree + 2}
        yield Problem("type-fit", path, message, needed)
