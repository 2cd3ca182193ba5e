"""Lints on the editions of governing documents: what is out of force on the day of issue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from calib.certificates.document import CertificateDocument, MethodDocument
from calib.certificates.lint_rules import ISO17025, VERIFICATIONS, Hit, rule

RESTS_ON = ("method", "limits")
"""Roles of documents that the results rest on; others are only named."""


@rule(
    "document-superseded",
    ISO17025 + "7.2.1.3",
    "{number} is out of force (last day {last_day}; in its place: {replaced_by}). Work by the "
    "edition in force, or say in the remark of the record why this one was used.",
    "warning",
)
def _superseded(document: CertificateDocument) -> Iterator[Hit]:
    for i, method in enumerate(document.measurement.methods):
        if _is_outdated(method) and not _is_void(document, method):
            yield f"/measurement/methods/{i}", _facts(method)


@rule(
    "regulation-superseded",
    "计量法 检定; JJG",
    "The regulation {number} was out of force on {performed_on}, when the work was done (last day "
    "{last_day}; in its place: {replaced_by}). Verify again by the regulation in force.",
)
def _regulation(document: CertificateDocument) -> Iterator[Hit]:
    for i, method in enumerate(document.measurement.methods):
        if _is_outdated(method) and _is_void(document, method):
            facts = {**_facts(method), "performed_on": document.performed_on}
            yield f"/measurement/methods/{i}", facts


def _is_outdated(method: MethodDocument) -> bool:
    return method.is_outdated and method.role in RESTS_ON


def _is_void(document: CertificateDocument, method: MethodDocument) -> bool:
    """Answer whether a verification was made by a regulation that had ended before the work."""
    if document.kind not in VERIFICATIONS or method.role != "method":
        return False
    return method.ends_on is None or document.performed_on > method.ends_on


def _facts(method: MethodDocument) -> Mapping[str, object]:
    return {
        "number": method.id,
        "last_day": method.ends_on or "-",
        "replaced_by": method.replaced_by or "-",
    }
