"""Measurement standards and their calibration certificates."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base, DecimalText, insert_only
from instruments.tenancy import LabScoped, scoped, to_same_lab


class MeasurementStandard(LabScoped, Base):
    """A reference standard of the lab (计量标准器)."""

    __tablename__ = "measurement_standards"
    __table_args__ = scoped(
        UniqueConstraint("lab_id", "code"),
        CheckConstraint("status IN ('in_service','out_of_service')", "status"),
    )

    code: Mapped[str]
    """The lab's own number, e.g. ``S-014``."""
    name_en: Mapped[str] = mapped_column(default="")
    name_zh: Mapped[str] = mapped_column(default="")
    maker: Mapped[str] = mapped_column(default="")
    model: Mapped[str] = mapped_column(default="")
    serial: Mapped[str]
    kind: Mapped[str] = mapped_column(default="", server_default="")
    """What sort of standard it is, in the short word of type files (``blackbody``); empty: not
    said."""
    quantity: Mapped[str]
    unit: Mapped[str]
    """Unit of the values of its certificates."""
    status: Mapped[str] = mapped_column(default="in_service")
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class StandardCertificate(LabScoped, Base):
    """A certificate of a standard, typed in or read from a DCC.

    Insert-only: a correction is a new edition that names the one it replaces.
    """

    __tablename__ = "standard_certificates"
    __table_args__ = scoped(
        to_same_lab("standard_id", "measurement_standards"),
        to_same_lab("replaces_id", "standard_certificates"),
        UniqueConstraint("lab_id", "standard_id", "number", "edition"),
        UniqueConstraint("lab_id", "replaces_id"),
        CheckConstraint("origin IN ('typed','dcc')", "origin"),
    )

    standard_id: Mapped[int] = mapped_column(index=True)
    number: Mapped[str]
    edition: Mapped[int] = mapped_column(default=1)
    replaces_id: Mapped[int | None]
    reason: Mapped[str] = mapped_column(default="")
    issuer: Mapped[str]
    calibrated_on: Mapped[date]
    valid_until: Mapped[date | None]
    low: Mapped[str | None] = mapped_column(DecimalText)
    high: Mapped[str | None] = mapped_column(DecimalText)
    """Range of validity the certificate states, if any."""
    origin: Mapped[str]
    file_sha256: Mapped[str | None]
    """The DCC file it was read from, in the file store."""
    entered_at: Mapped[datetime]
    person_id: Mapped[int | None]


class StandardCertificateValue(LabScoped, Base):
    """One line of a standard's certificate. Insert-only."""

    __tablename__ = "standard_certificate_values"
    __table_args__ = scoped(
        to_same_lab("certificate_id", "standard_certificates"),
        UniqueConstraint("lab_id", "certificate_id", "place"),
    )

    certificate_id: Mapped[int]
    place: Mapped[int]
    indication: Mapped[str] = mapped_column(DecimalText)
    reference: Mapped[str] = mapped_column(DecimalText)
    expanded_uncertainty: Mapped[str] = mapped_column(DecimalText)
    coverage_factor: Mapped[str] = mapped_column(DecimalText)
    dof: Mapped[str | None] = mapped_column(DecimalText)


insert_only(StandardCertificate.__table__)  # type: ignore[arg-type]
insert_only(StandardCertificateValue.__table__)  # type: ignore[arg-type]
