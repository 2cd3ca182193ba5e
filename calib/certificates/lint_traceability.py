"""Lints on the way to the SI: standards in date, and no chain that ends inside the laboratory."""

from __future__ import annotations

from collections.abc import Iterator

from calib.certificates.document import CertificateDocument
from calib.certificates.lint_rules import ISO17025, Hit, rule


@rule(
    "traceability-broken",
    ISO17025 + "7.8.4.1 (c), 6.5",
    "Standard {key}: {problem}. Results must be traceable through valid certificates.",
)
def _traceability(document: CertificateDocument) -> Iterator[Hit]:
    if document.result.points and not document.measurement.standards:
        yield "/measurement/standards", {"key": "-", "problem": "no standard is named"}
    for i, standard in enumerate(document.measurement.standards):
        problem = ""
        if not (standard.certificate_number.strip() and standard.issuer.strip()):
            problem = "its certificate or its issuer is not named"
        elif standard.calibrated_on > document.performed_from:
            problem = "it was calibrated after the work"
        elif standard.valid_until is not None and standard.valid_until < document.performed_on:
            problem = "its certificate had run out"
        if problem:
            yield f"/measurement/standards/{i}", {"key": standard.key, "problem": problem}


@rule(
    "traceability-inside",
    ISO17025 + "6.5.1, 6.5.2; ILAC-P10:07/2020",
    "Standard {key} rests on certificate {number} of the laboratory itself, and nothing in force "
    "leads on from there. A chain ends at another institute, or at a primary realisation whose "
    "certificate names it as its issuer.",
)
def _inside(document: CertificateDocument) -> Iterator[Hit]:
    for i, standard in enumerate(document.measurement.standards):
        open_end = _open_end(document, standard.certificate_number, standard.issuer, ())
        if open_end:
            yield f"/measurement/standards/{i}", {"key": standard.key, "number": open_end}


def _open_end(
    document: CertificateDocument, number: str, issuer: str, seen: tuple[str, ...]
) -> str:
    """Return the certificate at which a chain ends inside the laboratory or runs in a circle."""
    if not is_own(document, issuer):
        return ""
    links = [link for link in document.measurement.chain if link.of == number]
    if not links or number in seen:
        return number
    ends = (
        _open_end(document, link.certificate_number, link.issuer, (*seen, number)) for link in links
    )
    return next((end for end in ends if end), "")


def is_own(document: CertificateDocument, issuer: str) -> bool:
    """Answer whether an issuer is the laboratory itself, in either language."""
    return names_lab(issuer, document.lab.name.en, document.lab.name.zh)


def names_lab(issuer: str, *names: str) -> bool:
    """Answer whether an issuer is one of these names, however it is spaced and written."""
    plain = "".join(issuer.split()).casefold()
    return any(plain == "".join(name.split()).casefold() for name in names if name.strip())
