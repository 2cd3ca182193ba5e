"""The board: every instrument of a venue with its colour, words and due date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import Select, case, or_, select

from calib.records.certificates import Certificate
from calib.services.colours import COLOURS, Colour, Judgement, Standing, judge
from calib.services.standing import (
    CertificateLine,
    certificate_lines,
    newest_status,
    not_scrapped,
    records_ordered_by,
)
from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.procedure import InstrumentType
from instruments.records.instruments import Instrument, InstrumentStatus
from instruments.records.models import InstrumentModel
from instruments.records.orders import Order, OrderLine
from instruments.records.parties import Customer
from instruments.records.sites import Site
from instruments.services.rows import own_customer
from instruments.text import LocalizedText


@dataclass(frozen=True, slots=True)
class BoardItem:
    """One instrument on the board."""

    instrument_id: int
    barcode: str
    asset_number: str
    serial: str
    type_name: LocalizedText
    maker: str
    model: str
    use: str
    """clinical or industrial."""
    location: str
    judgement: Judgement
    due_on: date | None
    days_left: int | None
    certificate_number: str
    """Empty: none."""
    certificate_token: str
    is_at_lab: bool
    """Received by the laboratory and not yet returned."""
    order_id: int | None = None
    """The open order that names it; None: none."""
    is_simulated: bool = False
    """Its certificate rests on simulated readings."""


@dataclass(frozen=True, slots=True)
class BoardSite:
    """One venue with its instruments, the gravest first."""

    site_id: int | None
    """None: instruments without a venue."""
    customer_id: int
    customer: LocalizedText
    name: LocalizedText | None
    venue_type: str
    district: str
    items: tuple[BoardItem, ...]

    def count(self, colour: Colour) -> int:
        """Return how many instruments have this colour."""
        return sum(item.judgement.colour == colour for item in self.items)


@dataclass(frozen=True, slots=True)
class BoardView:
    """The venues the reader may see."""

    today: date
    sites: tuple[BoardSite, ...]

    def count(self, colour: Colour) -> int:
        """Return how many instruments have this colour."""
        return sum(site.count(colour) for site in self.sites)


def board(ctx: Context, *, catalogue: Catalogue, site_id: int | None = None) -> BoardView:
    """Return the board of one venue, or of all the reader may see; scrapped items are left out."""
    ctx.need("board.read")
    conditions: list[Any] = []
    own = own_customer(ctx)
    if own is not None:
        conditions.append(Instrument.customer_id == own)
    if site_id is not None:
        conditions.append(Instrument.site_id == site_id)
    cards = _cards(ctx, conditions, catalogue)
    sites = [
        _site(key, [card for _, card in group])
        for key, group in groupby(cards, key=lambda found: found[0])
    ]
    return BoardView(today=ctx.today, sites=tuple(sites))


def card(ctx: Context, instrument_id: int, *, catalogue: Catalogue) -> BoardItem | None:
    """Return one instrument as the board shows it; None when it is not shown there."""
    ctx.need("instrument.read")
    conditions: list[Any] = [Instrument.id == instrument_id]
    own = own_customer(ctx)
    if own is not None:
        conditions.append(Instrument.customer_id == own)
    cards = _cards(ctx, conditions, catalogue)
    return cards[0][1] if cards else None


@dataclass(frozen=True, slots=True)
class _Place:
    customer: Customer
    site: Site | None


def _site(place: _Place, items: Sequence[BoardItem]) -> BoardSite:
    customer, site = place.customer, place.site
    return BoardSite(
        site_id=site.id if site else None,
        customer_id=customer.id,
        customer=LocalizedText(en=customer.name_en, zh=customer.name_zh),
        name=LocalizedText(en=site.name_en, zh=site.name_zh) if site else None,
        venue_type=site.venue_type if site else "",
        district=site.district if site else "",
        items=tuple(sorted(items, key=_gravest_first)),
    )


def _gravest_first(item: BoardItem) -> tuple[int, date, str]:
    return (COLOURS.index(item.judgement.colour), item.due_on or date.max, item.barcode)


def _cards(
    ctx: Context, conditions: list[Any], catalogue: Catalogue
) -> list[tuple[_Place, BoardItem]]:
    """Return the instruments that meet the conditions, those of one place together."""
    status = newest_status()
    rows = ctx.session.execute(
        select(Instrument, InstrumentModel, Customer, Site, InstrumentStatus)
        .join(InstrumentModel, InstrumentModel.id == Instrument.model_id)
        .join(Customer, Customer.id == Instrument.customer_id)
        .outerjoin(Site, Site.id == Instrument.site_id)
        .outerjoin(status, status.c.instrument_id == Instrument.id)
        .outerjoin(InstrumentStatus, InstrumentStatus.id == status.c.id)
        .where(*conditions, not_scrapped())
        .order_by(Instrument.customer_id, Instrument.site_id, Instrument.id)
    ).all()
    shown = select(Instrument.id).where(*conditions)
    spoken = spoken_for(certificate_lines(ctx.session, Certificate.instrument_id.in_(shown)))
    own = own_customer(ctx)
    readable = None if own is None else set(ctx.session.scalars(records_ordered_by(own)))
    ordered = _open_orders(ctx, shown)
    places: dict[tuple[int, int | None], _Place] = {}
    cards = []
    for instrument, model, customer, site, standing in rows:
        key = (instrument.customer_id, instrument.site_id)
        place = places.setdefault(key, _Place(customer, site))
        certificate, check = spoken.get(instrument.id, (None, None))
        type_ = catalogue.get(model.type_id) if model.type_id in catalogue else None
        known = Standing(
            status=standing.status,
            reason=standing.reason,
            is_for_people_but_industrial=model.use == "industrial" and measures_people(type_),
            is_mode_unknown=lacks_mode(type_, model.calibration_mode),
            certificate=certificate,
            check=check,
            due_on=instrument.due_on,
        )
        order = ordered.get(instrument.id)
        item = _item(ctx.today, instrument, model, type_, known, order)
        speaks = certificate or check
        if readable is not None and speaks is not None and speaks.calibration_id not in readable:
            item = replace(item, certificate_number="", certificate_token="")  # its former owner's
        cards.append((place, item))
    return cards


def _open_orders(ctx: Context, shown: Select[int]) -> dict[int, tuple[int | None, bool]]:
    """Return by instrument the newest open order that names it, and whether it was received."""
    rows = ctx.session.execute(
        select(
            OrderLine.instrument_id,
            # of its owner alone: one that changed hands leaves the orders of the former behind
            case((Order.customer_id == Instrument.customer_id, Order.id)).label("order_id"),
            OrderLine.received_at,
        )
        .join(Order, Order.id == OrderLine.order_id)
        .join(Instrument, Instrument.id == OrderLine.instrument_id)
        .where(
            OrderLine.instrument_id.in_(shown),
            OrderLine.returned_at.is_(None),
            or_(
                OrderLine.received_at.is_not(None),
                Order.state.in_(("requested", "accepted")),
            ),
        )
        .order_by(OrderLine.received_at.is_not(None), Order.id)
    )
    return {row.instrument_id: (row.order_id, row.received_at is not None) for row in rows}


def _item(
    today: date,
    instrument: Instrument,
    model: InstrumentModel,
    type_: InstrumentType | None,
    known: Standing,
    order: tuple[int | None, bool] | None,
) -> BoardItem:
    speaks = known.certificate or known.check
    return BoardItem(
        instrument_id=instrument.id,
        barcode=instrument.barcode,
        asset_number=instrument.asset_number,
        serial=instrument.serial,
        type_name=type_.name if type_ else LocalizedText(en=model.type_id),
        maker=model.maker,
        model=model.model,
        use=model.use,
        location=instrument.location,
        judgement=judge(known, today),
        due_on=instrument.due_on,
        days_left=(instrument.due_on - today).days if instrument.due_on else None,
        certificate_number=speaks.number if speaks else "",
        certificate_token=speaks.token if speaks else "",
        is_at_lab=order is not None and order[1],
        order_id=order[0] if order else None,
        is_simulated=speaks is not None and speaks.is_simulated,
    )


def spoken_for(
    lines: Iterable[CertificateLine],
) -> dict[int, tuple[CertificateLine | None, CertificateLine | None]]:
    """Return by instrument the certificate that speaks for it and a check made since.

    `lines` are in the order of the work. A certificate that was replaced or never issued speaks
    for nothing; one that was withdrawn speaks against.
    """
    found: dict[int, tuple[CertificateLine | None, CertificateLine | None]] = {}
    for line in lines:
        if not line.was_issued or line.state == "superseded":
            continue
        certificate, _ = found.get(line.instrument_id, (None, None))
        if line.kind != "check_record":
            found[line.instrument_id] = (line, None)
        elif line.state == "issued":
            found[line.instrument_id] = (certificate, line)
    return found


def measures_people(type_: InstrumentType | None) -> bool:
    """Answer whether the type measures body temperature.

    Body thermometers have a body mode beside the calibration mode, or stand on the list of
    mandatory verification for medical use.
    """
    return (
        type_ is not None
        and any(measurand.quantity == "temperature" for measurand in type_.measurands)
        and (type_.calibration_mode == "required" or type_.legal_class != "voluntary")
    )


def lacks_mode(type_: InstrumentType | None, mode: object) -> bool:
    """Answer whether the type needs a calibration mode and that of the model is not known."""
    return type_ is not None and type_.calibration_mode == "required" and not mode
