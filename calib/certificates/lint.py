"""Named lints over what a certificate is about to say, each tied to its clause.

They run on the document before a number is drawn, so that nothing is reserved that could not be
issued. Knows nothing of rows, templates or seals; `reread` looks at the finished file.
"""

from __future__ import annotations

from calib.certificates import (
    lint_documents,
    lint_report,
    lint_results,
    lint_scope,
    lint_traceability,
)
from calib.certificates.document import CertificateDocument
from calib.certificates.lint_rules import LINTS
from instruments.errors import Finding

__all__ = [
    "LINTS",
    "lint",
    "lint_documents",
    "lint_report",
    "lint_results",
    "lint_scope",
    "lint_traceability",
]


def lint(document: CertificateDocument) -> tuple[Finding, ...]:
    """Return everything the document breaks, in the order of the clauses."""
    return tuple(
        Finding(
            code=rule.code,
            message=rule.message,
            severity=rule.severity,
            at=at,
            facts=facts,
            clause=rule.clause,
        )
        for rule in LINTS.values()
        for at, facts in rule.check(document)
    )
