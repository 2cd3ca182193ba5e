"""A whole instrument type as lines of text, every figure with its tag."""

from __future__ import annotations

from collections.abc import Iterator

from api.type_words import (
    PART_WORDS,
    joined,
    limit_text,
    range_text,
    value_text,
    when_text,
)
from calib.i18n import translate
from instruments.procedure import Component, InstrumentType, Measurand
from instruments.quantities import QUANTITIES, UNITS

_SIZES = (
    "half_width", "relative_half_width", "of", "U", "relative_U", "k", "u", "dof", "pooled",
    "scatter_of", "group",
)  # fmt: skip


def sheet(type_: InstrumentType, language: str) -> Iterator[str]:
    """Yield the readable lines of a type."""
    yield f"{type_.id} {type_.version}  {type_.name.text(language)}"
    kinds = value_text(type_.kinds, language, "kinds")
    legal = value_text(type_.legal_class, language, "legal_class")
    yield f"{kinds}; {legal}; {type_.standards_wanted.text(language)}"
    for part, months, tag in (
        ("validity", type_.validity_months, type_.validity_confidence),
        ("interval", type_.interval_months, type_.interval_confidence),
        (
            "acclimatisation",
            type_.acclimatisation_minutes or None,
            type_.acclimatisation_confidence,
        ),
    ):
        if months is not None:
            unit = "min" if part == "acclimatisation" else translate("months", language)
            yield f"{translate(PART_WORDS[part], language)}: {months} {unit} [{tag}]"
    yield from _documents(type_, language)
    for limit in type_.environment:
        name = QUANTITIES[limit.quantity].name(language)
        unit = UNITS[limit.unit].symbol
        ends = f"{limit.low or '−∞'} … {limit.high or '∞'} {unit}"
        yield f"  {name}: {ends}  {limit.document} [{limit.confidence}]"
    for name, rating in type_.ratings.items():
        given = f"{name}: {rating.label.text(language)}, {UNITS[rating.unit].symbol}"
        known = "–" if rating.default is None else f"{rating.default} [{rating.confidence}]"
        yield f"  {given} = {known}"
    for seen in type_.examinations:
        yield f"  {seen.name.text(language)}  {seen.document} [{seen.confidence}]"
    for measurand in type_.measurands:
        yield ""
        yield from _measurand(type_, measurand, language)


def _documents(type_: InstrumentType, language: str) -> Iterator[str]:
    for document in type_.documents:
        said = f"  {document.id}  {document.title.text(language)} [{document.confidence}]"
        if document.replaced_by:
            said += "  " + translate("replaced by {number}", language, number=document.replaced_by)
        yield said + (f"  ({document.source})" if document.source else "")


def _measurand(type_: InstrumentType, measurand: Measurand, language: str) -> Iterator[str]:
    unit = UNITS[measurand.unit].symbol
    when = when_text(type_, measurand.when, language)
    yield f"{measurand.id}  {measurand.name.text(language)}" + (f"  ({when})" if when else "")
    output = value_text(measurand.output, language, "output")
    yield f"  {output}: {measurand.function}, {UNITS[measurand.output_unit].symbol}"
    points = measurand.points
    planned = points.default or (points.step and (points.step,)) or points.fractions
    tag = f"{points.document} [{points.confidence}]"
    words = translate(PART_WORDS["points"], language)
    yield f"  {words}: {', '.join(planned)} {unit}; × {points.readings}  {tag}"
    for limit in measurand.limits:
        shown = [
            range_text(type_, measurand, limit, language), when_text(type_, limit.when, language),
            limit_text(type_, measurand, limit, language), limit.document, limit.clause,
        ]  # fmt: skip
        yield "  " + "  ".join(filter(None, shown)) + f" [{limit.confidence}]"
    for component in measurand.components:
        yield f"  {_component(component, language)}"
    named = [
        joined([standard.name], language)
        for standard in type_.standards
        if any(name.partition(".")[0] == measurand.id for name in standard.inputs)
    ]
    if named:
        yield f"  {translate('Measurement standards', language)}: {', '.join(named)}"


def _component(component: Component, language: str) -> str:
    sizes = [
        f"{name} {value_text(getattr(component, name), language)}"
        for name in _SIZES
        if getattr(component, name)
    ]
    evaluated = value_text(component.evaluate, language, "evaluate")
    said = f"{component.id}  {component.name.text(language)}  {evaluated} {', '.join(sizes)}"
    source = f"  ({component.source})" if component.source else ""
    return f"{said} [{component.confidence}]{source}"
