"""Audit packs for the doors: made, written down as handed out, then handed out."""

from __future__ import annotations

from api.bootstrap import Wiring, trust_of
from api.deps import MakeContext
from calib.keeping.audit_pack import Pack, PackSource, make_pack
from calib.ledger.trust import TrustBundle
from instruments.errors import NotFound
from instruments.services import audit

ACT = "access:pack:export"


def taken(act: MakeContext, wired: Wiring, certificate_id: int) -> Pack:
    """Return the pack of a certificate, once its row stands in the trail.

    Raises as `make_pack` does.
    """
    source = PackSource(
        wired.store,
        wired.publisher.log(wired.clock()),
        wired.publisher.status_files,
        _trust(wired),
    )
    with act() as ctx:
        made = make_pack(ctx, source, certificate_id)
        audit.record(ctx, ACT, "certificate", certificate_id, {"asked": made.name})
    return made


def _trust(wired: Wiring) -> TrustBundle | None:
    """Return what verifiers pin; None while the installation has no keys."""
    try:
        return trust_of(wired)
    except NotFound:
        return None
