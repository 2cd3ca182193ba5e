"""Published cases kept beside the repository: every figure of every case, through compute."""

from __future__ import annotations

import pytest

from tests.reference.adapters.tasks import Case
from tests.reference.open_cases import READERS, WRONG_AT_THE_SOURCE, cases, deviations

CASES = list(cases())

pytestmark = pytest.mark.skipif(
    not CASES, reason="the published cases are not beside this repository"
)


@pytest.mark.parametrize("case", CASES, ids=[c["id"] for c in CASES])
def test_every_figure_of_a_case_is_answered_within_its_tolerance(case: Case) -> None:
    found = deviations(case)
    asked = {q: d for q, d in found.items() if (case["id"], q) not in WRONG_AT_THE_SOURCE}
    assert {q: d for q, d in asked.items() if d is None or d > 1} == {}


def test_no_reader_is_left_without_its_case() -> None:
    assert {case["id"] for case in CASES} == set(READERS)
