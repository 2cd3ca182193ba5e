"""Files of which nothing is known: no certificate of this program, or none that can be read.

Nothing is said against the certificate that somebody may hold beside such a file. But a proof that
lies in hand speaks of bytes, whatever they are: a file that is not the one it names was changed.
"""

from __future__ import annotations

from calib.verifier.evidence import Evidence, log_steps, sha256, status_by_log
from calib.verifier.report import Report, not_established, report_of


def of_no_certificate(content: bytes, evidence: Evidence, reason: str) -> Report:
    """Return the report on a file that nobody can read as a certificate."""
    message = "The file is no certificate of Calib, or cannot be read as one ({reason})."
    role = "pdf" if content.startswith(b"%PDF-") else "dcc"
    logged = log_steps(evidence, {role: sha256(content)}, None)
    steps = [not_established("file", message, reason=reason[:200]), *logged]
    return report_of([*steps, status_by_log(evidence, logged)])
