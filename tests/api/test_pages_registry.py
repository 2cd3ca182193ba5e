from __future__ import annotations

from datetime import date

import pytest

from instruments.services import customers, instruments, models, people
from tests.support.builders import a_customer, a_model, an_instrument, context_for
from tests.support.web import Browser, a_sign_in

STAFF_ONLY = (
    "/customers",
    "/customers/new",
    "/customers/1/edit",
    "/customers/1/sites/new",
    "/sites/1/edit",
    "/models",
    "/models/new",
    "/models/1",
    "/models/1/edit",
    "/instruments/new",
    "/instruments/1/edit",
    "/instruments/import",
    "/standards",
    "/standards/new",
    "/standards/1",
    "/standards/1/edit",
    "/standards/1/certificates/new",
    "/standards/1/certificates/dcc",
    "/standards/import",
    "/lab",
    "/lab/people",
    "/lab/numbers",
    "/lab/scope",
    "/lab/competence",
)
EVERYBODY = (
    "/customers/1",
    "/instruments",
    "/instruments/1",
    "/instruments/labels?id=1",
    "/account",
    "/orders",
    "/orders/new?customer_id=1",
    "/orders/1",
)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_opens_with_one_heading_and_a_label_for_every_field(world, app, language):
    browser = Browser(app, a_sign_in(world), language)
    for path in ("/", *STAFF_ONLY, *EVERYBODY, "/models/new?type_id=pump.infusion_syringe"):
        page = browser.get(path)
        assert page.status == 200, path
        assert len(page.document.xpath("//h1")) == 1, path
        ids = page.document.xpath("//@id")
        assert len(ids) == len(set(ids)), path
        labels = set(page.document.xpath("//label/@for"))
        for field in page.document.xpath("//main//input[not(@type='hidden')]|//main//select"):
            inside = field.xpath("ancestor::label")
            named = inside or field.get("aria-label") or field.get("id") in labels
            assert named, (path, field.get("name"))


@pytest.mark.parametrize("path", STAFF_ONLY)
def test_pages_of_the_lab_are_closed_to_venue_operators(world, app, path):
    operator = Browser(app, a_sign_in(world, "venue_operator", customer_id=1))
    assert operator.get(path).status == 403


def test_a_venue_operator_sees_own_things_and_nothing_of_others(world, app):
    with context_for(world) as ctx:
        other = a_customer(ctx, name_en="Other").id
        an_instrument(ctx, world.catalogue, customer_id=other)
    operator = Browser(app, a_sign_in(world, "venue_operator", customer_id=other))
    assert [operator.get(path).status for path in ("/customers/1", "/instruments/1")] == [404, 404]
    assert operator.get("/orders/1").status == 404
    assert "HZ0000001" not in operator.get("/instruments").text
    assert "HZ0000001" not in operator.get("/instruments/labels?id=1").text


def test_without_a_sign_in_the_way_leads_to_it_and_back(app):
    page = Browser(app).get("/instruments?due=overdue")
    assert page.path == "/sign-in"
    assert page.fields()["next"] == "/instruments?due=overdue"


def test_a_customer_is_entered_and_shown_escaped(browser, world):
    form = browser.get("/customers/new")
    done = browser.send(form, name_zh="<b>医院</b>", email="a@example.org", is_small_firm="1")
    assert done.status == 303
    page = browser.get(done.location)
    assert "<b>医院</b>" in page.words()
    assert "&lt;b&gt;医院" in page.text
    with context_for(world) as ctx:
        assert customers.get_customer(ctx, 2).is_small_firm


def test_a_refused_form_keeps_what_was_typed_and_says_why_beside_the_field(browser, world):
    form = browser.get("/customers/new")
    page = browser.send(form, name_zh="市医院", email="no mail", phone="0571", is_small_firm="1")
    assert page.status == 422
    assert "is no mail address" in page.problem("email")
    kept = page.fields()
    assert (kept["name_zh"], kept["email"], kept["phone"]) == ("市医院", "no mail", "0571")
    assert kept["is_small_firm"] == "1"
    email = page.document.get_element_by_id("email")
    assert email.get("aria-invalid") == "true"
    assert "email-problem1" in email.get("aria-describedby")
    with context_for(world) as ctx:
        assert len(customers.list_customers(ctx)) == 1


def test_two_people_change_one_customer_and_the_second_sees_both_values(browser, world):
    form = browser.get("/customers/1/edit")
    with context_for(world) as ctx:
        customers.update_customer(ctx, 1, 1, phone="111")
    page = browser.send(form, phone="222")
    assert page.status == 422
    theirs = page.document.get_element_by_id("phone-theirs").text_content()
    assert "111" in theirs
    assert page.fields()["phone"] == "222"
    assert "name_zh-theirs" not in page.text
    assert browser.send(page).status == 303
    with context_for(world) as ctx:
        assert customers.get_customer(ctx, 1).phone == "222"


def test_a_site_is_entered_and_changed(browser):
    made = browser.send(browser.get("/customers/1/sites/new"), name_en="Fever clinic")
    assert made.location == "/customers/1?done=created"
    assert "Fever clinic" in browser.get(made.location).words()
    changed = browser.send(browser.get("/sites/2/edit"), venue_type="airport")
    assert changed.status == 303
    assert browser.get("/sites/2/edit").fields()["venue_type"] == "airport"


def test_a_model_asks_for_what_its_type_needs(browser):
    form = browser.get("/models/new?type_id=thermometer.infrared_ear")
    page = browser.send(form, maker="Maker", model="E-1")
    assert "resolution of temperature is missing" in page.problem("resolution/temperature")
    done = browser.send(page, **{"resolution/temperature": "0.10"})
    assert done.status == 303
    shown = browser.get(done.location).words()
    assert "0.10 °C" in shown
    assert "Calibration mode not known" in shown


def test_rows_of_limits_close_up_and_keep_what_the_form_does_not_show(browser, world):
    limit = {
        "document": "manual",
        "confidence": "V",
        "lower": "-0.2",
        "upper": "0.2",
        "or_fraction": "0.01",
        "when": {"verification": "initial"},
    }
    with context_for(world) as ctx:
        model = a_model(ctx, world.catalogue, maker_limits={"temperature": [limit]})
    path = f"/models/{model.id}/edit"
    more = browser.send(browser.get(path), more="1")
    row = "maker_limits/temperature"
    wrong = browser.send(more, **{f"{row}/3/lower": "x", f"{row}/3/start": "38.0"})
    assert "x" in wrong.problem(f"{row}/1/lower")
    assert wrong.fields()[f"{row}/1/start"] == "38.0"
    done = browser.send(wrong, **{f"{row}/1/lower": "-0.3"})
    assert done.status == 303
    with context_for(world) as ctx:
        first, second = models.get_model(ctx, model.id).maker_limits["temperature"]
    assert (first.or_fraction, dict(first.when)) == ("0.01", {"verification": "initial"})
    assert (second.lower, second.start) == ("-0.3", "38.0")


def test_an_instrument_is_registered_and_the_form_comes_again_for_the_next(browser):
    form = browser.get("/instruments/new?customer_id=1&model_id=1")
    done = browser.send(form, serial="A1", another="1", interval_months="12")
    again = browser.get(done.location)
    assert again.fields()["customer_id"] == "1"
    assert again.fields()["serial"] == ""
    twice = browser.send(again, serial="A1")
    assert "registered as instrument HZ0000002" in twice.problem("serial")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("pieces", "many", "expected a whole number"),
        ("pieces", "", "number of pieces is missing"),
        ("customer_id", "", "Nothing is chosen"),
        ("serial", "\u0410123", "passes for a Latin letter"),
        ("interval_months", "999", "must be a whole number from 1 to 120"),
    ],
)
def test_unusable_fields_of_an_instrument_are_told_beside_them(browser, field, value, words):
    form = browser.get("/instruments/new?customer_id=1&model_id=1")
    page = browser.send(form, **{"serial": "A1", field: value})
    assert page.status == 422
    assert words in page.problem(field)


def test_a_scanned_label_opens_its_instrument(browser):
    assert browser.get("/instruments?text=HZ0000001").path == "/instruments/1"


def test_instruments_are_found_by_words_customer_and_site_a_page_at_a_time(browser, world):
    with context_for(world) as ctx:
        for number in range(60):
            an_instrument(ctx, world.catalogue, model_id=1, customer_id=1, serial=f"Q{number:03d}")
    first = browser.get("/instruments?text=Q0")
    assert first.text.count('class="number" href="/instruments/') == 50
    link = first.document.xpath("//a[@rel='next']/@href")[0]
    second = browser.get(link)
    assert second.text.count('class="number" href="/instruments/') == 10
    assert "Nothing found" in browser.get("/instruments?text=Q0&site_id=1").words()


def test_a_status_needs_a_reason_and_stays_in_the_history(browser, world):
    refused = browser.post("/instruments/1/status", status="lost", reason=" ")
    assert "The field reason is empty" in refused.problem("reason")
    assert browser.post("/instruments/1/status", status="lost", reason="stolen").status == 303
    page = browser.get("/instruments/1")
    assert "Lost: stolen" in page.words()
    with context_for(world) as ctx:
        assert instruments.get_instrument(ctx, 1).status == "lost"


def test_a_person_is_given_a_role_and_nothing_is_left_of_a_refused_one(browser, world):
    given = {"email": "new@example.org", "name": "Neu", "password": "a long first password"}
    page = browser.get("/lab/people")
    refused = browser.send(page, **given, role="venue_operator")
    assert "belongs to a customer" in refused.problem("customer_id")
    with context_for(world) as ctx:
        known = {person.email for person in people.list_people(ctx)}
    assert "new@example.org" not in known
    assert browser.send(refused, customer_id="1", password=given["password"]).status == 303
    with context_for(world) as ctx:
        held = next(p for p in people.list_people(ctx) if p.email == "new@example.org")
    assert [m.role for m in held.memberships] == ["venue_operator"]
    ending = f"/lab/people/roles/{held.memberships[0].id}/end"
    assert browser.post(ending, ends_on="2026-03-31").status == 303
    assert "2026-03-31" in browser.get("/lab/people").words()


def test_a_password_is_never_sent_back(browser):
    page = browser.send(browser.get("/lab/people"), password="hunter2 hunter2", email="x")
    assert page.status == 422
    assert "hunter2" not in page.text


def test_only_a_manager_changes_people_numbers_and_scope(world, app):
    technician = Browser(app, a_sign_in(world, "technician"))
    assert technician.post("/lab/numbers", order="{lab}-{seq}").status == 403
    assert technician.post("/lab/people", email="x@example.org").status == 403
    assert "password" not in technician.get("/lab/people").text


def test_a_template_that_cannot_be_used_is_told_beside_its_series(browser):
    page = browser.send(browser.get("/lab/numbers"), barcode="{lab}")
    assert "must stand once in the template" in page.problem("barcode")
    assert browser.send(page, barcode="{lab}X{seq:05d}").status == 303
    assert browser.get("/lab/numbers").fields()["barcode"] == "{lab}X{seq:05d}"


def test_a_row_of_the_scope_is_added_and_ended(browser):
    given = {
        "measurand": "thermometer.infrared_forehead temperature",
        "document": "JJF 1107-2003",
        "low": "35.0",
        "high": "42.0",
        "U": "0.10",
        "starts_on": "2026-01-01",
    }
    wrong = browser.send(browser.get("/lab/scope"), **{**given, "low": "43.0"})
    assert "Put the smaller value first" in wrong.problem("low")
    assert browser.send(wrong, low="35.0").status == 303
    assert "35.0 … 42.0 °C" in browser.get("/lab/scope").words()
    assert browser.post("/lab/scope/1/end", ends_on="2026-12-31").status == 303
    assert date(2026, 12, 31).isoformat() in browser.get("/lab/scope").words()


def test_a_token_is_shown_once_and_ends_when_asked(world, app):
    browser = Browser(app, a_sign_in(world))
    page = browser.post("/account/tokens", name="logger", days="30")
    token = page.document.xpath("//div[@role='status']//code/text()")[0]
    assert token not in browser.get("/account").text
    program = Browser(app, token)
    assert program.get("/instruments").path == "/instruments"
    ending = browser.get("/account").document.xpath("//form[contains(@action, '/end')]/@action")[0]
    assert browser.post(ending).status == 303
    assert program.get("/instruments").path == "/sign-in"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("old", "wrong", "present password is wrong"),
        ("again", "another password", "two new passwords differ"),
    ],
)
def test_a_password_is_changed_only_by_who_knows_it(world, app, field, value, words):
    given = {"old": "x", "password": "four plain words", "again": "four plain words"}
    page = Browser(app, a_sign_in(world)).post("/account/password", **given | {field: value})
    assert page.status == 422
    assert words in page.problem(field)
    assert "four plain words" not in page.text


def test_a_form_from_another_site_is_not_carried_out(world, browser):
    headers = {"origin": "https://elsewhere.example"}
    answer = browser.client.post("/customers/new", data={"name_en": "X"}, headers=headers)
    assert answer.status_code == 403
    with context_for(world) as ctx:
        assert len(customers.list_customers(ctx)) == 1
