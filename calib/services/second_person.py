"""The second person of an act that needs two."""

from __future__ import annotations

from typing import cast

from sqlalchemy import or_, select

from instruments.context import Actor, Context
from instruments.errors import Conflict, NotAllowed, Refused
from instruments.policy import Role
from instruments.records.parties import Membership, Person
from instruments.services.humans import had_a_hand, humans_of

SECOND = ("reviewer", "signatory", "manager")
"""Roles that may be the second person."""


def need_second(ctx: Context, person_id: int) -> None:
    """Make sure that another person of the lab agrees who may.

    Raises
    ------
    Refused
        It is the same person, or one without a role that allows it.
    """
    known = person_id in humans_of(ctx.session, {person_id})
    if known and had_a_hand(ctx.session, ctx.actor.person_id, {person_id}):
        raise Refused(
            "second-person-same",
            "This needs two persons, and {name} is both. Name a colleague who agrees.",
            at="/second_person_id",
            facts={"name": ctx.actor.name},
        )
    held = ctx.session.scalar(
        select(Membership.id)
        .join(Person, Person.id == Membership.person_id)
        .where(
            Membership.person_id == person_id,
            Membership.role.in_(SECOND),
            Membership.starts_on <= ctx.today,
            or_(Membership.ends_on.is_(None), Membership.ends_on >= ctx.today),
            Person.is_active == True,  # noqa: E712 -- a column of 0 and 1, not a truth value
        )
        .limit(1)
    )
    if held is None:
        raise Refused(
            "second-person-unfit",
            "The second person must be a reviewer, signatory or manager of this lab today. "
            "Name another colleague.",
            at="/second_person_id",
            facts={"person_id": person_id},
        )


def actor_today(ctx: Context, person_id: int) -> Actor:
    """Return whoever proposed an act, with the roles they hold today."""
    held = ctx.session.scalars(
        select(Membership.role).where(
            Membership.person_id == person_id,
            Membership.starts_on <= ctx.today,
            or_(Membership.ends_on.is_(None), Membership.ends_on >= ctx.today),
        )
    )
    roles = frozenset(cast("Role", one) for one in held)
    return Actor(person_id, name_of(ctx, person_id), roles)


def name_of(ctx: Context, person_id: int) -> str:
    """Return what a person is called."""
    name: str = ctx.session.scalars(select(Person.name).where(Person.id == person_id)).one()
    return name


def proposal_ended() -> Conflict:
    """Return why a proposal can no longer be agreed to."""
    return Conflict(
        "proposal-ended",
        "This proposal is not there any more: it was agreed to, or is older than a day. Have "
        "it proposed again.",
    )


def consent_not_yours() -> NotAllowed:
    """Return why this consent does not count."""
    return NotAllowed(
        "consent-not-yours",
        "This waits for the consent of another colleague, proved with password and code or a "
        "passkey. Ask whom the proposal names.",
        at="/password",
    )
