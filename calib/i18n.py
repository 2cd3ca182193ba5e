"""The one door for words of certificates, pages and mail: English sentence in, words out.

The English sentence is the message id; Chinese stands in ``locale/zh/LC_MESSAGES/*.po``, one file
per domain, all read together. A sentence without a translation falls back to English; the tests
refuse that. Facts are what people wrote and stay as they are, but for the program's own words:
``facts.po`` translates those by the name of the fact, its ``msgctxt`` (state: draft, reason: a
sentence of the engine). Measured values are never formatted here: trailing zeros would be lost.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib import resources

from babel.dates import format_date as babel_date
from babel.messages.pofile import read_po

from instruments.errors import DomainError, Finding, fill
from instruments.quantities import UNITS
from instruments.text import LocalizedText

_LOCALES = {"zh": "zh_Hans_CN", "en": "en_GB"}
_UNIT_ID = re.compile(
    r"(?<=\d )(?:" + "|".join(re.escape(u.id) for u in UNITS.values() if u.id != u.symbol) + r")\b"
)
"""The id of a unit after a number: sentences show its symbol."""
_PLACE = re.compile(r"\\{(\w+)\\}")


@dataclass(frozen=True, slots=True)
class Phrases:
    """The program's own words that may stand for one fact, and sentences already filled in."""

    words: dict[str, str] = field(default_factory=dict)
    patterns: list[tuple[re.Pattern[str], str]] = field(default_factory=list)

    def say(self, text: str) -> str:
        """Return the translation of a phrase or of a list of phrases; else the text itself."""
        if text in self.words:
            return self.words[text]
        for pattern, sentence in self.patterns:
            if found := pattern.fullmatch(text):
                return fill(sentence, {k: self.say(part) for k, part in found.groupdict().items()})
        parts = text.split(", ")
        if any(part in self.words for part in parts):
            return "、".join(self.words.get(part, part) for part in parts)
        return text


def translate(message_id: str, language: str, /, **facts: object) -> str:
    """Return the sentence in `language` with its ``{named}`` facts filled in."""
    said = {name: _said(name, fact, language) for name, fact in facts.items()}
    return fill(catalogue(language).get(message_id, message_id), said)


def both(message_id: str, /, **facts: object) -> LocalizedText:
    """Return the sentence in both languages."""
    return LocalizedText(
        en=translate(message_id, "en", **facts), zh=translate(message_id, "zh", **facts)
    )


def describe(problem: DomainError | Finding, language: str) -> str:
    """Return what an error or finding says, in `language`."""
    return translate(problem.message, language, **problem.facts)


def format_date(day: date | str, language: str) -> str:
    """Return a date as a sentence would hold it: ``2 March 2026``, ``2026年3月2日``."""
    value = date.fromisoformat(day) if isinstance(day, str) else day
    return babel_date(value, format="long", locale=_LOCALES.get(language, "en_GB"))


@functools.cache
def catalogue(language: str) -> Mapping[str, str]:
    """Return every translated sentence of `language` by its English id; empty for English."""
    words: dict[str, str] = {}
    for context, message, sentence in _messages(language):
        if not context:
            words.setdefault(message, sentence)
    return words


@functools.cache
def phrases(language: str) -> Mapping[str, Phrases]:
    """Return the program's own words for facts in `language`, by the name of the fact."""
    found: dict[str, Phrases] = {}
    for context, message, sentence in _messages(language):
        if not context:
            continue
        known = found.setdefault(context, Phrases())
        if "{" in message:
            pattern = _PLACE.sub(r"(?P<\1>.+?)", re.escape(message))
            known.patterns.append((re.compile(pattern, re.DOTALL), sentence))
        else:
            known.words[message] = sentence
    return found


def _said(name: str, fact: object, language: str) -> object:
    """Return a fact as a sentence in `language` holds it."""
    if isinstance(fact, LocalizedText):
        return fact.text(language)
    if isinstance(fact, Finding):
        return describe(fact, language)
    if isinstance(fact, str):
        fact = _UNIT_ID.sub(lambda found: UNITS[found[0]].symbol, fact)
    known = phrases(language).get(name)
    return known.say(str(fact)) if known is not None and isinstance(fact, str | bool) else fact


def _messages(language: str) -> list[tuple[str, str, str]]:
    """Return context, English id and translation of every message of every file."""
    messages = []
    for name, text in _files(language):
        for message in read_po(text.splitlines(keepends=True), locale=_LOCALES.get(language)):
            if not (isinstance(message.id, str) and isinstance(message.string, str)):
                raise ValueError(f"{name}: plural forms are not used here: {message.id}")
            if message.id and message.string and not message.fuzzy:
                messages.append((message.context or "", message.id, message.string))
    return messages


def _files(language: str) -> list[tuple[str, str]]:
    folder = resources.files("calib") / "locale" / language / "LC_MESSAGES"
    if not folder.is_dir():
        return []
    files = (f for f in folder.iterdir() if f.name.endswith(".po"))
    return [(f.name, f.read_text(encoding="utf-8")) for f in sorted(files, key=lambda f: f.name)]
