"""Sentences that say why a result is what it is, and what it rests on.

A sentence keeps its figures apart, so it can be translated. This module must not know methods.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Facts = Mapping[str, str | int | float]
"""Figures of a sentence by their places."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One sentence in plain words.

    Attributes
    ----------
    text : str
        English sentence with {named} places.
    facts : Facts
        The figures of the places.
    """

    text: str
    facts: Facts = field(default_factory=dict)

    @property
    def figures(self) -> dict[str, str]:
        """The facts as they are told, numbers with at most five digits."""
        return {k: f"{v:.5g}" if isinstance(v, float) else str(v) for k, v in self.facts.items()}

    def __str__(self) -> str:
        return self.text.format(**self.figures)


def tell(reasons: tuple[Reason, ...]) -> str:
    """Join sentences to one text.

    Notes
    -----
    Source: none; words, not numbers.
    Checked against: docs/methods/intervals.md.
    Limits: English; translate `text` with `figures` for other languages.
    """
    return " ".join(str(reason) for reason in reasons)
