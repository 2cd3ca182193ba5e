"""``calib authenticate``: whether a certificate is genuine, unchanged, and still stands."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.pinning import pinned
from api.commands.terminal import AsJSON, print_json, read_input, tell, tell_error, words
from instruments.errors import DomainError, Invalid

if TYPE_CHECKING:
    from calib.ledger.trust import TrustBundle
    from calib.verifier.evidence import Evidence
    from calib.verifier.report import Report

_SIGNS = {"established": "✓", "contradicted": "✗", "not_established": "–"}


def authenticate(
    files: Annotated[
        list[str],
        typer.Argument(help="Certificates as PDF or XML, or files with the text of a code."),
    ],
    policy: Annotated[
        Path | None, typer.Option(help="Trust bundle of the laboratory, got by another way.")
    ] = None,
    proof: Annotated[
        Path | None, typer.Option(help="Its tlog-proof; without it the one beside the file.")
    ] = None,
    status: Annotated[
        Path | None, typer.Option(help="A status list; a newer one of the laboratory counts first.")
    ] = None,
    *,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no server for proof and status.")
    ] = False,
    as_json: AsJSON = False,
) -> None:
    """Check certificates step by step: seal, content, log, status, recomputation.

    Without --offline, the host that the trust bundle names is asked for the status list, and for
    the proof where there is none.
    """
    from calib.verifier.advice import advice
    from calib.verifier.report import EXIT

    bundle = read_input(str(policy)) if policy else None
    try:
        trust = pinned(bundle) if bundle is not None else None
    except Invalid as problem:  # nothing is known with it, and nothing is said of the certificate
        tell_error(problem)
        raise typer.Exit(EXIT["cannot_tell"]) from problem
    reports = [
        (file, _examined(read_input(file), file, trust, proof, status, offline=offline))
        for file in files
    ]
    if as_json:
        print_json(
            [
                {"file": file, **report.as_dict(), "words": report.words, "next": advice(report)}
                for file, report in reports
            ]
        )
    else:
        for file, report in reports:
            _tell(file, report)
    codes = [EXIT[report.verdict] for _, report in reports]
    raise typer.Exit(1 if 1 in codes else max(codes))


def _examined(
    content: bytes,
    file: str,
    trust: TrustBundle | None,
    proof: Path | None,
    status: Path | None,
    *,
    offline: bool,
) -> Report:
    from api.bootstrap import system_clock
    from calib.verifier.apart import examine_apart
    from calib.verifier.evidence import Evidence

    beside = Path(file).with_suffix(".tlog-proof")
    found = proof or (beside if file != "-" and beside.exists() else None)
    evidence = Evidence(
        now=system_clock(),
        trust=trust,
        proof=read_input(str(found)) if found else None,
        status=read_input(str(status)) if status else None,
    )
    report = examine_apart(content, evidence)
    if offline or trust is None:
        return report
    return examine_apart(content, _fetched(evidence, trust, report))


def _fetched(evidence: Evidence, trust: TrustBundle, report: Report) -> Evidence:
    """Ask the pinned host, and no other, for the list as it is now and for what is missing."""
    from dataclasses import replace

    from api.bootstrap import fetch_log
    from calib.verifier.evidence import newest_list

    scheme = "http" if trust.host.partition(":")[0] in ("127.0.0.1", "localhost") else "https"
    fetch = fetch_log(f"{scheme}://{trust.host}")
    token = report.says.get("token", "")
    try:
        lists = [one for one in (evidence.status, fetch("status/list")) if one is not None]
        evidence = replace(evidence, status=newest_list(lists, trust, evidence.now))
    except DomainError as problem:
        tell(
            "{host} was asked for the newest status list and did not give one ({problem}): what "
            "is said rests on the files in hand. This says nothing against the certificate. Try "
            "again later, or load https://{host}/status/list on another device, and name it after "
            "--status.",
            host=trust.host,
            problem=words(problem.message, **problem.facts),
        )
    if evidence.proof is None and token:
        with contextlib.suppress(DomainError):
            evidence = replace(evidence, proof=fetch(f"c/{token}/proof"))
    return evidence


def _tell(file: str, report: Report) -> None:
    from calib.verifier.advice import advice
    from calib.verifier.report import STEP_WORDS

    typer.echo(file)
    for name, value in report.says.items():
        if value:
            typer.echo(f"    {name:12} {value}")
    for step in report.steps:
        typer.echo(f"  {_SIGNS[step.state]} {words(STEP_WORDS[step.id])}")
        typer.echo(f"      {words(step.message, **step.facts)}")
        for finding in step.findings[:20]:
            typer.echo(f"      - {words(finding.message, **finding.facts)}")
    typer.echo(f"  {words(report.words)}")
    typer.echo(f"  → {words(advice(report))}")
