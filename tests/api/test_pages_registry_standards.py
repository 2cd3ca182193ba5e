from __future__ import annotations

import io
from datetime import date

import pytest
import xlsxwriter

from instruments.services import instruments, standards
from tests.support.builders import a_certificate, a_standard, context_for
from tests.support.dcc_files import document
from tests.support.web import Browser, a_sign_in, an_application

HEAD = {
    "number": "C-77",
    "issuer": "National Institute",
    "calibrated_on": "2026-02-01",
    "valid_until": "2027-01-31",
}


def line(number, *values):
    names = ("indication", "reference", "U", "k", "dof")
    return {f"values/{number}/{n}": v for n, v in zip(names, values, strict=False)}


@pytest.mark.parametrize(
    ("valid_until", "words"),
    [
        (date(2027, 1, 1), "valid until 2027-01-01"),
        (None, "valid, no end stated"),
        (date(2026, 4, 1), "ends on 2026-04-01"),
        (date(2026, 3, 2), "ends on 2026-03-02"),
        (date(2026, 3, 1), "ended on 2026-03-01"),
    ],
)
def test_the_badge_says_what_a_certificate_is_worth_today(browser, world, valid_until, words):
    with context_for(world) as ctx:
        a_standard(ctx, a_certificate(valid_until=valid_until), code="S-900")
    row = browser.get("/standards").document.xpath("//tr[.//a[text()='S-900']]")[0]
    assert words in " ".join(row.text_content().split())


def test_a_standard_is_registered_and_without_certificate_says_so(browser):
    page = browser.send(browser.get("/standards/new"), code="S-1", name_en="Bath")
    assert "serial is empty" in page.problem("serial")
    done = browser.send(page, serial="B1", unit="temperature K")
    shown = browser.get(done.location).words()
    assert "no certificate" in shown
    assert "nothing can be calibrated with this standard" in shown


def test_a_certificate_is_typed_with_all_its_digits(browser):
    form = browser.get("/standards/1/certificates/new")
    done = browser.send(
        form,
        **HEAD,
        **line(0, "37.0", "37.010", "0.060", "2.00", "50"),
        **line(3, "35.0", "35.02", "0.06", "2"),
    )
    assert done.status == 303
    page = browser.get(done.location)
    rows = [
        [cell.text_content() for cell in row.xpath("./td")]
        for row in page.document.xpath("//section[.//h3[contains(., 'C-77')]]//tbody/tr")
    ]
    assert rows == [
        ["35.0", "35.02", "0.06", "2", "∞"],
        ["37.0", "37.010", "0.060", "2.00", "50"],
    ]


def test_every_wrong_line_is_told_at_its_place_and_nothing_is_lost(browser, world):
    form = browser.get("/standards/1/certificates/new")
    page = browser.send(
        form,
        **HEAD | {"number": ""},
        **line(1, "35.0", "35.02", "0.06", "2"),
        **line(4, "37.0", "", "0", "2"),
    )
    assert page.status == 422
    assert "number is empty" in page.problem("number")
    assert page.problem("values/1/reference")
    assert "must be greater than zero" in page.problem("values/1/U")
    assert not page.problem("values/0/U")
    kept = page.fields()
    assert kept["values/0/reference"] == "35.02"
    assert kept["values/1/indication"] == "37.0"
    with context_for(world) as ctx:
        assert len(standards.get_standard(ctx, 1).certificates) == 1


def test_more_lines_keep_what_was_typed(browser):
    form = browser.get("/standards/1/certificates/new")
    page = browser.send(form, more="1", **HEAD, **line(5, "35.0", "35.02", "0.06", "2"))
    kept = page.fields()
    assert (kept["number"], kept["values/0/reference"]) == ("C-77", "35.02")
    assert "values/10/reference" in kept


def test_a_correction_is_a_new_edition_with_a_reason(browser, world):
    form = browser.get("/standards/1/certificates/new?replaces=1")
    assert form.fields()["values/0/reference"] == "35.02"
    refused = browser.send(form, **{"values/0/reference": "35.03"})
    assert "reason is empty" in refused.problem("reason")
    assert browser.send(refused, reason="misread").status == 303
    page = browser.get("/standards/1").words()
    assert "edition 2" in page
    assert "replaced by a newer edition" in page
    with context_for(world) as ctx:
        newest, oldest = standards.get_standard(ctx, 1).certificates
    assert (newest.values[0].reference, oldest.values[0].reference) == ("35.03", "35.02")


def test_two_people_correct_one_standard(browser, world):
    form = browser.get("/standards/1/edit")
    with context_for(world) as ctx:
        standards.update_standard(ctx, 1, 1, maker="Theirs")
    page = browser.send(form, maker="Mine")
    assert "Theirs" in page.document.get_element_by_id("maker-theirs").text_content()
    assert page.document.xpath("//*[@id='unit-theirs']") == []
    assert browser.send(page).status == 303


def test_a_dcc_file_is_shown_first_and_entered_on_the_second_press(browser, world):
    path = "/standards/1/certificates/dcc"
    shown = browser.send(browser.get(path), {"file": ("n1.xml", document(), "application/xml")})
    assert shown.status == 200
    assert "10.00" in shown.words()
    assert "Make sure that it is the same instrument" in shown.words()
    with context_for(world) as ctx:
        assert len(standards.get_standard(ctx, 1).certificates) == 1
    form = shown.document.xpath("//form[.//input[@name='kept']]")[0]
    kept = {f.get("name"): f.get("value") for f in form.xpath(".//input[@type='hidden']")}
    done = browser.post(path, sure="1", valid_until="2027-01-31", **kept)
    assert done.status == 303
    with context_for(world) as ctx:
        entered = [c for c in standards.get_standard(ctx, 1).certificates if c.origin == "dcc"]
    assert [(c.valid_until, len(c.values)) for c in entered] == [(date(2027, 1, 31), 2)]


@pytest.mark.parametrize("content", [b"", b"<a/>", b"\x00\xff"])
def test_a_file_that_is_no_dcc_is_refused_in_words(browser, content):
    path = "/standards/1/certificates/dcc"
    page = browser.send(browser.get(path), {"file": ("n1.xml", content, "application/xml")})
    assert page.status == 422
    assert "Nothing was saved yet" in page.words()


def test_a_damaged_kept_file_is_refused(browser):
    page = browser.post("/standards/1/certificates/dcc", kept="%%%", name="x.xml", sure="1")
    assert "Choose it again" in page.words()


TABLE = "serial,maker,model,customer\nN1,Maker,{model},East Railway Station\n{rest}"


def model_of(world):
    with context_for(world) as ctx:
        return instruments.get_instrument(ctx, 1).model


def count(world):
    with context_for(world) as ctx:
        return len(instruments.find_instruments(ctx))


def test_an_import_shows_first_and_writes_on_the_second_press(browser, world):
    table = TABLE.format(model=model_of(world), rest="").encode("gb18030")
    page = browser.send(browser.get("/instruments/import"), {"file": ("list.csv", table)})
    assert "1 rows were read and can be imported" in page.words()
    assert count(world) == 1
    done = browser.post("/instruments/import", **kept_of(page))
    assert done.location == "/instruments?done=imported"
    assert count(world) == 2


def test_findings_name_row_and_column_and_only_the_good_rows_are_imported(browser, world):
    model = model_of(world)
    table = TABLE.format(model=model, rest=f"N2,Maker,{model},Nobody\n").encode()
    page = browser.send(browser.get("/instruments/import"), {"file": ("list.csv", table)})
    cells = page.document.xpath("//table/tbody/tr/td")
    assert [cell.text_content() for cell in cells[:2]] == ["3", "customer"]
    assert "Nobody" in cells[2].text_content()
    done = browser.post("/instruments/import", **kept_of(page), partial="1")
    assert done.status == 303
    assert count(world) == 2


def test_a_table_without_a_needed_column_is_refused(browser):
    page = browser.send(browser.get("/instruments/import"), {"file": ("list.csv", b"serial\n1\n")})
    assert page.status == 422
    assert "column maker is missing" in page.words()


def test_no_file_is_told_beside_the_field(browser):
    page = browser.post("/instruments/import")
    assert "No file is chosen" in page.problem("file")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", ["instruments", "standards"])
def test_the_empty_table_is_understood_by_the_import(world, tmp_path, kind, language):
    browser = Browser(an_application(world, tmp_path / "data"), a_sign_in(world), language)
    template = browser.client.get(f"/{kind}/import/template.csv").content
    values = template.decode("utf-8-sig").strip().split(",")
    row = ",".join("1" for _ in values).encode()
    page = browser.send(
        browser.get(f"/{kind}/import"), {"file": ("t.csv", template.strip() + b"\n" + row)}
    )
    assert page.status == 200
    assert "column-" not in page.text
    unknown = {"en": "is not known and was left out", "zh": "未识别"}[language]
    assert unknown not in page.words()


def test_a_workbook_is_read_too(browser, world):
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["出厂编号", "制造单位", "型号规格", "委托单位"])
        sheet.write_row(1, 0, ["N7", "Maker", model_of(world), "火车东站"])
    page = browser.send(browser.get("/instruments/import"), {"file": ("l.xlsx", file.getvalue())})
    assert browser.post("/instruments/import", **kept_of(page)).status == 303
    assert count(world) == 2


def kept_of(page):
    form = page.document.xpath("//form[.//input[@name='kept']]")[0]
    return {f.get("name"): f.get("value") for f in form.xpath(".//input[@type='hidden']")}
