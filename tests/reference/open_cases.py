"""Published cases kept beside the repository, where they are at hand.

They are looked for in ``$CALIB_SHARED/cases`` and ``../shared/cases``. Run as a module it prints
a table of all figures with their deviation in units of the tolerance.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.reference.adapters import (
    budgets,
    conformity,
    fits,
    intervals,
    montecarlo,
    statistics,
    thermometry,
)
from tests.reference.adapters.tasks import Case, Reader

ROOT = Path(__file__).parents[2]
PLACES = [
    Path(os.environ["CALIB_SHARED"]) / "cases" if "CALIB_SHARED" in os.environ else None,
    ROOT.parent / "shared" / "cases",
]
FOLDER = next((p / "open" for p in PLACES if p is not None and (p / "open").is_dir()), None)
READERS: dict[str, Reader] = {
    **budgets.READERS,
    **conformity.READERS,
    **fits.READERS,
    **intervals.READERS,
    **montecarlo.READERS,
    **statistics.READERS,
    **thermometry.READERS,
}
"""Every case with the function that asks compute for its figures."""
WRONG_AT_THE_SOURCE: dict[tuple[str, str], str] = {}
"""Figures (case, quantity) that cannot follow from the source's own inputs, with the proof."""


def cases() -> Iterator[Case]:
    """Give all cases that are at hand."""
    for path in sorted(FOLDER.glob("*.json")) if FOLDER else ():
        yield from json.loads(path.read_text(encoding="utf-8"))


def deviations(case: Case) -> dict[str, float | None]:
    """Give the largest deviation of each figure in units of its tolerance; None: not answered."""
    found = READERS[case["id"]](case)
    return {e["quantity"]: _deviation(found.get(e["quantity"]), e) for e in case["expected"]}


def _deviation(found: object, expected: Case) -> float | None:
    if found is None:
        return None
    values, tolerances = expected["value"], expected["engine_tol"]
    if not isinstance(values, list):
        found, values = [found], [values]
    if not isinstance(tolerances, list):
        tolerances = [tolerances] * len(values)
    assert isinstance(found, list)
    worst = 0.0
    for f, v, t in zip(found, values, tolerances, strict=True):
        beyond = {"<=": f - v, ">=": v - f}.get(expected.get("relation", ""), abs(f - v))
        worst = max(worst, beyond / t if t else (math.inf if beyond > 0 else 0.0))
    return worst


def table() -> int:
    """Print every figure; the number of those missing or outside their tolerance."""
    bad = 0
    for case in cases():
        found = deviations(case) if case["id"] in READERS else {}
        for e in case["expected"]:
            d = found.get(e["quantity"])
            excused = (case["id"], e["quantity"]) in WRONG_AT_THE_SOURCE
            word = "not answered" if d is None else f"{d:.3g}"
            bad += (d is None or d > 1) and not excused
            mark = "  wrong at the source" if excused else "" if d is not None and d <= 1 else "  !"
            sys.stdout.write(f"{case['id']:32} {e['quantity']:34} {word:>12}{mark}\n")
    return bad


if __name__ == "__main__":
    sys.exit(1 if table() else 0)
