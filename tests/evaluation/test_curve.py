"""The fitted curve: parameters against a plain NumPy line, predictions, too few points."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import CalibrationInput, CMCRow, StandardValue
from calib.evaluation.result import CurveResult
from instruments.errors import Refused
from instruments.procedure import FitSpec
from tests.support import inputs as a

ROWS = (
    ("0", "0.000", "0.01"),
    ("25", "25.000", "25.03"),
    ("50", "50.000", "50.03"),
    ("75", "75.000", "75.06"),
    ("100", "100.000", "100.10"),
)


def _with_fit(record: CalibrationInput, **changes) -> CalibrationInput:
    (measurand,) = record.definition.measurands
    measurand = replace(measurand, fit=replace(measurand.fit, **changes))
    return replace(record, definition=replace(record.definition, measurands=(measurand,)))


def _curve(record: CalibrationInput) -> CurveResult:
    (curve,) = evaluate(record).curves
    return curve


def test_the_line_is_that_of_plain_least_squares():
    x = np.array([0.01, 25.03, 50.03, 75.06, 100.10])
    y = np.array([-0.01, -0.03, -0.03, -0.06, -0.10])
    design = np.vstack([np.ones(5), x - 20]).T
    beta, rss, *_ = np.linalg.lstsq(design, y, rcond=None)
    s = math.sqrt(rss[0] / 3)
    u = np.sqrt(np.diag(np.linalg.inv(design.T @ design))) * s

    curve = _curve(a.digital(ROWS))

    assert [p.value for p in curve.parameters] == pytest.approx(beta, rel=1e-9)
    assert [p.u for p in curve.parameters] == pytest.approx(u, rel=1e-9)
    assert curve.s == pytest.approx(s, rel=1e-9)
    assert curve.residuals == pytest.approx(y - design @ beta, abs=1e-10)
    assert (curve.low, curve.high, curve.dof, curve.origin) == (0.01, 100.1, 3, "20")


def test_a_curve_of_the_error_has_the_other_sign():
    correction = _curve(a.digital(ROWS))
    error = _curve(_with_fit(a.digital(ROWS), y="error"))

    assert [p.value for p in error.parameters] == [-p.value for p in correction.parameters]


def test_a_parabola_has_three_parameters():
    curve = _curve(_with_fit(a.digital(ROWS), degree=2))

    assert [p.name for p in curve.parameters] == ["y1", "y2", "y3"]
    assert curve.dof == 2


def test_a_prediction_adds_what_is_common_to_all_points():
    record = a.digital(ROWS, predict={"temperature": ("40",)})
    result = evaluate(record)
    (at40,) = result.curves[0].predictions
    common = math.hypot(0.010 / 2, 0.005 / math.sqrt(3))

    assert at40.u == pytest.approx(math.hypot(at40.u_fit, common), rel=1e-9)
    assert pytest.approx(at40.k * at40.u, rel=1e-9) == at40.U
    assert not at40.extrapolated
    assert result.findings == ()
    assert len(at40.printed_value.split(".")[1]) == len(at40.printed_U.split(".")[1])


def test_few_degrees_of_freedom_of_the_fit_raise_k():
    record = _with_fit(a.digital(ROWS, predict={"temperature": ("40",)}))
    (measurand,) = record.definition.measurands
    alone = tuple(replace(c, common=False) for c in measurand.components)
    record = replace(
        record,
        definition=replace(
            record.definition, measurands=(replace(measurand, components=alone),)
        ),
    )  # fmt: skip
    (at40,) = _curve(record).predictions

    assert at40.u == at40.u_fit
    assert f"{at40.k:.2f}" == "3.31"  # t at 95.45 % for 3 degrees of freedom


def test_the_type_says_where_the_curve_is_printed_unless_the_order_does():
    record = _with_fit(a.digital(ROWS), predict=("10", "90"))

    assert [p.x for p in _curve(record).predictions] == ["10", "90"]
    ordered = replace(record, predict={"temperature": ("33",)})
    assert [p.x for p in _curve(ordered).predictions] == ["33"]
    assert _curve(replace(record, predict={"temperature": ()})).predictions == ()


@pytest.mark.parametrize(("x", "outside"), [("0.01", 0), ("0.00", 1), ("100.10", 0), ("100.2", 1)])
def test_only_a_prediction_outside_the_points_is_flagged(x, outside):
    result = evaluate(a.digital(ROWS, predict={"temperature": (x,)}))

    assert result.curves[0].predictions[0].extrapolated == bool(outside)
    assert len(result.findings) == outside


def test_a_prediction_is_never_below_the_cmc():
    cmc = (CMCRow("temperature", "0", "100", "0.08"),)
    (at40,) = _curve(a.digital(ROWS, cmc=cmc, predict={"temperature": ("40",)})).predictions

    assert (at40.U, at40.k, at40.printed_U) == (0.08, 2.0, "0.080")


def test_points_on_a_line_leave_no_scatter_and_no_dust():
    rows = [(t, f"{t}.000", f"{t}.02") for t in ("0", "30", "60", "90")]
    curve = _curve(a.digital(rows, predict={"temperature": ("45",)}))

    assert [p.printed for p in curve.parameters] == ["-0.02(0)", "0(0)"]
    assert [p.u for p in curve.parameters] == [0.0, 0.0]
    assert curve.correlation == ((1.0, 0.0), (0.0, 1.0))
    assert curve.predictions[0].u_fit == 0.0
    assert curve.predictions[0].printed == "-0.02(0)"
    assert curve.residuals == (0.0, 0.0, 0.0, 0.0)


def test_too_few_points_for_the_curve_are_refused():
    with pytest.raises(Refused, match="needs 4 points, got 3") as caught:
        evaluate(_with_fit(a.digital(), degree=2))

    assert caught.value.code == "curve-points-few"


def _adjusted(found: int) -> CalibrationInput:
    record = a.digital(ROWS)
    left = [
        replace(p, stage="as_left", key=p.key.replace("as_found", "as_left"))
        for p in record.points
    ]  # fmt: skip
    return replace(record, points=(*record.points[:found], *left))


def test_each_stage_has_its_curve():
    assert [c.stage for c in evaluate(_adjusted(5)).curves] == ["as_found", "as_left"]


def test_an_earlier_stage_with_few_points_has_no_curve_and_says_so():
    result = evaluate(_adjusted(2))

    assert [c.stage for c in result.curves] == ["as_left"]
    assert [(f.code, f.severity) for f in result.findings] == [("curve-points-few", "note")]


def test_points_that_determine_no_curve_are_refused():
    rows = [(t, "20.000", "20.00") for t in ("19", "20", "21")]

    with pytest.raises(Refused) as caught:
        evaluate(a.digital(rows))

    assert caught.value.code == "curve-not-computable"
    assert caught.value.__cause__ is not None


def test_a_curve_over_something_that_is_no_input_is_a_fault_of_the_type():
    with pytest.raises(Refused) as caught:
        evaluate(_with_fit(a.digital(ROWS), x="t_other"))

    assert caught.value.code == "definition-invalid"


def test_without_a_fit_there_is_no_curve():
    record = a.digital()
    (measurand,) = record.definition.measurands
    plain = replace(record.definition, measurands=(replace(measurand, fit=FitSpec()),))

    assert evaluate(replace(record, definition=plain)).curves == ()


def test_the_largest_common_part_of_all_points_is_added():
    values = tuple(
        StandardValue(t, t, U, "2") for t, U in (("0", "0.010"), ("50", "0.080"), ("101", "0.010"))
    )
    standard = a.a_standard(values=values, low=None, high=None)
    record = a.digital(ROWS, standards=(standard,), predict={"temperature": ("40",)})
    (at40,) = _curve(record).predictions

    common = math.hypot(0.080 / 2, 0.005 / math.sqrt(3))
    assert at40.u == pytest.approx(math.hypot(at40.u_fit, common), rel=1e-9)
