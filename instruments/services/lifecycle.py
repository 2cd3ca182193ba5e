"""What ends: a laboratory is suspended, an account is erased once its time is over.

These are acts of the installation's operator. Records stay as they are; the trail and the ledger
name people by number alone, so that they verify after a name is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, select

from instruments.errors import Conflict, NotFound, Refused
from instruments.records.audit import AuditEvent
from instruments.records.factors import RecoveryCode, SecondFactor
from instruments.records.identities import LinkedIdentity
from instruments.records.parties import ApiToken, Lab, Membership, Person, SignIn
from instruments.records.passkeys import Passkey
from instruments.services import audit, fields
from instruments.tenancy import InstallationSession


def suspend_lab(session: InstallationSession, code: str, reason: str, now: datetime) -> None:
    """Let nobody work in a laboratory from the next request on; what it issued stays public.

    Raises NotFound, Conflict when it is suspended already, Invalid without a reason.
    """
    lab = _lab(session, code)
    if lab.suspended_at is not None:
        raise _as_it_is(code)
    lab.suspended_at = now
    _end_entries(session, SignIn.lab_id == lab.id, ApiToken.lab_id == lab.id, now)
    said = fields.words(reason, "/reason", required=True)
    _trail(session, lab.id, "registry:lab:suspend", "lab", lab.id, {"reason": said}, now)


def resume_lab(session: InstallationSession, code: str, reason: str, now: datetime) -> None:
    """Open a suspended laboratory again; everybody signs in and makes tokens anew.

    Raises NotFound, Conflict when it is not suspended, Invalid without a reason.
    """
    lab = _lab(session, code)
    if lab.suspended_at is None:
        raise _as_it_is(code)
    lab.suspended_at = None
    said = fields.words(reason, "/reason", required=True)
    _trail(session, lab.id, "registry:lab:resume", "lab", lab.id, {"reason": said}, now)


def set_retention(session: InstallationSession, code: str, years: int, now: datetime) -> None:
    """Say how many years a laboratory keeps the names on its records.

    Raises NotFound, Invalid outside 1 to 100 years.
    """
    lab = _lab(session, code)
    fields.whole(years, "/years", low=1, high=100)
    facts = {"retention_years": [lab.retention_years, years]}
    lab.retention_years = years
    _trail(session, lab.id, "registry:lab:retention", "lab", lab.id, facts, now)


def note_export(session: InstallationSession, code: str, rows: int, now: datetime) -> None:
    """Write into the trail that everything of a laboratory was handed out.

    Raises NotFound.
    """
    lab = _lab(session, code)
    _trail(session, lab.id, "registry:lab:export", "lab", lab.id, {"rows": rows}, now)


def erase_person(session: InstallationSession, person_id: int, reason: str, now: datetime) -> None:
    """Erase name, mail address and every key of an account; its number stays on what it did.

    Raises NotFound, Refused while the person holds a role or the time of a laboratory runs (ISO/IEC
    17025 8.4: records are kept as long as the laboratory says), Invalid without a reason.
    """
    person = session.get(Person, person_id)
    if person is None:
        raise NotFound(
            "not-found", "There is no {noun} {id} here. Look it up in the list.",
            facts={"noun": "person", "id": person_id},
        )  # fmt: skip
    said = fields.words(reason, "/reason", required=True)
    held = session.execute(
        select(Lab, Membership.ends_on)
        .join(Membership, Membership.lab_id == Lab.id)
        .where(Membership.person_id == person_id)
    ).all()
    for lab, ends_on in held:
        _need_over(person, lab, ends_on, now)
    person.name = f"erased person {person_id}"
    person.email = f"erased-{person_id}@invalid"
    person.password_hash, person.is_active = None, False
    for row in session.scalars(select(SignIn).where(SignIn.person_id == person_id)):
        row.agent = ""
    _end_entries(session, SignIn.person_id == person_id, ApiToken.person_id == person_id, now)
    for table in (SecondFactor, RecoveryCode, Passkey, LinkedIdentity):
        mine = table.person_id == person_id
        session.execute(delete(table).where(mine))  # house: bulk -- what is erased is told nowhere
    labs = {lab.id for lab, _ in held}
    told = ("registry:person:erase", "person", person_id, {"reason": said}, now)
    audit.append_to_each(session, [_event(lab_id, *told) for lab_id in labs])


def _need_over(person: Person, lab: Lab, ends_on: date | None, now: datetime) -> None:
    today = now.astimezone(ZoneInfo(lab.time_zone)).date()
    if ends_on is None or ends_on >= today:
        raise Refused(
            "erase-role-held",
            "{name} holds a role in {lab}. End it first.",
            facts={"name": person.name, "lab": lab.code},
        )
    until = ends_on.replace(year=ends_on.year + lab.retention_years, day=min(ends_on.day, 28))
    if until > today:
        raise Refused(
            "erase-too-early",
            "{lab} keeps the names on its records for {years} years: that of {name} until {until}.",
            clause="ISO/IEC 17025:2017 8.4.2",
            facts={
                "name": person.name,
                "lab": lab.code,
                "years": lab.retention_years,
                "until": until.isoformat(),
            },
        )


def _end_entries(
    session: InstallationSession,
    sign_ins: ColumnElement[bool],
    tokens: ColumnElement[bool],
    now: datetime,
) -> None:
    for row in session.scalars(select(SignIn).where(sign_ins, SignIn.ended_at.is_(None))):
        row.ended_at = now
    for one in session.scalars(select(ApiToken).where(tokens, ApiToken.ended_at.is_(None))):
        one.ended_at = now


def _lab(session: InstallationSession, code: str) -> Lab:
    lab = session.scalars(select(Lab).where(Lab.code == code)).one_or_none()
    if lab is None:
        raise NotFound(
            "lab-not-found",
            "There is no laboratory {code} here. Open it with calib lab new.",
            at="/lab",
            facts={"code": code},
        )
    return lab


def _as_it_is(code: str) -> Conflict:
    return Conflict(
        "lab-as-it-is", "The laboratory {code} is in that state already.", facts={"code": code}
    )


def _trail(
    session: InstallationSession,
    lab_id: int,
    act: str,
    kind: str,
    object_id: int,
    facts: Mapping[str, object],
    now: datetime,
) -> None:
    audit.append(session, _event(lab_id, act, kind, object_id, facts, now))


def _event(
    lab_id: int, act: str, kind: str, object_id: int, facts: Mapping[str, object], now: datetime
) -> AuditEvent:
    return AuditEvent(
        lab_id=lab_id,
        happened_at=now,
        person_id=None,
        act=act,
        object_kind=kind,
        object_id=object_id,
        facts=dict(facts),
        request_id="",
    )
