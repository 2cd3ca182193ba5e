"""Work W6: global consumer's and producer's risk of a normal process (JCGM 106)."""

from __future__ import annotations

from dataclasses import dataclass

CONSUMER, PRODUCER = 0.00028903379197367685, 0.22097072684611763
"""Risks of `ONE`, computed with 40 digits."""
BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Case:
    """A process, a measurement and limits, one unit throughout."""

    mean: float
    u: float
    u_test: float
    lower: float
    upper: float
    accept_lower: float
    accept_upper: float


ONE = Case(0.01, 0.1, 0.04, -0.2, 0.2, -0.12, 0.12)
