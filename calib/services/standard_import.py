"""Enter the certificate of a standard from the DCC file another institute issued."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from calib.certificates.dcc_reading import DCCColumn, DCCReading, DCCSeries, DCCTable
from calib.certificates.dcc_units import unit_of
from calib.records.work import StoredFile
from calib.services.ports import FileStore
from calib.verifier.apart import read_dcc_apart
from instruments.context import Context
from instruments.errors import Finding, Invalid, Refused
from instruments.quantities import UNITS, convert, convert_difference
from instruments.services import fields, standards
from instruments.services.certificate_entry import CertificateEntry, CertificateLine

REFERENCE, INDICATION, ERROR = (
    "basic_referenceValue",
    "basic_measuredValue",
    "basic_measurementError",
)
CORRECTION = "calib_correction"
"""The error with its sign turned, where a laboratory that runs Calib states that instead."""


@dataclass(frozen=True, slots=True)
class ImportedCertificate:
    """The certificate that was entered, and what must be known of the file it came from."""

    certificate_id: int
    file_sha256: str
    reading: DCCReading
    findings: tuple[Finding, ...]


def import_standard_certificate(  # noqa: PLR0913 -- what a person says beside the file
    ctx: Context,
    standard_id: int,
    content: bytes,
    filename: str,
    store: FileStore,
    *,
    table: int = 0,
    valid_until: date | None = None,
    replaces_id: int | None = None,
    reason: str = "",
) -> ImportedCertificate:
    """Keep the DCC file under its hash and enter one of its tables as a certificate of a standard.

    Raises Invalid or Refused when the file cannot be read or does not carry such a table, and
    whatever `standards.enter_certificate` raises.
    """
    ctx.need("standard.certificate")
    standard = standards.get_standard(ctx, standard_id)
    name = fields.words(filename, "/filename", required=True)
    reading = read_dcc_apart(content)
    entry = to_certificate_entry(
        reading, table, standard.unit, valid_until=valid_until, file_sha256=store.put(content)
    )
    certificate_id = standards.enter_certificate(ctx, standard_id, entry, replaces_id, reason)
    ctx.session.add(
        StoredFile(
            sha256=entry.file_sha256,
            name=name,
            media_type="application/xml",
            size=len(content),
            purpose="standard certificate",
            person_id=ctx.actor.person_id,
            stored_at=ctx.now,
        )
    )
    ctx.session.flush()
    findings = to_be_known(reading, standard)
    return ImportedCertificate(certificate_id, entry.file_sha256 or "", reading, findings)


def to_be_known(reading: DCCReading, standard: standards.StandardView) -> tuple[Finding, ...]:
    """Return what a person must know before a DCC becomes the certificate of a standard."""
    return (*_other_item(reading, standard), *reading.notes)


def to_certificate_entry(
    reading: DCCReading,
    table: int = 0,
    unit: str = "degC",
    *,
    valid_until: date | None = None,
    file_sha256: str | None = None,
) -> CertificateEntry:
    """Return one table of a DCC as the certificate of a standard, in `unit`.

    Raises Invalid when there is no such table or a column is missing or in a unit of another
    quantity, Refused when its columns contradict one another or state no uncertainty.
    """
    if not 0 <= table < len(reading.tables):
        raise Invalid(
            "dcc-table-unknown",
            "The DCC has {count} tables, got number {table}. Count from 0.",
            at="/table",
            facts={"count": len(reading.tables), "table": table},
        )
    chosen = reading.tables[table]
    reference = _values(_needed(chosen, REFERENCE), unit)
    indication = _values(_needed(chosen, INDICATION), unit)
    uncertainties, k = _uncertainty(chosen, unit)
    lengths = {len(reference), len(indication), len(uncertainties)}
    if len(lengths) != 1:
        raise Invalid(
            "dcc-columns-uneven",
            "The columns of the table have different lengths: {lengths}. Enter it by hand.",
            facts={"lengths": ", ".join(map(str, sorted(lengths)))},
        )
    _check_error(chosen, indication, reference, uncertainties, unit)
    low, high = _validity(reading, unit)
    return CertificateEntry(
        number=reading.number,
        issuer=reading.issuer,
        calibrated_on=reading.calibrated_on,
        valid_until=valid_until,
        values=tuple(
            CertificateLine(*line)
            for line in zip(indication, reference, uncertainties, k, strict=True)
        ),
        low=low,
        high=high,
        origin="dcc",
        file_sha256=file_sha256,
    )


def _needed(table: DCCTable, kind: str) -> DCCColumn:
    column = table.column(kind)
    if column is None:
        raise Invalid(
            "dcc-column-missing",
            "The table has not exactly one column {kind} (it has: {known}). Choose another table, "
            "or enter the certificate by hand.",
            facts={
                "kind": kind,
                "known": ", ".join(" ".join(c.ref_types) or "unnamed" for c in table.columns),
            },
        )
    return column


def _series(column: DCCColumn, unit: str) -> DCCSeries:
    """Return the series in `unit`, else one of the same size (% for %RH), else the first."""
    for fits in (lambda id_: id_ == unit, lambda id_: id_ is not None and _same_size(id_, unit)):
        for series in column.series:
            if fits(_unit_id(series)):
                return series
    return column.series[0]


def _same_size(id_: str, unit: str) -> bool:
    one, other = UNITS[id_], UNITS[unit]
    return (one.dimension, one.factor, one.offset) == (other.dimension, other.factor, other.offset)


def _unit_id(series: DCCSeries) -> str | None:
    try:
        return unit_of(series.unit).id
    except Invalid:
        return None


def _values(column: DCCColumn, unit: str) -> tuple[str, ...]:
    series = _series(column, unit)
    given = unit_of(series.unit).id
    if given == unit:
        return series.values
    return tuple(_text(convert(Decimal(value), given, unit)) for value in series.values)


def _uncertainty(table: DCCTable, unit: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return U and k: those of the error; without an error column, of the one that states any."""
    stated = {
        kind: [series for series in column.series if series.U]
        for kind in (ERROR, CORRECTION, INDICATION, REFERENCE)
        if (column := table.column(kind)) is not None
    }
    with_any = [kind for kind, series in stated.items() if series]
    with_any = [kind for kind in (ERROR, CORRECTION) if kind in with_any][:1] or with_any
    if len(with_any) != 1:
        raise Refused(
            "dcc-uncertainty-unclear",
            "The table states an expanded uncertainty in {count} of its columns, and none for the "
            "error. Enter the certificate by hand with the uncertainty of the error.",
            clause="ISO/IEC 17025:2017 6.5.2",
            facts={"count": len(with_any)},
        )
    candidates = stated[with_any[0]]
    series = next((s for s in candidates if _unit_id(s) == unit), candidates[0])
    given = unit_of(series.unit).id
    if given == unit:
        return series.U, series.k
    return tuple(_text(convert_difference(Decimal(u), given, unit)) for u in series.U), series.k


def _check_error(
    table: DCCTable,
    indication: tuple[str, ...],
    reference: tuple[str, ...],
    uncertainties: tuple[str, ...],
    unit: str,
) -> None:
    """Refuse columns whose difference is not the error beside them, beyond its uncertainty."""
    column = table.column(ERROR)
    if column is None:
        return
    series = _series(column, unit)
    given = unit_of(series.unit).id
    for place, error in enumerate(series.values):
        stated = convert_difference(Decimal(error), given, unit)
        found = Decimal(indication[place]) - Decimal(reference[place])
        if abs(found - stated) > Decimal(uncertainties[place]):
            raise Refused(
                "dcc-error-contradicts",
                "Line {line} states the error {stated} {unit}, but indication minus reference is "
                "{found} {unit}. Ask the issuer.",
                at=f"/values/{place}",
                facts={"line": place + 1, "stated": stated, "found": found, "unit": unit},
            )


def _validity(reading: DCCReading, unit: str) -> tuple[str | None, str | None]:
    if reading.validity is None:
        return None, None
    try:
        low, high = (_values(column, unit)[0] for column in reading.validity)
    except Invalid:
        return None, None  # the range of another quantity
    return low, high


def _other_item(reading: DCCReading, standard: standards.StandardView) -> tuple[Finding, ...]:
    marks = [value for item in reading.items for _, value in item.marks]
    if standard.serial in marks or standard.code in marks:
        return ()
    return (
        Finding(
            "dcc-of-another-item",
            "The DCC is about an item marked {marks}, the standard {code} has the serial {serial}. "
            "Make sure that it is the same instrument.",
            severity="warning",
            facts={
                "marks": ", ".join(marks) or "nothing",
                "code": standard.code,
                "serial": standard.serial,
            },
        ),
    )


def _text(value: Decimal) -> str:
    return f"{value:f}"
