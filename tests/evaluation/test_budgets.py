"""Published and worked results come out of the type files to every printed digit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import CalibrationInput, CMCRow, StandardValue
from calib.evaluation.result import CalibrationResult, PointResult
from tests.support import inputs as a

# GUM (JCGM 100:2008) table H.6: thermometer reading and correction, degC
H3 = (
    ("21.521", "21.350"), ("22.012", "21.843"), ("22.512", "22.346"), ("23.003", "22.844"),
    ("23.507", "23.343"), ("23.999", "23.834"), ("24.513", "24.357"), ("25.002", "24.845"),
    ("25.503", "25.344"), ("26.010", "25.849"), ("26.511", "26.351"),
)  # fmt: skip

# Temperature certificate published by PTB as a good-practice example, degC
PTB = (
    ("33", "33.098", "33.17"),
    ("100", "99.971", "100.06"),
    ("175", "175.103", "175.21"),
    ("250", "250.169", "250.16"),
    ("320", "320.004", "319.92"),
)


def _with_standard(record: CalibrationInput, U: str) -> CalibrationInput:
    standard = a.a_standard(values=(StandardValue("37", "37", U, "2"),))
    return replace(record, standards=(standard,))


def _scattered(middle: str, steps: list[int], place: int) -> list[str]:
    """Return readings around a value, from deviations in units of 10^-place."""
    return [f"{float(middle) + step * 10.0**-place:.{place}f}" for step in steps]


def _ear() -> CalibrationInput:
    # standard deviation of these ten: 0.08 degC
    texts = _scattered("37", [12, 12, -12, -12, 0, 0, 0, 0, 0, 0], 2)
    return a.with_series(a.ear(), 1, "t_ind", texts)


def _forehead() -> CalibrationInput:
    # standard deviation of these ten: 0.07 degC
    texts = _scattered("37", [105, 105, -105, -105, 0, 0, 0, 0, 0, 0], 3)
    return _with_standard(a.with_series(a.forehead(), 1, "t_ind", texts), "0.10")


def _electronic() -> CalibrationInput:
    return a.electronic()


def _glass() -> CalibrationInput:
    return _with_standard(a.glass(), "0.02")


def _digital() -> CalibrationInput:
    # standard deviation of these four: 0.006 degC
    texts = _scattered("100", [7, -5, -5, 3], 3)
    record = a.with_series(a.digital(), 2, "t_ind", texts)
    return _with_standard(record, "0.012")


def _pump() -> CalibrationInput:
    return a.with_series(a.pump(), 1, "q_ref", ["25.1", "25.0", "24.9"])


def _at(result: CalibrationResult, nominal: str) -> PointResult:
    return next(point for point in result.points if point.printed.nominal == nominal)


@pytest.mark.parametrize(
    ("record", "nominal", "uc", "nu_eff", "U", "reported"),
    [
        (_ear, "37.0", "0.04945", 131, "0.09891", "0.099"),
        (_forehead, "37.0", "0.08321", 1797, "0.1664", "0.17"),
        (_electronic, "37.0", "0.02021", 50, "0.04041", "0.041"),
        (_glass, "37", "0.02309", 107, "0.04619", "0.047"),
        (_digital, "100", "0.01133", 610, "0.02266", "0.023"),
        (_pump, "25", "0.7047", 308, "1.409", "1.5"),
    ],
)
def test_a_worked_budget_is_reproduced(record, nominal, uc, nu_eff, U, reported):
    point = _at(evaluate(record()), nominal)

    assert f"{point.u:.4g}" == uc
    assert round(point.dof) == nu_eff
    assert point.printed.k == "2.00"
    assert f"{point.U:.4g}" == U
    assert reported == point.printed.U


def test_budget_lines_of_the_ear_thermometer_stand_as_in_the_worked_table():
    lines = {line.component: line for line in _at(evaluate(_ear()), "37.0").budget}

    assert f"{lines['t_ind_rep'].contribution:.3g}" == "0.0253"
    assert lines["t_ind_rep"].dof == 9
    assert lines["t_ind_rep"].c == 1
    assert f"{lines['d_res'].contribution:.3g}" == "0.0289"
    assert lines["d_res"].dof is None
    assert lines["t_std"].c == -1
    assert lines["t_std"].contribution == 0.005
    assert sum(line.percent for line in lines.values()) == pytest.approx(100)


def test_sensitivity_of_a_relative_error_is_that_of_the_quotient():
    lines = _at(evaluate(_pump()), "25").budget

    # delta = (Q_set - Q)/Q*100: c = -100 Q_set/Q^2 = -4 %/(mL/h) at 25 mL/h
    assert {line.c for line in lines} == {-4.0}


def _h3(**changes) -> CalibrationInput:
    points = [
        a.a_point(indication, {"t_ref": [reference], "t_ind": [indication]})
        for indication, reference in H3
    ]
    record = a.digital(resolution="0.001", predict={"temperature": ("30",)})
    return replace(record, points=tuple(points), **changes)


def test_gum_h3_gives_the_printed_line_and_the_correction_at_30_degrees():
    result = evaluate(_h3())

    (curve,) = result.curves
    assert [p.printed for p in curve.parameters] == ["-0.1712(29)", "0.00218(67)"]
    assert [p.name for p in curve.parameters] == ["y1", "y2"]
    assert f"{curve.correlation[0][1]:.3f}" == "-0.930"
    assert curve.dof == 9
    assert f"{curve.s:.9f}" == "0.003497564"
    (at30,) = curve.predictions
    assert at30.printed == "-0.1494(41)"
    assert f"{at30.u_fit:.9f}" == "0.004138596"
    assert at30.extrapolated
    assert 2 * at30.u_fit < at30.U


def test_gum_h3_at_30_degrees_is_flagged_until_a_person_accepts_it():
    place = "/predict/temperature/as_found/0/30"

    flagged = [f for f in evaluate(_h3()).findings if f.code == "curve-extrapolated"]
    assert [(f.at, f.severity, f.accepted) for f in flagged] == [(place, "warning", False)]

    accepted = evaluate(_h3(accepted_warnings=(f"curve-extrapolated@{place}",)))
    flagged = [f for f in accepted.findings if f.code == "curve-extrapolated"]
    assert [f.accepted for f in flagged] == [True]


def _ptb(**changes) -> CalibrationInput:
    return replace(
        a.digital(PTB),
        cmc=(CMCRow("temperature", "0", "350", "0.061"),),
        **changes,
    )


def test_the_published_temperature_certificate_is_printed_exactly():
    printed = [point.printed for point in evaluate(_ptb()).points]

    assert [p.error for p in printed] == ["0.072", "0.089", "0.107", "-0.009", "-0.084"]
    assert [p.correction for p in printed] == ["-0.072", "-0.089", "-0.107", "0.009", "0.084"]
    assert [p.reference for p in printed] == [reference for _, reference, _ in PTB]
    assert {p.U for p in printed} == {"0.061"}
    assert {p.k for p in printed} == {"2.00"}


def test_a_published_certificate_corrects_the_reference_of_another_calibration():
    values = tuple(StandardValue(shown, true, "0.061", "2") for _, true, shown in PTB)
    rows = (("33", "33.17", "33.20"), ("100", "100.06", "100.00"), ("175", "175.21", "175.2"))
    standard = a.a_standard(values=values, low=None, high=None)

    result = evaluate(replace(a.digital(rows), standards=(standard,)))

    assert [p.printed.reference for p in result.points] == ["33.098", "99.971", "175.103"]
    assert [p.reference for p in result.points] == [33.098, 99.971, 175.103]
    line = next(b for b in result.points[1].budget if b.component == "t_std")
    assert line.u == 0.0305
