"""One row of a table that asks for work: which instrument it means, registered or new."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import select

from instruments.context import Context
from instruments.errors import Conflict, Finding, Invalid, NotFound
from instruments.records.instruments import Instrument
from instruments.records.models import InstrumentModel
from instruments.services import fields
from instruments.services.import_rows import Ready, Run
from instruments.services.importing import INSTRUMENT_COLUMNS
from instruments.services.instruments import MAX_PIECES, InstrumentView, get_instruments
from instruments.services.sites import SiteView, list_sites
from instruments.services.tables import heading
from instruments.text import LocalizedText

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "wanted": ("request", "wanted", "send in", "送检", "是否送检"),
    "barcode": ("label", "barcode", "标签编号", *INSTRUMENT_COLUMNS["barcode"][2:]),
    "maker": INSTRUMENT_COLUMNS["maker"],
    "model": INSTRUMENT_COLUMNS["model"],
    "serial": INSTRUMENT_COLUMNS["serial"],
    "asset_number": INSTRUMENT_COLUMNS["asset_number"],
    "site": INSTRUMENT_COLUMNS["site"],
    "location": INSTRUMENT_COLUMNS["location"],
    "probe_serial": INSTRUMENT_COLUMNS["probe_serial"],
    "pieces": INSTRUMENT_COLUMNS["pieces"],
    "points": ("points", "calibration points", "校准点", "检定点", "测量点"),
}
"""Headings a column may have, by field."""
_YES = frozenset(("", "yes", "y", "x", "1", "true", "是", "要", "送检", "√", "✓"))
_NO = frozenset(("no", "n", "0", "false", "否", "不", "不送", "×"))
_BETWEEN = re.compile(r"[\s;；、，]+|,\s+")
_GUARD = re.compile(r"'(?=[=+\-@＝＋－＠])")
"""What a table handed out sets before a text that would pass for a formula."""
_TOLD = ("maker", "model", "asset_number", "location", "probe_serial", "pieces")
"""What a row may say of a registered instrument without changing it."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it was read."""

    number: int
    cells: Mapping[str, str]

    def get(self, name: str) -> str:
        """Return a cell, without what keeps spreadsheets from computing it."""
        return _GUARD.sub("", self.cells.get(name, ""), count=1).strip()


@dataclass(frozen=True, slots=True)
class Asked:
    """A row and the instrument it means."""

    number: int
    is_wanted: bool
    is_kept: bool
    """It means a registered instrument."""
    item: InstrumentView | None
    points: tuple[str, ...] = ()
    notes: tuple[Finding, ...] = ()


Mark = tuple[str, str, str]
"""Maker and model as they are compared, and the serial."""


@dataclass(slots=True)
class Kept:
    """What is registered of one customer, and what the rows before took."""

    customer_id: int
    customer: LocalizedText
    by_barcode: dict[str, InstrumentView]
    by_mark: dict[Mark, InstrumentView]
    by_serial: dict[str, list[InstrumentView]]
    models: dict[tuple[str, str], InstrumentModel]
    sites: dict[str, list[SiteView]]
    foreign: Collection[tuple[int, str]]
    """Model and serial of instruments of other customers."""
    rows: dict[int | Mark, int] = field(default_factory=dict)
    """Which row took an instrument."""

    @classmethod
    def load(
        cls, ctx: Context, customer_id: int, customer: LocalizedText, serials: Collection[str]
    ) -> Kept:
        """Look everything up, with as many queries for one row as for all."""
        own = get_instruments(
            ctx, select(Instrument.id).where(Instrument.customer_id == customer_id)
        ).values()
        models = ctx.session.scalars(select(InstrumentModel))
        named: dict[str, list[SiteView]] = {}
        for site in list_sites(ctx, customer_id):
            for name in {site.name.en, site.name.zh} - {""}:
                named.setdefault(name.casefold(), []).append(site)
        foreign = ctx.session.execute(
            select(Instrument.model_id, Instrument.serial).where(
                Instrument.customer_id != customer_id, Instrument.serial.in_(set(serials))
            )
        )
        by_serial: dict[str, list[InstrumentView]] = {}
        for one in own:
            by_serial.setdefault(one.serial, []).append(one)
        return cls(
            customer_id=customer_id,
            customer=customer,
            by_barcode={one.barcode: one for one in own},
            by_mark={(heading(one.maker), heading(one.model), one.serial): one for one in own},
            by_serial=by_serial,
            models={(heading(one.maker), heading(one.model)): one for one in models},
            sites=named,
            foreign={(model_id, serial) for model_id, serial in foreign},
        )


def understand(ctx: Context, row: Row, kept: Kept, run: Run) -> Asked:
    """Return which instrument a row means; `run` notes what is wrong with it."""
    wanted = run("wanted", partial(_wanted, row))
    if wanted is False:
        known = _registered(row, kept, lambda _field, _check: None)
        return Asked(row.number, is_wanted=False, is_kept=True, item=known)
    points = tuple(part for part in _BETWEEN.split(row.get("points")) if part.strip(","))
    item = _registered(row, kept, run)
    notes: tuple[Finding, ...] = ()
    if item is not None:
        notes = tuple(_differences(row, item))
    is_kept = item is not None or bool(row.get("barcode"))
    if item is None and not row.get("barcode"):
        item = _new(ctx, row, kept, run)
    if item is not None:
        run("barcode" if row.get("barcode") else "serial", partial(_once, row, item, kept))
    return Asked(row.number, is_wanted=True, is_kept=is_kept, item=item, points=points, notes=notes)


def ready(item: InstrumentView) -> Ready:
    """Return a new instrument as it is written."""
    return Ready(
        model_id=item.model_id,
        customer_id=item.customer_id,
        site_id=item.site_id,
        serial=item.serial,
        asset_number=item.asset_number,
        probe_serial=item.probe_serial,
        location=item.location,
        pieces=item.pieces,
        barcode="",
        interval_months=None,
    )


def _wanted(row: Row) -> bool:
    said = unicodedata.normalize("NFKC", row.get("wanted")).casefold()
    if said in _YES:
        return True
    if said in _NO:
        return False
    raise Invalid(
        "bulk-wanted-unclear",
        "Got {got}, expected yes or no. Empty means yes.",
        facts={"got": row.get("wanted")},
    )


def _registered(row: Row, kept: Kept, run: Run) -> InstrumentView | None:
    """Return the registered instrument a row means; None: it means none, or it is unclear."""
    barcode, serial = row.get("barcode"), row.get("serial")
    if barcode:
        found = run("barcode", partial(_labelled, barcode, kept))
        if isinstance(found, InstrumentView) and serial and serial != found.serial:
            run("serial", partial(_refuse_serial, found, serial))
        return found if isinstance(found, InstrumentView) else None
    if row.get("maker") and row.get("model"):
        return kept.by_mark.get((heading(row.get("maker")), heading(row.get("model")), serial))
    same = kept.by_serial.get(serial, [])
    return same[0] if len(same) == 1 else None


def _labelled(barcode: str, kept: Kept) -> InstrumentView:
    found = kept.by_barcode.get(barcode)
    if found is None:
        raise NotFound(
            "label-not-theirs",
            "No instrument of this customer has the label {got}. Copy it from the instrument, or "
            "leave the cell empty for a new one.",
            facts={"got": barcode},
        )
    return found


def _refuse_serial(found: InstrumentView, serial: str) -> None:
    raise Conflict(
        "serial-differs",
        "Got {got}, expected {expected}: that is the serial number of label {barcode}. Correct "
        "the label or the serial number.",
        facts={"got": serial, "expected": found.serial, "barcode": found.barcode},
    )


def _once(row: Row, item: InstrumentView, kept: Kept) -> None:
    key: int | Mark = item.id or (heading(item.maker), heading(item.model), item.serial)
    before = kept.rows.setdefault(key, row.number)
    if before != row.number:
        raise Conflict(
            "bulk-row-twice",
            "Row {before} names the same instrument, {serial}. Keep one of the two rows.",
            facts={"before": before, "serial": item.serial},
        )


def _differences(row: Row, item: InstrumentView) -> list[Finding]:
    """Return a note for each cell that says something else than the register."""
    held = {name: [str(getattr(item, name))] for name in _TOLD}
    held["site"] = [item.site.en, item.site.zh] if item.site else [""]
    return [
        Finding(
            "bulk-register-differs",
            "The register says {held}, the row says {got}. The request does not change the "
            "register.",
            severity="warning",
            at=f"/rows/{row.number}/{name}",
            facts={"row": row.number, "column": name, "held": max(said) or "–", "got": got},
        )
        for name, said in held.items()
        if (got := row.get(name)) and heading(got) not in {heading(text) for text in said}
    ]


def _new(ctx: Context, row: Row, kept: Kept, run: Run) -> InstrumentView | None:
    """Return the instrument a row would register; None when a check refused."""
    serial = run("serial", lambda: fields.mark(row.get("serial"), "/serial", required=True))
    model = run("model", partial(_model, row, kept))
    site = run("site", partial(_site, ctx, row, kept))
    pieces = run("pieces", partial(_pieces, row))
    marks = {
        name: run(name, partial(fields.mark, row.get(name), f"/{name}"))
        for name in ("asset_number", "probe_serial")
    }
    location = run("location", partial(fields.words, row.get("location"), "/location"))
    if not isinstance(model, InstrumentModel) or not isinstance(serial, str):
        return None
    if run("serial", partial(_free, ctx, model, serial, kept)) is None:
        return None
    return InstrumentView(
        id=0,
        version=0,
        barcode="",
        asset_number=str(marks["asset_number"] or ""),
        serial=serial,
        probe_serial=str(marks["probe_serial"] or ""),
        pieces=pieces if isinstance(pieces, int) else 1,
        model_id=model.id,
        type_id=model.type_id,
        maker=model.maker,
        model=model.model,
        customer_id=kept.customer_id,
        customer=kept.customer,
        site_id=site.id if isinstance(site, SiteView) else None,
        site=site.name if isinstance(site, SiteView) else None,
        location=str(location or ""),
        interval_months=None,
        due_on=None,
        status="in_service",
        status_reason="",
    )


def _model(row: Row, kept: Kept) -> InstrumentModel:
    maker = fields.words(row.get("maker"), "/maker", required=True)
    model = fields.words(row.get("model"), "/model", required=True)
    found = kept.models.get((heading(maker), heading(model)))
    if found is None:
        raise NotFound(
            "model-unknown-here",
            "The laboratory knows no model {maker} {model}. Write both as on the type plate, or "
            "ask the laboratory to register the model.",
            facts={"maker": maker, "model": model},
        )
    return found


def _site(ctx: Context, row: Row, kept: Kept) -> SiteView | None:
    name = fields.words(row.get("site"), "/site")
    if not name:
        return None
    found = kept.sites.get(name.casefold(), [])
    if len(found) != 1:
        known = sorted({site.name.text(ctx.language) for of in kept.sites.values() for site in of})
        raise NotFound(
            "site-unknown-here",
            "Got {got}, expected the name of one site of this customer ({known}). Leave it empty "
            "if there is none.",
            facts={"got": name, "known": ", ".join(known[:10]) or "–"},
        )
    return found[0]


def _pieces(row: Row) -> int:
    text = unicodedata.normalize("NFKC", row.get("pieces"))
    if not text:
        return 1
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MAX_PIECES):
        raise Invalid(
            "whole-number-expected",
            "Got {got}, expected a whole number from 1 to {high}. Write it in digits only.",
            at="/pieces",
            facts={"got": row.get("pieces"), "high": MAX_PIECES},
        )
    return int(text)


def _free(ctx: Context, model: InstrumentModel, serial: str, kept: Kept) -> bool:
    if (model.id, serial) in kept.foreign:
        raise Conflict(
            "serial-held-elsewhere",
            "The serial {serial} of this model is registered for somebody else. Check it on the "
            "type plate; if it is right, ask the laboratory to transfer the instrument.",
            facts={"serial": serial},
        )
    ctx.need("instrument.announce")
    return True
