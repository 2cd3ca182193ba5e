"""What a stranger's file says, made so that it cannot pass for what the verifier says.

A name may hold letters that clear a terminal, turn the reading direction or cannot be seen. They
are shown as what they are, by their number: nobody takes them for the words around them.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from instruments.errors import Finding
from instruments.text import LocalizedText

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Controls, formats (reading direction, no width), halves of pairs, private letters, line ends."""


def plain_sight(text: str) -> str:
    """Return a text in which every letter that could deceive stands by its number."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"\\u{{{ord(letter):04x}}}" if unicodedata.category(letter) in _HIDDEN else letter
        for letter in text
    )


def plain_fact(fact: object) -> object:
    """Return a fact of a step the same way."""
    if isinstance(fact, str):
        return plain_sight(fact)
    if isinstance(fact, LocalizedText):
        return LocalizedText(**{of: plain_sight(words) for of, words in fact.as_dict().items()})
    return plain_finding(fact) if isinstance(fact, Finding) else fact


def plain_finding(finding: Finding) -> Finding:
    """Return a finding the same way."""
    facts = {name: plain_fact(fact) for name, fact in finding.facts.items()}
    return replace(finding, at=plain_sight(finding.at), facts=facts)
