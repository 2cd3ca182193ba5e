"""What must hold for any readings: shifts, orders, signs, scales."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import CalibrationInput, DecisionRule
from calib.evaluation.result import CalibrationResult
from tests.support import inputs as a

POINTS = ("0", "50", "100")
hundredths = st.integers(-60, 60).map(lambda n: Decimal(n) / 100)
series = st.lists(hundredths, min_size=4, max_size=4)
records = st.lists(st.tuples(series, series), min_size=3, max_size=3)


def _record(deviations, shift: Decimal = Decimal(0), **changes) -> CalibrationInput:
    points = [
        a.a_point(
            nominal,
            {
                "t_ref": [str(Decimal(nominal) + d + shift) for d in reference],
                "t_ind": [str(Decimal(nominal) + d + shift) for d in indication],
            },
        )
        for nominal, (reference, indication) in zip(POINTS, deviations, strict=True)
    ]
    rule = DecisionRule("guard_U_nonbinary")
    limits = a.customer_limits("-0.4", "0.3")
    record = a.digital(decision_rule=rule, limits=limits)
    return replace(record, points=tuple(points), **changes)


def _without_curve(record: CalibrationInput) -> CalibrationInput:
    """Return the record of a type without fitted curve: its bytes then are the points alone."""
    (measurand,) = record.definition.measurands
    plain = replace(measurand, fit=replace(measurand.fit, kind="none"))
    return replace(record, definition=replace(record.definition, measurands=(plain,)))


def _same(result: CalibrationResult) -> CalibrationResult:
    return replace(result, input_digest="", findings=())


@settings(max_examples=25)
@given(records, st.integers(-2000, 2000).map(lambda n: Decimal(n) / 100))
def test_a_constant_on_both_sides_leaves_the_error(deviations, shift):
    plain = evaluate(_without_curve(_record(deviations)))
    moved = evaluate(_without_curve(_record(deviations, shift)))

    for here, there in zip(plain.points, moved.points, strict=True):
        assert there.printed.error == here.printed.error
        assert there.printed.U == here.printed.U
        assert there.verdict == here.verdict
        assert abs(there.error - here.error) < 1e-9


@settings(max_examples=25)
@given(records, st.randoms(use_true_random=False))
def test_the_order_of_the_readings_has_no_say(deviations, random):
    shuffled = [(random.sample(x, 4), random.sample(y, 4)) for x, y in deviations]

    one, other = evaluate(_record(deviations)), evaluate(_record(shuffled))

    assert _same(one).canonical() == _same(other).canonical()


@settings(max_examples=25)
@given(records)
def test_error_and_correction_are_one_number_with_two_signs(deviations):
    for point in evaluate(_record(deviations)).points:
        assert Decimal(point.printed.error) == -Decimal(point.printed.correction)
        assert not point.printed.error.startswith("-0.000")
        assert abs(point.error - (point.indication - point.reference)) < 1e-9
        assert point.k * point.u * (1 - 1e-11) <= point.U
        assert abs(sum(b.percent for b in point.budget if b.counted) - 100) < 1e-6


def _tenfold(text: str | None) -> str | None:
    return None if text is None else f"{Decimal(text) * 10:f}"


def _scaled(record: CalibrationInput) -> CalibrationInput:
    """Return the record with every quantity ten times as large, as in another unit."""
    (measurand,) = record.definition.measurands
    (standard,) = record.standards
    agreed = record.limits["temperature"]
    points = [
        a.a_point(
            str(_tenfold(p.nominal)),
            {n: [str(_tenfold(r.value)) for r in s] for n, s in p.readings.items()},
        )
        for p in record.points
    ]
    components = tuple(replace(c, half_width=_tenfold(c.half_width)) for c in measurand.components)
    reach = replace(measurand.points, low="-800", high="3000")
    large = replace(measurand, components=components, points=reach)
    (value,) = standard.values
    return replace(
        record,
        definition=replace(record.definition, measurands=(large,)),
        points=tuple(points),
        item=replace(record.item, resolution={"temperature": "0.1"}),
        standards=(replace(standard, values=(replace(value, U="0.10"),), low="-400", high="3300"),),
        limits={
            "temperature": replace(
                agreed,
                rows=tuple(
                    replace(r, lower=_tenfold(r.lower), upper=_tenfold(r.upper))
                    for r in agreed.rows
                ),
            )
        },
    )


@settings(max_examples=25)
@given(records)
def test_ten_times_the_quantity_is_ten_times_the_result(deviations):
    record = _without_curve(_record(deviations))

    for here, there in zip(evaluate(record).points, evaluate(_scaled(record)).points, strict=True):
        assert Decimal(there.printed.error) == 10 * Decimal(here.printed.error)
        assert Decimal(there.printed.U) == 10 * Decimal(here.printed.U)
        assert there.verdict == here.verdict


@settings(max_examples=25)
@given(records)
def test_the_same_record_gives_the_same_bytes(deviations):
    record = _record(deviations)

    assert evaluate(record).canonical() == evaluate(record).canonical()
