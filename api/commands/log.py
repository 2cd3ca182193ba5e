"""``calib log`` and ``calib witness``: grow and check one's own log, watch and cosign others'."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.acting import installation
from api.commands.pinning import pinned
from api.commands.terminal import AsJSON, answer, read_input, settings, tell_findings, words
from instruments.errors import Refused

if TYPE_CHECKING:
    from calib.ledger.checkpoints import Checkpoint

app = typer.Typer(no_args_is_help=True, help="The public log of this installation, and others.")
Trust = Annotated[Path, typer.Option(help="Trust bundle of the installation that is watched.")]


@app.command()
def grow(as_json: AsJSON = False) -> None:
    """Publish what is not published yet: log, cosignatures of witnesses, status list."""
    from calib.services.heads import tell_heads
    from calib.services.publishing import publish

    with installation() as wired:
        tell_heads(wired.engine, wired.clock())
        done = publish(wired.publisher, wired.clock)
    tell_findings(done.findings)
    head = done.head
    said = {"size": head.size if head else 0, "witnessed": not done.findings}
    line = words("The log has {size} lines.", size=said["size"])
    answer(said, line if head else words("There is no key for a log yet."), as_json=as_json)


@app.command()
def check(as_json: AsJSON = False) -> None:
    """Compute the whole log again from the ledger and name every file that does not fit."""
    from calib.services.log_check import check_log

    with installation() as wired:
        now = wired.clock()
        log = wired.publisher.log(now)
        findings = tuple(check_log(log, now)) if log else ()
    tell_findings(findings)
    said = {"findings": [finding.text() for finding in findings]}
    answer(said, words("{count} findings.", count=len(findings)), as_json=as_json)
    raise typer.Exit(1 if findings else 0)


@app.command()
def watch(
    address: Annotated[str, typer.Argument(help="Address of the log, e.g. https://host/log")],
    trust: Trust,
    state: Annotated[Path, typer.Option(help="File that remembers what was seen last.")],
    lab: Annotated[str, typer.Option(help="Code of the laboratory that is yours.")] = "",
    own: Annotated[
        Path | None, typer.Option(help="Folder with the proofs of your own certificates.")
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """Look whether a log only grew, and whether it holds lines in your name that are not yours."""
    from api.bootstrap import fetch_log
    from calib.verifier.watching import lines_of_proofs, watch

    bundle = pinned(read_input(str(trust)))
    key = next(one for one in bundle.read_policy().logs if one.name == bundle.origin)
    proofs = sorted(own.glob("*.tlog-proof")) if own else []
    mine = lines_of_proofs(proof.read_bytes() for proof in proofs)
    seen = watch(fetch_log(address), key, _remembered(state), lab, mine)
    state.write_text(seen.head.text(), encoding="utf-8")
    tell_findings(seen.findings)
    said = {"size": seen.head.size, "findings": [one.text() for one in seen.findings]}
    line = words("The log has {size} lines and only grew.", size=seen.head.size)
    answer(said, line, as_json=as_json)
    raise typer.Exit(1 if seen.findings else 0)


def _remembered(state: Path) -> Checkpoint | None:
    from calib.ledger.checkpoints import read_checkpoint
    from calib.ledger.notes import Note

    if not state.exists():
        return None
    return read_checkpoint(Note(state.read_text(encoding="utf-8"), ()))


def witness(
    name: Annotated[str, typer.Argument(help="Name of this witness, e.g. lab.example/witness")],
    log: Annotated[
        list[str], typer.Option(help="Key of a log to cosign (name+number+base64); repeat it.")
    ],
    folder: Annotated[Path, typer.Option(help="Where key and seen heads are kept.")],
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at.")] = 8010,
    *,
    key_only: Annotated[
        bool, typer.Option("--key-only", help="Make the key if there is none, print it, and end.")
    ] = False,
) -> None:
    """Cosign other logs: a log whose witnesses nobody of the log controls cannot be rewritten."""
    from api.bootstrap import make_witness
    from api.witness import serve_witness
    from calib.ledger.notes import is_key_name, read_note_key

    if not is_key_name(name):
        raise Refused(
            "witness-name",
            "{name} cannot be the name of a witness: no spaces and no plus. Take host and path, "
            "e.g. lab.example/witness.",
            facts={"name": name},
        )
    made = make_witness(settings(), name, [read_note_key(one) for one in log], folder)
    typer.echo(str(made.note_key))
    if not key_only:
        serve_witness(made, host, port)
