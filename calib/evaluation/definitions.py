"""Type definitions are read and written once, however many records hold the same one.

A definition is most of a frozen input. Knows nothing of records.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Generic, TypeVar

from instruments.canonical import Written, canonical_json
from instruments.plain import NotPlain
from instruments.procedure import InstrumentType

KEPT = 256
"""As many definitions are remembered; a catalogue has some dozens, each in a few versions."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Settled:
    """A definition as its canonical form gives it back."""

    text: Written
    definition: InstrumentType
    """With its mappings in the order of their keys; one object for all that are equal."""


class _Same(Generic[T]):
    """Stands for one object; holding it keeps its identity from being used again."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.value is self.value


def once(function: Callable[[InstrumentType], T]) -> Callable[[InstrumentType], T]:
    """Return the function, computed once for each definition; a definition never changes."""
    remembered = lru_cache(maxsize=KEPT)(lambda same: function(same.value))

    @wraps(function)
    def answer(definition: InstrumentType) -> T:
        return remembered(_Same(definition))

    return answer


@once
def settled(definition: InstrumentType) -> Settled:
    """Return the definition and its canonical text."""
    text = canonical_json(definition).decode()
    return Settled(Written(text), _read(text))


def with_known_definition(plain: object) -> object:
    """Return a plain input with its definition in place where the same one was read before.

    What cannot be read stays as it is, to be refused where it stands.
    """
    given = plain.get("definition") if isinstance(plain, Mapping) else None
    if not isinstance(plain, Mapping) or not isinstance(given, Mapping):
        return plain
    try:
        text = json.dumps(given, ensure_ascii=False, separators=(",", ":"))
        return {**plain, "definition": _read(text)}
    except (NotPlain, TypeError, ValueError):
        return plain


@lru_cache(maxsize=KEPT)
def _read(text: str) -> InstrumentType:
    return InstrumentType.from_dict(json.loads(text))


_NAME, _NOTHING = b'"definition":', b"null"
_HEAD = 2048


class Shelf:
    """Definitions by the bytes they begin with: most of a stored input need not be parsed again."""

    def __init__(self) -> None:
        """Begin with none."""
        self._texts: dict[bytes, dict[bytes, InstrumentType]] = {}

    def put(self, definition: InstrumentType) -> None:
        """Keep a definition."""
        if len(self._texts) > KEPT:
            self._texts.clear()
        text = settled(definition).text.encode()
        self._texts.setdefault(text[:_HEAD], {})[text] = settled(definition).definition

    def take_out(self, content: bytes) -> tuple[bytes, InstrumentType] | None:
        """Return stored bytes with null for a definition that is kept, and that definition.

        The caller compares what it has read with the bytes: a definition may be named anywhere.
        """
        at = content.find(_NAME) + len(_NAME)
        for text, definition in self._texts.get(content[at : at + _HEAD], {}).items():
            if content.startswith(text, at):
                return content[:at] + _NOTHING + content[at + len(text) :], definition
        return None
