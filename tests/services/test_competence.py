"""Nobody does what was not granted to them: by act, method, quantity, range and day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from calib.services import issue, planning, readings, review
from instruments.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound, Refused
from instruments.policy import Role
from instruments.services import approval_rules, competence, humans, orders
from instruments.services.approval_rules import ApprovalRules
from instruments.services.competence import CompetenceEntry
from tests.support import builders, issuing
from tests.support.builders import context_for

TODAY = date(2026, 3, 2)
LONG_AGO, TOMORROW, YESTERDAY = date(2024, 1, 1), date(2026, 3, 3), date(2026, 3, 1)
FREE = ApprovalRules(keeps_competence=False, demands_signatures=False, separates_signatory=False)
KEPT = ApprovalRules(keeps_competence=True, demands_signatures=False, separates_signatory=True)
STEPS = {
    "open": ("builder", "performs"),
    "plan": ("technician", "performs"),
    "enter": ("technician", "performs"),
    "submit": ("technician", "performs"),
    "review": ("reviewer", "reviews"),
    "authorise": ("signatory", "authorises"),
    "issue": ("signatory", "authorises"),
}
"""Who takes a step of the way, and what they must be authorised for."""
ROWS = {
    "nothing granted": (None, "competence-missing"),
    "another type": ({"type_id": "thermometer.infrared_forehead"}, "competence-missing"),
    "another method": ({"type_id": "", "document": "JJG 1-1900"}, "competence-missing"),
    "another act": ({"act": "other"}, "competence-missing"),
    "lapsed": ({"ends_on": YESTERDAY}, "competence-out-of-date"),
    "not yet": ({"starts_on": TOMORROW}, "competence-out-of-date"),
    "ended": ({"ended": True}, "competence-out-of-date"),
    "range too low": (
        {"measurand": "temperature", "low": "-10", "high": "99.99"}, "competence-out-of-range",
    ),
    "range too high": (
        {"measurand": "temperature", "low": "0.01", "high": "300"}, "competence-out-of-range",
    ),
}  # fmt: skip
"""What is granted to whoever takes the step, and why it is not enough."""


@pytest.fixture
def bench(bench_on_sqlite):
    return bench_on_sqlite


def person_of(bench, key):
    return issuing.everybody(bench) if key == "builder" else getattr(bench, key)


def set_rules(bench, rules):
    with context_for(bench.installation) as ctx:
        approval_rules.set_rules(ctx, rules)


def granted(bench, key, act, **more):
    """Grant an authorisation, by the builder or, to the builder, by the signatory."""
    ended = more.pop("ended", False)
    given = {
        "person_id": person_of(bench, key).id,
        "act": act,
        "type_id": issuing.PROBE,
        "starts_on": LONG_AGO,
        "basis": "training",
        "evidence": "course 7",
        **more,
    }
    granter = bench.signatory if key == "builder" else issuing.everybody(bench)
    with bench.as_(granter) as ctx:
        row = competence.grant(ctx, CompetenceEntry(**given), catalogue=bench.catalogue)
        if ended:
            competence.end(ctx, row, YESTERDAY, "failed the comparison")
    return row


def before(bench, step):
    """Return a record that is ready for a step, made while nothing was asked."""
    make = {
        "open": lambda _bench: 0,
        "plan": lambda b: issuing.opened(b).id,
        "enter": lambda b: issuing.opened(b).id,
        "submit": issuing.filled,
        "review": issuing.submitted,
        "authorise": reviewed,
        "issue": issuing.authorised,
    }
    return make[step](bench)


def reviewed(bench):
    id_ = issuing.submitted(bench)
    with bench.as_(bench.reviewer) as ctx:
        review.review(ctx, id_, issuing.version_of(ctx, id_))
    return id_


def take(bench, step, id_, who=None):
    """Take the step as whoever it is for."""
    with bench.as_(who or person_of(bench, STEPS[step][0])) as ctx:
        version = issuing.version_of(ctx, id_) if id_ else 0
        if step == "open":
            issuing.a_draft(bench, ctx)
        elif step == "plan":
            planning.plan(
                ctx, id_, version, planning.PlanChange(points={"temperature": ("0", "100")})
            )
        elif step == "enter":
            readings.enter(ctx, id_, issuing.some_entries())
        elif step == "issue":
            issue.reserve(ctx, id_, version, idempotency_key="once", public_base=issuing.BASE)
        else:
            getattr(review, step)(ctx, id_, version)


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("step", STEPS)
def test_work_that_was_not_granted_is_refused(bench, step, row):
    id_ = before(bench, step)
    set_rules(bench, KEPT)
    key, act = STEPS[step]
    more, code = ROWS[row]
    for other, does in (("technician", "performs"), ("reviewer", "reviews")):
        if (other, does) != (key, act):
            granted(bench, other, does)
    if more is not None:
        wanted = {"performs": "reviews"}.get(act, "performs") if "act" in more else act
        granted(bench, key, wanted, **{k: v for k, v in more.items() if k != "act"})
    with pytest.raises(Refused) as stop:
        take(bench, step, id_)
    assert stop.value.code == code
    assert stop.value.facts["name"] == person_of(bench, key).name
    assert stop.value.facts["act"] == competence.DOING[act]
    assert stop.value.clause == competence.CLAUSE


def second_account(bench, of, *roles: Role):
    id_ = builders.a_person(bench.engine, bench.lab_id, roles, name="Also")
    with context_for(bench.installation) as ctx:
        humans.join_accounts(ctx, id_, of.id)
    return issuing.Person(id_, "Also", roles)


def of_the_performer(bench):
    return second_account(bench, bench.technician, "reviewer", "signatory")


def of_the_reviewer(bench):
    return second_account(bench, bench.reviewer, "signatory")


SEPARATION = {
    "whoever measured reviews": ("review", lambda b: b.technician, "same-person"),
    "their other account reviews": ("review", of_the_performer, "same-person"),
    "whoever measured authorises": ("authorise", lambda b: b.technician, "same-person"),
    "their other account authorises": ("authorise", of_the_performer, "same-person"),
    "the reviewer authorises": ("authorise", lambda b: b.reviewer, "reviewer-authorises"),
    "the reviewer's other account": ("authorise", of_the_reviewer, "reviewer-authorises"),
}


@pytest.mark.parametrize("case", SEPARATION)
def test_two_steps_by_one_human_are_refused(bench, case):
    step, make, code = SEPARATION[case]
    id_ = before(bench, step)
    set_rules(
        bench,
        ApprovalRules(keeps_competence=False, demands_signatures=False, separates_signatory=True),
    )
    who = make(bench)
    both: tuple[Role, ...] = ("technician", "reviewer", "signatory")
    with pytest.raises(Refused) as stop:
        take(bench, step, id_, issuing.Person(who.id, who.name, both))
    assert stop.value.code == code


def test_two_may_be_one_where_the_lab_lets_them(bench):
    id_ = before(bench, "authorise")
    both: tuple[Role, ...] = ("reviewer", "signatory")
    take(bench, "authorise", id_, issuing.Person(bench.reviewer.id, "Ren", both))


def test_whoever_is_authorised_goes_the_whole_way(bench):
    set_rules(bench, KEPT)
    for key, act in {step: one for step, one in STEPS.items() if step != "issue"}.values():
        if (key, act) != ("technician", "performs"):
            granted(bench, key, act)
    granted(
        bench, "technician", "performs", measurand="temperature", low="0", high="50",
        document="",
    )  # fmt: skip
    granted(bench, "technician", "performs", measurand="temperature", low="50", high="100")
    id_ = issuing.authorised(bench)
    take(bench, "issue", id_)


def test_by_document_every_type_that_rests_on_it_is_granted(bench):
    id_ = before(bench, "submit")
    set_rules(bench, KEPT)
    named = bench.catalogue.get(issuing.PROBE).documents[0].id
    granted(bench, "technician", "performs", type_id="", document=named)
    take(bench, "submit", id_)


def test_whoever_lost_it_after_the_mark_and_before_it_by_date_stops_the_issue(bench):
    id_ = before(bench, "issue")
    set_rules(bench, KEPT)
    granted(bench, "technician", "performs")
    granted(bench, "signatory", "authorises")
    row = granted(bench, "reviewer", "reviews")
    with context_for(bench.installation) as ctx:
        competence.end(ctx, row, YESTERDAY, "the examination was not passed")
    with pytest.raises(Refused) as stop:
        take(bench, "issue", id_)
    assert (stop.value.code, stop.value.facts["name"]) == ("competence-out-of-date", "Ren")


def test_nobody_grants_to_themselves_under_any_account(bench):
    set_rules(bench, KEPT)
    also = second_account(bench, bench.signatory, "technician")
    for id_ in (bench.signatory.id, also.id):
        entry = CompetenceEntry(id_, "performs", TODAY, "training", "x", type_id=issuing.PROBE)
        with bench.as_(bench.signatory) as ctx, pytest.raises(Refused) as stop:
            competence.grant(ctx, entry, catalogue=bench.catalogue)
        assert stop.value.code == "needs-another-person"
    with bench.as_(bench.technician) as ctx, pytest.raises(NotAllowed):
        competence.grant(ctx, entry, catalogue=bench.catalogue)
    with bench.as_(bench.technician) as ctx, pytest.raises(NotAllowed):
        approval_rules.set_rules(ctx, FREE)


WRONG = [
    ({"person_id": 9999}, NotFound, "not-found"),
    ({"act": "signs"}, Invalid, "field-unknown-choice"),
    ({"basis": "luck"}, Invalid, "field-unknown-choice"),
    ({"evidence": " "}, Invalid, "field-empty"),
    ({"type_id": ""}, Invalid, "competence-without-work"),
    ({"type_id": "no.such"}, DomainError, None),
    ({"type_id": "", "document": "JJG 1", "low": "1", "high": "2"}, Invalid, None),
    ({"measurand": "pressure"}, DomainError, None),
    ({"measurand": "temperature", "low": "1"}, Invalid, "competence-range-half"),
    ({"low": "1", "high": "2"}, Invalid, "competence-range-half"),
    ({"measurand": "temperature", "low": "5", "high": "2"}, Invalid, "range-backwards"),
    ({"measurand": "temperature", "low": "1,5", "high": "2"}, Invalid, None),
    ({"ends_on": date(2020, 1, 1)}, Invalid, "period-backwards"),
]


@pytest.mark.parametrize(("more", "kind", "code"), WRONG)
def test_a_row_that_cannot_hold_is_refused(bench, more, kind, code):
    with pytest.raises(kind) as stop:
        granted(bench, "technician", more.get("act", "performs"),
                **{k: v for k, v in more.items() if k != "act"})  # fmt: skip
    assert code in (None, stop.value.code)


def test_the_same_is_granted_once_and_ended_once(bench):
    row = granted(bench, "technician", "performs")
    with pytest.raises(Conflict) as stop:
        granted(bench, "technician", "performs")
    assert stop.value.code == "competence-held"
    with context_for(bench.installation) as ctx:
        with pytest.raises(Invalid):
            competence.end(ctx, row, TODAY, " ")
        competence.end(ctx, row, TODAY, "left the method")
        with pytest.raises(Conflict):
            competence.end(ctx, row, TODAY, "again")
    granted(bench, "technician", "performs", starts_on=TODAY + timedelta(days=1))
    with context_for(bench.installation) as ctx:
        shown = competence.list_rows(ctx)
    assert [(one.end_reason, one.ended_by) for one in shown] == [
        ("left the method", "Li Wei"), ("", ""),
    ]  # fmt: skip


def test_another_lab_sees_and_ends_none_of_it(bench):
    row = granted(bench, "technician", "performs")
    other = builders.a_lab(bench.engine, "NB")
    stranger = builders.a_person(bench.engine, other)
    with context_for(bench.installation, lab_id=other, person_id=stranger) as ctx:
        assert competence.list_rows(ctx) == ()
        with pytest.raises(NotFound):
            competence.end(ctx, row, TODAY, "not theirs")


def test_conditions_are_entered_by_whoever_does_that_type(bench):
    id_ = before(bench, "enter")
    set_rules(bench, KEPT)
    entry = readings.ConditionEntry("temperature", "start", "21.3", "degC", 0)
    with bench.as_(bench.technician) as ctx, pytest.raises(Refused) as stop:
        readings.enter_condition(ctx, id_, entry)
    assert stop.value.code == "competence-missing"
    granted(bench, "technician", "performs", measurand="temperature", low="0", high="1")
    with bench.as_(bench.technician) as ctx:
        assert readings.enter_condition(ctx, id_, entry).value == "21.3"


def test_orders_go_on_without_any_row(bench):
    set_rules(bench, KEPT)
    with context_for(bench.installation) as ctx:
        item = builders.an_instrument(
            ctx, bench.catalogue, model_id=bench.model_id, customer_id=bench.customer_id
        )
        assert orders.get_order(ctx, builders.an_order(ctx, bench.catalogue, item.id).id).lines
