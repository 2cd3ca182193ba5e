"""Measurement standards good enough for a type, where none are given: one of each kind it asks for.

Their certificates reach over all readings, with an uncertainty of a fifth of what matters there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from calib.evaluation.inputs import StandardInput, StandardValue
from calib.simulation.chance import Chance
from calib.simulation.design import Design
from calib.simulation.scatter import farthest, wanted_accuracy
from instruments.procedure import InstrumentType, StandardWanted
from instruments.quantities import QUANTITIES, UNITS
from instruments.text import LocalizedText

FloatArray = NDArray[np.float64]
_PART = 0.2
_LINES = 9
Kind = tuple[str, str, str]
"""Kind of standard, quantity, unit: one standard each."""


@dataclass(frozen=True, slots=True)
class Made:
    """A standard and what is read on it."""

    kind: str
    standard: StandardInput
    inputs: tuple[str, ...]
    """As ``measurand.input``."""


def make_standards(
    definition: InstrumentType, designs: Sequence[Design], calibrated_on: str, valid_until: str
) -> tuple[Made, ...]:
    """Return the standards that the readings of the designs are made on."""
    read: dict[Kind, list[tuple[Design, str]]] = {}
    for design in designs:
        for name in design.group.read:
            quantity = design.group.root.inputs[name]
            if quantity.source == "standard":
                measured = quantity.quantity or design.group.root.quantity
                kind = _kind(definition, f"{design.group.root.id}.{name}", measured)
                place = (kind.id if kind else measured, measured, quantity.unit)
                read.setdefault(place, []).append((design, name))
    kinds = {kind.id: kind for kind in definition.standards}
    several = [place[0] for place in read]
    return tuple(
        Made(
            place[0] if place[0] in kinds else "",
            _standard(place, kinds.get(place[0]), several.count(place[0]) > 1, found,
                      (calibrated_on, valid_until)),
            tuple(f"{design.group.root.id}.{name}" for design, name in found),
        )
        for place, found in read.items()
    )  # fmt: skip


def _kind(definition: InstrumentType, place: str, quantity: str) -> StandardWanted | None:
    named = [k for k in definition.standards if place in k.inputs]
    of_quantity = [k for k in definition.standards if not k.inputs and k.quantity == quantity]
    return next(iter((*named, *of_quantity)), None)


def _standard(
    place: Kind,
    kind: StandardWanted | None,
    told_apart: bool,  # noqa: FBT001 -- one of several of its kind
    found: Sequence[tuple[Design, str]],
    dates: tuple[str, str],
) -> StandardInput:
    id_, quantity, unit = place
    code = f"SIM-{id_.upper().replace('_', '-')}" + (f"-{unit}" if told_apart else "")
    words = kind.name if kind else LocalizedText(QUANTITIES[quantity].en, QUANTITIES[quantity].zh)
    name = LocalizedText(f"{words.en} (simulated)", f"{words.zh}（模拟）")
    beyond = max(farthest(design, name) for design, name in found)
    values = _lines(code, *_accuracies(found), beyond, shifted=UNITS[unit].offset != 0)
    return StandardInput(
        key=code,
        name=name,
        model="SIM",
        serial=code,
        quantity=quantity,
        unit=UNITS[unit].id,
        certificate_number=f"{code}-C",
        issuer="Simulated institute 模拟机构",
        calibrated_on=dates[0],
        valid_until=dates[1],
        values=values,
        low=values[0].indication,
        high=values[-1].indication,
    )


def _accuracies(found: Sequence[tuple[Design, str]]) -> tuple[FloatArray, FloatArray]:
    """Return the readings in their order, and the accuracy wanted of each."""
    x = np.concatenate([design.middle[name] for design, name in found])
    wanted = np.concatenate([wanted_accuracy(design, name) for design, name in found])
    rest = 1e-3 * np.maximum(np.abs(x), 0.1 * np.abs(x).max())
    known = np.isfinite(wanted)
    wanted = np.where(known, wanted, np.inf if known.any() else np.maximum(rest, 1e-6))
    order = np.argsort(x, kind="stable")
    return x[order], wanted[order]


def _wanted_at(x: float, readings: FloatArray, wanted: FloatArray) -> float:
    """Return the accuracy wanted at a reading; that of a smaller one grows in proportion."""
    size = np.where(readings == 0, np.inf, np.abs(readings))
    return float((wanted * np.maximum(1.0, np.abs(x) / size)).min())


def _lines(
    code: str, x: FloatArray, wanted: FloatArray, beyond: float, *, shifted: bool
) -> tuple[StandardValue, ...]:
    """Return a table a little wider than the readings, with corrections inside their U.

    `shifted`: the zero of the unit is no end of its scale.
    """
    margin = max(0.4 * float(x[-1] - x[0]), 0.12 * float(np.abs(x).max()), beyond)
    low, high = float(x[0]) - margin, float(x[-1]) + margin
    least = float(wanted[np.isfinite(wanted)].min())
    if not shifted and x[0] >= 0 > low:
        # what is never negative is calibrated from zero on, or from where zero still scatters
        low = 0.0 if x[0] > 0.5 * least else -4 * least
    inner = sorted(set(np.quantile(x, np.linspace(0, 1, _LINES - 2), method="nearest").tolist()))
    chance = Chance("standard", code)
    rows: dict[Decimal, StandardValue] = {}
    for at in (low, *inner, high):
        U = _one_digit(_PART * _wanted_at(at, x, wanted))
        grid = Decimal((0, (1,), U.adjusted() - 1))
        indication = Decimal(repr(at)).quantize(grid)
        error = U * Decimal(repr(round(chance.between(-0.4, 0.4), 2)))
        reference = (indication + error).quantize(grid)
        rows[indication] = StandardValue(f"{indication:f}", f"{reference:f}", f"{U:f}", "2")
    return tuple(rows[at] for at in sorted(rows))


def _one_digit(size: float) -> Decimal:
    place = math.floor(math.log10(size))
    return Decimal(max(1, math.floor(size / 10.0**place))).scaleb(place)


def on_inputs(made: Sequence[Made]) -> Mapping[str, StandardInput]:
    """Return the standard of each ``measurand.input``."""
    return {place: one.standard for one in made for place in one.inputs}
