"""What a digital calibration certificate says, as frozen values; knows nothing of XML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from instruments.errors import Finding


@dataclass(frozen=True, slots=True)
class DCCSeries:
    """The values of a column in one unit, as decimal text."""

    unit: str
    """D-SI spelling as the file gives it, e.g. ``\\degreecelsius``."""
    values: tuple[str, ...]
    U: tuple[str, ...]
    """Expanded uncertainty of each value; empty: the file states none."""
    k: tuple[str, ...]
    """Coverage factor of each value; empty with `U`."""


@dataclass(frozen=True, slots=True)
class DCCColumn:
    """One quantity of a table; several series are the same values in several units (hybrid)."""

    ref_types: tuple[str, ...]
    names: Mapping[str, str]
    """By language code; an empty code is no language in particular."""
    series: tuple[DCCSeries, ...]


@dataclass(frozen=True, slots=True)
class DCCTable:
    """A list of quantities: the columns of one table of results."""

    ref_types: tuple[str, ...]
    names: Mapping[str, str]
    columns: tuple[DCCColumn, ...]

    def column(self, ref_type: str) -> DCCColumn | None:
        """Return the only column of a kind such as ``basic_referenceValue``, None without one."""
        found = [column for column in self.columns if ref_type in column.ref_types]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class DCCItem:
    """A calibrated item."""

    names: Mapping[str, str]
    maker: str
    model: str
    marks: tuple[tuple[str, str], ...]
    """Who gave the mark (manufacturer, customer, calibrationLaboratory) and the mark."""

    @property
    def serials(self) -> tuple[str, ...]:
        """Return the maker's marks."""
        return tuple(value for issuer, value in self.marks if issuer == "manufacturer")


@dataclass(frozen=True, slots=True)
class DCCReading:
    """What a DCC says, and in `notes` what was not read or must be known."""

    schema_version: str
    number: str
    issuer: str
    calibrated_on: date
    items: tuple[DCCItem, ...]
    tables: tuple[DCCTable, ...]
    validity: tuple[DCCColumn, DCCColumn] | None
    """Lower and upper end of the range of validity, if the file states one."""
    is_signed: bool
    """A signature is in the file; whether it is good is not known here."""
    notes: tuple[Finding, ...]
    is_authentic: bool = False
    """Everything here was read from bytes that a checked signature covers."""
