"""Tables people hand in: every encoding, every bad row named, nothing written by halves."""

from __future__ import annotations

import io
import zipfile

import pytest
import xlsxwriter
from sqlalchemy import event, func, select

from instruments.errors import Invalid, NotAllowed, Refused
from instruments.records.instruments import Instrument, InstrumentStatus
from instruments.services import audit, importing, instruments, standards, tables, workbook
from tests.support.builders import a_customer, a_model, a_site, context_for

CHINESE = "出厂编号,制造单位,型号规格,委托单位,场所,管理编号"
ENGLISH = "Serial Number,Manufacturer,Model,Customer,Site,asset_number"


def row(serial, customer="火车东站", site="一号厅", asset=""):
    return f"{serial},Maker,F-1,{customer},{site},{asset}"


def table(*rows, heading=CHINESE):
    return "\n".join((heading, *rows)).encode()


@pytest.fixture
def stocked(place):
    """Return an installation with the model, the customer and the site the tables name."""
    with context_for(place) as ctx:
        a_model(ctx, place.catalogue, model="F-1")
        a_site(ctx, a_customer(ctx).id)
    return place


def run(place, content, *, dry_run=False, partial=False, filename="list.csv"):
    with context_for(place) as ctx:
        return importing.import_instruments(
            ctx, content, filename, catalogue=place.catalogue, dry_run=dry_run, partial=partial
        )


def count(place):
    with context_for(place, read_only=True) as ctx:
        return ctx.session.scalar(select(func.count(Instrument.id)))


def workbook_of(*rows, cells=None):
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target)
    sheet = book.add_worksheet()
    for y, cells_of_row in enumerate(rows):
        sheet.write_row(y, 0, cells_of_row)
    for (y, x), value in (cells or {}).items():
        sheet.write(y, x, value)
    book.close()
    return target.getvalue()


@pytest.mark.parametrize(
    "heading",
    [CHINESE, ENGLISH, "serial，maker".replace("，", ",") + ",型号,customer,SITE,管理编号"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_headings_in_both_languages_and_every_encoding(stocked, heading, encoding):
    content = table(row("A1", asset="G1"), row("A2"), heading=heading).decode().encode(encoding)
    report = run(stocked, content)
    assert report == importing.ImportReport(2, 2, ())
    with context_for(stocked) as ctx:
        found = instruments.find_instruments(ctx)
        assert [(i.serial, i.asset_number, i.barcode, i.status) for i in found] == [
            ("A1", "G1", "HZ0000001", "in_service"),
            ("A2", "", "HZ0000002", "in_service"),
        ]
        assert found[0].site is not None
        assert audit.check_chain(ctx.session, ctx.lab_id) == ()


def test_dry_run_writes_nothing_and_says_the_same(stocked):
    content = table(row("A1"), row("A1"))
    dry = run(stocked, content, dry_run=True)
    wet = run(stocked, content)
    assert dry.findings == wet.findings
    assert [f.at for f in dry.findings] == ["/rows/3/serial"]
    assert count(stocked) == 0
    assert run(stocked, table(row("A1")), dry_run=True).created == 0
    assert count(stocked) == 0


def test_dry_run_takes_no_number(stocked):
    run(stocked, table(row("A1")), dry_run=True)
    run(stocked, table(row("A1")))
    with context_for(stocked) as ctx:
        assert instruments.find_instruments(ctx)[0].barcode == "HZ0000001"


def test_good_rows_are_written_only_when_asked_for(stocked):
    content = table(row("A1"), row("Ａ2"), row("A3"))
    assert run(stocked, content).created == 0
    report = run(stocked, content, partial=True)
    assert (report.rows, report.created) == (3, 2)
    assert count(stocked) == 2


@pytest.mark.parametrize(
    ("bad", "column", "code"),
    [
        (row(" "), "serial", "field-empty"),
        (row("A\u200b1"), "serial", "text-deceptive"),
        (row("A1", customer="西站"), "customer", "name-not-registered"),
        (row("A1", site="二号厅"), "site", "name-not-registered"),
        (row("A1").replace("F-1", "F-2"), "model", "model-not-registered"),
        (row("A1", asset="Ｇ1"), "asset_number", "text-deceptive"),
    ],
)
def test_bad_row_is_named_with_its_column(stocked, bad, column, code):
    report = run(stocked, table(row("OK1"), bad))
    assert [(f.code, f.at) for f in report.findings] == [(code, f"/rows/3/{column}")]
    assert report.findings[0].facts["row"] == 3
    assert report.findings[0].facts["column"] in CHINESE.split(",")
    assert count(stocked) == 0


def test_serial_of_a_registered_instrument_names_it(stocked):
    run(stocked, table(row("A1")))
    report = run(stocked, table(row("A1")))
    assert "HZ0000001" in report.findings[0].text()


def test_pieces_interval_and_barcode_are_read(stocked):
    heading = CHINESE + ",数量,复校时间间隔（月）,条码"
    good = run(stocked, table(row("A1") + ",1,12,X-1", heading=heading))
    assert good.created == 1
    bad = table(
        row("B1") + ",2,,",
        row("B2") + ",１,,",
        row("B3") + ",,1.5,",
        row("B4") + ",,999,",
        row("B5") + ",,,X-1",
        heading=heading,
    )
    assert [(f.code, f.at) for f in run(stocked, bad).findings] == [
        ("model-without-lots", "/rows/2/pieces"),
        ("whole-number-expected", "/rows/3/pieces"),
        ("whole-number-expected", "/rows/4/interval_months"),
        ("field-out-of-range", "/rows/5/interval_months"),
        ("barcode-in-use", "/rows/6/barcode"),
    ]


def test_barcode_in_the_file_is_skipped_by_the_series(stocked):
    heading = CHINESE + ",条码"
    report = run(stocked, table(row("A1") + ",HZ0000001", row("A2") + ",", heading=heading))
    assert report.created == 2
    with context_for(stocked) as ctx:
        assert [i.barcode for i in instruments.find_instruments(ctx)] == ["HZ0000001", "HZ0000002"]


def test_two_customers_of_one_name_are_told_apart_by_people(stocked):
    with context_for(stocked) as ctx:
        a_customer(ctx)
    assert run(stocked, table(row("A1"))).findings[0].code == "name-ambiguous"


def test_unknown_column_is_reported_and_a_missing_one_refused(stocked):
    report = run(stocked, table(row("A1") + ",red", heading=CHINESE + ",colour"))
    assert [(f.code, f.severity) for f in report.findings] == [("column-unknown", "warning")]
    assert report.created == 1
    with pytest.raises(Invalid, match="制造单位"):
        run(stocked, table("A1,F-1", heading="serial,model"))
    with pytest.raises(Invalid) as caught:
        run(stocked, table(row("A1") + ",A1", heading=CHINESE + ",serial"))
    assert caught.value.code == "column-twice"


def test_empty_rows_count_for_the_numbering_only(stocked):
    report = run(stocked, table(row("A1"), ",,,,,", row(" "), "", ""))
    assert report.rows == 2
    assert report.findings[0].at == "/rows/4/serial"


def test_workbook_is_read_as_text(stocked):
    content = workbook_of(
        CHINESE.split(","),
        ["A1", "Maker", "F-1", "火车东站", "一号厅", 17],
        ["A2", "Maker", "F-1", "火车东站", "一号厅", 36.6],
    )
    assert run(stocked, content, filename="list.xlsx").created == 2
    with context_for(stocked) as ctx:
        assert [i.asset_number for i in instruments.find_instruments(ctx)] == ["17", "36.6"]


def test_formula_gives_the_value_it_shows_as_text():
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["a", "b"])
    sheet.write_formula(1, 0, "=1+1", value=2)
    sheet.write_string(1, 1, "=cmd|' /C calc'!A0")
    book.close()
    assert tables.read_table(target.getvalue(), "f.xlsx") == [{"a": "2", "b": "=cmd|' /C calc'!A0"}]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (20.1, "20.1"),
        (37.0, "37"),
        (1e-7, "0.0000001"),
        (1e22, "10000000000000000000000"),
        (True, "TRUE"),
        ("20.10", "20.10"),
        ("", ""),
    ],
)
def test_cell_becomes_the_text_a_person_would_type(cell, shown):
    assert workbook.cell_text(cell) == shown


def test_workbook_with_a_cell_at_the_end_of_the_world_is_refused():
    with pytest.raises(Refused) as caught:
        tables.read_table(workbook_of(["a"], cells={(1_048_575, 16_383): 1}), "far.xlsx")
    assert caught.value.code == "table-too-large"


def test_bomb_is_refused_before_it_is_unfolded():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * 50_000_000)
    with pytest.raises(Refused, match="unfolds"):
        tables.read_table(target.getvalue(), "bomb.xlsx")


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "table-empty"),
        (CHINESE.encode(), "table-empty"),
        (b"PK\x03\x04 no archive", "table-unreadable"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "table-unreadable"),
        (b"a,b\n\xff\xff,\x81\xff", "table-unreadable"),
        (b"a,b\n1,\0", "table-unreadable"),
        (b'a,b\n"1,2', "table-malformed"),
        (b"a,a\n1,2", "table-headings"),
        (b",\n1,2", "table-headings"),
        (b"a,b\n1,2,3", "table-ragged"),
    ],
)
def test_unreadable_file_is_refused_with_the_reason(content, error):
    with pytest.raises(Invalid) as caught:
        tables.read_table(content, "x.csv")
    assert caught.value.code == error


def test_workbook_that_is_none_is_refused():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        packed.writestr("hello.txt", "hello")
    with pytest.raises(Invalid, match="no workbook"):
        tables.read_table(target.getvalue(), "x.xlsx")


def test_limits_of_size_and_rows(monkeypatch):
    with pytest.raises(Refused):
        tables.read_table(b"a\n" + b"1" * tables.MAX_BYTES, "big.csv")
    monkeypatch.setattr(tables, "MAX_ROWS", 3)
    assert len(tables.read_table(b"a\n1\n2\n3", "x.csv")) == 3
    with pytest.raises(Refused):
        tables.read_table(b"a\n1\n2\n3\n4", "x.csv")
    with pytest.raises(Refused):
        tables.read_table(workbook_of(["a"], [1], [2], [3], [4]), "x.xlsx")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separator_is_found_and_quoted_text_may_hold_it(separator):
    content = f'a{separator}b\n"x{separator}y"{separator}2'.encode()
    assert tables.read_table(content, "x.csv") == [{"a": f"x{separator}y", "b": "2"}]


def test_hundred_thousand_rows_with_three_bad_ones(stocked):
    rows = [row(f"A{n:06d}") for n in range(100_000)]
    rows[50] = row("A000049")
    rows[70_000] = row("Ａ070000")
    rows[99_999] = row("A099999", customer="西站")
    report = run(stocked, table(*rows))
    assert [(f.code, f.at) for f in report.findings] == [
        ("serial-registered", "/rows/52/serial"),
        ("text-deceptive", "/rows/70002/serial"),
        ("name-not-registered", "/rows/100001/customer"),
    ]
    assert (report.rows, report.created, count(stocked)) == (100_000, 0, 0)


def test_look_ups_do_not_grow_with_the_rows(stocked):
    seen = []
    event.listen(stocked.engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
    asked = []
    for rows in (1, 50):
        seen.clear()
        run(stocked, table(*(row(f"{rows}-{n}") for n in range(rows))))
        asked.append(sum(s.lstrip().startswith("SELECT") for s in seen))
    # the second finds its number series and trail in place, so it may ask less
    assert asked[1] <= asked[0]


def test_every_imported_instrument_has_a_status_and_the_import_one_trail_row(stocked):
    run(stocked, table(*(row(f"A{n}") for n in range(5))))
    with context_for(stocked) as ctx:
        assert ctx.session.scalar(select(func.count(InstrumentStatus.id))) == 5
        events = select(audit.AuditEvent).where(
            audit.AuditEvent.act == "registry:instruments:import"
        )
        event_row = ctx.session.scalars(events).one()
        assert event_row.facts["created"] == 5
        assert event_row.facts["file"] == "list.csv"


def test_many_findings_are_cut_with_a_word(stocked):
    report = run(stocked, table(*(row(" ") for _ in range(1003))))
    assert len(report.findings) == importing.MAX_FINDINGS + 1
    assert report.findings[-1].facts["count"] == 3


def test_operator_may_not_import(stocked):
    with context_for(stocked, "venue_operator", customer_id=1) as ctx, pytest.raises(NotAllowed):
        importing.import_instruments(
            ctx, table(row("A1")), "x.csv", catalogue=stocked.catalogue, dry_run=True
        )


STANDARDS = "标准器编号,名称,制造单位,型号规格,出厂编号,量,单位\n"


def test_standards_are_imported_all_or_none(place):
    good = STANDARDS + "S-1,黑体辐射源,M,B-1,1,temperature,degC\n"
    bad = good + "S-1,黑体辐射源,M,B-1,2,temperature,degC\nS-3,黑体,M,B,3,temperature,kPa\n"
    with context_for(place) as ctx:
        report = importing.import_standards(ctx, bad.encode(), "s.csv", dry_run=False)
        assert (report.rows, report.created) == (3, 0)
        assert [(f.code, f.at) for f in report.findings] == [
            ("standard-code-taken", "/rows/3/code"),
            ("field-unknown-choice", "/rows/4/unit"),
        ]
        assert standards.list_standards(ctx) == ()
        dry = importing.import_standards(ctx, good.encode(), "s.csv", dry_run=True)
        assert (dry.created, dry.findings, standards.list_standards(ctx)) == (0, (), ())
        part = importing.import_standards(ctx, bad.encode(), "s.csv", dry_run=False, partial=True)
        assert part.created == 1
        assert [s.code for s in standards.list_standards(ctx)] == ["S-1"]
        assert audit.check_chain(ctx.session, ctx.lab_id) == ()
