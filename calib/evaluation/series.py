"""Readings into arrays: means, scatter and standards of one measurand over its points.

Everything after this is vectorised over points. Means are exact on the decimals; the certificate
of a standard is looked up at the mean. Knows nothing of budgets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from calib.engine.statistics import moments
from calib.evaluation.decimals import exact_mean, number
from calib.evaluation.inputs import CalibrationInput, PointInput, StandardInput
from calib.evaluation.standards import CertificateValues, read_certificate
from instruments.choosing import attribute
from instruments.errors import Refused
from instruments.procedure import READ, InputQuantity, InputSource, Measurand
from instruments.quantities import convert

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Series:
    """One input quantity at every point: arrays of shape (points,)."""

    mean: FloatArray
    s: FloatArray
    """Experimental standard deviation; 0 where there is one reading."""
    n: FloatArray


@dataclass(slots=True)
class Measured:
    """All readings of one measurand, its points in the order of the record."""

    measurand: Measurand
    points: tuple[PointInput, ...]
    series: dict[str, Series]
    """By declared input; a nominal input has n = 1."""
    _certificates: dict[str, CertificateValues] = field(default_factory=dict)

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

    def certificate(self, name: str, standards: dict[str, StandardInput]) -> CertificateValues:
        """Return the certificate's answer at the mean readings of input `name`."""
        if name not in self._certificates:
            self._certificates[name] = self._look_up(name, standards)
        return self._certificates[name]

    def _look_up(self, name: str, standards: dict[str, StandardInput]) -> CertificateValues:
        keys = [_standard_of(point, name) for point in self.points]
        shape = len(keys)
        out = CertificateValues(np.zeros(shape), np.zeros(shape), np.full(shape, math.inf))
        for key in dict.fromkeys(keys):
            if key is None or key not in standards:
                raise invalid_definition(
                    self.measurand, f"the certificate at {name} has no standard to look it up"
                )
            here = np.array([k == key for k in keys])
            found = read_certificate(standards[key], self.series[name].mean[here])
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


def arrange(record: CalibrationInput, measurand: Measurand) -> Measured:
    """Return the readings of one measurand as arrays over its points."""
    points = tuple(p for p in record.points if p.measurand == measurand.id)
    series: dict[str, Series] = {}
    # what was not measured on this item needs no conditions or rated values either
    for name, quantity in measurand.inputs.items() if points else ():
        if quantity.source in READ:
            series[name] = _series([[r.value for r in point.readings[name]] for point in points])
        elif quantity.source == "nominal":
            mean = np.array([number(point.nominal) for point in points])
            series[name] = Series(mean, np.zeros(len(points)), np.ones(len(points)))
        elif quantity.source != "derived":
            mean = np.full(len(points), given_value(record, measurand, quantity))
            series[name] = Series(mean, np.zeros(len(points)), np.ones(len(points)))
    return Measured(measurand, points, series)


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


def _series(texts: list[list[str]]) -> Series:
    """Means exactly from the decimals; scatter by groups of equal length, vectorised."""
    n = np.array([len(row) for row in texts])
    s = np.zeros(len(texts))
    for count in np.unique(n[n > 1]):
        here = n == count
        s[here] = moments(
            # sorted: the scatter, like the mean, must not depend on the order of the readings
            [sorted(map(number, row)) for row in texts if len(row) == count]
        )[1]
    return Series(np.array([exact_mean(row) for row in texts]), s, n.astype(np.float64))


def _standard_of(point: PointInput, name: str) -> str | None:
    """Return the standard an input was read on; a set value has that of its point."""
    read = (point.readings[name],) if name in point.readings else point.readings.values()
    keys = {reading.standard for series in read for reading in series} - {None}
    return keys.pop() if len(keys) == 1 else None
