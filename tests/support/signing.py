"""Signing as people do: asked what, shown what, proved who."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from calib.services import review, signatures
from calib.services.signatures import ChallengeView
from instruments.context import Context
from instruments.records.parties import Person as PersonRow
from instruments.services import approval_rules, passkeys, reauthentication
from instruments.services.approval_rules import ApprovalRules
from instruments.services.reauthentication import Answer, Asker, Proof
from instruments.services.secrets import hash_password, token_hash
from instruments.tenancy import installation_session
from tests.support import issuing
from tests.support.builders import NOW, PASSWORD, context_for
from tests.support.issuing import Bench, Person

SIGNED = ApprovalRules(keeps_competence=False, demands_signatures=True, separates_signatory=False)
STEPS = {"performed": review.submit, "reviewed": review.review, "authorised": review.authorise}
PARTY = passkeys.Party("calib.example.org", issuing.BASE)


def demand(bench: Bench) -> None:
    """Have the lab demand signatures, and give everybody of the bench a password."""
    with context_for(bench.installation) as ctx:
        approval_rules.set_rules(ctx, SIGNED)
    with installation_session(bench.engine) as session:
        for person in (bench.technician, bench.colleague, bench.reviewer, bench.signatory):
            session.get_one(PersonRow, person.id).password_hash = hash_password(PASSWORD)


def session_of(person: Person) -> str:
    """Return the session of somebody, as its hash."""
    return token_hash(f"session of {person.id}")


def asked(
    bench: Bench, person: Person, id_: int, meaning: str, *, now: datetime = NOW, session: str = ""
) -> ChallengeView:
    """Return what a person is asked to sign."""
    with bench.as_(person, now=now) as ctx:
        return review.ask_to_sign(ctx, id_, meaning, session or session_of(person))


def proved(
    bench: Bench, person: Person, challenge: str, *, now: datetime = NOW, **more: Any
) -> Proof:
    """Return the proof of a person, by the password unless told otherwise."""
    asker = Asker(person.id, more.pop("session", "") or session_of(person), "here", PARTY)
    answer = Answer(challenge, **({"password": PASSWORD} | more))
    signed = signatures.bytes_to_sign(bench.engine, challenge)
    return reauthentication.prove(bench.engine, asker, answer, signed, lambda: now)


def sign(bench: Bench, person: Person, id_: int, meaning: str, now: datetime = NOW) -> None:
    """Sign a step of the way."""
    view = asked(bench, person, id_, meaning, now=now)
    proof = proved(bench, person, view.challenge, now=now)
    with bench.as_(person, now=now) as ctx:
        act(ctx, id_, meaning, proof)


def act(ctx: Context, id_: int, meaning: str, proof: Proof | None) -> None:
    """Do what is signed."""
    STEPS[meaning](ctx, id_, issuing.version_of(ctx, id_), signing=proof)  # type: ignore[operator]


def authorised(bench: Bench, now: datetime = NOW, **more: Any) -> int:
    """Return a record that everybody signed, ready to be issued."""
    id_ = issuing.filled(bench, **more)
    for person, meaning in (
        (bench.technician, "performed"),
        (bench.reviewer, "reviewed"),
        (bench.signatory, "authorised"),
    ):
        sign(bench, person, id_, meaning, now)
    return id_
