"""What the certificate of a record would say if issued now; takes no number, stores nothing.

Signatures not yet given are shown as a dash. The page that shows it marks it as a preview.
"""

from __future__ import annotations

from dataclasses import replace

from calib.certificates.document import CertificateDocument
from calib.services import calibration_views, evaluation
from calib.services.issuing_document import make_document
from calib.services.review import MarkView, marks
from instruments.context import Context

NO_NUMBER = "—"
_ACTS = ("submitted", "reviewed", "authorised")


def preview_document(ctx: Context, calibration_id: int, *, public_base: str) -> CertificateDocument:
    """Return the document of a record that was submitted.

    Raises
    ------
    NotFound
        There is no such record, or it was never evaluated.
    Refused
        The record cannot become a certificate.
    """
    record = calibration_views.view(ctx, calibration_id)
    stored = evaluation.get_evaluation(ctx, calibration_id)
    given = {mark.act: mark for mark in marks(ctx, calibration_id) if mark.stands}
    nobody = MarkView(
        act="",
        person_id=0,
        person_name="—",
        comment="",
        marked_at=ctx.now,
        evaluation_id=stored.id,
        content_digest=stored.content_digest,
        stands=False,
    )
    return make_document(
        ctx,
        record,
        stored,
        {act: given.get(act) or replace(nobody, act=act) for act in _ACTS},
        number=NO_NUMBER,
        token="",
        public_base=public_base,
    )
