"""Chance that comes again, errors as wished, scatter as stated, displays as they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calib.evaluation.evaluate import evaluate
from calib.simulation.chance import Chance
from calib.simulation.design import inside
from calib.simulation.model import Model, prepare
from calib.simulation.series import on_display
from calib.simulation.simulate import Wanted, simulate
from calib.simulation.tables import COLUMNS, reading_rows
from calib.simulation.usual import half_width, power_of_ten, surroundings, usual_attributes
from tests.support import builders
from tests.support.whole import ready_of

EAR = "thermometer.infrared_ear"


def a_type(id_):
    return builders.the_catalogue().get(id_)


def values(record, name):
    return [[float(r.value) for r in p.readings[name]] for p in record.points if name in p.readings]


def test_the_same_seed_gives_the_same_bytes_alone_or_among_others():
    ready = ready_of(a_type(EAR))
    among = [one.record.canonical() for one in simulate(ready, 5, range(4))]
    alone = next(simulate(ready_of(a_type(EAR)), 5, [2])).record.canonical()
    assert alone == among[2]
    assert len(set(among)) == 4
    assert next(simulate(ready, 6, [2])).record.canonical() != alone


PINNED = {
    "0": ["0.01", "0.01", "0.00", "0.01"],
    "25": ["25.02", "25.03", "25.02", "25.02"],
    "50": ["50.00", "50.01", "50.00", "50.00"],
    "75": ["75.01", "75.02", "75.02", "75.02"],
    "100": ["100.04", "100.04", "100.03", "100.04"],
}
"""Indications of the first digital thermometer of seed 1."""


def test_readings_are_these_on_every_platform():
    ready = ready_of(a_type("thermometer.digital_probe"))
    record = next(simulate(ready, 1, [0])).record
    shown = {p.nominal: [r.value for r in p.readings["t_ind"]] for p in record.points}
    assert shown == PINNED


def test_numbers_of_chance_are_uniform_and_normal():
    chance = Chance("numbers")
    assert chance.uniform(20_000).mean() == pytest.approx(0.5, abs=0.01)
    drawn = chance.normal(20_000)
    assert drawn.mean() == pytest.approx(0, abs=0.02)
    assert drawn.std() == pytest.approx(1, abs=0.02)
    assert {chance.below(3) for _ in range(50)} == {0, 1, 2}


def test_scatter_is_that_of_the_design():
    model = Model(a_type("thermometer.infrared_forehead"), resolution={"temperature": "0.0001"})
    ready = prepare(model)
    (design,) = ready.designs
    found = [
        (np.std(series, ddof=1) / sigma) ** 2
        for one in simulate(ready, 3, range(120), Wanted(grade="good"))
        for series, sigma in zip(values(one.record, "t_ind"), design.sigma["t_ind"], strict=True)
    ]
    # scatter and a little drift on top of it
    assert np.sqrt(np.mean(found)) == pytest.approx(1.0, abs=0.06)
    assert np.std(found) == pytest.approx(np.sqrt(2 / 9), rel=0.25)  # as of ten normal readings


def test_most_items_pass_and_some_do_not():
    ready = ready_of(a_type(EAR))
    verdicts = [evaluate(one.record).verdict for one in simulate(ready, 2, range(200))]
    assert 0.03 < verdicts.count("fail") / 200 < 0.25


def test_adjusting_takes_most_of_the_error_away():
    ready = ready_of(a_type("thermometer.digital_probe"))
    wanted = Wanted(grade="good", adjusted=True)
    errors = {"as_found": 0.0, "as_left": 0.0}
    for one in simulate(ready, 1, range(10), wanted):
        for point in evaluate(one.record).points:
            errors[point.stage] += abs(point.error)
    assert 0 < errors["as_left"] < errors["as_found"] / 2


def test_a_drift_of_the_bath_cancels_between_standard_and_item():
    ready = ready_of(a_type("standard.working_prt"))
    design = next(d for d in ready.designs if d.group.root.id == "temperature")
    assert design.group.root.points.sequence == "standard_item_item_standard"
    from calib.simulation.series import _moments

    standard, item = (_moments(design, name, 4) for name in ("t_ref", "t_ind"))
    assert standard.mean() == pytest.approx(item.mean())
    assert standard[0] < item[0] < item[1] < standard[1]


def test_given_standards_points_and_attributes_are_taken():
    ready = ready_of(a_type("thermometer.thermocouple"), attributes={"letter": "S"})
    made = {place: one.standard for one in ready.made for place in one.inputs}
    again = ready_of(
        a_type("thermometer.thermocouple"),
        attributes={"letter": "S"},
        standards=made,
        points={"temperature": ("419", "660", "660#2", "1084")},
    )
    assert again.made == ()
    record = next(simulate(again, 1, [0])).record
    assert [p.key for p in record.points] == [
        f"temperature/as_found/0/{visit}" for visit in ("419", "660", "660#2", "1084")
    ]  # fmt: skip
    assert record.item.attributes["letter"] == "S"
    assert {r.standard for p in record.points for r in p.readings["t_cj"]} == {"SIM-JUNCTION"}
    assert not [f for f in evaluate(record).findings if f.severity == "error"]


def test_pieces_of_a_batch_have_characters_of_their_own():
    ready = ready_of(a_type("thermometer.glass_clinical"), pieces=60)
    one = next(simulate(ready, 4, [0]))
    assert len(one.character) == 60
    assert {"good", "near", "bad"} == {c.grade for c in one.character}
    rejected = [p for p in evaluate(one.record).pieces if p.verdict != "pass"]
    assert 0 < len(rejected) < 20


def test_some_examinations_are_not_passed():
    ready = ready_of(a_type("ventilator.critical_care"))
    found = [e.passed for one in simulate(ready, 1, range(80)) for e in one.record.examinations]
    assert 0.85 < sum(found) / len(found) < 1


def test_rows_are_those_of_an_import():
    record = next(simulate(ready_of(a_type(EAR)), 1, [0])).record
    rows = list(reading_rows(record))
    assert all(tuple(row) == COLUMNS for row in rows)
    assert len(rows) == sum(len(s) for p in record.points for s in p.readings.values())
    assert {row["simulated"] for row in rows} == {"simulated 模拟"}


@pytest.mark.parametrize(
    ("value", "step", "shown"),
    [
        (37.26, "0.1", "37.3"), (37.26, "0.10", "37.30"), (-0.04, "0.02", "-0.04"),
        (0.001, "0.01", "0.00"), (1234.0, "10", "1230"), (7.4, "5", "5"), (-0.2, "0.5", "0.0"),
    ],
)  # fmt: skip
def test_a_display_shows_steps_with_their_zeros(value, step, shown):
    assert on_display([[value]], step) == [[shown]]


def test_one_sided_limits_are_used_up_from_their_inner_side():
    nan, part = float("nan"), np.array([0.5])
    for lower, upper in ((nan, 6.0), (2.0, nan), (nan, -3.0), (-3.0, nan)):
        low, high = np.array([lower]), np.array([upper])
        within = inside(low, high, part)[0]
        beyond = inside(low, high, np.array([1.5]))[0]
        has_upper = np.isfinite(upper)
        assert (within < upper) if has_upper else (within > lower)
        assert (beyond > upper) if has_upper else (beyond < lower)
    assert inside(np.array([nan]), np.array([60.0]), part, in_bels=True)[0] == pytest.approx(52.5)


def test_what_a_model_usually_is():
    balance = usual_attributes(a_type("balance.electronic"), {})
    assert (balance["load_maximum"], balance["step"], balance["scale_interval"]) == (
        "200", "50", "0.01",
    )  # fmt: skip
    glass = usual_attributes(a_type("thermometer.liquid_in_glass"), {"range_high": "50"})
    assert (glass["range_low"], glass["range_high"]) == ("0", "50")
    assert power_of_ten(0.05) == "0.01"
    assert power_of_ten(250) == "100"
    assert half_width((None, None)) is None


def test_surroundings_stay_inside_what_the_type_allows():
    definition = a_type(EAR)
    for quantity in ("temperature", "relative_humidity"):
        limit = next(e for e in definition.environment if e.quantity == quantity)
        _, low, high = surroundings(definition, quantity)
        assert float(limit.low) < low < high < float(limit.high)
    cold = replace(definition.environment[0], low="2", high="8")
    icy = replace(definition, environment=(cold,))
    _, low, high = surroundings(icy, "temperature")
    assert 2 < low < high < 8
