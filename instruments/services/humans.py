"""Which accounts are of one human being: whoever has two is still no second person."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from instruments.context import Context
from instruments.errors import Refused
from instruments.policy import Thing
from instruments.records.parties import Membership, Person
from instruments.services import audit
from instruments.services.rows import not_found


def humans_of(session: Session, persons: Collection[int]) -> Mapping[int, int]:
    """Return the human being behind each account, as the id of their first one."""
    rows = session.execute(select(Person.id, Person.human).where(Person.id.in_(persons)))
    return {id_: human or id_ for id_, human in rows}


def had_a_hand(session: Session, person_id: int, others: Collection[int]) -> bool:
    """Answer whether the human being behind an account stands behind one of the others too."""
    humans = humans_of(session, {person_id, *others})
    return humans[person_id] in {humans[other] for other in others}


def join_accounts(ctx: Context, person_id: int, first_id: int | None) -> None:
    """Say that an account is a further one of a colleague; None: that it is nobody else's.

    Raises NotAllowed unless a manager asks, Refused when it is about themselves, NotFound when one
    of the two never had a role in this lab.
    """
    touched = {person_id} if first_id is None else {person_id, first_id}
    ctx.need("role.write", Thing(ctx.lab_id, done_by=frozenset(touched)))
    person = _of_lab(ctx, person_id, "/person_id")
    first = _of_lab(ctx, first_id, "/first_id") if first_id is not None else None
    if first is not None and first.id == person.id:
        raise Refused(
            "same-account",
            "These are not two accounts but one. Choose the other account of {name}.",
            at="/first_id",
            facts={"name": person.name},
        )
    before = person.human or person.id
    human = first.human or first.id if first is not None else 0
    further = select(Person).where(Person.human == person.id)
    for row in (person, *ctx.session.scalars(further)):
        row.human = 0 if human == row.id else human
    facts = {"before": before, "after": human or person.id}
    audit.record(ctx, "registry:person:join", "person", person.id, facts)


def _of_lab(ctx: Context, person_id: int, at: str) -> Person:
    known = select(Membership.id).where(Membership.person_id == person_id).limit(1)
    person: Person | None = ctx.session.get(Person, person_id)
    if person is None or ctx.session.scalar(known) is None:
        raise not_found("person", person_id, at)
    return person
