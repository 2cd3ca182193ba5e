"""The chain up to the SI and down to what rests on it; where it breaks is said."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import event

from calib.adapters.files import DirectoryStore
from calib.services import traceability
from instruments.services import labs, standards
from tests.support import builders
from tests.support.certified import an_event
from tests.support.issuing import a_bench, authorised, everybody, issued


@pytest.fixture
def bench(tmp_path):
    made = a_bench(f"sqlite+pysqlite:///{tmp_path / 'calib.db'}")
    yield made
    made.engine.dispose()


@pytest.fixture
def issue_one(bench, tmp_path):
    """Issue certificates of new instruments; return id and number."""
    store = DirectoryStore(tmp_path / "files")
    return lambda: issued(bench, store, authorised(bench))


def own_certificate(bench, ctx, number: str, **more):
    """Enter a certificate of the laboratory itself for a standard."""
    issuer = labs.get_lab(ctx).name.en
    line = standards.CertificateLine("20", "20", "0.010", "2")
    given = {"number": number, "issuer": issuer, "values": (line,), "low": "-40", "high": "330"}
    return builders.a_certificate(**(given | more))


def test_a_chain_ends_at_another_institute(bench, issue_one):
    done = issue_one()
    with bench.as_(bench.technician) as ctx:
        chain = traceability.of_certificate(ctx, done.certificate_id)
    (branch,) = chain.rests_on
    assert (branch.node.code, branch.node.end, branch.problem) == ("S-014", "outside", "")
    assert branch.node.standard_id == bench.standard.id
    assert not chain.is_broken
    assert chain.used == 0


def test_a_standard_tells_what_was_issued_with_it(bench, issue_one):
    done = [issue_one(), issue_one()]
    with bench.as_(bench.technician) as ctx:
        chain = traceability.of_standard(ctx, standards.get_standard(ctx, bench.standard.id))
    assert (chain.used, chain.still) == (2, 2)
    assert [use.id for use in chain.uses] == [one.certificate_id for one in reversed(done)]
    assert chain.rests_on[0].node.end == "outside"


def test_a_certificate_of_the_laboratory_itself_leads_on(bench, issue_one):
    own = issue_one()
    with bench.as_(everybody(bench)) as ctx:
        entry = own_certificate(bench, ctx, own.number)
        working = builders.a_standard(ctx, entry, code="W-1")
        chain = traceability.of_standard(ctx, working)
        below = traceability.of_certificate(ctx, own.certificate_id)
    (first,) = chain.rests_on
    assert (first.node.end, first.node.certificate_id) == ("", own.certificate_id)
    (second,) = first.rests_on
    assert (second.node.code, second.node.end) == ("S-014", "outside")
    assert not chain.is_broken
    assert below.used == 0


@pytest.mark.parametrize("number", ["HZ-JZ-1999-000001", None])
def test_a_break_is_said(bench, issue_one, number):
    own = issue_one()
    with bench.as_(everybody(bench)) as ctx:
        if number is None:
            an_event(ctx, own.certificate_id, "withdrawn", ctx.now)
        entry = own_certificate(bench, ctx, number or own.number)
        working = builders.a_standard(ctx, entry, code="W-1")
        chain = traceability.of_standard(ctx, working)
    assert chain.rests_on[0].node.end == ("unknown" if number else "withdrawn")
    assert chain.is_broken


def test_a_standard_without_certificate_rests_on_nothing(bench):
    with bench.as_(everybody(bench)) as ctx:
        standard = standards.register_standard(
            ctx, code="W-2", name_en="Probe", serial="P2", quantity="temperature", unit="degC"
        )
        chain = traceability.of_standard(ctx, standard)
    assert chain.rests_on == ()
    assert chain.is_broken


def test_what_had_run_out_is_a_problem(bench):
    with bench.as_(everybody(bench)) as ctx:
        entry = builders.a_certificate(
            number="O-1", calibrated_on=date(2023, 1, 1), valid_until=date(2024, 1, 1)
        )
        chain = traceability.of_standard(ctx, builders.a_standard(ctx, entry, code="W-3"))
    assert chain.rests_on[0].problem == "ran_out"
    assert chain.is_broken


def test_the_number_of_statements_does_not_grow_with_the_chain(bench, issue_one):
    def asked_for(standard) -> int:
        asked = []

        def note(_connection, _cursor, statement, *_more) -> None:
            asked.append(statement)

        with bench.as_(bench.technician) as ctx:
            view = standards.get_standard(ctx, standard)
            event.listen(bench.engine, "before_cursor_execute", note)
            traceability.of_standard(ctx, view)
            event.remove(bench.engine, "before_cursor_execute", note)
        return len([one for one in asked if one.startswith("SELECT")])

    short = asked_for(bench.standard.id)
    own = issue_one()
    with bench.as_(everybody(bench)) as ctx:
        working = builders.a_standard(ctx, own_certificate(bench, ctx, own.number), code="W-1").id
    assert asked_for(working) == short <= 5
