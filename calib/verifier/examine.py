"""Examine a certificate: a PDF, a DCC in XML, or the code printed on it; report step by step.

Reads only what it was given: no database, no network. What a file says of itself is shown, and
believed only as far as a step established it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from importlib.metadata import version
from urllib.parse import urlsplit

from calib.certificates.document import CertificateDocument
from calib.certificates.pdf import MARK, fonts_digest, render, template_digest
from calib.certificates.pdf_seal_reading import verified_pdf
from calib.certificates.reread import ReadFile, read_file, reread
from calib.certificates.xml_seal import open_xml
from calib.evaluation.evaluate import evaluate
from calib.evaluation.floor import within_scope
from calib.evaluation.inputs import CalibrationInput
from calib.ledger.marks import SignedMark, read_fragment
from calib.verifier.bounds import form_of, is_computable, is_like_code, need_bounded
from calib.verifier.digital import examine_dcc
from calib.verifier.evidence import Evidence, log_steps, sha256, status_step
from calib.verifier.foreign import of_no_certificate
from calib.verifier.marks import is_mark_of, mark_step, mark_steps, validity_steps
from calib.verifier.report import (
    Report,
    Step,
    contradicted,
    established,
    not_established,
    refused,
    report_of,
    simulated_step,
)
from calib.verifier.seals import (
    Seen,
    held,
    of_document,
    roots_of,
    seen_in,
    time_roots_of,
    timestamp_steps,
)
from instruments.errors import DomainError, Invalid, Refused
from instruments.plain import NotPlain

MAX_BYTES = 50 * 1024**2
_ODD = (ValueError, LookupError, TypeError, ArithmeticError, AttributeError, RecursionError)
DOCUMENT, INPUT, DCC = "certificate.json", "input.json", "dcc.xml"


def examine(
    content: bytes, evidence: Evidence, tell: Callable[[Report], None] | None = None
) -> Report:
    """Return what can be said of a certificate; `tell` gets it before the results are computed."""
    if len(content) > MAX_BYTES:
        return of_no_certificate(content, evidence, f"it is larger than {MAX_BYTES} bytes")
    try:
        form = form_of(content)
        if form == "pdf":
            return _of_pdf(content, evidence, tell or (lambda _: None))
        if form == "xml":
            return examine_dcc(content, evidence)
        if not is_like_code(content):
            return of_no_certificate(content, evidence, "no PDF, no XML and no code")
        steps, says = mark_steps(content.decode("utf-8").strip(), evidence)
        return report_of(steps, says)
    except DomainError as problem:
        return report_of([refused("file", problem)])
    except UnicodeDecodeError:
        return report_of([refused("file", _not_ours("no PDF, no XML and no code"))])


# ------------------------------------------------------------------------------------------- PDF


def _of_pdf(content: bytes, evidence: Evidence, tell: Callable[[Report], None]) -> Report:
    read = _read(content)
    if isinstance(read, str) or DOCUMENT not in read.attachments:
        reason = read if isinstance(read, str) else "it carries no document of this program"
        return of_no_certificate(content, evidence, reason)
    document = _document(read.attachments.get(DOCUMENT))
    attached = {name: one for name, one in read.attachments.items() if name != DOCUMENT}
    digests = {"pdf": sha256(content)}
    if INPUT in attached:
        digests["input"] = sha256(attached[INPUT])
    if DCC in attached:
        digests["dcc"] = sha256(attached[DCC])
    logged = log_steps(evidence, digests, document.number, document)
    seen = seen_in(logged)
    steps = [
        established(
            "file", "It reads as {kind} {number}.", kind=document.kind, number=document.number
        ),
        *_all_guarded("seal", lambda: _seal_of_pdf(content, document, evidence, seen)),
        *_dcc(attached.get(DCC), document, evidence, seen),
        _guarded("text", lambda: _text(document, content, attached)),
        _guarded("rendering", lambda: _rendering(document, content, attached)),
        *logged,
        *_mark(attached.get(MARK), document, evidence),
        *_simulated(logged, is_said=document.simulated),
        *_standing(document, evidence),
    ]
    says = _says(document)
    tell(report_of([*steps, _too_costly()], says))  # in case this process does not outlive the rest
    return report_of([*steps, *_results(document, attached.get(INPUT))], says)


def _read(content: bytes) -> ReadFile | str:
    """Return what a PDF holds, or why it is not known."""
    import pypdfium2  # type: ignore[import-untyped]

    try:
        need_bounded(content)
        return read_file(content)
    except Refused as problem:
        return str(problem)
    except pypdfium2.PdfiumError as problem:
        return str(problem)
    except ValueError as problem:
        raise _not_ours(str(problem)) from problem


def _document(attached: bytes | None) -> CertificateDocument:
    try:
        document = CertificateDocument.from_dict(json.loads(attached or b""))
        is_canonical = document.canonical() == attached
        _need_dates(document)
    except (ValueError, NotPlain, KeyError, TypeError, RecursionError) as problem:
        raise _not_ours("it carries no document of this program") from problem
    if not is_canonical:
        raise _not_ours("its document is not in canonical form")
    return document


def _need_dates(document: CertificateDocument) -> None:
    """Raise ValueError where a date or the address cannot be read as one."""
    if datetime.fromisoformat(document.issued_at).tzinfo is None:
        raise ValueError("no instant of issue")
    for day in (document.issued_on, document.performed_on, document.valid_until):
        if day is not None:
            date.fromisoformat(day)
    urlsplit(document.address)


def _not_ours(reason: str) -> Invalid:
    return Invalid(
        "certificate-unreadable",
        "The file is built like a certificate of Calib, and cannot be read as one ({reason}): it "
        "was changed or damaged. Ask the laboratory for the original file.",
        facts={"reason": reason[:200]},
    )


def _guarded(id_: str, step: Callable[[], Step]) -> Step:
    """Turn a refusal, or what a stranger's odd values lead to, into the step it contradicts."""
    return _all_guarded(id_, lambda: [step()])[0]


def _all_guarded(id_: str, steps: Callable[[], list[Step]]) -> list[Step]:
    try:
        return steps()
    except DomainError as problem:
        return [refused(id_, problem)]
    except _ODD as problem:
        return [refused(id_, _not_ours(f"{type(problem).__name__}: {problem}"))]


def _seal_of_pdf(
    content: bytes, document: CertificateDocument, evidence: Evidence, seen: Seen
) -> list[Step]:
    if document.seal == "unsigned":
        message = "The certificate bears no electronic seal, and says so."
        return [not_established("seal", message)]
    trust = evidence.trust
    if trust is None or not trust.roots:
        message = "The file bears a seal, but you pinned no root to hold it to."
        return [not_established("seal", message)]
    sealed = verified_pdf(content, roots_of(trust), time_roots=time_roots_of(trust))
    seen = seen.not_after(sealed.stamped_at)
    step, key = held(sealed.signer, sealed.signed_at, trust, evidence.now, seen)
    return [of_document(step, key, trust, document), *timestamp_steps(sealed)]


def _text(document: CertificateDocument, content: bytes, attached: Mapping[str, bytes]) -> Step:
    differences = reread(document, content, attached)
    if differences:
        message = "The pages differ from the document inside in {count} places."
        return contradicted("text", message, differences, count=len(differences))
    return established("text", "Every number, unit and name on the pages is that of the document.")


def _rendering(
    document: CertificateDocument, content: bytes, attached: Mapping[str, bytes]
) -> Step:
    """Make the pages again: the same program gives the same bytes, whatever else could be drawn."""
    made_by = document.provenance
    if (made_by.template_digest, made_by.fonts_digest) != (template_digest(), fonts_digest()):
        message = (
            "The file was made by {software} with other templates; they are needed to make the "
            "pages again."
        )
        return not_established("rendering", message, software=made_by.software)
    again = render(document, attached)
    if not content.startswith(again):
        message = "The pages made again from the document are not the ones in the file."
        return contradicted("rendering", message)
    return established(
        "rendering", "The pages made again from the document are the same, byte for byte."
    )


# ------------------------------------------------------------------------------------------- DCC


def _dcc(
    content: bytes | None, document: CertificateDocument, evidence: Evidence, seen: Seen
) -> Iterator[Step]:
    """Compare the digital certificate inside a PDF with the pages' document."""
    if content is None:
        return
    yield _guarded("dcc", lambda: _dcc_step(content, document, evidence, seen))


def _dcc_step(
    content: bytes, document: CertificateDocument, evidence: Evidence, seen: Seen
) -> Step:
    from calib.certificates.dcc_compare import compare

    element = content
    if document.seal == "sealed":
        if evidence.trust is None or not evidence.trust.roots:
            return not_established(
                "dcc", "The DCC bears a seal, but you pinned no root to hold it to."
            )
        sealed = open_xml(content, roots_of(evidence.trust))
        step, key = held(sealed.signer, sealed.signed_at, evidence.trust, evidence.now, seen)
        step = of_document(step, key, evidence.trust, document)
        if step.state != "established":
            return Step("dcc", step.state, step.message, step.facts)
        element = sealed.element
    differences = compare(document, element)
    if differences:
        message = "The DCC differs from the pages in {count} places."
        return contradicted("dcc", message, differences, count=len(differences))
    return established("dcc", "Every value, unit and name of the DCC is that of the pages.")


# -------------------------------------------------------------------------------- what it rests on


def _too_costly() -> Step:
    message = (
        "Computing the results again takes more time or memory than is given to it here. Take "
        "input.json out of the file and have it computed by calib compute, or ask the laboratory."
    )
    return not_established("recomputation", message)


def _results(document: CertificateDocument, content: bytes | None) -> Iterator[Step]:
    if content is None:
        yield not_established("recomputation", "The file carries no readings to compute from.")
        return
    try:
        if not is_computable(content):
            yield _too_costly()
            return
        frozen = CalibrationInput.from_dict(json.loads(content))
        result = evaluate(frozen)
    except MemoryError:
        yield _too_costly()
        return
    except (DomainError, NotPlain, *_ODD) as problem:
        said = problem.code if isinstance(problem, DomainError) else str(problem)[:120]
        message = "The readings in the file cannot be computed ({reason})."
        yield contradicted("recomputation", message, reason=said)
        return
    if frozen.simulated and not document.simulated:
        message = "The readings in the file were simulated, and the certificate does not say so."
        yield contradicted("recomputation", message)
        return
    if result.canonical() == document.result.canonical():
        message = "Readings, budget and decision computed again give every digit: {points} points."
        yield established("recomputation", message, points=len(result.points))
    elif _printed(result) == _printed(document.result) and _is_other(document):
        message = "Computed again by another version, every printed digit is the same."
        yield established("recomputation", message)
    else:
        message = "The readings in the file do not give the results it states."
        yield contradicted("recomputation", message)
    if document.lab.accreditation:
        if within_scope(frozen, document.result):
            message = "Every result lies within the scope the laboratory held, none below its CMC."
            yield established("scope", message)
        else:
            message = (
                "It claims accreditation {number}, but not every result lies within the scope."
            )
            yield contradicted("scope", message, number=document.lab.accreditation)


def _printed(result: object) -> object:
    points = getattr(result, "points", ())
    return getattr(result, "verdict", None), [(p.key, p.printed, p.verdict) for p in points]


def _is_other(document: CertificateDocument) -> bool:
    return document.provenance.software != f"calib {version('calib')}"


def _simulated(logged: Sequence[Step], *, is_said: bool) -> Iterator[Step]:
    """Say that readings were simulated, unless its line in the log has said so already."""
    if is_said and all(step.id != "simulated" for step in logged):
        yield simulated_step()


def _standing(document: CertificateDocument, evidence: Evidence) -> Iterator[Step]:
    yield status_step(evidence, document.token)
    yield from validity_steps(document.valid_until, evidence.now.date())


def _mark(
    content: bytes | None, document: CertificateDocument, evidence: Evidence
) -> Iterator[Step]:
    """Hold the code on the pages to the document, and to a key of the laboratory."""
    if content is None:
        return
    step = _guarded("mark", lambda: mark_step(_fragment(content), document.address, evidence))
    if step.state != "contradicted" and not is_mark_of(_fragment(content).mark, document):
        message = "The code on the pages speaks of another certificate."
        step = contradicted("mark", message)
    code, trust = step.facts.get("code"), evidence.trust
    if code and trust and document.lab.name not in trust.labs.get(str(code), ()):
        message = (
            "The code on the pages is of laboratory {code}, but the certificate names {named}."
        )
        step = contradicted("mark", message, code=code, named=document.lab.name.en)
    yield step


def _fragment(content: bytes) -> SignedMark:
    try:
        return read_fragment(content.decode("ascii"))
    except UnicodeDecodeError as problem:
        raise _not_ours("its code cannot be read") from problem


def _says(document: CertificateDocument) -> dict[str, str]:
    """Return what a reader compares with the paper in hand."""
    item = document.item
    return {
        "number": document.number,
        "laboratory": document.lab.name.en,
        "customer": document.customer.name.en,
        "item": item.name.en,
        "maker": item.maker,
        "model": item.model,
        "serial": item.serial or ", ".join(item.pieces),
        "performed_on": document.performed_on,
        "issued_on": document.issued_on,
        "valid_until": document.valid_until or "",
        "verdict": document.result.stated,
        "host": urlsplit(document.address).netloc,
        "token": document.token,
    }
