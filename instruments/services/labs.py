"""Labs: the tenants of an installation and how they name themselves on paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict, Unpack
from zoneinfo import ZoneInfo

from sqlalchemy import select

from instruments.context import Context
from instruments.errors import Conflict, Invalid
from instruments.records.audit import AuditEvent
from instruments.records.parties import LAB_KINDS, Lab
from instruments.services import audit, fields
from instruments.services.rows import change
from instruments.tenancy import InstallationSession
from instruments.text import LANGUAGES as _LANGUAGES
from instruments.text import LocalizedText

LANGUAGES: tuple[str, ...] = _LANGUAGES
ROUNDING_MODES = ("half_even", "ceil", "ceil_if_gt_5pct")
_LONGEST_NAME = 200
_ROUNDING = {"mode": "ceil_if_gt_5pct", "digits": 2}


class LabFields(TypedDict, total=False):
    """What a lab says of itself; everything may be left out."""

    address_en: str
    address_zh: str
    phone: str
    email: str
    accreditation: str
    authorisation: str
    time_zone: str
    language: str
    rounding: Mapping[str, object]


class LabChanges(LabFields, total=False):
    """What a manager may change: the names too."""

    name_en: str
    name_zh: str


@dataclass(frozen=True, slots=True)
class LabView:
    """A laboratory as certificates and pages name it."""

    id: int
    code: str
    name: LocalizedText
    address_en: str
    address_zh: str
    phone: str
    email: str
    accreditation: str
    authorisation: str
    time_zone: str
    language: str
    rounding_mode: str
    rounding_digits: int
    retention_years: int
    """How many years names stay on its records after somebody's last role ended."""


def create_lab(
    session: InstallationSession,
    *,
    code: str,
    name_en: str,
    name_zh: str,
    now: datetime,
    kind: str = "laboratory",
    **more: Unpack[LabFields],
) -> LabView:
    """Open a lab, or an authority that oversees labs.

    Raises Conflict when its code is taken, Invalid for unusable fields.
    """
    if not (code.isascii() and code.isalnum() and code.isupper() and 2 <= len(code) <= 8):
        raise Invalid(
            "lab-code-malformed",
            "The code {code} cannot stand in certificate numbers. "
            "Use 2 to 8 upper-case Latin letters or digits, at least one letter.",
            at="/code",
            facts={"code": code},
        )
    if session.scalar(select(Lab.id).where(Lab.code == code)) is not None:
        raise Conflict(
            "lab-code-taken",
            "There is a lab with the code {code}. Choose another code.",
            at="/code",
            facts={"code": code},
        )
    kind = fields.choice(kind, LAB_KINDS, "/kind")
    lab = Lab(code=code, kind=kind, rounding=dict(_ROUNDING), created_at=now)
    for name, value in _checked({"name_en": name_en, "name_zh": name_zh, **more}).items():
        setattr(lab, name, value)
    session.add(lab)
    session.flush()
    audit.append(
        session,
        AuditEvent(
            lab_id=lab.id,
            happened_at=now,
            person_id=None,
            act="registry:lab:create",
            object_kind="lab",
            object_id=lab.id,
            facts={"code": code},
            request_id="",
        ),
    )
    return lab_view(lab)


def get_lab(ctx: Context) -> LabView:
    """Return the lab of the context."""
    return lab_view(_lab(ctx))


def update_lab(ctx: Context, **changes: Unpack[LabChanges]) -> LabView:
    """Change what the lab says of itself.

    Raises NotAllowed unless a manager asks, Invalid for unusable fields.
    """
    ctx.need("lab.write")
    lab = _lab(ctx)
    names = {"name_en": lab.name_en, "name_zh": lab.name_zh}
    differences = change(ctx, lab, _checked(names | dict(changes)), "lab")
    audit.record(ctx, "registry:lab:update", "lab", lab.id, differences)
    return lab_view(lab)


def set_retention(ctx: Context, years: int) -> LabView:
    """Say how many years names stay on the records; nothing is erased by that.

    Raises NotAllowed unless a manager or administrator asks, Invalid outside 1 to 100 years.
    """
    ctx.need("lab.write")
    lab = _lab(ctx)
    fields.whole(years, "/years", low=1, high=100)
    before, lab.retention_years = lab.retention_years, years
    facts = {"retention_years": [before, years]}
    audit.record(ctx, "registry:lab:retention", "lab", lab.id, facts)
    return lab_view(lab)


def lab_view(lab: Lab) -> LabView:
    """Return the row as a value."""
    return LabView(
        id=lab.id,
        code=lab.code,
        name=LocalizedText(lab.name_en, lab.name_zh),
        address_en=lab.address_en,
        address_zh=lab.address_zh,
        phone=lab.phone,
        email=lab.email,
        accreditation=lab.accreditation,
        authorisation=lab.authorisation,
        time_zone=lab.time_zone,
        language=lab.language,
        rounding_mode=str(lab.rounding["mode"]),
        rounding_digits=int(lab.rounding["digits"]),
        retention_years=lab.retention_years,
    )


def _lab(ctx: Context) -> Lab:
    return ctx.session.scalars(select(Lab).where(Lab.id == ctx.lab_id)).one()


def _checked(given: Mapping[str, object]) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, value in given.items():
        at = f"/{name}"
        if name == "rounding" and isinstance(value, Mapping):
            values[name] = _rounding(value)
        elif name == "time_zone":
            values[name] = _time_zone(str(value))
        elif name == "language":
            values[name] = fields.choice(str(value), LANGUAGES, at)
        elif name == "email":
            values[name] = fields.email(str(value), at)
        else:
            limit = _LONGEST_NAME if name.startswith("name_") else fields.MAX_WORDS
            values[name] = fields.words(str(value), at, limit=limit)
    fields.need_a_name(str(values["name_en"]), str(values["name_zh"]))
    return values


def _rounding(given: Mapping[str, object]) -> dict[str, object]:
    mode, digits = given.get("mode"), given.get("digits")
    if set(given) != {"mode", "digits"} or mode not in ROUNDING_MODES or digits not in (1, 2):
        raise Invalid(
            "rounding-unknown",
            "The rounding {got} is not known. Give mode ({modes}) and digits (1 or 2).",
            at="/rounding",
            clause="GUM 7.2.6",
            facts={"got": dict(given), "modes": ", ".join(ROUNDING_MODES)},
        )
    return dict(given)


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as problem:
        raise Invalid(
            "time-zone-unknown",
            "There is no time zone {name}. Write it like Asia/Shanghai.",
            at="/time_zone",
            facts={"name": name},
        ) from problem
    return name
