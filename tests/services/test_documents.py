"""A lab records a newer edition; who is affected is told to the row, and work is warned."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import event, select

from calib.certificates.lint import lint
from calib.services import document_use, evaluation, preview
from instruments.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from instruments.records.audit import AuditEvent
from instruments.services import documents
from instruments.services.documents import DocumentEntry, Supersession
from tests.support import builders, issuing
from tests.support.builders import NOW, context_for

OLD, NEW = "JJF 1171-2007", "JJF 1171-2026"
"""Method of the thermometer with probe, and an edition made up for the test."""
TODAY = NOW.date()


def superseding(**more) -> Supersession:
    return Supersession(**{"number": OLD, "replaced_by": NEW, "source": "notice 7", **more})


def supersede(bench, **more):
    with bench.as_(issuing.everybody(bench)) as ctx:
        seen = documents.get_document(ctx, OLD).revision
        return documents.supersede(ctx, superseding(**more), seen)


def use_of(bench, number=OLD):
    with bench.as_(bench.technician, read_only=True) as ctx:
        return document_use.document_use(ctx, number, catalogue=bench.catalogue)


def test_a_lab_that_recorded_nothing_knows_what_is_shipped(bench_on_each):
    with bench_on_each.as_(bench_on_each.technician) as ctx:
        view = documents.get_document(ctx, OLD)
        found = documents.list_documents(ctx, "1171")
        ended = documents.list_documents(ctx, status="superseded")
    assert (view.status, view.revisions, view.document.replaced_by) == ("", (), ())
    assert [v.number for v in found] == [OLD]
    assert {"JJF 1101-2003", "JJG 646, trial edition"} <= {v.number for v in ended}
    assert OLD not in {v.number for v in ended}


def test_a_supersession_is_recorded_on_both_editions(bench_on_each):
    view = supersede(bench_on_each, in_force_on=date(2026, 3, 1))
    assert (view.status, view.document.ends_on, view.revision) == ("superseded", "2026-02-28", 1)
    with bench_on_each.as_(bench_on_each.technician) as ctx:
        chain = documents.chain(ctx, NEW)
        new = documents.get_document(ctx, NEW)
        said = select(AuditEvent.facts).where(AuditEvent.act == "registry:document:record")
        acts = ctx.session.scalars(said.order_by(AuditEvent.place)).all()
    assert [v.number for v in chain] == [OLD, NEW]
    assert (new.status, new.document.title) == ("in_force", view.document.title)
    assert (new.revisions[0].person_name, new.revisions[0].source) == ("Li Wei", "notice 7")
    assert [(a["number"], a["replaced_by"], a["source"]) for a in acts] == [
        (OLD, NEW, "notice 7"), (NEW, "", "notice 7")
    ]  # fmt: skip


def test_what_was_known_before_keeps_its_tag(bench_on_sqlite):
    with bench_on_sqlite.as_(issuing.everybody(bench_on_sqlite)) as ctx:
        act = superseding(number="JJF 1107-2003", replaced_by="JJF 1107-2026")
        before = documents.get_document(ctx, act.number).document
        after = documents.supersede(ctx, act, 0).document
    assert after.counterparts == before.counterparts
    assert after.notes == before.notes
    changed = {fact for fact, tag in after.tags.items() if tag.by == "lab"}
    assert {"status", "replaced_by/JJF 1107-2026"} <= changed
    kept = {fact for fact in before.tags if fact in after.tags and fact not in changed}
    assert {"title", "counterparts/ASTM E1965"} <= kept
    assert all(after.tags[fact] == before.tags[fact] for fact in kept)


def test_within_a_transition_both_editions_are_in_force(bench_on_sqlite):
    until = date(2026, 6, 30)
    view = supersede(bench_on_sqlite, in_force_on=date(2026, 2, 1), ends_on=until)
    assert (view.status, view.document.status) == ("in_force", "superseded")
    announced = supersede(bench_on_sqlite, in_force_on=date(2026, 9, 1), ends_on=until)
    assert announced.status == "in_force"
    with bench_on_sqlite.as_(bench_on_sqlite.technician) as ctx:
        assert documents.get_document(ctx, NEW).status == "announced"


def test_exactly_those_who_rest_on_it_are_affected(bench_on_each, store):
    bench = bench_on_each
    late = issuing.issued(bench, store, issuing.authorised(bench))
    draft = issuing.opened(bench)
    with bench.as_(issuing.everybody(bench)) as ctx:
        item = builders.an_instrument(
            ctx, bench.catalogue, model_id=bench.model_id, customer_id=bench.customer_id
        )
        waiting = builders.an_order(ctx, bench.catalogue, item.id, decision_rule="none")
        other = builders.an_instrument(ctx, bench.catalogue, serial="F-1")  # another type
        builders.an_order(ctx, bench.catalogue, other.id)
    supersede(bench, ends_on=date(2026, 2, 28))
    use = use_of(bench)
    assert [(t.type_id, t.role, t.is_own) for t in use.types] == [(issuing.PROBE, "method", False)]
    assert [(w.calibration_id, w.state, w.order_id) for w in use.work] == [
        (draft.id, "draft", draft.order_id),
        (None, "accepted", waiting.id),
    ]
    (certificate,) = use.certificates
    assert (certificate.number, certificate.issued_on, certificate.role) == (
        late.number, TODAY, "method"
    )  # fmt: skip
    assert (certificate.standing, certificate.is_after_end) == ("current", True)
    assert certificate.customer_id == bench.customer_id
    (person,) = use.people
    assert (person.customer_id, person.current, person.in_work) == (bench.customer_id, 1, 2)
    assert person.contact == "Ms He"
    assert use_of(bench, "JJG 1164-2019").certificates == ()


def test_a_certificate_issued_before_the_end_is_affected_but_no_finding(bench_on_sqlite, store):
    issuing.issued(bench_on_sqlite, store, issuing.authorised(bench_on_sqlite))
    supersede(bench_on_sqlite, ends_on=TODAY)
    use = use_of(bench_on_sqlite)
    assert [c.is_after_end for c in use.certificates] == [False]
    assert use.after_end == ()


def test_the_newer_of_two_certificates_speaks_for_the_item(bench_on_sqlite, store):
    bench = bench_on_sqlite
    first = issuing.authorised(bench)
    issuing.issued(bench, store, first)
    with bench.as_(issuing.everybody(bench)) as ctx:
        item = issuing.readings.get_calibration(ctx, first).instrument_id
        order = builders.an_order(
            ctx, bench.catalogue, item, decision_rule="none", interval_months=12,
            lines=(issuing.orders.LineRequest(item, points={"temperature": ("0", "50", "100")}),),
        )  # fmt: skip
        again = issuing.readings.open_calibration(
            ctx, order.lines[0].id, catalogue=bench.catalogue
        ).id
    with bench.as_(bench.technician) as ctx:
        issuing.fill(ctx, again)
        issuing.review.submit(ctx, again, issuing.version_of(ctx, again))
    issuing.approve(bench, again)
    issuing.issued(bench, store, again)
    use = use_of(bench)
    assert [c.standing for c in use.certificates] == ["current", "older"]
    assert (use.current, use.people[0].current) == (1, 1)


def test_queries_do_not_grow_with_certificates(bench_on_sqlite, store):
    bench = bench_on_sqlite

    def queries() -> int:
        seen = []
        event.listen(bench.engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
        use_of(bench)
        return len(seen)

    ready = issuing.many_authorised(bench, 3)
    issuing.issued(bench, store, ready[0][0])
    one = queries()
    for id_, _ in ready[1:]:
        issuing.issued(bench, store, id_)
    assert len(use_of(bench).certificates) == 3
    assert queries() == one


def test_the_bench_and_the_issue_are_warned(bench_on_sqlite):
    bench = bench_on_sqlite
    record = issuing.authorised(bench)
    draft = issuing.opened(bench)
    supersede(bench, ends_on=date(2026, 2, 28))
    with bench.as_(bench.technician) as ctx:
        findings = evaluation.evaluate_draft(ctx, draft.id).findings
        document = preview.preview_document(ctx, record, public_base=issuing.BASE)
    noted = [f for f in findings if f.code == "document-out-of-force"]
    assert [(f.severity, f.at) for f in noted] == [("note", f"/documents/{OLD}")]
    assert NEW in noted[0].text()
    assert "2026-02-28" in noted[0].text()
    (method,) = [m for m in document.measurement.methods if m.id == OLD]
    assert (method.is_outdated, method.ends_on, method.replaced_by) == (True, "2026-02-28", NEW)
    assert [f.severity for f in lint(document) if f.code == "document-superseded"] == ["warning"]


def test_a_certificate_by_an_old_calibration_document_is_warned_about_yet_issued(
    bench_on_sqlite, store
):
    supersede(bench_on_sqlite, ends_on=date(2026, 2, 28))
    issued = issuing.issued(bench_on_sqlite, store, issuing.authorised(bench_on_sqlite))
    assert [c.number for c in use_of(bench_on_sqlite).after_end] == [issued.number]


def test_what_a_type_says_itself_warns_without_any_record(bench_on_sqlite):
    from calib.services.document_standing import standing_notes

    pipette = bench_on_sqlite.catalogue.get("pipette.piston")
    with bench_on_sqlite.as_(bench_on_sqlite.technician) as ctx:
        notes = standing_notes(ctx, pipette, "calibration")
    assert [f.facts["number"] for f in notes] == ["JJG 646, trial edition"]
    assert notes[0].facts["replaced_by"] == "JJG 646-2006"


def test_nobody_records_on_top_of_what_was_not_seen(bench_on_sqlite):
    supersede(bench_on_sqlite)
    with (
        bench_on_sqlite.as_(issuing.everybody(bench_on_sqlite)) as ctx,
        pytest.raises(Conflict, match="changed by somebody else"),
    ):
        documents.supersede(ctx, superseding(), 0)


def test_a_correction_is_a_new_revision_and_both_stay(bench_on_sqlite):
    supersede(bench_on_sqlite, ends_on=date(2026, 2, 28))
    view = supersede(bench_on_sqlite, ends_on=date(2026, 3, 31), source="list of April")
    assert view.document.ends_on == "2026-03-31"
    assert [(r.revision, r.source) for r in view.revisions] == [
        (2, "list of April"),
        (1, "notice 7"),
    ]


def entry(**more) -> DocumentEntry:
    given = {"number": "X 1-2026", "title_en": "One", "status": "in_force", "source": "copy"}
    return DocumentEntry(**(given | more))


@pytest.mark.parametrize(
    ("more", "code", "at"),
    [
        ({"number": " "}, "field-empty", "/number"),
        ({"title_en": ""}, "title-missing", "/title_zh"),
        ({"source": ""}, "field-empty", "/source"),
        ({"status": "old"}, "field-unknown-choice", "/status"),
        ({"status": "superseded"}, "document-status-unfit", "/replaced_by"),
        ({"replaced_by": "X 1-2030"}, "document-status-unfit", "/replaced_by"),
        (
            {"status": "superseded", "replaced_by": "X 1-2026"},
            "document-replaces-itself",
            "/replaced_by",
        ),
        ({"replaces": ["X 1-2026"]}, "document-replaces-itself", "/replaces"),
        (
            {"in_force_on": date(2026, 1, 2), "ends_on": date(2026, 1, 1)},
            "period-backwards",
            "/ends_on",
        ),
    ],
)
def test_what_cannot_be_recorded_is_refused_at_its_place(bench_on_sqlite, more, code, at):
    with (
        bench_on_sqlite.as_(issuing.everybody(bench_on_sqlite)) as ctx,
        pytest.raises(Invalid) as refused,
    ):
        documents.register(ctx, entry(**more), 0)
    assert (refused.value.code, refused.value.at) == (code, at)


def test_editions_cannot_go_in_a_circle(bench_on_sqlite):
    supersede(bench_on_sqlite)
    back = Supersession(number=NEW, replaced_by=OLD, source="mistake")
    with (
        bench_on_sqlite.as_(issuing.everybody(bench_on_sqlite)) as ctx,
        pytest.raises(Invalid) as refused,
    ):
        documents.supersede(ctx, back, 1)
    assert refused.value.code == "document-replaces-itself"


@pytest.mark.parametrize("roles", [("technician",), ("reviewer",), ("venue_operator",)])
def test_only_managers_and_signatories_record(bench_on_sqlite, roles):
    with (
        context_for(bench_on_sqlite.installation, *roles) as ctx,
        pytest.raises(NotAllowed),
    ):
        documents.supersede(ctx, superseding(), 0)


@pytest.mark.parametrize(
    "look",
    [
        lambda ctx, _: documents.list_documents(ctx),
        lambda ctx, _: documents.get_document(ctx, OLD),
        lambda ctx, _: documents.chain(ctx, OLD),
        lambda ctx, catalogue: document_use.document_use(ctx, OLD, catalogue=catalogue),
    ],
    ids=["list", "one", "chain", "use"],
)
def test_people_of_a_customer_see_nothing_of_it(bench_on_sqlite, look):
    bench = bench_on_sqlite
    operator = context_for(bench.installation, "venue_operator", customer_id=bench.customer_id)
    with operator as ctx, pytest.raises(NotAllowed):
        look(ctx, bench.catalogue)


def test_another_lab_sees_neither_record_nor_certificate(bench_on_sqlite, store):
    bench = bench_on_sqlite
    issuing.issued(bench, store, issuing.authorised(bench))
    supersede(bench)
    foreign = builders.a_lab(bench.engine, "NB")
    with context_for(bench.installation, lab_id=foreign) as ctx:
        view = documents.get_document(ctx, OLD)
        use = document_use.document_use(ctx, OLD, catalogue=bench.catalogue)
        with pytest.raises(NotFound):
            documents.get_document(ctx, NEW)
    assert (view.revisions, view.document.replaced_by) == ((), ())
    assert (use.certificates, use.work, use.people) == ((), (), ())
    assert [t.type_id for t in use.types] == [issuing.PROBE]


def test_a_newer_edition_alone_ends_the_older_one(bench_on_sqlite):
    with bench_on_sqlite.as_(issuing.everybody(bench_on_sqlite)) as ctx:
        documents.register(ctx, entry(number=NEW, replaces=[OLD], in_force_on=date(2026, 2, 1)), 0)
        old = documents.get_document(ctx, OLD)
    assert (old.status, old.document.replaced_by, old.document.ends_on) == (
        "superseded", (NEW,), "2026-01-31"
    )  # fmt: skip
    assert old.document.tags["status"].by == "lab"


def test_an_unknown_document_is_not_superseded(bench_on_sqlite):
    with (
        bench_on_sqlite.as_(issuing.everybody(bench_on_sqlite)) as ctx,
        pytest.raises(DomainError) as refused,
    ):
        documents.supersede(ctx, superseding(number="X 9"), 0)
    assert refused.value.code == "not-found"
