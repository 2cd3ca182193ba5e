"""How people write the units of what they read: taken off a typed reading, never converted."""

from __future__ import annotations

from instruments.procedure import READ, InstrumentType
from instruments.quantities import QUANTITIES, UNITS

MORE = {
    "degC": ("℃", "C", "度", "摄氏度"),
    "degF": ("℉", "F", "华氏度"),
    "K": ("开",),
    "%RH": ("%", "RH"),
    "kPa": ("千帕",),
    "mmHg": ("毫米汞柱",),
    "mL": ("毫升", "cc"),
}
"""Beside symbol and id; a spelling stands for the first unit of the record that has it."""


def spellings(definition: InstrumentType) -> dict[str, list[str]]:
    """Return the units a reading of this type may be written with, those it is read in first."""
    read = [
        (quantity.unit, quantity.quantity or measurand.quantity)
        for measurand in definition.measurands
        for quantity in measurand.inputs.values()
        if quantity.source in READ
    ]
    others = (unit for _, kind in read if kind in QUANTITIES for unit in QUANTITIES[kind].units)
    names = dict.fromkeys([unit for unit, _ in read] + list(others))
    taken: set[str] = set()
    found: dict[str, list[str]] = {}
    for name in names:
        ways = [UNITS[name].symbol, name, *MORE.get(name, ())]
        found[name] = [way for way in dict.fromkeys(ways) if way not in taken]
        taken.update(ways)
    return found
