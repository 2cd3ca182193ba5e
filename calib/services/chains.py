"""What certificates of the laboratory itself rest on, where they serve for its own standards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import select

from calib.certificates.document import CertificateDocument, ChainLink, Measurement
from calib.certificates.lint_traceability import names_lab
from calib.records.certificates import Certificate
from calib.services.certificate_rows import events_of, state_of
from instruments.context import Context
from instruments.records.parties import Lab


def with_chain(ctx: Context, lab: Lab, said: Measurement) -> Measurement:
    """Return what a certificate says of the measurement, with the chains of its own standards."""
    used = [(one.certificate_number, one.issuer) for one in said.standards]
    own = [number for number, issuer in used if names_lab(issuer, lab.name_en, lab.name_zh)]
    return replace(said, chain=tuple(_links(ctx, lab, own)))


def _links(ctx: Context, lab: Lab, waiting: list[str]) -> Iterator[ChainLink]:
    """Yield every step from certificates of the laboratory onwards; each is looked at once."""
    seen: set[str] = set()
    while waiting:
        number = waiting.pop()
        document = None if number in seen else _issued(ctx, number)
        seen.add(number)
        for one in document.measurement.standards if document else ():
            yield ChainLink(number, one.certificate_number, one.issuer)
            if names_lab(one.issuer, lab.name_en, lab.name_zh):
                waiting.append(one.certificate_number)


def _issued(ctx: Context, number: str) -> CertificateDocument | None:
    """Return a certificate of the laboratory that stands, None where there is none."""
    row = ctx.session.scalar(select(Certificate).where(Certificate.number == number))
    if row is None or state_of(events_of(ctx.session, row.id)) != "issued":
        return None
    return CertificateDocument.from_dict(json.loads(row.payload))
