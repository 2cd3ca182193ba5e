"""A dry run says what would become of past results: figures by hand, nothing skipped in silence."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from calib.adapters.files import DirectoryStore
from calib.services import dry_run, evaluation
from instruments.plain import to_plain
from instruments.services import methods
from tests.support import issuing
from tests.support import methods as a

ROWS = (("0", "0.010", "0.01"), ("50", "50.020", "50.04"), ("100", "100.000", "100.05"))
"""Errors 0.00, +0.02 and +0.05."""
WARMER = (("0", "0.010", "0.01"), ("50", "50.020", "50.04"), ("100", "100.000", "100.08"))
"""Errors 0.00, +0.02 and +0.08."""
LIMIT = {"document": "JJF 1171-2007", "confidence": "V", "lower": "-0.10", "upper": "0.10"}
WITH_LIMITS = {"/documents/0/source": "own record TH-12", "/measurands/0/limits/-": LIMIT}
STRICTER = {
    "/measurands/0/limits/0/lower": "-0.06",
    "/measurands/0/limits/0/upper": "0.06",
    "/measurands/0/components/3/half_width": "0.030",
}
RULE = {"decision_rule": "simple"}


@pytest.fixture
def bench(bench_on_each):
    """Return a lab whose thermometers with probe have limits of its own method: ±0.10 °C."""
    a.approved(bench_on_each, changes=WITH_LIMITS)
    return bench_on_each


def opened(bench, **more):
    from dataclasses import replace

    from instruments.services.method_views import lab_catalogue

    with bench.as_(issuing.everybody(bench)) as ctx:
        types = lab_catalogue(ctx, bench.catalogue)
        lab = replace(bench, installation=replace(bench.installation, catalogue=types))
        return issuing.a_draft(lab, ctx, **{**RULE, **more}).id


def authorised(bench, rows, **more) -> int:
    record = opened(bench, **more)
    with bench.as_(bench.technician) as ctx:
        issuing.fill(ctx, record, rows)
        issuing.review.submit(ctx, record, issuing.version_of(ctx, record))
    issuing.approve(bench, record)
    return record


def tried(bench, changes, **more) -> dry_run.DryRun:
    made = a.a_draft(bench, changes=changes)
    with bench.as_(bench.technician, read_only=True) as ctx:
        return dry_run.dry_run(ctx, made.definition, **more)


def test_two_certificates_one_verdict_flips(bench, tmp_path):
    store = DirectoryStore(tmp_path / "files")
    calm = issuing.issued(bench, store, authorised(bench, ROWS))
    warm = issuing.issued(bench, store, authorised(bench, WARMER))
    found = tried(bench, STRICTER)
    assert (found.compared, found.known, found.unevaluated) == (2, 2, 0)
    assert found.counts == {"flipped": 1, "not_evaluable": 0, "changed": 1, "same": 0}
    first, second = found.rows  # the newest first
    assert (first.certificate_id, first.certificate_number) == (warm.certificate_id, warm.number)
    assert (first.outcome, first.verdict_before, first.verdict_after) == ("flipped", "pass", "fail")
    assert (second.certificate_number, second.outcome) == (calm.number, "changed")
    assert (second.verdict_before, second.verdict_after) == ("pass", "pass")
    # u before: resolution 0.01/√12, certificate 0.010/2, bath 0.010/√3 twice, drift 0.005/√3:
    # √(8.33e-6 + 2.5e-5 + 2·3.33e-5 + 8.33e-6) = 0.01041; after, with one bath term 0.030/√3:
    # √(1.083e-4 − 3.33e-5 + 3e-4) = 0.01936
    point = first.points[2]
    assert (point.measurand, point.nominal) == ("temperature", "100")
    assert point.before == "0.080 ± 0.021"
    assert point.after == "0.080 ± 0.039"
    assert (point.limits_before, point.limits_after) == ("-0.10 … 0.10", "-0.06 … 0.06")
    assert (point.verdict_before, point.verdict_after) == ("pass", "fail")
    assert first.points_changed == len(first.points) == 3


def test_an_unchanged_draft_changes_nothing(bench):
    authorised(bench, ROWS)
    found = tried(bench, None)
    assert found.counts["same"] == found.compared == 1
    assert found.rows == ()


def test_what_was_agreed_on_the_order_stays(bench):
    limit = {"document": "order", "confidence": "V", "lower": "-0.2", "upper": "0.2"}
    authorised(bench, WARMER, line={"customer_limits": {"temperature": [limit]}})
    (row,) = tried(bench, STRICTER).rows
    assert (row.outcome, row.verdict_after) == ("changed", "pass")
    assert row.points[2].limits_after == "-0.2 … 0.2"


def test_a_record_that_no_longer_fits_is_told_with_the_reason(bench):
    authorised(bench, ROWS)
    found = tried(bench, {"/measurands/0/points/minimum": 5})
    assert found.counts["not_evaluable"] == 1
    assert [finding.code for finding in found.rows[0].findings] == ["points-missing"]
    assert found.rows[0].verdict_after == ""


def test_a_measurand_taken_out_or_renamed_is_told(bench):
    authorised(bench, ROWS)
    made = a.a_draft(bench)
    text = made.text.replace('id = "temperature"', 'id = "error"').replace(
        "temperature.t_", "error.t_"
    )
    with bench.as_(bench.technician) as ctx:
        kept = methods.save_text(ctx, made.id, made.version, text)
        (row,) = dry_run.dry_run(ctx, kept.definition).rows
    assert row.outcome == "not_evaluable"
    assert "measurand-unknown" in {finding.code for finding in row.findings}


def test_new_findings_of_a_result_that_stays_are_told(bench):
    authorised(bench, ROWS)
    (row,) = tried(bench, {"/environment/0/low": "22"}).rows
    assert row.findings
    assert row.outcome in ("same", "not_evaluable")


def test_records_without_a_result_are_counted(bench):
    authorised(bench, ROWS)
    opened(bench)
    found = tried(bench, STRICTER)
    assert (found.known, found.unevaluated) == (1, 1)


def test_a_bound_compares_issued_ones_first_and_says_how_many_of_how_many(bench, tmp_path):
    store = DirectoryStore(tmp_path / "files")
    old = issuing.issued(bench, store, authorised(bench, ROWS))
    for _ in range(3):
        authorised(bench, ROWS)
    told = []
    found = tried(bench, STRICTER, most=2, tell=lambda done, of: told.append((done, of)))
    assert (found.compared, found.known) == (2, 4)
    assert found.rows[0].certificate_number == old.number
    assert told == [(1, 2), (2, 2)]


def test_the_number_of_queries_does_not_grow_with_the_records(bench):
    made = a.a_draft(bench, changes=STRICTER)
    counts = []
    for _ in range(2):
        authorised(bench, ROWS)
        authorised(bench, WARMER)
        asked = []
        listener = lambda *seen, asked=asked: asked.append(seen[2])  # noqa: E731
        event.listen(bench.engine, "before_cursor_execute", listener)
        with bench.as_(bench.technician, read_only=True) as ctx:
            dry_run.dry_run(ctx, made.definition)
        event.remove(bench.engine, "before_cursor_execute", listener)
        counts.append(len([one for one in asked if one.lstrip().startswith("SELECT")]))
        counts[-1] -= sum("set_config" in one for one in asked)  # PostgreSQL is told the lab
    assert counts[0] == counts[1] == 3


def test_the_evidence_is_kept_and_the_results_stay(bench):
    record = authorised(bench, WARMER)
    with bench.as_(bench.technician) as ctx:
        before = evaluation.get_evaluation(ctx, record)
    made = a.a_draft(bench, changes=STRICTER)
    with bench.as_(bench.technician) as ctx:
        sent = dry_run.submit(ctx, made.id, made.version, "a colder bath", bench.catalogue)
        assert evaluation.get_evaluation(ctx, record) == before
    assert sent.evidence["flipped"] == sent.evidence["compared"] == sent.evidence["known"] == 1
    assert sent.evidence["definition"] == sent.line.definition_digest
    assert sent.evidence["software"] == evaluation.SOFTWARE
    with bench.as_(bench.technician, read_only=True) as ctx:
        again = dry_run.dry_run(ctx, sent.definition)
    assert again.evidence() == to_plain(sent.evidence)
