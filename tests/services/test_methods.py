"""A lab's own methods: states, two persons, what is used from then on, and by whom."""

from __future__ import annotations

import dataclasses
import json
import threading

import pytest
from sqlalchemy import event

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import CalibrationInput
from calib.services import dry_run, evaluation, readings
from instruments.errors import (
    Conflict,
    DomainError,
    Invalid,
    NotAllowed,
    NotFound,
    Refused,
)
from instruments.records.audit import AuditEvent
from instruments.services import methods, models, scope
from instruments.services.method_views import (
    changes_of,
    export_text,
    get_method,
    lab_catalogue,
    list_methods,
)
from tests.support import builders, issuing
from tests.support import methods as a
from tests.support.builders import NOW, Installation, context_for
from tests.support.issuing import PROBE

POINTS = {"/measurands/0/points/default": ["0", "50", "100"]}


@pytest.fixture
def bench(bench_on_each):
    return bench_on_each


def problem_of(act) -> DomainError:
    with pytest.raises(DomainError) as caught:
        act()
    return caught.value


def in_force(bench, type_id: str = PROBE) -> str:
    with bench.as_(bench.technician, read_only=True) as ctx:
        return lab_catalogue(ctx, bench.catalogue).get(type_id).version


def test_a_copy_is_a_draft_of_the_file_with_its_comments(bench):
    made = a.a_draft(bench)
    assert (made.line.state, made.line.revision, made.line.based_on) == ("draft", 1, "1.1.0")
    assert made.text == bench.catalogue.text_of(PROBE)
    assert made.definition is not None
    assert made.definition.version == "1.1.0+lab.1"
    with bench.as_(bench.technician) as ctx:
        assert changes_of(ctx, made, bench.catalogue)[1] == ()
    assert in_force(bench) == "1.1.0"


def test_a_changed_figure_keeps_comments_and_is_told_as_the_only_difference(bench):
    made = a.a_draft(bench, changes=POINTS)
    assert "# 20 ± 5 °C" in made.text
    with bench.as_(bench.technician) as ctx:
        _, found = changes_of(ctx, made, bench.catalogue)
    assert [d.place for d in found] == [("measurands", "temperature", "points", "default")]
    assert found[0].new == ("0", "50", "100")


def test_new_records_use_it_once_a_second_person_approved(bench):
    before = issuing.opened(bench)
    a.submitted(bench, changes=POINTS)
    assert in_force(bench) == "1.1.0"
    with bench.as_(bench.signatory) as ctx:
        (line,) = list_methods(ctx)
        done = methods.approve(ctx, line.id, line.version, "agreed", bench.catalogue)
    assert done.line.is_in_force
    assert done.line.approved.name == "Sun"
    assert in_force(bench) == "1.1.0+lab.1"
    with bench.as_(issuing.everybody(bench)) as ctx:
        types = lab_catalogue(ctx, bench.catalogue)
        lab = dataclasses.replace(
            bench, installation=dataclasses.replace(bench.installation, catalogue=types)
        )
        after = issuing.a_draft(lab, ctx, line={"points": {}})
        kept = readings.get_calibration(ctx, before.id)
    assert after.definition.version == "1.1.0+lab.1"
    assert after.plan.points["temperature"] == ("0", "50", "100")
    assert kept.definition.version == "1.1.0"


@pytest.mark.parametrize("who", ["technician", "reviewer"])
def test_only_managers_and_signatories_approve(bench, who):
    made = a.submitted(bench)
    with bench.as_(getattr(bench, who)) as ctx:
        stop = problem_of(lambda: methods.approve(ctx, made.id, made.version, "", bench.catalogue))
    assert isinstance(stop, NotAllowed)


def test_who_submitted_or_wrote_last_may_not_approve(bench):
    written = a.a_draft(bench)
    with bench.as_(bench.signatory) as ctx:
        written = a.change(ctx, written, POINTS)
    with bench.as_(bench.technician) as ctx:
        made = dry_run.submit(ctx, written.id, written.version, "why", bench.catalogue)
    with bench.as_(bench.signatory) as ctx:
        stop = problem_of(lambda: methods.approve(ctx, made.id, made.version, "", bench.catalogue))
    assert stop.code == "method-same-person"
    everybody = dataclasses.replace(bench.technician, roles=("technician", "manager"))
    with bench.as_(everybody) as ctx:
        stop = problem_of(lambda: methods.approve(ctx, made.id, made.version, "", bench.catalogue))
    assert stop.code == "method-same-person"
    assert in_force(bench) == "1.1.0"


def test_a_submitted_revision_is_changed_by_nobody_until_it_is_returned(bench):
    made = a.submitted(bench)
    with bench.as_(bench.technician) as ctx:
        stop = problem_of(lambda: methods.save_text(ctx, made.id, made.version, made.text))
        assert stop.code == "method-not-draft"
        stop = problem_of(lambda: a.change(ctx, made, POINTS))
        assert stop.code == "method-not-draft"
    with bench.as_(bench.reviewer) as ctx:
        stop = problem_of(lambda: methods.give_back(ctx, made.id, made.version, "look again"))
        assert isinstance(stop, NotAllowed)
    with bench.as_(bench.signatory) as ctx:
        stop = problem_of(lambda: methods.give_back(ctx, made.id, made.version, " "))
        assert stop.at == "/remark"
        back = methods.give_back(ctx, made.id, made.version, "look again")
    assert (back.line.state, back.line.remark) == ("draft", "look again")
    with bench.as_(bench.technician) as ctx:
        assert "50" in a.change(ctx, back, POINTS).text


def test_the_writer_takes_a_submission_back(bench):
    made = a.submitted(bench)
    with bench.as_(bench.technician) as ctx:
        assert methods.give_back(ctx, made.id, made.version, "a slip").line.state == "draft"


def test_of_two_approvals_at_once_one_counts(bench):
    made = a.submitted(bench)
    seconds = [
        dataclasses.replace(bench.signatory),
        dataclasses.replace(bench.reviewer, roles=("manager",)),
    ]
    told: list[object] = []
    start = threading.Barrier(2)

    def approve(person) -> None:
        start.wait(10)
        try:
            with bench.as_(person) as ctx:
                done = methods.approve(ctx, made.id, made.version, "", bench.catalogue)
                told.append(done.line.approved.name)
        except Conflict as stop:
            told.append(stop.code)

    threads = [threading.Thread(target=approve, args=(person,)) for person in seconds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(told) == 2
    assert told.count("changed-meanwhile") == 1
    assert a.again(bench, made.id).line.approved.name in told


def test_a_change_after_the_page_was_opened_stops_the_submission(bench):
    made = a.a_draft(bench)
    with bench.as_(bench.technician) as ctx:
        a.change(ctx, made, POINTS)
    with bench.as_(bench.technician) as ctx:
        stop = problem_of(
            lambda: dry_run.submit(ctx, made.id, made.version, "why", bench.catalogue)
        )
    assert stop.code == "changed-meanwhile"


def test_evidence_of_another_text_is_not_taken(bench):
    made = a.a_draft(bench)
    with bench.as_(bench.technician) as ctx:
        old = dry_run.dry_run(ctx, made.definition).evidence()
        now = a.change(ctx, made, POINTS)
        stop = problem_of(
            lambda: methods.submit(ctx, now.id, now.version, "why", old, bench.catalogue)
        )
    assert stop.code == "method-evidence-old"


def test_a_text_with_errors_is_kept_and_told_by_line_but_not_submitted(bench):
    made = a.a_draft(bench)
    broken = made.text.replace('half_width = "0.010"', 'half_width = "wide"', 1)
    line = broken.splitlines().index('half_width = "wide"') + 1
    with bench.as_(bench.technician) as ctx:
        kept = methods.save_text(ctx, made.id, made.version, broken)
    assert kept.text == broken
    assert kept.definition is None
    (found,) = kept.findings
    assert (found.facts["line"], found.facts["key"]) == (
        line,
        "measurands[0].components[3].half_width",
    )
    with bench.as_(bench.technician) as ctx:
        stop = problem_of(
            lambda: dry_run.submit(ctx, kept.id, kept.version, "why", bench.catalogue)
        )
    assert stop.code == "method-has-errors"
    assert stop.findings == kept.findings


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('id = "thermometer.digital_probe"', 'id = "thermometer.mine"', "method-id-fixed"),
        ('version = "1.1.0"', 'version = "1.2.0"', "method-version-fixed"),
        ('version = "1.1.0"', 'version = "1.1.0+lab.9"', "type-version"),
    ],
)
def test_a_method_keeps_its_type_and_the_version_it_rests_on(bench, old, new, code):
    made = a.a_draft(bench)
    with bench.as_(bench.technician) as ctx:
        kept = methods.save_text(ctx, made.id, made.version, made.text.replace(old, new, 1))
    assert [found.code for found in kept.findings] == [code]


def test_one_revision_of_a_type_is_worked_on_at_a_time(bench):
    made = a.a_draft(bench)
    with bench.as_(bench.signatory) as ctx:
        stop = problem_of(lambda: methods.copy_type(ctx, PROBE, bench.catalogue))
    assert stop.code == "method-open"
    with bench.as_(bench.technician) as ctx:
        methods.withdraw(ctx, made.id, made.version, "not needed", bench.catalogue)
        assert methods.copy_type(ctx, PROBE, bench.catalogue).line.revision == 2


def test_the_next_revision_starts_from_the_one_in_use_and_withdrawing_brings_that_back(bench):
    first = a.approved(bench, changes=POINTS)
    second = a.approved(bench, changes={"/measurands/0/points/readings": 6})
    assert second.line.based_on == "1.1.0+lab.1"
    assert second.definition.version == "1.1.0+lab.2"
    assert second.definition.measurands[0].points.default == ("0", "50", "100")
    assert in_force(bench) == "1.1.0+lab.2"
    with bench.as_(bench.technician) as ctx:
        stop = problem_of(
            lambda: methods.withdraw(ctx, second.id, second.version, "why", bench.catalogue)
        )
        assert isinstance(stop, NotAllowed)
    with bench.as_(bench.signatory) as ctx:
        methods.withdraw(ctx, second.id, second.version, "too slow", bench.catalogue)
    assert in_force(bench) == "1.1.0+lab.1"
    with bench.as_(bench.signatory) as ctx:
        methods.withdraw(ctx, first.id, first.version, "not needed", bench.catalogue)
    assert in_force(bench) == "1.1.0"


def test_an_earlier_revision_or_the_catalogue_can_be_started_from(bench):
    a.approved(bench, changes=POINTS)
    with bench.as_(bench.technician) as ctx:
        plain = methods.copy_type(ctx, PROBE, bench.catalogue, "1.1.0")
        assert plain.text == bench.catalogue.text_of(PROBE)
        methods.withdraw(ctx, plain.id, plain.version, "a trial", bench.catalogue)
        own_one = methods.copy_type(ctx, PROBE, bench.catalogue, "1.1.0+lab.1")
        assert own_one.line.based_on == "1.1.0+lab.1"
        for version in ("9.9.9", "1.1.0+lab.7", "1.1.0+lab.x"):
            stop = problem_of(
                lambda version=version: methods.copy_type(ctx, PROBE, bench.catalogue, version)
            )
            assert isinstance(stop, NotFound | Conflict)


def test_another_lab_sees_and_uses_nothing_of_it(bench):
    made = a.approved(bench, changes=POINTS)
    other = builders.a_lab(bench.engine, "SZ")
    somebody = builders.a_person(bench.engine, other)
    world = Installation(bench.engine, bench.catalogue, other, somebody)
    with context_for(world) as ctx:
        assert list_methods(ctx) == ()
        assert lab_catalogue(ctx, bench.catalogue).get(PROBE).version == "1.1.0"
        for act in (
            lambda: get_method(ctx, made.id),
            lambda: export_text(ctx, made.id),
            lambda: methods.save_text(ctx, made.id, made.version, made.text),
            lambda: methods.withdraw(ctx, made.id, made.version, "why", bench.catalogue),
        ):
            assert isinstance(problem_of(act), NotFound)
        mine = methods.copy_type(ctx, PROBE, bench.catalogue)
        assert mine.line.revision == 1


def test_a_venue_operator_has_no_part_in_it(bench):
    made = a.a_draft(bench)
    with context_for(bench.installation, "venue_operator", customer_id=bench.customer_id) as ctx:
        for act in (
            lambda: list_methods(ctx),
            lambda: get_method(ctx, made.id),
            lambda: methods.copy_type(ctx, PROBE, bench.catalogue),
            lambda: methods.import_text(ctx, b"", "a.toml", bench.catalogue),
            lambda: dry_run.dry_run(ctx, made.definition),
        ):
            assert isinstance(problem_of(act), NotAllowed)


def test_the_types_of_a_lab_cost_one_query_a_session(bench):
    a.approved(bench, changes=POINTS)
    asked: list[str] = []
    event.listen(bench.engine, "before_cursor_execute", lambda *seen: asked.append(seen[2]))
    with bench.as_(bench.technician, read_only=True) as ctx:
        for _ in range(3):
            types = lab_catalogue(ctx, bench.catalogue)
    assert types.get(PROBE).version == "1.1.0+lab.1"
    assert types.get("pump.infusion_syringe") is bench.catalogue.get("pump.infusion_syringe")
    assert len([one for one in asked if "method_versions" in one]) == 1


def test_models_and_scope_that_no_longer_fit_are_named(bench):
    variant = 'kinds = ["calibration", "check"]\n'
    made = a.a_draft(bench)
    text = made.text.replace(variant, variant + "acclimatisation_minutes = 5\n", 1)
    text = text.replace(
        "[[standards]]",
        '[variants.probe]\nshort = { en = "Short", zh = "短" }\nlong = { en = "Long", zh = "长" }'
        "\n\n[[standards]]",
        1,
    )
    text = text.replace('id = "temperature"', 'id = "error"').replace("temperature.t_", "error.t_")
    with bench.as_(bench.signatory) as ctx:
        entry = scope.ScopeEntry(
            PROBE, "temperature", "TH-12", "0", "100", "0.02", starts_on=ctx.today
        )
        scope.add_row(ctx, entry, catalogue=bench.catalogue)
        model = models.get_model(ctx, bench.model_id)
    with bench.as_(bench.technician) as ctx:
        kept = methods.save_text(ctx, made.id, made.version, text)
        assert kept.findings == ()
        stop = problem_of(
            lambda: dry_run.submit(ctx, kept.id, kept.version, "why", bench.catalogue)
        )
    assert isinstance(stop, Refused)
    assert [found.code for found in stop.findings] == ["method-model-misfit", "method-scope-misfit"]
    assert stop.findings[0].facts["model"] == model.model


def test_what_was_registered_between_submission_and_approval_counts(bench):
    made = a.submitted(bench)
    with bench.as_(issuing.everybody(bench)) as ctx:
        row = ctx.session.get(models.InstrumentModel, bench.model_id)
        row.resolution = {}
        builders.told(ctx.session)
    with bench.as_(bench.signatory) as ctx:
        stop = problem_of(lambda: methods.approve(ctx, made.id, made.version, "", bench.catalogue))
    assert stop.code == "method-misfit"


def test_every_act_leaves_a_trace_with_the_digest(bench):
    made = a.approved(bench, changes=POINTS)
    with bench.as_(bench.signatory) as ctx:
        methods.withdraw(ctx, made.id, made.version, "too slow", bench.catalogue)
        acts = [
            (row.act, row.facts["definition"])
            for row in ctx.session.query(AuditEvent).order_by(AuditEvent.place)
            if row.object_kind == "method"
        ]
    assert [act.rpartition(":")[2] for act, _ in acts] == [
        "copy", "write", "submit", "approve", "withdraw",
    ]  # fmt: skip
    assert acts[-1][1] == made.definition.digest() == made.line.definition_digest


def test_an_old_certificate_computes_to_the_same_bytes_after_an_approval(bench):
    record = issuing.submitted(bench)
    with bench.as_(bench.technician) as ctx:
        before = evaluation.get_evaluation(ctx, record)
    a.approved(bench, changes={"/measurands/0/components/3/half_width": "0.5"})
    with bench.as_(bench.technician) as ctx:
        after = evaluation.get_evaluation(ctx, record)
        assert evaluation.freeze(ctx, record).digest() == before.input_digest
    assert after == before
    again = evaluate(CalibrationInput.from_dict(json.loads(after.input_json)))
    assert again.canonical().decode() == before.result_json


def test_nothing_is_written_by_a_refused_change(bench):
    made = a.a_draft(bench)
    with bench.as_(bench.technician) as ctx:
        stop = problem_of(lambda: a.change(ctx, made, {"/measurands/7/points/readings": 3}))
        assert isinstance(stop, Invalid)
        assert stop.at == "/measurands/7/points/readings"
    assert a.again(bench, made.id) == made
    assert made.line.written.at == NOW
