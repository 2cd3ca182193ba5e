from __future__ import annotations

from calib.services import lookup
from instruments.services import orders
from tests.support.builders import a_customer, a_model, an_instrument, context_for
from tests.support.issuing import a_bench, authorised, issued
from tests.support.web import Browser, a_sign_in, an_application


def order(world, order_id):
    with context_for(world) as ctx:
        return orders.get_order(ctx, order_id)


def request(browser, **fields):
    form = browser.get("/orders/new?customer_id=1&chosen=1")
    return browser.send(form, **{"decision_rule": "simple", **fields})


def done_stations(page):
    found = page.document.xpath("//ol[@class='stations']/li[@class='done']/span")
    return [element.text_content() for element in found]


def test_the_whole_way_from_request_to_the_bench(browser, world):
    made = request(
        browser, fee="120.00", fee_waiver="small firm", print_due="1", interval_months="12"
    )
    path = made.location.partition("?")[0]
    page = browser.get(path)
    assert done_stations(page) == ["Requested"]
    assert "120.00" in page.words()
    assert browser.post(f"{path}/accept", version="1").status == 303
    page = browser.get(path)
    assert done_stations(page) == ["Requested", "Accepted"]
    line = order(world, 2).lines[0].id
    assert browser.post(f"{path}/receive", line=str(line), condition="undamaged").status == 303
    page = browser.get(path)
    assert done_stations(page) == ["Requested", "Accepted", "Received"]
    started = browser.post(f"{path}/lines/{line}/start")
    assert started.location == "/calibrations/1"
    assert "Being measured" in browser.get(path).words()
    version = order(world, 2).version
    assert browser.post(f"{path}/give-back", version=version, line=str(line)).status == 303
    assert order(world, 2).state == "returned"


def test_a_refused_order_keeps_every_choice(browser):
    page = request(
        browser,
        decision_rule="guard_rU",
        decision_parameter="9",
        print_due="1",
        language="en",
        remark="urgent",
    )
    assert page.status == 422
    assert "needs a parameter from -1 to 3, got 9" in page.problem("decision_parameter")
    kept = page.fields()
    assert kept["chosen"] == "1"
    assert kept["decision_rule"] == "guard_rU"
    assert (kept["print_due"], kept["language"], kept["remark"]) == ("1", "en", "urgent")


def test_a_due_date_without_an_agreed_interval_is_refused_with_its_clause(browser):
    page = request(browser, print_due="1")
    assert "ISO/IEC 17025:2017 7.8.4.3" in page.problem("interval_months")


def test_no_rule_and_no_instrument_are_told(browser):
    assert "No decision rule is agreed" in request(browser, decision_rule="").problem(
        "decision_rule"
    )
    page = browser.send(browser.get("/orders/new?customer_id=1"), decision_rule="simple")
    assert page.status == 422
    assert "names no instrument" in page.words()


def test_wishes_are_kept_per_instrument_and_their_problems_stand_beside_them(browser, world):
    form = browser.get("/orders/new?customer_id=1&chosen=1")
    page = browser.send(form, details="1", decision_rule="simple")
    wish = "wish/1"
    assert f"{wish}/points/temperature" in page.fields()
    wrong = browser.send(
        page,
        **{
            f"{wish}/points/temperature": "35.0 99 41.0",
            f"{wish}/limits/temperature/lower": "-0.2",
        },
    )
    assert "99" in wrong.problem(f"{wish}/points/temperature")
    assert wrong.fields()[f"{wish}/limits/temperature/lower"] == "-0.2"
    made = browser.send(
        wrong,
        **{
            f"{wish}/points/temperature": "35.0; 37.00、41.0",
            f"{wish}/limits/temperature/upper": "0.3",
        },
    )
    assert made.status == 303
    line = order(world, 2).lines[0]
    assert line.points["temperature"] == ("35.0", "37.00", "41.0")
    assert [(limit.lower, limit.upper) for limit in line.customer_limits["temperature"]] == [
        ("-0.2", "0.3")
    ]
    assert "35.0 · 37.00 · 41.0" in browser.get(made.location).words()


def test_problems_of_a_line_name_the_right_instrument(browser, world):
    with context_for(world) as ctx:
        second = an_instrument(ctx, world.catalogue, model_id=1, customer_id=1)
    form = browser.get(f"/orders/new?customer_id=1&chosen=1&chosen={second.id}")
    page = browser.send(form, details="1", decision_rule="simple")
    name = f"wish/{second.id}/limits/temperature/lower"
    wrong = browser.send(page, **{name: "abc"})
    assert wrong.problem(name)
    assert not wrong.problem("wish/1/limits/temperature/lower")


def test_a_verification_is_judged_by_its_regulation(browser, world):
    with context_for(world) as ctx:
        model = a_model(ctx, world.catalogue, type_id="thermometer.glass_clinical", resolution={})
        item = an_instrument(ctx, world.catalogue, model_id=model.id, customer_id=1)
    form = browser.get(f"/orders/new?customer_id=1&chosen={item.id}")
    page = browser.send(form, kind="verification")
    assert "verification_kind" in page.problem("verification_kind")
    made = browser.send(page, verification_kind="initial")
    assert made.status == 303
    assert order(world, 2).decision_rule == "regulation"
    assert order(world, 2).lines[0].verification_kind == "initial"


def test_finding_among_many_keeps_the_ticked_ones(browser, world):
    with context_for(world) as ctx:
        an_instrument(ctx, world.catalogue, model_id=1, customer_id=1, serial="ZZ9")
    page = browser.send(browser.get("/orders/new?customer_id=1&chosen=1"), find="1", text="ZZ9")
    assert page.fields()["chosen"] == "1"
    assert "ZZ9" in page.words()


def test_the_customer_is_chosen_first(browser):
    page = browser.get("/orders/new")
    options = page.document.xpath("//select[@id='customer_id']/option/@value")
    assert options == ["", "1"]


def test_a_venue_operator_orders_for_the_own_instruments_only(world, app):
    with context_for(world) as ctx:
        other = a_customer(ctx, name_en="Other").id
        foreign = an_instrument(ctx, world.catalogue, customer_id=other).id
    operator = Browser(app, a_sign_in(world, "venue_operator", customer_id=1))
    form = operator.get("/orders/new?customer_id=2&chosen=1")
    assert form.fields()["customer_id"] == "1"
    assert "fee" not in form.fields()
    made = operator.send(
        form, decision_rule="simple", green_channel="1", fee="0", requested_on="2020-01-01"
    )
    assert made.status == 303
    asked = order(world, 2)
    assert (asked.green_channel, asked.fee, asked.requested_by) == (False, None, "Zhou Min")
    assert asked.requested_on.isoformat() == "2026-03-02"
    stolen = operator.send(form, decision_rule="simple", chosen=str(foreign))
    assert stolen.status in (404, 422)
    assert operator.post("/orders/2/accept", version="1").status == 403
    assert operator.send(form, customer_id=str(other), chosen=str(foreign)).status in (404, 422)
    with context_for(world) as ctx:
        assert len(orders.list_orders(ctx)) == 2


def test_an_operator_cancels_an_open_request_with_a_reason(world, app, browser):
    request(browser)
    operator = Browser(app, a_sign_in(world, "venue_operator", customer_id=1))
    refused = operator.post("/orders/2/cancel", version="1", reason="")
    assert "reason is empty" in refused.problem("reason")
    assert operator.post("/orders/2/cancel", version="1", reason="closed").status == 303
    assert order(world, 2).state == "cancelled"
    again = operator.post("/orders/1/cancel", version=order(world, 1).version, reason="x")
    assert again.status == 422


def test_a_stale_order_is_not_accepted(browser, world):
    request(browser)
    page = browser.post("/orders/2/accept", version="9")
    assert page.status == 422
    assert "changed by somebody else" in page.words()
    assert order(world, 2).state == "requested"


def test_receiving_is_all_or_nothing(browser, world):
    with context_for(world) as ctx:
        second = an_instrument(ctx, world.catalogue, model_id=1, customer_id=1)
    form = browser.get(f"/orders/new?customer_id=1&chosen=1&chosen={second.id}")
    browser.send(form, decision_rule="simple")
    browser.post("/orders/2/accept", version="1")
    first, last = (line.id for line in order(world, 2).lines)
    fields = {"line": [str(first), str(last)], f"condition/{first}": "undamaged"}
    page = browser.post("/orders/2/receive", **fields)
    assert page.status == 422
    assert [line.received_at for line in order(world, 2).lines] == [None, None]
    again = {**fields, "condition": "scratched"}
    assert browser.post("/orders/2/receive", **again).status == 303
    conditions = [line.condition for line in order(world, 2).lines]
    assert conditions == ["undamaged", "scratched"]


def test_orders_are_listed_by_state_the_green_channel_first(browser):
    request(browser)
    request(browser, green_channel="1")
    page = browser.get("/orders?state=requested")
    numbers = page.document.xpath("//tbody//a/text()")
    assert numbers == ["HZ-WT-2026-00003", "HZ-WT-2026-00002"]
    assert "HZ-WT-2026-00001" in browser.get("/orders?state=accepted").text


def test_today_shows_where_work_waits(browser):
    request(browser)
    page = browser.get("/")
    tiles = {
        " ".join(tile.text_content().split())
        for tile in page.document.xpath("//nav[@class='tiles']/a")
    }
    assert "1Requests to accept" in {tile.replace(" Requests", "Requests") for tile in tiles}
    assert "HZ-WT-2026-00002" in page.words()


def test_results_over_time_are_those_the_certificates_print(tmp_path):
    bench = a_bench(f"sqlite+pysqlite:///{tmp_path / 'calib.db'}")
    app = an_application(bench.installation, tmp_path / "data")
    done = issued(bench, app.state.wiring.store, authorised(bench))
    with bench.as_(bench.technician) as ctx:
        document = lookup.certificate_document(ctx, done.certificate_id)
    page = Browser(app, a_sign_in(bench.installation)).get("/instruments/1")
    table = page.document.xpath("//section[@class='drift']//table")[0]
    heads = [head.text_content() for head in table.xpath(".//thead//th")][2:]
    cells = [" ".join(cell.text_content().split()) for cell in table.xpath(".//tbody//td")][1:]
    points = document.result.points
    assert heads == [point.printed.nominal for point in points]
    for point, cell in zip(points, cells, strict=True):
        assert cell.startswith(f"{point.printed.error} U {point.printed.U}")
    assert document.number in page.words()
    order_page = Browser(app, a_sign_in(bench.installation)).get("/orders/1")
    assert done_stations(order_page)[-1] == "Issued"
    bench.installation.engine.dispose()
