"""What a weekly report counts. Pure: from issued documents and the inventory to figures with rows.

Counted are documents issued, one per piece of work: a certificate that replaces another has a line
of its own. Verified, calibrated and checked stay apart, a pass rate stands beside the decision rule
it was judged by, what could not be decided is neither passed nor failed, an instrument without a
calibration mode has not failed, and simulated readings are no work. What no record tells is said to
be absent.

Source: the figures reported under the notice of China's market regulator of 2020 (V2), and those
that local offices added to them (V2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from operator import attrgetter
from statistics import median
from typing import Literal

from calib.services.oversight import OverseenItem

REPORT_FORMAT = 1
Unit = Literal["pieces", "venues", "customers", "orders", "days", "percent", "currency"]
ABSENT = ("person_times", "consultations", "problems_solved", "leaflets")
"""Figures that are asked for and that no record of an installation tells."""
PIECES: Mapping[str, str] = {
    "verification_certificate": "verified",
    "verification_notice": "verified",
    "calibration_certificate": "calibrated",
    "check_record": "checked",
}
VERDICTS: Mapping[str, str] = {
    "pass": "passed",
    "conditional_pass": "passed",
    "fail": "failed",
    "conditional_fail": "failed",
    "undetermined": "undecided",
    "cannot_be_stated": "undecided",
    "not_calibratable": "not_calibratable",
}
"""``not_stated`` is nowhere: no statement was asked for."""


@dataclass(frozen=True, slots=True)
class Document:
    """One issued certificate, as far as it is counted."""

    kind: str
    lab: str
    number: str
    verdict: str
    is_replacement: bool
    issued_on: date
    requested_on: date
    type_id: str
    maker: str
    model: str
    district: str
    venue_type: str
    site_id: int | None
    order_id: int
    rule: str
    is_green: bool
    fee: str | None
    is_waived: bool
    customer_id: int
    customer_kind: str
    is_small_firm: bool
    is_simulated: bool = False
    """Its readings come from the generator: counted apart and nowhere else."""


@dataclass(frozen=True, slots=True)
class CountedRow:
    """What a figure counts: an issued document, or an instrument as it stood."""

    kind: str
    """Of the document; ``instrument`` for one of the inventory."""
    lab: str
    number: str
    """Of the document; of an instrument its barcode."""
    type_id: str
    maker: str
    model: str
    district: str
    venue_type: str
    on: str
    """Day of issue; of an instrument its due date, empty: none."""
    verdict: str
    """Of an instrument its colour."""
    rule: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the report."""

    name: str
    """``verified``, ``pass_rate`` ..."""
    cut: str
    """What it is cut by: a type, a rule, a kind of customer or venue; empty: all."""
    unit: Unit
    week: str
    """Number in the week, or as things stand; empty: nothing was counted."""
    since: str
    """Number since the first day of the count; empty: the figure is of a moment."""
    change: str
    """Against the last report handed in for an earlier week; empty: there is none."""
    rows: tuple[int, ...]
    """Places in the report's rows of what the week's number counts."""


@dataclass(frozen=True, slots=True)
class Report:
    """A week's figures; days are written as in ISO 8601."""

    week: str
    begins_on: str
    ends_on: str
    since: str
    districts: tuple[str, ...]
    """None: everywhere."""
    made_at: str
    figures: tuple[Figure, ...]
    rows: tuple[CountedRow, ...]
    absent: tuple[str, ...] = ABSENT
    format: int = REPORT_FORMAT


@dataclass(slots=True)
class Counted:
    """The documents since the first day, and the rows that figures have pointed to."""

    documents: tuple[Document, ...]
    begins_on: date
    """First day of the week: what was issued before counts only since the first day."""
    earlier: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Numbers of the report before, by name and cut."""
    _places: dict[CountedRow, int] = field(default_factory=dict)

    @property
    def rows(self) -> tuple[CountedRow, ...]:
        """Return every row that a figure counts, once."""
        return tuple(self._places)

    def figure(
        self,
        name: str,
        cut: str,
        unit: Unit,
        documents: Iterable[Document],
        measure: Callable[[Sequence[Document]], str] = lambda found: str(len(found)),
    ) -> Figure:
        """Return the number of some of the documents in the week and since the first day."""
        chosen = tuple(documents)
        of_week = tuple(one for one in chosen if one.issued_on >= self.begins_on)
        number = measure(of_week)
        rows = tuple(self._place(_row_of_document(one)) for one in of_week)
        change = self._change(name, cut, number)
        return Figure(name, cut, unit, number, measure(chosen), change, rows)

    def standing(self, name: str, cut: str, unit: Unit, items: Iterable[OverseenItem]) -> Figure:
        """Return the number of some of the instruments as they stand, or of their venues."""
        kept = tuple(items)
        venues = {(one.lab_id, one.site_id) for one in kept if one.site_id is not None}
        number = str(len(venues) if unit == "venues" else len(kept))
        rows = tuple(self._place(_row_of_item(one)) for one in kept)
        return Figure(name, cut, unit, number, "", self._change(name, cut, number), rows)

    def _place(self, row: CountedRow) -> int:
        return self._places.setdefault(row, len(self._places))

    def _change(self, name: str, cut: str, number: str) -> str:
        before = self.earlier.get((name, cut), "")
        return f"{Decimal(number) - Decimal(before):+}" if before and number else ""


def figures_of(counted: Counted, items: Sequence[OverseenItem]) -> tuple[Figure, ...]:
    """Return every figure, in the order they are read."""
    measured = tuple(one for one in counted.documents if not one.is_simulated)
    firsts = tuple(one for one in measured if not one.is_replacement)
    replacing = (one for one in measured if one.is_replacement)
    simulated = (one for one in counted.documents if one.is_simulated)
    return (
        *_pieces(counted, firsts),
        counted.figure("replaced", "", "pieces", replacing),
        counted.figure("simulated", "", "pieces", simulated),
        *_verdicts(counted, firsts),
        *_served(counted, firsts),
        *_orders(counted, firsts),
        *_inventory(counted, items),
    )


def _pieces(counted: Counted, documents: Sequence[Document]) -> Iterator[Figure]:
    for name in dict.fromkeys(PIECES.values()):
        found = [one for one in documents if PIECES[one.kind] == name]
        yield counted.figure(name, "", "pieces", found)
        for type_id, some in _by(found, "type_id"):
            yield counted.figure(f"{name}_of_type", type_id, "pieces", some)


def _verdicts(counted: Counted, documents: Sequence[Document]) -> Iterator[Figure]:
    """Yield what was decided, rule by rule: a rate without its rule says nothing."""
    decided = [one for one in documents if one.verdict in VERDICTS]
    for rule, found in _by(decided, "rule"):
        for name in dict.fromkeys(VERDICTS.values()):
            some = [one for one in found if VERDICTS[one.verdict] == name]
            yield counted.figure(name, rule, "pieces", some)
        either = [one for one in found if VERDICTS[one.verdict] in ("passed", "failed")]
        yield counted.figure("pass_rate", rule, "percent", either, _rate)


def _served(counted: Counted, documents: Sequence[Document]) -> Iterator[Figure]:
    yield counted.figure("customers", "", "customers", documents, _distinct("customer_id"))
    for kind, found in _by(documents, "customer_kind"):
        yield counted.figure(
            "customers_of_kind", kind, "customers", found, _distinct("customer_id")
        )
    small = [one for one in documents if one.is_small_firm]
    yield counted.figure("small_firms", "", "customers", small, _distinct("customer_id"))
    placed = [one for one in documents if one.site_id is not None]
    yield counted.figure("venues_served", "", "venues", placed, _distinct("site_id"))
    for kind, found in _by(placed, "venue_type"):
        yield counted.figure("venues_served_of_type", kind, "venues", found, _distinct("site_id"))


def _orders(counted: Counted, documents: Sequence[Document]) -> Iterator[Figure]:
    waived = [one for one in documents if one.is_waived]
    yield counted.figure("waived", "", "orders", waived, _distinct("order_id"))
    yield counted.figure("waived_amount", "", "currency", waived, _amount)
    yield counted.figure("turnaround", "", "days", documents, _turnaround)
    green = [one for one in documents if one.is_green]
    yield counted.figure("turnaround_green", "", "days", green, _turnaround)


def _inventory(counted: Counted, items: Sequence[OverseenItem]) -> Iterator[Figure]:
    yield counted.standing("instruments", "", "pieces", items)
    for colour in ("green", "yellow", "red"):
        of_colour = (one for one in items if one.judgement.colour == colour)
        yield counted.standing("instruments_of_colour", colour, "pieces", of_colour)
    yield counted.standing("overdue", "", "pieces", (one for one in items if one.is_overdue))
    bare = (one for one in items if not one.is_certified)
    yield counted.standing("without_certificate", "", "pieces", bare)
    modeless = (one for one in items if not one.is_calibratable)
    yield counted.standing("without_mode", "", "pieces", modeless)
    placed = [one for one in items if one.site_id is not None]
    yield counted.standing("venues", "", "venues", placed)
    for kind in sorted({one.venue_type for one in placed}):
        of_kind = (one for one in placed if one.venue_type == kind)
        yield counted.standing("venues_of_type", kind, "venues", of_kind)


def _by(documents: Iterable[Document], name: str) -> Iterator[tuple[str, list[Document]]]:
    groups: dict[str, list[Document]] = {}
    value = attrgetter(name)
    for one in documents:
        groups.setdefault(value(one), []).append(one)
    yield from sorted(groups.items())


def _distinct(name: str) -> Callable[[Sequence[Document]], str]:
    value = attrgetter(name)
    return lambda found: str(len({value(one) for one in found}))


def _rate(found: Sequence[Document]) -> str:
    if not found:
        return ""
    passed = sum(VERDICTS[one.verdict] == "passed" for one in found)
    share = Decimal(100 * passed) / Decimal(len(found))
    return str(share.quantize(Decimal("0.1"), ROUND_HALF_EVEN))


def _amount(found: Sequence[Document]) -> str:
    fees = {one.order_id: one.fee for one in found if one.fee is not None}
    return str(sum((Decimal(fee) for fee in fees.values()), Decimal(0)))


def _turnaround(found: Sequence[Document]) -> str:
    """Return the median of the days from the request to the issue."""
    if not found:
        return ""
    return str(median(Decimal((one.issued_on - one.requested_on).days) for one in found))


def _row_of_document(one: Document) -> CountedRow:
    return CountedRow(
        kind=one.kind,
        lab=one.lab,
        number=one.number,
        type_id=one.type_id,
        maker=one.maker,
        model=one.model,
        district=one.district,
        venue_type=one.venue_type,
        on=one.issued_on.isoformat(),
        verdict=one.verdict,
        rule=one.rule,
    )


def _row_of_item(one: OverseenItem) -> CountedRow:
    return CountedRow(
        kind="instrument",
        lab=one.lab_code,
        number=one.barcode,
        type_id=one.type_id,
        maker=one.maker,
        model=one.model,
        district=one.district,
        venue_type=one.venue_type,
        on=one.due_on.isoformat() if one.due_on else "",
        verdict=one.judgement.colour,
        rule="",
    )
