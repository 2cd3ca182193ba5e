"""Measurement standards, their certificates and the accreditation scope as JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response, UploadFile

from api.deps import ImportKey, Key, Reading, VersionSeen, Wired, Writing, allows, types_of
from api.problems import finding_document
from api.schemas.registry import LastDay, NewScopeRow, NewStandardCertificate, StandardChange
from api.schemas.wire import Day
from api.strict_routes import StrictRoute
from api.v1.answers import import_report, once_per_key, tagged
from calib.services import standard_import
from instruments.services import importing, scope, standards
from instruments.services.certificate_entry import CertificateEntry, CertificateLine

router = APIRouter(tags=["standards"], route_class=StrictRoute)


@router.get("/standards", dependencies=allows("standard.read"))
def list_standards(ctx: Reading) -> tuple[standards.StandardView, ...]:
    """Return every standard with its certificates."""
    return standards.list_standards(ctx)


@router.post("/standards", status_code=201, dependencies=allows("standard.write"))
def register_standard(
    body: StandardChange, ctx: Writing, response: Response
) -> standards.StandardView:
    """Register a measurement standard."""
    return tagged(response, standards.register_standard(ctx, **body.given()))  # type: ignore[arg-type]


@router.get("/standards/{standard_id}", dependencies=allows("standard.read"))
def get_standard(standard_id: int, ctx: Reading, response: Response) -> standards.StandardView:
    """Return a standard with its certificates."""
    return tagged(response, standards.get_standard(ctx, standard_id))


@router.patch("/standards/{standard_id}", dependencies=allows("standard.write"))
def update_standard(
    standard_id: int, body: StandardChange, version: VersionSeen, ctx: Writing, response: Response
) -> standards.StandardView:
    """Change what is named of a standard."""
    view = standards.update_standard(ctx, standard_id, version, **body.given())  # type: ignore[arg-type]
    return tagged(response, view)


@router.post(
    "/standards/{standard_id}/certificates",
    status_code=201,
    dependencies=allows("standard.certificate"),
)
def enter_certificate(
    standard_id: int, body: NewStandardCertificate, ctx: Writing
) -> standards.StandardView:
    """Enter a certificate as typed, or a corrected edition of one."""
    lines = tuple(
        CertificateLine(v.indication, v.reference, v.expanded_uncertainty, v.coverage_factor, v.dof)
        for v in body.values
    )
    entry = CertificateEntry(
        number=body.number,
        issuer=body.issuer,
        calibrated_on=body.calibrated_on,
        values=lines,
        valid_until=body.valid_until,
        low=body.low,
        high=body.high,
    )
    standards.enter_certificate(ctx, standard_id, entry, body.replaces_id, body.reason)
    return standards.get_standard(ctx, standard_id)


@router.post(
    "/standards/{standard_id}/certificates/dcc",
    status_code=201,
    dependencies=allows("standard.certificate"),
)
def import_certificate(
    standard_id: int,
    file: UploadFile,
    key: Key,
    ctx: Writing,
    wired: Wired,
    *,
    table: Annotated[int, Query(ge=0)] = 0,
    valid_until: Annotated[Day | None, Query()] = None,
    replaces_id: int | None = None,
    reason: str = "",
) -> Mapping[str, Any]:
    """Read a certificate from one table of another institute's DCC file (3.x).

    A DCC names no end of validity: `valid_until` is the lab's own.
    """
    content, name = file.file.read(), file.filename or "dcc.xml"

    def read() -> Mapping[str, Any]:
        found = standard_import.import_standard_certificate(
            ctx,
            standard_id,
            content,
            name,
            wired.store,
            table=table,
            valid_until=valid_until,
            replaces_id=replaces_id,
            reason=reason,
        )
        return {
            "certificate_id": found.certificate_id,
            "file_sha256": found.file_sha256,
            "findings": [finding_document(f, ctx.language) for f in found.findings],
        }

    sent = {
        "standard": standard_id,
        "sha256": hashlib.sha256(content).hexdigest(),
        "table": table,
        "valid_until": valid_until.isoformat() if valid_until else None,
        "replaces_id": replaces_id,
        "reason": reason,
    }
    return once_per_key(ctx, "registry:standard:dcc", key, sent, read)


@router.post("/standards/import", dependencies=allows("registry.import"))
def import_standards(
    file: UploadFile, key: ImportKey, ctx: Writing, *, partial: bool = False
) -> Mapping[str, Any]:
    """Import standards from CSV or XLSX; a dry run unless told otherwise."""

    def run(content: bytes, name: str) -> importing.ImportReport:
        return importing.import_standards(ctx, content, name, dry_run=key is None, partial=partial)

    return import_report(ctx, "registry:standards:import", key, file, run, partial=partial)


@router.get("/scope", dependencies=allows("scope.read"))
def list_scope(ctx: Reading) -> tuple[scope.ScopeRowView, ...]:
    """Return the rows of the accreditation scope."""
    return scope.list_rows(ctx)


@router.post("/scope", status_code=201, dependencies=allows("scope.write"))
def add_scope_row(body: NewScopeRow, ctx: Writing, wired: Wired) -> dict[str, int]:
    """Add a row to the accreditation scope."""
    entry = scope.ScopeEntry(
        type_id=body.type_id,
        measurand=body.measurand,
        document=body.document,
        low=body.low,
        high=body.high,
        U=body.expanded_uncertainty,
        U_fraction=body.fraction,
        starts_on=body.starts_on,
        ends_on=body.ends_on,
    )
    return {"id": scope.add_row(ctx, entry, catalogue=types_of(ctx, wired))}


@router.post("/scope/{row_id}/end", status_code=204, dependencies=allows("scope.write"))
def end_scope_row(row_id: int, body: LastDay, ctx: Writing) -> None:
    """Set the last day a row of the accreditation scope holds."""
    scope.end_row(ctx, row_id, body.ends_on)
