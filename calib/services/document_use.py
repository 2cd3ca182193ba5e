"""What rests on a governing document: types, work in hand, issued certificates, people to tell.

The number of queries does not depend on how many there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from calib.services.document_work import (
    CertificateUse,
    WorkUse,
    certificates,
    frozen_with,
    opened,
    waiting,
)
from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.procedure import InstrumentType
from instruments.records.parties import Customer
from instruments.services.documents import DocumentView, get_document
from instruments.services.method_views import lab_catalogue
from instruments.text import LocalizedText


@dataclass(frozen=True, slots=True)
class TypeUse:
    """A type, or a lab's own method, that names the document."""

    type_id: str
    version: str
    name: LocalizedText
    is_own: bool
    """A method of this lab."""
    role: str
    limits: tuple[LocalizedText, ...]
    """Measurands whose limits come from it."""
    points: tuple[LocalizedText, ...]
    examinations: tuple[LocalizedText, ...]
    environment: tuple[str, ...]
    """Quantities whose range comes from it."""


@dataclass(frozen=True, slots=True)
class PersonToTell:
    """A customer with work or current certificates that rest on the document."""

    customer_id: int
    name: LocalizedText
    contact: str
    phone: str
    email: str
    sites: tuple[LocalizedText, ...]
    current: int
    """Certificates that still speak for an item."""
    in_work: int


@dataclass(frozen=True, slots=True)
class DocumentUse:
    """All that rests on one document."""

    view: DocumentView
    types: tuple[TypeUse, ...]
    work: tuple[WorkUse, ...]
    certificates: tuple[CertificateUse, ...]
    """Newest first."""
    people: tuple[PersonToTell, ...]

    @property
    def current(self) -> int:
        """Return how many certificates still speak for an item."""
        return sum(one.standing == "current" for one in self.certificates)

    @property
    def after_end(self) -> tuple[CertificateUse, ...]:
        """Return the certificates issued when the document was out of force already."""
        return tuple(one for one in self.certificates if one.is_after_end)


def document_use(ctx: Context, number: str, *, catalogue: Catalogue) -> DocumentUse:
    """Return what rests on a document in this lab.

    Raises
    ------
    NotAllowed
        The actor is none of the lab's own people.
    NotFound
    """
    view = get_document(ctx, number)
    types = lab_catalogue(ctx, catalogue).list()
    frozen = frozen_with(ctx, number)
    citing = {t.id: t for t in types if _cites(t, number)}
    work = (*opened(ctx, frozen), *waiting(ctx, citing, number))
    issued = certificates(ctx, view.document.ends_on, frozen)
    return DocumentUse(
        view=view,
        types=tuple(use for t in types if (use := _type_use(t, number, catalogue)) is not None),
        work=work,
        certificates=issued,
        people=_people(ctx.session, work, issued),
    )


# ------------------------------------------------------------------------------------------- types


def _cites(type_: InstrumentType, number: str) -> bool:
    return any(document.id == number for document in type_.documents)


def _type_use(type_: InstrumentType, number: str, catalogue: Catalogue) -> TypeUse | None:
    if not _cites(type_, number):
        return None
    return TypeUse(
        type_id=type_.id,
        version=type_.version,
        name=type_.name,
        is_own=type_.version not in catalogue.versions(type_.id),
        role=type_.document(number).role,
        limits=_once(
            m.name for m in type_.measurands if any(lim.document == number for lim in m.limits)
        ),
        points=_once(m.name for m in type_.measurands if m.points.document == number),
        examinations=tuple(e.name for e in type_.examinations if e.document == number),
        environment=tuple(e.quantity for e in type_.environment if e.document == number),
    )


def _once(names: Iterable[LocalizedText]) -> tuple[LocalizedText, ...]:
    return tuple(dict.fromkeys(names))


# ------------------------------------------------------------------------------------------ people


def _people(
    session: Session, work: Iterable[WorkUse], issued: Iterable[CertificateUse]
) -> tuple[PersonToTell, ...]:
    found: dict[int, PersonToTell] = {}

    def person(customer_id: int, name: LocalizedText) -> PersonToTell:
        return found.get(customer_id) or PersonToTell(customer_id, name, "", "", "", (), 0, 0)

    for piece in work:
        one = person(piece.customer_id, piece.customer)
        found[piece.customer_id] = replace(one, in_work=one.in_work + 1)
    for certificate in issued:
        if certificate.standing == "current":
            one = person(certificate.customer_id, certificate.customer)
            sites = one.sites
            if certificate.site is not None and certificate.site not in sites:
                sites = (*sites, certificate.site)
            found[certificate.customer_id] = replace(one, current=one.current + 1, sites=sites)
    rows = session.scalars(select(Customer).where(Customer.id.in_(sorted(found))))
    for row in rows:
        found[row.id] = replace(
            found[row.id], contact=row.contact, phone=row.phone, email=row.email
        )
    return tuple(sorted(found.values(), key=lambda one: (-one.current, one.customer_id)))
