"""Sentences that say why a result is what it is, and what it rests on.

A sentence keeps its figures apart, so it can be translated. This module must not know methods.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reason:
    """One sentence in plain words.

    Attributes
    ----------
    text : str
        English sentence with {named} places.
    facts : dict of str to str or int or float
        The figures of the places.
    """

    text: str
    facts: dict[str, str | int | float] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text.format(**{k: _figure(v) for k, v in self.facts.items()})


def tell(reasons: tuple[Reason, ...]) -> str:
    """Join sentences to one text."""
    return " ".join(str(reason) for reason in reasons)


def _figure(fact: str | float) -> str:
    """Write a number with at most five digits."""
    return f"{fact:.5g}" if isinstance(fact, float) else str(fact)
