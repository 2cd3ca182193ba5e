"""Environmental chamber: the worked budget, and the quantities of both editions by numpy."""

from __future__ import annotations

import numpy as np
import pytest

from calib.evaluation.evaluate import evaluate
from tests.support import inputs as a
from tests.support.typed import read, recorded, row, standard_of

ID = "chamber.environmental"
# 16 readings whose standard deviation is 0.05 degC: 15 degrees of freedom share 15 squares
SIXTEEN = np.array([1, -1] * 7 + [0.5**0.5, -(0.5**0.5)]) * 0.05
MOMENTS = 16


def _positions(measurand, family):
    inputs = a.a_type(ID).measurand(measurand).inputs
    return [n for n in inputs if n.startswith(f"{family}_") and inputs[n].source == "standard"]


def _point(measurand, family, nominal, rng, scatter):
    names = _positions(measurand, family)
    field = rng.normal(0, 4 * scatter, (len(names), 1)) + rng.normal(
        0, scatter, (len(names), MOMENTS)
    )
    field = np.round(float(nominal) + field, 2)
    texts = {n: [f"{x:.2f}" for x in series] for n, series in zip(names, field, strict=True)}
    texts[f"{family}_ind"] = [f"{float(nominal) + 0.1:.1f}"] * MOMENTS
    return read(ID, measurand, nominal, texts, measurand.split("_")[0]), field


def _recorded(points, **attributes):
    standards = [
        standard_of("temperature", "degC", "0.10", key="deviation"),
        standard_of("relative_humidity", "%RH", "1.5", key="humidity"),
    ]
    keys = {p.key.split("/")[0].split("_")[0] for p in points}
    measurands = [m.id for m in a.a_type(ID).measurands]
    return recorded(
        ID,
        points,
        [s for s in standards if s.key in keys],
        dict.fromkeys(measurands, "0.1"),
        **attributes,
    )


@pytest.mark.parametrize("nominal", ["-20", "40"])
def test_the_worked_budget_of_the_deviation_at_one_sensor(nominal):
    names = _positions("deviation_upper", "t")
    texts = {n: [f"{float(nominal) + x:.6f}" for x in SIXTEEN] for n in names}
    texts["t_ind"] = [f"{nominal}.1"] * MOMENTS
    record = _recorded([read(ID, "deviation_upper", nominal, texts, "deviation")])

    point = next(p for p in evaluate(record).points if p.measurand == "deviation_display")

    assert row(point) == ("0.06581", 11526, "2.00", "0.1316", "0.14")
    lines = {line.component: line for line in point.budget}
    assert f"{lines['t_rep'].contribution:.4f}" == "0.0125"
    assert lines["t_rep"].dof == 15
    assert lines["d_disp"].c == 1
    assert lines["t_std"].c == -1


@pytest.mark.parametrize(
    ("volume", "temperatures", "humidities"), [("small", 9, 3), ("large", 15, 4)]
)
def test_every_quantity_of_a_temperature_humidity_chamber(volume, temperatures, humidities):
    rng = np.random.default_rng(11)
    end = "" if volume == "small" else "_large"
    point, t = _point(f"deviation_upper{end}", "t", "40", rng, 0.05)
    humid, h = _point(f"humidity_deviation_upper{end}", "h", "60", rng, 0.3)

    result = evaluate(_recorded([point, humid], volume=volume, kind="temperature_humidity"))

    assert (len(t), len(h)) == (temperatures, humidities)
    found = {p.measurand: p for p in result.points}
    assert len(found) == 10
    for start, field, nominal in (("", t, 40), ("humidity_", h, 60)):
        centre = field[0]
        expected = {
            "deviation_upper": field.max() - nominal,
            "deviation_lower": field.min() - nominal,
            "deviation_display": nominal + 0.1 - centre.mean(),
            "uniformity": np.mean(field.max(axis=0) - field.min(axis=0)),
            "fluctuation": (centre.max() - centre.min()) / 2,
        }
        for name, value in expected.items():
            point = found[f"{start}{name}{end}"]
            assert point.error == pytest.approx(value, abs=1e-9), name
            assert 0 < point.u < (0.2 if not start else 2)


def test_uniformity_counts_the_certificates_of_two_channels():
    rng = np.random.default_rng(3)
    point, field = _point("deviation_upper", "t", "40", rng, 0.05)

    found = next(p for p in evaluate(_recorded([point])).points if p.measurand == "uniformity")

    own = np.std(field.max(axis=0) - field.min(axis=0), ddof=1) / 4
    parts = [own, 0.05, 0.05, *[0.005 / 3**0.5] * 2, *[0.05 / 3**0.5] * 2]
    assert found.u == pytest.approx(np.sqrt(np.sum(np.square(parts))))


def test_the_scatter_of_the_chamber_is_no_uncertainty_of_its_fluctuation():
    rng = np.random.default_rng(3)
    point, _ = _point("deviation_upper", "t", "40", rng, 0.5)

    found = next(p for p in evaluate(_recorded([point])).points if p.measurand == "fluctuation")

    assert found.u == pytest.approx(np.sqrt(2) * 0.5 * 0.005 / 3**0.5)


def test_a_temperature_chamber_has_no_humidity():
    rng = np.random.default_rng(3)
    point, _ = _point("deviation_upper", "t", "40", rng, 0.05)

    result = evaluate(_recorded([point]))

    assert not [p for p in result.points if p.measurand.startswith("humidity")]
    assert [f.code for f in result.findings if f.severity == "error"] == []
