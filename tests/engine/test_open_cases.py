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
def test_case(case: Case) -> None:
    if case["id"] not in READERS:
        pytest.skip("no reader yet")
    found = deviations(case)
    wrong = {q: d for q, d in found.items() if d is not None and d > 1}
    assert {q: d for q, d in wrong.items() if (case["id"], q) not in WRONG_AT_THE_SOURCE} == {}
    assert set(found.values()) != {None}
