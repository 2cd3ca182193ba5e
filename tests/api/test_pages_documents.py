"""Pages, JSON and commands of governing documents."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date

import pytest
from openpyxl import load_workbook

from instruments.catalogue.documents import shipped
from instruments.services import customers, documents
from tests.support import builders, issuing
from tests.support.builders import context_for
from tests.support.door import Door
from tests.support.terminal import Terminal
from tests.support.web import Browser, a_sign_in, an_application

OLD, NEW = "JJF 1171-2007", "JJF 1171-2026"


@pytest.fixture
def door(door_at_terminal: Door) -> Door:
    return door_at_terminal


def certified(door):
    """Return the number of a certificate by the old edition, recorded as ended before."""
    bench = door.bench
    view = issuing.issued(bench, door.store, issuing.authorised(bench))
    with bench.as_(issuing.everybody(bench)) as ctx:
        act = documents.Supersession(
            number=OLD, replaced_by=NEW, source="=1+1", ends_on=date(2026, 2, 28)
        )
        documents.supersede(ctx, act, 0)
    return view.number


PATHS = (
    "/documents",
    "/documents?status=superseded",
    "/documents/record",
    "/documents/record?number=JJF%201107-2003",
    "/documents/comparisons",
    "/documents/JJF%201107-2003",
    "/documents/GB/T%2021417.1-2008",
    *(f"/documents/comparisons/{one.id}" for one in shipped.register().comparisons),
)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("path", PATHS)
def test_every_page_opens_in_both_languages(world, tmp_path, path, language):
    browser = Browser(an_application(world, tmp_path / "data"), a_sign_in(world), language)
    page = browser.get(path)
    assert page.status == 200
    found = page.document.xpath(
        "//main//th[@scope='col'] | //main//h2 | //main//dt | //main//label"
    )
    heads = " ".join(one.text_content() for one in found)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in heads) == (language == "zh")


def test_the_list_is_searched_and_sifted(browser):
    found = browser.get("/documents?text=1107").document.xpath("//tbody//th")
    assert [cell.text_content() for cell in found] == ["JJF 1107-2003"]
    ended = browser.get("/documents?status=superseded").words()
    assert "JJF 1101-2003" in ended
    assert "JJG 1164-2019" not in ended
    assert "No document is found" in browser.get("/documents?text=nothing+like+it").words()


def test_a_document_shows_every_fact_with_its_tag(browser):
    words = browser.get("/documents/JJF%201101-2003").words()
    assert "Superseded" in words
    assert "V2 verified at a secondary source · S26" in words
    assert "26 March 2020 CALC" in words
    editions = browser.get("/documents/JJF%201101-2003").document.xpath("//ol//li")
    assert [e.xpath(".//*[@class='number']")[0].text for e in editions] == [
        "JJF 1101-2003",
        "JJF 1101-2019",
    ]


def test_limits_stand_side_by_side(browser):
    page = browser.get("/documents/comparisons/ear-thermometers")
    rows = [
        [cell.text_content().strip() for cell in row.xpath("./th|./td")][:3]
        for row in page.document.xpath("//tbody/tr")
    ]
    assert ["JJG 1164-2019", "±0.2", "35 ≤ x ≤ 42"] in rows
    assert ["ASTM E1965", "±0.2", "36 ≤ x ≤ 39"] in rows
    assert ["ISO 80601-2-56", "±0.4", "–"] in rows


def test_a_newer_edition_is_recorded_by_its_form(browser):
    page = browser.get("/documents/JJF%201107-2003")
    fields = {"number": "JJF 1107-2003", "version": "0", "replaced_by": "JJF 1107-2026"}
    refused = browser.post("/documents/supersede", **fields)
    assert page.status == 200
    assert refused.status == 422
    assert "source is empty" in refused.problem("source")
    assert refused.document.xpath("//input[@id='replaced_by']/@value") == ["JJF 1107-2026"]
    done = browser.post(
        "/documents/supersede", **fields, source="notice 7", in_force_on="2026-03-01"
    )
    assert done.status == 303
    shown = browser.get(done.location).words()
    assert "Out of force. 0 certificates" in shown
    assert "notice 7" in shown
    again = browser.post("/documents/supersede", **fields, source="notice 8")
    assert "changed by somebody else" in again.words()


def test_a_document_nobody_knew_is_entered(browser):
    given = {"number": "DB 1-2026", "title_zh": "地方规范", "status": "announced", "version": "0"}
    page = browser.post("/documents/record", **given, source="", in_force_on="2026-13-01")
    assert "is no date" in page.problem("in_force_on")
    done = browser.post(
        "/documents/record", **given, source="notice", replaces="X 1\nX 2", in_force_on="2027-01-01"
    )
    assert done.status == 303
    words = browser.get(done.location).words()
    assert "Announced" in words
    assert "地方规范" in words


def test_those_who_only_measure_see_no_form(world, tmp_path):
    token = a_sign_in(world, "technician")
    browser = Browser(an_application(world, tmp_path / "data"), token)
    page = browser.get("/documents/JJF%201107-2003")
    assert page.status == 200
    assert not page.document.xpath("//form[@id='supersede']")
    fields = {"number": "JJF 1107-2003", "version": "0", "replaced_by": "X", "source": "y"}
    assert browser.post("/documents/supersede", **fields).status == 403


def test_people_of_a_customer_find_no_documents(world, tmp_path):
    token = a_sign_in(world, "venue_operator", customer_id=1)
    browser = Browser(an_application(world, tmp_path / "data"), token)
    for path in ("/documents", "/documents/JJF%201107-2003", "/documents/comparisons"):
        assert browser.get(path).status == 403
    assert browser.get("/documents/affected.csv?number=JJF%201107-2003").status == 403


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_affected_are_handed_out_as_a_table(door, kind):
    number = certified(door)
    with door.bench.as_(issuing.everybody(door.bench)) as ctx:
        name = '=HYPERLINK("http://x")'
        customers.update_customer(ctx, door.bench.customer_id, 1, name_en=name, name_zh="")
    answer = door.as_(door.bench.technician).get(f"/documents/affected.{kind}?number={OLD}")
    assert answer.status_code == 200
    if kind == "csv":
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        customer = "'" + name  # a spreadsheet would run it
    else:
        sheet = load_workbook(io.BytesIO(answer.content)).active
        rows = [[cell.value or "" for cell in row] for row in sheet.iter_rows()]
        customer = name  # text, not a formula, in the file itself:
        with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
            assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")
    assert len(rows) == 2
    assert rows[1][:2] == [OLD, number]
    assert rows[1][7] == "yes"
    assert customer in rows[1]


def test_json_lists_shows_and_records(door):
    client = door.as_(issuing.everybody(door.bench))
    found = client.get("/api/v1/documents", params={"text": "1171"}).json()
    assert [one["document"]["number"] for one in found] == [OLD]
    body = {"number": OLD, "replaced_by": NEW, "source": "notice", "in_force_on": "2026-03-01"}
    made = client.post("/api/v1/documents/supersessions", json=body)
    assert made.status_code == 201
    assert made.json()["document"]["ends_on"] == "2026-02-28"
    again = client.post("/api/v1/documents/supersessions", json=body)
    assert (again.status_code, again.json()["code"]) == (409, "changed-meanwhile")
    assert (
        client.get("/api/v1/documents/GB/T 21417.1-2008").json()["document"]["origin"] == "national"
    )
    assert client.get("/api/v1/documents/X 9").status_code == 404
    entered = {"number": "X 9", "title_en": "Nine", "status": "in_force", "source": "copy"}
    assert client.post("/api/v1/documents", json=entered).status_code == 201
    assert client.get("/api/v1/documents/X 9").json()["status"] == "in_force"
    assert client.get("/api/v1/documents/comparisons/none").status_code == 404
    lines = client.get("/api/v1/documents/comparisons/ear-thermometers").json()["lines"]
    assert {"document": "ASTM E1965", "limit": "±0.3"}.items() <= lines[6].items()


def test_json_tells_who_is_affected(door):
    number = certified(door)
    client = door.as_(door.bench.technician)
    use = client.get("/api/v1/documents/affected", params={"number": OLD}).json()
    assert [(c["number"], c["is_after_end"]) for c in use["certificates"]] == [(number, True)]
    assert [p["current"] for p in use["people"]] == [1]


def test_the_page_tells_who_is_affected(door):
    number = certified(door)
    token = door.token(door.bench.technician)
    browser = Browser(door.app, token, "en")
    words = browser.get(f"/documents/{OLD}").words()
    assert "1 certificates that still speak for an item rest on it" in words
    assert "1 issued, 1 of them current, 1 issued after its end." in words
    assert number in words
    assert "after its end" in words
    assert "Ms He" in words


@pytest.fixture
def calib(calib: Terminal, door: Door, monkeypatch) -> Terminal:
    monkeypatch.setenv("CALIB_TOKEN", door.token(issuing.everybody(door.bench)))
    return calib


def test_the_command_line_does_all_of_it(calib, door):
    assert calib.said("document", "list", "1171").startswith(OLD)
    assert calib("document", "list", "--status", "old") == 1
    assert "±0.3" in calib.said("document", "compare", "ear-thermometers")
    assert "ear-thermometers" in calib.said("document", "compare")
    by = ("--by", NEW, "--source", "notice", "--since", "2026-03-01")
    said = calib.said("document", "supersede", OLD, *by)
    assert said.strip() == f"{OLD} -> {NEW}  superseded"
    assert f"{OLD} -> {NEW}" in calib.said("document", "show", OLD)
    issuing.issued(door.bench, door.store, issuing.authorised(door.bench))
    said = calib.said("document", "affected", OLD)
    assert "1 issued, 1 of them current, 1 issued after its end." in said
    use = calib.asked("document", "affected", OLD)
    assert use["certificates"][0]["is_after_end"] is True
    soon = ("--by", "X", "--source", "y", "--since", "soon")
    assert calib("document", "supersede", OLD, *soon) == 3
    assert "'soon'" in calib.err
    assert calib("document", "show", "X 77") == 1


def test_two_labs_do_not_share_what_they_record(world):
    with context_for(world) as ctx:
        documents.supersede(
            ctx, documents.Supersession(number=OLD, replaced_by=NEW, source="notice"), 0
        )
    with context_for(world, lab_id=builders.a_lab(world.engine, "NB")) as ctx:
        assert documents.get_document(ctx, OLD).status == ""


def test_opening_a_record_on_an_ended_edition_says_so(calib, door):
    certified(door)
    bench = door.bench
    with bench.as_(issuing.everybody(bench)) as ctx:
        item = builders.an_instrument(
            ctx, bench.catalogue, model_id=bench.model_id, customer_id=bench.customer_id
        )
        order = builders.an_order(ctx, bench.catalogue, item.id, decision_rule="none")
    said = calib.said("order", "open", order.id)
    assert NEW in calib.err
    record = int(said.split()[0])
    page = Browser(door.app, door.token(bench.technician), "zh").get(f"/calibrations/{record}")
    assert f"{OLD}（" in page.words()
    assert NEW in page.words()
