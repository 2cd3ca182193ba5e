"""Statements of conformity: each rule, asymmetric limits, stages, batches, the loud word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import AgreedLimits, CalibrationInput, DecisionRule, ExaminationInput
from calib.evaluation.statement import WORSE, worst
from instruments.choosing import limits_for
from instruments.procedure import Limit
from tests.support import inputs as a


def _judged(error: str, rule: str, parameter: str | None = None, **limits) -> CalibrationInput:
    """Return a record whose errors are all `error`; U is 0.021 with k = 2."""
    rows = [(t, f"{t}.00", f"{float(t) + float(error):.2f}") for t in ("0", "50", "100")]
    lower, upper = limits.get("lower", "-0.10"), limits.get("upper", "0.10")
    return a.digital(
        rows,
        decision_rule=DecisionRule(rule, parameter),
        limits=a.customer_limits(lower, upper),
    )


RULES = [
    # rule, parameter, error, verdict, acceptance limits; U = 0.021, u = 0.0105, limits +/-0.10
    ("simple", None, "0.10", "pass", ("-0.10", "0.10")),
    ("simple", None, "0.11", "fail", ("-0.10", "0.10")),
    ("simple", None, "-0.11", "fail", ("-0.10", "0.10")),
    ("guard_U", None, "0.07", "pass", ("-0.079", "0.079")),
    ("guard_U", None, "0.08", "fail", ("-0.079", "0.079")),
    ("guard_U_nonbinary", None, "0.07", "pass", ("-0.079", "0.079")),
    ("guard_U_nonbinary", None, "0.10", "conditional_pass", ("-0.079", "0.079")),
    ("guard_U_nonbinary", None, "-0.12", "conditional_fail", ("-0.079", "0.079")),
    ("guard_U_nonbinary", None, "0.13", "fail", ("-0.079", "0.079")),
    ("guard_rU", "0.83", "0.08", "pass", ("-0.08257", "0.08257")),
    ("guard_rU", "1", "0.08", "fail", ("-0.079", "0.079")),
    ("guard_rU", "-1", "0.12", "pass", ("-0.121", "0.121")),
    ("guard_rU", "-1", "0.13", "fail", ("-0.121", "0.121")),
    ("iso14253_1", None, "0.08", "pass", ("-0.08268", "0.08268")),
    ("iso14253_1", None, "0.09", "undetermined", ("-0.08268", "0.08268")),
    ("iso14253_1", None, "0.12", "fail", ("-0.08268", "0.08268")),
    ("z5403", None, "0.10", "pass", None),
    ("z5403", None, "0.11", "fail", None),
    ("tur4", None, "0.10", "pass", ("-0.10", "0.10")),
    ("tur4", None, "0.11", "fail", ("-0.10", "0.10")),
    ("jjf1094", None, "0.10", "pass", ("-0.10", "0.10")),
    ("jjf1094", None, "0.11", "fail", ("-0.10", "0.10")),
    ("probability", "0.95", "0.08", "pass", None),
    ("probability", "0.95", "0.09", "fail", None),
]


@pytest.mark.parametrize(("rule", "parameter", "error", "verdict", "acceptance"), RULES)
def test_a_rule_decides_on_the_printed_figures(rule, parameter, error, verdict, acceptance):
    result = evaluate(_judged(error, rule, parameter))

    assert {p.printed.U for p in result.points} == {"0.021"}
    assert {p.verdict for p in result.points} == {verdict}
    assert result.verdict == verdict
    if acceptance:
        assert {p.acceptance for p in result.points} == {acceptance}


@pytest.mark.parametrize(
    ("error", "verdict"), [("0.02", "pass"), ("0.04", "undetermined"), ("0.08", "fail")]
)
def test_jjf1094_does_not_neglect_a_large_uncertainty(error, verdict):
    # U = 0.021 is more than a third of 0.05
    record = _judged(error, "jjf1094", lower="-0.05", upper="0.05")

    assert evaluate(record).verdict == verdict


def test_a_verification_takes_the_rule_of_its_regulation():
    inside, outside = (a.glass([(t, "41.00")]) for t in ("37.10", "37.11"))

    assert evaluate(inside).verdict == "pass"
    assert evaluate(outside).verdict == "fail"
    assert evaluate(inside).points[0].acceptance == ("-0.15", "0.10")


@pytest.mark.parametrize(
    ("reading", "verdict"), [("36.85", "pass"), ("36.84", "fail"), ("37.10", "pass")]
)
def test_asymmetric_limits_are_judged_side_by_side(reading, verdict):
    assert evaluate(a.glass([(reading, "41.00")])).verdict == verdict


def test_a_one_sided_limit_has_one_acceptance_limit():
    record = _judged("0.05", "guard_U", lower=None, upper="0.10")
    point = evaluate(record).points[0]

    assert point.verdict == "pass"
    assert point.acceptance == ("-", "0.079")
    assert (point.printed.lower, point.printed.upper) == (None, "0.10")


def test_a_rule_that_needs_both_limits_cannot_state_with_one():
    result = evaluate(_judged("0.05", "tur4", lower=None))

    assert result.verdict == "cannot_be_stated"
    assert result.points[0].limit_origin == "customer"


def test_tur4_is_undetermined_below_a_ratio_of_4():
    result = evaluate(_judged("0.00", "tur4", lower="-0.04", upper="0.04"))

    assert result.verdict == "undetermined"
    assert result.points[0].acceptance == ()


def test_without_a_rule_nothing_is_stated_but_the_limits_are_shown():
    result = evaluate(a.forehead())

    assert result.verdict == "not_stated"
    assert {p.printed.upper for p in result.points} == {"0.3"}
    assert {p.conformance_probability for p in result.points} == {None}


def test_without_rule_and_limits_nothing_is_stated():
    assert evaluate(a.digital()).verdict == "not_stated"


def test_a_point_without_a_limit_cannot_be_stated():
    rows = (Limit("Order 17", "V", "-0.3", "0.3", end="37.0"),)
    limits = {"temperature": AgreedLimits("customer", rows)}
    result = evaluate(a.forehead(decision_rule=DecisionRule("simple"), limits=limits))

    assert [p.verdict for p in result.points] == ["pass", "pass", "cannot_be_stated"]
    assert result.verdict == "cannot_be_stated"


def test_a_record_without_limits_cannot_be_stated():
    result = evaluate(a.forehead(decision_rule=DecisionRule("guard_U"), limits={}))

    assert result.verdict == "cannot_be_stated"


def test_a_limit_that_decided_and_is_background_knowledge_is_named():
    record = a.electronic(decision_rule=DecisionRule("simple"))

    assert evaluate(record).unconfirmed_limits == ("GB/T 21416-2008",)
    assert evaluate(replace(record, decision_rule=DecisionRule("none"))).unconfirmed_limits == ()
    assert evaluate(a.forehead(decision_rule=DecisionRule("simple"))).unconfirmed_limits == ()


def test_piecewise_limits_follow_the_nominal_value():
    printed = [p.printed for p in evaluate(a.electronic()).points]

    assert [p.upper for p in printed] == ["0.3", "0.1", "0.1", "0.2"]


def test_the_larger_of_two_limits_holds():
    pressure = replace(a.an_analyser("S-2"), quantity="pressure", unit="kPa")
    points = [
        a.a_point(p, {"p_ref": [f"{p}.0"] * 3}, measurand="occlusion", standard="S-2")
        for p in ("40", "80")
    ]
    record = a.pump()
    record = replace(
        record,
        points=(*record.points, *points),
        standards=(*record.standards, pressure),
    )

    printed = {p.key: p.printed for p in evaluate(record).points}

    assert printed["occlusion/as_found/0/40"].upper == "13.33"
    assert printed["occlusion/as_found/0/80"].upper == "24.00"


@pytest.mark.parametrize(("pump", "uppers"), [("syringe", 5), ("infusion", 6)])
def test_limits_are_chosen_by_the_variant_of_the_model(pump, uppers):
    chosen = limits_for(a.a_type(a.PUMP), a.a_type(a.PUMP).measurand("flow"), {"pump": pump})

    assert len(chosen) == 3
    assert {row.when["pump"] for row in chosen} == {pump}
    assert evaluate(a.pump(pump)).points[1].printed.upper == str(uppers)


def test_without_the_attribute_no_limit_with_a_condition_is_chosen():
    assert limits_for(a.a_type(a.PUMP), a.a_type(a.PUMP).measurand("flow"), {}) == ()


def _adjusted(found: str, left: str) -> CalibrationInput:
    record = _judged(found, "simple")
    after = _judged(left, "simple")
    points = [
        replace(p, stage="as_left", key=p.key.replace("as_found", "as_left")) for p in after.points
    ]
    return replace(record, points=(*record.points, *points))


def test_the_last_stage_measured_decides_and_the_first_keeps_its_verdict():
    result = evaluate(_adjusted("0.30", "0.00"))

    assert [p.verdict for p in result.points] == ["fail"] * 3 + ["pass"] * 3
    assert result.verdict == "pass"
    assert evaluate(_adjusted("0.00", "0.30")).verdict == "fail"


def test_a_batch_of_a_hundred_names_its_rejects_and_passes_without_them():
    rows = [("37.02", "41.00")] * 100
    rows[6], rows[41], rows[99] = ("37.11", "41.00"), ("37.00", "40.84"), ("37.30", "41.40")

    result = evaluate(a.glass(rows))

    rejected = [p.piece for p in result.pieces if p.verdict == "fail"]
    assert rejected == [7, 42, 100]
    assert len(result.pieces) == 100
    assert len(result.points) == 200
    assert result.verdict == "pass"


def test_a_batch_with_nothing_left_fails():
    assert evaluate(a.glass([("37.20", "41.00")] * 2)).verdict == "fail"


def test_an_examination_rejects_the_pieces_it_names():
    record = a.glass([("37.02", "41.00")] * 3)
    found = ExaminationInput("retention", passed=False, rejected_pieces=(2,))
    others = tuple(e for e in record.examinations if e.id != "retention")

    result = evaluate(replace(record, examinations=(*others, found)))

    assert [p.verdict for p in result.pieces] == ["pass", "fail", "pass"]
    assert result.verdict == "pass"


def test_an_examination_failed_by_the_whole_fails_it():
    record = a.glass()
    failed = tuple(replace(e, passed=e.id != "reset") for e in record.examinations)

    assert evaluate(replace(record, examinations=failed)).verdict == "fail"


def _with_examination(rule: str) -> CalibrationInput:
    record = a.digital(
        decision_rule=DecisionRule(rule),
        limits=a.customer_limits("-1", "1"),
        examinations=(ExaminationInput("appearance", passed=False, remark="cracked"),),
    )
    examinations = a.a_type(a.GLASS).examinations[:1]
    return replace(record, definition=replace(record.definition, examinations=examinations))


def test_a_failed_examination_fails_an_item_under_a_rule():
    assert evaluate(_with_examination("simple")).verdict == "fail"


def test_a_failed_examination_is_told_where_no_statement_was_agreed():
    result = evaluate(_with_examination("none"))

    assert result.verdict == "not_stated"
    (said,) = result.findings
    assert (said.code, said.severity) == ("examination-failed", "note")
    assert said.facts["remark"] == "cracked"


def test_undetermined_is_no_pass():
    assert worst(["pass", "undetermined", "pass"]) == "undetermined"
    assert worst(["conditional_fail", "fail"]) == "fail"
    assert worst([]) == "not_stated"
    assert WORSE.index("cannot_be_stated") > WORSE.index("pass")


def test_limits_of_a_correction_are_held_against_the_correction():
    record = _judged("0.05", "simple", lower="-0.10", upper="0.04")
    (measurand,) = record.definition.measurands
    turned = replace(
        measurand,
        output="correction",
        function="-1*(t_ind - (t_ref + c_std + d_bathunif + d_bathstab + d_drift))",
    )
    definition = replace(record.definition, measurands=(turned,))

    assert evaluate(record).verdict == "fail"
    result = evaluate(replace(record, definition=definition))
    assert result.verdict == "pass"
    assert [p.printed.error for p in result.points] == ["0.050"] * 3
    assert [p.printed.correction for p in result.points] == ["-0.050"] * 3
