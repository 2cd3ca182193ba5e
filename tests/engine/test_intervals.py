from __future__ import annotations

import math
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from calib.engine import drift_intervals, intervals
from calib.engine.drift import Band, fit_changes, fit_lines
from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.forecasts import find_departure, fit_history, forecast
from calib.engine.reasons import Reason, tell
from calib.engine.reliability import read_counts
from tests.engine.published import agrees, load

CASES = load("intervals")
NASA = CASES["nasa"]
CHANGES = fit_changes(NASA["dt"], NASA["delta"], 2)
DAYS = [date.fromisoformat(d).toordinal() for d in CASES["gauge"]["dates"]]
GAUGE = fit_history(DAYS, CASES["gauge"]["psi"], CASES["gauge"]["u"])


def test_a_reason_keeps_its_figures_apart() -> None:
    one = Reason("{n} of {of} at {rate}.", {"n": 3, "of": "ten", "rate": 0.123456789})
    assert str(one) == "3 of ten at 0.12346."
    assert one.figures == {"n": "3", "of": "ten", "rate": "0.12346"}
    assert tell((one, Reason("Yes."))) == "3 of ten at 0.12346. Yes."


# A3


@pytest.mark.parametrize("case", CASES["a3"], ids=[c["document"] for c in CASES["a3"]])
def test_a3_as_published(case: dict[str, Any]) -> None:
    found = intervals.interval_a3(
        case["in_tolerance"], case["n"], case["current"], case["target"], case["confidence"]
    )
    assert found.interval is not None
    for name in ("interval", "rejection_confidence", "lower", "upper"):
        assert agrees(getattr(found, name), case[name]), name
    assert found.supported


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
       st.floats(0.3, 0.99), st.floats(0.1, 0.99))  # fmt: skip
@settings(max_examples=30)
def test_a3_against_binomial_sums(
    counts: tuple[int, int], target: float, confidence: float
) -> None:
    x, n = counts
    found = intervals.interval_a3(x, n, 100, target, confidence)
    lower = stats.binom.cdf(x, n, target)
    Q = 1 - 2 * (lower if x / n <= target else stats.binom.sf(x - 1, n, target))
    assert found.rejection_confidence == pytest.approx(Q, abs=1e-9)
    factor = min(2, max(0.5, 10 ** ((x / n - target) * Q)))
    assert found.interval == pytest.approx(100 * factor)
    assert found.kept == (found.interval if found.supported else 100)
    assert found.extrapolated == (factor > 1)
    exact = stats.binomtest(x, n).proportion_ci(confidence)
    assert (found.lower, found.upper) == pytest.approx((exact.low, exact.high), abs=1e-9)
    assert ("reject the target with" in tell(found.reasons)) == found.supported


def test_a3_says_what_it_does_not_support() -> None:
    found = intervals.interval_a3(19, 20, 12, 0.95, 0.5)
    assert not found.supported
    assert "no change is supported, keep it" in tell(found.reasons)
    assert found.interval == pytest.approx(12)
    kept = intervals.interval_a3(17, 20, 12, 0.95, 0.95)
    assert kept.kept == 12
    assert kept.interval == pytest.approx(9.869, abs=5e-4)
    halved = intervals.interval_a3(1, 20, 12, 0.95, 0.5)
    assert halved.interval == 6
    assert "cut to 0.5 times" in tell(halved.reasons)
    assert "extrapolated" in tell(intervals.interval_a3(100, 100, 12, 0.8, 0.5).reasons)


# staircase


def step(errors: Any, **more: Any) -> intervals.Staircase:
    return intervals.step_interval(errors, **{"lower": -0.5, "upper": 0.5, "current": 12} | more)


@pytest.mark.parametrize(
    ("errors", "more", "word", "interval", "load"),
    [
        ([0.1, -0.4], {}, "lengthen", 13.2, 0.8),
        ([0.1, -0.41], {}, "keep", 12, 0.82),
        ([0.5], {}, "keep", 12, 1.0),
        ([0.51], {}, "shorten", 6.6, 1.02),
        ([0.3], {"U": 0.2}, "keep", 12, 1.0),
        ([0.4], {"U": 0.2}, "keep", 12, 1.2),
        ([0.1], {"steps": [6, 12, 18, 24]}, "lengthen", 18, 0.2),
        ([0.1], {"steps": [6, 12]}, "lengthen", 12, 0.2),
        ([0.1], {"steps": [6, 10]}, "lengthen", 12, 0.2),
        ([0.9], {"steps": [6, 12, 18, 24]}, "shorten", 6, 1.8),
        ([0.9], {"steps": [12, 18]}, "shorten", 12, 1.8),
        ([0.1], {"may_extend": False}, "keep", 12, 0.2),
        ([-0.3], {"lower": None}, "lengthen", 13.2, 0.0),
        ([0.3], {"upper": None, "lower": -0.1}, "lengthen", 13.2, 0.0),
        ([0.09], {"upper": 0.1, "lower": -0.2, "quiet": 0.9}, "lengthen", 13.2, 0.9),
        ([0.3], {"lengthen": 1.5}, "lengthen", 18, 0.6),
        ([0.6], {"shorten": 0.5}, "shorten", 6, 1.2),
    ],
    ids=range(17),
)
def test_the_staircase(
    errors: list[float], more: dict[str, Any], word: str, interval: float, load: float
) -> None:
    found = step(errors, **more)
    assert (found.step, found.interval) == (word, pytest.approx(interval))
    assert found.load == pytest.approx(load)
    assert found.extrapolated == (found.interval > 12)
    assert "last calibration alone" in tell(found.reasons)


def test_a_fixed_interval_is_never_lengthened() -> None:
    assert "regulation" in tell(step([0.1], may_extend=False).reasons)
    assert step([0.9], may_extend=False).interval == pytest.approx(6.6)


def test_an_interval_is_cut_where_agreed() -> None:
    found = intervals.cut_interval(step([0.1]), 12.5)
    assert found.interval == 12.5
    assert "12.5" in tell(found.reasons)
    assert intervals.cut_interval(found, None) is found
    assert intervals.cut_interval(found, 13) is found
    none = intervals.Interval(None, ())
    assert intervals.cut_interval(none, 1) is none


# variables


def test_variables_of_the_handbook() -> None:
    by_u = drift_intervals.interval_by_uncertainty(CHANGES, NASA["u0"], NASA["target_u"])
    assert by_u.interval is not None
    assert agrees(by_u.interval, NASA["by_uncertainty"])
    assert by_u.extrapolated
    assert by_u.k is None
    limits = NASA["lower"], NASA["upper"], NASA["confidence"]
    both = drift_intervals.interval_by_limits(CHANGES, NASA["u0"], NASA["y0"], *limits)
    assert both.interval is not None
    assert both.k is not None
    assert agrees(both.interval, NASA["by_limits"])
    assert agrees(both.k, NASA["k_two_sided"])
    assert agrees(NASA["y0"] + CHANGES.predict(both.interval)[0], NASA["by_limits_value"])
    assert not both.extrapolated
    one = drift_intervals.interval_by_limits(CHANGES, NASA["u0"], NASA["y0"], None, *limits[1:])
    assert one.interval is not None
    assert agrees(one.interval, NASA["by_upper_limit"])
    # A value at the lower limit with its uncertainty beyond it is violated from the start.
    start = drift_intervals.interval_by_limits(CHANGES, NASA["u0"], 9.03, *limits)
    assert start.interval == 0
    assert "even at the start" in tell(start.reasons)


def test_variables_without_drift_say_so() -> None:
    still = fit_changes([1, 2, 3], [0.0, 0.0, 0.0])
    found = drift_intervals.interval_by_uncertainty(still, 0.1, 0.5)
    assert found.interval is None
    assert not found.reached
    assert "give no interval" in tell(found.reasons)
    found = drift_intervals.interval_by_limits(still, 0.1, 0.0, -1, None, 0.9)
    assert found.interval is None


# line through the calibrations


def test_the_gauge_as_published() -> None:
    case, day = CASES["gauge"], date(2019, 7, 1).toordinal()
    found = forecast(GAUGE, day, 175, 185, "t_sd")
    assert agrees(found.y, case["y"])
    assert agrees(3.182446 * found.u, case["U95"])
    assert agrees(found.probability_out, case["out"])
    assert agrees(forecast(GAUGE, day, 175, 185).probability_out, case["out_if_scale"])


def test_tails_against_distributions() -> None:
    t = GAUGE.last + 500
    y, u = GAUGE.at(t)
    one = forecast(GAUGE, t, None, 185).probability_out
    assert one == pytest.approx(stats.t.sf((185 - y) / u, 3))
    both = forecast(GAUGE, t, 184, 186, "normal").probability_out
    assert both == pytest.approx(1 - stats.norm.cdf(186, y, u) + stats.norm.cdf(184, y, u))


def test_a_history_without_uncertainties_is_an_ordinary_line() -> None:
    t, y = np.array([0.0, 1, 2, 3, 5]), np.array([0.1, 0.3, 0.2, 0.5, 0.7])
    found = fit_history(t, y)
    b, cov = np.polyfit(t, y, 1, cov=True)
    rest = y - np.polyval(b, t)
    assert found.s == pytest.approx(math.sqrt(rest @ rest / 3))
    assert found.u_slope == pytest.approx(math.sqrt(cov[0, 0]))
    at, u = found.at(8.0)
    assert at == pytest.approx(np.polyval(b, 8))
    row = np.array([8.0, 1.0])
    assert u**2 == pytest.approx(row @ cov @ row + found.s**2)
    assert found.p is None
    assert found.consistent
    assert not fit_history(t, y, 0.001).consistent
    walking = fit_history(t, y, walk=0.2)
    assert walking.at(8.0)[1] ** 2 == pytest.approx(u**2 + 0.04 * 3)
    assert walking.at(4.0) == found.at(4.0)


def test_an_exact_line_has_no_tail() -> None:
    exact = fit_history([0, 1, 2], [0.0, 0.5, 1.0])
    assert forecast(exact, 3, None, 1.6).probability_out == 0
    assert forecast(exact, 5, -1, 1.6).probability_out == 1


def test_the_band_is_that_of_a_fleet() -> None:
    since, k = find_departure(GAUGE, 175, 185, confidence=0.95, longest=3000)
    assert k == pytest.approx(3.182446305)
    band = Band(175, 185, k, GAUGE.s, GAUGE.last, GAUGE.last + 3000)
    psi = np.array(CASES["gauge"]["psi"])[:, None]
    fleet = fit_lines(np.array(DAYS)[:, None], psi, CASES["gauge"]["u"], band)
    assert GAUGE.last + since == pytest.approx(fleet.crossing[0], rel=1e-9)
    one_sided = find_departure(GAUGE, None, 185, confidence=0.95, longest=3000)
    assert one_sided[1] == pytest.approx(stats.t.ppf(0.95, 3))
    assert find_departure(GAUGE, 175, None, confidence=0.95, longest=3000)[0] == math.inf


def test_the_probability_is_met_at_the_departure() -> None:
    since, _ = find_departure(
        GAUGE, 175, 185, confidence=0.9, longest=3000, criterion="probability", tail="normal"
    )
    there = forecast(GAUGE, GAUGE.last + since, 175, 185, "normal")
    assert there.probability_out == pytest.approx(0.1, rel=1e-9)


def test_more_confidence_is_less_time() -> None:
    levels = [0.8, 0.9, 0.95, 0.99]
    for criterion in ("band", "probability"):
        times = [
            find_departure(GAUGE, 175, 185, confidence=p, longest=9000, criterion=criterion)[0]
            for p in levels
        ]
        assert all(a > b for a, b in pairwise(times)), criterion


def test_an_interval_from_a_history_says_what_it_rests_on() -> None:
    by = drift_intervals.interval_by_history
    found = by(GAUGE, 175, 185, confidence=0.95)
    assert found.reached
    assert not found.extrapolated
    assert "5 calibrations over 2378" in tell(found.reasons)
    wide = by(GAUGE, 0, 1000, confidence=0.95)
    assert wide.interval == GAUGE.span
    assert not wide.reached
    assert "cut there" in tell(wide.reasons)
    far = by(GAUGE, 0, 1000, confidence=0.95, longest=9999)
    assert (far.interval, far.extrapolated) == (9999, True)
    assert "extrapolated" in tell(far.reasons)
    late = by(GAUGE, 175, 184, confidence=0.95, criterion="probability")
    assert (late.interval, late.k) == (0, None)
    assert "Even at the last calibration" in tell(late.reasons)
    few = by(fit_history([0, 1, 2], [0, 0.3, 0.2], 0.001), -9, 9, confidence=0.9)
    assert "Fewer than five" in tell(few.reasons)
    assert "scatter more" in tell(few.reasons)


# S2


def test_s2_takes_the_best_and_says_why() -> None:
    t = np.arange(3, 60, 6)
    counts = read_counts(t, [40] * 10, [39, 38, 36, 34, 31, 27, 32, 28, 27, 29])
    found = intervals.interval_s2(counts, 0.9)
    assert found.best is min(found.fits, key=lambda f: f.aic)
    assert found.interval == found.best.interval
    assert found.best.model in tell(found.reasons)
    far = intervals.interval_s2(counts, 0.3, ["exponential"])
    assert far.extrapolated
    assert "beyond the oldest bin" in tell(far.reasons)


def test_s2_warns() -> None:
    rising = read_counts([1, 2, 3, 4], [100] * 4, [70, 80, 90, 95])
    found = intervals.interval_s2(rising, 0.9, ["weibull", "random_walk"])
    assert found.interval == 0
    text = tell(found.reasons)
    assert "no maximum for weibull" in text
    assert "contradicts" in text
    assert "from the start" in text
    low = intervals.interval_s2(rising, 0.5, ["random_walk"])
    assert low.interval is None
    assert "never falls" in tell(low.reasons)
    none = intervals.interval_s2(rising, 0.9, ["weibull"])
    assert (none.best, none.interval) == (None, None)
    few = intervals.interval_s2(read_counts([1, 2], [6, 6], [6, 4]), 0.9, ["exponential"])
    assert "12 results are few" in tell(few.reasons)
    with pytest.raises(DegenerateData):
        intervals.interval_s2(rising, 0.9, [])


@pytest.mark.parametrize(
    ("figure", "told"),
    [({"current": 0}, "current_interval"), ({"U": -1}, "U"), ({"quiet": 1.2}, "quiet"),
     ({"quiet": 0}, "quiet"), ({"lengthen": 0.9}, "lengthen"), ({"shorten": 1.1}, "shorten"),
     ({"shorten": 0}, "shorten")],
)  # fmt: skip
def test_a_staircase_says_which_figure_is_wrong(figure: dict[str, float], told: str) -> None:
    with pytest.raises(OutOfRange, match=f"^{told} is not in its range"):
        step([0.1], **figure)


REFUSED: list[tuple[Any, type[Exception]]] = [
    (lambda: intervals.Interval(math.inf, ()), OutOfRange),
    (lambda: intervals.interval_a3(3, 2, 1, 0.9, 0.5), OutOfRange),
    (lambda: intervals.interval_a3(0, 0, 1, 0.9, 0.5), OutOfRange),
    (lambda: intervals.interval_a3(1, 2, 0, 0.9, 0.5), OutOfRange),
    (lambda: intervals.interval_a3(1, 2, 1, 1.0, 0.5), OutOfRange),
    (lambda: intervals.interval_a3(1, 2, 1, 0.9, 0.0), OutOfRange),
    (lambda: intervals.cut_interval(intervals.Interval(1, ()), 0), OutOfRange),
    (lambda: step([]), DegenerateData),
    (lambda: step([0.1], lower=None, upper=None), DegenerateData),
    (lambda: step([0.1], lower=0.1), OutOfRange),
    (lambda: step([0.1], upper=0), OutOfRange),
    (lambda: step([0.1], current=0), OutOfRange),
    (lambda: step([0.1], U=-1), OutOfRange),
    (lambda: step([0.1], shorten=1.1), OutOfRange),
    (lambda: step([0.1], lengthen=0.9), OutOfRange),
    (lambda: step([0.1], quiet=0), OutOfRange),
    (lambda: step([math.nan]), OutOfRange),
    (lambda: step([0.1], steps=[]), DegenerateData),
    (lambda: step([0.1], steps=[0, 1]), DegenerateData),
    (lambda: step([0.1], steps=[2, 1]), DegenerateData),
    (lambda: drift_intervals.interval_by_uncertainty(CHANGES, 0.1, 0), OutOfRange),
    (lambda: drift_intervals.interval_by_limits(CHANGES, 0.1, 0, None, None, 0.9), DegenerateData),
    (lambda: drift_intervals.interval_by_limits(CHANGES, 0.1, 0, 1, 1, 0.9), DegenerateData),
    (lambda: drift_intervals.interval_by_limits(CHANGES, 0.1, 0, None, 1, 0.4), OutOfRange),
    (lambda: drift_intervals.interval_by_limits(CHANGES, 0.1, 0, 0, 1, 1.4), OutOfRange),
    (lambda: fit_history([0, 1], [0, 1]), DegenerateData),
    (lambda: fit_history([0, 1, 2], [0, 1]), DegenerateData),
    (lambda: fit_history([1, 1, 1], [0, 1, 2]), DegenerateData),
    (lambda: fit_history([0, 1, 2], [0, 1, 2], [1, 1]), DegenerateData),
    (lambda: fit_history([0, 1, 2], [0, 1, math.nan]), OutOfRange),
    (lambda: fit_history([0, 1, 2], [0, 1, 2], walk=-1), OutOfRange),
    (lambda: forecast(GAUGE, math.inf, 0, 1), OutOfRange),
    (lambda: forecast(GAUGE, 1, 0, 1, "cauchy"), OutOfRange),
    (lambda: forecast(fit_history([0, 1, 2], [0, 1, 3]), 1, 0, 1, "t_sd"), OutOfRange),
    (lambda: find_departure(GAUGE, None, None, confidence=0.9, longest=1), DegenerateData),
    (lambda: find_departure(GAUGE, 1, 0, confidence=0.9, longest=1), DegenerateData),
    (lambda: find_departure(GAUGE, 0, 1, confidence=1, longest=1), OutOfRange),
    (lambda: find_departure(GAUGE, 0, 1, confidence=0.9, longest=0), OutOfRange),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error"), REFUSED, ids=range(len(REFUSED)))
def test_intervals_refuse(call: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        call()
