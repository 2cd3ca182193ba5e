"""One row of a table of instruments: read, compared with what is registered, made ready, written.

The registry is looked up once for all rows; so is every word that repeats from row to row.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import select

from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.errors import Conflict, Invalid, NotFound, Refused
from instruments.records.instruments import Instrument
from instruments.records.models import InstrumentModel
from instruments.records.parties import Customer
from instruments.records.sites import Site
from instruments.services import fields
from instruments.services.instruments import MAX_INTERVAL, MAX_PIECES, first_status
from instruments.services.numbers import take_numbers

Run = Callable[[str, Callable[[], object]], object]
"""Runs a check of a field; None when it refused."""
T = TypeVar("T")
_BATCH = 2000


@dataclass(frozen=True, slots=True)
class Ready:
    """A row that can be written."""

    model_id: int
    customer_id: int
    site_id: int | None
    serial: str
    asset_number: str
    probe_serial: str
    location: str
    pieces: int
    barcode: str
    """Empty: the next of the lab's series."""
    interval_months: int | None


@dataclass(slots=True)
class Known:
    """What is registered, and what the rows before took."""

    models: dict[tuple[str, str], tuple[int, bool]]
    """By maker and model: id, and whether its type comes in lots."""
    customers: dict[str, set[int]]
    sites: dict[tuple[int, str], set[int]]
    serials: dict[tuple[int, str], str]
    """Where a serial is taken, in words: a barcode or a row."""
    barcodes: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, ctx: Context, catalogue: Catalogue) -> Known:
        """Look everything up, with as many queries for one row as for all."""
        lots = {type_.id: type_.batch for type_ in catalogue.list()}
        models = ctx.session.execute(
            select(
                InstrumentModel.maker,
                InstrumentModel.model,
                InstrumentModel.id,
                InstrumentModel.type_id,
            )
        )
        customers = ctx.session.execute(select(Customer.name_en, Customer.name_zh, Customer.id))
        sites = ctx.session.execute(select(Site.name_en, Site.name_zh, Site.id, Site.customer_id))
        taken = ctx.session.execute(
            select(Instrument.model_id, Instrument.serial, Instrument.barcode)
        ).all()
        return cls(
            models={
                (maker.casefold(), model.casefold()): (id_, lots.get(type_id, False))
                for maker, model, id_, type_id in models
            },
            customers=_by_name(((en, zh), id_) for en, zh, id_ in customers),
            sites=_by_name((((owner, en), (owner, zh)), id_) for en, zh, id_, owner in sites),
            serials={(row.model_id, row.serial): row.barcode for row in taken},
            barcodes={row.barcode: row.barcode for row in taken},
        )

    def take(self, row: Ready, number: int) -> None:
        """Remember that the row took its serial and barcode."""
        self.serials[row.model_id, row.serial] = f"row {number}"
        if row.barcode:
            self.barcodes[row.barcode] = f"row {number}"


def check_row(row: Mapping[str, str], known: Known, run: Run) -> Ready | None:
    """Return the row made ready; None when a check refused, which `run` has noted."""
    marks = {
        name: run(name, lambda name=name: fields.mark(row.get(name, ""), f"/{name}"))  # type: ignore[misc]
        for name in ("asset_number", "probe_serial", "barcode")
    }
    serial = run("serial", lambda: fields.mark(row["serial"], "/serial", required=True))
    location = run("location", lambda: fields.words(row.get("location", ""), "/location"))
    model = run("model", lambda: _model(row, known))
    customer_id = run("customer", lambda: _customer(row, known))
    pieces = run("pieces", lambda: _pieces(row, model))
    interval = run("interval_months", lambda: _interval(row))
    site_id = run("site", lambda: _site(row, known, customer_id))
    if not isinstance(model, tuple) or not isinstance(customer_id, int) or serial is None:
        return None
    run("serial", lambda: _free_serial(known, model[0], str(serial)))
    run("barcode", lambda: _free_barcode(known, str(marks["barcode"] or "")))
    return Ready(
        model_id=model[0],
        customer_id=customer_id,
        site_id=site_id if isinstance(site_id, int) else None,
        serial=str(serial),
        asset_number=str(marks["asset_number"] or ""),
        probe_serial=str(marks["probe_serial"] or ""),
        location=str(location or ""),
        pieces=pieces if isinstance(pieces, int) else 1,
        barcode=str(marks["barcode"] or ""),
        interval_months=interval if isinstance(interval, int) else None,
    )


def write_rows(ctx: Context, ready: Sequence[Ready]) -> list[int]:
    """Write rows that were made ready; return the numbers of the instruments, in their order."""
    typed = {row.barcode for row in ready if row.barcode}
    free = iter(_free_barcodes(ctx, sum(not row.barcode for row in ready), typed))
    written: list[int] = []
    for start in range(0, len(ready), _BATCH):
        made = [
            Instrument(
                model_id=row.model_id,
                customer_id=row.customer_id,
                site_id=row.site_id,
                serial=row.serial,
                asset_number=row.asset_number,
                probe_serial=row.probe_serial,
                location=row.location,
                pieces=row.pieces,
                barcode=row.barcode or next(free),
                interval_months=row.interval_months,
                due_on=None,
                created_at=ctx.now,
            )
            for row in ready[start : start + _BATCH]
        ]
        ctx.session.add_all(made)
        ctx.session.flush()
        written.extend(row.id for row in made)
        statuses = [first_status(ctx, instrument.id) for instrument in made]
        ctx.session.add_all(statuses)
        ctx.session.flush()
        for row in (*made, *statuses):
            ctx.session.expunge(row)  # 100 000 rows are not kept in memory
    return written


def _free_barcodes(ctx: Context, count: int, typed: Collection[str]) -> list[str]:
    free: list[str] = []
    while len(free) < count:
        numbers = take_numbers(ctx, "barcode", min(count - len(free), _BATCH))
        stuck_on = select(Instrument.barcode).where(Instrument.barcode.in_(numbers))
        taken = {*typed, *ctx.session.scalars(stuck_on)}
        free.extend(number for number in numbers if number not in taken)
    return free


def _by_name(named: Iterable[tuple[tuple[T, T], int]]) -> dict[T, set[int]]:
    found: dict[T, set[int]] = {}
    for names, id_ in named:
        for name in names:
            found.setdefault(name, set()).add(id_)
    return found


def _model(row: Mapping[str, str], known: Known) -> tuple[int, bool]:
    maker = fields.words(row["maker"], "/maker", required=True)
    model = fields.words(row["model"], "/model", required=True)
    found = known.models.get((maker.casefold(), model.casefold()))
    if found is None:
        raise NotFound(
            "model-not-registered",
            "The model {maker} {model} is not registered. Register it first, or correct the row.",
            facts={"maker": maker, "model": model},
        )
    return found


def _customer(row: Mapping[str, str], known: Known) -> int:
    name = fields.words(row["customer"], "/customer", required=True)
    return _only(known.customers.get(name, set()), "customer", name)


def _site(row: Mapping[str, str], known: Known, customer_id: object) -> int | None:
    name = fields.words(row.get("site", ""), "/site")
    if not name or not isinstance(customer_id, int):
        return None
    return _only(known.sites.get((customer_id, name), set()), "site", name)


def _only(ids: set[int], noun: str, name: str) -> int:
    if len(ids) == 1:
        return next(iter(ids))
    if not ids:
        raise NotFound(
            "name-not-registered",
            "There is no {noun} named {name}. Register it first, or write its name as registered.",
            facts={"noun": noun, "name": name},
        )
    raise Invalid(
        "name-ambiguous",
        "There are {count} entries of the kind {noun} named {name}. Give them different names.",
        facts={"noun": noun, "name": name, "count": len(ids)},
    )


def _pieces(row: Mapping[str, str], model: object) -> int:
    pieces = _whole(row.get("pieces", ""), "/pieces", MAX_PIECES) or 1
    if pieces > 1 and isinstance(model, tuple) and not model[1]:
        raise Refused(
            "model-without-lots",
            "{pieces} pieces are given, but this model is worked on one by one. "
            "Write one row for each piece.",
            facts={"pieces": pieces},
        )
    return pieces


def _interval(row: Mapping[str, str]) -> int | None:
    return _whole(row.get("interval_months", ""), "/interval_months", MAX_INTERVAL)


def _whole(text: str, at: str, high: int) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 6):
        raise Invalid(
            "whole-number-expected",
            "Got {got}, expected a whole number from 1 to {high}. Write it in digits only.",
            at=at,
            facts={"got": text, "high": high},
        )
    return fields.whole(int(text), at, low=1, high=high)


def _free_serial(known: Known, model_id: int, serial: str) -> None:
    taken = known.serials.get((model_id, serial))
    if taken is not None:
        raise Conflict(
            "serial-registered",
            "The serial {serial} of this model is registered as instrument {barcode}. "
            "Use that one, or correct the serial.",
            facts={"serial": serial, "barcode": taken},
        )


def _free_barcode(known: Known, barcode: str) -> None:
    taken = known.barcodes.get(barcode) if barcode else None
    if taken is not None:
        raise Conflict(
            "barcode-in-use",
            "The barcode {barcode} is in use ({where}). Take another label.",
            facts={"barcode": barcode, "where": taken},
        )
