"""Governing documents, comparisons of their limits, and who is affected, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from api.deps import Reading, Wired, Writing, allows
from api.schemas.documents import NewDocumentRecord, NewSupersession
from api.strict_routes import StrictRoute
from calib.services.document_use import DocumentUse, document_use
from instruments.catalogue.documents import shipped
from instruments.catalogue.documents.comparing import compared
from instruments.services import documents

router = APIRouter(tags=["documents"], route_class=StrictRoute)


@router.get("/documents", dependencies=allows("document.read"))
def list_documents(
    ctx: Reading, text: str = "", status: str = ""
) -> tuple[documents.DocumentView, ...]:
    """Return the documents whose number or title holds a text, of a status today."""
    return documents.list_documents(ctx, text, status)


@router.post("/documents", status_code=201, dependencies=allows("document.write"))
def register_document(body: NewDocumentRecord, ctx: Writing) -> documents.DocumentView:
    """Record what the lab knows of a document; `revision` is the newest one seen, 0 for none."""
    return documents.register(ctx, documents.DocumentEntry(**body.entry()), body.revision)


@router.post("/documents/supersessions", status_code=201, dependencies=allows("document.write"))
def supersede_document(body: NewSupersession, ctx: Writing) -> documents.DocumentView:
    """Record that another edition takes the place of a document."""
    return documents.supersede(ctx, documents.Supersession(**body.entry()), body.revision)


@router.get("/documents/affected", dependencies=allows("document.read"))
def affected(number: str, ctx: Reading, wired: Wired) -> DocumentUse:
    """Return the types, work, certificates and people that rest on a document."""
    return document_use(ctx, number, catalogue=wired.catalogue)


@router.get("/documents/comparisons", dependencies=allows("document.read"))
def list_comparisons() -> list[Mapping[str, Any]]:
    """Return the matters on which documents are put side by side."""
    return [
        {
            "id": one.id,
            "matter": one.matter,
            "quantity": one.quantity,
            "unit": one.unit,
            "documents": list(dict.fromkeys(row.document for row in one.rows)),
        }
        for one in shipped.register().comparisons
    ]


@router.get("/documents/comparisons/{matter}", dependencies=allows("document.read"))
def show_comparison(matter: str, wired: Wired) -> Mapping[str, Any]:
    """Return the limits of several documents on one matter side by side."""
    one = shipped.comparison(matter)
    return {
        "id": one.id,
        "matter": one.matter,
        "quantity": one.quantity,
        "unit": one.unit,
        "range_unit": one.range_unit or one.unit,
        "lines": compared(one, wired.catalogue.list()),
    }


@router.get("/documents/{number:path}", dependencies=allows("document.read"))
def get_document(number: str, ctx: Reading) -> documents.DocumentView:
    """Return one document; a slash in its number stays a slash."""
    return documents.get_document(ctx, number)
