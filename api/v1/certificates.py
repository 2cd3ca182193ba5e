"""Certificates as JSON: issue, list, fetch the files, amend, void, withdraw."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.deps import Acting, Key, Reading, VersionSeen, Wired, Writing
from api.schemas.work import Reason, TwoPersons
from api.strict_routes import StrictRoute
from api.v1.answers import download, tagged
from calib.services import issue, lookup
from calib.services.calibration_views import CalibrationView

router = APIRouter(tags=["certificates"], route_class=StrictRoute)


@router.post("/calibrations/{calibration_id}/certificate", status_code=201)
def issue_certificate(
    calibration_id: int, version: VersionSeen, key: Key, act: Acting, wired: Wired
) -> issue.IssuedView:
    """Issue the certificate of an authorised record; a retry with the same key gives the same."""
    return issue.issue_certificate(
        wired.engine,
        wired.store,
        wired.sealer,
        act,
        calibration_id,
        version,
        key,
        public_base=wired.settings.public_url,
        clock=wired.clock,
    )


@router.get("/certificates")
def list_certificates(
    ctx: Reading, instrument_id: int | None = None, calibration_id: int | None = None
) -> tuple[lookup.CertificateView, ...]:
    """Return the certificates the actor may see, newest first."""
    return lookup.certificates(ctx, instrument_id=instrument_id, calibration_id=calibration_id)


@router.get("/certificates/{certificate_id}")
def get_certificate(certificate_id: int, ctx: Reading) -> lookup.CertificateView:
    """Return a certificate with its state, files and what replaced it."""
    return lookup.certificate(ctx, certificate_id)


@router.get("/certificates/{certificate_id}/files/{role}")
def get_file(certificate_id: int, role: str, ctx: Reading, wired: Wired) -> Response:
    """Return a file of a certificate: ``pdf``, ``input`` or ``result``."""
    file = lookup.certificate_file(ctx, certificate_id, role)
    return download(wired.store.get(file.sha256), file.media_type, file.name)


@router.post("/certificates/{certificate_id}/amend", status_code=201)
def amend(
    certificate_id: int, body: Reason, _key: Key, ctx: Writing, response: Response
) -> CalibrationView:
    """Open a copy of the record whose certificate will replace this one."""
    return tagged(response, issue.amend(ctx, certificate_id, body.reason))


@router.post("/certificates/{certificate_id}/void")
def void(certificate_id: int, body: TwoPersons, _key: Key, ctx: Writing) -> lookup.CertificateView:
    """Void a reserved number that was never issued."""
    issue.void(ctx, certificate_id, body.reason, body.second_person_id)
    return lookup.certificate(ctx, certificate_id)


@router.post("/certificates/{certificate_id}/withdraw")
def withdraw(
    certificate_id: int, body: TwoPersons, _key: Key, ctx: Writing
) -> lookup.CertificateView:
    """Withdraw an issued certificate: whoever looks it up sees it."""
    issue.withdraw(ctx, certificate_id, body.reason, body.second_person_id)
    return lookup.certificate(ctx, certificate_id)
