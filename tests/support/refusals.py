"""What every attack must come to: never accepted, and the step that failed is named."""

from __future__ import annotations

from calib.verifier.evidence import Evidence
from calib.verifier.examine import examine
from calib.verifier.report import EXIT, Report

Expected = tuple[str, str]
"""A step and its state."""


def step(id_: str, state: str = "contradicted") -> Expected:
    """Return the step that an attack must fail at."""
    return id_, state


def need_refused(content: bytes, evidence: Evidence, *expected: Expected) -> Report:
    """Examine a forgery; it must not be valid, and each expected step must be named.

    What cannot be read at all is no certificate: that is said, and contradicts nothing.
    """
    report = examine(content, evidence)
    told = {one.id: (one.state, one.text()) for one in report.steps}
    assert report.verdict != "valid", told
    assert EXIT[report.verdict] != 0, told
    for id_, state in expected:
        if id_ == "file" and told.get("file", ("", ""))[0] == "not_established":
            continue
        assert told.get(id_, ("", ""))[0] == state, (id_, told)
    return report
