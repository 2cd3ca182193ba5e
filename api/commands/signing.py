"""Signing at the terminal: what is signed is told, then password and code are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from api.commands.acting import acting, installation
from api.commands.terminal import given_or_typed, tell, words

if TYPE_CHECKING:
    from instruments.services.reauthentication import Proof

MEANINGS = {"submit": "performed", "review": "reviewed", "authorise": "authorised"}


def signed(token: str, record_id: int, meaning: str) -> Proof | None:
    """Return the proof for a signature; None where the lab demands none."""
    from calib.services import review
    from instruments.services import approval_rules
    from instruments.services.secrets import token_hash

    with acting(token) as (ctx, _):
        if not approval_rules.rules(ctx).demands_signatures:
            return None
        asked = review.ask_to_sign(ctx, record_id, meaning, token_hash(token))
        summary = asked.summary[ctx.language]
    tell("You sign as {meaning}: {summary}", meaning=meaning, summary=summary)
    typer.echo(f"SHA-256 {asked.content_sha256}", err=True)
    return proved(token, asked.challenge)


def proved(token: str, challenge: str) -> Proof:
    """Return the proof of the person behind a token for what they were shown.

    Password and code come from CALIB_PASSWORD and CALIB_CODE, or are typed. A passkey needs the
    page.
    """
    from instruments.services import reauthentication, second_factor
    from instruments.services.secrets import token_hash

    with acting(token, read_only=True) as (ctx, _):
        person_id = ctx.actor.person_id
        has_factor = second_factor.is_asked_for(ctx.session, person_id)
    answer = reauthentication.Answer(
        challenge,
        given_or_typed("CALIB_PASSWORD", words("Password"), hidden=True),
        given_or_typed("CALIB_CODE", words("Code"), hidden=False) if has_factor else "",
    )
    asker = reauthentication.Asker(person_id, token_hash(token), "terminal", None)
    with installation() as wired:
        return reauthentication.prove(wired.engine, asker, answer, None, wired.clock)
