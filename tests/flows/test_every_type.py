"""Every shipped type: one calibration from simulated readings to its certificate."""

from __future__ import annotations

import pytest

from api.pages import entry
from calib.adapters.files import DirectoryStore
from calib.evaluation.frozen import compute_frozen
from calib.evaluation.result import CalibrationResult
from calib.services import evaluation, lookup, readings
from instruments.canonical import canonical_json
from tests.support import builders, issuing
from tests.support.journey import text_of
from tests.support.whole import ready_of, taken

TYPES = [type_.id for type_ in builders.the_catalogue().list()]
CHANCE = {"reading-outlier", "scatter-above-record", "reading-implausible"}
"""What chance alone may raise; anything else would be a fault of type or generator."""


@pytest.fixture
def bench(copied_on_sqlite):
    bench = issuing.opened_at(*copied_on_sqlite(issuing.a_closed_bench))
    yield bench
    bench.engine.dispose()


@pytest.mark.slow
@pytest.mark.parametrize("type_id", TYPES)
def test_a_simulated_record_becomes_a_certificate(bench, tmp_path, type_id):
    ready = ready_of(bench.catalogue.get(type_id))
    done = taken(bench, tmp_path, ready)
    assert {found.partition("@")[0] for found in done.findings} <= CHANCE

    with bench.as_(bench.technician) as ctx:
        stored = evaluation.get_evaluation(ctx, done.record_id)
        view = lookup.certificate(ctx, done.issued.certificate_id)
        record = readings.get_calibration(ctx, done.record_id)
    cells = [
        c for t in entry.tables(record, "zh") for b in t.blocks for r in b.rows for c in r.cells
    ]
    assert len(cells) == sum(len(s) for p in stored.input.points for s in p.readings.values())
    assert all(cell.value for cell in cells)
    assert stored.input.simulated
    assert view.is_simulated
    recomputed = compute_frozen({"kind": "calibration", "input": stored.input.as_dict()["input"]})
    assert canonical_json(recomputed).decode() == stored.result_json
    assert stored.result == CalibrationResult.from_dict(recomputed)

    pdf = next(f for f in view.files if f.role == "pdf")
    text = text_of(DirectoryStore(tmp_path).get(pdf.sha256))
    assert_says(text, stored, view)


def assert_says(text, stored, view):
    words = text.split()
    assert view.number in text
    assert "SIMULATED READINGS" in text
    assert "模拟数据" in text
    joined = text.replace(" ", "")
    for person in ("Tang", "Ren", "Sun"):
        assert person in words
    measurands = {m.id: m for m in stored.input.definition.measurands}
    for point in stored.result.points:
        printed = point.printed
        corrects = measurands[point.measurand].output == "correction"
        for shown in (printed.correction if corrects else printed.error, printed.U, printed.k):
            assert shown in joined, (point.key, shown)
    for measurand in {p.measurand for p in stored.result.points}:
        name = stored.input.definition.measurand(measurand).name
        assert name.en.replace(" ", "") in joined
        assert name.zh.replace(" ", "") in joined
