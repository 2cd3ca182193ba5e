"""What stands in an instrument type, in the words of a reader: keys, tags, limits, changes.

Shared by pages and commands. Knows no request and no database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from api.attribute_words import attribute_name
from calib.i18n import translate
from instruments.catalogue.difference import Difference
from instruments.limits import BY_ATTRIBUTE, by_attribute
from instruments.plain import default_of
from instruments.procedure import InstrumentType, Limit, Measurand
from instruments.quantities import UNITS
from instruments.text import LocalizedText

TAG_WORDS: Mapping[str, str] = {
    "V": "verified at its source",
    "V2": "verified at a secondary source",
    "CALC": "computed from verified figures",
    "BG": "background knowledge, still to be confirmed",
}
PART_WORDS: Mapping[str, str] = {
    "document": "Governing document",
    "environment": "Environment",
    "acclimatisation": "Acclimatisation",
    "validity": "Legal validity",
    "interval": "Recalibration interval",
    "rating": "Rated value",
    "examination": "Examination",
    "points": "Points and readings",
    "limit": "Limit",
    "component": "Line of the budget",
}
KEY_WORDS: Mapping[str, str] = {
    "U": "expanded uncertainty U",
    "acclimatisation_confidence": "tag of the acclimatisation",
    "acclimatisation_minutes": "acclimatisation (min)",
    "alternatives": "points for some models",
    "batch": "measured by lots",
    "below": "used below this number of readings",
    "calibration_mode": "calibration mode",
    "choose": "which of two limits counts",
    "clause": "clause",
    "common": "same error at every point",
    "components": "line of the budget",
    "confidence": "tag of confidence",
    "confirmed": "confirmed",
    "counterparts": "counterparts elsewhere",
    "default": "default",
    "degree": "degree of the curve",
    "distribution": "distribution",
    "document": "document",
    "documents": "governing document",
    "dof": "degrees of freedom",
    "end": "upper end of its range",
    "end_included": "upper end included",
    "environment": "environment",
    "evaluate": "way of evaluation",
    "examinations": "examination",
    "fit": "fitted curve",
    "fractions": "points as fractions of the range",
    "function": "measurement function",
    "group": "group of the same effect",
    "half_width": "half-width",
    "high": "highest value",
    "id": "name",
    "in_force_on": "in force since",
    "indication": "input printed as indication",
    "input": "input it belongs to",
    "inputs": "input",
    "interval_confidence": "tag of the interval",
    "interval_months": "recalibration interval (months)",
    "issued_on": "issued on",
    "k": "coverage factor k",
    "kind": "kind of curve",
    "kinds": "kinds of work",
    "label": "label",
    "legal_class": "legal class",
    "limits": "limit",
    "low": "lowest value",
    "lower": "lower limit",
    "measurands": "measurand",
    "minimum": "fewest points",
    "name": "name",
    "note": "note",
    "of": "taken of",
    "of_rating": "fractions of this rated value",
    "optional": "may be left out",
    "or_fraction": "or this fraction of the value",
    "order": "order of the points",
    "origin": "origin of the curve",
    "output": "what is reported",
    "output_unit": "unit of the result",
    "over": "statistic taken over",
    "parameters": "parameters of the function",
    "plus_fraction": "plus this fraction of the value",
    "plus_from": "fraction counted from",
    "plus_inverse": "plus this divided by the value",
    "plus_rating": "plus a fraction of this rated value",
    "plus_rating_fraction": "fraction of the rated value",
    "points": "points",
    "pooled": "repeatability known from before",
    "predict": "values of the curve printed",
    "quantity": "quantity",
    "range_high": "upper end of the item's range",
    "range_low": "lower end of the item's range",
    "ratings": "rated value",
    "readings": "readings at each point",
    "reference": "reference",
    "relative": "relative to the mean",
    "relative_U": "U as a fraction",
    "relative_half_width": "half-width as a fraction",
    "replaced_by": "replaced by",
    "replaces": "replaces",
    "role": "role",
    "s": "standard deviation s",
    "same_readings_as": "uses the readings of",
    "scatter_of": "scatter of",
    "schema": "format",
    "sequence": "sequence of readings",
    "source": "source",
    "stages": "stages",
    "standards": "kind of standard",
    "standards_wanted": "standards asked for",
    "start": "lower end of its range",
    "start_included": "lower end included",
    "statistic": "statistic",
    "step": "step between points",
    "steps_of": "range counted in",
    "title": "title",
    "u": "standard uncertainty u",
    "unit": "unit",
    "upper": "upper limit",
    "validity_confidence": "tag of the validity",
    "validity_months": "legal validity (months)",
    "variants": "kind of construction",
    "verification_kinds": "kinds of verification",
    "version": "version",
    "when": "only for",
    "without_limits": "without limits for",
    "x": "input the curve runs over",
    "y": "what the curve gives",
}  # fmt: skip
"""Every key a definition may hold; a test compares them with the definition itself."""


CHOICE_WORDS: Mapping[str, str] = {
    "larger": "or ± {size}, whichever is larger",
    "smaller": "or ± {size}, whichever is smaller",
}
CODE_WORDS: Mapping[str, str] = {
    "calibration": "Calibration",
    "verification": "Verification",
    "check": "Check",
    "voluntary": "voluntary",
    "mandatory_first": "mandatory, first verification only",
    "mandatory_periodic": "mandatory, periodic",
    "initial": "Initial verification",
    "subsequent": "Subsequent verification",
    "in_service": "In-service inspection",
    "method": "method",
    "limits": "limits",
    "product": "product",
    "standard": "standard",
    "error": "Error of indication",
    "correction": "Correction",
    "relative_error": "Relative error",
    "value": "Result",
    "A": "Type A",
    "B": "Type B",
    "certificate": "certificate",
    "resolution": "resolution",
    "normal": "normal",
    "rectangular": "rectangular",
    "triangular": "triangular",
    "arcsine": "arcsine",
    "as_found": "As found",
    "as_left": "As left",
    "required": "required",
    "none": "none",
}
"""What short codes of a definition mean, under the keys that hold one of a closed list."""
_CODED = frozenset({
    "kinds", "legal_class", "verification_kinds", "role", "output", "evaluate", "distribution",
    "stages", "calibration_mode",
})  # fmt: skip
_ENCLOSING = ("points", "fit", "pooled")
"""Parts a definition has once: what they hold is told under their name."""


def key_words(key: str, language: str) -> str:
    """Return what a key of a definition means; the key itself where a file chose it."""
    return translate(KEY_WORDS[key], language) if key in KEY_WORDS else key


def told(difference: Difference, language: str) -> str:
    """Return one difference as a sentence."""
    facts = parts(difference, language)
    if difference.change == "added":
        return translate("{place}: {key} added: {new}", language, **facts)
    if difference.change == "removed":
        return translate("{place}: {key} removed, was: {old}", language, **facts)
    return translate("{place}: {key} changed from {old} to {new}", language, **facts)


def parts(difference: Difference, language: str) -> dict[str, str]:
    """Return where a difference is, what differs, and both sides of it, in words."""
    place = " · ".join(label.text(language) for label in difference.where)
    return {
        "place": place or translate("The type", language),
        "key": " · ".join(key_words(key, language) for key in _keys(difference)),
        "old": value_text(difference.old, language, difference.key),
        "new": value_text(difference.new, language, difference.key),
    }


def _keys(difference: Difference) -> tuple[str, ...]:
    around = difference.place[-2] if len(difference.place) > 1 and not difference.is_part else ""
    return (around, difference.key) if around in _ENCLOSING else (difference.key,)


def value_text(value: Any, language: str, key: str = "") -> str:
    """Return what stands under a key of a definition, or a whole part of it, on one line."""
    if value is None or value in ("", (), {}):
        return "–"
    if isinstance(value, bool):
        return translate("yes" if value else "no", language)
    if isinstance(value, LocalizedText):
        return value.text(language)
    if isinstance(value, tuple | list):
        return ", ".join(value_text(item, language, key) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{k} = {value_text(v, language)}" for k, v in value.items())
    if is_dataclass(value):
        return "; ".join(_said_of(value, language))
    if key in _CODED and value in CODE_WORDS:
        return translate(CODE_WORDS[value], language)
    return str(value)


def _said_of(part: Any, language: str) -> Iterator[str]:
    """Yield what a part says beyond its defaults."""
    for field in fields(part):
        value = getattr(part, field.name)
        if field.name not in ("id", "name", "label", "title") and value != default_of(field):
            said = value_text(value, language, field.name)
            yield f"{key_words(field.name, language)} {said}"


def limit_text(type_: InstrumentType, measurand: Measurand, limit: Limit, language: str) -> str:
    """Return the limit as a reader writes it: ``-0.3 … 0.3 °C``, ``± 0.02·|x| %``."""
    unit = UNITS[measurand.output_unit].symbol
    limit = _attributes_named(type_, limit, language)
    size = _rating(type_, limit.of_rating, language) or "|x|"
    said = _sides(limit, list(_terms(type_, limit, size, language)))
    said = said if unit == "1" else f"{said} {unit}"
    if limit.or_fraction is not None:
        said = f"{said} " + translate(
            CHOICE_WORDS[limit.choose], language, size=f"{limit.or_fraction}·{size}"
        )
    return said


def _attributes_named(type_: InstrumentType, limit: Limit, language: str) -> Limit:
    """Return the limit with the name of what gives a number in place of its sign."""
    said: dict[str, Any] = {}
    for field in BY_ATTRIBUTE:
        text = getattr(limit, field) or ""
        if named := by_attribute(text):
            said[field] = text.replace(f"@{named[0]}", _attribute(type_, named[0], language))
    return replace(limit, **said) if said else limit


def _attribute(type_: InstrumentType, name: str, language: str) -> str:
    """Return the label of a rating; a variant has none but is called by its word."""
    if name in type_.ratings:
        return _rating(type_, name, language)
    return attribute_name(name, language)


def _terms(type_: InstrumentType, limit: Limit, size: str, language: str) -> Iterator[str]:
    if limit.plus_fraction is not None:
        counted = f"({size} − {limit.plus_from})" if limit.plus_from else size
        yield f"{limit.plus_fraction}·{counted}"
    if limit.plus_inverse is not None:
        yield f"{limit.plus_inverse}/|x|"
    if limit.plus_rating:
        yield f"{limit.plus_rating_fraction}·{_rating(type_, limit.plus_rating, language)}"


def _sides(limit: Limit, terms: list[str]) -> str:
    """Return both limits, or the one there is, widened; a bare zero is left out."""
    if limit.lower is not None and limit.upper is not None:
        return _both_sides(limit.lower, limit.upper, terms)
    sign, base, joint = ("≤", limit.upper, " + ") if limit.lower is None else (
        "≥", limit.lower, " − "
    )  # fmt: skip
    if base == "0" and terms:
        return f"{sign} {'−' if sign == '≥' else ''}{joint.join(terms)}"
    return f"{sign} {joint.join([str(base), *terms])}"


def _both_sides(lower: str, upper: str, terms: list[str]) -> str:
    """Return both limits, each with what widens it, so that nobody takes ± for a tolerance."""
    if not terms:
        return f"{lower} … {upper}"
    if lower == upper == "0":
        return f"± {terms[0]}" if len(terms) == 1 else f"± ({' + '.join(terms)})"
    if lower == f"-{upper}":
        return f"± ({' + '.join([upper, *terms])})"
    return f"{' − '.join([lower, *terms])} … {' + '.join([upper, *terms])}"


def _rating(type_: InstrumentType, name: str, language: str) -> str:
    return type_.ratings[name].label.text(language) if name in type_.ratings else name


def range_text(type_: InstrumentType, measurand: Measurand, limit: Limit, language: str) -> str:
    """Return for which nominal values a limit holds, with their unit; empty: for all."""
    if limit.start is None and limit.end is None:
        return ""
    opening = "[" if limit.start is not None and limit.start_included else "("
    closing = "]" if limit.end is not None and limit.end_included else ")"
    unit = _rating(type_, limit.steps_of, language) or UNITS[measurand.unit].symbol
    return f"{opening}{limit.start or '−∞'}, {limit.end or '∞'}{closing} {unit}"


def when_text(type_: InstrumentType, when: Mapping[str, str], language: str) -> str:
    """Return for which items something holds; empty: for all."""

    def one(name: str, value: str) -> str:
        named = type_.variants.get(name, {}).get(value)
        if named is not None:
            return named.text(language)
        coded = name == "verification" and value in CODE_WORDS
        return translate(CODE_WORDS[value], language) if coded else f"{name} = {value}"

    return ", ".join(one(name, value) for name, value in when.items())


def joined(labels: Iterable[LocalizedText], language: str) -> str:
    """Return some labels on one line."""
    return ", ".join(label.text(language) for label in labels)
