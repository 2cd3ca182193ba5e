"""Input quantities of a ``propagate`` task: values, readings, distributions, correlations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calib.engine.correlations import correlation_matrix, estimate_correlations
from calib.engine.dimensions import Unit
from calib.engine.distributions import PARAMETERS, Distribution, describe
from calib.engine.grammar import check_name
from calib.engine.sampling import Variable
from calib.engine.statistics import evaluate_bessel
from calib.engine.types import Estimate
from calib.evaluation.tasks.correlations import read_correlations
from calib.evaluation.tasks.reader import (
    Fields,
    TaskRefused,
    join,
    place,
    read_list,
    read_numbers,
    read_word,
)
from calib.evaluation.tasks.units import read_unit

KEYS = ("value", "u", "U", "k", "dof", "readings", "distribution", "unit")
MAX_INPUTS = 200
_SAME = 1e-9


@dataclass(slots=True)
class Inputs:
    """What a task says about its input quantities."""

    estimates: dict[str, Estimate] = field(default_factory=dict)
    readings: dict[str, list[float]] = field(default_factory=dict)
    distributions: dict[str, Distribution] = field(default_factory=dict)
    parameters: dict[str, dict[str, float]] = field(default_factory=dict)
    correlations: list[tuple[str, str, float]] = field(default_factory=list)
    groups: list[list[str]] = field(default_factory=list)
    units: dict[str, Unit] = field(default_factory=dict)
    unsaid: list[str] = field(default_factory=list)

    @property
    def remarks(self) -> list[str]:
        """What was taken for granted: inputs that count as exact though nobody said so."""
        exact = (name for name in self.unsaid if self.estimates[name].u == 0)
        return [f"{n} was given without an uncertainty and counts as exact." for n in exact]

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Correlation matrix in the order of the inputs."""
        with place("correlations"):
            return correlation_matrix(list(self.estimates), self.correlations)

    @property
    def variables(self) -> dict[str, Variable]:
        """Inputs as they are drawn."""
        out = {}
        for name, estimate in self.estimates.items():
            with place(join("inputs", name)):
                given = self.distributions.get(name)
                numbers = self.parameters.get(name, {})
                out[name] = Variable(estimate, given.name if given else None, numbers)
        return out

    @property
    def tied(self) -> list[list[int]]:
        """Places of the inputs taken together."""
        names = list(self.estimates)
        return [[names.index(n) for n in group] for group in self.groups]

    @property
    def flat(self) -> NDArray[np.bool_]:
        """Which inputs are rectangular."""
        return np.array(
            [
                n in self.distributions and self.distributions[n].half_width is not None
                for n in self.estimates
            ]
        )


def read_inputs(fields: Fields) -> Inputs:
    """Read inputs, correlations and groups of readings taken together.

    Raises
    ------
    TaskRefused
        Any of them cannot be read.
    """
    given = fields.need("inputs")
    if not isinstance(given, Mapping) or len(given) > MAX_INPUTS:
        msg = f"inputs must be an object of at most {MAX_INPUTS} input quantities."
        raise TaskRefused("bad-value", msg, "inputs")
    out = Inputs()
    for name, what in given.items():
        with place(join("inputs", str(name)[:60])):
            check_name(str(name))
            one = Fields(what, join("inputs", name), KEYS)
            if one.has("unit"):
                out.units[name] = read_unit(one.get("unit"), one.place("unit"))
            out.estimates[name] = _estimate(name, one, out)
    out.correlations += read_correlations(fields, out.estimates)
    if fields.has("simultaneous"):
        _take_together(out, fields)
    return out


def _estimate(name: str, one: Fields, out: Inputs) -> Estimate:
    """One input in whichever of its forms."""
    forms = [k for k in ("u", "U", "readings", "distribution") if one.has(k)]
    if len(forms) > 1:
        raise TaskRefused("bad-task", f"Give only one of {', '.join(forms)}.", one.at)
    if one.has("k") != one.has("U"):
        raise TaskRefused("bad-task", "U and k belong together.", one.at)
    form = forms[0] if forms else "u"
    if not forms:
        out.unsaid.append(name)
    if form == "readings":
        return _from_readings(name, one, out)
    if form == "distribution":
        return _from_distribution(name, one, out)
    u = one.number("u", 0.0)
    if form == "U":
        k = one.number("k")
        if k <= 0:
            raise TaskRefused("bad-number", "k must be positive.", one.place("k"))
        u = one.number("U") / k
    return Estimate(one.number("value"), u, one.number("dof", math.inf))


def _from_readings(name: str, one: Fields, out: Inputs) -> Estimate:
    if one.has("value") or one.has("dof"):
        raise TaskRefused("bad-task", "Readings give value and dof themselves.", one.at)
    readings = read_numbers(one.get("readings"), one.place("readings"))
    found = evaluate_bessel(readings)
    out.readings[name] = readings
    return Estimate(found.mean, found.u, found.dof)


def _from_distribution(name: str, one: Fields, out: Inputs) -> Estimate:
    given = one.get("distribution")
    at = one.place("distribution")
    if isinstance(given, str):
        known = given if given in PARAMETERS else "rectangular"
        written = ", ".join((f'"name": "{known}"', *(f'"{k}": ...' for k in PARAMETERS[known])))
        raise TaskRefused("bad-value", f"{at} must be an object: write {{{written}}}.", at)
    title = given.get("name") if isinstance(given, Mapping) else None
    kind = read_word(title, join(at, "name"), tuple(PARAMETERS))
    parameters = Fields(given, at, ("name", *PARAMETERS[kind]))
    numbers = {k: parameters.number(k) for k in PARAMETERS[kind] if parameters.has(k)}
    found = describe(kind, numbers)
    out.distributions[name] = found
    out.parameters[name] = numbers
    value = one.maybe_number("value")
    if value is None:
        if found.mean is None:
            one.need("value")
        value = found.mean if found.mean is not None else 0.0
    elif found.mean is not None and abs(value - found.mean) > _SAME * (abs(value) + found.u):
        msg = f"The distribution has its centre at {found.mean}, the value says {value}."
        raise TaskRefused("bad-value", msg, one.place("value"))
    return Estimate(value, found.u, one.number("dof", found.dof))


def _take_together(out: Inputs, fields: Fields) -> None:
    """Estimate covariances of readings taken together."""
    given = read_list(fields.get("simultaneous"), "simultaneous")
    groups = [given] if all(isinstance(n, str) for n in given) else given
    seen: set[str] = set()
    for i, group in enumerate(groups):
        at = join("simultaneous", i)
        names = [str(n) for n in read_list(group, at, 2)]
        if seen & set(names) or len(set(names)) != len(names):
            raise TaskRefused("bad-value", "An input is named twice.", at)
        seen |= set(names)
        if any(n not in out.readings for n in names):
            raise TaskRefused("bad-value", "Inputs taken together need readings each.", at)
        if len({len(out.readings[n]) for n in names}) != 1:
            raise TaskRefused("bad-value", "They need equally many readings each.", at)
        r = estimate_correlations([out.readings[n] for n in names])[2]
        out.correlations += [
            (a, b, float(r[j, k]))
            for j, a in enumerate(names)
            for k, b in enumerate(names)
            if j < k and r[j, k] != 0
        ]
        out.groups.append(names)
