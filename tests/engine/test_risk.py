"""Global risks: published figures, and a second way to each number."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from calib.engine import risk
from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.panels import integrate_tests
from calib.engine.priors import Prior, make_prior
from calib.engine.risk import Risks, assess_risks
from calib.evaluation.tasks import compute
from tests.engine.published import agrees, good, load, to_print

REFERENCE = load("risk")
FIGURES = ("pfa", "pfr", "in_tolerance")


def normal(mean: Any = 0.0, u: Any = 1.0) -> Prior:
    return make_prior("normal", {"mean": mean, "u": u})


def single(found: Risks) -> dict[str, float]:
    names = (*FIGURES, "accepted", "conditional_pfa")
    return {name: float(getattr(found, name)[0]) for name in names}


@pytest.mark.parametrize("case", REFERENCE["case"], ids=lambda c: c["document"])
def test_published(case: dict[str, Any]) -> None:
    task = {key: v for key, v in case.items() if key not in (*FIGURES, "document")}
    found = good(compute({"kind": "risk", **task}))
    for name in FIGURES:
        assert name not in case or agrees(found[name], case[name])


@pytest.mark.parametrize("row", REFERENCE["centred"]["rows"], ids=str)
def test_centred_process(row: list[Any]) -> None:
    rate, tur, *printed = row
    task = {"kind": "risk", "process": {"in_tolerance": rate}, "tur": tur, "lower": -1, "upper": 1}
    plain, guarded = (compute(task | more) for more in ({}, {"guard": {"method": "u95"}}))
    percents = [100 * f[name] for f in (plain, guarded) for name in ("pfa", "pfr")]
    assert all(to_print(found, text) for found, text in zip(percents, printed, strict=True))
    assert plain["in_tolerance"] == pytest.approx(rate, rel=1e-14)


# ------------------------------------------------------------------------- a second way to each


def test_against_monte_carlo() -> None:
    rng = np.random.default_rng(7)
    x = rng.gamma(2.0, 0.5, 400_000)
    y = x + rng.normal(0.05, 0.2, x.size)
    inside, accepted = x <= 2, (y >= 0.1) & (y <= 1.9)
    found = single(
        assess_risks(
            make_prior("gamma", {"shape": 2, "scale": 0.5}),
            0.2, upper=2, accept_lower=0.1, accept_upper=1.9, bias=0.05,
        )
    )  # fmt: skip
    for name, drawn in (("pfa", accepted & ~inside), ("pfr", inside & ~accepted)):
        p = found[name]
        assert abs(drawn.mean() - p) < 5 * math.sqrt(p * (1 - p) / x.size)
    assert found["conditional_pfa"] == pytest.approx(found["pfa"] / found["accepted"])


def test_closed_form_against_quadrature_of_panels() -> None:
    rng = np.random.default_rng(1)
    n = 300
    prior = normal(rng.normal(0, 0.5, n), 10 ** rng.uniform(-1, 1, n))
    u = 10 ** rng.uniform(-1.5, 0.5, n)
    low, high = -1 - rng.normal(0, 1, n) * u, 1 + rng.normal(0, 1, n) * u
    found = assess_risks(prior, u, lower=-1, upper=1, accept_lower=low, accept_upper=high)
    one = np.ones(n)
    some = low < high
    pfa, pfr = integrate_tests(prior, u, (-one, one), (low, high))
    np.testing.assert_allclose(found.pfa[some], pfa[some], rtol=1e-9)
    np.testing.assert_allclose(found.pfr[some], pfr[some], rtol=1e-9)


@pytest.mark.parametrize(("accept", "u"), [(0.9, 0.1), (0.47, 0.1), (0.3, 0.3)])
def test_tiny_risks_keep_their_digits(accept: float, u: float) -> None:
    found = single(assess_risks(normal(0.0, 0.4), u, upper=1.5, accept_upper=accept))
    # mpmath stops at an absolute error: more digits than the result is small.
    with mpmath.workdps(40):
        pfa = mpmath.quad(
            lambda x: mpmath.npdf(x, 0, 0.4) * mpmath.ncdf((accept - x) / u),
            [1.5 + 0.2 * i for i in range(11)],
        )
    assert found["pfa"] == pytest.approx(float(pfa), rel=3e-11, abs=0)
    assert found["pfa"] < 1e-4


def test_tiny_producers_risk_keeps_its_digits() -> None:
    found = single(assess_risks(normal(0.0, 0.3), 0.05, upper=1, accept_upper=1.3))
    with mpmath.workdps(30):
        pfr = mpmath.quad(
            lambda x: mpmath.npdf(x, 0, 0.3) * mpmath.ncdf((x - 1.3) / 0.05),
            [-2, 0, 0.5, 0.8, 0.9, 1],
        )
    assert found["pfr"] == pytest.approx(float(pfr), rel=1e-9, abs=0)


# ------------------------------------------------------------------------------------ properties

numbers = st.floats(-2, 2)
widths = st.floats(0.02, 3)


@settings(max_examples=20)
@given(numbers, widths, widths, st.floats(-0.5, 0.9), st.floats(-1, 1), st.floats(1e-3, 1e3))
def test_mirror_units_and_sums(
    mean: float, sd: float, u: float, w: float, bias: float, unit: float
) -> None:
    limits = {"lower": -1.0, "upper": 1.2, "accept_lower": -1 + w, "accept_upper": 1.2 - w}
    found = single(assess_risks(normal(mean, sd), u, bias=bias, **limits))
    mirrored = {
        "lower": -1.2, "upper": 1.0, "accept_lower": -1.2 + w, "accept_upper": 1 - w,
    }  # fmt: skip
    other = single(assess_risks(normal(-mean, sd), u, bias=-bias, **mirrored))
    scaled = single(
        assess_risks(
            normal(mean * unit, sd * unit),
            u * unit,
            bias=bias * unit,
            **{k: v * unit for k, v in limits.items()},
        )
    )
    for name in ("pfa", "pfr", "in_tolerance", "accepted"):
        assert other[name] == pytest.approx(found[name], rel=1e-8, abs=1e-300)
        assert scaled[name] == pytest.approx(found[name], rel=1e-8, abs=1e-300)
    total = stats.norm(mean + bias, math.hypot(sd, u))
    accepted = total.cdf(1.2 - w) - total.cdf(-1 + w)
    assert found["accepted"] == pytest.approx(accepted, rel=1e-9, abs=1e-14)
    assert 0 <= found["pfa"] <= 1
    assert 0 <= found["pfr"] <= found["in_tolerance"] * (1 + 1e-12)


def test_risks_are_monotone_in_the_guard_band() -> None:
    w = np.linspace(-1, 1.2, 45)
    for prior in (normal(0.3, 0.6), make_prior("gamma", {"shape": 0.5, "scale": 1.0})):
        found = assess_risks(prior, 0.2, lower=-1, upper=1, accept_lower=-1 + w, accept_upper=1 - w)
        assert np.all(np.diff(found.pfa) <= 0)
        assert np.all(np.diff(found.pfr) >= 0)
        assert found.pfa[-1] == 0
        assert found.pfr[-1] == found.in_tolerance[-1]
        assert np.isnan(found.conditional_pfa[-1])


def test_a_batch_is_its_items() -> None:
    rng = np.random.default_rng(3)
    n = 700  # more than one block
    u, upper = rng.uniform(0.05, 0.5, n), rng.uniform(0.5, 2, n)
    for prior in (normal(0.1, 0.5), make_prior("t", {"mean": 0, "scale": 0.4, "dof": 5})):
        batch = assess_risks(prior, u, lower=-1, upper=upper, accept_upper=upper - u)
        for i in (0, 511, 512, 699):
            alone = assess_risks(
                prior, u[i], lower=-1, upper=upper[i], accept_upper=upper[i] - u[i]
            )
            assert alone.pfa[0] == pytest.approx(batch.pfa[i], rel=1e-13)
            assert alone.pfr[0] == pytest.approx(batch.pfr[i], rel=1e-13)
    assert assess_risks(normal(np.zeros(5)), 1, upper=1).pfa.shape == (5,)
    assert assess_risks(normal(np.zeros(0)), 1, upper=1).pfa.shape == (0,)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    prior = normal(np.linspace(-1, 1, 9), 0.5)
    u = np.array([0, 0.1, 0.2] * 3)
    accept = np.array([0.9, -0.1, 0.5, 0.2, 0.9, 0.1, 2, 0.9, -1])
    limits = {"lower": -1, "upper": 1, "accept_lower": -accept, "accept_upper": accept}
    whole = assess_risks(prior, u, **limits)
    monkeypatch.setattr(risk, "_BLOCK", 4)
    blocks = assess_risks(prior, u, **limits)
    for name in ("pfa", "pfr", "in_tolerance", "accepted", "conditional_pfa"):
        np.testing.assert_array_equal(getattr(blocks, name), getattr(whole, name))
    for i in range(9):
        one = {key: v if isinstance(v, int) else v[i] for key, v in limits.items()}
        alone = assess_risks(normal(prior.place[i], 0.5), u[i], **one)
        assert alone.pfr[0] == pytest.approx(whole.pfr[i], rel=1e-13)
        assert alone.pfa[0] == pytest.approx(whole.pfa[i], rel=1e-13)
    nothing = accept < 0
    np.testing.assert_array_equal(whole.pfa[nothing], 0)
    np.testing.assert_array_equal(whole.pfr[nothing], whole.in_tolerance[nothing])
    np.testing.assert_array_equal(whole.accepted[nothing], 0)
    np.testing.assert_array_equal(whole.pfa[(u == 0) & (accept < 1)], 0)
    assert np.all(whole.pfr[~nothing & (u > 0)] > 0)


# ----------------------------------------------------------------------------------------- edges


@pytest.mark.parametrize("family", ["normal", "uniform"])
def test_a_perfect_test(family: str) -> None:
    parameters = {"mean": 0, "u": 1} if family == "normal" else {"low": -2, "high": 2}
    prior = make_prior(family, parameters)
    peer = stats.norm() if family == "normal" else stats.uniform(-2, 4)
    tight = single(assess_risks(prior, 0, lower=-1, upper=1, accept_lower=-0.5, accept_upper=0.75))
    assert tight["pfa"] == 0
    wanted = peer.cdf(-0.5) - peer.cdf(-1) + peer.cdf(1) - peer.cdf(0.75)
    assert tight["pfr"] == pytest.approx(wanted)
    wide = single(assess_risks(prior, 0, lower=-1, upper=1, accept_lower=-1.5, accept_upper=1.1))
    wanted = peer.cdf(-1) - peer.cdf(-1.5) + peer.cdf(1.1) - peer.cdf(1)
    assert wide["pfa"] == pytest.approx(wanted)
    assert wide["pfr"] == 0
    shifted = single(assess_risks(prior, 0, lower=-1, upper=1, bias=0.25))
    assert shifted["pfa"] == pytest.approx(peer.cdf(-1) - peer.cdf(-1.25))
    assert shifted["pfr"] == pytest.approx(peer.cdf(1) - peer.cdf(0.75))


def test_a_test_becomes_perfect_smoothly() -> None:
    case = {"lower": -1, "upper": 1, "accept_lower": -0.9, "accept_upper": 1.2}
    for prior in (normal(0.1, 0.7), make_prior("uniform", {"low": -2, "high": 2})):
        perfect, good_one = (single(assess_risks(prior, u, **case)) for u in (0, 1e-9))
        assert good_one["pfa"] == pytest.approx(perfect["pfa"], rel=1e-6)
        assert good_one["pfr"] == pytest.approx(perfect["pfr"], rel=1e-6)


@pytest.mark.parametrize("name", ["normal", "t", "gamma"])
def test_open_sides(name: str) -> None:
    prior = {
        "normal": normal(0.5, 0.5),
        "t": make_prior("t", {"mean": 0.5, "scale": 0.4, "dof": 4}),
        "gamma": make_prior("gamma", {"shape": 2, "scale": 0.4}),
    }[name]
    far = single(assess_risks(prior, 0.2, lower=-1e7, upper=1, accept_lower=-1e7))
    one = single(assess_risks(prior, 0.2, upper=1))
    assert one == pytest.approx(far, rel=1e-9)
    # Accepted whatever is read: all that is outside, and nothing rejected.
    everything = single(assess_risks(prior, 0.2, upper=1, accept_upper=math.inf))
    assert everything["pfa"] == pytest.approx(1 - everything["in_tolerance"], rel=1e-12)
    assert everything["pfr"] == 0
    # A limit of the reading on the side that has none of the value.
    low = single(assess_risks(prior, 0.2, upper=1, accept_lower=0.2))
    assert low["pfr"] > one["pfr"]
    assert low["pfa"] == pytest.approx(one["pfa"], rel=1e-2)
    lower = single(assess_risks(prior, 0.2, lower=0.2, accept_lower=0.3))
    assert lower["pfa"] < 1 - lower["in_tolerance"]
    opposite = single(assess_risks(prior, 0.2, lower=0.2, accept_lower=-math.inf, accept_upper=1))
    assert opposite["pfr"] > 0.01


def test_limits_on_the_mean() -> None:
    # The orthants of a binormal distribution at its centre: 1/4 + asin(rho)/(2 pi).
    found = single(assess_risks(normal(1.0, 1.0), 1.0, upper=1.0))
    assert found["pfa"] == pytest.approx(0.125, rel=1e-13)
    assert found["pfr"] == pytest.approx(0.125, rel=1e-13)
    for accept in (0.5, 1.5):
        on = single(assess_risks(normal(1.0, 1.0), 1.0, upper=1.0, accept_upper=accept))
        by = single(assess_risks(normal(1.0, 1.0), 1.0, upper=1.0 + 1e-9, accept_upper=accept))
        assert on["pfa"] == pytest.approx(by["pfa"], rel=1e-7)


def test_quadrature_takes_over_only_where_digits_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def counting(prior: Prior, u: Any, *rest: Any) -> Any:
        asked.append(len(u))
        return integrate_tests(prior, u, *rest)

    monkeypatch.setattr(risk, "integrate_tests", counting)
    assess_risks(normal(), [0.1, 0.3], lower=-2, upper=2)
    # Means between a limit and its acceptance limit, on either side, and beyond both.
    between = normal([0.95, 1.05, -0.95, 1.5, -1.5], 0.5)
    assess_risks(between, 0.3, lower=-1, upper=1, accept_lower=-0.9, accept_upper=1.1)
    assess_risks(between, 0.3, lower=-1, upper=1, accept_lower=-1.1, accept_upper=0.9)
    # Rare but not lost in a difference; and what cannot happen at all.
    assess_risks(normal(), 0.3, lower=-3.5, upper=3.5)
    never = assess_risks(normal(), 0.3, lower=-50, upper=50)
    assert (never.pfa[0], never.pfr[0]) == (0, 0)
    assert asked == []
    accept = np.array([1.0, 0.1])
    assess_risks(normal(), 0.1, lower=-2, upper=2, accept_lower=-accept, accept_upper=accept)
    assert asked == [2]
    assess_risks(normal(), [0.3, 0.1], lower=-2, upper=2, accept_lower=-1.5, accept_upper=1.5)
    assert asked == [2, 1]


BAD: list[tuple[type[Exception], dict[str, Any]]] = [
    (DegenerateData, {}),
    (DegenerateData, {"lower": 1, "upper": 1}),
    (DegenerateData, {"lower": [0, 2], "upper": 1}),
    (DegenerateData, {"lower": [-math.inf, 0], "upper": [math.inf, 1]}),
    (OutOfRange, {"upper": math.nan}),
    (OutOfRange, {"upper": [1, math.nan]}),
    (OutOfRange, {"upper": 1, "bias": [0, math.nan]}),
    (OutOfRange, {"upper": 1, "accept_upper": math.nan}),
    (OutOfRange, {"upper": 1, "bias": math.inf}),
]


@pytest.mark.parametrize(("error", "arguments"), BAD, ids=range(len(BAD)))
def test_cases_that_make_no_sense(error: type[Exception], arguments: dict[str, Any]) -> None:
    with pytest.raises(error):
        assess_risks(normal(), 0.1, **arguments)


@pytest.mark.parametrize("u", [-0.1, math.nan, math.inf, [0.1, -0.1]])
def test_impossible_tests(u: Any) -> None:
    with pytest.raises(OutOfRange):
        assess_risks(normal(), u, upper=1)
