"""Certificates as JSON: issue, list, fetch the files, amend, void, withdraw."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.deps import Acting, Key, Reading, VersionSeen, Wired, Writing, allows
from api.files import download, gives
from api.proving import Proving, answer_of
from api.schemas.work import NewConsent, Reason, TwoPersons
from api.strict_routes import StrictRoute
from api.v1.answers import once_per_key, tagged
from calib.services import consents, issue, lookup, readings
from calib.services.calibration_views import CalibrationView
from calib.services.consents import ProposalView
from instruments.context import Context

router = APIRouter(tags=["certificates"], route_class=StrictRoute)


@router.post(
    "/calibrations/{calibration_id}/certificate",
    status_code=201,
    dependencies=allows("certificate.issue"),
)
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


@router.get("/certificates", dependencies=allows("certificate.read"))
def list_certificates(
    ctx: Reading, instrument_id: int | None = None, calibration_id: int | None = None
) -> tuple[lookup.CertificateView, ...]:
    """Return the certificates the actor may see, newest first."""
    return lookup.certificates(ctx, instrument_id=instrument_id, calibration_id=calibration_id)


@router.get("/certificates/{certificate_id}", dependencies=allows("certificate.read"))
def get_certificate(certificate_id: int, ctx: Reading) -> lookup.CertificateView:
    """Return a certificate with its state, files and what replaced it."""
    return lookup.certificate(ctx, certificate_id)


@router.get(
    "/certificates/{certificate_id}/files/{role}",
    dependencies=allows("certificate.read"),
    response_class=Response,
    responses=gives("application/pdf", "application/xml", "application/json"),
)
def get_file(certificate_id: int, role: str, ctx: Reading, wired: Wired) -> Response:
    """Return a file of a certificate: ``pdf``, ``dcc``, ``input`` or ``result``."""
    file = lookup.certificate_file(ctx, certificate_id, role)
    return download(wired.store.get(file.sha256), file.media_type, file.name)


@router.post(
    "/certificates/{certificate_id}/amend",
    status_code=201,
    dependencies=allows("certificate.amend"),
)
def amend(
    certificate_id: int, body: Reason, key: Key, ctx: Writing, response: Response
) -> CalibrationView:
    """Open a copy of the record whose certificate will replace this one."""
    sent = {"certificate": certificate_id, "reason": body.reason}
    opened = once_per_key(
        ctx,
        "certificate:certificate:amend",
        key,
        sent,
        lambda: {"record": issue.amend(ctx, certificate_id, body.reason).id},
    )
    return tagged(response, readings.get_calibration(ctx, opened["record"]))


@router.post("/certificates/{certificate_id}/void", dependencies=allows("certificate.void"))
def void(certificate_id: int, body: TwoPersons, key: Key, ctx: Writing) -> lookup.CertificateView:
    """Void a reserved number that was never issued."""
    return _ended(ctx, "void", certificate_id, body, key)


@router.post("/certificates/{certificate_id}/withdraw", dependencies=allows("certificate.withdraw"))
def withdraw(
    certificate_id: int, body: TwoPersons, key: Key, ctx: Writing
) -> lookup.CertificateView:
    """Withdraw an issued certificate: whoever looks it up sees it.

    Where the lab demands signatures this proposes it; it is done when the colleague consents.
    """
    return _ended(ctx, "withdraw", certificate_id, body, key)


@router.get("/certificates/{certificate_id}/proposals", dependencies=allows("certificate.read"))
def list_proposals(certificate_id: int, ctx: Reading) -> tuple[ProposalView, ...]:
    """Return what waits for a colleague's consent; its token is the challenge."""
    lookup.certificate(ctx, certificate_id)
    return consents.open_proposals(ctx, certificate_id)


@router.post("/certificates/{certificate_id}/consent", dependencies=allows("certificate.consent"))
def consent(
    certificate_id: int, body: NewConsent, act: Acting, prover: Proving
) -> lookup.CertificateView:
    """Agree, as the colleague who is named, to what was proposed."""
    proof = prover.prove(answer_of(body.signature), consents.bytes_to_sign)
    with act() as ctx:
        consents.consent(ctx, body.proposal_id, proof)
        return lookup.certificate(ctx, certificate_id)


def _ended(
    ctx: Context,
    act: consents.Act,
    certificate_id: int,
    body: TwoPersons,
    key: str,
) -> lookup.CertificateView:
    def end() -> dict[str, int]:
        consents.end_by_two(ctx, act, certificate_id, body.reason, body.second_person_id)
        return {"certificate": certificate_id}

    sent = {"certificate": certificate_id, **body.model_dump()}
    once_per_key(ctx, f"certificate:certificate:{act}", key, sent, end)
    return lookup.certificate(ctx, certificate_id)
