"""Changes single figures in the text of a type, so that comments and the order of keys stay.

A place is a JSON pointer into the text as it is written (``/measurands/0/points/readings``), before
``like`` and positions are spelled out. Knows no database and does not judge what the figures mean.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, MutableMapping, MutableSequence
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT

from instruments.errors import Invalid

NEW = "-"
"""How the last part of a place begins that means one more item at the end of the list: ``-``,
``-1``, ``-2`` in their order."""
Changes = Mapping[str, Any]
"""By place: text, whole number, truth, list or table; None takes the key or the item out."""


def changed(text: str, changes: Changes) -> str:
    """Return the text with the changes made.

    Raises
    ------
    Invalid
        The text is no TOML, or there is no such place in it.
    """
    try:
        document: Any = tomlkit.parse(text)
        wanted: Any = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, TOMLKitError, RecursionError, ValueError) as problem:
        raise Invalid(
            "method-text-broken",
            "The text is no TOML as it stands, so that single figures cannot be changed in it. "
            "Correct the whole text first.",
            at="/text",
        ) from problem
    for place in sorted(changes, key=_order):
        _change(wanted, place, changes[place], is_text=False)
        _change(document, place, changes[place], is_text=True)
    written = tomlkit.dumps(document)
    if _read(written) != wanted:
        raise Invalid(
            "method-change-by-hand",
            "These figures cannot be changed one by one in a text of this form. Change them in "
            "the whole text.",
            at=next(iter(sorted(changes)), ""),
        )
    return written


def _order(place: str) -> tuple[int, tuple[int, ...], str]:
    """Sort removals of items last, the last item first: the places of the others stay true."""
    parts = place.split("/")
    indexes = tuple(-int(part) for part in parts if part.isdecimal())
    return (1 if parts[-1].isdecimal() else 0), indexes if parts[-1].isdecimal() else (), place


def _read(text: str) -> Any:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _change(document: Any, place: str, value: Any, *, is_text: bool) -> None:
    parts = place.removeprefix("/").split("/")
    holder, last = document, parts[-1]
    if not last:
        raise _unknown(place)
    for index, part in enumerate(parts[:-1]):
        following = parts[index + 1]
        if following.startswith(NEW) and isinstance(holder, MutableMapping) and part not in holder:
            holder[part] = tomlkit.aot() if is_text else []
        holder = _step(holder, part, place)
    if isinstance(holder, MutableSequence):
        _change_list(holder, last, value, place)
    elif not isinstance(holder, MutableMapping):
        raise _unknown(place)
    elif value is None:
        holder.pop(last, None)
    elif last not in holder or holder[last] != value or isinstance(holder[last], bool):
        holder[last] = value


def _change_list(holder: Any, last: str, value: Any, place: str) -> None:
    if last.startswith(NEW):
        _append(holder, value)
        return
    index = _index(holder, last, place)
    if value is None:
        del holder[index]
    elif holder[index] != value:
        holder[index] = value


def _append(holder: Any, value: Any) -> None:
    if isinstance(holder, AoT):
        table = tomlkit.table()
        for key, item in value.items():
            table.add(key, _inline(item))
        table.add(tomlkit.nl())
        holder.append(table)
    else:
        holder.append(value)


def _inline(item: Any) -> Any:
    if not isinstance(item, Mapping):
        return item
    table = tomlkit.inline_table()
    table.update(item)
    return table


def _step(holder: Any, part: str, place: str) -> Any:
    if isinstance(holder, MutableMapping) and part in holder:
        return holder[part]
    if isinstance(holder, MutableSequence):
        return holder[_index(holder, part, place)]
    raise _unknown(place)


def _index(holder: Any, part: str, place: str) -> int:
    if not part.isdecimal() or int(part) >= len(holder):
        raise _unknown(place)
    return int(part)


def _unknown(place: str) -> Invalid:
    return Invalid(
        "method-figure-unknown",
        "There is no {place} in the text. Load the page again: somebody may have changed it.",
        at=place,
        facts={"place": place},
    )
