"""Pump: repeatability of flow from the runs that give its error."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import inputs as a
from tests.support.verified import results


def test_the_repeatability_is_that_of_the_runs():
    found = results(a.pump())

    runs = np.array([25.3, 25.1, 25.2])
    point = found["repeatability", "25"]
    assert point.error == pytest.approx(np.std(runs, ddof=1) / runs.mean() * 100)
    lines = {line.component: line.contribution for line in point.budget}
    assert lines["s_q"] == pytest.approx(np.std(runs, ddof=1) / 2 / runs.mean() * 100)
    assert lines["d_res"] == pytest.approx(0.05 / 3**0.5 / runs.mean() * 100)


@pytest.mark.parametrize(("pump", "upper"), [("syringe", "2"), ("infusion", "3")])
def test_its_limit_depends_on_the_kind_of_pump(pump, upper):
    found = results(a.pump(pump))
    assert {
        (found["repeatability", q].printed.lower, found["repeatability", q].printed.upper)
        for q in ("5", "25", "100")
    } == {(None, upper)}


def test_equal_runs_have_a_repeatability_of_nothing_and_an_uncertainty():
    record = a.with_series(a.pump(), 1, "q_ref", ["25.0"] * 3)
    point = results(record)["repeatability", "25"]
    assert (point.error, point.U > 0.2) == (0, True)


def test_what_the_other_results_say_is_as_before():
    assert {m for m, _ in results(a.pump())} == {"flow", "repeatability"}
    assert a.a_type(a.PUMP).version == "1.2.0"
