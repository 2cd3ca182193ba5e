"""What the certificates of an instrument, or of a standard, say at each point over the years.

Figures are those that were printed; of a standard whose certificates do not name the same readings,
what the evaluation takes between their lines. One statement reads the certificates of an
instrument, however many there are. Knows no drawing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal

from sqlalchemy import exists, select

from calib.certificates.document import CertificateDocument, MeasurandWords
from calib.evaluation.result import PointResult
from calib.records.calibrations import Calibration
from calib.records.certificates import Certificate, CertificateEvent
from calib.services.standing import records_ordered_by
from instruments.context import Context
from instruments.procedure import Output
from instruments.services.certificate_entry import CertificateLine
from instruments.services.rows import own_customer
from instruments.services.standards import StandardCertificateView, StandardView
from instruments.text import LocalizedText

MOST = 60
"""Certificates of one instrument that are shown; the newest of them."""

Standing = Literal["issued", "superseded", "withdrawn"]


@dataclass(frozen=True, slots=True)
class OneResult:
    """The result at a point of one certificate."""

    certificate_id: int
    number: str
    on: date
    stage: str
    """``as_found`` or ``as_left``; empty for a standard."""
    standing: Standing
    value: str
    U: str
    """Empty: none was stated."""
    lower: str | None
    upper: str | None
    verdict: str
    is_simulated: bool = False
    is_between: bool = False
    """Taken between two lines of the certificate."""

    @property
    def counts(self) -> bool:
        """Answer whether the certificate still stands."""
        return self.standing == "issued"


@dataclass(frozen=True, slots=True)
class Change:
    """From one certificate to the next, what nobody adjusted."""

    since: date
    until: date
    by: str
    """With its sign."""
    U: str
    """Of both together; empty where one states none."""
    is_seen: bool
    """The change is larger than this U."""


@dataclass(frozen=True, slots=True)
class PointOverTime:
    """One point, oldest result first."""

    nominal: str
    results: tuple[OneResult, ...]

    @property
    def change(self) -> Change | None:
        """Return the newest change between two certificates that stand, None with only one."""
        standing = [one for one in self.results if one.counts]
        steps = [
            (before, after)
            for before, after in pairwise(standing)
            if before.certificate_id != after.certificate_id
        ]
        return _change(*steps[-1]) if steps else None


@dataclass(frozen=True, slots=True)
class OverTime:
    """One measurand over time."""

    id: str
    name: LocalizedText
    unit: str
    """Of the points."""
    output: Output
    output_unit: str
    points: tuple[PointOverTime, ...]


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What was adjusted between two stages of one piece of work."""

    certificate_id: int
    number: str
    on: date
    what: str


@dataclass(frozen=True, slots=True)
class History:
    """All that is known of an instrument over time."""

    measurands: tuple[OverTime, ...]
    adjustments: tuple[Adjustment, ...]
    is_cut: bool = False
    """There are more certificates than are shown."""


def instrument_over_time(ctx: Context, instrument_id: int) -> History:
    """Return every result the certificates of an instrument state, with what became of them.

    An owner sees what they ordered or were handed over; numbers never issued are nobody's results.
    """
    ctx.need("certificate.read")
    rows = _rows(ctx, instrument_id)
    told = [
        (row, CertificateDocument.from_dict(json.loads(row.payload)))
        for row in reversed(rows[:MOST])
    ]
    names: dict[str, MeasurandWords] = {}
    for _, document in told:
        names |= {p.measurand: document.measurement.measurand(p.measurand) for p in _of(document)}
    return History(
        tuple(_measurand(words, told) for words in names.values()),
        tuple(
            Adjustment(row.id, row.number, row.performed_on, row.adjustment)
            for row, document in told
            if row.adjustment or "as_left" in document.measurement.stages
        ),
        is_cut=len(rows) > MOST,
    )


def _rows(ctx: Context, instrument_id: int) -> Sequence[Any]:
    own = own_customer(ctx)
    happened = {
        event: exists().where(
            CertificateEvent.certificate_id == Certificate.id, CertificateEvent.event == event
        )
        for event in ("issued", "superseded", "withdrawn", "void")
    }
    mine = () if own is None else (Certificate.calibration_id.in_(records_ordered_by(own)),)
    return ctx.session.execute(
        select(
            Certificate.id,
            Certificate.number,
            Certificate.performed_on,
            Certificate.payload,
            Calibration.simulated,
            Calibration.adjustment,
            happened["superseded"].label("superseded"),
            happened["withdrawn"].label("withdrawn"),
        )
        .join(Calibration, Calibration.id == Certificate.calibration_id)
        .where(
            Certificate.instrument_id == instrument_id,
            happened["issued"],
            ~happened["void"],
            *mine,
        )
        .order_by(Certificate.performed_on.desc(), Certificate.id.desc())
        .limit(MOST + 1)
    ).all()


def _of(document: CertificateDocument) -> Iterable[PointResult]:
    """Return the points of the item itself, or of the first piece of a batch."""
    return (point for point in document.result.points if point.piece <= 1)


def _measurand(words: MeasurandWords, told: Sequence[tuple[Any, CertificateDocument]]) -> OverTime:
    found: dict[str, list[OneResult]] = {}
    for row, document in told:
        said = [point for point in _of(document) if point.measurand == words.id]
        for point in sorted(said, key=lambda p: p.stage):  # as found before as left
            is_correction = words.output == "correction"
            result = _result(row, point, is_correction=is_correction)
            found.setdefault(point.printed.nominal, []).append(result)
    return OverTime(
        words.id, words.name, words.unit, words.output, words.output_unit, _in_order(found)
    )


def _result(row: Any, point: PointResult, *, is_correction: bool) -> OneResult:
    printed = point.printed
    ends = (printed.lower, printed.upper)
    if is_correction:  # limits are of the error
        ends = (_turned(printed.upper), _turned(printed.lower))
    return OneResult(
        certificate_id=row.id,
        number=row.number,
        on=row.performed_on,
        stage=point.stage,
        standing="withdrawn" if row.withdrawn else "superseded" if row.superseded else "issued",
        value=printed.correction if is_correction else printed.error,
        U=printed.U,
        lower=ends[0],
        upper=ends[1],
        verdict=point.verdict,
        is_simulated=row.simulated,
    )


def _turned(limit: str | None) -> str | None:
    return None if limit is None else f"{-Decimal(limit):f}"


def _in_order(found: dict[str, list[OneResult]]) -> tuple[PointOverTime, ...]:
    return tuple(
        PointOverTime(nominal, tuple(found[nominal])) for nominal in sorted(found, key=Decimal)
    )


def standard_over_time(standard: StandardView) -> tuple[PointOverTime, ...]:
    """Return the corrections of a standard at the readings its newest certificate names.

    A certificate without such a line is read between its neighbours, as the evaluation reads it:
    the correction linearly, U the larger of theirs. Outside its lines it says nothing.
    """
    newest = next((c for c in standard.certificates if c.replaced_by_id is None), None)
    found: dict[str, list[OneResult]] = {}
    for line in newest.values if newest else ():
        for certificate in reversed(standard.certificates):
            one = _corrected(certificate, Decimal(line.indication))
            if one is not None:
                found.setdefault(line.indication, []).append(one)
    return _in_order(found)


def _corrected(certificate: StandardCertificateView, at: Decimal) -> OneResult | None:
    below = [line for line in certificate.values if Decimal(line.indication) <= at]
    above = [line for line in certificate.values if Decimal(line.indication) >= at]
    if not below or not above:
        return None
    low, high = below[-1], above[0]
    lower, upper = Decimal(low.indication), Decimal(high.indication)
    part = (at - lower) / (upper - lower) if upper != lower else Decimal(0)
    exact = _correction(low) + part * (_correction(high) - _correction(low))
    wide = max((low, high), key=lambda line: Decimal(line.U) / Decimal(line.k)).U
    step = min((_correction(low), _correction(high), Decimal(wide)), key=_exponent)
    value = exact if low is high else exact.quantize(Decimal((0, (1,), _exponent(step))))
    return OneResult(
        certificate_id=certificate.id,
        number=certificate.number,
        on=certificate.calibrated_on,
        stage="",
        standing="superseded" if certificate.replaced_by_id is not None else "issued",
        value=f"{value:+f}" if value else f"{value:f}",
        U=wide,
        lower=None,
        upper=None,
        verdict="",
        is_between=low is not high,
    )


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _correction(line: CertificateLine) -> Decimal:
    return Decimal(line.reference) - Decimal(line.indication)


def _change(before: OneResult, after: OneResult) -> Change:
    by = Decimal(after.value) - Decimal(before.value)
    both = ""
    if before.U and after.U:
        fine = min(Decimal(before.U), Decimal(after.U), key=_exponent)
        exact = (Decimal(before.U) ** 2 + Decimal(after.U) ** 2).sqrt()
        both = f"{exact.quantize(Decimal((0, (1,), _exponent(fine)))):f}"
    return Change(
        since=before.on,
        until=after.on,
        by=f"{by:+f}" if by else f"{by:f}",
        U=both,
        is_seen=bool(both) and abs(by) > Decimal(both),
    )
