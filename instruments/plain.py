"""Frozen dataclasses to plain JSON values and back, strictly.

What is frozen today must be read in ten years, so nothing is guessed on the way back: an unknown
key, a missing key or a value of another kind is an error that names its place.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
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
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        named = ((f, getattr(value, f.name)) for f in dataclasses.fields(value))
        return {f.name: to_plain(v) for f, v in named if not (is_later(f) and v == default_of(f))}
    if isinstance(value, Mapping):
        return {str(k): to_plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(v) for v in value]
    return value


def from_plain(cls: type[T], value: object, at: str = "") -> T:
    """Return the dataclass `cls` that `value` describes.

    Raises
    ------
    NotPlain
        An unknown or missing key, or a value of the wrong kind; `at` names the place.
    """
    return typing.cast("T", _read(cls, value, at))


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _read(kind: Any, value: object, at: str) -> object:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _read_dataclass(kind, value, at)
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return _read_optional(kind, value, at)
    if origin is typing.Literal:
        if value not in typing.get_args(kind) or isinstance(value, bool):
            raise NotPlain(at, f"got {value!r}, expected one of {typing.get_args(kind)}")
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise NotPlain(at, f"got {type(value).__name__}, expected a list")
        item = typing.get_args(kind)[0]
        return tuple(_read(item, v, f"{at}/{i}") for i, v in enumerate(value))
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise NotPlain(at, f"got {type(value).__name__}, expected an object")
        item = typing.get_args(kind)[1]
        return {str(k): _read(item, v, f"{at}/{k}") for k, v in value.items()}
    return _read_scalar(kind, value, at)


def _read_optional(kind: Any, value: object, at: str) -> object:
    options = typing.get_args(kind)
    if value is None and type(None) in options:
        return None
    rest = [o for o in options if o is not type(None)]
    if len(rest) != 1:
        raise TypeError(f"{kind} is not a type a frozen value may have")
    return _read(rest[0], value, at)


def _read_scalar(kind: Any, value: object, at: str) -> object:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind not in (str, int, float, bool):
        raise TypeError(f"{kind} is not a type a frozen value may have")
    if type(value) is not kind:
        raise NotPlain(at, f"got {type(value).__name__} {value!r}, expected {kind.__name__}")
    return value


def _read_dataclass(cls: type, value: object, at: str) -> object:
    if not isinstance(value, Mapping):
        raise NotPlain(at, f"got {type(value).__name__}, expected an object")
    fields = {f.name: f for f in dataclasses.fields(cls)}
    for key in value:
        if key not in fields:
            raise NotPlain(f"{at}/{key}", f"unknown key; known are {', '.join(fields)}")
    arguments: dict[str, object] = {}
    for name, f in fields.items():
        if name in value:
            arguments[name] = _read(_hints(cls)[name], value[name], f"{at}/{name}")
        elif f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise NotPlain(f"{at}/{name}", "missing")
    try:
        return cls(**arguments)
    except ValueError as problem:
        raise NotPlain(at, str(problem)) from problem
