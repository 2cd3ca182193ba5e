"""Measurement standards, their certificates and the accreditation scope as JSON."""

from __future__ import annotations

from fastapi import APIRouter, Response, UploadFile

from api.deps import Key, Reading, VersionSeen, Wired, Writing
from api.schemas.registry import NewScopeRow, NewStandardCertificate, StandardChange
from api.strict_routes import StrictRoute
from api.v1.answers import tagged
from calib.services import standard_import
from instruments.services import importing, scope, standards
from instruments.services.certificate_entry import CertificateEntry, CertificateLine

router = APIRouter(tags=["standards"], route_class=StrictRoute)


@router.get("/standards")
def list_standards(ctx: Reading) -> tuple[standards.StandardView, ...]:
    """Return every standard with its certificates."""
    return standards.list_standards(ctx)


@router.post("/standards", status_code=201)
def register_standard(
    body: StandardChange, ctx: Writing, response: Response
) -> standards.StandardView:
    """Register a measurement standard."""
    return tagged(response, standards.register_standard(ctx, **body.given()))  # type: ignore[arg-type]


@router.get("/standards/{standard_id}")
def get_standard(standard_id: int, ctx: Reading, response: Response) -> standards.StandardView:
    """Return a standard with its certificates."""
    return tagged(response, standards.get_standard(ctx, standard_id))


@router.patch("/standards/{standard_id}")
def update_standard(
    standard_id: int, body: StandardChange, version: VersionSeen, ctx: Writing, response: Response
) -> standards.StandardView:
    """Change what is named of a standard."""
    view = standards.update_standard(ctx, standard_id, version, **body.given())  # type: ignore[arg-type]
    return tagged(response, view)


@router.post("/standards/{standard_id}/certificates", status_code=201)
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


@router.post("/standards/{standard_id}/certificates/dcc", status_code=201)
def import_certificate(
    standard_id: int, file: UploadFile, _key: Key, ctx: Writing, wired: Wired
) -> standard_import.ImportedCertificate:
    """Read a certificate from another institute's DCC file (3.x)."""
    return standard_import.import_standard_certificate(
        ctx, standard_id, file.file.read(), file.filename or "dcc.xml", wired.store
    )


@router.post("/standards/import")
def import_standards(
    file: UploadFile, ctx: Writing, *, dry_run: bool = True, partial: bool = False
) -> importing.ImportReport:
    """Import standards from CSV or XLSX; a dry run unless told otherwise."""
    return importing.import_standards(
        ctx, file.file.read(), file.filename or "", dry_run=dry_run, partial=partial
    )


@router.get("/scope")
def list_scope(ctx: Reading) -> tuple[scope.ScopeRowView, ...]:
    """Return the rows of the accreditation scope."""
    return scope.list_rows(ctx)


@router.post("/scope", status_code=201)
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
    return {"id": scope.add_row(ctx, entry, catalogue=wired.catalogue)}
