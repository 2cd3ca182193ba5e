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
    """Examine a forgery; it must not be valid, and each expected step must be named."""
    report = examine(content, evidence)
    told = {one.id: (one.state, one.text()) for one in report.steps}
    assert report.verdict != "valid", told
    assert EXIT[report.verdict] != 0, told
    for id_, state in expected:
        assert told.get(id_, ("", ""))[0] == state, (id_, told)
    return report
