"""What stays reserved is told with its reason; no number is given twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from calib.adapters.sealing import UnsealedSealer
from calib.records.work import ScheduleRun
from calib.services import issue, lookup, recovery
from instruments.errors import Conflict, Unavailable
from instruments.records.counters import NumberSeries
from instruments.services import numbers
from instruments.tenancy import installation_session
from tests.support import issuing
from tests.support.builders import NOW, a_lab, context_for


class AwaySealer(UnsealedSealer):
    """A sealer that does not answer."""

    def seal(self, rendered):
        raise Unavailable("sealer-away", "The sealer at {place} is away.", facts={"place": "B1"})


@pytest.fixture
def bench(bench_on_each):
    return bench_on_each


@pytest.fixture
def held(bench) -> issue.Reservation:
    id_ = issuing.authorised(bench)
    with bench.as_(bench.signatory) as ctx:
        return issue.reserve(
            ctx,
            id_,
            issuing.version_of(ctx, id_),
            idempotency_key="k",
            public_base=issuing.BASE,
        )


def sweep(bench, store, sealer):
    return recovery.sweep(bench.engine, store, sealer, lambda: NOW)


def alarms(bench, now=NOW) -> list[str]:
    with bench.as_(bench.signatory, now=now) as ctx:
        return [alarm.words("en") for alarm in lookup.dashboard(ctx).alarms]


def test_what_could_not_be_finished_is_told_with_its_reason_until_it_is(bench, store, held):
    assert sweep(bench, store, AwaySealer()).certificate_ids == (held.certificate_id,)
    assert alarms(bench) == [f"{held.number}: The sealer at B1 is away."]
    with installation_session(bench.engine) as session:
        assert len(recovery.reserved_alarms(session, NOW)) == 1
    assert sweep(bench, store, UnsealedSealer()).numbers == (held.number,)
    assert alarms(bench) == []


def test_a_reason_is_written_down_once_while_it_stays_the_same(bench, store, held):
    for _ in range(3):
        sweep(bench, store, AwaySealer())
    with installation_session(bench.engine) as session:
        runs = select(func.count(ScheduleRun.id)).where(ScheduleRun.job == recovery.JOB)
        assert session.scalar(runs) == 1
    sweep(bench, store, UnsealedSealer())
    sweep(bench, store, UnsealedSealer())
    with installation_session(bench.engine) as session:
        assert session.scalar(runs) == 2


def test_a_number_that_no_run_looks_after_is_told_after_a_while(bench, held):
    assert alarms(bench, NOW + timedelta(minutes=10)) == []
    said = alarms(bench, NOW + timedelta(minutes=20))
    assert len(said) == 1
    assert said[0].startswith(f"Certificate {held.number} has been reserved for 20 minutes")


def test_another_lab_is_not_told(bench, store, held):
    sweep(bench, store, AwaySealer())
    other = a_lab(bench.engine, "SH")
    with context_for(bench.installation, lab_id=other) as ctx:
        assert lookup.dashboard(ctx).alarms == ()


def test_a_number_given_under_an_earlier_template_is_not_given_twice(bench, store):
    first = issuing.issued(bench, store, issuing.authorised(bench))
    with bench.as_(issuing.everybody(bench)) as ctx:
        numbers.set_template(ctx, "calibration_certificate", "{lab}-{year}-{seq:06d}")
        numbers.set_template(ctx, "calibration_certificate", "HZ-JZ-2026-{seq:06d}")
        series = select(NumberSeries).where(NumberSeries.name == "calibration_certificate")
        for row in ctx.session.scalars(series):
            row.last = 0  # as if the numbers had been another series'
    id_ = issuing.authorised(bench)
    with pytest.raises(Conflict) as caught:
        issuing.issued(bench, store, id_, key="second")
    assert caught.value.code == "number-taken"
    assert caught.value.facts["number"] == first.number
