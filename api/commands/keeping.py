"""``calib backup``, ``restore``, ``fsck``, ``export``: copies that are proven, faults named."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.acting import installation, need_installation
from api.commands.terminal import AsJSON, answer, progress, settings, tell_findings, words
from api.usage import WrongUsage
from instruments.errors import Finding, NotFound

if TYPE_CHECKING:
    from calib.keeping.export import Exported, Proofs
    from calib.services.restoring import Missing


def backup(
    to: Annotated[Path, typer.Argument(help="Folder of the backup; kept and added to.")],
    as_json: AsJSON = False,
) -> None:
    """Copy the installation while people work; the copy is opened and checked before it counts."""
    from api.bootstrap import open_store
    from calib.keeping.backup import back_up

    with installation() as wired, progress(shown=not as_json) as told:
        folder, named = wired.settings.folder, wired.settings.passphrase_file
        secret = Path(named) if named else None
        made = back_up(wired.engine, folder, to, open_store, wired.clock(), told, secret)
    tell_findings(made.findings)
    said = {
        **asdict(made.manifest),
        "left_out": [made.left_out] if made.left_out else [],
        "findings": [one.text() for one in made.findings],
    }
    line = words(
        "Backed up and proven: {certificates} certificates, {files} files, {lines} lines of the "
        "ledger, digest {digest}.",
        **asdict(made.manifest),
    )
    if made.left_out:
        more = words(
            "{name} was left out: it holds the passphrase of the keys. Keep a copy of it apart; "
            "without it no restored key opens.",
            name=made.left_out,
        )
        line = f"{line}\n{more}"
    answer(said, line, as_json=as_json)
    raise typer.Exit(1 if made.findings else 0)


def restore(
    source: Annotated[Path | None, typer.Argument(help="Folder of the backup.")] = None,
    by: Annotated[
        list[str] | None, typer.Option(help="With --acknowledge: who looked; two names.")
    ] = None,
    *,
    acknowledge: Annotated[
        bool, typer.Option("--acknowledge", help="Take up what is missing, and work again.")
    ] = False,
    as_json: AsJSON = False,
) -> None:
    """Bring a backup into an empty installation; it is read-only until two persons acknowledge."""
    if acknowledge:
        _acknowledge(tuple(by or ()), as_json=as_json)
        return
    if source is None:
        raise WrongUsage(
            "restore-nothing",
            "Name the folder of the backup, or --acknowledge what was restored.",
        )
    from api.bootstrap import open_store
    from calib.keeping.backup import restore as bring

    with installation(may_begin=True) as wired, progress(shown=not as_json) as told:
        folder, now = wired.settings.folder, wired.clock()
        manifest = bring(wired.engine, folder, source, open_store, now, told)
        missing = _missing(wired)
    said = {**asdict(manifest), "missing": _counts(missing)}
    answer(said, _restored(manifest.certificates, manifest.made_at, missing), as_json=as_json)


def _acknowledge(by: tuple[str, ...], *, as_json: bool) -> None:
    from api.bootstrap import acknowledging
    from calib.keeping.restored import acknowledge
    from calib.services.restoring import take_up

    if len({name.strip() for name in by}) < 2 or not all(name.strip() for name in by):
        raise WrongUsage(
            "two-names",
            "Two persons look at what is missing: name both with --by.",
        )
    need_installation()
    with acknowledging(settings()) as wired:
        missing = _missing(wired)
        take_up(wired.engine, missing, wired.clock(), by)
        acknowledge(wired.settings.folder)
    said = {"taken_up": len(missing.lines), "by": list(by), "missing": _counts(missing)}
    line = words(
        "{count} lines were taken up from the log and their numbers skipped. The installation "
        "works again.",
        count=len(missing.lines),
    )
    answer(said, line, as_json=as_json)


def _missing(wired: Any) -> Missing:
    from calib.ledger.notes import read_note_key
    from calib.services.key_views import list_keys
    from calib.services.restoring import missing_lines
    from instruments.tenancy import installation_session

    with installation_session(wired.engine, read_only=True) as session:
        keys = [read_note_key(k.public_key) for k in list_keys(session) if k.purpose == "log"]
    return missing_lines(wired.engine, wired.publisher.log_files, keys)


def _counts(missing: Missing) -> dict[str, dict[str, int]]:
    return {lab: dict(counts) for lab, counts in missing.by_lab().items()}


def _restored(certificates: int, made_at: str, missing: Missing) -> str:
    lines = [
        words(
            "Restored {certificates} certificates as of {made_at}. Everything is read-only until "
            "two persons acknowledge: calib restore --acknowledge --by NAME --by NAME.",
            certificates=certificates,
            made_at=made_at,
        )
    ]
    lines += [
        words(
            "The log knows of laboratory {lab}: {what}, which this backup does not hold.",
            lab=lab or "-",
            what=", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())),
        )
        for lab, counts in missing.by_lab().items()
    ]
    return "\n".join(lines)


def fsck(as_json: AsJSON = False) -> None:
    """Compute every digest, chain, root and file again, and name what is wrong."""
    from calib.services.fsck import fsck as check

    found: list[Finding] = []
    with installation() as wired, progress(shown=not as_json) as told:
        now = wired.clock()
        found += check(wired.engine, wired.store, lambda: wired.publisher.log(now), told, now)
    tell_findings(tuple(found))
    said = {"findings": [one.text() for one in found]}
    answer(said, words("{count} findings.", count=len(found)), as_json=as_json)
    raise typer.Exit(1 if found else 0)


def export(
    lab: Annotated[str, typer.Argument(help="Code of the laboratory.")],
    to: Annotated[Path, typer.Argument(help="Empty folder to write to.")],
    as_json: AsJSON = False,
) -> None:
    """Give a lab all that is its own, in a form that verifies without this program."""
    from api.bootstrap import trust_of
    from calib.keeping.export import Source, export_lab, prove
    from instruments.services import lifecycle
    from instruments.tenancy import installation_session

    if to.exists() and any(to.iterdir()):
        raise WrongUsage(
            "export-not-empty",
            "The folder {folder} is not empty. Name a new one.",
            facts={"folder": str(to)},
        )
    names: list[str] = []

    def put(name: str, content: bytes) -> None:
        place = to / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        names.append(name)

    with installation() as wired, progress(shown=not as_json) as told:
        now = wired.clock()
        source = Source(
            wired.engine,
            wired.store,
            wired.publisher.log(now),
            wired.publisher.status_files,
            trust_of(wired),
        )
        try:
            done = export_lab(source, lab, now.date().isoformat(), put, told)
        except KeyError:
            raise NotFound(
                "lab-unknown",
                "There is no laboratory {code}. Its code stands on the page of the laboratory.",
                facts={"code": lab},
            ) from None
        with installation_session(wired.engine) as session:
            lifecycle.note_export(session, lab, done.rows, now)
    proofs = prove(lambda name: (to / name).read_bytes(), names)
    tell_findings(done.findings)
    said = {
        "certificates": done.certificates,
        "files": done.files,
        "rows": done.rows,
        "unproven": list(proofs.unproven),
        "simulated": list(proofs.simulated),
        "findings": [one.text() for one in done.findings],
    }
    answer(said, _in_words(done, proofs), as_json=as_json)
    raise typer.Exit(1 if proofs.unproven or done.findings else 0)


def _in_words(done: Exported, proofs: Proofs) -> str:
    line = words(
        "{certificates} certificates, {files} files, {rows} rows; {bad} proofs do not verify.",
        certificates=done.certificates,
        files=done.files,
        rows=done.rows,
        bad=len(proofs.unproven),
    )
    if proofs.simulated:
        more = words(
            "{count} proofs verify and say that the readings were simulated: they certify nothing.",
            count=len(proofs.simulated),
        )
        return f"{line}\n{more}"
    return line
