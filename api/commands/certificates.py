"""``calib certificate``: issue, show, print, amend, void and withdraw."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.acting import Token, acting, installation, need_token, opener
from api.commands.terminal import AsJSON, Reason, answer, tell, words, write_output
from instruments.errors import NotFound, Refused

if TYPE_CHECKING:
    from calib.services import consents
    from calib.services.lookup import CertificateView
    from instruments.context import Context

app = typer.Typer(no_args_is_help=True, help="Issue, show, print, amend and withdraw certificates.")
Number = Annotated[str, typer.Argument(help="Number of the certificate, or its id.")]
Second = Annotated[int, typer.Option(help="Id of the second person who agrees.")]


def find(ctx: Context, number: str) -> CertificateView:
    """Return the certificate of a number or an id.

    Raises NotFound.
    """
    from calib.services import lookup

    for view in lookup.certificates(ctx, number):
        if view.number == number:
            return view
    if number.isascii() and number.isdigit() and len(number) < 19:
        return lookup.certificate(ctx, int(number))
    raise NotFound(
        "certificate-not-found",
        "There is no certificate {number} here. Compare it with the paper.",
        facts={"number": number},
    )


@app.command()
def issue(
    calibration_id: int,
    key: Annotated[
        str, typer.Option(help="Key of this act, the same for every retry.", show_default=False)
    ] = "",
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Issue the certificate of an authorised record."""
    from calib.services import issue as issuing
    from calib.services import readings

    need_token(token)
    with installation() as wired:
        act = opener(wired, token)
        with act() as ctx:
            version = readings.get_calibration(ctx, calibration_id).version
        issued = issuing.issue_certificate(
            wired.engine,
            wired.store,
            wired.sealer,
            act,
            calibration_id,
            version,
            key or f"calib-certificate-issue-{calibration_id}-{version}",
            public_base=wired.settings.public_url,
            clock=wired.clock,
        )
        line = f"{issued.number}  {wired.settings.public_url}/c/{issued.token}"
        answer(issued, line, as_json=as_json)


@app.command()
def show(
    number: Number,
    dcc: Annotated[bool, typer.Option("--dcc", help="Print its DCC, nothing else.")] = False,
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Show a certificate, what happened to it and its files."""
    from calib.services import lookup

    with acting(token, read_only=True) as (ctx, wired):
        view = find(ctx, number)
        if dcc:
            file = lookup.certificate_file(ctx, view.id, "dcc")
            typer.get_binary_stream("stdout").write(wired.store.get(file.sha256))
            return
    lines = [f"{view.number}  {view.state}  {_verdict(view)}  {view.item}  {view.performed_on}"]
    lines += [f"  {e.at.isoformat()}  {e.event:11} {e.person}  {e.reason}" for e in view.events]
    lines += [f"  {f.role:7} {f.size:9} bytes  {f.sha256}" for f in view.files]
    answer(view, "\n".join(lines), as_json=as_json)


def _verdict(view: CertificateView) -> str:
    """Return the verdict; of a batch with rejects how many pieces pass instead."""
    if view.passed_of is None:
        return view.verdict
    said = words("{passed} of {all} pieces pass", passed=view.passed_of[0], all=view.passed_of[1])
    return said if view.verdict == "pass" else f"{view.verdict}  {said}"


@app.command(name="print")
def print_(
    number: Number,
    to: Annotated[Path, typer.Option(help="File to write.")],
    role: Annotated[str, typer.Option(help="pdf, dcc, input or result.")] = "pdf",
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Write a file of a certificate: the PDF unless told otherwise."""
    from calib.services import lookup

    with acting(token, read_only=True) as (ctx, wired):
        view = find(ctx, number)
        file = lookup.certificate_file(ctx, view.id, role)
        write_output(to, wired.store.get(file.sha256))
    told = {"number": view.number, "file": str(to), "sha256": file.sha256, "size": file.size}
    answer(told, str(to), as_json=as_json)


@app.command()
def amend(number: Number, reason: Reason, token: Token = "", as_json: AsJSON = False) -> None:
    """Open a copy of the record whose certificate will replace this one."""
    from calib.services import issue as issuing

    with acting(token) as (ctx, _):
        record = issuing.amend(ctx, find(ctx, number).id, reason)
    line = words("Record {record} is open as the draft of the replacement.", record=record.id)
    answer(record, line, as_json=as_json)


@app.command()
def withdraw(
    number: Number,
    reason: Reason,
    second_person: Second,
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Withdraw an issued certificate: whoever looks it up sees it."""
    _end("withdraw", number, reason, second_person, token, as_json=as_json)


@app.command()
def void(
    number: Number,
    reason: Reason,
    second_person: Second,
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Give up a number that was reserved and cannot be finished."""
    _end("void", number, reason, second_person, token, as_json=as_json)


def _end(
    name: consents.Act, number: str, reason: str, second_person: int, token: str, *, as_json: bool
) -> None:
    from calib.services import consents, lookup

    with acting(token) as (ctx, _):
        id_ = find(ctx, number).id
        waiting = consents.end_by_two(ctx, name, id_, reason, second_person)
        view = lookup.certificate(ctx, id_)
    if waiting is not None:
        tell(
            "Proposed. {name} has to consent: on the page of the certificate, or with calib "
            "certificate consent.",
            name=waiting.second_person_name,
        )
    answer(view, f"{view.number}  {view.state}", as_json=as_json)


@app.command()
def consent(number: Number, token: Token = "", as_json: AsJSON = False) -> None:
    """Agree to what a colleague proposed: asks for password and code."""
    from api.commands.signing import proved
    from calib.services import consents, lookup

    with acting(token, read_only=True) as (ctx, _):
        certificate_id = find(ctx, number).id
        me = ctx.actor.person_id
        waiting = consents.open_proposals(ctx, certificate_id)
        mine = [one for one in waiting if one.second_person_id == me]
    if not mine:
        raise Refused(
            "nothing-to-consent",
            "Nothing about certificate {number} waits for your consent.",
            facts={"number": number},
        )
    tell(
        "{name} proposed to end {number}: {reason}",
        name=mine[0].person_name,
        number=number,
        reason=mine[0].reason,
    )
    proof = proved(token, mine[0].token)
    with acting(token) as (ctx, _):
        consents.consent(ctx, mine[0].id, proof)
        view = lookup.certificate(ctx, certificate_id)
    answer(view, f"{view.number}  {view.state}", as_json=as_json)


@app.command()
def recover(as_json: AsJSON = False) -> None:
    """Finish every certificate that was left reserved; the application does so at its start."""
    from api.commands.terminal import tell_findings
    from calib.services import recovery

    with installation() as wired:
        found = recovery.sweep(wired.engine, wired.store, wired.sealer, wired.clock)
    answer({"finished": found.numbers}, "\n".join(found.numbers), as_json=as_json)
    if found.findings:
        tell_findings(found.findings)
        raise Refused(
            "certificates-still-reserved",
            "{count} certificates could not be finished. See the reasons above.",
            facts={"count": len(found.findings)},
        )
