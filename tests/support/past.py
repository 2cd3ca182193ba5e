"""An instrument with years behind it: certificates issued, adjusted, replaced and withdrawn."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from sqlalchemy import select

from calib.certificates.document import CertificateDocument
from calib.records.calibrations import Calibration
from calib.services import lookup
from instruments.context import Context
from instruments.records.orders import OrderLine
from instruments.services import orders
from tests.support.certified import a_certificate, a_record
from tests.support.issuing import Bench, authorised, everybody, issued

YEARS: tuple[tuple[str, str, str, str], ...] = (
    ("P-2020", "2020-02-20", "-0.03", "issued"),
    ("P-2021", "2021-02-18", "-0.01", "issued"),
    ("P-2022", "2022-03-04", "0.02", "issued"),
    ("P-2023", "2023-03-01", "0.12", "adjusted"),
    ("P-2024", "2024-02-27", "0.20", "superseded"),
    ("P-2024-A", "2024-02-27", "-0.02", "issued"),
    ("P-2025", "2025-03-03", "0.15", "withdrawn"),
)
"""Number, day, what is added to every error, and what became of it."""


LIMITS = {"lower": "-0.10", "upper": "0.10"}


def an_old_instrument(bench: Bench, store, years=YEARS) -> int:
    """Issue a certificate of a new instrument and put years of others before it; return its id."""
    done = issued(bench, store, authorised(bench, decision_rule="simple"))
    with bench.as_(everybody(bench)) as ctx:
        document = lookup.certificate_document(ctx, done.certificate_id)
        instrument = lookup.certificate(ctx, done.certificate_id).instrument_id
        for number, day, shift, fate in years:
            _past(ctx, instrument, document, number, date.fromisoformat(day), shift, fate)
    return instrument


def _past(
    ctx: Context,
    instrument: int,
    document: CertificateDocument,
    number: str,
    day: date,
    shift: str,
    fate: str,
) -> None:
    line = ctx.session.scalars(
        select(OrderLine).where(OrderLine.instrument_id == instrument)
    ).first()
    assert line is not None
    shown = next(
        one for one in orders.get_order(ctx, line.order_id).lines if one.instrument.id == instrument
    )
    adjusted = {"adjustment": "Offset set by -0.10 °C"} if fate == "adjusted" else {}
    record: Calibration = a_record(ctx, shown, "issued", **adjusted)
    events = {"issued": ("issued",), "adjusted": ("issued",)}.get(fate, ("issued", fate))
    a_certificate(
        ctx,
        record,
        number,
        *events,
        document=_shifted(document, Decimal(shift), is_adjusted=fate == "adjusted"),
        performed_on=day,
    )


def _shifted(
    document: CertificateDocument, by: Decimal, *, is_adjusted: bool
) -> CertificateDocument:
    """Return the document with other errors, and as-left results where it was adjusted."""
    points = []
    for one in document.result.points:
        for stage, more in (("as_found", by), ("as_left", by - Decimal("0.10"))):
            if stage == "as_found" or is_adjusted:
                error = Decimal(one.printed.error) + more
                printed = replace(
                    one.printed, error=f"{error:+f}", correction=f"{-error:+f}", **LIMITS
                )
                key = one.key.replace("as_found", stage)
                verdict = "pass" if abs(error) <= Decimal("0.10") else "fail"
                points.append(replace(one, key=key, stage=stage, printed=printed, verdict=verdict))
    result = replace(document.result, points=tuple(points))
    stages = ("as_found", "as_left") if is_adjusted else ("as_found",)
    measurement = replace(document.measurement, stages=stages)
    return replace(document, result=result, measurement=measurement)
