"""Checks of points and their series of readings: complete, in range, scatter as recorded.

Nothing is ever dropped here: what looks wrong is named with its figures, and a person decides.
Decimals have been read before (`decimals.check_decimals`). Single readings are looked at by
`readingchecks`. Knows nothing of arithmetic beyond the comparison of scatter with its record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator
from decimal import Decimal

import numpy as np
from scipy import special

from calib.engine.statistics import moments
from calib.evaluation.decimals import number
from calib.evaluation.inputs import CalibrationInput, PointInput, ReadingInput
from calib.evaluation.places import (
    facts_of,
    last_stages,
    numbers_of_pieces,
    rejected_by_examination,
)
from calib.evaluation.readingchecks import behind, check_readings
from instruments.choosing import holds, points_for, readings_for, users_of
from instruments.errors import Finding
from instruments.procedure import READ, Measurand

Quiet = Container[tuple[int, str]]
"""Series as the place of their point in the record and their input."""
FALSE_ALARM = 0.01
"""Level at which a scatter is called larger than the method's record."""


def check_points(record: CalibrationInput, quiet: Quiet = frozenset()) -> Iterator[Finding]:
    """Find what is missing, misplaced or implausible among the points and readings.

    Series known to be `quiet` are not looked at reading by reading.
    """
    yield from _complete(record)
    known = {measurand.id: measurand for measurand in record.definition.measurands}
    seen: Counter[str] = Counter(point.key for point in record.points)
    for i, point in enumerate(record.points):
        if seen[point.key] > 1:
            yield Finding(
                "point-duplicate",
                "The point {key} stands {times} times in the record. Name each visit.",
                at=f"/points/{point.key}",
                facts={"key": point.key, "times": seen[point.key]},
            )
        measurand = known.get(point.measurand)
        if measurand is None:
            yield Finding(
                "measurand-unknown",
                "The type has no measurand {measurand} (it has: {known}). Remove the point.",
                at=f"/points/{point.key}",
                facts={"measurand": point.measurand, "known": ", ".join(known)},
            )
            continue
        if measurand.same_readings_as:
            yield _entered_twice(measurand, point)
            continue
        if not holds(measurand.when, record.item.attributes):
            yield _not_of_item(record, measurand, point)
            continue
        yield from _place(record, measurand, point)
        yield from _series(
            record, measurand, point, {n for n in measurand.inputs if (i, n) in quiet}
        )
        for one in users_of(record.definition, measurand):
            yield from _moments(one, point)


def _complete(record: CalibrationInput) -> Iterator[Finding]:
    """Each measurand has its minimum of different points in the last stage of every piece.

    What an examination rejects need not be measured.
    """
    rejected = rejected_by_examination(record)
    pieces = [piece for piece in numbers_of_pieces(record) if piece not in rejected]
    last = last_stages(record)
    found: dict[tuple[str, int], set[Decimal]] = {}
    for point in record.points:
        if point.stage == last[point.measurand, point.piece]:
            visited = found.setdefault((point.measurand, point.piece), set())
            visited.add(Decimal(point.nominal))
    for measurand in record.definition.measurands:
        has_it = holds(measurand.when, record.item.attributes)
        if measurand.same_readings_as or not has_it:
            continue
        if measurand.optional and not any(p.measurand == measurand.id for p in record.points):
            continue
        for piece in pieces:
            count = len(found.get((measurand.id, piece), ()))
            if count < measurand.points.minimum:
                yield Finding(
                    "points-missing",
                    "{measurand} of piece {piece} has {count} different points, at least"
                    " {minimum} are needed (usual: {default}). Measure the missing ones.",
                    at=f"/points/{measurand.id}/{piece}",
                    facts={
                        "measurand": measurand.id,
                        "piece": piece,
                        "count": count,
                        "minimum": measurand.points.minimum,
                        "default": ", ".join(
                            points_for(record.definition, measurand, record.item.attributes)
                        ),
                    },
                )


def _not_of_item(record: CalibrationInput, measurand: Measurand, point: PointInput) -> Finding:
    wanted = ", ".join(f"{name} = {value}" for name, value in measurand.when.items())
    given = ", ".join(f"{n} = {record.item.attributes.get(n, '')}" for n in measurand.when)
    return Finding(
        "measurand-not-of-item",
        "{measurand} is measured on items with {wanted}; this one has {given}. Remove the point, or"
        " correct the attributes of the model.",
        at=f"/points/{point.key}",
        facts={"measurand": measurand.id, "wanted": wanted, "given": given},
    )


def _entered_twice(measurand: Measurand, point: PointInput) -> Finding:
    return Finding(
        "readings-shared",
        "{measurand} is computed from the readings of {source} and has no points of its own."
        " Remove the point.",
        at=f"/points/{point.key}",
        facts={"measurand": measurand.id, "source": measurand.same_readings_as},
    )


def _moments(measurand: Measurand, point: PointInput) -> Iterator[Finding]:
    """Find positions that were not read together at every moment, where that is needed."""
    for name, quantity in measurand.inputs.items():
        counts = {of: len(point.readings.get(of, ())) for of in quantity.of}
        if quantity.over == "positions" and 0 < min(counts.values()) < max(counts.values()):
            few = min(counts, key=lambda of: counts[of])
            yield Finding(
                "positions-unequal",
                "At {nominal} {unit} the positions were read {most} times, but {input} {least}"
                " times: they belong together moment by moment. Enter the missing readings, or"
                " take the others of that moment out.",
                at=f"/points/{point.key}/readings/{few}",
                facts={
                    **facts_of(point, measurand),
                    "input": few,
                    "least": counts[few],
                    "most": max(counts.values()),
                    "derived": name,
                },
            )


def _place(record: CalibrationInput, measurand: Measurand, point: PointInput) -> Iterator[Finding]:
    """Stage, piece and nominal value belong to the type."""
    at, facts = f"/points/{point.key}", facts_of(point, measurand)
    if point.stage not in record.definition.stages:
        yield Finding(
            "stage-not-allowed",
            "The type {type} has no stage {stage}: its instruments cannot be adjusted. Enter the"
            " point as {known}.",
            at=at,
            facts={
                **facts,
                "type": record.definition.id,
                "known": ", ".join(record.definition.stages),
            },
        )
    pieces = len(record.item.pieces)
    if not (1 <= point.piece <= pieces if pieces else point.piece == 0) or (
        pieces and not record.definition.batch
    ):
        yield Finding(
            "piece-unknown",
            "There is no piece {piece} in this record: it has {pieces} pieces. Only a type that"
            " comes in batches has numbered pieces.",
            at=at,
            facts={**facts, "pieces": pieces},
        )
    low, high = measurand.points.low, measurand.points.high
    nominal = Decimal(point.nominal)
    if (low is not None and nominal < Decimal(low)) or (
        high is not None and nominal > Decimal(high)
    ):
        yield Finding(
            "point-out-of-range",
            "The point {nominal} {unit} is outside {low} ... {high} {unit}, the range of the"
            " method. Choose a point inside.",
            at=at,
            facts={**facts, "low": low or "-∞", "high": high or "∞"},
        )


def _series(
    record: CalibrationInput, measurand: Measurand, point: PointInput, quiet: Container[str]
) -> Iterator[Finding]:
    """Every input read as often as the type wants; each series looked at by itself."""
    read = [name for name, quantity in measurand.inputs.items() if quantity.source in READ]
    for name in point.readings:
        if name not in read:
            yield Finding(
                "input-unknown",
                "{input} is not read at a point of {measurand} (read are: {known}). Remove the"
                " readings.",
                at=f"/points/{point.key}/readings/{name}",
                facts={
                    **facts_of(point, measurand), "input": name, "known": ", ".join(read)
                },
            )  # fmt: skip
    for name in read:
        series = point.readings.get(name, ())
        wanted = readings_for(measurand, name, record.item.attributes)
        facts = {
            **facts_of(point, measurand),
            "input": name,
            "count": len(series),
            "wanted": wanted,
        }
        at = f"/points/{point.key}/readings/{name}"
        if not series:
            yield Finding(
                "readings-missing",
                "{input} was not read at {nominal} {unit} ({stage}, piece {piece}). Enter its"
                " readings.",
                at=at,
                facts=facts,
            )
            continue
        if len(series) < wanted:
            yield Finding(
                "readings-few",
                "{input} has {count} readings at {nominal} {unit}, the method takes {wanted}."
                " Take more, or accept this as a deviation from the method.",
                "warning",
                at,
                facts,
                "ISO/IEC 17025:2017 7.8.2.1 (n)",
            )
        if name not in quiet:
            yield from check_readings(record, measurand, point, name)
        for one in users_of(record.definition, measurand):
            yield from _scatter(one, name, series, at, facts)


def _scatter(
    measurand: Measurand,
    name: str,
    series: tuple[ReadingInput, ...],
    at: str,
    facts: dict[str, object],
) -> Iterator[Finding]:
    """Find a single reading without recorded repeatability, and a record no longer true."""
    for component in measurand.components:
        seen_here = component.evaluate == "A" and not component.scatter_of
        if not seen_here or name not in behind(measurand, component.input):
            continue
        pooled = component.pooled
        if len(series) < 2 and (pooled is None or pooled.below < 2):
            yield Finding(
                "repeatability-unknown",
                "{input} has one reading at {nominal} {unit}, and the type has no recorded"
                " repeatability: its scatter is unknown and counts as zero. Take at least two"
                " readings, or accept this.",
                "warning",
                at,
                facts,
            )
        elif pooled is not None and 2 <= len(series) < pooled.below:
            mean, s = (float(x) for x in moments([number(r.value) for r in series])[:2])
            recorded = number(pooled.s) * (abs(mean) if pooled.relative else 1.0)
            ratio = special.fdtri(len(series) - 1, number(pooled.dof), 1 - FALSE_ALARM)
            if s > recorded * float(np.sqrt(ratio)):
                yield Finding(
                    "scatter-above-record",
                    "The readings of {input} at {nominal} {unit} scatter by s = {s}, more than"
                    " the recorded {recorded} explains. Repeat the point, or accept that the"
                    " recorded repeatability is used.",
                    "warning",
                    at,
                    {**facts, "s": f"{s:.3g}", "recorded": f"{recorded:.3g}"},
                )
