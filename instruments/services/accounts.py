"""Accounts of a lab's people: close and reopen them.

An account is a person's, not a lab's: what one lab alone may not do to it is refused here.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from instruments.context import Context
from instruments.errors import Refused
from instruments.records.parties import ApiToken, Lab, Membership, Person
from instruments.services import audit
from instruments.services.labs import LabView, lab_view
from instruments.services.rows import not_found
from instruments.services.signin import end_sign_ins
from instruments.tenancy import beyond_the_lab


def set_active(ctx: Context, person_id: int, *, is_active: bool) -> None:
    """Close or reopen the account of a person of this lab; closing ends sign-ins and API tokens.

    Raises NotAllowed unless a manager asks, NotFound when the person never had a role here, Refused
    when the person has a role in another lab (an account is not one lab's to close) or is the one
    who asks.
    """
    ctx.need("person.write")
    if person_id == ctx.actor.person_id:
        raise Refused(
            "own-account", "Nobody closes their own account. Ask another manager of this lab."
        )
    person = _account(ctx, person_id)
    person.is_active = is_active
    if not is_active:
        _end_all(ctx, person_id)
    audit.record(ctx, "registry:person:activate", "person", person_id, {"is_active": is_active})


def _end_all(ctx: Context, person_id: int) -> None:
    """End what the account was opened with: reopening it brings none of that back."""
    tokens = select(ApiToken).where(ApiToken.person_id == person_id, ApiToken.ended_at.is_(None))
    end_sign_ins(ctx, person_id)
    with beyond_the_lab(ctx.session) as wide:
        for row in wide.scalars(tokens):
            row.ended_at = ctx.now


def labs_of(session: Session, person_id: int, now: datetime | None = None) -> tuple[LabView, ...]:
    """Return the labs a person has a role in, at `now` when it is given, ever otherwise."""
    rows = session.execute(_of_person(person_id).order_by(Lab.code)).all()
    return tuple(dict.fromkeys(lab_view(lab) for lab, row in rows if _holds(lab, row, now)))


def _of_person(person_id: int) -> Select[Lab, Membership]:
    joined = select(Lab, Membership).join(Membership, Membership.lab_id == Lab.id)
    return joined.where(Membership.person_id == person_id)


def _holds(lab: Lab, row: Membership, now: datetime | None) -> bool:
    if now is None:
        return True
    today = now.astimezone(ZoneInfo(lab.time_zone)).date()
    return row.starts_on <= today and (row.ends_on is None or today <= row.ends_on)


def _account(ctx: Context, person_id: int) -> Person:
    """Return the account of somebody who has roles nowhere else today."""
    known = select(Membership.id).where(Membership.person_id == person_id)
    person: Person | None = ctx.session.get(Person, person_id)
    if person is None or ctx.session.scalars(known).first() is None:
        raise not_found("person", person_id)
    with beyond_the_lab(ctx.session) as wide:
        labs = labs_of(wide, person_id, ctx.now)
    if any(lab.id != ctx.lab_id for lab in labs):
        raise Refused(
            "account-of-several-labs",
            "{name} has a role in another lab as well, so this lab alone can neither close nor "
            "open the account. End the roles held here instead.",
            facts={"name": person.name},
        )
    return person
