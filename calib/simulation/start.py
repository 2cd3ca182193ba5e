"""Where the readings of a faultless item lie: a first guess for every input that is read.

The guess need not be right, only usable: what the type can tell is solved for afterwards. Knows no
type by name.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from calib.evaluation.decimals import number
from calib.evaluation.derived import take_reference
from calib.simulation.outputs import Group
from calib.simulation.usual import SIZES
from instruments.choosing import attribute
from instruments.procedure import InputQuantity

FloatArray = NDArray[np.float64]
INVERSES = {
    "iec60751_temperature": "iec60751_resistance",
    "iec60751_resistance": "iec60751_temperature",
    "thermocouple_temperature": "thermocouple_emf",
    "thermocouple_emf": "thermocouple_temperature",
}
OF_SURROUNDINGS = ("degC", "%RH")


def first_guess(
    group: Group,
    nominal: FloatArray,
    surroundings: Mapping[str, float],
    points_by_unit: Mapping[str, tuple[float, ...]],
) -> dict[str, FloatArray]:
    """Return one value per point for every input that is read.

    `surroundings` by unit; `points_by_unit` are the points of other measurands of the type.
    """
    by_reference = _by_reference(group, nominal)
    found: dict[str, FloatArray] = {}
    for name in group.read:
        quantity = group.root.inputs[name]
        if name in by_reference:
            found[name] = by_reference[name]
        elif _is_measured(group, quantity) and not is_aside(group, name):
            found[name] = nominal.copy()
        else:
            value = _aside(group, name, surroundings, points_by_unit)
            found[name] = np.full(len(nominal), value)
    return found


def is_aside(group: Group, name: str) -> bool:
    """Answer whether an input only corrects: no line of a budget stands on it."""
    root = group.root
    quantity = root.inputs[name]
    if root.output == "value" or (
        quantity.unit == root.unit and quantity.unit not in OF_SURROUNDINGS
    ):
        return False
    stands = {c.input for one in group.users for c in one.components}
    behind = [q for one in group.users for q in one.inputs.values() if name in q.of]
    if name in stands or any(q.statistic for q in behind):
        return False
    if quantity.source == "standard":
        alone = sum(q.source == "standard" for q in root.inputs.values()) == 1
        return bool(behind) and not alone
    return bool(behind) or root.indication not in ("", name)


def _is_measured(group: Group, quantity: InputQuantity) -> bool:
    root = group.root
    return quantity.unit == root.unit and (quantity.quantity or root.quantity) == root.quantity


def _by_reference(group: Group, nominal: FloatArray) -> dict[str, FloatArray]:
    """Return what is behind a published function: its inverse at the point, the rest at zero."""
    found: dict[str, FloatArray] = {}
    for user in group.users:
        for quantity in user.inputs.values():
            if not quantity.reference or quantity.reference not in INVERSES:
                continue
            parameters = {
                n: (attribute(group.definition, t[1:], group.attributes) or "")
                if t.startswith("@")
                else t
                for n, t in quantity.parameters.items()
            }
            first, *rest = quantity.of
            inverse = INVERSES[quantity.reference]
            found[first] = take_reference(inverse, parameters, [nominal])
            found |= {name: np.zeros(len(nominal)) for name in rest}
    return found


def _aside(
    group: Group,
    name: str,
    surroundings: Mapping[str, float],
    points_by_unit: Mapping[str, tuple[float, ...]],
) -> float:
    """Return a value for an input of which the point tells nothing."""
    root = group.root
    unit = root.inputs[name].unit
    alike = [n for n in group.read if root.inputs[n].unit == unit]
    points = points_by_unit.get(unit, ())
    if points and unit != root.unit:
        # several of one unit are spread over the range in their order; one lies in its middle
        if len(alike) > 1 and len(points) > 1:
            low, high = min(points), max(points)
            return low + (high - low) * alike.index(name) / (len(alike) - 1)
        return sorted(points)[(len(points) - 1) // 2]
    if unit in OF_SURROUNDINGS:
        return surroundings.get(unit, number(SIZES[unit]))
    stands = {c.input for one in group.users for c in one.components}
    if name not in stands and any(n in stands for n in alike):
        return 0.0  # a small correction beside what is read
    return number(SIZES.get(unit, "1"))


def spread_apart(group: Group, guess: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return the guess with inputs of one value drawn apart, the first highest."""
    count = len(group.read)
    return {name: guess[name] * (1 + 0.1 * (count - i)) for i, name in enumerate(group.read)}
