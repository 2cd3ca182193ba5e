"""Today's work, what is due, and the board as JSON."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import PublicReading, Reading, Wired, Writing, allows, types_of
from api.strict_routes import StrictRoute
from calib.services import board, lookup, outbox, public, recall
from instruments.errors import NotFound

router = APIRouter(tags=["work"], route_class=StrictRoute)


@router.get("/dashboard", dependencies=allows("dashboard.read"))
def dashboard(ctx: Reading) -> lookup.Dashboard:
    """Return the queues by station, what is overdue, and alarms."""
    return lookup.dashboard(ctx)


@router.post("/mails/{mail_id}/send-again", status_code=204, dependencies=allows("mail.resend"))
def send_again(mail_id: int, ctx: Writing) -> None:
    """Put a refused mail back into the outbox; the dashboard names those that failed."""
    outbox.send_again(ctx, mail_id)


@router.get("/due", dependencies=allows("board.read"))
def due(
    ctx: Reading, within: Annotated[int, Query(ge=0, le=3660)] = 30
) -> tuple[recall.DueItem, ...]:
    """Return the instruments due within so many days, overdue ones first."""
    return recall.due_list(ctx, within)


@router.get("/board", dependencies=allows("board.read"))
def show_board(ctx: Reading, wired: Wired, site_id: int | None = None) -> board.BoardView:
    """Return the status of every instrument by site: green, yellow or red, with words."""
    return board.board(ctx, catalogue=types_of(ctx, wired), site_id=site_id)


@router.get("/public/certificates/{token}", dependencies=allows("public.certificate"))
def public_certificate(
    token: str, session: PublicReading, wired: Wired
) -> public.PublicCertificate:
    """Return what anybody may know of a certificate; no sign-in needed."""
    found = public.public_certificate(session, token, wired.clock())
    if found is None:
        raise NotFound(
            "no-such-certificate",
            "No certificate answers to this address. Compare it with the one printed on the "
            "paper, and ask the laboratory.",
        )
    return found
