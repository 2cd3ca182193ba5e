"""What an authority sees of the laboratories: venues and instruments of the districts it oversees.

By mandate and no further: where an instrument stands, of what kind it is, whether it is good today,
and the certificate that says so, which is public anyway. No person, reading, price or contact of
anybody is read. Everything is judged by the board's own rule, in a constant number of queries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Executable, Row, func, select
from sqlalchemy.orm import Session

from calib.records.certificates import Certificate
from calib.services.board import lacks_mode, measures_people, spoken_for
from calib.services.colours import COLOURS, Colour, Judgement, Standing, judge
from calib.services.standing import CertificateLine, certificate_lines, newest_status, not_scrapped
from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.procedure import InstrumentType
from instruments.records.instruments import Instrument, InstrumentStatus
from instruments.records.mandates import EVERYWHERE
from instruments.records.models import InstrumentModel
from instruments.records.parties import Lab
from instruments.records.sites import Site
from instruments.services.rows import not_found
from instruments.tenancy import beyond_the_lab
from instruments.text import LocalizedText

Narrowing = Literal["red", "yellow", "green", "overdue", "never", "modeless"]
"""A colour; or overdue, without any certificate, of a calibration mode that nobody knows."""
NARROWINGS: tuple[Narrowing, ...] = get_args(Narrowing)
AT_ONCE = 500
"""Instruments that are looked at together where not all of them may be wanted."""


@dataclass(frozen=True, slots=True)
class OverseenItem:
    """One instrument in a district of the mandate."""

    instrument_id: int
    lab_id: int
    lab_code: str
    site_id: int | None
    district: str
    venue_type: str
    venue: LocalizedText | None
    """None: it stands in no venue that is registered."""
    barcode: str
    type_id: str
    type_name: LocalizedText
    maker: str
    model: str
    judgement: Judgement
    due_on: date | None
    is_overdue: bool
    is_certified: bool
    """A certificate speaks for it, or spoke until it was withdrawn."""
    is_calibratable: bool
    """False: its type needs a calibration mode and nobody knows it."""
    certificate_number: str
    certificate_token: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which instruments are asked for; what is not said narrows nothing."""

    district: str | None = None
    """Empty: those that stand in none."""
    venue_type: str = ""
    standing: Narrowing | None = None

    def meets(self, item: OverseenItem) -> bool:
        """Answer whether an instrument is one of them."""
        if self.district is not None and item.district != self.district:
            return False
        if self.venue_type and item.venue_type != self.venue_type:
            return False
        match self.standing:
            case None:
                return True
            case "overdue":
                return item.is_overdue
            case "never":
                return not item.is_certified
            case "modeless":
                return not item.is_calibratable
            case colour:
                return item.judgement.colour == colour


@dataclass(frozen=True, slots=True)
class Coverage:
    """How things stand in one district and kind of venue, or in all of them together."""

    district: str
    venue_type: str
    venues: int
    venues_good: int
    """Those in which no instrument is red."""
    instruments: int
    colours: dict[Colour, int]
    overdue: int
    never: int
    """Of which no certificate tells."""
    not_calibratable: int


@dataclass(frozen=True, slots=True)
class Oversight:
    """Everything of the mandate as it stands today."""

    today: date
    districts: tuple[str, ...]
    """Of the mandate; none: everywhere."""
    items: tuple[OverseenItem, ...]

    @property
    def total(self) -> Coverage:
        """Return all of it together."""
        return covered(self.items, "", "")

    @property
    def rows(self) -> tuple[Coverage, ...]:
        """Return district by district and, in each, venue type by venue type."""
        groups: dict[tuple[str, str], list[OverseenItem]] = {}
        for item in self.items:
            groups.setdefault((item.district, item.venue_type), []).append(item)
        return tuple(covered(groups[key], *key) for key in sorted(groups))

    @property
    def by_district(self) -> tuple[Coverage, ...]:
        """Return every district as a whole."""
        groups: dict[str, list[OverseenItem]] = {}
        for item in self.items:
            groups.setdefault(item.district, []).append(item)
        return tuple(covered(groups[key], key, "") for key in sorted(groups))


def oversight(ctx: Context, *, catalogue: Catalogue, site_id: int | None = None) -> Oversight:
    """Return the instruments of the actor's districts, those of one venue when it is named.

    Raises NotAllowed without a mandate, NotFound for a venue that holds nothing of them.
    """
    ctx.need("oversight.read")
    districts = ctx.actor.districts
    there = [] if site_id is None else [Instrument.site_id == site_id]
    with beyond_the_lab(ctx.session) as wide:
        items = overseen(wide, districts, ctx.today, catalogue, *there)
    if site_id is not None and not items:
        raise not_found("venue", site_id)
    named = () if EVERYWHERE in districts else tuple(sorted(districts))
    return Oversight(ctx.today, named, items)


def overseen_item(ctx: Context, instrument_id: int, *, catalogue: Catalogue) -> OverseenItem:
    """Return one instrument of the actor's districts.

    Raises NotAllowed without a mandate, NotFound outside it.
    """
    ctx.need("oversight.read")
    with beyond_the_lab(ctx.session) as wide:
        found = overseen(
            wide, ctx.actor.districts, ctx.today, catalogue, Instrument.id == instrument_id
        )
    if not found:
        raise not_found("instrument", instrument_id)
    return found[0]


def overseen_after(
    ctx: Context, wanted: Wanted, *, after: int, limit: int, catalogue: Catalogue
) -> tuple[OverseenItem, ...]:
    """Return so many of the wanted instruments by their numbers, the next after one.

    Raises NotAllowed without a mandate.
    """
    ctx.need("oversight.read")
    at_once = AT_ONCE if wanted.standing else limit
    found: list[OverseenItem] = []
    with beyond_the_lab(ctx.session) as wide:
        while len(found) < limit:
            numbers = _next_numbers(wide, ctx.actor.districts, wanted, after, at_once)
            if not numbers:
                break
            after = numbers[-1]
            items = overseen(
                wide, ctx.actor.districts, ctx.today, catalogue, Instrument.id.in_(numbers)
            )
            met = (item for item in items if wanted.meets(item))
            found += sorted(met, key=lambda item: item.instrument_id)
    return tuple(found[:limit])


def _next_numbers(
    wide: Session, districts: Iterable[str], wanted: Wanted, after: int, most: int
) -> Sequence[int]:
    conditions = [*within(districts), Instrument.id > after]
    if wanted.district is not None:
        conditions.append(func.coalesce(Site.district, "") == wanted.district)
    if wanted.venue_type:
        conditions.append(Site.venue_type == wanted.venue_type)
    return wide.scalars(
        select(Instrument.id)
        .outerjoin(Site, Site.id == Instrument.site_id)
        .join(Lab, Lab.id == Instrument.lab_id)
        .where(*conditions)
        .order_by(Instrument.id)
        .limit(most)
    ).all()


def overseen(
    wide: Session,
    districts: Iterable[str],
    today: date,
    catalogue: Catalogue,
    *narrower: ColumnElement[bool],
) -> tuple[OverseenItem, ...]:
    """Return the instruments that stand in the districts, in all laboratories; never scrapped."""
    conditions = [*within(districts), *narrower]
    shown = (
        select(Instrument.id)
        .outerjoin(Site, Site.id == Instrument.site_id)
        .join(Lab, Lab.id == Instrument.lab_id)
        .where(*conditions)
    )
    spoken = spoken_for(certificate_lines(wide, Certificate.instrument_id.in_(shown)))
    items = (
        _item(row, today, catalogue, *spoken.get(row.id, (None, None)))
        for row in wide.execute(_statement(conditions))
    )
    return tuple(sorted(items, key=_gravest_first))


def within(districts: Iterable[str]) -> list[Any]:
    """Return the conditions on a statement that joins sites and labs: open labs, the districts."""
    named = set(districts)
    conditions: list[Any] = [Lab.kind == "laboratory"]
    if EVERYWHERE not in named:
        conditions.append(Site.district.in_(sorted(named)))
    return conditions


def covered(items: Iterable[OverseenItem], district: str, venue_type: str) -> Coverage:
    """Count instruments and venues."""
    kept = tuple(items)
    venues = {(item.lab_id, item.site_id) for item in kept if item.site_id is not None}
    bad = {(i.lab_id, i.site_id) for i in kept if i.judgement.colour == "red"}
    counted = Counter(item.judgement.colour for item in kept)
    return Coverage(
        district=district,
        venue_type=venue_type,
        venues=len(venues),
        venues_good=len(venues - bad),
        instruments=len(kept),
        colours={colour: counted[colour] for colour in COLOURS},
        overdue=sum(item.is_overdue for item in kept),
        never=sum(not item.is_certified for item in kept),
        not_calibratable=sum(not item.is_calibratable for item in kept),
    )


def _statement(conditions: list[Any]) -> Executable:
    status = newest_status()
    return (
        select(
            Instrument.id,
            Instrument.lab_id,
            Lab.code.label("lab_code"),
            Instrument.barcode,
            Instrument.due_on,
            InstrumentModel.type_id,
            InstrumentModel.maker,
            InstrumentModel.model,
            InstrumentModel.use,
            InstrumentModel.calibration_mode,
            Site.id.label("site_id"),
            Site.name_en,
            Site.name_zh,
            Site.venue_type,
            Site.district,
            InstrumentStatus.status,
            InstrumentStatus.reason,
        )
        .join(Lab, Lab.id == Instrument.lab_id)
        .join(InstrumentModel, InstrumentModel.id == Instrument.model_id)
        .outerjoin(Site, Site.id == Instrument.site_id)
        .outerjoin(status, status.c.instrument_id == Instrument.id)
        .outerjoin(InstrumentStatus, InstrumentStatus.id == status.c.id)
        .where(*conditions, not_scrapped())
    )


def _item(
    row: Row[Any],
    today: date,
    catalogue: Catalogue,
    certificate: CertificateLine | None,
    check: CertificateLine | None,
) -> OverseenItem:
    type_: InstrumentType | None = catalogue.get(row.type_id) if row.type_id in catalogue else None
    lacking = lacks_mode(type_, row.calibration_mode)
    known = Standing(
        status=row.status,
        reason=row.reason,
        is_for_people_but_industrial=row.use == "industrial" and measures_people(type_),
        is_mode_unknown=lacking,
        certificate=certificate,
        check=check,
        due_on=row.due_on,
    )
    return OverseenItem(
        instrument_id=row.id,
        lab_id=row.lab_id,
        lab_code=row.lab_code,
        site_id=row.site_id,
        district=row.district or "",
        venue_type=row.venue_type or "",
        venue=LocalizedText(row.name_en, row.name_zh) if row.site_id else None,
        barcode=row.barcode,
        type_id=row.type_id,
        type_name=type_.name if type_ else LocalizedText(en=row.type_id),
        maker=row.maker,
        model=row.model,
        judgement=judge(known, today),
        due_on=row.due_on,
        is_overdue=row.due_on is not None and row.due_on < today,
        is_certified=certificate is not None,
        is_calibratable=not lacking,
        certificate_number=certificate.number if certificate else "",
        certificate_token=certificate.token if certificate else "",
    )


def _gravest_first(item: OverseenItem) -> tuple[str, str, int, int, str]:
    gravity = COLOURS.index(item.judgement.colour)
    return (item.district, item.venue_type, item.site_id or 0, gravity, item.barcode)
