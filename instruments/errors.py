"""The one error tree of the project; knows nothing of HTTP, databases or the engine.

DomainError
├── NotFound      no such instrument, certificate, page
├── NotAllowed    role or competence missing
├── Conflict      already issued, changed meanwhile, number taken
├── Invalid       the request cannot be read: field, row, unit, decimal
├── Refused       readable, but metrology or procedure says no
└── Unavailable   mail server, file store, disk: try again

A message has four parts: what, where, got and expected, what to do. It is an English sentence
with ``{named}`` placeholders filled from ``facts``; the door translates it first, then fills it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning", "note"]
"""``error`` stops the act, ``warning`` is shown and must be accepted, ``note`` is shown."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a check, import or lint found; a value, so that all are seen at once."""

    code: str
    """Stable public word, e.g. ``reading-outlier``; has a paragraph in docs/errors.md."""
    message: str
    """English sentence with ``{named}`` placeholders."""
    severity: Severity = "error"
    at: str = ""
    """JSON pointer into what the user sent, e.g. ``/points/3/readings/2``; empty: the whole."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """Values of the placeholders; a finding may stand for a part of the sentence."""
    clause: str = ""
    """The written rule, e.g. ``ISO/IEC 17025:2017 7.8.2.1 (h)``."""

    def text(self) -> str:
        """Return the English sentence with its facts filled in."""
        return fill(self.message, self.facts)

    def __str__(self) -> str:
        """Return the sentence, so that it can be a fact of another one."""
        return self.text()


class _Facts(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def fill(message: str, facts: Mapping[str, object]) -> str:
    """Fill ``{named}`` placeholders; a missing fact stays visible instead of raising."""
    return message.format_map(_Facts(facts)) if facts else message


class DomainError(Exception):
    """Something the user can understand and act on."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        at: str = "",
        clause: str = "",
        facts: Mapping[str, object] | None = None,
        findings: tuple[Finding, ...] = (),
    ) -> None:
        """Keep every part; ``str()`` gives the filled English sentence."""
        self.code = code
        self.message = message
        self.at = at
        self.clause = clause
        self.facts: Mapping[str, object] = dict(facts or {})
        self.findings = findings
        self.act = ""
        """The act of the policy that was refused; empty: it was not for want of a right."""
        super().__init__(fill(message, self.facts))


class NotFound(DomainError):
    """No such thing, or it belongs to another lab: the two look alike."""


class NotAllowed(DomainError):
    """The actor's role or competence does not cover the act."""


class Conflict(DomainError):
    """The act clashes with what already is: issued, changed meanwhile, number taken."""


class Invalid(DomainError):
    """What was sent cannot be read: a field, a row, a unit, a decimal."""


class Refused(DomainError):
    """Readable, but metrology or procedure says no."""


class Unavailable(DomainError):
    """Something outside did not answer: try again later."""
