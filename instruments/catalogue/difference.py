"""What changed between two definitions of an instrument type, figure by figure.

What stands in a list is compared with what bears the same name, not with what stands at the same
number, so that a line put in between changes nothing else. Knows no file, language or database;
what each key means to a reader is said in `api.type_words`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

from instruments.procedure import InstrumentType, Limit
from instruments.quantities import QUANTITIES
from instruments.text import LocalizedText

Change = Literal["added", "removed", "changed"]
Where = tuple[LocalizedText, ...]
_NOT_COMPARED = ("schema", "id", "version")
"""What a definition is called; everything else is what it says."""
_ABSENT: tuple[object, ...] = (None, "", (), {})


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that one definition says otherwise than the other."""

    place: tuple[str, ...]
    """Keys from the outermost in; what stands in a list by its name, not its number:
    ``("measurands", "temperature", "components", "d_bath", "half_width")``."""
    where: Where
    """Names of what encloses it, for a reader: the measurand, then the component or limit."""
    old: Any
    """As the first definition holds it: text, number, words, a tuple of texts, or a whole part
    (a `Component`, a `Limit`); None: it has no such thing."""
    new: Any
    """The same of the second definition."""

    @property
    def change(self) -> Change:
        """Answer whether it came, went or became another."""
        if self.old in _ABSENT:
            return "added"
        return "removed" if self.new in _ABSENT else "changed"

    @property
    def key(self) -> str:
        """Return the key that differs, or the list a whole part was put in or taken out of."""
        return self.place[-2] if self.is_part else self.place[-1]

    @property
    def is_part(self) -> bool:
        """Answer whether a whole part came or went: a measurand, a component, a limit."""
        given = self.old if self.new in _ABSENT else self.new
        return is_dataclass(given) and not isinstance(given, LocalizedText) and len(self.place) > 1

    @property
    def measurand(self) -> str:
        """Return the id of the measurand it belongs to; empty: the type as a whole."""
        return self.place[1] if self.place[0] == "measurands" else ""


def differences(old: InstrumentType, new: InstrumentType) -> tuple[Difference, ...]:
    """Return everything `new` says otherwise than `old`, in the order of the definition.

    A part that only one of them has (a component, a limit, a measurand) is one difference; a part
    that both have gives one for each of its keys that differs. Limits have no name: those for the
    same range and kind of item belong together, then those that share one end of it. Id, version
    and format are not compared. Empty: both say the same.
    """
    return tuple(_Comparison(new).of(old, new, (), ()))


@dataclass(frozen=True, slots=True)
class _Comparison:
    """One walk over two definitions; `type` lends the names of variants."""

    type: InstrumentType

    def of(self, old: Any, new: Any, place: tuple[str, ...], where: Where) -> Iterator[Difference]:
        if old == new or (old in _ABSENT and new in _ABSENT):
            return
        if _is_parts(old) or _is_parts(new):
            yield from self.parts(old or (), new or (), place, where)
        elif isinstance(old, Mapping) and isinstance(new, Mapping) and place[-1] != "when":
            for key in dict.fromkeys([*old, *new]):
                named = (*where, *self.named(new.get(key, old.get(key)), key))
                yield from self.of(old.get(key), new.get(key), (*place, key), named)
        elif _is_part(old) and type(old) is type(new):
            for field in fields(old):
                if place or field.name not in _NOT_COMPARED:
                    a, b = getattr(old, field.name), getattr(new, field.name)
                    yield from self.of(a, b, (*place, field.name), where)
        else:
            yield Difference(place, where, old, new)

    def parts(
        self, old: Sequence[Any], new: Sequence[Any], place: tuple[str, ...], where: Where
    ) -> Iterator[Difference]:
        pairs = _paired(old, new)
        for a, b in pairs:
            shown = a if b is None else b
            key = _name(shown)
            yield from self.of(a, b, (*place, key), (*where, *self.named(shown, key)))

    def named(self, part: Any, key: str) -> Where:
        """Return how a reader calls a part; nothing for a value that its key names already."""
        if isinstance(part, Limit):
            shown = [self.attribute(name, value) for name, value in part.when.items()]
            if ranged := _range_of(part):
                shown.insert(0, LocalizedText(en=ranged, zh=ranged))
            return (_joined(shown),) if shown else ()
        for name in ("name", "label"):
            words = getattr(part, name, None)
            if isinstance(words, LocalizedText):
                return (words,)
        if key in QUANTITIES:
            return (LocalizedText(en=QUANTITIES[key].en, zh=QUANTITIES[key].zh),)
        return (LocalizedText(en=key, zh=key),)

    def attribute(self, name: str, value: str) -> LocalizedText:
        plain = LocalizedText(en=f"{name} = {value}", zh=f"{name} = {value}")
        return self.type.variants.get(name, {}).get(value, plain)


def _is_part(value: object) -> bool:
    return is_dataclass(value) and not isinstance(value, LocalizedText)


def _is_parts(value: object) -> bool:
    return isinstance(value, tuple) and any(_is_part(item) for item in value)


def _joined(labels: Iterable[LocalizedText]) -> LocalizedText:
    many = tuple(labels)
    return LocalizedText(
        en=", ".join(label.text("en") for label in many),
        zh="，".join(label.text("zh") for label in many),
    )


def _name(part: Any) -> str:
    """Return the name of a part of a list, unique in it."""
    if isinstance(part, Limit):
        return "; ".join([_range_of(part), *(f"{k} = {v}" for k, v in part.when.items())])
    for name in ("id", "quantity"):
        if isinstance(given := getattr(part, name, None), str):
            return given
    return "; ".join(f"{k} = {v}" for k, v in part.when.items())


def _range_of(limit: Limit) -> str:
    """Return the range of a limit as an interval, e.g. ``[20, 200)``; empty: everywhere."""
    if limit.start is None and limit.end is None:
        return ""
    opening = "[" if limit.start is not None and limit.start_included else "("
    closing = "]" if limit.end is not None and limit.end_included else ")"
    counted = f" {limit.steps_of}" if limit.steps_of else ""
    return f"{opening}{limit.start or '-∞'}, {limit.end or '∞'}{closing}{counted}"


_ALIKE: tuple[Callable[[Any], object], ...] = (
    _name,
    lambda part: (_when(part), getattr(part, "start", part)),
    lambda part: (_when(part), getattr(part, "end", part)),
)
"""What makes two parts the same one, the surest first; only limits have more than a name."""


def _when(part: Any) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(part.when.items())) if isinstance(part, Limit) else ()


def _paired(old: Sequence[Any], new: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Return the parts that belong together, in the order of `new`, then what was taken out."""
    partner: dict[int, int] = {}
    left = list(range(len(old)))
    for alike in _ALIKE:
        for j, b in enumerate(new):
            if j in partner or (alike is not _name and not isinstance(b, Limit)):
                continue
            same = [i for i in left if alike(old[i]) == alike(b)]
            if same:
                partner[j] = same[0]
                left.remove(same[0])
    pairs = [(old[partner[j]] if j in partner else None, b) for j, b in enumerate(new)]
    return pairs + [(old[i], None) for i in left]
