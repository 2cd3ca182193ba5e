"""The form of a method: every figure in the text as a field, and what was typed as changes of it.

The name of a field is the place of its figure in the text as it is written. What a measurand takes
over from another one (``like``) is shown with that one; what the form does not show is changed in
the whole text.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from api.pages.forms import Form, Typed
from api.problems import say
from api.type_words import key_words
from instruments.errors import Finding, Invalid
from instruments.services.method_views import MethodView

WHOLE = frozenset(
    {"readings", "minimum", "acclimatisation_minutes", "interval_months", "validity_months"}
)
LISTS = frozenset({"default", "fractions"})
GENERAL = ("acclimatisation_minutes", "interval_months", "validity_months")
POINT_KEYS = ("default", "step", "fractions", "readings", "minimum", "low", "high")
LIMIT_KEYS = (
    "start", "end", "lower", "upper", "plus_fraction", "or_fraction", "plus_inverse",
    "plus_rating_fraction",
)  # fmt: skip
SIZES = ("half_width", "relative_half_width", "U", "relative_U", "k", "u", "dof")
TAGS = ("V", "V2", "CALC", "BG")
UNITS_OF = {"temperature": "degC", "relative_humidity": "%RH", "pressure": "kPa"}
ALWAYS = ("start", "end", "lower", "upper", "plus_fraction")
NEW_ROWS = 2


@dataclass(frozen=True, slots=True)
class Row:
    """One limit, component or influence quantity: its fields by key."""

    place: str
    name: str
    """What it is called; empty: its figures say it."""
    fields: Mapping[str, str]
    """Place of each figure that can be changed here, by key."""
    is_new: bool = False
    words: Mapping[str, Any] = field(default_factory=dict)
    """What it is called in each language, where the text says so."""


@dataclass(frozen=True, slots=True)
class Section:
    """A measurand with its fields."""

    place: str
    name: Mapping[str, str]
    like: str
    """The measurand whose words hold where this one says nothing; empty: it says all itself."""
    shares: str
    """The measurand whose readings it uses; empty: it has its own."""
    words: Sequence[str]
    points: Sequence[str]
    alternatives: Sequence[Row]
    limit_keys: Sequence[str]
    limits: Sequence[Row]
    component_keys: Sequence[str]
    components: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything the form shows of a text; without `raw` the text is no TOML."""

    raw: Mapping[str, Any] | None
    general: Sequence[str] = ()
    documents: Sequence[str] = ()
    environment: Sequence[Row] = ()
    sections: Sequence[Section] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    """What the text holds, by place."""


def sheet_of(text: str) -> Sheet:
    """Return the fields of a text."""
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError):
        return Sheet(None)
    measurands = [m for m in _list(raw, "measurands") if isinstance(m, Mapping)]
    sheet = Sheet(
        raw,
        general=[
            *(p for name in ("name", "standards_wanted") for p in _words_of(raw, "", name)),
            *GENERAL,
        ],
        documents=[
            str(d["id"]) for d in _list(raw, "documents") if isinstance(d, Mapping) and "id" in d
        ],
        environment=tuple(_environment(raw)),
        sections=tuple(_section(m, f"measurands/{i}") for i, m in enumerate(measurands)),
    )
    return replace(sheet, values={place: _shown(_at(raw, place)) for place in _places(sheet)})


def form_of_sheet(sheet: Sheet, method: MethodView, language: str) -> Form:
    """Return the form as the text stands, every error beside the field it is about."""
    values = {name: (text,) for name, text in sheet.values.items()}
    shown = {**values, "version": (str(method.version),), "text": (method.text,)}
    problems: dict[str, list[str]] = {}
    for found in method.findings:
        said = say(found.message, found.facts, language)
        problems.setdefault(_nearest(found, sheet), []).append(said)
    return Form(shown, problems)


def changes_typed(typed: Typed, sheet: Sheet) -> dict[str, Any]:
    """Return what of the fields differs from the text, by place.

    Raises Invalid for a count that is no whole number.
    """
    changes: dict[str, Any] = {}
    for place, held in sheet.values.items():
        if place not in typed.parts:
            continue
        text = typed.text(place).strip()
        if text != held:
            changes[f"/{place}"] = _value(typed, place, text)
    for row in (*sheet.environment, *(r for s in sheet.sections for r in s.limits)):
        if row.is_new:
            changes |= _added(typed, row)
        elif typed.flag(f"remove/{row.place}"):
            changes = {p: v for p, v in changes.items() if not p.startswith(f"/{row.place}/")}
            changes[f"/{row.place}"] = None
    return changes


def _value(typed: Typed, place: str, text: str) -> Any:
    key = place.rpartition("/")[2]
    if key in WHOLE:
        return typed.whole(place)
    if key in LISTS:
        return text.replace(",", " ").replace("，", " ").split() or None
    return text or None


def _added(typed: Typed, row: Row) -> dict[str, Any]:
    """Return a row somebody filled in; one that only has its choices is none."""
    given = {key: typed.text(place).strip() for key, place in row.fields.items()}
    chosen = {"document", "confidence", "quantity"}
    if not any(text for key, text in given.items() if key not in chosen):
        return {}
    table = {key: text for key, text in given.items() if text}
    if "quantity" in row.fields:
        if table.get("quantity") not in UNITS_OF:
            raise Invalid(
                "choice-missing",
                "Nothing is chosen. Choose one from the list.",
                at=f"/{row.fields['quantity']}",
            )
        table["unit"] = UNITS_OF[table["quantity"]]
    return {f"/{row.place}": table}


def _environment(raw: Mapping[str, Any]) -> Iterator[Row]:
    for i, one in enumerate(_list(raw, "environment")):
        if isinstance(one, Mapping):
            place = f"environment/{i}"
            fields = {key: f"{place}/{key}" for key in ("low", "high", "document", "confidence")}
            yield Row(place, f"{one.get('quantity', '')}", fields)
    place = "environment/-1"
    keys = ("quantity", "low", "high", "document", "confidence")
    yield Row(place, "", {key: f"{place}/{key}" for key in keys}, is_new=True)


def _section(raw: Mapping[str, Any], place: str) -> Section:
    points = raw.get("points")
    name = raw.get("name")
    limits, components = _list(raw, "limits"), _list(raw, "components")
    limit_keys = [
        key for key in LIMIT_KEYS if key in ALWAYS or any(_has(one, key) for one in limits)
    ]
    sizes = [key for key in SIZES if any(_has(one, key) for one in components)]
    pooled = ["s", "pooled_dof"] if any(_has(one, "pooled") for one in components) else []
    keys = [*dict.fromkeys([*sizes, "dof"]), *pooled, "confidence", "source"]
    return Section(
        place=place,
        name=name if isinstance(name, Mapping) else {"en": str(raw.get("id", ""))},
        like=str(raw.get("like", "")),
        shares=str(raw.get("same_readings_as", "")),
        words=tuple(_words_of(raw, f"{place}/", "name")),
        points=tuple(_points(points, f"{place}/points")) if isinstance(points, Mapping) else (),
        alternatives=tuple(_alternatives(points, f"{place}/points")),
        limit_keys=tuple(limit_keys),
        limits=tuple(_limits(limits, place, limit_keys)) if "like" not in raw or limits else (),
        component_keys=tuple(keys) if components else (),
        components=tuple(_components(components, f"{place}/components")),
    )


def _points(points: Mapping[str, Any], place: str) -> Iterator[str]:
    for key in POINT_KEYS:
        if key in points or key in ("readings", "minimum", "low", "high"):
            yield f"{place}/{key}"


def _alternatives(points: Any, place: str) -> Iterator[Row]:
    for i, one in enumerate(_list(points, "alternatives")):
        if isinstance(one, Mapping):
            when = one.get("when")
            name = ", ".join(f"{k} = {v}" for k, v in (when or {}).items())
            at = f"{place}/alternatives/{i}"
            keys = [key for key in ("default", "step", "readings") if key in one]
            yield Row(at, name, {key: f"{at}/{key}" for key in keys})


def _limits(limits: Sequence[Any], place: str, keys: Sequence[str]) -> Iterator[Row]:
    every = (*keys, "document", "clause", "confidence")
    for i, one in enumerate(limits):
        at = f"{place}/limits/{i}"
        when = one.get("when") if isinstance(one, Mapping) else None
        name = ", ".join(f"{k} = {v}" for k, v in (when or {}).items())
        yield Row(at, name, {key: f"{at}/{key}" for key in every})
    for i in range(NEW_ROWS):
        at = f"{place}/limits/-{i + 1}"
        yield Row(at, "", {key: f"{at}/{key}" for key in every}, is_new=True)


def _components(components: Sequence[Any], place: str) -> Iterator[Row]:
    for i, one in enumerate(components):
        if not isinstance(one, Mapping):
            continue
        at = f"{place}/{i}"
        keys = [key for key in SIZES if key in one or (key == "dof" and one.get("evaluate") == "B")]
        fields = {key: f"{at}/{key}" for key in (*keys, "confidence", "source")}
        if isinstance(one.get("pooled"), Mapping):
            fields |= {"s": f"{at}/pooled/s", "pooled_dof": f"{at}/pooled/dof"}
        name = one.get("name")
        words = name if isinstance(name, Mapping) else {}
        yield Row(at, str(one.get("id", i)), fields, words=words)


def _words_of(raw: Mapping[str, Any], place: str, key: str) -> Iterator[str]:
    if isinstance(raw.get(key), Mapping):
        yield from (f"{place}{key}/{language}" for language in ("zh", "en"))


def _places(sheet: Sheet) -> Iterator[str]:
    yield from sheet.general
    rows = list(sheet.environment)
    for section in sheet.sections:
        yield from (*section.words, *section.points)
        rows += [*section.alternatives, *section.limits, *section.components]
    yield from (place for row in rows if not row.is_new for place in row.fields.values())


def _nearest(found: Finding, sheet: Sheet) -> str:
    """Return the field a finding is about, or the whole text."""
    place = found.at.removeprefix("/")
    while place:
        if place in sheet.values:
            return place
        place = place.rpartition("/")[0]
    return "text"


def _list(raw: Any, key: str) -> Sequence[Any]:
    found = raw.get(key) if isinstance(raw, Mapping) else None
    return found if isinstance(found, list) else ()


def _has(raw: Any, key: str) -> bool:
    return isinstance(raw, Mapping) and key in raw


def _at(raw: Any, place: str) -> Any:
    for part in place.split("/"):
        if isinstance(raw, list) and part.isdecimal() and int(part) < len(raw):
            raw = raw[int(part)]
        elif isinstance(raw, Mapping):
            raw = raw.get(part)
        else:
            return None
    return raw


def _shown(value: Any) -> str:
    if value is None or isinstance(value, Mapping):
        return ""
    if isinstance(value, list):
        return " ".join(_shown(item) for item in value)
    return str(value)


def label_of(place: str, language: str) -> str:
    """Return what a field is called; the words of a language bear its name."""
    *_, key, last = ("", *place.split("/"))
    if last in ("en", "zh"):
        return f"{_first_up(key_words(key, language))} ({'English' if last == 'en' else '中文'})"
    return _first_up(key_words(_SAID.get(last, last), language))


_SAID = {"pooled_dof": "dof", "default": "points"}
"""Keys whose words in a form are those of another one."""


def _first_up(words: str) -> str:
    return (
        words if words[:1] in "kuUs" and words[1:2] in ("", " ") else words[:1].upper() + words[1:]
    )
