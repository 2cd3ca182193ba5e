"""Labs, people, memberships, customers, and the ways people sign in."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base, CanonicalJSON
from instruments.tenancy import STRICT, LabScoped, scoped, to_same_lab

LAB_KINDS = ("laboratory", "authority")


class Lab(Base):
    """A laboratory: the tenant; or an authority, which oversees laboratories."""

    __tablename__ = "labs"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    """Short upper-case code used in numbers, e.g. ``HZ``."""
    kind: Mapped[str] = mapped_column(default="laboratory", server_default="laboratory")
    """One of `LAB_KINDS`."""
    name_en: Mapped[str]
    name_zh: Mapped[str]
    address_en: Mapped[str] = mapped_column(default="")
    address_zh: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    """Where the lab itself is told of due dates."""
    accreditation: Mapped[str] = mapped_column(default="")
    """Accreditation number as printed on work within the scope; empty when the lab has none."""
    authorisation: Mapped[str] = mapped_column(default="", server_default="")
    """Number of the legal authorisation (授权证书) as printed; empty when the lab has none."""
    time_zone: Mapped[str] = mapped_column(default="Asia/Shanghai")
    language: Mapped[str] = mapped_column(default="zh")
    rounding: Mapped[dict[str, Any]] = mapped_column(CanonicalJSON)
    """`calib.evaluation.inputs.Rounding` as plain values."""
    keeps_competence: Mapped[bool] = mapped_column(default=False, server_default="0")
    demands_signatures: Mapped[bool] = mapped_column(default=False, server_default="0")
    separates_signatory: Mapped[bool] = mapped_column(default=False, server_default="0")
    demands_second_factor: Mapped[bool] = mapped_column(default=False, server_default="0")
    """See `instruments.services.approval_rules.ApprovalRules`."""
    suspended_at: Mapped[datetime | None]
    """Since when nobody works here: no sign-in and no token holds. None: it is open."""
    retention_years: Mapped[int] = mapped_column(default=10, server_default="10")
    """How long names on records are kept before they may be erased."""
    created_at: Mapped[datetime]


class Person(Base):
    """An account of a human being, with memberships in one or more labs."""

    __tablename__ = "persons"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    """Lower case."""
    name: Mapped[str]
    password_hash: Mapped[str | None]
    language: Mapped[str] = mapped_column(default="zh")
    is_active: Mapped[bool] = mapped_column(default=True)
    human: Mapped[int] = mapped_column(default=0, server_default="0")
    """First account of the human being whose further account this is; 0: it is the first."""
    created_at: Mapped[datetime]


class Membership(LabScoped, Base):
    """A role a person holds in a lab over a period; one row per role."""

    __tablename__ = "memberships"
    __table_args__ = scoped(
        to_same_lab("customer_id", "customers"),
        UniqueConstraint("lab_id", "person_id", "role", "starts_on"),
        CheckConstraint(
            "role IN ('technician','reviewer','signatory','quality_manager','manager',"
            "'administrator','customer','venue_operator')",
            "role",
        ),
        CheckConstraint(
            "(role IN ('customer','venue_operator')) = (customer_id IS NOT NULL)", "whose"
        ),
    )

    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    role: Mapped[str]
    customer_id: Mapped[int | None]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    """Last day; None: open."""


class Customer(LabScoped, Base):
    """Who orders work and owns instruments (委托单位)."""

    __tablename__ = "customers"
    __table_args__ = scoped()

    name_en: Mapped[str] = mapped_column(default="")
    name_zh: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    contact: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    """Where due-date digests go."""
    kind: Mapped[str] = mapped_column(default="other")
    """medical, maker, transport, market, school, community, customs, other (domain section I)."""
    is_small_firm: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str] = mapped_column(default="zh")
    calendar_token: Mapped[str] = mapped_column(unique=True)
    """128 random bits; opens the iCalendar feed."""
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class SignIn(Base):
    """A server-side session of a signed-in person in one lab; ended, never deleted."""

    __tablename__ = "sign_ins"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    lab_id: Mapped[int] = mapped_column(ForeignKey("labs.id"))
    token_sha256: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    agent: Mapped[str] = mapped_column(default="", server_default="")
    """What the browser says it is, so that its owner knows it again."""
    proved_at: Mapped[datetime | None]
    """When its owner last showed anew who they are, to change how the account is secured."""
    used_at: Mapped[datetime | None] = mapped_column(default=None)
    """When it was last used, noted every few minutes; one that nobody uses ends."""
    has_factor: Mapped[bool] = mapped_column(default=False, server_default="0")
    """Whether an identity provider said that it saw a second factor."""


class SignInFailure(Base):
    """A failed attempt to sign in; thrown away once it no longer counts."""

    __tablename__ = "sign_in_failures"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(index=True)
    """SHA-256 of the mail address that was typed, whether it has an account or not."""
    origin: Mapped[str] = mapped_column(index=True)
    """Network address the attempt came from."""
    failed_at: Mapped[datetime] = mapped_column(index=True)


class ApiToken(Base):
    """A bearer token of a person for one lab; shown once, kept as a hash."""

    __tablename__ = "api_tokens"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    lab_id: Mapped[int] = mapped_column(ForeignKey("labs.id"))
    name: Mapped[str]
    reach: Mapped[str] = mapped_column(default="", server_default="")
    """``read``, or the things it may touch (``order instrument``); empty: all its owner may."""
    token_sha256: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
