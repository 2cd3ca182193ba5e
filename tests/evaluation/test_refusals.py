"""What a type definition or a reading makes impossible is refused by name, cause chained."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calib.engine.errors import EngineError
from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import CalibrationInput
from instruments.errors import Refused
from instruments.procedure import Component, InputQuantity
from instruments.text import LocalizedText
from tests.support import inputs as a

WORDS = LocalizedText("Part", "分量")


def _measurand(record: CalibrationInput, **changes) -> CalibrationInput:
    (measurand,) = record.definition.measurands[:1]
    measurands = (replace(measurand, **changes),)
    return replace(record, definition=replace(record.definition, measurands=measurands))


def _component(record: CalibrationInput, id_: str, **changes) -> CalibrationInput:
    components = record.definition.measurands[0].components
    changed = tuple(replace(c, **changes) if c.id == id_ else c for c in components)
    return _measurand(record, components=changed)


def _with(record: CalibrationInput, component: Component) -> CalibrationInput:
    return _measurand(record, components=(*record.definition.measurands[0].components, component))


FUNCTION = "t_ind - (t_ref + c_std + d_bathunif + d_bathstab + d_drift)"
QUANTITY = InputQuantity(WORDS, "standard", "degC")


def _two_standards(source: str) -> CalibrationInput:
    record = a.digital()
    inputs = {
        **record.definition.measurands[0].inputs,
        "t_two_ref": replace(QUANTITY, source=source),
    }
    function = FUNCTION.replace("t_ref", "(t_ref + t_two_ref)/2")
    record = _measurand(record, inputs=inputs, function=function)
    for i, point in enumerate(record.points):
        if source == "standard":
            texts = [r.value for r in point.readings["t_ref"]]
            record = a.with_series(record, i, "t_two_ref", texts)
    return record


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (
            _with(a.digital(), Component("d_x", "d_x", WORDS, "B", half_width="1")),
            "component d_x acts on d_x, which the function lacks",
        ),
        (
            _component(a.digital(), "d_drift", half_width=None),
            "component d_drift states no figure",
        ),
        (
            _component(a.digital(), "d_drift", relative_half_width="0.1", of="t_moon"),
            "component d_drift is a part of t_moon, no input",
        ),
        (
            _component(a.digital(), "d_drift", evaluate="A"),
            "component d_drift is type A of d_drift, no input",
        ),
        (_two_standards("standard"), "could be that of several standards"),
        (
            _measurand(
                _component(_two_standards("standard"), "t_std", input="t_ref"),
                function="t_ind - (t_ref + t_two_ref)/2 - d_bathunif - d_bathstab - d_drift",
            ),
            "its inputs do not tell one reference and one indication",
        ),
        (
            _component(a.digital(), "t_std", input="t_ind"),
            "the certificate at t_ind has no standard to look it up",
        ),
    ],
)
def test_a_definition_that_does_not_fit_together_is_refused(record, problem):
    with pytest.raises(Refused) as caught:
        evaluate(record)

    assert caught.value.code == "definition-invalid"
    assert problem in str(caught.value)


def test_an_expression_that_cannot_be_read_is_refused_with_the_engine_as_cause():
    with pytest.raises(Refused, match="Unexpected") as caught:
        evaluate(_measurand(a.digital(), function=f"{FUNCTION} +"))

    assert isinstance(caught.value.__cause__, EngineError)


def test_a_value_that_cannot_be_computed_names_its_point_and_readings():
    record = _measurand(a.digital(), function=f"{FUNCTION} + 0*log(t_ind - 10)")

    with pytest.raises(Refused) as caught:
        evaluate(record)

    assert caught.value.code == "not-computable"
    assert caught.value.at == "/points/temperature/as_found/0/0"
    assert "at 0 degC (as_found, piece 0)" in str(caught.value)
    assert "t_ind = 0.01, 0.01, 0.01, 0.01" in str(caught.value)
    assert isinstance(caught.value.__cause__, EngineError)


def test_a_pump_that_delivers_nothing_is_refused_and_not_infinitely_wrong():
    record = a.with_series(a.pump(), 1, "q_ref", ["0", "0", "0"])
    standard = replace(record.standards[0], low="0")

    with pytest.raises(Refused) as caught:
        evaluate(replace(record, standards=(standard,)))

    assert caught.value.code == "not-computable"
    assert caught.value.at == "/points/flow/as_found/0/25"


def test_a_result_without_uncertainty_is_refused():
    record = _measurand(a.digital(), function="t_ind - t_ref", components=())

    with pytest.raises(Refused, match="uncertainty") as caught:
        evaluate(record)

    assert caught.value.code == "not-computable"
    assert isinstance(caught.value.__cause__, EngineError)


def _line(record: CalibrationInput, id_: str, point: int = 0):
    return next(b for b in evaluate(record).points[point].budget if b.component == id_)


def test_a_stated_standard_uncertainty_is_taken_as_it_is():
    record = _component(a.digital(), "d_drift", half_width=None, u="0.004", dof="12")

    line = _line(record, "d_drift")

    assert (line.u, line.dof) == (0.004, 12)


def test_a_stated_expanded_uncertainty_is_divided_by_its_k():
    record = _component(a.digital(), "d_drift", half_width=None, U="0.010", k="2.5")

    assert _line(record, "d_drift").u == 0.004


def test_half_widths_may_have_a_part_that_grows_with_an_input():
    record = _component(a.digital(), "d_drift", relative_half_width="0.001", of="t_ind")

    assert _line(record, "d_drift", 2).u == pytest.approx((0.005 + 0.10005) / 3**0.5)


@pytest.mark.parametrize(
    ("distribution", "divisor"), [("rectangular", 3), ("triangular", 6), ("arcsine", 2)]
)
def test_a_half_width_is_divided_by_what_its_distribution_asks(distribution, divisor):
    record = _component(a.digital(), "d_drift", distribution=distribution)

    assert _line(record, "d_drift").u == pytest.approx(0.005 / divisor**0.5)


def test_of_a_group_only_the_largest_component_counts_point_by_point():
    record = _component(_component(a.digital(), "t_rep", group="g"), "d_res", group="g")
    record = a.with_series(record, 2, "t_ind", ["100.00", "100.05", "100.10", "100.05"])

    points = evaluate(record).points

    for point, counted in zip(points, ("d_res", "d_res", "t_rep"), strict=True):
        lines = {b.component: b for b in point.budget}
        assert [n for n in ("t_rep", "d_res") if lines[n].counted] == [counted]
        silent = ({"t_rep", "d_res"} - {counted}).pop()
        assert lines[silent].percent == 0
        total = sum(b.contribution**2 for b in point.budget if b.counted)
        assert point.u == pytest.approx(total**0.5)


def test_a_recorded_repeatability_stands_in_only_for_few_readings():
    few = evaluate(a.electronic()).points[0]
    many = a.electronic()
    many = a.with_series(many, 0, "t_ind", ["35.01", "35.02"] * 3)
    many = evaluate(a.with_series(many, 0, "t_ref", ["35.002"] * 6)).points[0]

    assert few.budget[0].u == pytest.approx(0.03 / 3**0.5)
    assert few.budget[0].dof == 27
    assert many.budget[0].u == pytest.approx(many.s / 6**0.5)
    assert many.budget[0].dof == 5


def test_a_certificate_on_a_declared_input_corrects_it():
    record = _component(a.digital(), "t_std", input="t_ref")
    record = _measurand(record, function="t_ind - (t_ref + d_bathunif + d_bathstab + d_drift)")

    assert evaluate(record).points == evaluate(a.digital()).points


def test_a_set_standard_is_found_by_the_readings_beside_it():
    """A blackbody set to the nominal value: nothing is read on it, its certificate counts."""
    record = a.digital(standards=(a.a_standard(values=(a.StandardValue("0", "0.1", "1", "2"),)),))
    inputs = {
        "t_set": replace(QUANTITY, source="nominal"),
        "t_ind": record.definition.measurands[0].inputs["t_ind"],
    }
    function = FUNCTION.replace("t_ref", "t_set").replace("c_std + ", "")
    record = _component(record, "t_std", input="t_set")
    record = _measurand(record, inputs=inputs, function=function)
    for i, point in enumerate(record.points):
        series = tuple(replace(r, standard="S-1") for r in point.readings["t_ind"])
        record = a.with_point(record, i, readings={"t_ind": series})

    points = evaluate(record).points

    assert [p.reference for p in points] == [0.1, 50.1, 100.1]
    assert {p.budget[2].u for p in points} == {0.5}
