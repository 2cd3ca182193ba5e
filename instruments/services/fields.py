"""Words and marks as people type them: trimmed, normalised, and refused when they deceive the eye.

A serial that only looks like another one is how two instruments become one. Knows no table.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sized
from datetime import date

from instruments.errors import Invalid

MAX_WORDS = 400
MAX_MARK = 80
_INVISIBLE = frozenset("\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u2800\u3164\uffa0")
_LATIN_LIKE = frozenset("АВЕКМНОРСТУХЅІЈаеорсухѕіјΑΒΕΖΗΙΚΜΝΟΡΤΥΧοιν")
"""Cyrillic and Greek letters that look like Latin ones."""


def need_a_name(name_en: str, name_zh: str) -> None:
    """Refuse a thing without a name in any language."""
    if not (name_en or name_zh):
        raise Invalid(
            "name-missing",
            "A name is missing. Give it in Chinese, in English or in both.",
            at="/name_zh",
        )


def words(value: str, at: str, *, required: bool = False, limit: int = MAX_WORDS) -> str:
    """Return free text trimmed and in normal form (NFC); line breaks stay, other controls do not.

    Raises Invalid for empty text where some is needed, for text that is too long, and for
    characters that cannot be seen.
    """
    text = unicodedata.normalize("NFC", value).strip()
    plain = text.isascii() and text.isprintable()
    for place, character in enumerate("" if plain else text, start=1):
        if character != "\n" and _is_hidden(character):
            _refuse_character(
                "text-deceptive",
                "The field {field} holds the character {code} ({name}) at place {place}, which "
                "cannot be seen. Type it again by hand.",
                text,
                place,
                at,
            )
    if required and not text:
        raise Invalid(
            "field-empty",
            "The field {field} is empty. Fill it in.",
            at=at,
            facts={"field": _name(at)},
        )
    if len(text) > limit:
        raise Invalid(
            "field-too-long",
            "The field {field} has {length} characters, at most {limit} are kept. Shorten it.",
            at=at,
            facts={"field": _name(at), "length": len(text), "limit": limit},
        )
    return text


def mark(value: str, at: str, *, required: bool = False) -> str:
    """Return a serial, barcode or asset number, trimmed, with every character what it looks like.

    Raises Invalid naming the code point of a hidden control, a full-width or other look-alike, or
    of a Cyrillic or Greek letter that passes for a Latin one.
    """
    text = words(value, at, required=required, limit=MAX_MARK)
    if text.isascii() and text.isprintable():
        return text
    latin = any(_script(character) == "LATIN" for character in text)
    foreign = [c for c in text if _script(c) in {"CYRILLIC", "GREEK"}]
    disguised = bool(foreign) and (latin or all(c in _LATIN_LIKE for c in foreign))
    for place, character in enumerate(text, start=1):
        if character == "\n" or (character.isspace() and character != " "):
            _refuse_character(
                "text-deceptive",
                "The field {field} holds the character {code} ({name}) at place {place}, which is "
                "no plain space. Type it again by hand.",
                text,
                place,
                at,
            )
        twin = unicodedata.normalize("NFKC", character)
        if not character.isascii() and twin.isascii() and len(twin) == 1:
            _refuse_character(
                "text-deceptive",
                "The field {field} holds the character {code} ({name}) at place {place}, which "
                "only looks like a plain one. Type it again by hand.",
                text,
                place,
                at,
            )
        if unicodedata.category(character) == "Nd" and not character.isascii():
            _refuse_character(
                "text-deceptive",
                "The field {field} holds the character {code} ({name}) at place {place}, which is "
                "no digit 0 to 9. Type it again by hand.",
                text,
                place,
                at,
            )
        if disguised and character in foreign:
            _refuse_character(
                "text-deceptive",
                "The field {field} holds the character {code} ({name}) at place {place}, which "
                "passes for a Latin letter. Type it again by hand.",
                text,
                place,
                at,
            )
    return text


def choice(value: str, allowed: tuple[str, ...], at: str) -> str:
    """Return the value when it is one of `allowed`.

    Raises Invalid naming those that are.
    """
    if value not in allowed:
        raise Invalid(
            "field-unknown-choice",
            "The field {field} is {got}; it must be one of: {allowed}.",
            at=at,
            facts={"field": _name(at), "got": value or "empty", "allowed": ", ".join(allowed)},
        )
    return value


def whole(value: int | None, at: str, *, low: int, high: int) -> int | None:
    """Return the whole number when it lies between `low` and `high`, or None for none.

    Raises Invalid otherwise.
    """
    if value is not None and (isinstance(value, bool) or not low <= value <= high):
        raise Invalid(
            "field-out-of-range",
            "The field {field} is {got}; it must be a whole number from {low} to {high}.",
            at=at,
            facts={"field": _name(at), "got": value, "low": low, "high": high},
        )
    return value


def few(values: Sized, at: str, most: int) -> None:
    """Refuse a list with more entries than are taken at once."""
    if len(values) > most:
        raise Invalid(
            "list-too-long",
            "The list {field} has {count} entries, at most {most} are taken at once. Split it.",
            at=at,
            facts={"field": _name(at), "count": len(values), "most": most},
        )


def email(value: str, at: str, *, required: bool = False) -> str:
    """Return the mail address in lower case.

    Raises Invalid when it cannot be one.
    """
    text = words(value, at, required=required, limit=254).lower()
    local, _, domain = text.partition("@")
    good = text.isascii() and local and "." in domain.strip(".") and not set(text) & set(" ,;<>\n")
    if text and (not good or "@" in domain):
        raise Invalid(
            "email-malformed",
            "{got} is no mail address. Write it as name@example.org.",
            at=at,
            facts={"got": text},
        )
    return text


def period(start: date, end: date | None, at: str) -> None:
    """Refuse a period whose last day comes before its first."""
    if end is not None and end < start:
        raise Invalid(
            "period-backwards",
            "The last day {end} comes before the first day {start}. Correct one of the dates.",
            at=at,
            facts={"start": start.isoformat(), "end": end.isoformat()},
        )


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} or (
        character in _INVISIBLE
    )


def _script(character: str) -> str:
    if not character.isalpha():
        return ""
    return unicodedata.name(character, "").partition(" ")[0]


def _name(at: str) -> str:
    return at.rsplit("/", 1)[-1]


def _refuse_character(code: str, message: str, text: str, place: int, at: str) -> None:
    character = text[place - 1]
    raise Invalid(
        code,
        message,
        at=at,
        facts={
            "field": _name(at),
            "code": f"U+{ord(character):04X}",
            "name": unicodedata.name(character, "control character"),
            "place": place,
            "text": text.encode("ascii", "backslashreplace").decode(),
        },
    )
