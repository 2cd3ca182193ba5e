"""Frozen dataclasses to plain JSON values and back, strictly.

What is frozen today must be read in ten years, so nothing is guessed on the way back: an unknown
key, a missing key or a value of another kind is an error that names its place.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


class NotPlain(ValueError):
    """A value does not have the shape its dataclass declares; `at` is a JSON pointer."""

    def __init__(self, at: str, problem: str) -> None:
        """Keep the place and the problem."""
        self.at = at
        self.problem = problem
        super().__init__(f"{at or '/'}: {problem}")


_LATER = "added after the first release of the form"


def later(default: Any) -> Any:
    """Return a dataclass field that was added to a form already in use.

    At its default it stays out of the plain form, so that what was frozen before it was thought of
    keeps its bytes and its digest.
    """
    metadata = {_LATER: True}
    if isinstance(default, dict | list):
        return dataclasses.field(default_factory=type(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def is_later(field: dataclasses.Field[Any]) -> bool:
    """Answer whether a field was made by `later`."""
    return _LATER in field.metadata


def default_of(field: dataclasses.Field[Any]) -> Any:
    """Return what a field holds when nothing is given."""
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def to_plain(value: Any) -> Any:
    """Return dicts, lists and scalars for a frozen dataclass; fields at their default stay.

    Only those added `later` are left out at their default.
    """
    kind: Any = type(value)
    if kind in _SCALARS:
        return value
    if written_fields(kind) is not None:
        return {name: to_plain(held) for name, held in members(value).items()}
    if isinstance(value, Mapping):
        return {str(k): to_plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(v) for v in value]
    return value


def members(value: Any) -> dict[str, Any]:
    """Return what of a frozen dataclass is written, by the names of its fields."""
    kind: Any = type(value)
    held = ((name, getattr(value, name), absent) for name, absent in written_fields(kind) or ())
    return {name: one for name, one, absent in held if not absent or one != absent[0]}


_SCALARS = frozenset({str, int, float, bool, type(None)})


@functools.cache
def written_fields(kind: Any) -> tuple[tuple[str, tuple[Any, ...]], ...] | None:
    """Return the fields of a dataclass, each with the value at which it stays out, if any."""
    if not dataclasses.is_dataclass(kind):
        return None
    return tuple(
        (f.name, (default_of(f),) if is_later(f) else ()) for f in dataclasses.fields(kind)
    )


def from_plain(cls: type[T], value: object, at: str = "") -> T:
    """Return the dataclass `cls` that `value` describes.

    Raises
    ------
    NotPlain
        An unknown or missing key, or a value of the wrong kind; `at` names the place.
    """
    kind: Any = cls
    try:
        return typing.cast("T", _reader(kind)(value))
    except NotPlain as fault:
        raise NotPlain(f"{at}{fault.at}", fault.problem) from fault.__cause__


_Reader = Callable[[Any], Any]


@functools.cache
def _reader(kind: Any) -> _Reader:
    """Return what reads values of a declared kind; a fault is told from the value inward."""
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _reader_of_dataclass(kind)
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return _reader_of_optional(kind)
    if origin is typing.Literal:
        return _reader_of_word(typing.get_args(kind))
    if origin is tuple:
        return _reader_of_list(_reader(typing.get_args(kind)[0]))
    if origin is not None and issubclass(origin, Mapping):
        return _reader_of_mapping(_reader(typing.get_args(kind)[1]))
    if kind not in (str, int, float, bool):
        raise TypeError(f"{kind} is not a type a frozen value may have")
    return _reader_of_scalar(kind)


def _behind(step: object, fault: NotPlain) -> NotPlain:
    """Return the fault of a part with the step that leads to it."""
    return NotPlain(f"/{step}{fault.at}", fault.problem)


def _reader_of_word(words: tuple[Any, ...]) -> _Reader:
    def read(value: object) -> object:
        if value not in words or isinstance(value, bool):
            raise NotPlain("", f"got {value!r}, expected one of {words}")
        return value

    return read


def _reader_of_list(item: _Reader) -> _Reader:
    def read(value: object) -> object:
        if type(value) is not list and not isinstance(value, tuple | list):
            raise NotPlain("", f"got {type(value).__name__}, expected a list")
        parts: list[object] = []
        try:
            for one in value:
                parts.append(item(one))  # noqa: PERF401 -- their number is the place of a fault
        except NotPlain as fault:
            raise _behind(len(parts), fault) from fault.__cause__
        return tuple(parts)

    return read


def _reader_of_mapping(item: _Reader) -> _Reader:
    def read(value: object) -> object:
        if type(value) is not dict and not isinstance(value, Mapping):
            raise NotPlain("", f"got {type(value).__name__}, expected an object")
        parts: dict[str, object] = {}
        key: object = ""
        try:
            for key, one in value.items():
                parts[str(key)] = item(one)
        except NotPlain as fault:
            raise _behind(key, fault) from fault.__cause__
        return parts

    return read


def _reader_of_optional(kind: Any) -> _Reader:
    options = typing.get_args(kind)
    rest = [o for o in options if o is not type(None)]
    if len(rest) != 1:
        raise TypeError(f"{kind} is not a type a frozen value may have")
    inner, may_be_none = _reader(rest[0]), type(None) in options
    return lambda value: None if value is None and may_be_none else inner(value)


def _reader_of_scalar(kind: type) -> _Reader:
    def read(value: object) -> object:
        if type(value) is kind:
            return value
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        raise NotPlain("", f"got {type(value).__name__} {value!r}, expected {kind.__name__}")

    return read


def _reader_of_dataclass(cls: type) -> _Reader:
    hints = typing.get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls)}
    known = [(name, _reader(hints[name])) for name in fields]
    needed = {
        name
        for name, f in fields.items()
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    }

    def read(value: Any) -> object:
        if type(value) is cls:
            # a part that was read before
            return value
        _check_keys(value, fields)
        arguments: dict[str, object] = {}
        name = ""
        try:
            for name, reader in known:
                if name in value:
                    arguments[name] = reader(value[name])
                elif name in needed:
                    raise NotPlain("", "missing")
        except NotPlain as fault:
            raise _behind(name, fault) from fault.__cause__
        try:
            return cls(**arguments)
        except ValueError as problem:
            raise NotPlain("", str(problem)) from problem

    return read


def _check_keys(value: object, fields: Mapping[str, object]) -> None:
    if type(value) is not dict and not isinstance(value, Mapping):
        raise NotPlain("", f"got {type(value).__name__}, expected an object")
    if not value.keys() <= fields.keys():
        key = next(key for key in value if key not in fields)
        raise NotPlain(f"/{key}", f"unknown key; known are {', '.join(fields)}")
