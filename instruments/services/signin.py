"""Signing in, tokens, and who stands behind a request.

Only hashes of passwords and tokens are kept. What a person may do is read from the memberships
valid on the lab's local date of the request, never from the token.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from instruments.context import Actor, Context
from instruments.errors import Invalid, NotAllowed
from instruments.policy import SIGNING, STAFF, Office, Role, things
from instruments.records.audit import AuditEvent
from instruments.records.parties import ApiToken, Lab, Membership, Person, SignIn
from instruments.services import audit, fields
from instruments.services.factors_held import with_factor
from instruments.services.mandates import authorities_of, valid_mandates
from instruments.services.rows import not_found
from instruments.services.secrets import (
    API,
    SIGN_IN,
    hash_password,
    is_password,
    new_token,
    token_hash,
)
from instruments.services.security_notices import tell
from instruments.tenancy import InstallationSession, beyond_the_lab

REACHES = ("read", *things())
"""What a token can be limited to."""
SIGN_IN_LIFE = timedelta(hours=12)
"""A sign-in ends after a working day, used or not."""
IDLE = timedelta(hours=1)
"""Nor does one stand that nobody used for so long."""
NOTED = timedelta(minutes=5)
"""How exactly the last use is kept: a row is not written for every request."""
MOST_OF_AGENT = 200


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a successful sign-in gives; the token is shown this once."""

    token: str
    person_id: int
    lab_id: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """Who stands behind a token, in which lab, with the roles held today."""

    person_id: int
    name: str
    lab_id: int
    lab_code: str
    lab_zone: ZoneInfo
    roles: frozenset[Role]
    customer_id: int | None
    language: str
    reach: frozenset[str] | None = None
    """What the token they came with is limited to; None: it is not."""
    is_unnoted: bool = False
    """Their sign-in was used, and that is to be noted."""
    must_enrol: bool = False
    """The lab demands a second factor of them, and they have none."""
    via: str = ""
    """``sign-in:7``, ``token:3``: whose token it is."""
    districts: frozenset[str] = frozenset()
    """What they oversee for an authority."""

    def actor(self) -> Actor:
        """Return the person as the context of a request names them."""
        office: Office | None = "regulator" if self.districts else None
        who = (self.person_id, self.name, self.roles, self.customer_id)
        return Actor(*who, self.reach, self.via, office, self.districts)


def sign_in(
    session: InstallationSession, email: str, password: str, lab_code: str | None, now: datetime
) -> SignedIn:
    """Open a sign-in in the named lab, or in the person's only one.

    Raises NotAllowed for a wrong address or password (which, it does not say) and when the person
    has no role in the lab today; Invalid when the lab must be named.
    """
    claim = claim_of(session, email)
    if not is_password(password, claim.password_hash) or claim.person_id is None:
        raise wrong()
    return open_sign_in(session, claim.person_id, lab_code, now)


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose account a mail address names, and the hash its password must fit; None: nobody's."""

    person_id: int | None
    password_hash: str | None


def claim_of(session: Session, email: str) -> Claim:
    """Return what a password typed with this mail address is to be compared with."""
    address = email.strip().lower()
    person = session.scalars(select(Person).where(Person.email == address)).one_or_none()
    if person is None or not person.is_active:
        return Claim(None, None)
    return Claim(person.id, person.password_hash)


def wrong() -> NotAllowed:
    """Return the one answer to a wrong mail address and to a wrong password."""
    return NotAllowed(
        "sign-in-failed",
        "The mail address or the password is wrong. Check both and try again.",
    )


def open_sign_in(
    session: InstallationSession,
    person_id: int,
    lab_code: str | None,
    now: datetime,
    agent: str = "",
    how: str = "password",
) -> SignedIn:
    """Open a sign-in of a person who showed who they are; `agent`: what their browser says it is.

    Raises NotAllowed when the person has no role in the lab today, Invalid when the lab must be
    named.
    """
    lab_id = _choose_lab(session, person_id, lab_code, now)
    token = new_token(SIGN_IN)
    expires_at = now + SIGN_IN_LIFE
    session.add(
        SignIn(
            person_id=person_id,
            lab_id=lab_id,
            token_sha256=token_hash(token),
            created_at=now,
            expires_at=expires_at,
            ended_at=None,
            agent="".join(c for c in agent if c.isprintable())[:MOST_OF_AGENT],
            proved_at=None,
        )
    )
    _trail(session, lab_id, person_id, "registry:person:sign_in", now, how=how)
    return SignedIn(token, person_id, lab_id, expires_at)


def mark(
    session: InstallationSession, token: str, *, has_factor: bool, proved_at: datetime | None
) -> None:
    """Write down of a sign-in just opened what its identity provider saw."""
    mine = select(SignIn).where(SignIn.token_sha256 == token_hash(token))
    row = session.scalars(mine).one()
    row.has_factor, row.proved_at = has_factor, proved_at
    session.flush()


def resolve(session: Session, token: str, now: datetime) -> Identity | None:
    """Return who stands behind a token, None when nobody does any more."""
    row = _find(session, token)
    if row is None or row.ended_at is not None or now >= ends_at(row):
        return None
    person, lab = session.get(Person, row.person_id), session.get(Lab, row.lab_id)
    if person is None or lab is None or not person.is_active or lab.suspended_at is not None:
        return None
    zone = ZoneInfo(lab.time_zone)
    today = now.astimezone(zone).date()
    memberships = _valid(session, person.id, lab.id, today)
    roles = frozenset(cast("Role", row.role) for row in memberships)
    districts = valid_mandates(session, person.id, lab.id, today)  # of an authority alone
    if not roles and not districts:
        return None
    customers = sorted(m.customer_id for m in memberships if m.customer_id is not None)
    return Identity(
        person_id=person.id,
        name=person.name,
        lab_id=lab.id,
        lab_code=lab.code,
        lab_zone=zone,
        roles=roles,
        customer_id=customers[0] if customers and not roles & STAFF else None,
        language=person.language,
        reach=frozenset(row.reach.split()) or None if isinstance(row, ApiToken) else None,
        is_unnoted=isinstance(row, SignIn) and now >= _last_use(row) + NOTED,
        must_enrol=bool(lab.demands_second_factor and roles & SIGNING)
        and not (isinstance(row, SignIn) and row.has_factor)
        and not with_factor(session, {person.id}),
        via=_way(row),
        districts=districts,
    )


def _way(row: SignIn | ApiToken) -> str:
    return f"token:{row.id}" if isinstance(row, ApiToken) else f"sign-in:{row.id}"


def ends_at(row: SignIn | ApiToken) -> datetime:
    """Return when a sign-in ends if nobody uses it, or a token of a program in any case."""
    if isinstance(row, ApiToken):
        return row.expires_at
    return min(row.expires_at, _last_use(row) + IDLE)


def note_use(session: Session, token: str, now: datetime) -> None:
    """Note that a sign-in was used just now."""
    row = _find(session, token)
    if isinstance(row, SignIn):
        row.used_at = now


def _last_use(row: SignIn) -> datetime:
    return row.used_at or row.created_at


def end_sign_in(session: Session, token: str, now: datetime) -> None:
    """End a sign-in; an unknown or ended one stays as it is."""
    row = _find(session, token)
    if row is not None and row.ended_at is None:
        row.ended_at = now
        _trail(session, row.lab_id, row.person_id, "registry:person:sign_out", now)


def make_token(ctx: Context, *, name: str, days: int = 90, reach: Collection[str] = ()) -> str:
    """Return a new API token of the actor for this lab; it is shown this once.

    It may do what its owner may, or of that only what `reach` names: ``read``, or things.

    Raises Invalid for a life that is not 1 to 366 days, and for a thing there is none of.
    """
    ctx.need("account.change")
    fields.whole(days, "/days", low=1, high=366)
    token = new_token(API)
    row = ApiToken(
        person_id=ctx.actor.person_id,
        lab_id=ctx.lab_id,
        name=fields.words(name, "/name", required=True, limit=100),
        reach=" ".join(fields.choice(one, REACHES, "/reach") for one in sorted(set(reach))),
        token_sha256=token_hash(token),
        created_at=ctx.now,
        expires_at=ctx.now + timedelta(days=days),
        ended_at=None,
    )
    ctx.session.add(row)
    ctx.session.flush()
    facts = {"name": row.name, "expires_at": row.expires_at.isoformat(), "reach": row.reach}
    audit.record(ctx, "registry:token:make", "api_token", row.id, facts)
    return token


@dataclass(frozen=True, slots=True)
class TokenView:
    """An API token as its owner sees it; the token itself is kept nowhere."""

    id: int
    name: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    reach: tuple[str, ...]


def list_tokens(ctx: Context) -> tuple[TokenView, ...]:
    """Return the actor's own API tokens for this lab, newest first."""
    ctx.need("account.read")
    rows = ctx.session.scalars(
        select(ApiToken)
        .where(ApiToken.person_id == ctx.actor.person_id, ApiToken.lab_id == ctx.lab_id)
        .order_by(ApiToken.id.desc())
    )
    return tuple(
        TokenView(
            id=row.id,
            name=row.name,
            created_at=row.created_at,
            expires_at=row.expires_at,
            ended_at=row.ended_at,
            reach=tuple(row.reach.split()),
        )
        for row in rows
    )


def end_token(ctx: Context, token_id: int) -> None:
    """End an API token of the actor, or of anybody in the lab when a manager asks.

    Raises NotFound when there is no such token here.
    """
    row = ctx.session.get(ApiToken, token_id)
    own = row is not None and row.person_id == ctx.actor.person_id
    if row is None or row.lab_id != ctx.lab_id or not (own or ctx.may("person.write")):
        raise not_found("token", token_id)
    if row.ended_at is None:
        row.ended_at = ctx.now
        audit.record(ctx, "registry:token:end", "api_token", row.id, {"name": row.name})


def change_password(ctx: Context, *, old: str, new: str) -> None:
    """Change the actor's own password and end every other sign-in of theirs.

    Raises NotAllowed when the old password is wrong, Invalid when the new one is weak.
    """
    ctx.need("account.change")
    person = ctx.session.get(Person, ctx.actor.person_id)
    if person is None or not is_password(old, person.password_hash):
        raise NotAllowed(
            "password-wrong", "The present password is wrong. Type it again.", at="/old"
        )
    person.password_hash = hash_password(new)
    end_sign_ins(ctx, person.id)
    tell(ctx.session, person.id, "password", ctx.now)
    audit.record(ctx, "registry:person:change_password", "person", person.id, {})


def end_sign_ins(ctx: Context, person_id: int) -> None:
    """End every open sign-in of a person, in whatever lab: whoever holds one would stay in."""
    open_ones = select(SignIn).where(SignIn.person_id == person_id, SignIn.ended_at.is_(None))
    with beyond_the_lab(ctx.session) as wide:
        for row in wide.scalars(open_ones):
            row.ended_at = ctx.now


def _choose_lab(session: Session, person_id: int, lab_code: str | None, now: datetime) -> int:
    rows = session.execute(
        select(Lab, Membership)
        .join(Membership, Membership.lab_id == Lab.id)
        .where(Membership.person_id == person_id, Lab.suspended_at.is_(None))
        .order_by(Lab.code)
    )
    labs: dict[str, int] = {}
    for lab, row in rows:
        today = now.astimezone(ZoneInfo(lab.time_zone)).date()
        if row.starts_on <= today and (row.ends_on is None or today <= row.ends_on):
            labs[lab.code] = lab.id
    labs |= authorities_of(session, person_id, now)
    wanted = labs if lab_code is None else {c: i for c, i in labs.items() if c == lab_code}
    if not wanted:
        raise NotAllowed(
            "no-role-today",
            "You have no role in {lab} today. Ask a lab manager to grant you one.",
            at="/lab_code",
            facts={"lab": lab_code or "any lab"},
        )
    if len(wanted) > 1:
        raise Invalid(
            "lab-not-named",
            "You work in several labs: {labs}. Name the one to sign in to.",
            at="/lab_code",
            facts={"labs": ", ".join(wanted)},
        )
    return next(iter(wanted.values()))


def _valid(session: Session, person_id: int, lab_id: int, on: date) -> list[Membership]:
    return list(
        session.scalars(
            select(Membership).where(
                Membership.lab_id == lab_id,
                Membership.person_id == person_id,
                Membership.starts_on <= on,
                or_(Membership.ends_on.is_(None), Membership.ends_on >= on),
            )
        )
    )


def _find(session: Session, token: str) -> SignIn | ApiToken | None:
    kept = token_hash(token)
    if token.startswith(SIGN_IN):
        return session.scalars(select(SignIn).where(SignIn.token_sha256 == kept)).one_or_none()
    if token.startswith(API):
        return session.scalars(select(ApiToken).where(ApiToken.token_sha256 == kept)).one_or_none()
    return None


def _trail(
    session: Session, lab_id: int, person_id: int, act: str, now: datetime, **facts: str
) -> None:
    event = AuditEvent(
        lab_id=lab_id,
        happened_at=now,
        person_id=person_id,
        act=act,
        object_kind="person",
        object_id=person_id,
        facts=facts,
        request_id="",
    )
    audit.append(session, event)
