"""A limit nobody has compared with its document decides no certificate; a named person may."""

from __future__ import annotations

import dataclasses
import json
from datetime import date

import pytest
from sqlalchemy import select

from calib.adapters.files import DirectoryStore
from calib.certificates.lint import lint
from calib.certificates.pdf import render
from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import CalibrationInput
from calib.services import evaluation, readings, review
from calib.services.preview import preview_document
from instruments.catalogue.figures import figure_digest, open_figures
from instruments.catalogue.loader import Catalogue, load_catalogue
from instruments.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from instruments.procedure import Limit, Rating
from instruments.records.audit import AuditEvent
from instruments.services import confirmations
from instruments.services.confirmations import ConfirmationEntry
from instruments.tenancy import installation_session
from instruments.text import LocalizedText
from tests.support import builders, issuing
from tests.support.confirmed import confirm_limits
from tests.support.journey import text_of

DOCUMENT = "JJF 1171-2007"
OPEN = Limit(document=DOCUMENT, confidence="BG", lower="-0.5", upper="0.5", clause="5.3")
CLOSED = dataclasses.replace(OPEN, confidence="V2", start="200", start_included=False)


def a_type(*limits: Limit):
    """Return the thermometer with probe with limits of its own."""
    probe = load_catalogue().get(issuing.PROBE)
    first = dataclasses.replace(probe.measurands[0], limits=limits or (OPEN,))
    return dataclasses.replace(probe, measurands=(first, *probe.measurands[1:]))


@pytest.fixture
def bench(bench_on_each):
    place = dataclasses.replace(bench_on_each.installation, catalogue=Catalogue([a_type()]))
    return dataclasses.replace(bench_on_each, installation=place)


@pytest.fixture
def store(tmp_path):
    return DirectoryStore(tmp_path / "files")


def an_entry(**changes):
    given = {"document": DOCUMENT, "clause": "Table 2", "confirmed_on": date(2026, 2, 27)}
    return ConfirmationEntry(**(given | changes))


def confirm(bench, person=None, type_=None, **changes):
    type_ = type_ or a_type()
    digest = open_figures(type_)[0].digest
    with bench.as_(person or bench.signatory) as ctx:
        return confirmations.confirm(ctx, type_, "temperature", digest, an_entry(**changes))


def notes(bench, record):
    with bench.as_(bench.technician) as ctx:
        found = evaluation.evaluate_draft(ctx, record).findings
    return [(f.code, f.severity) for f in found if f.code == "limits-not-compared"]


def test_a_statement_on_an_open_limit_is_refused_with_what_to_do(bench, store):
    record = issuing.authorised(bench, decision_rule="simple")
    with pytest.raises(Refused) as refused:
        issuing.issued(bench, store, record)
    (found,) = [f for f in refused.value.findings if f.severity == "error"]
    assert (found.code, found.at) == ("limits-open", "/measurement/limits/temperature")
    assert DOCUMENT in found.text()
    assert "confirms them in the catalogue" in found.text()
    with bench.as_(bench.technician) as ctx:
        assert readings.get_calibration(ctx, record).state == "authorised"


def test_values_alone_need_no_confirmation(bench, store):
    record = issuing.authorised(bench, decision_rule="none")
    assert issuing.issued(bench, store, record).number
    assert notes(bench, issuing.opened(bench).id) == []


def test_limits_of_the_customer_are_nobodys_background_knowledge(bench, store):
    own = [{"document": "Order 17", "confidence": "V", "lower": "-1", "upper": "1"}]
    line = {"customer_limits": {"temperature": own}}
    record = issuing.authorised(bench, decision_rule="simple", line=line)
    assert issuing.issued(bench, store, record).number


def test_it_is_told_from_the_beginning_until_it_is_confirmed(bench):
    record = issuing.opened(bench, decision_rule="simple").id
    assert notes(bench, record) == [("limits-not-compared", "note")]
    with bench.as_(bench.technician) as ctx:
        issuing.fill(ctx, record)
    assert notes(bench, record) == [("limits-not-compared", "note")]
    confirm(bench)
    assert notes(bench, record) == []


def test_a_confirmed_limit_decides_and_the_certificate_says_who_compared_it(bench, store):
    confirm(bench)
    record = issuing.authorised(bench, decision_rule="simple")
    with bench.as_(bench.signatory) as ctx:
        stored = evaluation.get_evaluation(ctx, record)
        document = preview_document(ctx, record, public_base=issuing.BASE)
    (row,) = stored.input.limits["temperature"].rows
    assert dataclasses.asdict(row.confirmed) == {
        "person": "Sun", "on": "2026-02-27", "document": DOCUMENT, "clause": "Table 2",
    }  # fmt: skip
    assert stored.result.unconfirmed_limits == ()
    assert not [f.code for f in lint(document) if f.code.startswith("limits-")]
    text = text_of(render(document, {}))
    assert f"Limits compared with the document {DOCUMENT}, Table 2 by Sun on 2026-02-27." in text
    assert "限值已由Sun于2026-02-27与文件JJF1171-2007,Table2核对。" in text.replace(" ", "")
    issued = issuing.issued(bench, store, record)
    frozen = CalibrationInput.from_dict(json.loads(store.get(issued.files["input"])))
    assert evaluate(frozen).canonical() == store.get(issued.files["result"])


def test_a_revoked_confirmation_stops_what_rested_on_it(bench):
    made = confirm(bench)
    record = issuing.submitted(bench, decision_rule="simple")
    with bench.as_(bench.signatory) as ctx:
        confirmations.revoke(ctx, issuing.PROBE, made.figure_digest, "read the wrong table")
        assert confirmations.confirmed(ctx, issuing.PROBE) == {}
    with bench.as_(bench.reviewer) as ctx, pytest.raises(Refused) as refused:
        review.review(ctx, record, issuing.version_of(ctx, record))
    assert refused.value.code == "changed-since-evaluation"
    again = confirm(bench, person=issuing.everybody(bench))
    assert again.person_name == "Li Wei"


def test_a_check_record_says_it_in_a_loud_word_and_is_issued(bench, store):
    record = issuing.authorised(bench, decision_rule="simple", kind="check")
    with bench.as_(bench.signatory) as ctx:
        document = preview_document(ctx, record, public_base=issuing.BASE)
    assert {f.code for f in lint(document) if f.code.startswith("limits-")} == {
        "limits-unconfirmed"
    }
    assert issuing.issued(bench, store, record).number


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"document": "JJF 1171-2022"}, Refused, "figure-other-edition"),
        ({"document": ""}, Invalid, "field-empty"),
        ({"clause": " "}, Invalid, "field-empty"),
        ({"confirmed_on": date(2026, 3, 3)}, Invalid, "confirmed-ahead"),
        ({"type_": a_type(CLOSED, OPEN)}, None, ""),
    ],
)
def test_what_a_confirmation_needs(bench, changes, error, code):
    if error is None:
        assert confirm(bench, **changes).document == DOCUMENT
        return
    with pytest.raises(error) as refused:
        confirm(bench, **changes)
    assert refused.value.code == code
    assert confirm(bench).confirmed_on == date(2026, 2, 27)


def test_only_manager_or_signatory_confirms_and_revokes(bench):
    for person in (bench.technician, bench.reviewer):
        with pytest.raises(NotAllowed):
            confirm(bench, person=person)
    made = confirm(bench)
    with bench.as_(bench.technician) as ctx, pytest.raises(NotAllowed):
        confirmations.revoke(ctx, issuing.PROBE, made.figure_digest, "no")


def test_the_spelling_of_the_number_may_differ_and_is_kept(bench):
    assert confirm(bench, document="jjf 1171—2007").document == "jjf 1171—2007"


def test_a_limit_that_is_no_background_knowledge_is_not_confirmed(bench):
    type_ = a_type(CLOSED)
    digest = figure_digest(type_.id, "temperature", CLOSED)
    with bench.as_(bench.signatory) as ctx, pytest.raises(Refused) as refused:
        confirmations.confirm(ctx, type_, "temperature", digest, an_entry())
    assert refused.value.code == "figure-not-open"


def test_a_limit_the_type_does_not_have_is_not_found(bench):
    with bench.as_(bench.signatory) as ctx:
        for measurand, digest in (("temperature", "0" * 64), ("flow", "0" * 64)):
            with pytest.raises(NotFound):
                confirmations.confirm(ctx, a_type(), measurand, digest, an_entry())
        with pytest.raises(NotFound):
            confirmations.revoke(ctx, issuing.PROBE, "0" * 64, "why not")


def test_a_confirmed_limit_is_not_confirmed_again(bench):
    confirm(bench)
    with pytest.raises(Conflict) as refused:
        confirm(bench)
    assert "Sun" in str(refused.value)


def test_a_changed_limit_has_lost_its_confirmation_an_unchanged_one_keeps_it(bench):
    confirm(bench)
    changed = a_type(dataclasses.replace(OPEN, upper="0.6"))
    more = dataclasses.replace(a_type(), version="2.0.1", interval_months=6)
    with bench.as_(bench.technician) as ctx:
        assert len(confirmations.list_open(ctx, [changed])) == 1
        assert confirmations.list_open(ctx, [more]) == ()
        (kept,) = confirmations.list_figures(ctx, [more])
    assert kept.confirmation.person_name == "Sun"


def test_a_limit_with_a_rated_value_keeps_its_confirmation_when_it_is_put_in(bench):
    wide = dataclasses.replace(OPEN, lower="0", upper="0", of_rating="span", plus_fraction="0.01")
    span = Rating(LocalizedText(en="Span", zh="量程"), "degC", "100")
    type_ = dataclasses.replace(a_type(wide), ratings={"span": span})
    place = dataclasses.replace(bench.installation, catalogue=Catalogue([type_]))
    bench = dataclasses.replace(bench, installation=place)
    with bench.as_(bench.signatory) as ctx:
        confirm_limits(ctx, type_)
    record = issuing.submitted(bench, decision_rule="simple")
    with bench.as_(bench.technician) as ctx:
        (row,) = evaluation.get_evaluation(ctx, record).input.limits["temperature"].rows
    assert (row.lower, row.upper, row.confirmed.person) == ("-1", "1", "Sun")


def test_every_act_is_in_the_audit_trail(bench):
    made = confirm(bench)
    with bench.as_(bench.signatory) as ctx:
        confirmations.revoke(ctx, issuing.PROBE, made.figure_digest, "read the wrong table")
    with installation_session(bench.engine) as session:
        events = session.execute(
            select(AuditEvent.act, AuditEvent.facts)
            .where(AuditEvent.object_kind == "confirmation")
            .order_by(AuditEvent.place)
        ).all()
    assert [e.act for e in events] == ["registry:figure:confirm", "registry:figure:revoke"]
    assert events[0].facts["document"] == DOCUMENT
    assert events[1].facts["remark"] == "read the wrong table"


def test_another_lab_has_confirmed_nothing(bench):
    confirm(bench)
    world = bench.installation
    with builders.context_for(world, lab_id=builders.a_lab(world.engine, "SH")) as ctx:
        (one,) = confirmations.list_open(ctx, [a_type()])
    assert one.figure.limit == OPEN
