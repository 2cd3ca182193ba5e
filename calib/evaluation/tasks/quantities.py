"""Quantities of thermometer tasks: lists of readings and temperatures, and answers to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from calib.engine.errors import EngineError
from calib.engine.temperature.answers import ZERO_CELSIUS, Answer, FloatArray
from calib.evaluation.tasks.reader import Fields, TaskRefused, join, place

Found = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """The main quantity of a task: its key, its numbers, and what to add to have kelvin."""

    fields: Fields
    key: str
    numbers: FloatArray
    to_kelvin: float = 0.0

    @property
    def kelvin(self) -> FloatArray:
        """Temperatures in kelvin."""
        return self.numbers + self.to_kelvin

    @property
    def celsius(self) -> FloatArray:
        """Temperatures in degC."""
        return self.numbers if self.to_kelvin else self.numbers - ZERO_CELSIUS

    def beside(self, key: str, default: float | None = None) -> FloatArray:
        """Read a further quantity: one number, or as many as the main one has.

        Raises
        ------
        TaskRefused
            Missing without a default, or of another length.
        """
        if default is not None and not self.fields.has(key):
            return np.array([default])
        self.fields.need(key)
        numbers = np.atleast_1d(np.array(self.fields.number_or_list(key)))
        if len(numbers) not in {1, len(self.numbers)}:
            msg = f"{key} has {len(numbers)} values, {self.key} has {len(self.numbers)}."
            raise TaskRefused("bad-task", msg, key)
        return numbers

    @contextmanager
    def placed(self, *keys: str) -> Iterator[None]:
        """Give refusals of the engine the place of the number they name.

        Raises
        ------
        TaskRefused
            In place of any error of the engine; at the main quantity unless one of `keys` is
            named.
        """
        try:
            yield
        except EngineError as cause:
            name, index = cause.facts.get("name"), cause.facts.get("index")
            at = str(name) if name in keys else self.key
            listed = isinstance(self.fields.get(at), (list, tuple))
            with place(join(at, index) if listed and index is not None else at):
                raise

    def answer(self, found: Answer, unit: str, offset: float = 0.0) -> Found:
        """Give an answer as JSON has it; `offset` is taken off the values."""
        out: Found = {
            "values": (found.values - offset).tolist(),
            "unit": unit,
            "sensitivity": found.sensitivity.tolist(),
        }
        if found.aside:
            out["sensitivities"] = {name: c.tolist() for name, c in found.aside.items()}
        if self.fields.has("u"):
            u = self.beside("u")
            if (u < 0).any():
                raise TaskRefused("bad-number", "u must not be negative.", "u")
            out["u"] = (np.abs(found.sensitivity) * u).tolist()
        out["extrapolated"] = np.flatnonzero(found.extrapolated).tolist()
        return out


def read_quantity(fields: Fields, key: str) -> Quantity:
    """Read the main quantity, a number or a list."""
    fields.need(key)
    return Quantity(fields, key, np.atleast_1d(np.array(fields.number_or_list(key))))


def read_temperatures(fields: Fields) -> Quantity:
    """Read temperatures given as t in degC or T in K.

    Raises
    ------
    TaskRefused
        Both or none are given.
    """
    if fields.has("T") == fields.has("t"):
        msg = "Give temperatures as t in degC or as T in kelvin, one of them."
        raise TaskRefused("bad-task", msg, "t")
    key = "t" if fields.has("t") else "T"
    plain = read_quantity(fields, key)
    return Quantity(fields, key, plain.numbers, ZERO_CELSIUS if key == "t" else 0.0)


def read_coefficients(
    fields: Fields, names: Mapping[str, float | None], key: str = "coefficients"
) -> dict[str, float]:
    """Read an object of numbers; a name without a default is needed."""
    given = Fields(fields.need(key), key, tuple(names))
    return {name: given.number(name, default) for name, default in names.items()}
