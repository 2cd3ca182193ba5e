"""Readings from tables: two layouts, both languages, all rows or none, every bad row named."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
import xlsxwriter

from calib.certificates.dcc import read_dcc
from calib.services import evaluation, readings
from instruments.catalogue.loader import Catalogue, load_catalogue
from instruments.plain import from_plain, to_plain
from instruments.procedure import InstrumentType
from tests.support import issuing

GUM_H3 = (
    ("21.521", "-0.171"),
    ("22.012", "-0.169"),
    ("22.512", "-0.166"),
    ("23.003", "-0.159"),
    ("23.507", "-0.164"),
    ("23.999", "-0.165"),
    ("24.513", "-0.156"),
    ("25.002", "-0.157"),
    ("25.503", "-0.159"),
    ("26.010", "-0.161"),
    ("26.511", "-0.160"),
)
"""JCGM 100:2008 table H.6: indication and correction in degC."""
SHARED = Path(os.environ.get("CALIB_SHARED", Path(__file__).parents[3] / "shared"))
PTB = SHARED / "data" / "dcc" / "examples" / "dcc_gp_temperature_typical_v12.xml"


@pytest.fixture
def bench(bench_on_sqlite):
    return bench_on_sqlite


def _import(bench, id_, text, *, dry_run=False, name="log.csv", stage="as_found"):
    content = text if isinstance(text, bytes) else text.encode()
    with bench.as_(bench.technician) as ctx:
        return readings.import_readings(ctx, id_, content, name, dry_run=dry_run, stage=stage)


def _in_force(bench, id_):
    with bench.as_(bench.technician) as ctx:
        return readings.get_calibration(ctx, id_).readings()


def _wide(rows):
    return "point,reference,indication\n" + "".join(f"{','.join(row)}\n" for row in rows)


def test_the_wide_layout_counts_repeated_rows_as_readings(bench):
    record = issuing.opened(bench)
    rows = [("0", "0.010", "0.01"), ("0.0", "0.012", "0.02"), ("50", "50.020", "50.04")]
    report = _import(bench, record.id, _wide(rows))
    assert (report.rows, report.created, report.findings) == (3, 6, ())
    found = {(r.point, r.input, r.place): r.value for r in _in_force(bench, record.id)}
    assert found["0", "t_ref", 1] == "0.012"
    assert found["50", "t_ind", 0] == "50.04"
    assert {r.origin for r in _in_force(bench, record.id)} == {"imported"}


def test_a_workbook_with_chinese_headings_in_the_long_layout(bench):
    record = issuing.opened(bench)
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet = book.add_worksheet()
    for i, row in enumerate(
        [
            ["测量项目", "阶段", "校准点", "输入量", "序号", "读数", "单位"],
            ["示值误差", "调整前", "50", "标准器示值", "1", "50.020", "℃"],
            ["示值误差", "调整前", "50", "示值", "1", "50.04", "°C"],
            ["temperature", "调整后", "50", "t_ind", "2", "50.10", "degC"],
        ]
    ):
        sheet.write_row(i, 0, row)
    book.close()
    report = _import(bench, record.id, buffer.getvalue(), name="log.xlsx")
    assert (report.created, report.findings) == (3, ())
    found = {(r.stage, r.input, r.place): r.value for r in _in_force(bench, record.id)}
    assert found == {
        ("as_found", "t_ref", 0): "50.020",
        ("as_found", "t_ind", 0): "50.04",
        ("as_left", "t_ind", 1): "50.10",
    }


def test_a_dry_run_says_the_same_and_writes_nothing(bench):
    record = issuing.opened(bench)
    report = _import(bench, record.id, _wide([("0", "0.010", "0.01")]), dry_run=True)
    assert (report.created, report.findings) == (0, ())
    assert _in_force(bench, record.id) == ()


def test_bad_rows_are_all_named_and_nothing_is_written(bench):
    record = issuing.opened(bench)
    rows = [
        ("0", "0.010", "0.01"),
        ("0", "nan", "0.01"),
        ("37", "37.0", "37.0"),
        ("50", "50.02", ""),
        ("５０", "50.02", "50.04"),
        ("50", '"50,02"', "50.04"),
        ("100", "1e400", "100.05"),
    ]
    report = _import(bench, record.id, _wide(rows))
    assert report.created == 0
    assert _in_force(bench, record.id) == ()
    assert {(f.at.split("/")[2], f.code) for f in report.findings} == {
        ("3", "decimal-not-finite"),
        ("4", "point-unknown"),
        ("5", "decimal-empty"),
        ("6", "decimal-fullwidth"),
        ("7", "decimal-comma"),
        ("8", "decimal-out-of-range"),
    }


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ("point,reference,speed\n0,0.01,3\n", "column-unknown"),
        ("point,unit\n0,K\n", "column-missing"),
        ("point,input,value,unit\n0,t_ind,273.15,K\n", "unit-unexpected"),
        ("point,input,value,unit\n0,t_ind,0.1,furlong\n", "unit-unexpected"),
        ("point,input,value\n0,t_xyz,0.1\n", "input-unknown"),
        ("point,input,value,stage\n0,t_ind,0.1,later\n", "stage-unknown"),
        ("point,input,value,place\n0,t_ind,0.1,1.5\n", "number-malformed"),
        ("point,input,value,place\n0,t_ind,0.1,0\n", "place-out-of-range"),
        ("point,input,value,place\n0,t_ind,0.1,1\n0,t_ind,0.2,1\n", "reading-twice"),
        ("point,input,value,piece\n0,t_ind,0.1,4\n", "piece-unknown"),
    ],
)
def test_what_the_table_means_is_not_guessed(bench, table, code):
    record = issuing.opened(bench)
    report = _import(bench, record.id, table)
    assert [f.code for f in report.findings] == [code]
    assert report.created == 0


def test_an_import_does_not_write_over_what_was_entered(bench):
    record = issuing.opened(bench)
    with bench.as_(bench.colleague) as ctx:
        readings.enter(ctx, record.id, [issuing.an_entry("0", "0.011")])
    report = _import(bench, record.id, _wide([("0", "0.010", "0.01")]))
    assert [f.code for f in report.findings] == ["reading-changed-meanwhile"]
    assert "Cao entered 0.011" in report.findings[0].text()
    with bench.as_(bench.colleague) as ctx:
        readings.enter(
            ctx, record.id, [issuing.an_entry("0", None, revision=1, reason="from the logger")]
        )
    assert _import(bench, record.id, _wide([("0", "0.010", "0.01")])).created == 2


def _method_of_single_readings() -> Catalogue:
    """Return types with one whose repeatability is on record, so that one reading will do."""
    plain = to_plain(load_catalogue().get(issuing.PROBE))
    measurand = plain["measurands"][0]
    measurand["points"] |= {"readings": 1, "minimum": 2, "high": "330"}
    for component in measurand["components"]:
        if component["evaluate"] == "A":
            component["pooled"] = {"s": "0.003", "dof": "30", "below": 6}
    measurand["fit"]["predict"] = ["30"]
    own = from_plain(InstrumentType, plain | {"id": "thermometer.own_method", "version": "1.0.0"})
    return Catalogue([own])


def _measured(tmp_path, rows, resolution):
    bench = issuing.a_bench(
        f"sqlite+pysqlite:///{tmp_path / 'own.db'}",
        _method_of_single_readings(),
        "thermometer.own_method",
        resolution=resolution,
    )
    record = issuing.opened(bench, points=[row[0] for row in rows])
    assert _import(bench, record.id, _wide(rows)).findings == ()
    with bench.as_(bench.technician) as ctx:
        issuing.note_circumstances(ctx, record.id)
        draft = evaluation.evaluate_draft(ctx, record.id)
    bench.engine.dispose()
    assert draft.result is not None, [f.text() for f in draft.findings]
    return draft.result


def test_the_eleven_readings_of_the_guide_go_in_and_its_line_comes_out(tmp_path):
    rows = [(t, _sum(t, b), t) for t, b in GUM_H3]
    curve = _measured(tmp_path, rows, "0.001").curves[0]
    assert [p.printed for p in curve.parameters] == ["-0.1712(29)", "0.00218(67)"]
    assert curve.predictions[0].printed == "-0.1494(41)"


@pytest.mark.skipif(not PTB.exists(), reason="no PTB examples beside the project")
def test_the_pairs_of_ptbs_certificate_go_in_and_its_errors_come_out(tmp_path):
    table = read_dcc(PTB.read_bytes()).tables[0]
    reference, indication, error = (
        table.column(kind)
        for kind in ("basic_referenceValue", "basic_measuredValue", "basic_measurementError")
    )
    rows = [
        (ref.split(".")[0], ref, ind)
        for ref, ind in zip(_celsius(reference), _celsius(indication), strict=True)
    ]
    assert rows[0] == ("33", "33.098", "33.17")
    result = _measured(tmp_path, rows, "0.01")
    assert tuple(p.printed.error for p in result.points) == error.series[0].values


def _celsius(column):
    return next(s.values for s in column.series if s.unit == "\\degreecelsius")


def _sum(a: str, b: str) -> str:
    """Return the exact sum of two decimals with three places, as text."""
    total = round(int(a.replace(".", "")) + int(b.replace(".", "")))
    return f"{total // 1000}.{total % 1000:03d}"
