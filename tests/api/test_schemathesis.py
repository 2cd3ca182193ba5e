"""The JSON doors against their own description, as every role: schemathesis makes the requests.

Seconds in CI; every night `CALIB_FUZZ_SECONDS` for each role, 600 if they are not said.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from tests.support import issuing
from tests.support.door import Door, a_door
from tests.support.overseen import a_token_with_work
from tests.support.web import a_sign_in

ACTORS = (
    "technician", "reviewer", "signatory", "quality_manager", "manager", "administrator",
    "customer", "venue_operator", "regulator", "",
)  # fmt: skip
LEFT_OUT = [
    "positive_data_acceptance",  # a body of the right shape may still mean nothing: 409, 422
    "missing_required_header",  # If-Match and Idempotency-Key answer by problems of their own
]
TAKEN_FOR_NUMBERS = {
    f"/api/v1/{things}/import" for things in ("instruments", "methods", "standards")
}
"""Asked by another method, another route takes the last word for a number and says it is none."""
OF_METHODS = {"unsupported_method", "allow_header_conformance"}
SHORT = 12
LONG = float(os.environ.get("CALIB_FUZZ_SECONDS", "600"))


@pytest.fixture
def door(tmp_path) -> Iterator[Door]:
    made = a_door(f"sqlite+pysqlite:///{tmp_path / 'calib.db'}", tmp_path)
    issuing.issued(made.bench, made.store, issuing.authorised(made.bench))
    issuing.opened(made.bench)
    yield made
    made.bench.engine.dispose()


def failures(door: Door, actor: str, limit: float, phases: list[str]) -> Iterator[str]:
    """Yield what does not conform, once for each operation and kind."""
    config = SchemathesisConfig(seed=20260302, max_time=int(limit))
    schema: Any = schemathesis.openapi.from_dict(door.app.openapi(), config=config)
    schema.app = door.app
    schema.config.update(request_timeout=60)
    if actor == "regulator":
        schema.config.update(headers={"Authorization": f"Bearer {a_token_with_work(door)}"})
    elif actor:
        customer = door.bench.customer_id if actor in ("customer", "venue_operator") else None
        token = a_sign_in(door.bench.installation, actor, customer_id=customer)
        schema.config.update(headers={"Authorization": f"Bearer {token}"})
    schema.config.phases.update(phases=phases)
    schema.config.checks.update(excluded_check_names=LEFT_OUT)
    schema.config.generation.update(
        max_examples=10 if limit == SHORT else 1000,
        no_shrink=True,
        deterministic=True,
        database="none",
    )
    told, asked = set(), 0
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            yield f"{event}"
        if not isinstance(event, events.ScenarioFinished):
            continue
        for case_id, checks in event.recorder.checks.items():
            asked += 1
            case = event.recorder.cases[case_id].value
            for check in checks:
                failed = check.failure_info
                what = (case.method, case.path, check.name)
                excused = case.path in TAKEN_FOR_NUMBERS and check.name in OF_METHODS
                if failed is not None and what not in told and not excused:
                    told.add(what)
                    words = f"{failed.failure.title} {failed.failure.message}"
                    yield f"{what}: {words}\n{failed.code_sample}"
    assert asked > 20


@pytest.mark.slow
@pytest.mark.parametrize("actor", ACTORS, ids=lambda one: one or "nobody")
def test_answers_are_as_described(door, actor):
    found = list(failures(door, actor, SHORT, ["coverage", "fuzzing"]))
    assert not found, "\n\n".join(found)


@pytest.mark.nightly
@pytest.mark.parametrize("actor", ACTORS, ids=lambda one: one or "nobody")
def test_answers_are_as_described_for_long(door, actor):
    found = list(failures(door, actor, LONG, ["examples", "coverage", "fuzzing", "stateful"]))
    assert not found, "\n\n".join(found)
