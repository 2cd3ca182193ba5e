"""``calib audit``: read the trail, check it against the log, take the pack of a certificate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from api.commands.acting import Token, acting, installation
from api.commands.terminal import AsJSON, answer, tell_findings, words
from instruments.errors import Finding

app = typer.Typer(no_args_is_help=True, help="The audit trail: read it, check it, take a pack.")


@app.command("list")
def list_acts(
    text: Annotated[str, typer.Argument(help="Part of an act, a reason, a value.")] = "",
    *,
    act: Annotated[str, typer.Option(help="The act, e.g. registry:customer:update.")] = "",
    thing: Annotated[str, typer.Option(help="Kind of thing, e.g. instrument.")] = "",
    number: Annotated[int, typer.Option(min=0, help="Number of the thing; 0: any.")] = 0,
    person: Annotated[int, typer.Option(min=0, help="Number of the person; 0: any.")] = 0,
    before: Annotated[int, typer.Option(min=0, help="Only places below it; 0: all.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """List the acts of a laboratory, newest first."""
    from instruments.services import trail

    wanted = trail.Wanted(
        person_id=person or None,
        act=act,
        object_kind=thing,
        object_id=number or None,
        text=text,
    )
    with acting(token, read_only=True) as (ctx, _):
        acts = trail.list_acts(ctx, wanted, before=before or None, limit=limit)
    lines = [
        f"{one.place:6}  {one.happened_at:%Y-%m-%dT%H:%M:%SZ}  {one.person or '-'}  {one.act}  "
        f"{one.object_kind} {one.object_id or ''}  {json.dumps(one.facts, ensure_ascii=False)}"
        for one in acts
    ]
    answer(acts, "\n".join(lines), as_json=as_json)


@app.command()
def check(as_json: AsJSON = False) -> None:
    """Compute every trail again, compare it with the heads in the log, name the first bad row."""
    from sqlalchemy import select

    from calib.services import ledger
    from calib.services.heads import check_trail
    from calib.services.log_check import check_log
    from instruments.records.parties import Lab
    from instruments.tenancy import installation_session

    found: list[Finding] = []
    with installation() as wired:
        now = wired.clock()
        with installation_session(wired.engine, read_only=True) as session:
            for lab_id in session.scalars(select(Lab.id).order_by(Lab.id)).all():
                found += check_trail(session, lab_id)
            found += ledger.check(session)
        log = wired.publisher.log(now)
        found += check_log(log, now) if log else ()
    tell_findings(tuple(found))
    said = {"findings": [one.text() for one in found], "first": found[0].at if found else ""}
    answer(said, words("{count} findings.", count=len(found)), as_json=as_json)
    raise typer.Exit(1 if found else 0)


@app.command()
def pack(
    certificate: Annotated[int, typer.Argument(help="Number of the row: calib certificate list.")],
    to: Annotated[Path, typer.Argument(help="File or folder to write to.")],
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Write the audit pack of a certificate: everything behind it, to be checked elsewhere."""
    from api.commands.acting import opener
    from api.packing import taken
    from calib.verifier.evidence import sha256

    with installation() as wired:
        made = taken(opener(wired, token), wired, certificate)
    place = to / made.name if to.is_dir() else to
    place.write_bytes(made.content)
    said = {"file": str(place), "size": len(made.content), "sha256": sha256(made.content)}
    answer(said, words("{file}: {size} bytes, SHA-256 {sha256}.", **said), as_json=as_json)
