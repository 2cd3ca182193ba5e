"""Readings into arrays: means, scatter and standards of one measurand over its points.

The points may be those of many records of one definition, record after record; everything after
this is vectorised over them. Means are exact on the decimals; the certificate of a standard is
looked up at the mean. Knows nothing of budgets.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from calib.engine.statistics import moments
from calib.evaluation.decimals import exact_means, numbers
from calib.evaluation.inputs import CalibrationInput, PointInput, StandardInput, StandardValue
from calib.evaluation.standards import CertificateValues, read_certificate
from instruments.choosing import attribute
from instruments.errors import Refused
from instruments.procedure import READ, InputQuantity, InputSource, Measurand
from instruments.quantities import convert

FloatArray = NDArray[np.float64]
Places = NDArray[np.intp]
_VALUE, _STANDARD = attrgetter("value"), attrgetter("standard")
_Table = tuple[tuple[StandardValue, ...], str | None, str | None]


@dataclass(frozen=True, slots=True)
class Series:
    """One input quantity at every point: arrays of shape (points,)."""

    mean: FloatArray
    s: FloatArray
    """Experimental standard deviation; 0 where there is one reading."""
    n: FloatArray


@dataclass(frozen=True, slots=True)
class Readings:
    """Every reading of one input, point after point."""

    values: FloatArray
    counts: Places
    """Readings at each point."""

    def block(self, places: Places) -> FloatArray:
        """Return the readings at points that have equally many, (places, readings)."""
        starts = (np.cumsum(self.counts) - self.counts)[places]
        taken = np.arange(self.counts[places[0]])
        return np.asarray(self.values[starts[:, None] + taken])


@dataclass(slots=True)
class Measured:
    """All readings of one measurand in some records, its points record after record."""

    measurand: Measurand
    records: tuple[CalibrationInput, ...]
    points: tuple[PointInput, ...]
    owners: Places
    """To which of the records each point belongs."""
    nominal: FloatArray
    readings: dict[str, Readings] = field(default_factory=dict)
    """By input that is read."""
    series: dict[str, Series] = field(default_factory=dict)
    """By declared input; a nominal input has n = 1."""
    _certificates: dict[str, CertificateValues] = field(default_factory=dict)

    def by_record(self) -> list[tuple[int, range]]:
        """Return the records that have points, each with the places of its points."""
        found, starts = np.unique(self.owners, return_index=True)
        ends = [*starts.tolist()[1:], len(self.owners)]
        return [
            (i, range(start, end))
            for i, start, end in zip(found.tolist(), starts.tolist(), ends, strict=True)
        ]

    def of_records(self, one: Callable[[CalibrationInput], float]) -> FloatArray:
        """Return at every point what is known of its record."""
        out = np.empty(len(self.points))
        for i, own in self.by_record():
            out[own.start : own.stop] = one(self.records[i])
        return out

    def only(self, source: InputSource) -> str | None:
        """Return the one input of this source; None unless there is exactly one."""
        names = [n for n, q in self.measurand.inputs.items() if q.source == source]
        return names[0] if len(names) == 1 else None

    def read_on_standard(self, name: str) -> str:
        """Return the input whose certificate a component on `name` means.

        Raises
        ------
        Refused
            `name` is an influence and the standard it belongs to is not the only one.
        """
        found = name if name in self.measurand.inputs else self.only("standard")
        if found is None:
            raise invalid_definition(
                self.measurand, f"the certificate at {name} could be that of several standards"
            )
        return found

    def certificate(self, name: str) -> CertificateValues:
        """Return the certificates' answer at the mean readings of input `name`."""
        if name not in self._certificates:
            self._certificates[name] = self._look_up(name)
        return self._certificates[name]

    def _look_up(self, name: str) -> CertificateValues:
        known = [{one.key: one for one in record.standards} for record in self.records]
        tables: dict[_Table, tuple[StandardInput, list[int]]] = {}
        places: dict[tuple[int, str | None], list[int]] = {}
        for i, (point, owner) in enumerate(zip(self.points, self.owners.tolist(), strict=True)):
            places.setdefault((owner, _standard_of(point, name)), []).append(i)
        for (owner, key), here in places.items():
            standard = known[owner].get(key or "")
            if standard is None:
                raise invalid_definition(
                    self.measurand, f"the certificate at {name} has no standard to look it up"
                )
            table = (standard.values, standard.low, standard.high)
            tables.setdefault(table, (standard, []))[1].extend(here)
        shape = len(self.points)
        out = CertificateValues(np.zeros(shape), np.zeros(shape), np.full(shape, math.inf))
        for standard, here in tables.values():
            found = read_certificate(standard, self.series[name].mean[here])
            out.correction[here], out.u[here], out.dof[here] = found.correction, found.u, found.dof
        return out


def invalid_definition(measurand: Measurand, problem: str) -> Refused:
    """Return the refusal of a type definition that cannot be evaluated."""
    return Refused(
        "definition-invalid",
        "The measurand {measurand} of the type cannot be evaluated: {problem}. Correct the type"
        " file and register its new version.",
        at=f"/definition/measurands/{measurand.id}",
        facts={"measurand": measurand.id, "problem": problem},
    )


def arrange(records: Sequence[CalibrationInput], measurand: Measurand) -> Measured:
    """Return the readings of one measurand as arrays over its points.

    What was not measured on an item needs no conditions or rated values either.
    """
    own = [[p for p in record.points if p.measurand == measurand.id] for record in records]
    points = tuple(chain.from_iterable(own))
    owners = np.repeat(np.arange(len(records)), [len(of_record) for of_record in own])
    nominal = numbers([point.nominal for point in points])
    measured = Measured(measurand, tuple(records), points, owners, nominal)
    for name, quantity in measurand.inputs.items() if points else ():
        if quantity.source in READ:
            measured.readings[name], measured.series[name] = _read(points, name)
        elif quantity.source == "nominal":
            measured.series[name] = _known(nominal)
        elif quantity.source != "derived":
            measured.series[name] = _known(_given(measured, quantity))
    return measured


def _given(measured: Measured, quantity: InputQuantity) -> FloatArray:
    return measured.of_records(lambda record: given_value(record, measured.measurand, quantity))


def _known(mean: FloatArray) -> Series:
    return Series(mean, np.zeros(len(mean)), np.ones(len(mean)))


def _read(points: Sequence[PointInput], name: str) -> tuple[Readings, Series]:
    """Means exactly from the decimals; scatter by groups of equal length."""
    texts = list(map(_VALUE, chain.from_iterable([point.readings[name] for point in points])))
    readings = Readings(numbers(texts), np.array([len(point.readings[name]) for point in points]))
    s = np.zeros(len(points))
    for count in np.unique(readings.counts[readings.counts > 1]):
        here = np.flatnonzero(readings.counts == count)
        # sorted: the scatter, like the mean, must not depend on the order of the readings
        s[here] = moments(np.sort(readings.block(here), axis=1))[1]
    mean = exact_means(texts, readings.counts)
    return readings, Series(mean, s, readings.counts.astype(np.float64))


def given_value(record: CalibrationInput, measurand: Measurand, quantity: InputQuantity) -> float:
    """Return the mean condition while measuring, or the rated value of the item.

    Raises
    ------
    Refused
        The record does not have it; the checks say so before.
    """
    (name,) = quantity.of
    if quantity.source == "rating":
        rating = record.definition.ratings[name]
        text = attribute(record.definition, name, record.item.attributes)
        texts = [] if text is None else [convert(Decimal(text), rating.unit, quantity.unit)]
    else:
        texts = [
            convert(Decimal(c.value), c.unit, quantity.unit)
            for c in record.conditions
            if c.quantity == name
        ]
    if not texts:
        raise invalid_definition(measurand, f"{name} of the {quantity.source} was not given")
    return float(sum(texts) / len(texts))


def _standard_of(point: PointInput, name: str) -> str | None:
    """Return the standard an input was read on; a set value has that of its point."""
    read = (point.readings[name],) if name in point.readings else point.readings.values()
    keys = set(map(_STANDARD, chain.from_iterable(read))) - {None}
    return keys.pop() if len(keys) == 1 else None
