"""One order from a table: every row as it was understood, then all of them or none, and once."""

from __future__ import annotations

import io

import openpyxl
import pytest
from sqlalchemy import event

from instruments.services import instruments, orders
from tests.support.builders import a_customer, a_model, an_instrument, context_for
from tests.support.web import Browser, a_sign_in

HEADINGS = "request,label,maker,model,serial,site,points"


def table(*rows, headings=HEADINGS):
    return {"file": ("list.csv", "\n".join((headings, *rows)).encode(), "text/csv")}


@pytest.fixture
def stocked(world):
    """Return a second instrument of the customer, of a model with a name."""
    with context_for(world) as ctx:
        model = a_model(ctx, world.catalogue, maker="Haikang", model="HT-82")
        return an_instrument(
            ctx, world.catalogue, model_id=model.id, customer_id=1, site_id=1, serial="A-1"
        )


@pytest.fixture
def operator(app, world):
    return Browser(app, a_sign_in(world, "venue_operator", customer_id=1))


def read(browser, *rows, headings=HEADINGS, **fields):
    page = browser.get("/orders/bulk?customer_id=1")
    return browser.send(page, table(*rows, headings=headings), decision_rule="simple", **fields)


def sure(page):
    """Return what the button under the rows sends."""
    form = next(f for f in page.document.xpath("//main//form") if f.xpath(".//input[@name='sure']"))
    return {field.get("name"): field.get("value") for field in form.xpath(".//input")}


def rows_of(page):
    found = page.document.xpath("//tbody/tr")
    return {
        int(row.xpath("./th")[0].text_content()): " ".join(row.text_content().split())
        for row in found
    }


def all_of(world):
    with context_for(world) as ctx:
        return orders.list_orders(ctx), instruments.find_instruments(ctx, customer_id=1)


def test_rows_are_shown_as_understood_and_nothing_is_stored(operator, world, stocked):
    before = all_of(world)
    page = read(
        operator,
        f"yes,{stocked.barcode},,,,,",
        ",,haikang,HT 82,B-7,一号厅,35 37 41",
        "no,,Haikang,HT-82,C-9,,",
    )
    assert page.status == 200
    told = rows_of(page)
    assert "registered" in told[2]
    assert "A-1" in told[2]
    assert "will be registered" in told[3]
    assert "35 · 37 · 41" in told[3]
    assert "Hall 1" in told[3]
    assert "left out" in told[4]
    assert "2 instruments go into one order" in page.words()
    assert all_of(world) == before


def test_all_rows_become_one_order_and_a_second_press_none(operator, world, stocked):
    page = read(operator, f",{stocked.barcode},,,,,", ",,Haikang,HT-82,B-7,,35 37 41")
    sent = sure(page)
    first, second = (operator.post("/orders/bulk", None, **sent) for _ in range(2))
    assert first.status == 303, first.words()
    assert second.location == first.location
    found, held = all_of(world)
    made = found[0]
    assert len(found) == 2
    assert [line.instrument.serial for line in made.lines] == ["A-1", "B-7"]
    assert made.lines[1].points == {"temperature": ("35", "37", "41")}
    new = next(item for item in held if item.serial == "B-7")
    assert (new.status, new.barcode != "") == ("in_service", True)


def test_mistakes_stand_at_their_rows_and_keep_everything_back(operator, world, stocked):
    before = all_of(world)
    page = read(
        operator,
        ",NO-SUCH,,,,,",
        f",{stocked.barcode},,,A-2,,",
        ",,Nobody,X,B-1,,",
        ",,Haikang,HT-82,B-2,Hall 9,",
        "perhaps,,Haikang,HT-82,B-3,,",
        ",,Haikang,HT-82,B-4,,99",
        ",,Haikang,HT-82,B-5,,",
        ",,Haikang,HT-82,B-5,,",
    )
    told = rows_of(page)
    assert "label: No instrument of this customer has the label NO-SUCH" in told[2]
    assert "serial: Got A-2, expected A-1" in told[3]
    assert "model: The laboratory knows no model Nobody X" in told[4]
    assert "site: Got Hall 9, expected the name of one site of this customer (Hall 1)" in told[5]
    assert "request: Got perhaps, expected yes or no" in told[6]
    assert "points: " in told[7]
    assert "will be registered" in told[8]
    assert "Row 8 names the same instrument" in told[9]
    assert "7 rows have a mistake" in page.words()
    assert not page.document.xpath("//input[@name='sure']")
    assert all_of(world) == before


def test_a_table_that_went_wrong_meanwhile_stores_nothing(operator, world, stocked):
    page = read(operator, ",,Haikang,HT-82,B-7,,", f",{stocked.barcode},,,,,")
    with context_for(world) as ctx:
        other = a_customer(ctx, name_en="Elsewhere", name_zh="别处")
        an_instrument(
            ctx, world.catalogue, model_id=stocked.model_id, customer_id=other.id, serial="B-7"
        )
    before = all_of(world)
    again = operator.post("/orders/bulk", None, **sure(page))
    assert again.status == 200
    assert "registered for somebody else" in rows_of(again)[2]
    assert all_of(world) == before


def test_a_serial_of_somebody_else_tells_nothing_of_them(operator, world, stocked):
    with context_for(world) as ctx:
        other = a_customer(ctx, name_en="Elsewhere", name_zh="别处")
        theirs = an_instrument(
            ctx, world.catalogue, model_id=stocked.model_id, customer_id=other.id, serial="Z-1"
        )
    page = read(operator, ",,Haikang,HT-82,Z-1,,", f",{theirs.barcode},,,,,")
    assert "Elsewhere" not in page.text
    assert page.text.count(theirs.barcode) == 2  # as it was typed: in its row and what is said


def test_the_register_is_not_changed_and_the_row_says_so(operator, stocked):
    page = read(operator, f"{stocked.barcode},Cellar", headings="label,location")
    assert "The register says –, the row says Cellar" in rows_of(page)[2]


def test_whose_role_does_not_register_orders_registered_ones_only(app, world, stocked):
    reviewer = Browser(app, a_sign_in(world, "reviewer"))
    page = read(reviewer, ",,Haikang,HT-82,B-7,,", f",{stocked.barcode},,,,,")
    assert "registered" in rows_of(page)[3]
    assert "has a mistake" in rows_of(page)[2]


def test_the_head_is_held_to_the_rules_of_any_order(operator):
    page = operator.send(operator.get("/orders/bulk"), table(",,Haikang,HT-82,B,,"))
    assert page.status == 422
    assert "No decision rule is agreed" in page.problem("decision_rule")


def test_the_template_is_read_back_as_it_is(operator, world, stocked):
    with context_for(world) as ctx:
        an_instrument(ctx, world.catalogue, model_id=stocked.model_id, customer_id=1, serial="=1+1")
    for kind in ("xlsx", "csv"):
        content = operator.client.get(f"/orders/bulk/template.{kind}").content
        page = operator.send(
            operator.get("/orders/bulk"),
            {"file": (f"request.{kind}", content)},
            decision_rule="simple",
        )
        told = rows_of(page)
        assert len(told) == 3, kind
        assert all("registered" in row and "register says" not in row for row in told.values())
        assert "=1+1" in told[4]


def test_the_template_speaks_the_language_of_its_reader(app, world, stocked):
    browser = Browser(app, a_sign_in(world, "venue_operator", customer_id=1), "zh")
    content = browser.client.get("/orders/bulk/template.xlsx?empty=1").content
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert len(book.worksheets) == 2
    headings = [cell.value for cell in book.worksheets[0][1]]
    assert headings[0] == "送检"
    assert book.worksheets[0].max_row == 1


def test_nobody_reads_the_template_of_another_customer(operator, world, stocked):
    with context_for(world) as ctx:
        other = a_customer(ctx, name_en="Elsewhere", name_zh="别处")
        an_instrument(
            ctx, world.catalogue, model_id=stocked.model_id, customer_id=other.id, serial="Z-1"
        )
    content = operator.client.get(f"/orders/bulk/template.csv?customer_id={other.id}").text
    assert "Z-1" not in content
    assert "A-1" in content


def test_many_rows_cost_as_many_statements_as_few(operator, world, stocked):
    def statements(count):
        seen = []
        listen = lambda *args: seen.append(args[2])  # noqa: E731
        event.listen(world.engine, "before_cursor_execute", listen)
        page = read(operator, *(f",,Haikang,HT-82,N-{count}-{n},,35 37 41" for n in range(count)))
        event.remove(world.engine, "before_cursor_execute", listen)
        assert f"{count} instruments go into one order" in page.words()
        return len(seen)

    assert statements(300) == statements(2)


def test_a_table_stays_when_something_beside_it_is_refused(operator, stocked, world):
    page = operator.get("/orders/bulk?customer_id=1")
    row = f"yes,{stocked.barcode},,,,,"
    refused = operator.send(page, table(row), decision_rule="")
    assert refused.status == 422
    assert "list.csv is still here" in refused.words()
    read_again = operator.send(refused, decision_rule="simple")
    assert list(rows_of(read_again)) == [2]
    other = operator.send(refused, table(row, row.replace("yes", "no")), decision_rule="simple")
    assert len(rows_of(other)) == 2
