"""The one door for words of certificates, pages and mail: English sentence in, words out.

The English sentence is the message id; Chinese stands in ``locale/zh/LC_MESSAGES/*.po``, one file
per domain, all read together. A sentence without a translation falls back to English; the tests
refuse that. Measured values never pass through here: a number format would drop trailing zeros.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from datetime import date
from importlib import resources

from babel.dates import format_date as babel_date
from babel.messages.pofile import read_po

from instruments.errors import DomainError, Finding, fill
from instruments.text import LocalizedText

_LOCALES = {"zh": "zh_Hans_CN", "en": "en_GB"}


def translate(message_id: str, language: str, /, **facts: object) -> str:
    """Return the sentence in `language` with its ``{named}`` facts filled in."""
    return fill(catalogue(language).get(message_id, message_id), facts)


def both(message_id: str, /, **facts: object) -> LocalizedText:
    """Return the sentence in both languages."""
    return LocalizedText(
        en=translate(message_id, "en", **facts), zh=translate(message_id, "zh", **facts)
    )


def describe(problem: DomainError | Finding, language: str) -> str:
    """Return what an error or finding says, in `language`."""
    return fill(catalogue(language).get(problem.message, problem.message), problem.facts)


def format_date(day: date | str, language: str) -> str:
    """Return a date as a sentence would hold it: ``2 March 2026``, ``2026年3月2日``."""
    value = date.fromisoformat(day) if isinstance(day, str) else day
    return babel_date(value, format="long", locale=_LOCALES.get(language, "en_GB"))


@functools.cache
def catalogue(language: str) -> Mapping[str, str]:
    """Return every translated sentence of `language` by its English id; empty for English."""
    words: dict[str, str] = {}
    for name, text in _files(language):
        found = read_po(text.splitlines(keepends=True), locale=_LOCALES.get(language))
        for message in found:
            if not (isinstance(message.id, str) and isinstance(message.string, str)):
                raise ValueError(f"{name}: plural forms are not used here: {message.id}")
            if message.id and message.string and not message.fuzzy:
                words.setdefault(message.id, message.string)
    return words


def untranslated(message_ids: Iterable[str], language: str) -> tuple[str, ...]:
    """Return the sentences that have no words in `language` yet."""
    if language == "en":
        return ()
    return tuple(m for m in message_ids if m not in catalogue(language))


def _files(language: str) -> list[tuple[str, str]]:
    folder = resources.files("calib") / "locale" / language / "LC_MESSAGES"
    if not folder.is_dir():
        return []
    files = (f for f in folder.iterdir() if f.name.endswith(".po"))
    return [(f.name, f.read_text(encoding="utf-8")) for f in sorted(files, key=lambda f: f.name)]
