"""A whole instrument type as lines of text, every figure with its tag."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from api.type_figures import size_text
from api.type_plan import between, input_text, plan_lines, points_text, variant_lines
from api.type_words import (
    PART_WORDS,
    joined,
    limit_text,
    range_text,
    value_text,
    when_text,
)
from calib.i18n import translate
from instruments.catalogue.figures import figure_digest
from instruments.procedure import Component, InstrumentType, Limit, Measurand
from instruments.quantities import QUANTITIES, UNITS
from instruments.services.confirmations import ConfirmationView


def sheet(
    type_: InstrumentType, language: str, confirmed: Mapping[str, ConfirmationView] | None = None
) -> Iterator[str]:
    """Yield the readable lines of a type; `confirmed` by figure is what a lab has compared."""
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
        ends = between(limit.low, limit.high, unit, language)
        yield f"  {name}: {ends}  {limit.document} [{limit.confidence}]"
    for line in variant_lines(type_, language):
        yield f"  {line}"
    for name, rating in type_.ratings.items():
        given = f"{name}: {rating.label.text(language)}, {UNITS[rating.unit].symbol}"
        known = "–" if rating.default is None else f"{rating.default} [{rating.confidence}]"
        yield f"  {given} = {known}"
    for seen in type_.examinations:
        yield f"  {seen.name.text(language)}  {seen.document} [{seen.confidence}]"
    for measurand in type_.measurands:
        yield ""
        yield from _measurand(type_, measurand, language)
        for row in measurand.limits:
            by = (confirmed or {}).get(figure_digest(type_.id, measurand.id, row))
            yield f"  {_limit(type_, measurand, row, language)} {_tag(row, by, language)}"
        yield from _budget(type_, measurand, language)


def _documents(type_: InstrumentType, language: str) -> Iterator[str]:
    for document in type_.documents:
        said = f"  {document.id}  {document.title.text(language)} [{document.confidence}]"
        if document.replaced_by:
            said += "  " + translate("replaced by {number}", language, number=document.replaced_by)
        yield said + (f"  ({document.source})" if document.source else "")


def _measurand(type_: InstrumentType, measurand: Measurand, language: str) -> Iterator[str]:
    when = when_text(type_, measurand.when, language)
    yield f"{measurand.id}  {measurand.name.text(language)}" + (f"  ({when})" if when else "")
    output = value_text(measurand.output, language, "output")
    yield f"  {output}: {measurand.function}, {UNITS[measurand.output_unit].symbol}"
    for name, quantity in measurand.inputs.items():
        yield f"  {input_text(name, quantity, language)}"
    if measurand.same_readings_as:
        source = type_.measurand(measurand.same_readings_as).name.text(language)
        yield "  " + translate("Uses the readings of {measurand}.", language, measurand=source)
        return
    points = measurand.points
    words = translate(PART_WORDS["points"], language)
    planned = points_text(type_, measurand, language)
    tag = f"{points.document} [{points.confidence}]"
    yield f"  {words}: {planned}; × {points.readings}  {tag}"
    for line in plan_lines(type_, measurand, language):
        yield f"    {line}"


def _limit(type_: InstrumentType, measurand: Measurand, limit: Limit, language: str) -> str:
    shown = [
        range_text(type_, measurand, limit, language), when_text(type_, limit.when, language),
        limit_text(type_, measurand, limit, language), limit.document, limit.clause,
    ]  # fmt: skip
    return "  ".join(filter(None, shown))


def _tag(limit: Limit, confirmed: ConfirmationView | None, language: str) -> str:
    """Return how sure a limit is; of a confirmed one who compared it, with what, and when."""
    if confirmed is None:
        return f"[{limit.confidence}]"
    said = translate(
        "confirmed by {person} on {day} against {document}", language,
        person=confirmed.person_name, day=confirmed.confirmed_on.isoformat(),
        document=f"{confirmed.document} {confirmed.clause}".rstrip(),
    )  # fmt: skip
    return f"[{limit.confidence}, {said}]"


def _budget(type_: InstrumentType, measurand: Measurand, language: str) -> Iterator[str]:
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
    evaluated = value_text(component.evaluate, language, "evaluate")
    shown = (component.name.text(language), evaluated, size_text(component, language))
    source = f"  ({component.source})" if component.source else ""
    said = "  ".join(filter(None, (component.id, *shown)))
    return f"{said} [{component.confidence}]{source}"
