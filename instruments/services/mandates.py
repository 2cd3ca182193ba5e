"""Who oversees which districts: granted by whoever runs the installation, for an authority.

An authority stands where a laboratory stands: it has people, a trail and a time zone, and does no
work of its own. What its people may see of the laboratories follows from their mandates alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from instruments.errors import Conflict, NotFound, Refused
from instruments.records.audit import AuditEvent
from instruments.records.mandates import EVERYWHERE, Mandate
from instruments.records.parties import Lab
from instruments.services import audit, fields
from instruments.tenancy import InstallationSession

LONGEST_DISTRICT = 200


def valid_mandates(session: Session, person_id: int, lab_id: int, on: date) -> frozenset[str]:
    """Return the districts a person oversees for an authority on a day; none: no mandate."""
    return frozenset(
        session.scalars(
            select(Mandate.district).where(
                Mandate.lab_id == lab_id,
                Mandate.person_id == person_id,
                Mandate.starts_on <= on,
                or_(Mandate.ends_on.is_(None), Mandate.ends_on >= on),
            )
        )
    )


def authorities_of(session: Session, person_id: int, now: datetime) -> dict[str, int]:
    """Return the authorities a person oversees something for at `now`, ids by code."""
    rows = session.execute(
        select(Lab, Mandate.starts_on, Mandate.ends_on)
        .join(Mandate, Mandate.lab_id == Lab.id)
        .where(Mandate.person_id == person_id, Lab.suspended_at.is_(None))
        .order_by(Lab.code)
    )
    found: dict[str, int] = {}
    for lab, starts_on, ends_on in rows:
        today = now.astimezone(ZoneInfo(lab.time_zone)).date()
        if starts_on <= today and (ends_on is None or today <= ends_on):
            found[lab.code] = lab.id
    return found


def grant_mandate(
    session: InstallationSession,
    *,
    code: str,
    person_id: int,
    district: str,
    purpose: str,
    now: datetime,
    ends_on: date | None = None,
) -> None:
    """Let a person oversee a district from today on, for a purpose; an empty district: all.

    Raises NotFound without such an authority, Refused for a laboratory, Conflict when the person
    oversees the district already, Invalid for unusable fields.
    """
    lab = _authority(session, code)
    today = now.astimezone(ZoneInfo(lab.time_zone)).date()
    said = fields.words(district, "/district", limit=LONGEST_DISTRICT)
    fields.period(today, ends_on, "/ends_on")
    if said in valid_mandates(session, person_id, lab.id, today):
        raise Conflict(
            "mandate-held",
            "This person holds that mandate for {code} already ({district}). End it first.",
            at="/district",
            facts={"district": said, "code": code},
        )
    session.add(
        Mandate(
            lab_id=lab.id,
            person_id=person_id,
            district=said,
            purpose=fields.words(purpose, "/purpose", required=True, limit=LONGEST_DISTRICT),
            starts_on=today,
            ends_on=ends_on,
            granted_at=now,
        )
    )
    facts = {
        "district": said,
        "purpose": purpose,
        "ends_on": ends_on.isoformat() if ends_on else None,
    }
    _tell(session, lab.id, "registry:mandate:grant", person_id, facts, now)


def end_mandates(session: InstallationSession, *, code: str, person_id: int, now: datetime) -> int:
    """End every mandate of a person for an authority with the day before; return how many.

    Raises NotFound without such an authority.
    """
    lab = _authority(session, code)
    today = now.astimezone(ZoneInfo(lab.time_zone)).date()
    rows = session.scalars(
        select(Mandate).where(
            Mandate.lab_id == lab.id,
            Mandate.person_id == person_id,
            or_(Mandate.ends_on.is_(None), Mandate.ends_on >= today),
        )
    ).all()
    for row in rows:
        if row.starts_on >= today:  # began today: there is no day before
            session.delete(row)
        else:
            row.ends_on = today.fromordinal(today.toordinal() - 1)
    session.flush()
    _tell(session, lab.id, "registry:mandate:end", person_id, {"count": len(rows)}, now)
    return len(rows)


def in_words(districts: frozenset[str]) -> str:
    """Return the districts for people to read; empty: everywhere."""
    return "" if EVERYWHERE in districts else ", ".join(sorted(districts))


def _authority(session: Session, code: str) -> Lab:
    lab = session.scalars(select(Lab).where(Lab.code == code)).one_or_none()
    if lab is None:
        raise NotFound(
            "authority-not-found",
            "There is no authority {code} here. Open it with calib lab new --authority.",
            at="/lab",
            facts={"code": code},
        )
    if lab.kind != "authority":
        raise Refused(
            "not-an-authority",
            "{code} is a laboratory, and nobody oversees others for a laboratory. Name an "
            "authority; calib lab new --authority opens one.",
            at="/lab",
            facts={"code": code},
        )
    return lab


def _tell(
    session: Session,
    lab_id: int,
    act: str,
    person_id: int,
    facts: Mapping[str, object],
    now: datetime,
) -> None:
    event = AuditEvent(
        lab_id=lab_id,
        happened_at=now,
        person_id=None,
        act=act,
        object_kind="person",
        object_id=person_id,
        facts=dict(facts),
        request_id="",
    )
    audit.append(session, event)
