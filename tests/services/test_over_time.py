"""Results over time: every certificate, what became of it, what changed; one statement."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import event

from calib.adapters.files import DirectoryStore
from calib.services.over_time import MOST, instrument_over_time, standard_over_time
from instruments.context import Actor, Context
from instruments.services import standards
from tests.support import builders
from tests.support.issuing import a_bench, everybody
from tests.support.past import YEARS, an_old_instrument


@pytest.fixture
def bench(tmp_path):
    made = a_bench(f"sqlite+pysqlite:///{tmp_path / 'calib.db'}")
    yield made
    made.engine.dispose()


@pytest.fixture
def store(tmp_path):
    return DirectoryStore(tmp_path / "files")


def test_every_certificate_speaks_and_says_what_became_of_it(bench, store):
    instrument = an_old_instrument(bench, store)
    with bench.as_(bench.technician) as ctx:
        (found,) = instrument_over_time(ctx, instrument).measurands
    point = found.points[0]
    assert [one.nominal for one in found.points] == ["0", "50", "100"]
    assert [(one.number, one.stage, one.standing) for one in point.results[:-1]] == [
        ("P-2020", "as_found", "issued"),
        ("P-2021", "as_found", "issued"),
        ("P-2022", "as_found", "issued"),
        ("P-2023", "as_found", "issued"),
        ("P-2023", "as_left", "issued"),
        ("P-2024", "as_found", "superseded"),
        ("P-2024-A", "as_found", "issued"),
        ("P-2025", "as_found", "withdrawn"),
    ]
    newest = point.results[-1]
    for one, (_, day, shift, _) in zip(point.results[:4], YEARS[:4], strict=True):
        assert one.on == date.fromisoformat(day)
        assert Decimal(one.value) == Decimal(newest.value) + Decimal(shift)
        assert (one.U, one.lower, one.upper) == (newest.U, "-0.10", "0.10")


def test_a_change_leaves_out_what_is_gone_and_what_was_adjusted(bench, store):
    instrument = an_old_instrument(bench, store)
    with bench.as_(bench.technician) as ctx:
        (found,) = instrument_over_time(ctx, instrument).measurands
    change = found.points[0].change
    assert change is not None
    assert change.since == date(2024, 2, 27)  # 2025 is withdrawn, the first of 2024 replaced
    assert Decimal(change.by) == Decimal("0.02")
    U = Decimal(found.points[0].results[-1].U)
    assert Decimal(change.U) == ((2 * U * U).sqrt()).quantize(U)
    assert change.is_seen == (Decimal("0.02") > Decimal(change.U))


def test_a_change_across_an_adjustment_starts_from_what_was_left(bench, store):
    years = (("A", "2023-01-01", "0.30", "adjusted"),)
    instrument = an_old_instrument(bench, store, years)
    with bench.as_(bench.technician) as ctx:
        history = instrument_over_time(ctx, instrument)
    change = history.measurands[0].points[0].change
    assert change is not None
    assert change.by == "-0.200"  # left at +0.20 over today's
    assert [(one.number, one.what) for one in history.adjustments] == [
        ("A", "Offset set by -0.10 °C")
    ]


def test_one_statement_reads_them_however_many_there_are(bench, store):
    years = tuple((f"N-{n}", f"2019-01-{n + 1:02}", "0.01", "issued") for n in range(20))
    instrument = an_old_instrument(bench, store, years)
    with bench.as_(bench.technician) as ctx:
        asked = []
        event.listen(bench.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
        history = instrument_over_time(ctx, instrument)
    assert len(history.measurands[0].points[0].results) == 21
    assert len([one for one in asked if one.startswith("SELECT")]) == 1, asked


def test_more_than_are_shown_is_said(bench, store):
    years = tuple(
        (f"N-{n}", f"20{10 + n // 12}-{n % 12 + 1:02}-01", "0.01", "issued") for n in range(MOST)
    )
    instrument = an_old_instrument(bench, store, years)
    with bench.as_(bench.technician) as ctx:
        history = instrument_over_time(ctx, instrument)
    assert history.is_cut
    assert len(history.measurands[0].points[0].results) == MOST
    assert history.measurands[0].points[0].results[0].number == "N-1"  # the oldest is left out


def test_an_owner_sees_only_what_they_ordered(bench, store):
    instrument = an_old_instrument(bench, store)
    with bench.as_(everybody(bench)) as ctx:
        other = builders.a_customer(ctx, name_en="Another house").id
        for customer, count in ((bench.customer_id, 9), (other, 0)):
            actor = Actor(ctx.actor.person_id, "Ou", frozenset({"venue_operator"}), customer)
            theirs = Context(ctx.session, ctx.lab_id, actor, ctx.now, ctx.zone)
            found = instrument_over_time(theirs, instrument).measurands
            assert sum(len(one.points[0].results) for one in found) == count


def a_line(indication: str, reference: str, U: str = "0.010") -> standards.CertificateLine:
    return standards.CertificateLine(indication, reference, U, "2")


def test_a_standard_is_read_between_its_lines_where_certificates_name_others(bench):
    with bench.as_(everybody(bench)) as ctx:
        old = builders.a_certificate(
            number="O-1", calibrated_on=date(2024, 1, 1), valid_until=date(2025, 1, 1),
            values=(a_line("0", "0.010"), a_line("100", "100.030", "0.020")),
        )  # fmt: skip
        new = builders.a_certificate(
            number="O-2", calibrated_on=date(2025, 1, 1), valid_until=date(2027, 1, 1),
            values=(a_line("0", "0.012"), a_line("50", "50.025"), a_line("120", "120.0")),
        )  # fmt: skip
        standard = builders.a_standard(ctx, old, code="S-99")
        standards.enter_certificate(ctx, standard.id, new)
        points = standard_over_time(standards.get_standard(ctx, standard.id))
    said = {
        point.nominal: [(one.number, one.value, one.U, one.is_between) for one in point.results]
        for point in points
    }
    assert said == {
        "0": [("O-1", "+0.010", "0.010", False), ("O-2", "+0.012", "0.010", False)],
        "50": [("O-1", "+0.020", "0.020", True), ("O-2", "+0.025", "0.010", False)],
        "120": [("O-2", "0.0", "0.010", False)],
    }


def test_a_corrected_edition_of_a_standards_certificate_counts_no_more(bench):
    with bench.as_(everybody(bench)) as ctx:
        first = builders.a_certificate(number="O-1", values=(a_line("0", "0.010"),))
        standard = builders.a_standard(ctx, first, code="S-98")
        replaced = standard.certificates[0].id
        again = builders.a_certificate(number="O-1", values=(a_line("0", "0.020"),))
        standards.enter_certificate(ctx, standard.id, again, replaced, "misread")
        (point,) = standard_over_time(standards.get_standard(ctx, standard.id))
    assert [(one.value, one.standing) for one in point.results] == [
        ("+0.010", "superseded"),
        ("+0.020", "issued"),
    ]
    assert point.change is None  # a correction of the paper is no change of the standard
