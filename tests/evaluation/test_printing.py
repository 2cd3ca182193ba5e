"""Decimal text: one rounding from the full value, ties to even, no dust, no minus zero."""

from __future__ import annotations

import pytest

from calib.evaluation.decimals import without_dust
from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import CMCRow, Rounding
from calib.evaluation.printing import Figures, concise, print_point
from tests.support import inputs as a


def _print(error: float, U: float, **changes):
    reference, indication = changes.get("reference", 37.0), changes.get("indication", 37.0)
    figures = Figures(reference, indication, error, U / 2, U, changes.get("k", 2.0))
    rounding = changes.get("rounding", Rounding())
    return print_point("37", figures, rounding, relative=changes.get("relative", False))


@pytest.mark.parametrize(
    ("difference", "printed"),
    [
        # exact decimal ties that a double misses: half to even
        (37.025 - 37.0, "0.02"),
        (37.035 - 37.0, "0.04"),
        (37.045 - 37.0, "0.04"),
        (37.0 - 37.015, "-0.02"),
        (37.0 - 37.004, "0.00"),
    ],
)
def test_a_tie_is_a_tie_in_spite_of_binary_dust(difference, printed):
    assert _print(difference, 0.17).error == printed


def test_error_and_correction_differ_by_the_sign_alone():
    point = _print(-0.0849, 0.061)

    assert (point.error, point.correction) == ("-0.085", "0.085")


def test_reference_and_indication_take_the_place_of_U_and_the_nominal_stays():
    point = _print(0.0721, 0.0607, reference=33.0979, indication=33.17)

    assert (point.nominal, point.reference, point.indication) == ("37", "33.098", "33.170")
    assert (point.U, point.k, point.u) == ("0.061", "2.00", "0.030")


@pytest.mark.parametrize(
    ("rounding", "U", "error"),
    [
        (Rounding("half_even", 2), "0.013", "0.072"),
        (Rounding("ceil", 2), "0.014", "0.072"),
        (Rounding("ceil_if_gt_5pct", 2), "0.014", "0.072"),
        (Rounding("half_even", 1), "0.01", "0.07"),
    ],
)
def test_U_is_rounded_by_the_agreed_policy(rounding, U, error):
    point = _print(0.072, 0.0133, rounding=rounding)

    assert (point.U, point.error) == (U, error)


def test_dust_does_not_lift_a_U_that_is_rounded_up():
    assert _print(0.0, 0.1 + 0.2 - 0.17, rounding=Rounding("ceil", 2)).U == "0.13"


def test_a_large_U_rounds_the_value_before_the_point():
    point = _print(44.0, 123.0, reference=1000.0, indication=1044.0)

    assert (point.U, point.error, point.reference) == ("130", "40", "1000")


def test_of_a_relative_error_reference_and_indication_follow_U_in_their_own_unit():
    point = _print(-0.79, 1.41, reference=25.2, indication=25.0, relative=True)

    # 1.41 % of 25.2 is 0.36
    assert (point.error, point.U) == ("-0.8", "1.5")
    assert (point.reference, point.indication) == ("25.20", "25.00")


def test_k_is_printed_to_two_places():
    assert _print(0.0, 0.1, k=2.869).k == "2.87"


def test_a_certain_parameter_is_printed_with_a_zero():
    assert concise(0.25, 0.0) == "0.25(0)"
    assert concise(-0.17120379, 0.002877598) == "-0.1712(29)"


def test_zero_has_no_dust():
    assert without_dust(0.0) == 0


def test_a_budget_below_the_cmc_is_raised_and_said():
    record = a.forehead(cmc=(CMCRow("temperature", "34", "40", "0.10", "0.005"),))

    result = evaluate(record)

    # 0.10 + 0.005 * 35 = 0.275
    first, second, third = result.points
    assert (first.U, first.k, first.cmc_applied) == (0.275, 2.0, True)
    assert first.printed.U == "0.28"
    assert pytest.approx(0.285) == second.U
    assert (third.cmc_applied, third.printed.U) == (False, "0.13")
    assert [(f.code, f.severity, f.facts["nominals"]) for f in result.findings] == [
        ("cmc-applied", "note", "35.0, 37.0"),
        ("cmc-outside-scope", "note", "41.0"),
    ]


@pytest.mark.parametrize("mode", ["half_even", "ceil_if_gt_5pct", "ceil"])
def test_a_raised_U_is_not_printed_below_the_cmc(mode):
    rows = (CMCRow("temperature", "30", "45", "0.20004"),)

    result = evaluate(a.forehead(cmc=rows, rounding=Rounding(mode)))

    assert {point.printed.U for point in result.points} == {"0.21"}


def test_where_two_cmc_rows_meet_the_larger_holds():
    rows = (CMCRow("temperature", "30", "37", "0.20"), CMCRow("temperature", "37", "45", "0.30"))

    result = evaluate(a.forehead(cmc=rows))

    assert [p.printed.U for p in result.points] == ["0.20", "0.30", "0.30"]


def test_a_cmc_of_another_measurand_or_below_the_budget_changes_nothing():
    rows = (CMCRow("humidity", "0", "100", "5"), CMCRow("temperature", "30", "45", "0.01"))

    result = evaluate(a.forehead(cmc=rows))

    assert result.points == evaluate(a.forehead()).points
    assert result.findings == ()
