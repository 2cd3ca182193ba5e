"""People and the roles they hold in a lab.

Roles are rows with a first and a last day, read anew for every request, so that a role that ended
ends at once. Signing in is told in `instruments.services.signin`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from instruments.context import Context
from instruments.errors import Conflict, Invalid, Refused
from instruments.policy import BOUND, ROLES, Role, Thing
from instruments.records.audit import AuditEvent
from instruments.records.parties import Customer, Lab, Membership, Person
from instruments.services import audit, fields, links
from instruments.services.accounts import labs_of, set_active
from instruments.services.labs import LANGUAGES, create_lab
from instruments.services.rows import get_row, not_found
from instruments.services.secrets import hash_password
from instruments.services.signin import (
    Identity,
    SignedIn,
    change_password,
    end_sign_in,
    end_token,
    make_token,
    resolve,
    sign_in,
)
from instruments.tenancy import InstallationSession, hold_lab

__all__ = [
    "Identity",
    "MembershipView",
    "PersonView",
    "SignedIn",
    "account_of",
    "admit",
    "appoint",
    "change_password",
    "create_lab",
    "end_role",
    "end_sign_in",
    "end_token",
    "grant",
    "labs_of",
    "list_people",
    "make_token",
    "register_person",
    "resolve",
    "set_active",
    "sign_in",
]


@dataclass(frozen=True, slots=True)
class MembershipView:
    """A role of a person in the lab over a period."""

    id: int
    role: Role
    customer_id: int | None
    starts_on: date
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person with every role ever held in the lab."""

    id: int
    email: str
    name: str
    is_active: bool
    memberships: tuple[MembershipView, ...]
    human: int = 0
    """Whose further account this is; 0: nobody's."""


def register_person(
    session: Session,
    *,
    email: str,
    name: str,
    password: str | None,
    now: datetime,
    language: str = "zh",
) -> int:
    """Open an account and return the person's id; without a password nobody can sign in to it.

    Raises Conflict when the mail address has an account, Invalid for unusable fields.
    """
    address = fields.email(email, "/email", required=True)
    if account_of(session, address) is not None:
        raise Conflict(
            "email-taken",
            "There is an account for {email}. Give that person a role instead.",
            at="/email",
            facts={"email": address},
        )
    person = Person(
        email=address,
        name=fields.words(name, "/name", required=True, limit=100),
        password_hash=None if password is None else hash_password(password),
        language=fields.choice(language, LANGUAGES, "/language"),
        created_at=now,
    )
    session.add(person)
    session.flush()
    return person.id


def account_of(session: Session, email: str) -> int | None:
    """Return the person whose account a mail address names, whatever lab opened it."""
    address = fields.email(email, "/email", required=True)
    return session.scalar(select(Person.id).where(Person.email == address))


def admit(
    ctx: Context,
    *,
    email: str,
    role: str,
    name: str = "",
    language: str = "zh",
    starts_on: date | None = None,
    ends_on: date | None = None,
    customer_id: int | None = None,
) -> int:
    """Give a role to whoever has the account of a mail address; where there is none, open one.

    A new account has no password: its owner is invited by mail to choose one, and nobody else
    ever knows it.

    Raises NotAllowed unless a manager asks, Conflict when the person holds the role already,
    Invalid for unusable fields.
    """
    ctx.need("person.write")
    person_id = account_of(ctx.session, email)
    if person_id is None:
        person_id = register_person(
            ctx.session,
            email=email,
            name=name,
            password=None,
            now=ctx.now,
            language=language,
        )
        links.ask(ctx.session, "invitation", email, origin="", now=ctx.now)
        audit.record(ctx, "registry:person:invite", "person", person_id, {})
    return grant(
        ctx,
        person_id=person_id,
        role=role,
        starts_on=starts_on,
        ends_on=ends_on,
        customer_id=customer_id,
    )


def grant(
    ctx: Context,
    *,
    person_id: int,
    role: str,
    starts_on: date | None = None,
    ends_on: date | None = None,
    customer_id: int | None = None,
) -> int:
    """Give a person a role in this lab, from today unless told otherwise.

    Raises NotAllowed unless a manager asks, Refused when they ask for themselves, Conflict when the
    person holds the role already.
    """
    ctx.need("role.write", Thing(ctx.lab_id, done_by=frozenset({person_id})))  # not to oneself
    if customer_id is not None:
        get_row(ctx, Customer, customer_id, "customer", "/customer_id")
    membership = Membership(
        lab_id=ctx.lab_id,
        person_id=person_id,
        role=role,
        customer_id=customer_id,
        starts_on=starts_on or ctx.today,
        ends_on=ends_on,
    )
    _add(ctx.session, membership)
    audit.record(ctx, "registry:membership:grant", "membership", membership.id, _said(membership))
    return membership.id


def appoint(
    session: InstallationSession, *, lab_id: int, person_id: int, role: str, now: datetime
) -> int:
    """Give a person a role for the installation itself: the first manager of a new lab.

    Raises Conflict when the person holds the role already.
    """
    lab = session.get(Lab, lab_id)
    if lab is None:
        raise not_found("lab", lab_id)
    membership = Membership(
        lab_id=lab_id,
        person_id=person_id,
        role=role,
        customer_id=None,
        starts_on=now.astimezone(ZoneInfo(lab.time_zone)).date(),
        ends_on=None,
    )
    _add(session, membership)
    audit.append(
        session,
        AuditEvent(
            lab_id=lab_id,
            happened_at=now,
            person_id=None,
            act="registry:membership:appoint",
            object_kind="membership",
            object_id=membership.id,
            facts=_said(membership),
            request_id="",
        ),
    )
    return membership.id


def end_role(ctx: Context, membership_id: int, ends_on: date) -> None:
    """Set the last day of a role.

    Raises NotAllowed unless a manager asks, Invalid when it would end before it began, Refused when
    the lab would then have no manager.
    """
    ctx.need("role.write")
    hold_lab(ctx.session, ctx.lab_id)
    membership = get_row(ctx, Membership, membership_id, "membership")
    fields.period(membership.starts_on, ends_on, "/ends_on")
    if membership.role == "manager" and not _is_managed_after(ctx, membership.id, ends_on):
        raise Refused(
            "last-manager",
            "After {ends_on} nobody would manage this lab, and only a manager can give roles. Give "
            "a colleague the role first.",
            at="/ends_on",
            facts={"ends_on": ends_on.isoformat()},
        )
    membership.ends_on = ends_on
    audit.record(ctx, "registry:membership:end", "membership", membership.id, _said(membership))


def _is_managed_after(ctx: Context, leaving_id: int, day: date) -> bool:
    """Answer whether somebody else holds the role of a manager beyond a day."""
    other = (
        select(Membership.id)
        .join(Person, Person.id == Membership.person_id)
        .where(
            Membership.id != leaving_id,
            Membership.role == "manager",
            Membership.starts_on <= max(day, ctx.today),
            or_(Membership.ends_on.is_(None), Membership.ends_on > day),
            Person.is_active == True,  # noqa: E712 -- a column of 0 and 1, not a truth value
        )
    )
    return ctx.session.scalars(other).first() is not None


def list_people(ctx: Context) -> tuple[PersonView, ...]:
    """Return everybody who ever held a role in this lab.

    Raises NotAllowed for people who are not the lab's own.
    """
    ctx.need("person.read")
    rows = ctx.session.execute(
        select(Person, Membership)
        .join(Membership, Membership.person_id == Person.id)
        .order_by(Person.name, Person.id, Membership.starts_on, Membership.id)
    ).all()
    held: dict[int, tuple[Person, list[MembershipView]]] = {}
    for person, row in rows:
        view = MembershipView(
            row.id, cast("Role", row.role), row.customer_id, row.starts_on, row.ends_on
        )
        held.setdefault(person.id, (person, []))[1].append(view)
    return tuple(
        PersonView(
            person.id, person.email, person.name, person.is_active, tuple(views), person.human
        )
        for person, views in held.values()
    )


def _add(session: Session, membership: Membership) -> None:
    fields.choice(membership.role, ROLES, "/role")
    fields.period(membership.starts_on, membership.ends_on, "/ends_on")
    _check_whose(membership)
    if session.get(Person, membership.person_id) is None:
        raise not_found("person", membership.person_id, "/person_id")
    hold_lab(session, membership.lab_id)
    same = select(Membership).where(
        Membership.lab_id == membership.lab_id,
        Membership.person_id == membership.person_id,
        Membership.role == membership.role,
        or_(Membership.ends_on.is_(None), Membership.ends_on >= membership.starts_on),
    )
    if overlaps(session.scalars(same), membership):
        raise Conflict(
            "role-held",
            "This person holds the role {role} in that period. End that one first.",
            at="/role",
            facts={"role": membership.role},
        )
    session.add(membership)
    session.flush()


def _check_whose(membership: Membership) -> None:
    bound = membership.role in BOUND
    if bound and membership.customer_id is None:
        raise Invalid(
            "membership-customer",
            "Who holds the role {role} belongs to a customer. Name the customer.",
            at="/customer_id",
            facts={"role": membership.role},
        )
    if not bound and membership.customer_id is not None:
        raise Invalid(
            "membership-customer",
            "The role {role} belongs to the lab, not to a customer. Leave the customer out.",
            at="/customer_id",
            facts={"role": membership.role},
        )


def overlaps(rows: Iterable[Membership], new: Membership) -> bool:
    """Answer whether the new role falls into the period of one that ends after it begins."""
    return any(new.ends_on is None or row.starts_on <= new.ends_on for row in rows)


def _said(row: Membership) -> dict[str, object]:
    return {
        "person": row.person_id,
        "role": row.role,
        "customer": row.customer_id,
        "from": row.starts_on.isoformat(),
        "until": row.ends_on.isoformat() if row.ends_on else None,
    }
