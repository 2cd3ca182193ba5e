"""What a set of readings would give: the outputs of all measurands that share them, as arrays.

The same arithmetic as the evaluation's, on doubles and over many records at once, without budget or
rounding: readings have the shape (rows, readings), a row being one point of one record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calib.engine.expression import Expression, parse
from calib.evaluation.decimals import number
from calib.evaluation.derived import take_reference, take_statistic
from calib.evaluation.inputs import StandardInput
from instruments.choosing import attribute
from instruments.procedure import READ, InputQuantity, InstrumentType, Measurand

FloatArray = NDArray[np.float64]
Readings = Mapping[str, FloatArray]
"""By input that is read, of shape (rows, readings)."""


@dataclass(frozen=True, slots=True)
class Given:
    """What is known of each row besides its readings."""

    nominal: FloatArray
    others: Mapping[str, FloatArray]
    """Conditions and rated values, by input."""


@dataclass(frozen=True, slots=True)
class Sides:
    """The two sides a measurand compares, and what it reports; arrays of shape (rows,)."""

    output: FloatArray
    reference: FloatArray | None


@dataclass(slots=True)
class Group:
    """A measurand with readings of its own, and those that use them too."""

    definition: InstrumentType
    root: Measurand
    users: tuple[Measurand, ...]
    """The root itself first."""
    attributes: Mapping[str, str]
    standards: dict[str, StandardInput] = field(default_factory=dict)
    """By input that is read on one; empty: without corrections."""
    _functions: dict[str, Expression] = field(default_factory=dict)

    @property
    def read(self) -> tuple[str, ...]:
        """Return the inputs that a person reads."""
        return tuple(n for n, q in self.root.inputs.items() if q.source in READ)

    def values(self, user: Measurand, given: Given, readings: Readings) -> dict[str, FloatArray]:
        """Return every name of the function of one measurand."""
        rows = len(given.nominal)
        own = {n: readings[n] for n, q in user.inputs.items() if q.source in READ}
        means = {n: x.mean(axis=1) for n, x in own.items()}
        plain, behind = self._corrections(user, means)
        found = {c.input: np.zeros(rows) for c in user.components} | means
        for name, quantity in user.inputs.items():
            if quantity.source == "nominal":
                found[name] = given.nominal
            elif quantity.source in ("condition", "rating"):
                found[name] = given.others[name]
        found = {n: x + plain[n] if n in plain else x for n, x in found.items()}
        for name, quantity in user.inputs.items():
            if quantity.source != "derived":
                continue
            more = {of: plain[of] for of in quantity.of if of in plain} | behind.get(name, {})
            if quantity.statistic:
                block = [own[n] + (more[n][:, None] if n in more else 0.0) for n in quantity.of]
                found[name] = take_statistic(block, quantity.statistic, quantity.over)
            else:
                found[name] = self._of_means(quantity, found)
        return found

    def sides(self, user: Measurand, given: Given, readings: Readings) -> Sides:
        """Return output and reference of one measurand."""
        values = self.values(user, given, readings)
        function = self._function(user)
        output = function.value({n: values[n] for n in function.names})
        output = np.broadcast_to(
            -output if user.output == "correction" else output, values_shape(given)
        )
        name = self.reference(user)
        if name is None:
            return Sides(output, None)
        reference = values[name]
        for component in user.components:
            on = component.input
            corrects = component.evaluate == "certificate" and component.of is None
            if corrects and on not in user.inputs and self._only_standard(user) == name:
                reference = reference + values[on]
        return Sides(output, reference)

    def reference(self, user: Measurand) -> str | None:
        """Return the input that holds the true value at the point; None where none does."""
        if user.output == "value" or any(
            q.source == "nominal" for one in self.users for q in one.inputs.values()
        ):
            return None
        name = user.reference or self._only_standard(user)
        found = user.inputs.get(name or "")
        return name if found is not None and found.unit == user.unit else None

    def _only_standard(self, user: Measurand) -> str | None:
        names = [n for n, q in user.inputs.items() if q.source == "standard"]
        return names[0] if len(names) == 1 else None

    def _function(self, user: Measurand) -> Expression:
        if user.id not in self._functions:
            names = dict.fromkeys((*user.inputs, *(c.input for c in user.components)))
            self._functions[user.id] = parse(user.function, tuple(names))
        return self._functions[user.id]

    def _of_means(self, quantity: InputQuantity, found: Mapping[str, FloatArray]) -> FloatArray:
        """Return a function, given or published, of the means of its arguments."""
        if quantity.function:
            return parse(quantity.function, quantity.of).value({n: found[n] for n in quantity.of})
        parameters = {
            name: (attribute(self.definition, text[1:], self.attributes) or "")
            if text.startswith("@")
            else text
            for name, text in quantity.parameters.items()
        }
        return take_reference(quantity.reference, parameters, [found[n] for n in quantity.of])

    def _corrections(
        self, user: Measurand, means: Readings
    ) -> tuple[dict[str, FloatArray], dict[str, dict[str, FloatArray]]]:
        """Return corrections by name of the function, and by derived input and what is behind."""
        plain: dict[str, FloatArray] = {}
        behind: dict[str, dict[str, FloatArray]] = {}
        for component in user.components:
            if component.evaluate != "certificate" or not self.standards:
                continue
            if component.of is not None:
                behind[component.of] = {
                    n: self._correction(n, means[n])
                    for n in user.inputs[component.of].of
                    if n in self.standards
                }
                continue
            on = component.input if component.input in user.inputs else self._only_standard(user)
            if on in self.standards:
                plain[component.input] = self._correction(on, means[on])
        return plain, behind

    def _correction(self, name: str, at: FloatArray) -> FloatArray:
        """Interpolate the certificate; beyond its ends the last line holds."""
        rows = self.standards[name].values
        x = [number(row.indication) for row in rows]
        y = [number(row.reference) - number(row.indication) for row in rows]
        return np.interp(at, x, y)


def values_shape(given: Given) -> tuple[int]:
    """Return the shape that every array over rows has."""
    return (len(given.nominal),)
