"""Traceability of a certificate or of a standard: drawn up to the SI, and told as a list."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.deps import Reading, allows
from api.pages.graph import traceability as drawn
from api.pages.rendering import staff_page
from calib.i18n import translate
from calib.services import lookup, traceability
from calib.services.traceability import Chain
from instruments.context import Context
from instruments.services import standards

router = APIRouter(include_in_schema=False)
ENDS = {
    "outside": "Here the chain leaves what this laboratory knows: {issuer} answers for the way on "
    "to the SI, by its certificate {number}.",
    "unknown": "The chain ends here: certificate {number} is said to be of this laboratory, and it "
    "was never issued.",
    "withdrawn": "The chain ends here: certificate {number} was withdrawn.",
    "superseded": "The chain ends here: certificate {number} was replaced by another. Enter the "
    "newer one for the standard.",
    "nothing": "The chain ends here: certificate {number} names no standard.",
    "circle": "The chain ends here: it comes back to certificate {number}, so it rests on itself.",
}
"""How a way up ends, in words."""
PROBLEMS = {
    "ran_out": "It had run out when it was used (valid until {until}).",
    "too_late": "It was calibrated only after it was used (on {on}).",
}


@router.get("/certificates/{certificate_id}/traceability", dependencies=allows("certificate.read"))
def show_certificate(certificate_id: int, request: Request, ctx: Reading) -> Response:
    """Show what a certificate rests on, up to the SI, and what rests on it."""
    certificate = lookup.certificate(ctx, certificate_id)
    chain = traceability.of_certificate(ctx, certificate_id)
    return _page(
        request,
        ctx,
        chain,
        certificate.number,
        back=(("/certificates", "Certificates"), (f"/certificates/{certificate_id}", None)),
    )


@router.get("/standards/{standard_id}/traceability", dependencies=allows("standard.read"))
def show_standard(standard_id: int, request: Request, ctx: Reading) -> Response:
    """Show what a standard rests on, up to the SI, and the certificates issued with it."""
    standard = standards.get_standard(ctx, standard_id)
    chain = traceability.of_standard(ctx, standard)
    return _page(
        request,
        ctx,
        chain,
        standard.code,
        back=(("/standards", "Standards"), (f"/standards/{standard_id}", None)),
    )


def _page(
    request: Request, ctx: Context, chain: Chain, root: str, back: Sequence[tuple[str, str | None]]
) -> Response:
    return staff_page(
        request,
        "standards/traceability.html",
        ctx,
        chain=chain,
        root=root,
        crumbs=[(href, translate(said, ctx.language) if said else root) for href, said in back],
        node_href=lambda node: (
            f"/standards/{node.standard_id}/traceability"
            if node.standard_id and ctx.may("standard.read")
            else ""
        ),
        ends=ENDS,
        problems=PROBLEMS,
        draw=lambda words: drawn(
            chain, root, words, lambda said: translate(said, ctx.language), ctx.language
        ),
    )
