"""Certificates as the lab's people and its customers find them.

Every list costs a constant number of queries. Today's work and the history of an instrument are
kept in modules of their own and can be asked for here; so can the board and the public page there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import aliased

from calib.certificates.document import CertificateDocument
from calib.records.calibrations import Calibration
from calib.records.certificates import Certificate, CertificateEvent, CertificateFile
from calib.services.certificate_rows import LATER
from calib.services.dashboard import Dashboard, dashboard
from calib.services.history import InstrumentHistory, instrument_history
from calib.services.standing import certificate_lines, named, records_ordered_by
from instruments.context import Context
from instruments.records.instruments import Instrument
from instruments.records.models import InstrumentModel
from instruments.records.orders import Order, OrderLine
from instruments.records.parties import Customer, Person
from instruments.services import fields
from instruments.services.rows import not_found, own_customer
from instruments.text import LocalizedText

__all__ = [
    "CertificateView",
    "Dashboard",
    "EventView",
    "FileView",
    "InstrumentHistory",
    "certificate",
    "certificate_document",
    "certificate_file",
    "certificates",
    "chosen_certificates",
    "dashboard",
    "instrument_history",
    "instrument_of_token",
]
MOST = 500
TOLD = ("issued", "superseded", "withdrawn")
"""Events that are the customer's business too."""
SORTS: Mapping[str, Sequence[Any]] = {
    "number": (Certificate.number,),
    "instrument": (InstrumentModel.maker, InstrumentModel.model),
    "customer": (Customer.name_zh, Customer.name_en),
    "done": (Certificate.performed_on,),
}
"""By what lists of certificates can stand."""
FILE_NAMES = {"pdf": "{number}.pdf", "dcc": "{number}-dcc.xml"}
"""Names of the files of a certificate by role; the others are JSON."""


@dataclass(frozen=True, slots=True)
class EventView:
    """Something that happened to a certificate."""

    event: str
    """reserved, issued, void, superseded, withdrawn."""
    at: datetime
    reason: str
    """Empty for the customer's people, but of what the certificate that replaces it prints."""
    person: str
    """Empty for the customer's people, as is the second: the certificate names who signed it."""
    second_person: str
    successor_id: int | None
    successor: str
    """Number of the certificate that replaces it; empty: none."""


@dataclass(frozen=True, slots=True)
class FileView:
    """A file of a certificate in the file store."""

    role: str
    """``pdf``, ``dcc``, ``input``, ``result``."""
    sha256: str
    size: int
    media_type: str
    name: str
    """Under which it is handed out."""


@dataclass(frozen=True, slots=True)
class CertificateView:
    """One certificate: where it stands, what happened to it, its files."""

    id: int
    number: str
    token: str
    kind: str
    state: str
    """reserved, issued, superseded, withdrawn, void."""
    verdict: str
    performed_on: date
    due_on: date | None
    reserved_at: datetime
    issued_at: datetime | None
    calibration_id: int
    instrument_id: int
    barcode: str
    item: str
    """Maker, model and serial."""
    customer: LocalizedText
    replaces_id: int | None
    replaces: str
    """Number of the certificate it replaces; empty: none."""
    payload_digest: str
    events: tuple[EventView, ...]
    """Oldest first."""
    files: tuple[FileView, ...]
    is_simulated: bool = False
    """Its readings come from a generator: it certifies no instrument."""
    passed_of: tuple[int, int] | None = None
    """How many pieces of a batch pass of how many, where some do not: the verdict alone lies."""


def certificates(  # noqa: PLR0913 -- what a list can be asked for
    ctx: Context,
    text: str = "",
    *,
    instrument_id: int | None = None,
    calibration_id: int | None = None,
    order_id: int | None = None,
    state: str | None = None,
    limit: int = 100,
    before: int | None = None,
    sort: str = "",
    offset: int = 0,
) -> tuple[CertificateView, ...]:
    """Return certificates the actor may see, newest first, those with an id below `before`.

    `text` is looked for in number, barcode and serial. `sort` is one of `SORTS`, a hyphen before it
    turns it round; then `offset` leaves out the first.
    """
    ctx.need("certificate.read")
    conditions: list[Any] = []
    if instrument_id is not None:
        conditions.append(Certificate.instrument_id == instrument_id)
    if calibration_id is not None:
        conditions.append(Certificate.calibration_id == calibration_id)
    if order_id is not None:
        conditions.append(OrderLine.order_id == order_id)
    if before is not None:
        conditions.append(Certificate.id < before)
    if state is not None:
        conditions += _in_state(state)
    if text.strip():
        columns = (Certificate.number, Instrument.barcode, Instrument.serial)
        wanted = text.strip()
        conditions.append(or_(*(column.icontains(wanted, autoescape=True) for column in columns)))
    return _views(ctx, conditions, max(1, min(limit, MOST)), sort, offset)


def certificate(ctx: Context, certificate_id: int) -> CertificateView:
    """Return one certificate.

    Raises
    ------
    NotFound
        The lab has no such certificate, the actor may not see it, or it was never issued and the
        actor is none of the lab's own people.
    """
    ctx.need("certificate.read")
    found = _views(ctx, [Certificate.id == certificate_id], 1)
    if not found:
        raise not_found("certificate", certificate_id)
    return found[0]


def instrument_of_token(ctx: Context, token: str) -> int | None:
    """Return the instrument whose label opens this token; whose it is, is asked elsewhere."""
    ctx.need("instrument.read")
    return ctx.session.scalars(
        select(Certificate.instrument_id).where(Certificate.token == token)
    ).one_or_none()


def chosen_certificates(ctx: Context, ids: Sequence[int]) -> tuple[CertificateView, ...]:
    """Return the certificates with these ids, each once, in their order.

    Raises
    ------
    Invalid
        More than are taken at once.
    NotFound
        As `certificate`, for any of them.
    """
    ctx.need("certificate.read")
    wanted = tuple(dict.fromkeys(ids))
    fields.few(wanted, "/id", MOST)
    found = {view.id: view for view in _views(ctx, [Certificate.id.in_(wanted)], MOST)}
    for id_ in wanted:
        if id_ not in found:
            raise not_found("certificate", id_)
    return tuple(found[id_] for id_ in wanted)


def certificate_file(ctx: Context, certificate_id: int, role: str) -> FileView:
    """Return where the file of a role is kept.

    Raises
    ------
    NotFound
        As `certificate`, or there is no file of this role.
    """
    for file in certificate(ctx, certificate_id).files:
        if file.role == role:
            return file
    raise not_found("certificate file", f"{certificate_id}/{role}")


def certificate_document(ctx: Context, certificate_id: int) -> CertificateDocument:
    """Return all that a certificate says.

    Raises
    ------
    NotFound
        As `certificate`.
    """
    certificate(ctx, certificate_id)
    payload = ctx.session.scalars(
        select(Certificate.payload).where(Certificate.id == certificate_id)
    ).one()
    return CertificateDocument.from_dict(json.loads(payload))


def _with_event(*events: str) -> Select[int]:
    return select(CertificateEvent.certificate_id).where(CertificateEvent.event.in_(events))


def _in_state(state: str) -> list[Any]:
    """Return the conditions under which a certificate's last word is `state`."""
    later = LATER[: LATER.index(state)] if state in LATER else LATER
    return [
        Certificate.id.not_in(_with_event(*later)),
        Certificate.id.in_(_with_event(state)),
    ]


def _visible(ctx: Context) -> list[Any]:
    """Return the conditions under which the actor may see a certificate."""
    own = own_customer(ctx)
    if own is None:
        return []
    return [
        Certificate.calibration_id.in_(records_ordered_by(own)),
        Certificate.id.in_(_with_event("issued")),
    ]


def _views(
    ctx: Context, conditions: list[Any], limit: int, sort: str = "", offset: int = 0
) -> tuple[CertificateView, ...]:
    columns = SORTS.get(sort.removeprefix("-"), ())
    turned = [column.desc() for column in columns] if sort.startswith("-") else columns
    replaced = aliased(Certificate)
    rows = ctx.session.execute(
        select(
            Certificate.id,
            Certificate.payload_digest,
            Instrument,
            InstrumentModel,
            Customer,
            replaced.number.label("replaces"),
        )
        .join(Instrument, Instrument.id == Certificate.instrument_id)
        .join(InstrumentModel, InstrumentModel.id == Instrument.model_id)
        .join(Calibration, Calibration.id == Certificate.calibration_id)
        .join(OrderLine, OrderLine.id == Calibration.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Customer, Customer.id == Order.customer_id)  # who ordered it, whoever has it now
        .outerjoin(replaced, replaced.id == Certificate.replaces_id)
        .where(*conditions, *_visible(ctx))
        .order_by(*turned, Certificate.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()
    ids = [row.id for row in rows]
    lines = {line.id: line for line in certificate_lines(ctx.session, Certificate.id.in_(ids))}
    events, files = _events(ctx, ids), _files(ctx, ids)
    return tuple(
        CertificateView(
            id=row.id,
            number=lines[row.id].number,
            token=lines[row.id].token,
            kind=lines[row.id].kind,
            state=lines[row.id].state,
            verdict=lines[row.id].verdict,
            performed_on=lines[row.id].performed_on,
            due_on=lines[row.id].due_on,
            reserved_at=lines[row.id].reserved_at,
            issued_at=lines[row.id].issued_at,
            calibration_id=lines[row.id].calibration_id,
            instrument_id=lines[row.id].instrument_id,
            barcode=row.Instrument.barcode,
            item=named(row.Instrument, row.InstrumentModel),
            customer=LocalizedText(en=row.Customer.name_en, zh=row.Customer.name_zh),
            replaces_id=lines[row.id].replaces_id,
            replaces=row.replaces or "",
            payload_digest=row.payload_digest,
            events=tuple(events.get(row.id, ())),
            files=tuple(files.get(row.id, ())),
            is_simulated=lines[row.id].is_simulated,
            passed_of=lines[row.id].passed_of,
        )
        for row in rows
    )


def _events(ctx: Context, ids: Sequence[int]) -> dict[int, list[EventView]]:
    second, successor = aliased(Person), aliased(Certificate)
    rows = ctx.session.execute(
        select(CertificateEvent, Person.name, second.name, successor.number)
        .outerjoin(Person, Person.id == CertificateEvent.person_id)
        .outerjoin(second, second.id == CertificateEvent.second_person_id)
        .outerjoin(successor, successor.id == CertificateEvent.successor_id)
        .where(CertificateEvent.certificate_id.in_(ids))
        .order_by(CertificateEvent.id)
    )
    found: dict[int, list[EventView]] = {}
    inner = ctx.actor.is_staff
    for event, person, witness, number in rows:
        if not inner and event.event not in TOLD:
            continue
        found.setdefault(event.certificate_id, []).append(
            EventView(
                event=event.event,
                at=event.happened_at,
                reason=event.reason if inner or event.event == "superseded" else "",
                person=(person or "") if inner else "",
                second_person=(witness or "") if inner else "",
                successor_id=event.successor_id,
                successor=number or "",
            )
        )
    return found


def _files(ctx: Context, ids: Sequence[int]) -> dict[int, list[FileView]]:
    rows = ctx.session.execute(
        select(CertificateFile, Certificate.number)
        .join(Certificate, Certificate.id == CertificateFile.certificate_id)
        .where(CertificateFile.certificate_id.in_(ids))
        .order_by(CertificateFile.role)
    )
    found: dict[int, list[FileView]] = {}
    for file, number in rows:
        name = FILE_NAMES.get(file.role, "{number}-{role}.json")
        found.setdefault(file.certificate_id, []).append(
            FileView(
                role=file.role,
                sha256=file.sha256,
                size=file.size,
                media_type=file.media_type,
                name=name.format(number=number, role=file.role),
            )
        )
    return found
