"""How readings of a design scatter and to which steps they are read, from the components of a type.

Also how exact a reading of a standard has to be: all from the budget of a faultless item.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from calib.evaluation.budget import make_budgets
from calib.evaluation.decimals import number
from calib.evaluation.inputs import CalibrationInput, PointInput, ReadingInput
from calib.evaluation.series import arrange
from calib.evaluation.shared import with_shared
from calib.simulation.design import Design, Wish, peers
from calib.simulation.start import OF_SURROUNDINGS, is_aside
from calib.simulation.usual import power_of_ten
from instruments.choosing import resolution_for
from instruments.procedure import Component

FloatArray = NDArray[np.float64]
WIDE = 4.0
"""Standard uncertainties that stand for a limit where there is none."""
_LARGEST_PART = 0.05
"""No influence is read more roughly than this part of its largest reading."""
_WITH_RECORD, _QUIET, _LIVELY = 0.7, 0.1, 0.4
"""Scatter in parts of the recorded repeatability; else of the uncertainty without scatter, for
readings that the type does not expect to scatter and for those it does."""


def with_scatter(design: Design, record: CalibrationInput) -> Design:
    """Return the design with scatter and steps, from the components of the type."""
    u = {w.measurand: _without_scatter(design, record, w.measurand) for w in design.wishes}
    largest = max(float(np.abs(x).max()) for x in design.middle.values()) or 1.0
    wishes = tuple(
        w if w.is_reference else _with_width(w, u[w.measurand][0], largest) for w in design.wishes
    )
    sigma = {n: _sigma(design, u, n) for n in design.group.read}
    step = {n: _step(design, record, u, sigma[n], n) for n in design.group.read}
    narrowest = np.min([w.width for w in wishes if not w.is_reference], axis=0)
    apart = {
        n: np.minimum(2.0 * sigma[n] / _LIVELY, 0.15 * narrowest)
        if len(peers(design.group, n)) > 1
        else np.zeros(len(design.points))
        for n in design.group.read
    }
    return replace(design, wishes=wishes, sigma=sigma, step=step, apart=apart)


def _with_width(wish: Wish, u: FloatArray, largest: float) -> Wish:
    """Let the uncertainty stand for the limits where there are none."""
    limited = np.isfinite(wish.lower) | np.isfinite(wish.upper)
    wide = np.where(u > 0, WIDE * u, 1e-3 * largest)
    return replace(wish, width=np.where(limited, wish.width, wide))


def _felt(design: Design, name: str, wish: int) -> FloatArray:
    """Return how an output answers when all positions of an input move, each in its worst way."""
    together = peers(design.group, name)
    return np.asarray(np.sum([np.abs(design.slopes[n][:, wish]) for n in together], axis=0))


Uncertainty = tuple[FloatArray, dict[str, FloatArray]]
"""Of the output without the scatter of readings, and by the name a component stands on."""


def _without_scatter(design: Design, record: CalibrationInput, measurand: str) -> Uncertainty:
    users = {user.id: user for user in design.group.users}
    left_out = ("A",) if design.group.standards else ("A", "certificate")
    components = tuple(
        replace(c, evaluate="B", u="0", pooled=None, scatter_of="", of=None)
        if c.evaluate in left_out
        else c
        for c in users[measurand].components
    )
    points = len(design.points)
    if not components:
        return np.zeros(points), {}
    stripped = replace(users[measurand], components=components)
    whole = replace(record, points=_as_points(design))
    measured = arrange([with_shared(whole)], stripped)
    budgets = make_budgets(measured)
    by_input: dict[str, FloatArray] = {}
    for i, component in enumerate(components):
        by_input[component.input] = np.hypot(by_input.get(component.input, 0.0), budgets.u_input[i])
    return budgets.u, by_input


def _as_points(design: Design) -> tuple[PointInput, ...]:
    """Write the readings of a faultless item down, each twice, in more digits than any display."""
    keys = {f"{design.group.root.id}.{n}": s.key for n, s in design.group.standards.items()}
    return tuple(
        PointInput(
            key=f"{design.group.root.id}/as_found/0/{point}",
            measurand=design.group.root.id,
            stage="as_found",
            piece=0,
            nominal=point.partition("#")[0],
            readings={
                n: (ReadingInput(n, text, keys.get(f"{design.group.root.id}.{n}")),) * 2
                for n in design.group.read
                for text in (f"{Decimal(repr(float(design.middle[n][i]))):f}",)
            },
        )
        for i, point in enumerate(design.points)
    )


def _sigma(design: Design, u: Mapping[str, Uncertainty], name: str) -> FloatArray:
    """Return the scatter of single readings: as recorded, or a part of what else is uncertain."""
    middle = np.abs(design.middle[name])
    behind = {name} | {
        n
        for one in design.group.users
        for n, q in one.inputs.items()
        if name in q.of and q.statistic
    }
    seen = [c for one in design.group.users for c in one.components if _sees(c, behind)]
    for component in seen:
        if component.pooled is not None and component.input == name:
            s = number(component.pooled.s)
            return _WITH_RECORD * (
                s * middle if component.pooled.relative else np.full(len(middle), s)
            )
    part = _LIVELY if seen else _QUIET
    found = np.full(len(middle), np.inf)
    for i, wish in enumerate(design.wishes):
        if not wish.is_reference:
            # one of many positions moves their mean a little, and scatters no more for that
            slope = _felt(design, name, i)
            held = (slope > 0) & (u[wish.measurand][0] > 0)
            size = np.divide(
                u[wish.measurand][0], slope, out=np.full(len(slope), np.inf), where=held
            )
            found = np.minimum(found, part * size)
    own = [w[1][name] for w in u.values() if name in w[1]]
    if own and not seen:
        found = np.minimum(found, part * np.where(own[0] > 0, own[0], np.inf))
    scale = np.maximum(design.scale[name], 1e-9)
    return np.where(np.isfinite(found), np.maximum(found, 1e-8 * scale), 1e-4 * scale)


def _sees(component: Component, behind: set[str]) -> bool:
    return component.evaluate == "A" and not component.scatter_of and component.input in behind


def _step(
    design: Design,
    record: CalibrationInput,
    u: Mapping[str, Uncertainty],
    sigma: FloatArray,
    name: str,
) -> str:
    """Return the smallest step an input is read to."""
    root, quantity = design.group.root, design.group.root.inputs[name]
    if quantity.source == "item" and quantity.unit == root.unit:
        stated = resolution_for(root, record.item.resolution)
        if stated is not None:
            return stated
    if is_aside(design.group, name):
        size = float(np.abs(design.middle[name]).max()) or 1.0
        return power_of_ten(size / 100)
    own = [w[1][name] for w in u.values() if name in w[1] and w[1][name].any()]
    sizes = [float(x[x > 0].min()) for x in (*own, sigma) if (x > 0).any()]
    largest = max(float(np.abs(design.middle[name]).max()), 1e-3)
    standard = design.group.standards.get(name)
    worth = min(number(row.U) for row in standard.values) / 5 if standard else 0.0
    # no display has more than nine digits, nor many more than its certificate is good for
    return power_of_ten(max(0.5 * min(sizes), worth, largest * 1e-8))


def wanted_accuracy(design: Design, name: str) -> FloatArray:
    """Return how large an error of an input would matter at each point; infinite: any."""
    found = np.min(_sizes(design, name), axis=0, initial=np.inf)
    return np.asarray(found)


def farthest(design: Design, name: str) -> float:
    """Return how far the readings of a bad item may lie from those of a faultless one."""
    sizes = np.array(_sizes(design, name))
    # one position alone may have to go all the way
    count = len(peers(design.group, name))
    return 2.0 * count * float(sizes[np.isfinite(sizes)].max(initial=0.0))


def _sizes(design: Design, name: str) -> list[FloatArray]:
    """Return for each output what of the input makes a large difference in it."""
    found = [np.full(len(design.points), np.inf)]
    for i, wish in enumerate(design.wishes):
        if not wish.is_reference:
            slope = _felt(design, name, i)
            none = np.full(len(slope), np.inf)
            found.append(np.divide(wish.width, slope, out=none, where=slope > 0))
    root, quantity = design.group.root, design.group.root.inputs[name]
    other = (quantity.quantity or root.quantity) != root.quantity
    if not (other and quantity.source == "standard" and quantity.unit in OF_SURROUNDINGS):
        return found
    # what hardly matters to the result is not read on a ruler of rubber for that
    most = _LARGEST_PART * float(np.abs(design.middle[name]).max()) or np.inf
    return [np.where(np.isfinite(size), np.minimum(size, most), size) for size in found]
