"""What was simulated says so wherever it shows, and never again passes for measured."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pypdfium2
import pytest

from calib.adapters.files import DirectoryStore
from calib.certificates.labels import Label, render_labels
from calib.certificates.pdf import render
from calib.certificates.reread import reread
from calib.records.calibrations import Calibration
from calib.reminders.messages import DueItem, named
from calib.services import (
    board,
    circumstances,
    evaluation,
    issue,
    lookup,
    planning,
    public,
    readings,
    recall,
)
from instruments.errors import Refused
from instruments.tenancy import installation_session
from instruments.text import LocalizedText
from tests.support import documents, issuing
from tests.support.journey import text_of

TABLE = b"point,reference,indication,simulated\n0,0.01,0.01,simulated\n"


@pytest.fixture
def bench(bench_on_sqlite):
    return bench_on_sqlite


def an_issued(bench, tmp_path):
    """Return a record of simulated readings with its certificate."""
    record = issuing.filled(bench)
    with bench.as_(bench.technician) as ctx:
        version = issuing.version_of(ctx, record)
        circumstances.set_facts(ctx, record, version, simulated=True)
    with bench.as_(bench.technician) as ctx:
        issuing.review.submit(ctx, record, issuing.version_of(ctx, record))
    issuing.approve(bench, record)
    return record, issuing.issued(bench, DirectoryStore(tmp_path), record)


def test_the_mark_is_never_taken_back(bench):
    record = issuing.opened(bench).id
    with bench.as_(bench.technician) as ctx:
        circumstances.set_facts(ctx, record, issuing.version_of(ctx, record), simulated=True)
        with pytest.raises(Refused, match="never taken back"):
            circumstances.set_facts(ctx, record, issuing.version_of(ctx, record), simulated=False)
        row = ctx.session.get(Calibration, record)
        with pytest.raises(ValueError, match="stays one"):
            row.simulated = False


def test_a_record_is_real_unless_somebody_says_otherwise(bench):
    record = issuing.opened(bench)
    assert record.simulated is False
    with bench.as_(bench.technician) as ctx:
        same = circumstances.set_facts(ctx, record.id, record.version, simulated=False)
    assert same.simulated is False


def test_a_table_of_the_simulator_marks_its_record(bench):
    record = issuing.opened(bench).id
    with bench.as_(bench.technician) as ctx:
        readings.import_readings(ctx, record, TABLE, "log.csv", dry_run=True)
        assert not readings.get_calibration(ctx, record).simulated
        report = readings.import_readings(ctx, record, TABLE, "log.csv", dry_run=False)
        assert report.created == 2
        assert readings.get_calibration(ctx, record).simulated


def test_it_is_said_from_the_record_to_the_board(bench, tmp_path):
    record, done = an_issued(bench, tmp_path)
    with bench.as_(bench.signatory) as ctx:
        view = lookup.certificate(ctx, done.certificate_id)
        assert view.is_simulated
        assert lookup.certificate_document(ctx, view.id).simulated
        (line,) = [c for c in readings.list_calibrations(ctx) if c.id == record]
        assert line.simulated
        card = board.card(ctx, view.instrument_id, catalogue=bench.catalogue)
        assert card.is_simulated
        (due,) = recall.due_items(ctx.session)
        assert due.is_simulated
        copy = issue.amend(ctx, view.id, "a remark was missing")
        assert copy.simulated
    with installation_session(bench.engine, read_only=True) as session:
        shown = public.public_certificate(session, view.token, datetime(2026, 3, 3, tzinfo=UTC))
    assert shown.is_simulated


def test_a_real_one_says_nothing_of_it(bench, tmp_path):
    record = issuing.authorised(bench)
    done = issuing.issued(bench, DirectoryStore(tmp_path), record)
    with bench.as_(bench.signatory) as ctx:
        view = lookup.certificate(ctx, done.certificate_id)
        assert not view.is_simulated
        assert b"simulated" not in lookup.certificate_document(ctx, view.id).canonical()
        assert not recall.due_items(ctx.session)[0].is_simulated
        stored = evaluation.get_evaluation(ctx, record)
    assert "simulated" not in stored.input_json


def test_a_record_opened_as_simulated_is_one(bench):
    first = issuing.opened(bench)
    with bench.as_(issuing.everybody(bench)) as ctx:
        circumstances.close(ctx, first.id, first.version, "for practice")
        record = planning.open_calibration(
            ctx, first.order_line_id, catalogue=bench.catalogue, simulated=True
        )
    assert record.simulated


@pytest.mark.parametrize("language", ["zh", "en", "zh+en"])
def test_every_page_of_the_pdf_bears_the_band(language):
    real = documents.forehead_certificate(language)
    pages = _pages(replace(real, simulated=True))
    assert len(pages) > 1
    for page in pages:
        assert "SIMULATED READINGS" in page
        assert "模拟数据" in page
    assert "SIMULATED" not in " ".join(_pages(real))


def test_a_file_without_the_band_is_not_issued():
    real = documents.forehead_certificate("zh+en")
    found = {f.code for f in reread(replace(real, simulated=True), render(real, {}), {})}
    assert "file-mark-missing" in found
    marked = replace(real, simulated=True)
    assert not {f.code for f in reread(marked, render(marked, {}), {})} & {
        "file-mark-missing", "file-text-missing",
    }  # fmt: skip


def _pages(document) -> list[str]:
    found = pypdfium2.PdfDocument(render(document, {}))
    pages = [page.get_textpage().get_text_range() for page in found]
    found.close()
    return pages


def test_a_label_of_it_is_a_specimen():
    label = Label(
        "green", LocalizedText("Lab", "所"), "N-1", "S-1", "2026-03-02", "Tang",
        "https://calib.example.org/c/x", simulated=True,
    )  # fmt: skip
    text = text_of(render_labels([label], datetime(2026, 3, 2, tzinfo=UTC), sheet="single"))
    assert "SIMULATED READINGS" in text
    assert "FIT FOR USE" not in text
    assert "样张" in text


def test_mail_says_so_of_the_instrument():
    item = DueItem(
        1, 1, None, "k", "in_service", "B-1", "Maker", "M", "S-1", "", "",
        LocalizedText("C"), None, date(2026, 3, 2), is_simulated=True,
    )  # fmt: skip
    assert named(item, "en").endswith("(simulated readings)")
    assert named(item, "zh").endswith("（模拟数据）")
    assert "simulated" not in named(replace(item, is_simulated=False), "en")
