"""Signing keys of the laboratory and of the installation: how they stand, and ending one by two."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import Acting, Reading, Writing, allows
from api.instants import instant_of
from api.pages.forms import AsTyped, Form, Typed, attempt
from api.pages.rendering import staff_page
from api.pages.signing import answer_of, consent_form
from api.proving import Proving, passkey_options
from calib.services import key_consents
from calib.services.second_person import SECOND
from instruments.context import Context
from instruments.errors import DomainError
from instruments.services import people

router = APIRouter(include_in_schema=False)


@router.get("/lab/keys", dependencies=allows("key.read"))
def show_keys(request: Request, ctx: Reading) -> Response:
    """Show the keys and what waits for a consent."""
    return _page(request, ctx, Form())


@router.post("/lab/keys/{key_id}/retire", dependencies=allows("key.write"))
def retire(key_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Propose that a key sign no more."""

    def propose() -> object:
        second = typed.chosen("second_person_id")
        return key_consents.propose_retirement(ctx, key_id, typed.text("reason"), second)

    return _proposed(request, ctx, typed, f"-retire-{key_id}", propose)


@router.post("/lab/keys/{key_id}/compromise", dependencies=allows("key.write"))
def compromise(key_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Propose to give up a key that may be in other hands."""

    def propose() -> object:
        since = instant_of(typed.text("since"), ctx.zone)
        second = typed.chosen("second_person_id")
        return key_consents.propose_compromise(ctx, key_id, since, typed.text("reason"), second)

    return _proposed(request, ctx, typed, f"-compromise-{key_id}", propose)


@router.post("/lab/keys/{key_id}/consent", dependencies=allows("key.consent"))
def consent(
    key_id: int, request: Request, act: Acting, typed: AsTyped, prover: Proving
) -> Response:
    """Agree, as the colleague who is named, to what was proposed."""
    proof = prover.prove(answer_of(typed), key_consents.bytes_to_sign)
    with act() as ctx:
        proposal = typed.whole("proposal") or 0
        done = attempt(ctx, lambda: key_consents.consent(ctx, key_id, proposal, proof))
        if isinstance(done, DomainError):
            return _page(request, ctx, consent_form(typed, done, ctx.language))
    return RedirectResponse("/lab/keys?done=saved", status_code=303)


def _proposed(
    request: Request, ctx: Context, typed: Typed, form: str, propose: Callable[[], object]
) -> Response:
    done = attempt(ctx, propose)
    if isinstance(done, DomainError):
        return _page(request, ctx, typed.form(done, ctx.language).apart(form), form)
    return RedirectResponse("/lab/keys?done=proposed", status_code=303)


def _page(request: Request, ctx: Context, form: Form, ended: str = "") -> Response:
    second = [
        (person.id, person.name)
        for person in people.list_people(ctx)
        if person.id != ctx.actor.person_id
        and any(held.role in SECOND for held in person.memberships)
    ]
    proposals = key_consents.open_proposals(ctx)
    return staff_page(
        request,
        "lab/keys.html",
        ctx,
        status=form.status(),
        form=form,
        ended=ended,
        keys=key_consents.keys_here(ctx),
        proposals=proposals,
        passkey=passkey_options(request, ctx, proposals),
        second=second,
        tab="keys",
    )
