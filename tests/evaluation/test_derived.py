"""Derived inputs against numpy and finite differences."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from calib.engine.errors import OutOfRange
from calib.evaluation.budget import make_budgets
from calib.evaluation.checks import check_record
from calib.evaluation.derived import derive
from calib.evaluation.evaluate import evaluate, evaluate_points
from calib.evaluation.inputs import StandardValue
from calib.evaluation.series import arrange
from instruments.errors import Refused
from tests.support.small_type import STANDARD, measurand, record_of, small_type
from tests.support.typed import standard_of

RNG = np.random.default_rng(7)


def derived_of(record, corrections=None):
    return derive(arrange([record], record.definition.measurands[0]), corrections or {})


def texts(series):
    return [f"{value:.3f}" for value in series]


# ------------------------------------------------------------------------------------ statistics

ONE_PER_STATISTIC = {
    "mean": np.mean,
    "maximum": np.max,
    "minimum": np.min,
    "range": np.ptp,
    "half_range": lambda x: np.ptp(x) / 2,
    "standard_deviation": lambda x: np.std(x, ddof=1),
    "change": lambda x: x[-1] - x[0],
    "largest_deviation": lambda x: np.max(np.abs(x - np.mean(x))),
    "from_first": lambda x: np.max(np.abs(x - x[0])),
}
BY_SCATTER = {
    "mean": lambda n: 1 / math.sqrt(n),
    "maximum": lambda n: 1.0,
    "minimum": lambda n: 1.0,
    "range": lambda n: math.sqrt(2),
    "half_range": lambda n: math.sqrt(0.5),
    "standard_deviation": lambda n: 1 / math.sqrt(n - 1),
    "change": lambda n: math.sqrt(2),
    "largest_deviation": lambda n: 1.0,
    "from_first": lambda n: math.sqrt(2),
}
"""u in units of that of each of n values."""


def field_type(statistic, over):
    of = '["t"]' if over != "readings" else '["t_B"]'
    return small_type(
        measurand(
            "x + 0*t_A + 0*t_B + 0*t_C",
            f"""t: source = "standard"; unit = "degC"; positions = ["A", "B", "C"]
            x: source = "derived"; of = {of}; statistic = "{statistic}"; over = "{over}"; """
            'unit = "degC"',
            'rep: input = "x"; evaluate = "A"; distribution = "normal"',
        )
    )


def field(*lengths):
    return [RNG.normal(20 + i, 0.3, n).round(3) for i, n in enumerate(lengths)]


def field_point(nominal, series):
    return nominal, {f"t_{p}": texts(s) for p, s in zip("ABC", series, strict=True)}


@pytest.mark.parametrize("statistic", ONE_PER_STATISTIC)
def test_a_statistic_over_readings(statistic):
    # points of different length are computed in groups
    fields = [field(5, 5, 5), field(4, 6, 4), field(5, 5, 5)]
    points = [field_point(n, f) for n, f in zip(("0", "50", "100"), fields, strict=True)]

    x = derived_of(record_of(field_type(statistic, "readings"), points))["x"]

    for i, (_, series, _) in enumerate(fields):
        n, s = len(series), np.std(series, ddof=1)
        assert x.value[i] == pytest.approx(ONE_PER_STATISTIC[statistic](series))
        u = s * BY_SCATTER[statistic](n)
        # the scatter of a scatter is that of a normal sample
        u /= math.sqrt(2) if statistic == "standard_deviation" else 1
        assert x.u[i] == pytest.approx(u)
        assert x.dof[i] == n - 1


@pytest.mark.parametrize("statistic", [s for s in ONE_PER_STATISTIC if s != "change"])
def test_a_statistic_over_positions_is_taken_moment_by_moment(statistic):
    here = field(6, 6, 6)

    x = derived_of(record_of(field_type(statistic, "positions"), [field_point("0", here)]))["x"]

    moments = [ONE_PER_STATISTIC[statistic](np.array(m)) for m in zip(*here, strict=True)]
    assert x.value[0] == pytest.approx(np.mean(moments))
    assert x.u[0] == pytest.approx(np.std(moments, ddof=1) / math.sqrt(6))
    assert x.dof[0] == 5


@pytest.mark.parametrize("statistic", [s for s in ONE_PER_STATISTIC if s != "change"])
def test_a_statistic_over_means(statistic):
    here = field(6, 4, 5)

    x = derived_of(record_of(field_type(statistic, "means"), [field_point("0", here)]))["x"]

    own = max(np.std(s, ddof=1) / math.sqrt(len(s)) for s in here)
    means = np.array([np.mean(s) for s in here])
    assert x.value[0] == pytest.approx(ONE_PER_STATISTIC[statistic](means))
    assert x.u[0] == pytest.approx(own * BY_SCATTER[statistic](3))
    assert x.dof[0] == 3


@pytest.mark.parametrize("statistic", [s for s in ONE_PER_STATISTIC if s not in ("change", "mean")])
def test_a_statistic_over_all_readings_of_all_positions(statistic):
    here = field(6, 4, 5)

    x = derived_of(record_of(field_type(statistic, "all"), [field_point("0", here)]))["x"]

    s = max(np.std(series, ddof=1) for series in here)
    assert x.value[0] == pytest.approx(ONE_PER_STATISTIC[statistic](np.concatenate(here)))
    assert x.u[0] == pytest.approx(s * BY_SCATTER[statistic](15))
    assert x.dof[0] == 3


def test_a_mean_over_all_takes_them_for_repeated_readings_of_one_value():
    here = field(6, 4, 5)

    x = derived_of(record_of(field_type("mean", "all"), [field_point("0", here)]))["x"]

    together = np.concatenate(here)
    assert x.value[0] == pytest.approx(np.mean(together))
    assert x.u[0] == pytest.approx(np.std(together, ddof=1) / math.sqrt(15))
    assert x.dof[0] == 14


def test_positions_of_unequal_length_are_refused_and_shown_so_far():
    record = record_of(field_type("range", "positions"), [field_point("0", field(5, 4, 5))])

    found = [f for f in check_record(record) if f.code == "positions-unequal"]

    assert [f.at for f in found] == ["/points/temperature/as_found/0/0/readings/t_B"]
    assert len(evaluate_points(record)) == 1


def test_unequal_lengths_do_not_matter_where_moments_do_not():
    record = record_of(field_type("range", "all"), [field_point("0", field(5, 4, 5))])

    assert not [f for f in check_record(record) if f.code == "positions-unequal"]


def test_one_reading_per_position_has_no_scatter_and_that_is_told():
    points = [field_point(n, field(1, 1, 1)) for n in ("0", "50", "100")]
    record = record_of(field_type("range", "means"), points)

    x = derived_of(record)["x"]

    assert (x.u.tolist(), x.dof.tolist()) == ([0, 0, 0], [1, 1, 1])
    told = [f for f in check_record(record) if f.code == "repeatability-unknown"]
    assert len(told) == 9


def test_a_standard_deviation_of_one_reading_names_the_point():
    points = [field_point("0", field(5, 5, 5)), field_point("50", field(5, 1, 5))]

    with pytest.raises(Refused, match="standard deviation needs two readings") as refused:
        evaluate(record_of(field_type("standard_deviation", "readings"), points))

    assert refused.value.at == "/points/temperature/as_found/0/50"


# ----------------------------------------------------------------------------------- corrections


def corrected_type(component):
    return small_type(
        measurand(
            "x + c_std - t_set",
            """t: source = "standard"; unit = "degC"; positions = ["A", "B"]
            t_set: source = "nominal"; unit = "degC"
            x: source = "derived"; of = ["t"]; statistic = "maximum"; over = "all"; unit = "degC"
            """,
            component,
        )
    )


CERTIFIED = 'std: input = "c_std"; evaluate = "certificate"; of = "x"; distribution = "normal"'


def test_readings_are_corrected_one_by_one_and_the_largest_U_counts():
    definition = corrected_type(CERTIFIED)
    points = [("50", {"t_A": ["50.0"] * 5, "t_B": ["49.9"] * 5})]
    record = record_of(definition, points)
    # the second channel reads 0.3 too low: corrected, it is the warmer one
    other = standard_of(
        "temperature", "degC", "0.10", key="B",
        values=(StandardValue("0", "0.3", "0.40", "2", "9"),),
    )  # fmt: skip
    point = record.points[0]
    named = tuple(replace(r, standard="B") for r in point.readings["t_B"])
    point = replace(point, readings={**point.readings, "t_B": named})
    record = replace(record, points=(point,), standards=(STANDARD, other))

    budgets = make_budgets(arrange([record], definition.measurands[0]))

    assert budgets.error.tolist() == [0.2]
    assert budgets.u_input.tolist() == [[0.2]]
    assert budgets.dof_input.tolist() == [[9]]


def test_a_certificate_on_a_reading_corrects_it_wherever_it_is_used():
    definition = small_type(
        measurand(
            "p - 0*t_other",
            """t: source = "standard"; unit = "degC"
            t_other: source = "standard"; unit = "degC"
            p: source = "derived"; of = ["t"]; reference = "saturation_pressure"; unit = "Pa" """,
            'std: input = "t"; evaluate = "certificate"; distribution = "normal"',
            output_unit="Pa",
        )
    )
    standard = standard_of(
        "temperature", "degC", "0.10", values=(StandardValue("0", "0.5", "0.10", "2"),)
    )
    points = [("0", {"t": ["19.5"] * 5, "t_other": ["1"] * 5})]
    record = record_of(definition, points, standards=(standard,))

    budgets = make_budgets(arrange([record], definition.measurands[0]))

    assert budgets.error[0] == pytest.approx(2339.2, abs=0.1)  # IAPWS at 20 degC
    assert budgets.u[0] == pytest.approx(0.05 * 144.8, rel=1e-3)


def test_a_certificate_of_a_statistic_without_standards_is_a_fault_of_the_type():
    definition = corrected_type(CERTIFIED)
    one = definition.measurands[0]
    items = {n: replace(q, source="item") if n[0] == "t" else q for n, q in one.inputs.items()}
    items["t_set"] = one.inputs["t_set"]
    broken = replace(definition, measurands=(replace(one, inputs=items),))
    record = record_of(broken, [("50", {"t_A": ["50.0"] * 5, "t_B": ["49.9"] * 5})])

    with pytest.raises(Refused, match="x is derived of no standard's reading"):
        make_budgets(arrange([record], broken.measurands[0]))


# --------------------------------------------------------------------------- published functions

REFERENCES = {
    "iec60751_resistance": (["t"], {"t": "degC"}, "ohm", "", {"t": "100"}, 138.5055, 1e-4),
    "iec60751_temperature": (["R"], {"R": "ohm"}, "degC", '{ R0 = "@R0" }', {"R": "1385.055"},
                             100.0, 1e-4),
    "thermocouple_emf": (["t", "t_cj"], {"t": "degC", "t_cj": "degC"}, "mV", '{ type = "K" }',
                         {"t": "100", "t_cj": "25"}, 4.096 - 1.000, 1e-3),
    "thermocouple_temperature": (["E", "t_cj"], {"E": "mV", "t_cj": "degC"}, "degC",
                                 '{ type = "@letter" }', {"E": "3.096", "t_cj": "25"}, 100, 0.02),
    "saturation_pressure": (["t"], {"t": "degC"}, "Pa", "", {"t": "20"}, 2339.2, 0.1),
}  # fmt: skip
TOP = """
[variants.letter]
K = { en = "Type K", zh = "K 型" }

[ratings.R0]
label = { en = "R0", zh = "R0" }
unit = "ohm"
default = "1000"
"""


def reference_record(name, readings):
    of, units, gives, parameters, _, _, _ = REFERENCES[name]
    inputs = "\n".join(f'{n}: source = "item"; unit = "{units[n]}"' for n in of)
    given = f"; parameters = {parameters}" if parameters else ""
    inputs += (
        f'\ny: source = "derived"; of = {of}; reference = "{name}"; unit = "{gives}"{given}'
    ).replace("'", '"')
    components = "\n".join(f'{n}: input = "{n}"; evaluate = "B"; half_width = "1"' for n in of)
    definition = small_type(measurand("y", inputs, components, output_unit=gives), top=TOP)
    record = record_of(definition, [("0", {n: [x] * 5 for n, x in readings.items()})])
    return replace(record, item=replace(record.item, attributes={"letter": "K"}))


@pytest.mark.parametrize("name", REFERENCES)
def test_a_published_function_and_its_slopes_by_finite_differences(name):
    of, _, _, _, readings, wanted, tolerance = REFERENCES[name]

    def value(given):
        return float(derived_of(reference_record(name, given))["y"].value[0])

    record = reference_record(name, readings)
    budgets = make_budgets(arrange([record], record.definition.measurands[0]))

    assert budgets.error[0] == pytest.approx(wanted, abs=tolerance)
    for i, argument in enumerate(of):
        h = 0.001
        ends = [f"{float(readings[argument]) + sign * h:.6f}" for sign in (-1, 1)]
        low, high = (value({**readings, argument: end}) for end in ends)
        assert budgets.c[i, 0] == pytest.approx((high - low) / (2 * h), rel=1e-5)


def test_the_second_argument_may_be_left_out():
    definition = small_type(
        measurand(
            "y",
            """E: source = "item"; unit = "mV"
            y: source = "derived"; of = ["E"]; reference = "thermocouple_temperature"; """
            'unit = "degC"; parameters = { type = "K" }',
            'E: input = "E"; evaluate = "B"; half_width = "0.01"',
        )
    )

    y = derived_of(record_of(definition, [("0", {"E": ["4.096"]})]))["y"]

    assert y.value[0] == pytest.approx(100, abs=0.01)
    assert list(y.slopes) == ["E"]


def test_a_reading_outside_a_published_function_names_its_point():
    record = reference_record("iec60751_temperature", {"R": "3905"})

    with pytest.raises(OutOfRange, match="does not hold at 3905"):
        derived_of(record)


def test_a_function_the_program_does_not_know_is_a_fault_of_the_type():
    record = reference_record("saturation_pressure", {"t": "20"})
    one = record.definition.measurands[0]
    inputs = {**one.inputs, "y": replace(one.inputs["y"], reference="sunshine")}
    broken = replace(record.definition, measurands=(replace(one, inputs=inputs),))

    with pytest.raises(Refused, match="sunshine is no known function"):
        derived_of(replace(record, definition=broken))


def test_the_item_scatters_in_the_unit_that_is_printed():
    definition = small_type(
        measurand(
            "t_ind - t_ref",
            """t_ref: source = "standard"; unit = "degC"
            R: source = "item"; unit = "ohm"
            t_ind: source = "derived"; of = ["R"]; reference = "iec60751_temperature"; """
            'unit = "degC"',
            'rep: input = "R"; evaluate = "A"; distribution = "normal"',
            output="error",
            rest='indication = "t_ind"',
        )
    )
    R = [100.00, 100.04, 100.02, 99.98, 99.96]
    record = record_of(definition, [("0", {"t_ref": ["0.00"] * 5, "R": texts(R)})])

    budgets = make_budgets(arrange([record], definition.measurands[0]))

    slope = 1 / 0.39083
    assert budgets.item.s[0] == pytest.approx(np.std(R, ddof=1) * slope, rel=1e-5)
    assert budgets.u[0] == pytest.approx(np.std(R, ddof=1) / math.sqrt(5) * slope, rel=1e-5)
