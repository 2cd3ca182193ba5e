"""Issuing: number, payload, file, ledger and registry agree, whatever fails in between."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from calib.adapters.sealing import UnsealedSealer
from calib.certificates.dcc_compare import compare
from calib.certificates.document import CertificateDocument
from calib.certificates.reread import read_file
from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import CalibrationInput
from calib.ledger.chain import leaf_of
from calib.records.certificates import Certificate, LedgerLeaf
from calib.services import certificate_rows, issue, ledger, readings, review
from instruments.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound, Refused
from instruments.errors import Unavailable as NotAvailable
from instruments.records.instruments import Instrument
from instruments.services.audit import check_chain
from instruments.tenancy import installation_session
from tests.support import builders, issuing
from tests.support.builders import NOW
from tests.support.ruling import ruling


class BrokenSealer(UnsealedSealer):
    """A sealer that does not answer."""

    def seal(self, rendered):
        raise NotAvailable("sealer-away", "The sealer does not answer. Try again.")


@pytest.fixture
def bench(bench_on_sqlite):
    return bench_on_sqlite


@pytest.fixture
def either(bench_on_each):
    """Return a lab, once on each database, for what the database has a say in."""
    return bench_on_each


def _payload(bench, certificate_id) -> CertificateDocument:
    with installation_session(bench.engine) as session:
        kept = session.scalars(
            select(Certificate.payload).where(Certificate.id == certificate_id)
        ).one()
    return CertificateDocument.from_dict(json.loads(kept))


def _due(bench, certificate_id) -> date | None:
    with installation_session(bench.engine) as session:
        return session.scalars(
            select(Instrument.due_on)
            .join(Certificate, Certificate.instrument_id == Instrument.id)
            .where(Certificate.id == certificate_id)
        ).one()


def _state(bench, certificate_id) -> str:
    with installation_session(bench.engine) as session:
        return certificate_rows.state_of(certificate_rows.events_of(session, certificate_id))


def _reserve(bench, id_, key="k", version=None):
    with bench.as_(bench.signatory) as ctx:
        seen = version or issuing.version_of(ctx, id_)
        return issue.reserve(ctx, id_, seen, idempotency_key=key, public_base=issuing.BASE)


def _finish(bench, store, certificate_id, sealer=None):
    return issue.finish(
        bench.engine, store, sealer or UnsealedSealer(), bench.lab_id, certificate_id, lambda: NOW
    )


def test_what_is_issued_agrees_everywhere(either, store):
    bench = either
    id_ = issuing.authorised(bench)
    seen = issuing.issued(bench, store, id_)
    document = _payload(bench, seen.certificate_id)
    assert seen.number == document.number == "HZ-JZ-2026-000001"
    assert len(seen.token) == 22
    assert document.address == f"{issuing.BASE}/c/{seen.token}"
    assert seen.token not in document.number
    assert store.get(seen.files["pdf"]).startswith(b"%PDF-")
    dcc = store.get(seen.files["dcc"])
    assert compare(document, dcc) == ()
    assert read_file(store.get(seen.files["pdf"])).attachments["dcc.xml"] == dcc
    frozen = CalibrationInput.from_dict(json.loads(store.get(seen.files["input"])))
    assert evaluate(frozen).canonical() == store.get(seen.files["result"])
    assert document.result.canonical() == store.get(seen.files["result"])
    assert [(p.role, p.name) for p in document.persons] == [
        ("performed", "Tang"),
        ("reviewed", "Ren"),
        ("authorised", "Sun"),
    ]
    assert document.seal == "unsigned"
    assert _due(bench, seen.certificate_id) == date(2027, 3, 2)
    with bench.as_(bench.technician) as ctx:
        assert readings.get_calibration(ctx, id_).state == "issued"
        assert ledger.check(ctx.session) == ()
        assert ledger.head(ctx.session).size == 2
        assert check_chain(ctx.session, bench.lab_id) == ()


def test_the_ledger_line_can_be_remade_from_the_certificate_and_its_salt(bench, store):
    seen = issuing.issued(bench, store, issuing.authorised(bench))
    with bench.as_(bench.technician) as ctx:
        leaf = ctx.session.execute(
            select(LedgerLeaf.leaf, LedgerLeaf.salt, LedgerLeaf.subject).where(
                LedgerLeaf.place == 1
            )
        ).one()
        certificate = certificate_rows.certificate_of(ctx.session, seen.certificate_id)
        facts = {"files": dict(seen.files)}
        subject = certificate_rows.subject_of(ctx, certificate, "issued", facts)
    assert leaf_of("issued", leaf.salt, subject) == leaf.leaf
    assert json.loads(leaf.subject) == subject
    assert json.loads(leaf.leaf)["lab"] == subject["lab"] != ""
    subject["files"]["pdf"] = "0" * 64
    assert leaf_of("issued", leaf.salt, subject) != leaf.leaf


def test_the_next_due_date_is_printed_only_where_the_customer_agreed(bench, store):
    silent = issuing.issued(bench, store, issuing.authorised(bench))
    agreed = issuing.issued(bench, store, issuing.authorised(bench, print_due=True))
    assert _payload(bench, silent.certificate_id).next_due_on is None
    assert _payload(bench, agreed.certificate_id).next_due_on == "2027-03-02"
    assert _due(bench, silent.certificate_id) == date(2027, 3, 2)  # the registry calls all the same


def test_the_same_key_gives_the_same_certificate(bench, store):
    id_ = issuing.authorised(bench)
    with bench.as_(bench.signatory) as ctx:
        version = issuing.version_of(ctx, id_)
    first = _reserve(bench, id_, "key", version)
    assert _reserve(bench, id_, "key", version) == first
    done = [_finish(bench, store, first.certificate_id) for _ in range(3)]
    assert done[0] == done[1] == done[2]
    assert _reserve(bench, id_, "key", version) == first
    with pytest.raises(Conflict) as refusal:
        _reserve(bench, id_, "other", version)
    assert refusal.value.code == "changed-meanwhile"
    with pytest.raises(Conflict) as refusal:
        _reserve(bench, id_, "another")
    assert refusal.value.code == "wrong-state"
    with bench.as_(bench.signatory) as ctx:
        assert ledger.head(ctx.session).size == 2


def test_only_a_signatory_issues_and_only_what_was_authorised(bench):
    id_ = issuing.submitted(bench)
    with bench.as_(bench.reviewer) as ctx, pytest.raises(NotAllowed):
        issue.reserve(ctx, id_, 1, idempotency_key="k", public_base=issuing.BASE)
    with pytest.raises(Conflict) as refusal:
        _reserve(bench, id_)
    assert refusal.value.code == "wrong-state"


def test_a_refused_document_takes_no_number(bench, store):
    id_ = issuing.authorised(bench)
    with builders.context_for(bench.installation) as ctx:
        builders.customers.update_customer(
            ctx, bench.customer_id, 1, address="", contact="", phone="", email=""
        )
    with pytest.raises(Refused) as refusal:
        _reserve(bench, id_)
    assert refusal.value.code == "certificate-refused"
    with builders.context_for(bench.installation) as ctx:
        builders.customers.update_customer(ctx, bench.customer_id, 2, address="1 Station Square")
    assert issuing.issued(bench, store, id_).number == "HZ-JZ-2026-000001"


def test_what_a_failure_leaves_reserved_is_finished_at_the_next_start(bench, store):
    ids = [issuing.authorised(bench) for _ in range(2)]
    held = _reserve(bench, ids[0])
    with pytest.raises(NotAvailable):
        _finish(bench, store, held.certificate_id, BrokenSealer())
    after = issuing.issued(bench, store, ids[1])
    assert after.number == "HZ-JZ-2026-000002"
    found = issue.recover(bench.engine, store, UnsealedSealer(), lambda: NOW)
    assert (found.numbers, found.findings) == ((held.number,), ())
    assert _state(bench, held.certificate_id) == "issued"
    again = issue.recover(bench.engine, store, UnsealedSealer(), lambda: NOW)
    assert again.numbers == ()


def test_one_reservation_that_cannot_be_finished_blocks_no_other(bench, store):
    ids = [issuing.authorised(bench) for _ in range(3)]
    held = [_reserve(bench, id_, f"k{id_}") for id_ in ids]

    class Choosy(UnsealedSealer):
        def seal(self, rendered):
            if rendered.linted.document.number == held[1].number:
                raise NotAvailable("sealer-away", "The sealer does not answer.")
            return super().seal(rendered)

    found = issue.recover(bench.engine, store, Choosy(), lambda: NOW)
    assert found.numbers == (held[0].number, held[2].number)
    assert [(f.code, f.at) for f in found.findings] == [
        ("sealer-away", f"/certificates/{held[1].number}")
    ]
    assert _state(bench, held[1].certificate_id) == "reserved"


def test_a_fault_of_the_program_about_one_certificate_is_reported(bench, store):
    held = [_reserve(bench, issuing.authorised(bench), f"k{n}") for n in range(2)]

    class Faulty(UnsealedSealer):
        def seal(self, rendered):
            if rendered.linted.document.number == held[0].number:
                raise KeyError("a fault")
            return super().seal(rendered)

    found = issue.recover(bench.engine, store, Faulty(), lambda: NOW)
    assert found.numbers == (held[1].number,)
    assert [f.code for f in found.findings] == ["certificate-not-finished"]


def test_a_failing_disk_ends_the_recovery(bench, store, monkeypatch):
    _reserve(bench, issuing.authorised(bench))

    def fail(_content):
        raise OSError("Input/output error")

    monkeypatch.setattr(store, "put", fail)
    with pytest.raises(OSError, match="Input/output"):
        issue.recover(bench.engine, store, UnsealedSealer(), lambda: NOW)


def test_a_reservation_whose_payload_was_changed_is_not_rendered(bench, store):
    held = _reserve(bench, issuing.authorised(bench))
    with ruling(bench.engine) as connection:
        connection.execute(text("DROP TRIGGER keep_certificates_update"))
        connection.execute(
            text("UPDATE certificates SET payload = replace(payload, '0.020', '0.010')")
        )
    with pytest.raises(Refused) as refusal:
        _finish(bench, store, held.certificate_id)
    assert refusal.value.code == "payload-damaged"


def test_other_templates_than_those_reserved_with_are_told(bench, store, monkeypatch):
    held = _reserve(bench, issuing.authorised(bench))
    monkeypatch.setattr(issue, "template_digest", lambda: "0" * 64)
    found = issue.recover(bench.engine, store, UnsealedSealer(), lambda: NOW)
    assert [f.code for f in found.findings] == ["template-changed"]
    assert _state(bench, held.certificate_id) == "reserved"


def test_a_void_number_needs_two_persons_and_a_reason_and_is_never_used_again(either, store):
    bench = either
    id_ = issuing.authorised(bench)
    held = _reserve(bench, id_)
    with bench.as_(bench.signatory) as ctx:
        for second, reason, wanted in (
            (bench.signatory.id, "why", "second-person-same"),
            (bench.technician.id, "why", "second-person-unfit"),
            (bench.reviewer.id, " ", "reason-missing"),
        ):
            with pytest.raises(DomainError) as refusal:
                issue.void(ctx, held.certificate_id, reason, second)
            assert refusal.value.code == wanted
        issue.void(ctx, held.certificate_id, "font missing", bench.reviewer.id)
    with pytest.raises(Conflict) as gone:
        _finish(bench, store, held.certificate_id)
    assert gone.value.code == "certificate-void"
    assert issuing.issued(bench, store, id_, "new").number == "HZ-JZ-2026-000002"
    with bench.as_(bench.signatory) as ctx, pytest.raises(Conflict):
        issue.void(ctx, held.certificate_id, "again", bench.reviewer.id)


def test_an_amended_certificate_is_replaced_and_both_are_kept(either, store):
    bench = either
    id_ = issuing.authorised(bench)
    first = issuing.issued(bench, store, id_)
    with bench.as_(bench.technician) as ctx:
        copy = issue.amend(ctx, first.certificate_id, "remark forgotten")
        with pytest.raises(Conflict) as twice:
            issue.amend(ctx, first.certificate_id, "again")
        assert twice.value.code == "amendment-open"
        assert len(copy.readings()) == 24
        assert {(r.origin, r.person_name) for r in copy.readings()} == {("copied", "Tang")}
        readings.set_facts(ctx, copy.id, copy.version, remark="bath of oil")
        review.submit(ctx, copy.id, issuing.version_of(ctx, copy.id))
    issuing.approve(bench, copy.id)
    second = issuing.issued(bench, store, copy.id)
    document = _payload(bench, second.certificate_id)
    assert (document.amendment.replaces, document.amendment.reason) == (
        first.number,
        "remark forgotten",
    )
    assert document.deviations == ("bath of oil",)
    assert _state(bench, first.certificate_id) == "superseded"
    with bench.as_(bench.signatory) as ctx:
        event = certificate_rows.events_of(ctx.session, first.certificate_id)["superseded"]
        assert (event.successor_id, event.reason) == (second.certificate_id, "remark forgotten")
        assert ledger.head(ctx.session).size == 5
        with pytest.raises(Conflict):
            issue.amend(ctx, first.certificate_id, "too late")
    assert store.has(first.files["pdf"])


def test_a_copied_record_may_not_be_reviewed_by_whoever_measured(bench, store):
    record = issuing.opened(bench)
    with bench.as_(bench.colleague) as ctx:
        issuing.fill(ctx, record.id)
        review.submit(ctx, record.id, issuing.version_of(ctx, record.id))
    issuing.approve(bench, record.id)
    first = issuing.issued(bench, store, record.id)
    with bench.as_(bench.technician) as ctx:
        copy = issue.amend(ctx, first.certificate_id, "typing in the remark")
        review.submit(ctx, copy.id, copy.version)
    with bench.as_(bench.colleague) as ctx, pytest.raises(Refused) as refusal:
        review.review(ctx, copy.id, issuing.version_of(ctx, copy.id))
    assert refusal.value.code == "same-person"


def test_a_withdrawn_certificate_no_longer_calls_the_instrument(either, store):
    bench = either
    seen = issuing.issued(bench, store, issuing.authorised(bench))
    assert _due(bench, seen.certificate_id) is not None
    with bench.as_(bench.signatory) as ctx:
        with pytest.raises(Invalid):
            issue.withdraw(ctx, seen.certificate_id, "", bench.reviewer.id)
        issue.withdraw(ctx, seen.certificate_id, "standard was wrong", bench.reviewer.id)
    assert _state(bench, seen.certificate_id) == "withdrawn"
    assert _due(bench, seen.certificate_id) is None
    with bench.as_(bench.signatory) as ctx:
        assert ledger.check(ctx.session) == ()
        assert ledger.head(ctx.session).size == 3


def test_the_database_itself_refuses_to_change_what_was_issued(bench, store):
    issuing.issued(bench, store, issuing.authorised(bench))
    tables = ("certificates", "certificate_events", "certificate_files", "ledger_leaves")
    for table in (*tables, "evaluations", "review_marks", "audit_events"):
        with pytest.raises(DatabaseError, match="insert-only"), ruling(bench.engine) as connection:
            connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 -- names stand above


def test_an_older_record_issued_late_does_not_turn_the_due_date_back(bench, store):
    first = issuing.authorised(bench)
    with bench.as_(issuing.everybody(bench)) as ctx:
        record = readings.get_calibration(ctx, first)
        later = NOW + timedelta(days=40)
    with bench.as_(issuing.everybody(bench), now=later) as ctx:
        order = builders.an_order(
            ctx,
            bench.catalogue,
            record.instrument_id,
            decision_rule="none",
            interval_months=6,
            lines=(
                builders.orders.LineRequest(
                    instrument_id=record.instrument_id, points={"temperature": ("0", "50", "100")}
                ),
            ),
        )
        line = order.lines[0].id
        newer = readings.open_calibration(ctx, line, catalogue=bench.catalogue).id
    with bench.as_(bench.technician, now=later) as ctx:
        readings.enter(ctx, newer, issuing.some_entries())
        readings.enter_condition(
            ctx, newer, readings.ConditionEntry("temperature", "start", "21", "degC", 0)
        )
        version = issuing.version_of(ctx, newer)
        readings.set_facts(ctx, newer, version, performed_on=ctx.today)
        review.submit(ctx, newer, issuing.version_of(ctx, newer))
    issuing.approve(bench, newer, later)
    with bench.as_(bench.signatory, now=later) as ctx:
        version = issuing.version_of(ctx, newer)
        held = issue.reserve(ctx, newer, version, idempotency_key="n", public_base=issuing.BASE)
    _finish(bench, store, held.certificate_id)
    assert _due(bench, held.certificate_id) == date(2026, 10, 11)
    issuing.issued(bench, store, first)
    assert _due(bench, held.certificate_id) == date(2026, 10, 11)


def test_another_labs_certificate_is_not_there(bench, store):
    seen = issuing.issued(bench, store, issuing.authorised(bench))
    other = builders.a_lab(bench.engine, "BJ")
    with builders.context_for(bench.installation, lab_id=other) as ctx, pytest.raises(NotFound):
        issue.withdraw(ctx, seen.certificate_id, "why", bench.reviewer.id)
    with pytest.raises(NotFound):
        issue.finish(bench.engine, store, UnsealedSealer(), other, seen.certificate_id, lambda: NOW)
