"""The bricks of a DCC: elements of its two namespaces, words in the languages of the document.

Knows the form of a text and of a list of numbers, and nothing of certificates.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from calib.certificates.dcc_units import converted, spelling
from calib.certificates.wording import Speaker
from calib.i18n import translate
from instruments.text import Language, LocalizedText

DCC: Final = "https://ptb.de/dcc"
SI: Final = "https://ptb.de/si"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
NAMESPACES: Final = {"dcc": DCC, "si": SI}
_DCC: Final = f"{{{DCC}}}"
_SI: Final = f"{{{SI}}}"
_sub = etree.SubElement
PROBABILITY: Final = "0.95"
"""Coverage probability of every U; the statement of the uncertainty says so in words."""
NOT_A_NUMBER: Final = "NaN"
"""Stands in a list where a value has no limit on this side."""

Element = etree._Element  # noqa: SLF001 -- lxml gives its class no public name
Texts = tuple[tuple[str, str], ...]
"""Words with their language; an empty language: the same in every one."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Says the same once per language of a document, each with its language."""

    speaker: Speaker

    def say(self, sentence: str, /, **facts: object) -> Texts:
        """Return a sentence of the catalogue."""
        if not facts:
            return _plain_sentence(sentence, self.speaker.languages)
        return tuple(
            (
                language,
                translate(
                    sentence,
                    language,
                    **{
                        name: fact.text(language) if isinstance(fact, LocalizedText) else fact
                        for name, fact in facts.items()
                    },
                ),
            )
            for language in self.speaker.languages
        )

    def label(self, text: LocalizedText) -> Texts:
        """Return a label that brings its own translations."""
        return tuple((language, text.text(language)) for language in self.speaker.languages)


@functools.lru_cache(maxsize=512)
def _plain_sentence(sentence: str, languages: tuple[Language, ...]) -> Texts:
    """Return a sentence without facts; those of a table are asked for again for every piece."""
    return tuple((language, translate(sentence, language)) for language in languages)


def same(text: str) -> Texts:
    """Return words that are the same in every language."""
    return (("", text),)


def dcc(parent: Element, name: str, text: str | None = None, kind: str = "") -> Element:
    """Append an element of a DCC; `kind` is its refType."""
    element = _sub(parent, _DCC + name)
    if text is not None:
        element.text = text.strip()
    if kind:
        element.set("refType", kind)
    return element


def si(parent: Element, name: str, text: str | None = None) -> Element:
    """Append an element of D-SI."""
    element = _sub(parent, _SI + name)
    if text is not None:
        element.text = text.strip()
    return element


def some(parent: Element, name: str, text: str | None) -> None:
    """Append an element unless there is nothing to say in it."""
    if text and text.strip():
        dcc(parent, name, text)


def worded(parent: Element, name: str, texts: Texts, kind: str = "") -> Element:
    """Append an element that says something in each language."""
    element = dcc(parent, name, kind=kind)
    contents(element, texts)
    return element


def contents(element: Element, texts: Texts, kind: str = "") -> None:
    """Append the words themselves."""
    for language, words in texts:
        content = dcc(element, "content", words, kind)
        if language:
            content.set("lang", language)


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """U and k of each value of a list; normal unless k comes from the t-distribution."""

    U: Sequence[str]
    k: Sequence[str]
    distributions: Sequence[str]


def quantity(parent: Element, kind: str, name: Texts) -> Element:
    """Append a quantity without its values."""
    element = dcc(parent, "quantity", kind=kind)
    worded(element, "name", name)
    return element


def numbers(
    parent: Element,
    values: Sequence[str],
    unit_id: str,
    uncertainty: Uncertainty | None = None,
    *,
    difference: bool = False,
) -> None:
    """Append printed values with their unit; twice where D-SI does not have the unit."""
    spelled = spelling(unit_id)
    if not spelled.outside:
        _list(parent, values, spelled.dsi, uncertainty)
        return

    def change(texts: Iterable[str], *, is_difference: bool) -> list[str]:
        return [
            text
            if text == NOT_A_NUMBER
            else converted(spelled, unit_id, text, difference=is_difference)
            for text in texts
        ]

    hybrid = si(parent, "hybrid")
    first = uncertainty and Uncertainty(
        change(uncertainty.U, is_difference=True), uncertainty.k, uncertainty.distributions
    )
    _list(hybrid, change(values, is_difference=difference), spelled.dsi, first)
    _list(hybrid, values, spelled.outside, uncertainty)


def _list(
    parent: Element, values: Sequence[str], unit_text: str, uncertainty: Uncertainty | None
) -> None:
    element = si(parent, "realListXMLList")
    si(element, "valueXMLList", " ".join(values))
    si(element, "unitXMLList", unit_text)
    if uncertainty is None:
        return
    expanded = si(si(element, "measurementUncertaintyUnivariateXMLList"), "expandedMUXMLList")
    si(expanded, "valueExpandedMUXMLList", " ".join(uncertainty.U))
    si(expanded, "coverageFactorXMLList", " ".join(uncertainty.k))
    si(expanded, "coverageProbabilityXMLList", " ".join([PROBABILITY] * len(uncertainty.U)))
    si(expanded, "distributionXMLList", " ".join(uncertainty.distributions))


def number(parent: Element, value: str, unit_id: str, *, difference: bool = False) -> None:
    """Append one printed value with its unit; twice where D-SI does not have the unit."""
    spelled = spelling(unit_id)
    holder = si(parent, "hybrid") if spelled.outside else parent
    first = converted(spelled, unit_id, value, difference=difference)
    for text, unit_text in ((first, spelled.dsi), (value, spelled.outside)):
        if unit_text:
            element = si(holder, "real")
            si(element, "value", text)
            si(element, "unit", unit_text)


def words_list(parent: Element, kind: str, name: Texts, texts: Sequence[str]) -> None:
    """Append a quantity of words without spaces, one per value beside it."""
    dcc(quantity(parent, kind, name), "charsXMLList", " ".join(texts))
